//! Rows that somebody chose, with the titles of their columns, as CSV or Markdown.

use super::cells::guarded;
use super::{ReportError, text};
use csv::{Terminator, WriterBuilder};
use std::io::Write;

/// Writes rows as CSV: RFC 4180 with CRLF, and nothing that a spreadsheet takes for a formula.
///
/// # Errors
/// When the output refuses.
pub fn csv(
    titles: &[String],
    rows: &[Vec<String>],
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .from_writer(out);
    writer.write_record(titles)?;
    for row in rows {
        for cell in row {
            writer.write_field(guarded(cell).as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(writer.flush()?)
}

/// Writes rows as a table in Markdown.
///
/// # Errors
/// When the output refuses.
pub fn markdown(
    titles: &[String],
    rows: &[Vec<String>],
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|cell| text::markdown(cell)).collect();
        format!("| {} |", cells.join(" | "))
    };
    writeln!(out, "{}", line(titles))?;
    writeln!(out, "|{}", "---|".repeat(titles.len()))?;
    for row in rows {
        writeln!(out, "{}", line(row))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stay_cells() {
        let titles = ["id".to_owned(), "what".to_owned()];
        let rows = [vec![
            "f-1".to_owned(),
            "=HYPERLINK(\"x\")|\nnext".to_owned(),
        ]];
        let mut out = Vec::new();
        csv(&titles, &rows, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "id,what\r\nf-1,\"'=HYPERLINK(\"\"x\"\")| next\"\r\n");
        let mut out = Vec::new();
        markdown(&titles, &rows, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.lines().count(), 3);
        assert!(text.ends_with("\\| next |\n"), "{text}");
    }
}
