//! Steps of a job or composite action: which actions run, what they take, who they become.

use super::super::clean::clean;
use super::super::context::{Context, templated};
use super::super::node::Node;
use super::expressions::{Reference, references};
use crate::model::{Coverage, Evidence, FEDERATES_TO, Grade};
use std::collections::BTreeMap;

/// Most steps read of one job.
const MAX_STEPS: usize = 1_000;

/// What the steps show.
#[derive(Default)]
pub(super) struct Steps {
    /// Third-party actions that are not pinned to a commit, `x/y@v1`, sorted.
    pub(super) unpinned: Vec<String>,
    /// Native ids named: roles, service accounts, client ids.
    pub(super) native_ids: Vec<String>,
    /// Actions of the repository itself that run.
    pub(super) local: Vec<String>,
    /// An action gets its credential from the platform.
    pub(super) federated: bool,
    /// What well-known actions do.
    pub(super) notes: Vec<Evidence>,
    /// Secret names whose use by an action tells their type: kind, provider, half.
    pub(super) told: BTreeMap<String, (String, String, bool)>,
}

impl Steps {
    /// Reads a list of steps.
    pub(super) fn of(context: &Context<'_>, list: &Node, notices: &mut Vec<Coverage>) -> Self {
        let mut steps = Self::default();
        for step in context.first(list.items(), MAX_STEPS, "steps", notices) {
            if let Some(uses) = step.text_at(&["uses"]) {
                if uses.starts_with("./") {
                    steps.local.push(uses.to_owned());
                }
                if unpinned(context, uses) {
                    steps.unpinned.push(clean(uses));
                }
                if let Some(inputs) = step.get("with") {
                    steps.action(context, uses, inputs);
                }
            }
        }
        steps.unpinned.sort();
        steps.unpinned.dedup();
        steps.native_ids.sort();
        steps.native_ids.dedup();
        steps.notes.sort();
        steps.notes.dedup();
        steps
    }

    /// Reads the inputs of a well-known action.
    fn action(&mut self, context: &Context<'_>, uses: &str, inputs: &Node) {
        let name = uses.split('@').next().unwrap_or(uses);
        let Some(action) = context.tables.github.action(name) else {
            return;
        };
        let input = |wanted: &str| {
            inputs
                .entries()
                .find(|(key, _)| key.text.eq_ignore_ascii_case(wanted))
                .and_then(|(_, node)| node.as_str())
        };
        let holds = action
            .unless
            .as_ref()
            .is_none_or(|unless| input(&unless.input).is_none());
        let secret = action.secret.iter().map(|name| (name, false));
        let half = action.half.iter().map(|name| (name, true));
        for (wanted, half) in secret.chain(half) {
            for (_, reference) in
                input(wanted).map_or_else(Vec::new, |text| references(text, false))
            {
                if let Reference::Named(secret) = reference
                    && holds
                {
                    self.told.entry(secret.to_owned()).or_insert((
                        action.kind.clone(),
                        action.provider.clone(),
                        half,
                    ));
                }
            }
        }
        for wanted in &action.identity {
            if let Some(text) = input(wanted) {
                if text.contains("${{") || templated(text) {
                    let from = setting(text).map_or_else(
                        || "an expression".to_owned(),
                        |setting| {
                            format!(
                                "{}, which is kept in the platform's settings and not in the file",
                                clean(setting)
                            )
                        },
                    );
                    self.notes.push(Evidence::new(
                        Grade::C,
                        format!("{name} takes {wanted} from {from}"),
                    ));
                } else {
                    self.native_ids.push(clean(text));
                }
            }
        }
        let stored = action.secret.iter().any(|name| input(name).is_some());
        if let Some(by) = action
            .federated_by
            .iter()
            .find(|name| input(name).is_some())
            && !stored
        {
            self.federated = true;
            self.notes.push(Evidence::new(
                Grade::B,
                format!("{name} {FEDERATES_TO}{} by {by}", action.provider),
            ));
        }
    }
}

/// The setting that an expression is nothing but: `vars.NAME`, `secrets.NAME`, `inputs.NAME`.
fn setting(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("${{")?.strip_suffix("}}")?.trim();
    let (context, name) = inner.split_once('.')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    (matches!(context, "vars" | "secrets" | "inputs" | "env") && name.chars().all(plain))
        .then_some(inner)
}

/// A third party's code that can change without this file changing.
pub(super) fn unpinned(context: &Context<'_>, uses: &str) -> bool {
    if uses.starts_with("./") || uses.starts_with("../") {
        return false;
    }
    if let Some(image) = uses.strip_prefix("docker://") {
        return !image.contains("@sha256:");
    }
    let owner = uses.split('/').next().unwrap_or(uses);
    if context.tables.github.first_party(owner) {
        return false;
    }
    let pin = uses.rsplit_once('@').map_or("", |(_, reference)| reference);
    !(pin.len() == 40 && pin.bytes().all(|b| b.is_ascii_hexdigit()))
}
