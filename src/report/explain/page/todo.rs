//! What to do.

use super::Page;
use crate::model::PlanItem;
use crate::report::text::line;
use crate::report::{ReportError, permissions};

impl Page<'_, '_> {
    pub(super) fn plan(&mut self, item: &PlanItem) -> Result<(), ReportError> {
        self.heading(&format!("Plan, wave {}: {}", item.wave, item.title))?;
        self.field("id", item.id.as_str())?;
        self.field("mechanism", &item.mechanism_title)?;
        let approval = &item.approval;
        self.field(
            "approval",
            &format!(
                "{} for {}, by {} ({}): {}",
                approval.system,
                approval.duration,
                approval.approver,
                approval.tier.as_str(),
                approval.reason
            ),
        )?;
        let triggers: Vec<_> = item
            .revocation_triggers
            .iter()
            .map(|each| each.as_str())
            .collect();
        self.field("ends on", &triggers.join(", "))?;
        self.list("needs first", &item.prerequisites)?;
        self.list("ask the owner", &item.open_questions)?;
        for (name, lines) in item.permissions.iter().flat_map(permissions::short) {
            self.list(name, &lines)?;
        }
        for step in &item.steps {
            self.say(
                2,
                &format!("{}. {}. {}", step.number, step.title, step.detail),
            )?;
            for command in step.command.iter().flat_map(|command| command.lines()) {
                writeln!(self.out, "       {}", line(command))?;
            }
        }
        self.field("must work", &item.acceptance_test)?;
        self.field("must fail", &item.negative_test)?;
        self.field("roll back", &item.rollback)?;
        self.field("done when", &item.detect_done)?;
        self.end()
    }
}
