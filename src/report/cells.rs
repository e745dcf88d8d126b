//! One way to write a CSV cell, so that no column forgets what a spreadsheet does with it.
//!
//! RFC 4180 with CRLF; the header is always there. Empty is unknown. Times are RFC 3339 in UTC, truth is `true` or
//! `false`, lists are joined with `;`. Text is on one line and never begins as a formula.

use super::{Options, ReportError, text};
use crate::model::{LastUse, Ternary};
use csv::{QuoteStyle, Terminator, WriterBuilder};
use jiff::Timestamp;
use std::borrow::Cow;
use std::io::Write;

/// Version of the columns; columns are only ever added, at the end.
pub(super) const SCHEMA_VERSION: i64 = 1;

/// What a cell holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    /// Unknown, or not applicable.
    Empty,
    /// Words from outside.
    Text(Cow<'a, str>),
    /// A whole number.
    Whole(i64),
    /// A number with up to two decimals.
    Decimal(f64),
    /// Yes or no.
    Truth(bool),
    /// A point in time.
    Time(Timestamp),
}

impl<'a> Cell<'a> {
    /// Text; empty text is an empty cell.
    pub(super) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        let text = text.into();
        if text.is_empty() {
            Self::Empty
        } else {
            Self::Text(text)
        }
    }

    /// A list joined with `;`; the sign is replaced inside the entries.
    pub(super) fn list<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> Self {
        let mut list = String::new();
        for (at, entry) in entries.into_iter().enumerate() {
            if at > 0 {
                list.push(';');
            }
            for (at, plain) in entry.as_ref().split(';').enumerate() {
                if at > 0 {
                    list.push(',');
                }
                list.push_str(plain);
            }
        }
        Self::text(list)
    }

    /// Something that may be unknown.
    pub(super) fn maybe<T>(value: Option<T>, cell: impl FnOnce(T) -> Self) -> Self {
        value.map_or(Self::Empty, cell)
    }

    /// A length or count.
    pub(super) fn count(length: usize) -> Self {
        Self::Whole(i64::try_from(length).unwrap_or(i64::MAX))
    }

    /// Seconds.
    pub(super) fn seconds(seconds: Option<u64>) -> Self {
        Self::maybe(seconds, |value| {
            Self::Whole(i64::try_from(value).unwrap_or(i64::MAX))
        })
    }

    /// Last use: a time, `never since <date>` where the provider proves it, empty where nobody knows.
    pub(super) fn last_use(last_use: LastUse) -> Self {
        match last_use {
            LastUse::Unknown => Self::Empty,
            LastUse::NeverSince(since) => {
                Self::text(format!("never since {}", since.strftime("%Y-%m-%d")))
            }
            LastUse::At(at) => Self::Time(at),
        }
    }

    /// `yes`, `no`, or empty.
    pub(super) fn ternary(value: Ternary) -> Self {
        match value {
            Ternary::Unknown => Self::Empty,
            known => Self::text(known.as_str()),
        }
    }

    /// The cell as it is written.
    fn render(&self, raw: bool) -> Cow<'_, str> {
        match self {
            Self::Empty => "".into(),
            Self::Text(text) if raw => text.as_ref().into(),
            Self::Text(text) => guarded(text),
            Self::Whole(number) => number.to_string().into(),
            Self::Decimal(number) => decimal(*number).into(),
            Self::Truth(true) => "true".into(),
            Self::Truth(false) => "false".into(),
            Self::Time(time) => time.to_string().into(),
        }
    }
}

/// Text a spreadsheet takes for text: one line, and an apostrophe before what would begin a formula.
pub(super) fn guarded(text: &str) -> Cow<'_, str> {
    let line = text::line(text);
    let formula = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    let at_once = text.starts_with(|c| formula(c) || matches!(c, '\t' | '\r' | '\n'));
    // Some programs trim a cell before they look at it.
    if at_once || line.trim_start().starts_with(formula) {
        format!("'{line}").into()
    } else {
        line
    }
}

fn decimal(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// One column: its name, what it holds, and how a row gives it.
pub struct Column<Row> {
    /// Name in the header.
    pub name: &'static str,
    /// What it holds, as `reports/FORMATS.md` says it.
    pub doc: &'static str,
    pub(super) cell: fn(&Row) -> Cell<'_>,
}

/// Declares the function that gives the columns of a table of `Row`s: of each its name, what it holds, and its cell.
macro_rules! columns {
    (@name $name:ident) => { stringify!($name) };
    (@name $name:literal) => { $name };
    ($(#[$about:meta])* $list:ident: $($name:tt: $doc:literal => $cell:expr;)+) => {
        $(#[$about])*
        pub fn $list<'a>() -> Vec<Column<Row<'a>>> {
            vec![$(Column { name: columns!(@name $name), doc: $doc, cell: $cell },)+]
        }
    };
}
pub(super) use columns;

/// Writes a table.
pub(super) fn write<Row>(
    columns: &[Column<Row>],
    rows: &[Row],
    options: Options,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    if options.csv_bom {
        out.write_all(b"\xef\xbb\xbf")?;
    }
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(out);
    writer.write_record(columns.iter().map(|column| column.name))?;
    for row in rows {
        for column in columns {
            let cell = (column.cell)(row);
            writer.write_field(cell.render(options.csv_raw).as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_shown_and_not_run() {
        for text in [
            "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "＝1",
        ] {
            let cell = guarded(text);
            assert!(cell.starts_with('\''), "{text:?} became {cell:?}");
        }
        assert_eq!(guarded("a=1"), "a=1");
        assert_eq!(guarded("two\nlines"), "two lines");
    }

    #[test]
    fn cells_are_written_by_type() {
        let at: Timestamp = "2026-11-01T08:00:00Z".parse().unwrap();
        let cells = [
            (Cell::Whole(-5), "-5"),
            (Cell::Decimal(39_552.0), "39552"),
            (Cell::Decimal(0.256), "0.26"),
            (Cell::Truth(true), "true"),
            (Cell::Time(at), "2026-11-01T08:00:00Z"),
            (
                Cell::last_use(LastUse::NeverSince(at)),
                "never since 2026-11-01",
            ),
            (Cell::last_use(LastUse::Unknown), ""),
            (Cell::list(["a;b", "c"]), "a,b;c"),
            (Cell::text(""), ""),
            (Cell::ternary(Ternary::Unknown), ""),
            (Cell::ternary(Ternary::No), "no"),
        ];
        for (cell, text) in cells {
            assert_eq!(cell.render(false), text);
        }
        assert_eq!(Cell::text("=1\n").render(true), "=1\n");
    }

    #[test]
    fn the_header_is_there_without_rows() {
        let columns: [Column<()>; 2] = [
            Column {
                name: "a",
                doc: "",
                cell: |()| Cell::Empty,
            },
            Column {
                name: "b",
                doc: "",
                cell: |()| Cell::text("x, \"y\""),
            },
        ];
        let mut out = Vec::new();
        write(&columns, &[], Options::default(), &mut out).unwrap();
        assert_eq!(out, b"a,b\r\n");
        out.clear();
        let options = Options {
            csv_bom: true,
            ..Options::default()
        };
        write(&columns, &[()], options, &mut out).unwrap();
        assert_eq!(out, b"\xef\xbb\xbfa,b\r\n,\"x, \"\"y\"\"\"\r\n");
    }

    proptest! {
        #[test]
        fn every_text_reads_back_on_one_line_and_harmless(text in any::<String>()) {
            let columns: [Column<String>; 2] = [
                Column { name: "a", doc: "", cell: |row| Cell::text(row.clone()) },
                Column { name: "b", doc: "", cell: |_| Cell::Truth(true) },
            ];
            let mut out = Vec::new();
            write(&columns, std::slice::from_ref(&text), Options::default(), &mut out).unwrap();
            let mut reader = csv::Reader::from_reader(out.as_slice());
            let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
            prop_assert_eq!(rows.len(), 1);
            let cell = &rows[0][0];
            prop_assert!(!cell.starts_with(['=', '+', '-', '@']));
            prop_assert!(!cell.contains(char::is_control));
            prop_assert_eq!(&rows[0][1], "true");
        }
    }
}
