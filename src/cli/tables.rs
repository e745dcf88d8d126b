//! Small tables for programs.

use super::exit::Failure;
use anyhow::Context as _;

/// Rows as CSV, with the guard against formulas that every CSV of this program has.
pub(super) fn csv<const N: usize>(
    header: &[&str; N],
    rows: Vec<[String; N]>,
) -> Result<String, Failure> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(header).context("writing CSV")?;
    for row in rows {
        let cells = row.map(|cell| {
            let text = crate::report::text::line(&cell).into_owned();
            if text.starts_with(['=', '+', '-', '@']) && text.parse::<f64>().is_err() {
                format!("'{text}")
            } else {
                text
            }
        });
        writer.write_record(&cells).context("writing CSV")?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| anyhow::anyhow!("writing CSV: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
