//! Agents that act under an identity which is not theirs alone.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, list, may_be_live, places};
use super::{Check, CheckContext, agents, consumers};
use crate::model::{Consumer, ConsumerClass, Credential, FindingBuilder, Location};
use crate::rules::posture::CheckMeta;

/// The same credential in several agents, in an agent and something else, or a person's token in an agent. Only what was
/// seen or is in an inventory: two references of one name may be two values.
pub(super) struct AgentSharedIdentity;

impl Check for AgentSharedIdentity {
    fn id(&self) -> &'static str {
        "agent-shared-identity"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            let users: Vec<&Consumer> = context
                .inventory
                .consumers_of(&credential.consumers)
                .collect();
            let known = credential.material_seen() || credential.identity.is_some();
            let Some(agent) = users
                .iter()
                .copied()
                .find(|consumer| consumer.class == ConsumerClass::Agent)
                .filter(|_| known && may_be_live(credential, context.now))
            else {
                continue;
            };
            let shared = users.len() > 1;
            let person = person(context, meta, credential);
            if !shared && person.is_none() {
                continue;
            }
            let mut rating = Rating::of(meta);
            rating.no_surer(credential.confidence);
            rating.note(credential.grade, credential.confidence_reason.as_str());
            if let (true, Some(person)) = (shared, &person) {
                rating.raise(credential.grade, &format!("several use it, and {person}"));
            }
            let name = capitalised(&credential_name(credential));
            let mut facts = Vec::new();
            if shared {
                facts.push(format!(
                    "{} use the same credential",
                    list(&consumers::names(&users))
                ));
            }
            facts.extend(person.map(|person| {
                format!(
                    "{person}, so that what {} does is on that person's name",
                    agent.name
                )
            }));
            let message = format!(
                "{}. A log cannot tell who acted, and none of them can be cut off alone: each instance of an agent \
                 needs an identity of its own.",
                capitalised(&facts.join("; "))
            );
            let identity = context
                .inventory
                .identity_of(credential)
                .or_else(|| agents::identity(context, agent));
            let title = if shared {
                format!("{name} is shared with an agent")
            } else {
                format!(
                    "Agent acts with a person's {}",
                    super::subject::words(&credential.kind)
                )
            };
            let mut at = consumers::all_places(credential, &users);
            if at.is_empty() {
                at = identity.map_or_else(|| vec![unsited(credential)], places);
            }
            out.push(
                context
                    .finding(meta, rating, identity, Some(credential))
                    .text(title, message)
                    .locations(at),
            );
        }
    }
}

/// A place that names a credential which is in no file.
fn unsited(credential: &Credential) -> Location {
    Location {
        repository: None,
        uri: credential.provider.clone(),
        line: None,
        column: None,
        logical: Some(credential.id.to_string()),
    }
}

/// Why it belongs to a person.
fn person(context: &CheckContext<'_>, meta: &CheckMeta, credential: &Credential) -> Option<String> {
    if let Some(identity) = context.inventory.identity_of(credential)
        && identity.human
    {
        return Some(format!("it belongs to {}", identity.name));
    }
    meta.words("personal")
        .contains(&credential.kind)
        .then(|| "tokens of this type belong to a person's account".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("agent-shared-identity"), @"
        fires-shared-and-personal
          high (high): GitHub personal access token both is shared with an agent
            Claude Code (.mcp.json) of site and deploy.yml/deploy of site use the same credential; tokens of this type belong to a person's account, so that what Claude Code (.mcp.json) does is on that person's name. A log cannot tell who acted, and none of them can be cut off alone: each instance of an agent needs an identity of its own.
            at site/.mcp.json:11, site/.github/workflows/deploy.yml:20, site/.mcp.json:1
            A the structure is that of the type
            A severity medium → high: several use it, and tokens of this type belong to a person's account
          medium (high): OpenAI API key shared is shared with an agent
            Claude Code (.mcp.json) of site and Cursor (.cursor/mcp.json) of site use the same credential. A log cannot tell who acted, and none of them can be cut off alone: each instance of an agent needs an identity of its own.
            at site/.mcp.json:7, site/.cursor/mcp.json:5, site/.cursor/mcp.json:1, site/.mcp.json:1
            A the structure is that of the type
          medium (high): Agent acts with a person's GitHub personal access token
            Tokens of this type belong to a person's account, so that what Claude Code (.mcp.json) does is on that person's name. A log cannot tell who acted, and none of them can be cut off alone: each instance of an agent needs an identity of its own.
            at site/.mcp.json:9, site/.mcp.json:1
            A the structure is that of the type
        ");
    }
}
