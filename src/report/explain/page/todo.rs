//! What to do.

use super::Page;
use crate::model::PlanItem;
use crate::report::text::line;
use crate::report::{ReportError, permissions, progress};

impl Page<'_, '_> {
    pub(super) fn plan(&mut self, item: &PlanItem) -> Result<(), ReportError> {
        self.heading(&format!("Plan, wave {}: {}", item.wave, item.title))?;
        self.field("id", item.id.as_str())?;
        let dated = match item.catalogue_as_of.as_str() {
            "" => item.mechanism_title.clone(),
            as_of => format!("{} (as of {as_of})", item.mechanism_title),
        };
        self.field("mechanism", &dated)?;
        if let Some(became) = progress::of(self.index.report, &item.id) {
            self.field("state", &progress::state(became))?;
            self.list("seen", &became.evidence)?;
        }
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
        let ends = if triggers.is_empty() {
            "nothing is issued".to_owned()
        } else {
            triggers.join(", ")
        };
        self.field("ends on", &ends)?;
        self.field(
            "effort",
            &format!("{}: {}", item.effort.size, item.effort.reason),
        )?;
        self.list("needs first", &item.prerequisites)?;
        self.list("ask the owner", &item.open_questions)?;
        let controls: Vec<String> = item
            .compensating_controls
            .iter()
            .map(|each| format!("{}: {}", each.control, each.present.as_str()))
            .collect();
        self.list("controls", &controls)?;
        self.list("of an agent", &item.agent_requirements)?;
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
        if !item.artefacts.is_empty() {
            let kinds: std::collections::BTreeSet<&str> = item
                .artefacts
                .iter()
                .map(|each| each.kind.as_str())
                .collect();
            let kinds: Vec<&str> = kinds.into_iter().collect();
            self.field(
                "made ready",
                &format!("{}/: {}", item.folder, kinds.join(", ")),
            )?;
        }
        self.field("done when", &item.detect_done)?;
        if let Some(at) = item.exception_expires {
            self.field("exception", &format!("ends on {}", at.strftime("%Y-%m-%d")))?;
        }
        self.list("not verified", &item.unverified)?;
        self.end()
    }
}
