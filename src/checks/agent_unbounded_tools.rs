//! Agents that run any tool without asking.

use super::rating::Rating;
use super::subject::{capitalised, full_name, identity_name, list, places};
use super::{Check, CheckContext};
use crate::model::{Confidence, Consumer, FindingBuilder, Severity};
use crate::rules::posture::CheckMeta;

/// An agent whose approvals reach every tool, every tool of a server, or a whole shell.
pub(super) struct AgentUnboundedTools;

impl Check for AgentUnboundedTools {
    fn id(&self) -> &'static str {
        "agent-unbounded-tools"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for identity in context.inventory.identities.values() {
            let Some(reach) = &identity.agent else {
                continue;
            };
            let unbounded: Vec<&str> = reach
                .auto_approved
                .iter()
                .map(String::as_str)
                .filter(|entry| is_unbounded(meta, entry))
                .collect();
            if unbounded.is_empty() {
                continue;
            }
            let everything = unbounded.contains(&"*");
            let mut rating = Rating::of(meta);
            rating.note(
                identity.grade,
                format!("runs unasked: {}", list(&unbounded)),
            );
            let holds = context
                .inventory
                .consumers_of(&identity.consumers)
                .any(|consumer: &Consumer| !consumer.uses.credentials.is_empty());
            if holds || reach.static_credentials > 0 {
                rating.raise(identity.grade, "it uses credentials");
            } else if reach.servers.is_empty() && !everything {
                rating.at_most(Severity::Low, identity.grade, "it names no tool server");
                rating.no_surer(Confidence::Medium);
            }
            let what = if everything {
                "every tool".to_owned()
            } else {
                list(&unbounded)
            };
            let message = format!(
                "{} runs {what} without asking. Whatever text it reads can make it act with everything it reaches{}.",
                capitalised(&full_name(identity)),
                if reach.servers.is_empty() {
                    String::new()
                } else {
                    format!(": {}", list(&reach.servers))
                },
            );
            out.push(
                context
                    .finding(meta, rating, Some(identity), None)
                    .text(
                        format!(
                            "{} runs {} unasked",
                            capitalised(&identity_name(identity)),
                            if everything {
                                "every tool"
                            } else {
                                "whole sets of tools"
                            }
                        ),
                        message,
                    )
                    .locations(places(identity)),
            );
        }
    }
}

/// `*`, `server:*`, `mcp__server__*`, and tools that run any command.
fn is_unbounded(meta: &CheckMeta, entry: &str) -> bool {
    let entry = entry.trim();
    entry == "*"
        || entry.ends_with(":*") && !entry.contains('(')
        || entry.ends_with("__*")
        || meta.words("whole_tools").iter().any(|tool| {
            entry == tool || entry == format!("{tool}(*)") || entry == format!("{tool}(*:*)")
        })
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("agent-unbounded-tools"), @"
        fires-by-reach
          low (medium): Agent Shell runs whole sets of tools unasked
            Agent Shell of account site runs Bash(*) without asking. Whatever text it reads can make it act with everything it reaches.
            at agent/site
            A runs unasked: Bash(*)
            A severity medium → low: it names no tool server
          high (high): Agent Claude Code runs every tool unasked
            Agent Claude Code of account site runs every tool without asking. Whatever text it reads can make it act with everything it reaches: github.
            at site/.mcp.json:1
            A runs unasked: *
            A severity medium → high: it uses credentials
          medium (high): Agent Cursor runs whole sets of tools unasked
            Agent Cursor of account site runs db:* without asking. Whatever text it reads can make it act with everything it reaches: db.
            at agent/site
            A runs unasked: db:*
        ");
    }
}
