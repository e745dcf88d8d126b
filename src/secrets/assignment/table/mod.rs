//! Tables: a name at the head of a column, and the values below it.
//!
//! Rows of SQL (`INSERT INTO t (…) VALUES (…), (…)`, `COPY t (…) FROM stdin`, dumps whose columns stand in a `CREATE TABLE`), lines of
//! CSV and TSV, and rows between bars as Markdown and SQL clients have them. What follows a name tells nearly always that it
//! heads no column; only then is looked further.

mod lines;
mod sql;

use super::form::{BLANKS, Form, Reading, line_of};
use super::value::Quote;
use super::{at, before, contains, part};
use std::ops::Range;

/// Most rows of a column that are told: a table of test data would say the same a thousand times.
pub(super) const MOST: usize = 50;
/// Most columns: the rows are read for each that has a name of a secret.
const COLUMNS: usize = 64;
/// Bytes before a name in which the beginning of its statement is looked for.
const BEFORE: usize = 1_000;
/// Bytes behind a name in which rows are read.
const AFTER: usize = 4_800;

/// What a reading of a column tells beside the value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Beside {
    /// Another column has who logs in.
    pub login: bool,
    /// There are more rows than are told.
    pub more: bool,
}

/// A column.
pub(super) struct Column {
    /// Its whole head: `Secret access key`.
    pub head: Range<usize>,
    cells: Vec<Range<usize>>,
    beside: Beside,
}

/// What was seen of a table around a name.
pub(super) struct Look {
    /// The text that decides.
    pub seen: Range<usize>,
    /// The column, where the name is the head of one.
    pub column: Option<Column>,
}

impl Column {
    /// The column at `head` with these cells, beside others; `None` where there are
    /// none, and where its values are no secrets as they stand there.
    fn new(
        text: &[u8],
        head: Range<usize>,
        cells: Vec<Range<usize>>,
        heads: &[Range<usize>],
    ) -> Option<Self> {
        const LOGINS: [&[u8]; 5] = [b"user", b"login", b"mail", b"account", b"usr"];
        // What has a salt is hashed.
        const HASHED: [&[u8]; 2] = [b"salt", b"hashed"];
        let (first, last) = (heads.first()?, heads.last()?);
        if cells.is_empty() {
            return None;
        }
        let mut others = part(text, first.start..last.end).to_ascii_lowercase();
        let own = head.start.saturating_sub(first.start)..head.end.saturating_sub(first.start);
        if let Some(own) = others.get_mut(own) {
            own.fill(b' ');
        }
        let say = |words: &[&[u8]]| {
            let mut words = words.iter();
            words.any(|word| contains(&others, word))
        };
        if say(&HASHED) {
            return None;
        }
        let login = say(&LOGINS);
        Some(Self {
            head,
            beside: Beside {
                login,
                more: cells.len() > MOST,
            },
            cells,
        })
    }

    /// Its values.
    pub(super) fn readings(self, text: &[u8]) -> Vec<Reading> {
        let line = line_of(text, &self.head);
        let beside = self.beside;
        let cells = self.cells.into_iter().take(MOST);
        cells
            .map(|cell| plain(text, cell))
            .map(|value| Reading {
                form: Form::Column,
                quote: Quote::Own,
                value,
                line: line.clone(),
                inside: false,
                typed: false,
                indirect: false,
                spaced: false,
                more: false,
                announced: false,
                listed: true,
                table: Some(beside),
            })
            .collect()
    }
}

/// A text and the part of it that was looked at.
struct Sight<'t> {
    text: &'t [u8],
    seen: Range<usize>,
    /// Where rows end to be read.
    limit: usize,
}

impl Sight<'_> {
    /// Notes that the byte at `index` was looked at, be it beyond the end.
    fn saw(&mut self, index: usize) {
        self.seen.start = self.seen.start.min(index);
        self.seen.end = self.seen.end.max(index + 1);
    }

    /// The first byte from `index` on that is no blank and no end of a line.
    fn skip(&mut self, mut index: usize) -> usize {
        while index < self.limit && at(self.text, index).is_ascii_whitespace() {
            index += 1;
        }
        self.saw(index);
        index
    }

    /// One past the last byte before `index` that is none of those.
    fn skip_back(&mut self, mut index: usize, floor: usize) -> usize {
        while index > floor && before(self.text, index).is_ascii_whitespace() {
            index -= 1;
        }
        self.saw(index.saturating_sub(1));
        index
    }
}

/// Looks whether a name is the head of a column.
pub(super) fn look(text: &[u8], name: &Range<usize>) -> Look {
    let mut close = name.end;
    for _ in 0..3 {
        if matches!(at(text, close), b'"' | b'\'' | b'`' | b']' | b'*') {
            close += 1;
        }
    }
    let blanks = part(text, close..text.len().min(close + BLANKS)).iter();
    let index = close + blanks.take_while(|byte| **byte == b' ').count();
    let mut sight = Sight {
        text,
        seen: name.start..index + 1,
        limit: text.len().min(name.end + AFTER),
    };
    let column = match at(text, index) {
        b',' => sql::listed(&mut sight, name).or_else(|| lines::separated(&mut sight, name, b',')),
        b')' => sql::listed(&mut sight, name),
        b';' => lines::separated(&mut sight, name, b';'),
        b'\t' => lines::separated(&mut sight, name, b'\t')
            .or_else(|| sql::declared(&mut sight, name, index + 1)),
        b'|' => lines::barred(&mut sight, name)
            .or_else(|| lines::entry(&mut sight, name))
            .or_else(|| lines::separated(&mut sight, name, b'|')),
        b'\n' | b'\r' => last(&mut sight, name),
        _ if index > close => sql::declared(&mut sight, name, index),
        _ => None,
    };
    Look {
        seen: sight.seen,
        column,
    }
}

/// The last column of a line, by what is before its head.
fn last(sight: &mut Sight<'_>, name: &Range<usize>) -> Option<Column> {
    let open = behind_quote(sight.text, name.start);
    if before(sight.text, open) == b'\t' {
        let found = lines::separated(sight, name, b'\t');
        if found.is_some() {
            return found;
        }
    }
    let floor = open.saturating_sub(BLANKS);
    if let [.., last, b' '] = part(sight.text, floor..open)
        && last.is_ascii_alphanumeric()
    {
        // More words of the same head.
        let head = part(sight.text, floor..open).iter().rev();
        let words = head.take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b' ');
        let start = behind_quote(sight.text, open - words.count());
        sight.saw(start.saturating_sub(1));
        return match before(sight.text, start) {
            mark @ (b',' | b';' | b'\t' | b'|') => lines::separated(sight, name, mark),
            _ => None,
        };
    }
    let head = sight.skip_back(open, floor);
    match before(sight.text, head) {
        b',' => sql::listed(sight, name).or_else(|| lines::separated(sight, name, b',')),
        b'(' => sql::listed(sight, name),
        b';' => lines::separated(sight, name, b';'),
        b'|' => lines::barred(sight, name).or_else(|| lines::separated(sight, name, b'|')),
        _ => None,
    }
}

/// Where the quote before a name begins, or the name.
fn behind_quote(text: &[u8], start: usize) -> usize {
    let quoted = matches!(before(text, start), b'"' | b'\'' | b'`' | b'[');
    start - usize::from(quoted)
}

/// A cell without blanks and quotes around it.
fn bare(text: &[u8], cell: Range<usize>) -> Range<usize> {
    let mut cell = trim(text, cell);
    if let [open @ (b'"' | b'\'' | b'`'), .., close] = part(text, cell.clone())
        && open == close
    {
        cell = cell.start + 1..cell.end - 1;
    }
    trim(text, cell)
}

/// A value without the mark that says that it is none but itself: `{noop}` of Spring Security.
fn plain(text: &[u8], cell: Range<usize>) -> Range<usize> {
    let marked = part(text, cell.clone()).starts_with(b"{noop}");
    let mark = if marked { b"{noop}".len() } else { 0 };
    cell.start + mark..cell.end
}

fn trim(text: &[u8], cell: Range<usize>) -> Range<usize> {
    super::value::trimmed(text, cell).range
}

/// Whether a byte may be part of the name of a column that is written without quotes.
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$' | b'#' | b'.') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::super::key;
    use super::*;
    use proptest::prelude::*;

    /// The values of the column whose head has the first `word` of a text.
    pub(super) fn column(text: &str, word: &str) -> Option<String> {
        let start = text.find(word)?;
        let name = key::range(text.as_bytes(), &(start..start + word.len()));
        let look = look(text.as_bytes(), &name);
        let values = look.column?.readings(text.as_bytes());
        let shown = values.into_iter().filter_map(|one| text.get(one.value));
        Some(shown.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn of_many_rows_some_are_told() {
        let rows: Vec<String> = (0..90).map(|row| format!("{row},p{row}\n")).collect();
        let text = format!("id,password\n{}", rows.concat());
        let found = column(&text, "password").unwrap_or_default();
        assert_eq!(found.split(' ').count(), MOST);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]
        #[test]
        fn what_was_not_seen_decides_nothing(
            head in "(x\n|\n|```\n|)(INSERT INTO t|COPY t|CREATE TABLE t|f|)[ (]{0,2}",
            heads in proptest::collection::vec("(id|user|salt|password|`password`|\"password\")( varchar\\(9\\)| int|)", 1..5),
            mark in "(, |,|;|\t| \\| |,\n)",
            between in "(\\)|) ?(VALUES|FROM stdin;|;\nINSERT INTO t VALUES|\n-+\\|-+|)[\n ]?",
            rows in proptest::collection::vec("(\\(|)(1|'p1'|p2|\"p,3\"|N'p4')(,|;|\t| \\| )('p5'|p6|NULL)(\\)|)(,|\n|;\n|\r\n)", 0..5),
            end in "[ -~\n]{0,60}",
        ) {
            let text = [head, heads.join(&mark), between, rows.concat(), end].concat();
            for (start, word) in text.match_indices("password") {
                let bytes = text.as_bytes();
                let name = key::range(bytes, &(start..start + word.len()));
                let found = look(bytes, &name);
                let seen = found.seen.start..found.seen.end.min(text.len());
                prop_assert!(name.start < BEFORE + seen.start + 300 && seen.end <= name.end + AFTER + 16);
                let shown = |look: Look, text: &[u8], moved: usize| {
                    let shown = |one: Reading| (one.value.start + moved, part(text, one.value).to_vec());
                    look.column.map(|column| column.readings(text).into_iter().map(shown).collect::<Vec<_>>())
                };
                let here = shown(found, bytes, 0);
                // With other text around what was seen, it is the same.
                if seen.end < text.len() {
                    let mut other = bytes[..seen.end].to_vec();
                    other.extend_from_slice(b"\n'),(x");
                    prop_assert_eq!(&shown(look(&other, &name), &other, 0), &here, "{} | {}", text, seen.end);
                }
                if seen.start > 0 {
                    let before = b"zz(,\n\n";
                    let mut other = before.to_vec();
                    other.extend_from_slice(&bytes[seen.start..]);
                    let (more, less) = (before.len(), seen.start);
                    let name = name.start + more - less..name.end + more - less;
                    let there = shown(look(&other, &name), &other, less);
                    let there = there.map(|all| all.into_iter().map(|(at, value)| (at - more, value)).collect::<Vec<_>>());
                    prop_assert_eq!(&there, &here, "{} | {}", text, seen.start);
                }
            }
        }
    }
}
