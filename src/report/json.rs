//! `report.json`: the whole report, for programs. Its schema is `reports/schema/report.v1.schema.json`.

use super::{Emitter, ReportError};
use crate::model::Report;
use std::io::{BufWriter, Write};

/// Writes `report.json`.
pub(super) struct Json;

impl Emitter for Json {
    fn emit(&self, report: &Report, out: &mut dyn Write) -> Result<(), ReportError> {
        let mut out = BufWriter::new(out);
        serde_json::to_writer_pretty(&mut out, report)?;
        out.write_all(b"\n")?;
        Ok(out.flush()?)
    }
}
