//! Agents with access that outlasts every task of theirs.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, full_name, may_be_live, power, power_evidence};
use super::{Check, CheckContext, agents};
use crate::model::{Confidence, Consumer, Credential, FindingBuilder, Identity, IdentityKind};
use crate::rules::posture::CheckMeta;

/// An agent that holds a credential known to have no end, or acts as an identity that may write, administer, read secrets
/// or cross accounts. A reference of which nothing is known but its name proves neither.
pub(super) struct AgentStandingCredential;

impl Check for AgentStandingCredential {
    fn id(&self) -> &'static str {
        "agent-standing-credential"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for agent in agents::all(context) {
            let Some(at) = agent.location.clone() else {
                continue;
            };
            let owner = agents::identity(context, agent);
            for credential in agents::credentials(context, agent) {
                if stands(context, credential) {
                    let finding = by_credential(context, meta, agent, owner, credential);
                    out.push(finding.locations([at.clone()]));
                }
            }
            for used in agent
                .uses
                .identities
                .iter()
                .filter_map(|id| context.inventory.identities.get(id))
                .filter(|used| !matches!(used.kind, IdentityKind::McpServer | IdentityKind::Agent))
                .filter(|used| used.privilege.jit_required())
            {
                let through = agents::credentials(context, agent)
                    .any(|credential| credential.identity.as_ref() == Some(&used.id));
                if !through {
                    let finding = by_identity(context, meta, agent, owner, used);
                    out.push(finding.locations([at.clone()]));
                }
            }
        }
    }
}

/// Its value was seen or its holder is known, and it does not end by itself.
fn stands(context: &CheckContext<'_>, credential: &Credential) -> bool {
    let known = credential.material_seen() || credential.identity.is_some();
    known
        && may_be_live(credential, context.now)
        && credential.expires_at.is_none()
        && credential.expires_by_nature != Some(true)
}

fn by_credential(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    agent: &Consumer,
    owner: Option<&Identity>,
    credential: &Credential,
) -> FindingBuilder {
    let identity = context.inventory.identity_of(credential);
    let mut rating = Rating::of(meta);
    rating.no_surer(credential.confidence);
    rating.note(credential.grade, credential.confidence_reason.as_str());
    if credential.expires_by_nature.is_none() {
        rating.no_surer(Confidence::Medium);
        rating.note(credential.grade, "nothing says that it ends");
    }
    let power = power(identity, Some(credential));
    rating.weigh("the holder", &power);
    let name = capitalised(&credential_name(credential));
    let whose = identity.map_or_else(String::new, |identity| {
        format!(" of {}, {}", full_name(identity), power.words)
    });
    let message = format!(
        "{} holds {name}{whose}, which does not end with a task. An agent chains tools and changes its mind; what it \
         holds for good it can use for anything.",
        capitalised(&agent.name)
    );
    context
        .finding(meta, rating, owner.or(identity), Some(credential))
        .discriminator(agent.name.as_str())
        .text(format!("Agent holds {name}"), message)
}

fn by_identity(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    agent: &Consumer,
    owner: Option<&Identity>,
    used: &Identity,
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    let power = power(Some(used), None);
    rating.cite(power_evidence(Some(used)));
    rating.weigh("it", &power);
    let message = format!(
        "{} acts as {}, which is {}, whatever its task. Give it a role of the task and let it ask for more.",
        capitalised(&agent.name),
        full_name(used),
        power.words,
    );
    context
        .finding(meta, rating, owner.or(Some(used)), None)
        .discriminator(format!("{} {}", agent.name, used.native_id))
        .text(format!("Agent acts as {}", full_name(used)), message)
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("agent-standing-credential"), @"
        fires-key-and-role
          high (high): Agent holds AWS access key AKIA-DEPLOYER
            Claude Code (.mcp.json) holds AWS access key AKIA-DEPLOYER of IAM user deployer of account 111122223333, an administrator, which does not end with a task. An agent chains tools and changes its mind; what it holds for good it can use for anything.
            at site/.mcp.json:1
            A the structure is that of the type
            A severity medium → high: the holder is an administrator
          medium (medium): Agent holds OpenAI API key sk
            Claude Code (.mcp.json) holds OpenAI API key sk, which does not end with a task. An agent chains tools and changes its mind; what it holds for good it can use for anything.
            at site/.mcp.json:1
            A the structure is that of the type
            A nothing says that it ends
          medium (high): Agent acts as IAM role assistant of account 111122223333
            Claude Code (.mcp.json) acts as IAM role assistant of account 111122223333, which is able to write at service level, whatever its task. Give it a role of the task and let it ask for more.
            at site/.mcp.json:1
        ");
    }
}
