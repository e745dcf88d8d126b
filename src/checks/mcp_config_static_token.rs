//! Tokens written into the configuration of an agent or a tool server.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, may_be_live, power};
use super::{Check, CheckContext, agents};
use crate::model::{Confidence, FindingBuilder, Sighting};
use crate::rules::posture::CheckMeta;
use std::collections::BTreeSet;

/// A literal value in an agent's configuration, one finding a credential. A reference to the environment or a vault is
/// how such configuration is meant to be written, and no fault.
pub(super) struct McpConfigStaticToken;

impl Check for McpConfigStaticToken {
    fn id(&self) -> &'static str {
        "mcp-config-static-token"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let mut told = BTreeSet::new();
        for agent in agents::all(context) {
            for credential in agents::credentials(context, agent) {
                let literals = agents::literals(agent, credential);
                let live = may_be_live(credential, context.now);
                if literals.is_empty() || !live || !told.insert(&credential.id) {
                    continue;
                }
                // Every file of an agent that holds it is a place of the one finding.
                let mut places: Vec<&Sighting> = agents::all(context)
                    .filter(|other| credential.consumers.contains(&other.id))
                    .flat_map(|other| agents::literals(other, credential))
                    .collect();
                places.sort_by_key(|sighting| sighting.location());
                places.dedup();
                let mut rating = Rating::of(meta);
                rating.no_surer(credential.confidence);
                rating.note(credential.grade, credential.confidence_reason.as_str());
                if credential.confidence == Confidence::Low {
                    rating.lower(credential.grade, "it may be an example");
                }
                if places.iter().all(|sighting| sighting.commit.is_none()) {
                    rating.lower(credential.grade, "no commit that was read holds it");
                }
                let identity = context.inventory.identity_of(credential);
                let power = power(identity, Some(credential));
                if power.tier.is_some_and(|tier| tier >= 4) {
                    rating.raise(power.grade, &format!("the holder is {}", power.words));
                }
                let name = capitalised(&credential_name(credential));
                let message = format!(
                    "{name} stands as a value in the configuration of {}. Everything the agent runs can read it, and \
                     so can whoever reads the file; name a variable or an entry of a vault there instead.",
                    agent.name
                );
                let subject = identity.or_else(|| agents::identity(context, agent));
                out.push(
                    context
                        .finding(meta, rating, subject, Some(credential))
                        .text(format!("{name} in an agent's configuration"), message)
                        .locations(places.iter().map(|sighting| sighting.location())),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("mcp-config-static-token"), @"
        fires-literal
          critical (high): AWS access key AKIA-DEPLOYER in an agent's configuration
            AWS access key AKIA-DEPLOYER stands as a value in the configuration of Claude Code (.mcp.json). Everything the agent runs can read it, and so can whoever reads the file; name a variable or an entry of a vault there instead.
            at site/.mcp.json:12
            A the structure is that of the type
            A severity high → critical: the holder is an administrator
          high (high): GitHub personal access token token in an agent's configuration
            GitHub personal access token token stands as a value in the configuration of Claude Code (.mcp.json). Everything the agent runs can read it, and so can whoever reads the file; name a variable or an entry of a vault there instead.
            at site/.mcp.json:7
            A the structure is that of the type
          low (low): MCP static token sample in an agent's configuration
            MCP static token sample stands as a value in the configuration of Claude Code (.mcp.json). Everything the agent runs can read it, and so can whoever reads the file; name a variable or an entry of a vault there instead.
            at site/.mcp.json:15
            A it looks like an example
            A severity high → medium: it may be an example
            A severity medium → low: no commit that was read holds it
        ");
    }
}
