//! Rows of SQL: what is inserted, and what PostgreSQL copies in.

use super::super::{at, before, key, part};
use super::lines::cells;
use super::{BEFORE, COLUMNS, Column, MOST, Sight, behind_quote, is_name, trim};
use std::ops::Range;

/// Most bytes of the name of a table.
const NAME: usize = 130;

/// The column whose head is a name in a list of columns: `INSERT INTO t (a, name) VALUES (…)`, `COPY t (a, name) FROM stdin`.
pub(super) fn listed(sight: &mut Sight<'_>, name: &Range<usize>) -> Option<Column> {
    let text = sight.text;
    let (open, mut heads) = opening(sight, name)?;
    let (word, _) = statement(sight, open)?;
    let word = part(text, word);
    let copies = word.eq_ignore_ascii_case(b"copy");
    let inserts = [&b"into"[..], b"insert", b"table"];
    if !copies && !inserts.iter().any(|one| word.eq_ignore_ascii_case(one)) {
        return None;
    }
    let index = heads.len();
    heads.push(name.clone());
    let mut close = closing(sight, name, &mut heads)?;
    close = sight.skip(close);
    if heads.len() > COLUMNS {
        return None;
    }
    let cells = if copies {
        copied(sight, close, index, heads.len())
    } else {
        let values =
            keyword(sight, close, b"values").or_else(|| keyword(sight, close, b"value"))?;
        rows(sight, values, index, Some(heads.len()), Vec::new())
    };
    Column::new(text, name.clone(), cells, &heads)
}

/// The column that `CREATE TABLE t (a INT, name VARCHAR(9), …)` declares, of whose type something stands at `kind`: the values of
/// `INSERT INTO t VALUES (…)` below.
pub(super) fn declared(sight: &mut Sight<'_>, name: &Range<usize>, kind: usize) -> Option<Column> {
    const TYPES: [&[u8]; 7] = [
        b"varchar",
        b"char",
        b"text",
        b"nvarchar",
        b"tinytext",
        b"character",
        b"string",
    ];
    let text = sight.text;
    let first = at(text, kind).to_ascii_lowercase();
    if !matches!(first, b'v' | b'c' | b't' | b'n' | b's') {
        return None;
    }
    let word = part(text, kind..text.len().min(kind + 12));
    let length = word.iter().take_while(|byte| byte.is_ascii_alphabetic());
    let word = part(word, 0..length.count());
    sight.saw(kind + word.len());
    if !TYPES.iter().any(|one| word.eq_ignore_ascii_case(one)) {
        return None;
    }
    let (open, mut heads) = above(sight, name)?;
    let (word, table) = statement(sight, open)?;
    let word = part(text, word);
    if !word.eq_ignore_ascii_case(b"table") && !word.eq_ignore_ascii_case(b"exists") {
        return None;
    }
    let table = last_name(part(text, table));
    let index = heads.len();
    heads.push(name.clone());
    let mut cells = Vec::new();
    let mut place = name.end;
    let finder = |place: usize| {
        let rest = part(text, place..sight.limit);
        let into = memchr::memmem::find(rest, b"INTO ");
        let into = into.or_else(|| memchr::memmem::find(rest, b"into "))?;
        Some(place + into + b"INTO ".len())
    };
    let mut starts = Vec::new();
    while let Some(start) = finder(place) {
        starts.push(start);
        place = start;
    }
    for start in starts {
        if cells.len() > MOST {
            break;
        }
        let end = start
            + part(text, start..sight.limit)
                .iter()
                .take(NAME)
                .take_while(|byte| !byte.is_ascii_whitespace() && **byte != b'(')
                .count();
        if !last_name(part(text, start..end)).eq_ignore_ascii_case(table) {
            continue;
        }
        let behind = sight.skip(end);
        if let Some(values) = keyword(sight, behind, b"values") {
            cells = rows(sight, values, index, None, cells);
        }
    }
    // It goes on to look for more.
    let limit = sight.limit;
    sight.saw(limit);
    Column::new(text, name.clone(), cells, &heads)
}

/// Where the list opens that a name is in, and the names before it.
fn opening(sight: &mut Sight<'_>, name: &Range<usize>) -> Option<(usize, Vec<Range<usize>>)> {
    let text = sight.text;
    let floor = name.start.saturating_sub(BEFORE);
    let mut place = behind_quote(text, name.start);
    let mut heads = Vec::new();
    loop {
        place = sight.skip_back(place, floor);
        match before(text, place) {
            b'(' => {
                heads.reverse();
                return Some((place - 1, heads));
            }
            b',' => place -= 1,
            _ => return None,
        }
        place = sight.skip_back(place, floor);
        let quoted = matches!(before(text, place), b'"' | b'`' | b']');
        let end = place - usize::from(quoted);
        let mut start = end;
        while start > floor && is_name(before(text, start)) {
            start -= 1;
        }
        sight.saw(start.saturating_sub(1));
        if start == end || place <= floor {
            return None;
        }
        heads.push(start..end);
        place = if quoted {
            behind_quote(text, start)
        } else {
            start
        };
    }
}

/// The last word of a statement before the name of its table, and that name; the list of columns opens at `open`.
fn statement(sight: &mut Sight<'_>, open: usize) -> Option<(Range<usize>, Range<usize>)> {
    let text = sight.text;
    let floor = open.saturating_sub(NAME + 40);
    let end = sight.skip_back(open, floor);
    let mut start = end;
    let is_part = |byte: u8| is_name(byte) || matches!(byte, b'"' | b'`' | b'[' | b']' | b'-');
    while start > floor && is_part(before(text, start)) {
        start -= 1;
    }
    let stop = sight.skip_back(start, floor);
    let letters = part(text, stop.saturating_sub(7)..stop);
    let count = letters
        .iter()
        .rev()
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    sight.saw(stop.saturating_sub(8));
    (stop < start && start < end).then_some((stop - count..stop, start..end))
}

/// The name of a table without those of its schema and without quotes.
fn last_name(name: &[u8]) -> &[u8] {
    let name = name.trim_ascii();
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or(name);
    let quote = |byte: &u8| matches!(byte, b'"' | b'`' | b'[' | b']');
    let start = last.iter().take_while(|byte| quote(byte)).count();
    let end = last.iter().rev().take_while(|byte| quote(byte)).count();
    part(last, start..last.len().saturating_sub(end))
}

/// One past the end of the list that a name is in; the names behind it are added to `heads`.
fn closing(
    sight: &mut Sight<'_>,
    name: &Range<usize>,
    heads: &mut Vec<Range<usize>>,
) -> Option<usize> {
    let text = sight.text;
    let end = sight.limit.min(name.end + BEFORE);
    let mut place = name.end;
    let mut start = None;
    while place < end {
        match at(text, place) {
            byte @ (b',' | b')') => {
                if let Some(start) = start.take() {
                    heads.push(trim(text, start..place));
                }
                if byte == b')' {
                    sight.saw(place + 1);
                    return Some(place + 1);
                }
                start = Some(place + 1);
            }
            byte if is_name(byte)
                || byte.is_ascii_whitespace()
                || matches!(byte, b'"' | b'`' | b'[' | b']') => {}
            _ => break,
        }
        place += 1;
    }
    sight.saw(place);
    None
}

/// Where the list of declarations opens that a name is in, and the names that are declared before it.
fn above(sight: &mut Sight<'_>, name: &Range<usize>) -> Option<(usize, Vec<Range<usize>>)> {
    let text = sight.text;
    let floor = name.start.saturating_sub(BEFORE);
    let mut depth = 0_usize;
    let mut commas = Vec::new();
    let mut place = behind_quote(text, name.start);
    let open = loop {
        if place <= floor {
            break None;
        }
        place -= 1;
        match at(text, place) {
            b')' => depth += 1,
            b'(' if depth == 0 => break Some(place),
            b'(' => depth -= 1,
            b',' if depth == 0 => commas.push(place),
            b';' | b'{' | b'}' => break None,
            b'\'' => {
                let head = part(text, floor..place);
                match memchr::memrchr(b'\'', head) {
                    Some(open) => place = floor + open,
                    None => break None,
                }
            }
            _ => {}
        }
    };
    sight.saw(place.saturating_sub(1));
    let open = open?;
    commas.push(open);
    commas.reverse();
    // The name itself is behind the last.
    let last = commas.pop()?;
    let quoted = trim(text, last + 1..name.end);
    if quoted.start != behind_quote(text, name.start) {
        return None;
    }
    let heads = commas.into_iter().map(|comma| {
        let start = trim(text, comma + 1..name.start).start;
        start..key::end_of(text, start)
    });
    Some((open, heads.collect()))
}

/// One past a word, where it stands at `index` in any letter case.
fn keyword(sight: &mut Sight<'_>, index: usize, word: &[u8]) -> Option<usize> {
    let end = index + word.len();
    sight.saw(end);
    let stands =
        part(sight.text, index..end).eq_ignore_ascii_case(word) && !is_name(at(sight.text, end));
    stands.then_some(end)
}

/// The cells of the column at `index` in the rows from `place` on, added to those that are known. Rows of another number of
/// columns are left out.
fn rows(
    sight: &mut Sight<'_>,
    mut place: usize,
    index: usize,
    columns: Option<usize>,
    mut cells: Vec<Range<usize>>,
) -> Vec<Range<usize>> {
    let text = sight.text;
    while cells.len() <= MOST {
        place = sight.skip(place);
        if at(text, place) != b'(' {
            break;
        }
        let row = tuple(text, place + 1, sight.limit);
        let Some((row, end)) = row else {
            let limit = sight.limit;
            sight.saw(limit);
            break;
        };
        if columns.is_none_or(|columns| columns == row.len()) {
            let cell = row.get(index).and_then(|cell| literal(text, cell.clone()));
            cells.extend(cell);
        }
        place = sight.skip(end);
        if at(text, place) != b',' {
            break;
        }
        place += 1;
    }
    cells
}

/// The values of a row that begins behind its parenthesis, and one past the one that closes it; `None` where that is beyond `limit`.
fn tuple(text: &[u8], start: usize, limit: usize) -> Option<(Vec<Range<usize>>, usize)> {
    let mut out = Vec::new();
    let (mut from, mut place, mut depth) = (start, start, 0_usize);
    while place < limit {
        match at(text, place) {
            quote @ (b'\'' | b'"' | b'`') => place = end_of_text(text, place, limit, quote)?,
            b'(' => depth += 1,
            b')' if depth == 0 => {
                out.push(trim(text, from..place));
                return Some((out, place + 1));
            }
            b')' => depth -= 1,
            b',' if depth == 0 => {
                out.push(trim(text, from..place));
                from = place + 1;
            }
            _ => {}
        }
        place += 1;
    }
    None
}

/// Where the text closes that opens at `open`: two quotes in a row, or one behind a backslash, belong to it.
fn end_of_text(text: &[u8], open: usize, limit: usize, quote: u8) -> Option<usize> {
    let mut place = open + 1;
    while place < limit {
        match at(text, place) {
            b'\\' => place += 1,
            byte if byte == quote && at(text, place + 1) == quote => place += 1,
            byte if byte == quote => return Some(place),
            _ => {}
        }
        place += 1;
    }
    None
}

/// The text of a value: `'…'`, `N'…'`, `'…'::text`, `md5('…')`.
fn literal(text: &[u8], value: Range<usize>) -> Option<Range<usize>> {
    const HASHES: [&[u8]; 8] = [
        b"password",
        b"old_password",
        b"md5",
        b"sha",
        b"sha1",
        b"sha2",
        b"crypt",
        b"encrypt",
    ];
    let own = part(text, value.clone());
    let open = memchr::memchr2(b'\'', b'"', own)?;
    let head = part(own, 0..open).trim_ascii().to_ascii_lowercase();
    let is_prefix = matches!(
        head.as_slice(),
        b"" | b"n" | b"e" | b"u&" | b"_utf8" | b"_utf8mb4" | b"_binary"
    );
    let is_hashed = head
        .strip_suffix(b"(")
        .is_some_and(|name| HASHES.contains(&name.trim_ascii()));
    let start = value.start + open;
    let close = end_of_text(text, start, value.end, at(text, start))?;
    let rest = part(text, close + 1..value.end);
    let ends = rest.is_empty() || rest.starts_with(b"::") || is_hashed;
    ((is_prefix || is_hashed) && ends).then_some(start + 1..close)
}

/// The cells of the rows that PostgreSQL copies in: lines behind the statement, with tabs between the cells.
fn copied(sight: &mut Sight<'_>, place: usize, index: usize, columns: usize) -> Vec<Range<usize>> {
    let text = sight.text;
    let mut out = Vec::new();
    let rest = part(text, place..sight.limit);
    let line = memchr::memchr(b'\n', rest);
    sight.saw(place + line.unwrap_or(rest.len()));
    let Some(line) = line else { return out };
    let options = part(rest, 0..line).to_ascii_lowercase();
    if !options.starts_with(b"from stdin") {
        return out;
    }
    let is_csv = memchr::memmem::find(&options, b"csv").is_some();
    let mut start = place + line + 1;
    while out.len() <= MOST {
        let rest = part(text, start..sight.limit);
        let length = memchr::memchr(b'\n', rest);
        sight.saw(start + length.unwrap_or(rest.len()));
        let Some(length) = length else { break };
        let row = part(rest, 0..length);
        let row = row.strip_suffix(b"\r").unwrap_or(row);
        if row.starts_with(b"\\.") || row.is_empty() {
            break;
        }
        let line = start..start + row.len();
        let cells = if is_csv {
            cells(text, line, b',')
        } else {
            Some(tabbed(text, line))
        };
        let fits = cells.filter(|cells| cells.len() == columns);
        let cell = fits.and_then(|cells| cells.get(index).cloned());
        out.extend(cell.filter(|cell| part(text, cell.clone()) != b"\\N"));
        start += length + 1;
    }
    out
}

/// The cells of a line that tabs are between.
fn tabbed(text: &[u8], line: Range<usize>) -> Vec<Range<usize>> {
    let mut start = line.start;
    let cells = part(text, line).split(|byte| *byte == b'\t');
    cells
        .map(|cell| {
            let from = start;
            start += cell.len() + 1;
            trim(text, from..from + cell.len())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::column;

    #[test]
    fn columns_of_rows_of_sql_are_read() {
        for (text, expected) in [
            (
                "INSERT INTO users (id, password) VALUES (1, 'p1'), (2, 'p2');",
                "p1 p2",
            ),
            (
                "insert into `db`.`users`(`id`,`password`,`x`)\nvalues\n  (1,'p''1',NULL),\n  (2,NULL,'x'),\n  (3, 'p\\'3', f(1, 2));",
                "p''1 p\\'3",
            ),
            (
                "INSERT INTO [dbo].[users]\n(\n  [id],\n  [password]\n)\nVALUES\n(\n  1,\n  N'p1'\n)\n",
                "p1",
            ),
            ("REPLACE INTO u (password) VALUE ('{noop}p1')", "p1"),
            (
                "INSERT INTO u (a, password) VALUES (1, MD5('p1')), (1, 'p2'::text), (1, concat('p3'))",
                "p1 p2",
            ),
            (
                "COPY public.users (id, password, x) FROM stdin;\n1\tp1\ty\n2\t\\N\ty\n3\tp3\tz\n\\.\n4\tp4\tz\n",
                "p1 p3",
            ),
            (
                "COPY u (id, password) FROM stdin WITH csv;\n\"1,2\",\"p,1\"\n2,p2\n",
                "p,1 p2",
            ),
            (
                "CREATE TABLE `u` (\n  `id` int(11) NOT NULL DEFAULT '1,(',\n  `x` decimal(10,2),\n  `password` varchar(60) DEFAULT NULL,\n  PRIMARY KEY (`id`)\n);\nINSERT INTO `v` VALUES (1,2,'no');\nINSERT INTO `u` VALUES (1,2,'p1'),(2,3,'p2');\n",
                "p1 p2",
            ),
            (
                "create table u (password text, id int); insert into u values ('p1', 1)",
                "p1",
            ),
            (
                "CREATE TABLE IF NOT EXISTS u(id INTEGER, password TEXT);\nINSERT INTO u VALUES(1,'p1');\nINSERT INTO u VALUES(2,'p2');\n",
                "p1 p2",
            ),
        ] {
            assert_eq!(
                column(text, "password"),
                Some(expected.to_owned()),
                "{text}"
            );
        }
        for text in [
            "SELECT f(id, password) VALUES (1, 'p1')",
            "INSERT INTO users (id, password) SELECT 1, 'p1'",
            "INSERT INTO users (f(id), password) VALUES (1, 'p1')",
            "INSERT INTO users (id, password, salt) VALUES (1, 'p1', 's1')",
            "INSERT INTO users (id, password) VALUES (1, 'p1'",
            "create table u (id int, password int); insert into u values (1, 'p1')",
            "COPY users (id, password) TO '/x'",
            "x (id, password)",
            "(id, password",
            "password)",
        ] {
            let found = column(text, "password").unwrap_or_default();
            assert_eq!(found, "", "{text}");
        }
    }
}
