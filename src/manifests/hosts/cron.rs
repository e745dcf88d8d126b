//! Crontabs.

use super::super::clean::clean;
use super::super::context::Context;
use super::{Runs, column, lines, variables_in};
use crate::model::{ConsumerClass, Declarations, Grade};

/// Most jobs of one crontab.
const MAX_JOBS: usize = 1_000;

/// Whether a path is that of a crontab.
pub(in super::super) fn is_crontab(folder: &str, name: &str) -> bool {
    let below = folder.rsplit('/').next().unwrap_or(folder);
    matches!(name, "crontab" | "crontab.txt" | "cronjobs")
        || matches!(name.rsplit_once('.'), Some((_, "cron" | "crontab")))
        || name.starts_with("crontab.")
        || (below == "cron.d" && !name.contains('.'))
}

/// Reads a crontab.
pub(in super::super) fn read(context: &Context<'_>, out: &mut Declarations) {
    let mut jobs = Vec::new();
    let mut set: Vec<(u32, &str, &str)> = Vec::new();
    for (number, line) in lines(context.text.as_str()) {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        if let Some((name, value)) = trimmed.split_once('=')
            && name
                .trim()
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            set.push((number, name.trim(), value.trim()));
            continue;
        }
        if let Some((schedule, command)) = job(trimmed) {
            jobs.push((number, column(line), schedule, command));
        }
    }
    for (number, column, schedule, command) in
        context.first(&jobs, MAX_JOBS, "jobs", &mut out.notices)
    {
        // System crontabs name the user first.
        let words = || command.split_whitespace();
        let program = words()
            .find(|word| word.starts_with('/'))
            .or_else(|| words().find(|word| !word.contains('=')))
            .unwrap_or("command");
        let name = format!(
            "{} (line {number})",
            program.rsplit('/').next().unwrap_or(program)
        );
        let mut runs = Runs::new(
            "cron",
            &name,
            ConsumerClass::Scheduled,
            "runs on a schedule",
            (*number, *column),
        );
        runs.schedule = Some(clean(schedule));
        for (line, name, value) in set.iter().filter(|(line, ..)| line < number) {
            runs.variable(context, name, Some(value), (*line, 1));
        }
        for name in variables_in(command) {
            runs.variable(context, name, None, (*number, *column));
        }
        runs.declare(context, Grade::B, out);
    }
}

/// Schedule and command of a line.
fn job(line: &str) -> Option<(&str, &str)> {
    if line.starts_with('@') {
        let (schedule, command) = line.split_once(char::is_whitespace)?;
        let word = schedule.get(1..)?;
        return word
            .chars()
            .all(|c| c.is_ascii_lowercase())
            .then_some((schedule, command.trim()));
    }
    let mut end = 0;
    for _ in 0..5 {
        let rest = line.get(end..)?;
        let skipped = rest.len() - rest.trim_start().len();
        let field = rest.trim_start().split(char::is_whitespace).next()?;
        let valid = !field.is_empty()
            && field
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "*/,-?#".contains(c))
            && field
                .starts_with(|c: char| c.is_ascii_digit() || c == '*' || c.is_ascii_alphabetic());
        if !valid {
            return None;
        }
        end += skipped + field.len();
    }
    let (schedule, command) = line.split_at_checked(end)?;
    let numeric = schedule.contains(|c: char| c.is_ascii_digit() || c == '*');
    (numeric && !command.trim().is_empty()).then_some((schedule, command.trim()))
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::{declared, shown};

    #[test]
    fn every_line_is_a_job_with_its_schedule() {
        let out = declared(
            "deploy/crontab",
            "# nightly\nMAILTO=ops\nAPI_TOKEN=$TOKEN\n0 2 * * * root /usr/bin/sync --key $S3_SECRET\n@daily /bin/rotate\nnot a job at all\n",
        );
        insta::assert_snapshot!(shown(&out), @"
        4:1 sync (line 4) | - - 0 2 * * * | unknown
            4:1 environment S3_SECRET (?)
            3:1 environment TOKEN (?)
            B runs on a schedule
        5:1 rotate (line 5) | - - @daily | unknown
            3:1 environment TOKEN (?)
            B runs on a schedule
        ");
    }
}
