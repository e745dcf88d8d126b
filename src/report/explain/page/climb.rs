//! Ways to higher privilege, drawn from step to step.

use super::{MOST, Page};
use crate::model::{EscalationCertainty, EscalationGoal, EscalationPath, EscalationStep};
use crate::report::ReportError;

impl Page<'_, '_> {
    pub(super) fn climb(&mut self, paths: &[EscalationPath]) -> Result<(), ReportError> {
        for path in paths.iter().take(MOST) {
            self.way(path)?;
        }
        self.left_out(2, paths.len())
    }

    fn way(&mut self, path: &EscalationPath) -> Result<(), ReportError> {
        let goal = match path.reaches {
            EscalationGoal::Administrator => "A way to administrator",
            EscalationGoal::Principal => "A way to more privilege",
            EscalationGoal::Peer => "A way to other access",
            EscalationGoal::Nothing => "What a way to more privilege would need",
        };
        let sure = match path.certainty {
            EscalationCertainty::Open => "open as granted",
            EscalationCertainty::Conditional => "open under conditions",
            EscalationCertainty::Unseen => "hangs on what this scan does not see",
        };
        let actions = path.actions.join(" + ");
        self.say(2, &format!("{goal} ({}, {sure}): {actions}", path.id))?;
        self.say(6, &path.note)?;
        if let Some(first) = path.steps.first() {
            let account = account(&first.from);
            self.place(&first.from, account)?;
            for step in &path.steps {
                self.step(step, account)?;
            }
        }
        let told = |list: fn(&EscalationStep) -> &Vec<String>, text: &String| {
            path.steps.iter().any(|step| list(step).contains(text))
        };
        for condition in &path.depends_on {
            if !told(|step| &step.depends_on, condition) {
                self.say(6, &format!("if {condition}"))?;
            }
        }
        for unknown in &path.unknown {
            if !told(|step| &step.unknown, unknown) {
                self.say(6, &format!("not seen: {unknown}"))?;
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &EscalationStep, account: &str) -> Result<(), ReportError> {
        self.beside(&format!("{} [{}]", step.text, step.actions.join(" + ")))?;
        for because in &step.because {
            self.beside(&format!("  by {because}"))?;
        }
        for condition in &step.depends_on {
            self.beside(&format!("  if {condition}"))?;
        }
        for unknown in &step.unknown {
            self.beside(&format!("  not seen: {unknown}"))?;
        }
        writeln!(self.out, "        ▼")?;
        self.place(&step.to, account)
    }

    /// Lines beside the arrow.
    fn beside(&mut self, text: &str) -> Result<(), ReportError> {
        let indent = text.len() - text.trim_start().len();
        for (number, each) in self.wrapped(text, 14 + indent).iter().enumerate() {
            let hang = if number == 0 { indent } else { indent + 2 };
            writeln!(self.out, "        │ {:hang$}{each}", "")?;
        }
        Ok(())
    }

    fn place(&mut self, arn: &str, own: &str) -> Result<(), ReportError> {
        let name = arn.splitn(6, ':').nth(5).unwrap_or(arn);
        let elsewhere = match account(arn) {
            other if other == own || other.is_empty() => String::new(),
            other => format!(" of account {other}"),
        };
        let name = self
            .style
            .heading(&crate::report::text::line(&format!("{name}{elsewhere}")));
        Ok(writeln!(self.out, "      ● {name}")?)
    }
}

fn account(arn: &str) -> &str {
    arn.split(':').nth(4).unwrap_or_default()
}
