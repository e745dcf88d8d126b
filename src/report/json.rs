//! `report.json`: the whole report, for programs. Its schema is `reports/schema/report.v1.schema.json`.

use super::{Emitter, ReportError, lines};
use crate::model::Report;
use std::io::{BufWriter, Write};

/// Depth of what has a line of its own: the entries of lists.
const LISTS: usize = 2;

/// Writes `report.json`.
pub(super) struct Json;

impl Emitter for Json {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        let mut out = BufWriter::new(out);
        lines::write(&mut out, report, LISTS)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }
}
