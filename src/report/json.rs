//! `report.json`: the whole report, for programs. Its schema is `reports/schema/report.v1.schema.json`.

use super::{Emitter, ReportError, lines};
use crate::model::{Report, Written};
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

/// Writes `report.json` of a report whose entries are written already.
///
/// # Errors
/// When the output refuses.
pub fn write_with(
    report: &Report,
    written: &Written,
    out: &mut dyn Write,
) -> Result<(), ReportError> {
    let lists = [
        ("identities", &written.identities),
        ("credentials", &written.credentials),
        ("grants", &written.grants),
        ("consumers", &written.consumers),
        ("findings", &written.findings),
        ("assessments", &written.assessments),
        ("plan", &written.plan),
    ];
    let mut head = Vec::new();
    lines::write(&mut head, &report.head(), LISTS)?;
    let head = String::from_utf8_lossy(&head);
    let mut rest: &str = &head;
    let mut out = BufWriter::with_capacity(1 << 16, out);
    for (name, entries) in lists {
        // Only what is a field of the report itself stands on a line with one space before it.
        let empty = format!("\n \"{name}\": []");
        let Some((before, after)) = rest.split_once(&empty) else {
            continue;
        };
        out.write_all(before.as_bytes())?;
        rest = after;
        if entries.is_empty() {
            out.write_all(empty.as_bytes())?;
            continue;
        }
        out.write_all(empty.trim_end_matches(']').as_bytes())?;
        for (at, part) in entries.parts().iter().enumerate() {
            if at > 0 {
                out.write_all(b",")?;
            }
            out.write_all(part.lines())?;
        }
        out.write_all(b"\n ]")?;
    }
    out.write_all(rest.as_bytes())?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jit::fixtures::{World, access_key, job, now, user};
    use crate::model::{Coverage, CoverageStatus, Run};
    use crate::report::{ReportParts, assemble};

    #[test]
    fn entries_that_are_written_already_make_the_same_file() {
        let mut world = World::new("");
        for name in ["deployer", "\n \"findings\": []"] {
            let user = user(name);
            let key = access_key(&user);
            world.add_identity(user);
            world.add_credential(key);
            world.add_consumer(job(name));
        }
        let report = assemble(ReportParts {
            tool_version: "0".into(),
            run: Run {
                id: "run".into(),
                now: now(),
                inputs: vec!["\n \"plan\": []".into()],
                rules_digest: String::new(),
                policy_digest: String::new(),
                fingerprint_key: String::new(),
                complete: true,
            },
            coverage: vec![Coverage::new(
                "files",
                "\n \"identities\": []",
                CoverageStatus::Read,
                "",
            )],
            inventory: world.inventory.clone(),
            findings: Vec::new(),
            assessments: world.assess(),
            plan: world.plan(),
            long_lived_days: 90,
        });
        assert!(report.identities.len() == 2 && !report.assessments.is_empty());
        let (mut plain, mut spliced) = (Vec::new(), Vec::new());
        Json.emit(&report, &mut plain).unwrap();
        let written = Written::of(&report).unwrap().unwrap();
        write_with(&report, &written, &mut spliced).unwrap();
        assert_eq!(
            String::from_utf8(spliced).unwrap(),
            String::from_utf8(plain).unwrap()
        );
    }
}
