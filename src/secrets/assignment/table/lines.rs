//! Tables whose rows are lines: CSV and TSV, and rows between bars.

use super::super::{at, before, form::line_of, part};
use super::{COLUMNS, Column, MOST, Sight, bare};
use std::ops::Range;

/// Longest head of a column.
const HEAD: usize = 48;
/// Most bytes of the line above that are looked at.
const ABOVE: usize = 40;

/// The column of CSV or TSV whose head has the name.
pub(super) fn separated(sight: &mut Sight<'_>, name: &Range<usize>, mark: u8) -> Option<Column> {
    let text = sight.text;
    let line = whole_line(sight, name)?;
    let first = begins(text, line.start);
    let content = part(text, line.clone());
    // In running text and in code, lists have blanks behind their commas, or one comma at the end.
    let is_list = || {
        let spaced = mark != b'\t' && content.windows(2).any(|pair| pair == [mark, b' ']);
        spaced || content.last() == Some(&mark)
    };
    if (!first || mark == b'|') && is_list() {
        return None;
    }
    let is_text = |byte: &u8| {
        byte.is_ascii_alphanumeric() || *byte >= 0x80 || b" _-./#?*()@\"'\t".contains(byte)
    };
    if !content.iter().all(|byte| is_text(byte) || *byte == mark) {
        return None;
    }
    let heads = cells(text, line.clone(), mark)?;
    if !(2..=COLUMNS).contains(&heads.len()) || heads.iter().any(|head| head.len() > HEAD) {
        return None;
    }
    if !first && !follows_heading(sight, line.start) {
        return None;
    }
    let index = heads.iter().position(|cell| cell.end == name.end)?;
    let mut found = Vec::new();
    let mut place = line.end;
    while found.len() <= MOST {
        let Some(row) = next_line(sight, place) else {
            break;
        };
        place = row.end;
        let fits = cells(text, row, mark).filter(|row| row.len() == heads.len());
        match fits.and_then(|row| row.get(index).cloned()) {
            Some(cell) => found.push(cell),
            // What does not begin as a table is none.
            None if found.is_empty() => return None,
            None => break,
        }
    }
    Column::new(text, heads.get(index)?.clone(), found, &heads)
}

/// The column between bars whose head has the name: a line of dashes follows that of the heads.
pub(super) fn barred(sight: &mut Sight<'_>, name: &Range<usize>) -> Option<Column> {
    let text = sight.text;
    let line = whole_line(sight, name)?;
    let below = next_line(sight, line.end)?;
    if !is_rule(part(text, below.clone())) {
        return None;
    }
    let heads = between_bars(text, line);
    let is_index = |cell: &Range<usize>| cell.start <= name.start && name.end <= cell.end;
    let index = heads.iter().position(is_index)?;
    let ends_with_name = heads.get(index)?.end == name.end && heads.len() <= COLUMNS;
    let mut found = Vec::new();
    let mut place = below.end;
    while ends_with_name && found.len() <= MOST {
        let Some(row) = next_line(sight, place) else {
            break;
        };
        place = row.end;
        let line = part(text, row.clone());
        if is_rule(line) {
            continue;
        }
        if memchr::memchr(b'|', line).is_none() {
            break;
        }
        let row = between_bars(text, row);
        if row.len() == heads.len() {
            found.extend(row.get(index).cloned());
        }
    }
    Column::new(text, heads.get(index)?.clone(), found, &heads)
}

/// The value in the second of two cells between bars, where the first is the name: `| Password | value |`.
pub(super) fn entry(sight: &mut Sight<'_>, name: &Range<usize>) -> Option<Column> {
    let text = sight.text;
    let line = whole_line(sight, name)?;
    let (b'|', b'|') = (
        at(text, line.start),
        before(text, super::trim(text, line.clone()).end),
    ) else {
        return None;
    };
    let cells = between_bars(text, line);
    let [head, value] = cells.as_slice() else {
        return None;
    };
    let is_name = head.end == name.end && head.start <= name.start;
    let plain = !part(text, value.clone()).contains(&b' ');
    (is_name && plain)
        .then(|| {
            Column::new(
                text,
                head.clone(),
                vec![value.clone()],
                std::slice::from_ref(head),
            )
        })
        .flatten()
}

/// The line of the head, where all of it is in sight.
fn whole_line(sight: &mut Sight<'_>, name: &Range<usize>) -> Option<Range<usize>> {
    let line = line_of(sight.text, name);
    sight.saw(line.start.saturating_sub(1));
    sight.saw(line.end + 1);
    let begins = line.start == 0 || before(sight.text, line.start) == b'\n';
    let ends = matches!(at(sight.text, line.end), b'\n' | b'\r');
    (begins && ends).then_some(line)
}

/// Whether a text begins at `start`, be it behind a mark of UTF-8.
fn begins(text: &[u8], start: usize) -> bool {
    start == 0 || (start == 3 && text.starts_with(b"\xef\xbb\xbf"))
}

/// Whether the line before `start` is one that a table may follow: an empty one, the opening of a block, a comment.
fn follows_heading(sight: &mut Sight<'_>, start: usize) -> bool {
    let end = start.saturating_sub(1);
    let floor = end.saturating_sub(ABOVE);
    sight.saw(floor.saturating_sub(1));
    let above = part(sight.text, floor..end);
    let above = match memchr::memrchr(b'\n', above) {
        Some(at) => above.get(at + 1..).unwrap_or_default(),
        // Longer than is looked at, or the first of the text.
        None if floor > 0 => return false,
        None => above,
    };
    let above = above.trim_ascii();
    above.is_empty()
        || [&b"```"[..], b"#", b"--", b"sep="]
            .iter()
            .any(|start| above.starts_with(start))
}

/// The line behind the one that ends at `end`; `None` where the text ends, the line is empty or goes on beyond what is read.
fn next_line(sight: &mut Sight<'_>, end: usize) -> Option<Range<usize>> {
    let text = sight.text;
    let start = end + usize::from(at(text, end) == b'\r') + 1;
    let rest = part(text, start..sight.limit.max(start));
    let length = memchr::memchr(b'\n', rest);
    let stop = start + length.unwrap_or(rest.len());
    sight.saw(stop);
    if length.is_none() && stop < text.len() {
        return None;
    }
    let line = start..stop - usize::from(stop > start && before(text, stop) == b'\r');
    let said = part(text, line.clone()).trim_ascii();
    (!said.is_empty() && !said.starts_with(b"```")).then_some(line)
}

/// The cells of a line, without blanks and quotes around them; `None` where a quote is left open.
pub(super) fn cells(text: &[u8], line: Range<usize>, mark: u8) -> Option<Vec<Range<usize>>> {
    let mut out = Vec::new();
    let mut start = line.start;
    let mut place = start;
    while place <= line.end {
        if place == line.end || at(text, place) == mark {
            out.push(bare(text, start..place));
            start = place + 1;
        } else if at(text, place) == b'"' && part(text, start..place).trim_ascii().is_empty() {
            place = closing(text, place, line.end)?;
        }
        place += 1;
    }
    Some(out)
}

/// Where the quote that opens at `open` closes; two in a row stand for one.
fn closing(text: &[u8], open: usize, end: usize) -> Option<usize> {
    let mut place = open + 1;
    loop {
        place += memchr::memchr(b'"', part(text, place..end))?;
        if place + 1 >= end || at(text, place + 1) != b'"' {
            return Some(place);
        }
        place += 2;
    }
}

/// Whether a line is the one between heads and rows.
fn is_rule(line: &[u8]) -> bool {
    let line = line.trim_ascii();
    let dashes = memchr::memchr_iter(b'-', line).take(3).count();
    dashes == 3
        && line
            .iter()
            .all(|byte| matches!(byte, b'|' | b'-' | b'+' | b':' | b' '))
}

/// The cells between the bars of a line, without what shows them bold or as code.
fn between_bars(text: &[u8], line: Range<usize>) -> Vec<Range<usize>> {
    let mut line = super::trim(text, line);
    line.start += usize::from(at(text, line.start) == b'|');
    line.end -= usize::from(line.end > line.start && before(text, line.end) == b'|');
    let mut out = Vec::new();
    let mut start = line.start;
    for place in line.start..=line.end {
        let is_bar = at(text, place) == b'|' && before(text, place) != b'\\';
        if place == line.end || is_bar {
            out.push(plain(text, start..place));
            start = place + 1;
        }
    }
    out
}

/// A cell without blanks, quotes and stars around it.
fn plain(text: &[u8], cell: Range<usize>) -> Range<usize> {
    let mut cell = bare(text, cell);
    while let [b'*', _, .., b'*'] = part(text, cell.clone()) {
        cell = cell.start + 1..cell.end - 1;
    }
    bare(text, cell)
}

#[cfg(test)]
mod tests {
    use super::super::tests::column;

    #[test]
    fn columns_of_lines_are_read() {
        for (text, expected) in [
            ("user,password\na,p1\nb,\"p,2\"\n", "p1 p,2"),
            (
                "\u{feff}user;password;role\r\na;p1;x\r\nb;p2;y\r\n",
                "p1 p2",
            ),
            ("user\tpassword\na\tp1", "p1"),
            ("\"user\",\"password\"\n\"a\",\"p1\"\n\"b\",\"\"\n", "p1 "),
            ("password|user\np1|a\n", "p1"),
            (
                "a report\n\nuser,password,x\na,p1,1\nb,p2,2\n\nc,p3,3",
                "p1 p2",
            ),
            ("```\nuser,password\na,p1\n```\nb,p2\n", "p1"),
            ("# comment\npassword,user\np1,a\n", "p1"),
            (
                "| user | **Password** |\n|------|:--------:|\n| a | `p1` |\n| b | p2 |\nend",
                "p1 p2",
            ),
            (
                " id | password \n----+----------\n  1 | p1\n(1 row)\n",
                "p1",
            ),
            (
                "+--+----------+\n|id| password |\n+--+----------+\n|1 | p1       |\n+--+----------+\n",
                "p1",
            ),
            ("User name,Password,Access key ID\na,p1,k\n", "p1"),
            ("id,the password\n1,p1\n", "p1"),
            ("\"id\",\"the password\"\n\"1\",\"p1\"\n", "p1"),
            ("| Host | x |\n| **Password** | `p1` |\n", "p1"),
        ] {
            assert_eq!(column(text, "assword"), Some(expected.to_owned()), "{text}");
        }
        for text in [
            "user,password\n",
            "password\np1\n",
            "f(user,password)\na,b\n",
            "x\nuser,password\na,p1\n",
            "x\n\nuser, password\na, p1\n",
            "user,password\na\n",
            "user,password\n\na,p1\n",
            "user,password,salt\na,p1,s\n",
            "user | password\na | b\n",
            "let x = user | password |\n",
            "| password | the one of x |\n",
            "| x | password |\n",
            "| password | a | b |\n",
        ] {
            assert_eq!(column(text, "assword"), None, "{text}");
        }
    }
}
