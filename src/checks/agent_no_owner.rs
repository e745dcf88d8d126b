//! Agents nobody answers for.

use super::rating::Rating;
use super::subject::{capitalised, full_name, identity_name, list, places};
use super::{Check, CheckContext};
use crate::model::{Consumer, FindingBuilder, IdentityKind};
use crate::rules::posture::CheckMeta;

/// An AI agent for which no source names who decides what it may reach.
pub(super) struct AgentNoOwner;

impl Check for AgentNoOwner {
    fn id(&self) -> &'static str {
        "agent-no-owner"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            if identity.kind != IdentityKind::Agent || identity.owner.is_some() {
                continue;
            }
            let mut rating = Rating::of(meta);
            let reach = identity.agent.clone().unwrap_or_default();
            let holds = context
                .inventory
                .consumers_of(&identity.consumers)
                .any(|consumer: &Consumer| !consumer.uses.credentials.is_empty());
            if holds || reach.static_credentials > 0 {
                rating.raise(identity.grade, "it uses credentials");
            }
            if reach.servers.is_empty() && reach.providers.is_empty() {
                rating.lower(identity.grade, "it reaches no tool server and no provider");
            }
            let mut reaches = reach.servers;
            reaches.extend(reach.providers);
            reaches.sort();
            reaches.dedup();
            let what = if reaches.is_empty() {
                "nothing that its configuration names".to_owned()
            } else {
                list(&reaches)
            };
            let message = format!(
                "No configuration entry, CODEOWNERS line or author names who decides what {} may do; it reaches {what}.",
                full_name(identity),
            );
            out.push(
                context
                    .finding(meta, rating, Some(identity), None)
                    .text(
                        format!("{} has no owner", capitalised(&identity_name(identity))),
                        message,
                    )
                    .locations(places(identity)),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("agent-no-owner"), @"
        fires-by-reach
          medium (high): Agent Claude Code has no owner
            No configuration entry, CODEOWNERS line or author names who decides what agent Claude Code of account site may do; it reaches github.
            at site/.mcp.json:1
            A severity low → medium: it uses credentials
          info (high): Agent Cursor has no owner
            No configuration entry, CODEOWNERS line or author names who decides what agent Cursor of account site may do; it reaches nothing that its configuration names.
            at agent/site
            A severity low → info: it reaches no tool server and no provider
        ");
    }
}
