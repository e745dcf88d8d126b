//! A foreign pattern as the engine takes it: one group called `secret`, every repetition with an upper limit.

use crate::rules::credentials::parsed;
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::print::Printer;
use regex_syntax::ast::{
    Ast, CaptureName, Flags, Group, GroupKind, RepetitionKind, RepetitionRange, Span,
};
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};

/// Upper limits tried in turn for repetitions that have none.
const LIMITS: [u32; 6] = [400, 200, 100, 60, 30, 12];
/// Longest match a rule may have.
const MAX_MATCH: usize = 2048;
/// Deepest pattern that is rewritten.
const MAX_DEPTH: usize = 60;
/// Most literals taken from one pattern.
const MAX_LITERALS: usize = 64;
/// Largest class of characters that literals are made of: the digits of hexadecimal numbers in both cases.
const MAX_CLASS: usize = 22;

/// A pattern that was rewritten.
pub(super) struct Rewritten {
    pub pattern: String,
    /// Length of its longest match.
    pub longest: usize,
    /// Whether a repetition was given a limit.
    pub bounded: bool,
}

/// Rewrites a pattern; `secret` is the number of the group that holds the secret, 0 for the first.
pub(super) fn rewrite(source: &str, secret: usize) -> Result<Rewritten, String> {
    let plain = literal_braces(source);
    let parse = || {
        Parser::new()
            .parse(source)
            .ok()
            .or_else(|| Parser::new().parse(&plain).ok())
            .ok_or_else(|| "its pattern cannot be parsed".to_owned())
    };
    let limits = [None].into_iter().chain(LIMITS.map(Some));
    for limit in limits {
        let mut ast = parse()?;
        let mut walk = Walk {
            secret: secret.max(1) as u32,
            limit,
            bounded: false,
            named: false,
        };
        walk.visit(&mut ast, 0)?;
        let mut pattern = String::new();
        Printer::new()
            .print(&ast, &mut pattern)
            .map_err(|_| "its pattern cannot be written".to_owned())?;
        if !walk.named {
            pattern = format!("(?P<secret>{pattern})");
        }
        let hir = parsed(&pattern)
            .ok_or("its pattern needs Unicode classes or is otherwise not over bytes")?;
        if let Some(longest) = hir
            .properties()
            .maximum_len()
            .filter(|longest| *longest <= MAX_MATCH)
        {
            return Ok(Rewritten {
                pattern,
                longest,
                bounded: walk.bounded,
            });
        }
    }
    Err(format!("its pattern can match more than {MAX_MATCH} bytes"))
}

/// Go takes a brace that begins no repetition as itself; here it is escaped.
pub(super) fn literal_braces(source: &str) -> String {
    let mut out = String::with_capacity(source.len() + 4);
    let mut escaped = false;
    let mut rest = source.chars().peekable();
    while let Some(next) = rest.next() {
        let repeats = rest.peek().is_some_and(char::is_ascii_digit);
        if next == '{' && !escaped && !repeats {
            out.push('\\');
        }
        out.push(next);
        escaped = next == '\\' && !escaped;
        // What stands in braces behind these is part of the escape.
        if escaped
            && rest
                .peek()
                .is_some_and(|class| matches!(class, 'p' | 'P' | 'x'))
        {
            out.extend(rest.next());
            escaped = rest.peek() == Some(&'{');
        }
    }
    out
}

struct Walk {
    secret: u32,
    limit: Option<u32>,
    bounded: bool,
    named: bool,
}

impl Walk {
    fn visit(&mut self, ast: &mut Ast, depth: usize) -> Result<(), String> {
        if depth > MAX_DEPTH {
            return Err("its pattern is nested too deeply".to_owned());
        }
        match ast {
            Ast::Repetition(repetition) => {
                self.bound(&mut repetition.op.kind);
                self.visit(&mut repetition.ast, depth + 1)
            }
            Ast::Group(group) => {
                self.name(group);
                self.visit(&mut group.ast, depth + 1)
            }
            Ast::Alternation(all) => all
                .asts
                .iter_mut()
                .try_for_each(|one| self.visit(one, depth + 1)),
            Ast::Concat(all) => all
                .asts
                .iter_mut()
                .try_for_each(|one| self.visit(one, depth + 1)),
            _ => Ok(()),
        }
    }

    fn bound(&mut self, kind: &mut RepetitionKind) {
        let Some(limit) = self.limit else { return };
        let least = match kind {
            RepetitionKind::ZeroOrMore => 0,
            RepetitionKind::OneOrMore => 1,
            RepetitionKind::Range(RepetitionRange::AtLeast(least)) => *least,
            RepetitionKind::ZeroOrOne | RepetitionKind::Range(_) => return,
        };
        let most = limit
            .max(least.saturating_mul(2))
            .max(least.saturating_add(8));
        *kind = RepetitionKind::Range(RepetitionRange::Bounded(least, most));
        self.bounded = true;
    }

    fn name(&mut self, group: &mut Group) {
        let index = match &group.kind {
            GroupKind::CaptureIndex(index) => *index,
            GroupKind::CaptureName { name, .. } => name.index,
            GroupKind::NonCapturing(_) => return,
        };
        let nowhere = Span::splat(group.span.start);
        group.kind = if index == self.secret {
            self.named = true;
            GroupKind::CaptureName {
                starts_with_p: true,
                name: CaptureName {
                    span: nowhere,
                    name: "secret".to_owned(),
                    index,
                },
            }
        } else {
            GroupKind::NonCapturing(Flags {
                span: nowhere,
                items: Vec::new(),
            })
        };
    }
}

/// Texts of which one begins or ends every match, each at least so long; `None` where there are none.
pub(super) fn literals(pattern: &str, least: usize) -> Option<Vec<String>> {
    let hir = parsed(pattern)?;
    [ExtractKind::Prefix, ExtractKind::Suffix]
        .into_iter()
        .find_map(|kind| {
            let seq: Seq = Extractor::new()
                .kind(kind)
                .limit_class(MAX_CLASS)
                .extract(&hir);
            let texts: Vec<String> = seq
                .literals()?
                .iter()
                .map(|literal| String::from_utf8(literal.as_bytes().to_vec()).ok())
                .collect::<Option<_>>()?;
            let usable = !texts.is_empty()
                && texts.len() <= MAX_LITERALS
                && texts
                    .iter()
                    .all(|text| text.len() >= least && text.is_ascii());
            usable.then_some(texts)
        })
}
