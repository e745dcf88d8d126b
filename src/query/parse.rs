//! Reads filters.

use super::field::{self, Field, Kind};
use super::{Comparison, Expression, QueryError, Test};
use globset::GlobBuilder;

/// Deepest nesting of brackets and negations.
const MAX_DEPTH: usize = 50;
/// Longest filter, in bytes.
const MAX_LENGTH: usize = 10_000;

/// A piece of a filter and its place.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Token<'t> {
    kind: TokenKind<'t>,
    from: usize,
    to: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum TokenKind<'t> {
    Open,
    Close,
    Not,
    Or,
    And,
    /// A condition, as written.
    Word(&'t str),
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token<'t>>,
    next: usize,
}

/// Reads a filter; `None` when it is empty.
pub(super) fn query(text: &str) -> Result<Option<Expression>, QueryError> {
    if text.len() > MAX_LENGTH {
        return Err(QueryError::new("", (0, 0), "the filter is too long"));
    }
    let mut parser = Parser {
        text,
        tokens: tokens(text)?,
        next: 0,
    };
    if parser.tokens.is_empty() {
        return Ok(None);
    }
    let expression = parser.any(0)?;
    match parser.peek() {
        None => Ok(Some(expression)),
        Some(token) => Err(parser.error(token, "this bracket was never opened")),
    }
}

fn tokens(text: &str) -> Result<Vec<Token<'_>>, QueryError> {
    let mut out = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some(&(from, c)) = chars.peek() {
        let one = |kind| Token {
            kind,
            from,
            to: from + c.len_utf8(),
        };
        match c {
            c if c.is_whitespace() => {}
            '(' => out.push(one(TokenKind::Open)),
            ')' => out.push(one(TokenKind::Close)),
            '|' => out.push(one(TokenKind::Or)),
            '!' | '-' => out.push(one(TokenKind::Not)),
            _ => {
                let to = word_end(text, from)?;
                let word = text.get(from..to).unwrap_or_default();
                let kind = match word {
                    "or" | "OR" => TokenKind::Or,
                    "and" | "AND" => TokenKind::And,
                    "not" | "NOT" => TokenKind::Not,
                    _ => TokenKind::Word(word),
                };
                out.push(Token { kind, from, to });
                while chars.peek().is_some_and(|(at, _)| *at < to) {
                    chars.next();
                }
                continue;
            }
        }
        chars.next();
    }
    Ok(out)
}

/// Where a condition ends: at a blank or bracket outside quotes.
fn word_end(text: &str, from: usize) -> Result<usize, QueryError> {
    let mut quote: Option<(char, usize)> = None;
    for (at, c) in text.get(from..).unwrap_or_default().char_indices() {
        match quote {
            Some((open, _)) if c == open => quote = None,
            None if c.is_whitespace() || matches!(c, '(' | ')' | '|') => return Ok(from + at),
            None if c == '"' => quote = Some((c, from + at)),
            Some(_) | None => {}
        }
    }
    match quote {
        Some((_, at)) => Err(QueryError::new(
            text,
            (at, text.len()),
            "this quote was never closed",
        )),
        None => Ok(text.len()),
    }
}

impl<'t> Parser<'t> {
    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).copied()
    }

    fn error(&self, token: Token<'_>, message: &str) -> QueryError {
        QueryError::new(self.text, (token.from, token.to), message)
    }

    fn end(&self, message: &str) -> QueryError {
        let at = self.text.trim_end().len();
        QueryError::new(self.text, (at, at), message)
    }

    /// Alternatives.
    fn any(&mut self, depth: usize) -> Result<Expression, QueryError> {
        let mut parts = vec![self.all(depth)?];
        while self.peek().is_some_and(|token| token.kind == TokenKind::Or) {
            self.next += 1;
            parts.push(self.all(depth)?);
        }
        Ok(single(parts, Expression::Any))
    }

    /// What stands beside each other.
    fn all(&mut self, depth: usize) -> Result<Expression, QueryError> {
        let mut parts = vec![self.one(depth)?];
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Or | TokenKind::Close => break,
                TokenKind::And => {
                    self.next += 1;
                    parts.push(self.one(depth)?);
                }
                _ => parts.push(self.one(depth)?),
            }
        }
        Ok(single(parts, Expression::All))
    }

    fn one(&mut self, depth: usize) -> Result<Expression, QueryError> {
        let Some(token) = self.peek() else {
            return Err(self.end("a condition is missing here, such as owner:none"));
        };
        if depth > MAX_DEPTH {
            return Err(self.error(token, "nested too deeply"));
        }
        self.next += 1;
        match token.kind {
            TokenKind::Not => Ok(Expression::Not(Box::new(self.one(depth + 1)?))),
            TokenKind::Open => {
                let inner = self.any(depth + 1)?;
                match self.peek() {
                    Some(Token {
                        kind: TokenKind::Close,
                        ..
                    }) => {
                        self.next += 1;
                        Ok(inner)
                    }
                    _ => Err(self.error(token, "this bracket was never closed")),
                }
            }
            TokenKind::Word(word) => self.condition(token, word),
            TokenKind::Close | TokenKind::Or | TokenKind::And => {
                Err(self.error(token, "a condition is missing here, such as owner:none"))
            }
        }
    }

    /// `field:values`, or a word.
    fn condition(&self, token: Token<'_>, word: &str) -> Result<Expression, QueryError> {
        let split = word
            .find([':', '"'])
            .filter(|at| word.as_bytes().get(*at) == Some(&b':'));
        let Some(colon) = split else {
            return Ok(Expression::Word(unquoted(word).to_lowercase()));
        };
        let (name, values) = (
            word.get(..colon).unwrap_or_default(),
            word.get(colon + 1..).unwrap_or_default(),
        );
        let at = (token.from, token.from + colon);
        let from = token.from + colon + 1;
        if name.eq_ignore_ascii_case("tag") {
            let (key, values, offset) = match values.split_once('=') {
                Some((key, values)) => (key, values, key.len() + 1),
                None => (values, "any", 0),
            };
            if key.is_empty() {
                return Err(QueryError::new(
                    self.text,
                    at,
                    "a tag needs a key: tag:team or tag:team=payments",
                ));
            }
            let tests = self.values(field::TAG, values, from + offset)?;
            return Ok(Expression::Tag(unquoted(key).to_lowercase(), tests));
        }
        let Some(field) = Field::named(name) else {
            return Err(QueryError::new(self.text, at, unknown(name)));
        };
        Ok(Expression::Is(field, self.values(field, values, from)?))
    }

    fn values(
        &self,
        field: &'static Field,
        values: &str,
        from: usize,
    ) -> Result<Vec<Test>, QueryError> {
        let mut tests = Vec::new();
        let mut at = from;
        for value in split(values) {
            let place = (at, at + value.len());
            let test =
                test(field, value).map_err(|message| QueryError::new(self.text, place, message))?;
            tests.push(test);
            at += value.len() + 1;
        }
        Ok(tests)
    }
}

fn single(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    join(parts)
}

/// Splits at commas outside quotes; one value at least.
fn split(values: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, c) in values.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == ',' && !quoted {
            out.push(values.get(start..at).unwrap_or_default());
            start = at + 1;
        }
    }
    out.push(values.get(start..).unwrap_or_default());
    out
}

fn unquoted(text: &str) -> String {
    text.chars().filter(|c| *c != '"').collect()
}

fn unknown(name: &str) -> String {
    let mut near: Vec<(usize, &str)> = field::FIELDS
        .iter()
        .flat_map(|field| std::iter::once(&field.name).chain(field.aliases))
        .map(|known| (distance(&name.to_lowercase(), known), *known))
        .collect();
    near.sort_unstable();
    match near.first() {
        Some((distance, known)) if *distance <= 2 && !name.is_empty() => {
            format!("there is no field `{name}`; did you mean `{known}`?")
        }
        _ => {
            let names: Vec<&str> = field::FIELDS.iter().map(|field| field.name).collect();
            format!(
                "there is no field `{name}`; there are {} and tag",
                names.join(", ")
            )
        }
    }
}

/// Letters to change, add or leave out to get from one word to the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, l) in left.chars().take(50).enumerate() {
        let mut diagonal = at;
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
        for (index, r) in right.iter().enumerate() {
            let above = row.get(index + 1).copied().unwrap_or(0);
            let before = row.get(index).copied().unwrap_or(0);
            let changed = diagonal + usize::from(l != *r);
            diagonal = above;
            if let Some(cell) = row.get_mut(index + 1) {
                *cell = changed.min(above + 1).min(before + 1);
            }
        }
    }
    row.last().copied().unwrap_or(0)
}

/// What one value means for a field.
fn test(field: &Field, value: &str) -> Result<Test, String> {
    if value.is_empty() {
        return Err(format!(
            "`{}:` needs a value; none and any are values too",
            field.name
        ));
    }
    let text = unquoted(value);
    let quoted = text != value;
    match text.as_str() {
        "none" if !quoted => return Ok(Test::None),
        "any" | "*" if !quoted => return Ok(Test::Some),
        _ => {}
    }
    if field.numeric() || matches!(field.kind, Kind::NumberOrWord) {
        if let Some(test) = number(field, &text)? {
            return Ok(test);
        }
        if field.numeric() {
            let example = if matches!(field.kind, Kind::Days) {
                ">90"
            } else {
                ">=4"
            };
            return Err(format!(
                "`{}` is compared with a number, such as {}:{example}",
                field.name, field.name
            ));
        }
    } else if let Some(operator) = text.chars().next().filter(|c| matches!(c, '<' | '>')) {
        return Err(format!(
            "`{}` holds words, which `{operator}` cannot compare",
            field.name
        ));
    }
    let lower = text.to_lowercase();
    if let Kind::Choice(choices) = field.kind
        && !choices.contains(&lower.as_str())
        && !lower.contains(['*', '?'])
    {
        return Err(format!("`{}` is one of {}", field.name, choices.join(", ")));
    }
    if matches!(field.kind, Kind::Text) && !lower.contains(['*', '?']) {
        return Ok(Test::Part(lower));
    }
    if !lower.contains(['*', '?']) {
        return Ok(Test::Word(lower));
    }
    // Only `*` and `?` are special; what else a glob knows stands for itself.
    let mut pattern = String::new();
    for c in lower.chars() {
        if matches!(c, '[' | ']' | '{' | '}' | '\\' | '!') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    GlobBuilder::new(&pattern)
        .literal_separator(false)
        .backslash_escape(true)
        .build()
        .map(|glob| Test::Glob(lower, glob.compile_matcher()))
        .map_err(|_| format!("`{text}` is no pattern; * and ? stand for other text"))
}

fn number(field: &Field, text: &str) -> Result<Option<Test>, String> {
    let operators = [
        (">=", Comparison::MoreOrEqual),
        ("<=", Comparison::LessOrEqual),
        (">", Comparison::More),
        ("<", Comparison::Less),
        ("=", Comparison::Equal),
        ("", Comparison::Equal),
    ];
    let Some((written, comparison)) = operators
        .into_iter()
        .find(|(written, _)| text.starts_with(written))
    else {
        return Ok(None);
    };
    let rest = text.get(written.len()..).unwrap_or_default();
    let (digits, unit) = match rest.char_indices().last() {
        Some((at, 'd')) => (rest.get(..at), 1),
        Some((at, 'w')) => (rest.get(..at), 7),
        Some((at, 'y')) => (rest.get(..at), 365),
        _ => (Some(rest), 1),
    };
    let days = matches!(field.kind, Kind::Days);
    let parsed = digits
        .filter(|_| days || unit == 1)
        .and_then(|digits| digits.parse::<i64>().ok())
        .and_then(|count| count.checked_mul(unit));
    match parsed {
        Some(count) => Ok(Some(Test::Number(comparison, count))),
        None if written.is_empty() => Ok(None),
        None => Err(format!(
            "`{rest}` is no number{}",
            if days {
                " of days; 90, 12w and 1y are"
            } else {
                ""
            }
        )),
    }
}
