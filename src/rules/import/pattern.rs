//! A foreign pattern as the engine takes it: one group called `secret`, every repetition with an upper limit.

use crate::rules::credentials::parsed;
use regex_syntax::ast::parse::Parser;
use regex_syntax::ast::print::Printer;
use regex_syntax::ast::{
    Ast, CaptureName, Flags, Group, GroupKind, RepetitionKind, RepetitionRange, Span,
};
use regex_syntax::hir::literal::{ExtractKind, Extractor, Seq};
use regex_syntax::hir::{Class, Hir, HirKind};

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

/// Largest class of characters beside a short text inside a pattern: letters, digits and two signs.
const MAX_INNER_CLASS: usize = 64;

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

/// Texts of which one is in every match, each at least so long; `None` where there are none.
pub(super) fn literals(pattern: &str, least: usize) -> Option<Vec<String>> {
    let hir = parsed(pattern)?;
    let end = |kind| extracted(&hir, kind, MAX_CLASS, least);
    end(ExtractKind::Prefix)
        .or_else(|| end(ExtractKind::Suffix))
        .or_else(|| inner(&hir, least))
}

/// The longest text in lower case that is in every match in any letter case: `(?i)corp_key`.
pub(super) fn folded(pattern: &str, least: usize) -> Option<String> {
    let mut runs = Vec::new();
    let mut run = String::new();
    fold(&parsed(pattern)?, &mut run, &mut runs);
    runs.push(run);
    let longest = runs.into_iter().max_by_key(String::len)?;
    (longest.len() >= least).then_some(longest)
}

/// Appends what every match holds next to the run that it continues, or ends the run.
fn fold(hir: &Hir, run: &mut String, runs: &mut Vec<String>) {
    match hir.kind() {
        HirKind::Concat(all) => all.iter().for_each(|one| fold(one, run, runs)),
        HirKind::Capture(capture) => fold(&capture.sub, run, runs),
        HirKind::Literal(literal) if literal.0.is_ascii() => {
            run.extend(
                literal
                    .0
                    .iter()
                    .map(|byte| char::from(byte.to_ascii_lowercase())),
            );
        }
        HirKind::Class(class) => match letter(class) {
            Some(letter) => run.push(letter),
            None => runs.push(std::mem::take(run)),
        },
        HirKind::Look(_) | HirKind::Empty => {}
        _ => runs.push(std::mem::take(run)),
    }
}

/// The letter that a class has in both cases, and nothing else of ASCII.
fn letter(class: &Class) -> Option<char> {
    let mut ascii = (0..128_u8).map(char::from).filter(|one| match class {
        Class::Unicode(class) => class
            .iter()
            .any(|range| range.start() <= *one && *one <= range.end()),
        Class::Bytes(class) => class
            .iter()
            .any(|range| range.start() <= *one as u8 && *one as u8 <= range.end()),
    });
    let (upper, lower) = (ascii.next()?, ascii.next()?);
    let is_pair = upper.to_ascii_lowercase() == lower && upper != lower;
    (is_pair && ascii.next().is_none()).then_some(lower)
}

/// Texts of which one begins, or ends, every match.
fn extracted(hir: &Hir, kind: ExtractKind, class: usize, least: usize) -> Option<Vec<String>> {
    let seq: Seq = Extractor::new().kind(kind).limit_class(class).extract(hir);
    let texts: Vec<String> = seq
        .literals()?
        .iter()
        .map(|literal| String::from_utf8(literal.as_bytes().to_vec()).ok())
        .collect::<Option<_>>()?;
    usable(texts, least)
}

fn usable(mut texts: Vec<String>, least: usize) -> Option<Vec<String>> {
    texts.sort();
    texts.dedup();
    let fit = |text: &String| text.len() >= least && text.is_ascii();
    (!texts.is_empty() && texts.len() <= MAX_LITERALS && texts.iter().all(fit)).then_some(texts)
}

/// Texts of which one is somewhere in every match: `Q~` behind a digit are ten.
fn inner(hir: &Hir, least: usize) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Capture(capture) => inner(&capture.sub, least),
        HirKind::Repetition(repetition) if repetition.min > 0 => inner(&repetition.sub, least),
        HirKind::Alternation(all) => {
            let texts: Option<Vec<Vec<String>>> = all.iter().map(|one| inner(one, least)).collect();
            usable(texts?.concat(), least)
        }
        HirKind::Concat(all) => {
            let ends = (0..all.len()).filter_map(|at| {
                let rest = Hir::concat(all.get(at..)?.to_vec());
                extracted(&rest, ExtractKind::Prefix, MAX_INNER_CLASS, least)
            });
            let parts = all.iter().filter_map(|one| inner(one, least));
            ends.chain(parts).min_by_key(Vec::len)
        }
        HirKind::Literal(_) => extracted(hir, ExtractKind::Prefix, MAX_INNER_CLASS, least),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_inside_a_pattern_are_made_longer_by_what_stands_beside_them() {
        let of = |pattern: &str| literals(pattern, 3).unwrap_or_default();
        assert_eq!(of(r"[a-z]{3}\dQ~[a-z]{31}").len(), 10);
        assert_eq!(of(r"\b(ey[A-Za-z0-9]{17,40}\.ey[a-z]{9})"), [".ey"]);
        let both = of(r"\b((?:hvs\.[\w-]{90}|s\.(?i:[a-z0-9]{24})))(?:\s|$)");
        assert!(both.len() == 63 && both.contains(&"hvs.".to_owned()));
        let folded = |pattern: &str| folded(pattern, 3);
        assert_eq!(
            folded(r"(?i)\bcorp_key\s{0,9}=(x)").as_deref(),
            Some("corp_key")
        );
        assert_eq!(folded(r"(?i)(?:a|b)[a-z]{9}ke").as_deref(), None);
        assert!(of(r"[a-z]{30}").is_empty() && of(r"(?:abcd)?[a-z]{9}").is_empty());
    }
}
