//! Classes that extend a framework's: agents that a program describes and makes later, or elsewhere.

use super::super::super::node::{Key, Node, Value};
use super::source::{Class, Source};
use super::token::{Kind, Language, said};
use super::value::Values;
use crate::rules::agent_code::{AgentCode, AgentFramework};
use std::collections::BTreeSet;

/// Longest chain of classes of one file.
const MAX_CHAIN: usize = 8;
/// Most attributes of one class.
const MAX_ATTRIBUTES: usize = 100;

/// A class whose objects are agents.
pub(super) struct AgentClass<'c, 's, 't> {
    pub(super) framework: &'c AgentFramework,
    /// The framework's class that it extends in the end.
    pub(super) base: String,
    pub(super) class: &'s Class<'t>,
    /// Classes of the file between the two, the nearest first.
    above: Vec<&'s Class<'t>>,
    /// Another class of the file that is one extends it.
    pub(super) extended: bool,
}

/// The classes of a program that are agents.
pub(super) fn classes<'c, 's, 't>(
    source: &'s Source<'t>,
    code: &'c AgentCode,
) -> Vec<AgentClass<'c, 's, 't>> {
    let all = source.classes();
    let mut found: Vec<AgentClass<'c, 's, 't>> = all
        .iter()
        .filter_map(|class| {
            let (mut above, mut seen) = (Vec::new(), BTreeSet::from([class.start]));
            let (framework, base) = extends(source, code, all, class, &mut above, &mut seen)?;
            Some(AgentClass {
                framework,
                base,
                class,
                above,
                extended: false,
            })
        })
        .collect();
    let extended: BTreeSet<&str> = found
        .iter()
        .flat_map(|one| &one.class.bases)
        .filter_map(|base| match base.as_slice() {
            [only] => Some(*only),
            _ => None,
        })
        .collect();
    for one in &mut found {
        one.extended = extended.contains(one.class.name);
    }
    found
}

/// The framework's class that a class extends in the end; `above` are those of the file on the way, `seen` those that were
/// looked at.
fn extends<'c, 's, 't>(
    source: &Source<'_>,
    code: &'c AgentCode,
    all: &'s [Class<'t>],
    class: &Class<'_>,
    above: &mut Vec<&'s Class<'t>>,
    seen: &mut BTreeSet<usize>,
) -> Option<(&'c AgentFramework, String)> {
    for base in &class.bases {
        if let Some((module, name)) = source.imported(base)
            && let Some(framework) = code.extended(&module, &name)
        {
            return Some((framework, name));
        }
        let inner = match base.as_slice() {
            [only] if above.len() < MAX_CHAIN => all
                .iter()
                .find(|other| other.name == *only && seen.insert(other.start)),
            _ => None,
        };
        if let Some(inner) = inner {
            let known = above.len();
            above.push(inner);
            if let Some(found) = extends(source, code, all, inner, above, seen) {
                return Some(found);
            }
            above.truncate(known);
        }
    }
    None
}

impl AgentClass<'_, '_, '_> {
    /// What the class gives its objects: the arguments of the framework's constructor, attributes, what it asks of the
    /// environment, and its first line of text as what it is for.
    pub(super) fn arguments<'t>(
        &self,
        source: &Source<'t>,
        values: &mut Values<'_, 't>,
    ) -> Vec<(Key, Node)> {
        let mut given: Vec<(Key, Node)> = Vec::new();
        for class in std::iter::once(&self.class).chain(&self.above) {
            let mut more = match self.constructor(class, source) {
                Some(open) => values.arguments(open, 0),
                None => Vec::new(),
            };
            for (name, value, end) in attributes(class, source) {
                let key = values.key(name, source.word(name).to_owned());
                let (node, _) = values.value(value, end, 0);
                more.push((key, node));
            }
            let asked = values.environment(class.body.clone());
            if !asked.is_empty() {
                let key = values.key(class.start, format!("env {}", class.name));
                more.push((key, values.node(class.start, Value::Map(asked))));
            }
            for (key, node) in more {
                if !given.iter().any(|(known, _)| known.text == key.text) {
                    given.push((key, node));
                }
            }
        }
        let known =
            |given: &[(Key, Node)], name: &str| given.iter().any(|(key, _)| key.text == name);
        let first = self.class.body.start;
        if source.language == Language::Python
            && source.kind(first) == Some(Kind::Text)
            && !known(&given, "description")
        {
            let text = said(source.word(first));
            let line = text.trim().lines().next().unwrap_or_default().to_owned();
            given.push((
                values.key(first, "description".to_owned()),
                values.scalar(first, line, false),
            ));
        }
        given
    }

    /// Where the bracket opens of the call of the framework's constructor.
    fn constructor(&self, class: &Class<'_>, source: &Source<'_>) -> Option<usize> {
        class.body.clone().find_map(|at| match source.language {
            Language::Script => {
                (source.word(at) == "super" && source.is(at + 1, b'(')).then_some(at + 1)
            }
            Language::Python => {
                let init = source.word(at) == "__init__" && source.is(at + 1, b'(');
                let of = at.checked_sub(1).filter(|dot| source.is(*dot, b'.'))?;
                let before = of.checked_sub(1)?;
                let by_super = source.is(before, b')');
                (init && (by_super || source.word(before) == self.base)).then_some(at + 1)
            }
        })
    }
}

/// Attributes of a class itself: name, value and end of the value.
fn attributes(class: &Class<'_>, source: &Source<'_>) -> Vec<(usize, usize, usize)> {
    let body = class.body.clone();
    let mut out = Vec::new();
    let mut at = body.start;
    let column = source.column(at);
    while at < body.end && out.len() < MAX_ATTRIBUTES {
        let outside = match source.language {
            Language::Python => {
                source.token(at).is_some_and(|token| token.first) && source.column(at) == column
            }
            Language::Script => true,
        };
        let next = if matches!(source.kind(at), Some(Kind::Mark(b'(' | b'[' | b'{'))) {
            source.behind(at)
        } else {
            at + 1
        };
        if outside && let Some((value, end)) = attribute(source, at, body.end) {
            out.push((at, value, end));
            at = end.max(next);
            continue;
        }
        at = next;
    }
    out
}

/// The value of `name = value` or `name: Type = value`, and where it ends.
fn attribute(source: &Source<'_>, at: usize, end: usize) -> Option<(usize, usize)> {
    source.name(at)?;
    let mut equals = at + 1;
    if source.is(equals, b':') {
        equals = (equals..end.min(equals + 40))
            .take_while(|at| !source.token(*at).is_some_and(|token| token.first))
            .find(|at| source.is(*at, b'='))?;
    }
    let twice = matches!(source.word(equals + 1), "=" | ">");
    if !source.is(equals, b'=') || twice {
        return None;
    }
    let value = equals + 1;
    let mut last = value;
    while last < end {
        if matches!(source.kind(last), Some(Kind::Mark(b'(' | b'[' | b'{'))) {
            last = source.behind(last);
            continue;
        }
        let line = last > value && source.token(last).is_some_and(|token| token.first);
        if line || source.is(last, b';') {
            break;
        }
        last += 1;
    }
    Some((value, last.min(end)))
}
