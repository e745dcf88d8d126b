//! Instructions of agents, as Markdown with a head: sub-agents, commands, skills, prompts. The head says which tools they
//! may use and which they run without asking.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::is_below;
use super::super::node::{Node, Parsed};
use super::super::text::Text;
use super::super::text::saturate;
use super::super::yaml;
use super::entry::Entry;
use super::literals::Findings;
use super::{RUNTIME, Server, system_of_its_own, tool_server};
use crate::model::{AgentReach, ConsumerId, Declarations};
use std::collections::BTreeSet;

/// Longest head read, in bytes.
const MAX_HEAD: usize = 64 << 10;
/// Most tools kept.
const MAX_TOOLS: usize = 200;
/// Keys that list tools run without asking.
const UNASKED: [&str; 3] = ["allowed-tools", "allowedTools", "auto-approve"];
/// Keys that list the tools at hand.
const TOOLS: [&str; 1] = ["tools"];

/// Folders whose Markdown files are instructions, and names that are wherever they stand.
pub(in crate::manifests) fn is_instruction(folder: &str, name: &str) -> bool {
    let Some(stem) = name
        .strip_suffix(".md")
        .or_else(|| name.strip_suffix(".mdc"))
    else {
        return false;
    };
    name == "SKILL.md"
        || stem
            .rsplit_once('.')
            .is_some_and(|(_, kind)| matches!(kind, "agent" | "chatmode" | "prompt"))
        || [
            ".claude/agents",
            ".claude/commands",
            ".claude/skills",
            ".github/agents",
            ".github/prompts",
            ".github/chatmodes",
            ".opencode/agent",
            ".opencode/command",
            ".opencode/agents",
            ".cursor/agents",
            ".cursor/commands",
            ".gemini/agents",
            ".codex/prompts",
            ".kiro/agents",
            ".factory/droids",
        ]
        .iter()
        .any(|wanted| is_below(folder, wanted))
}

/// Reads one file; without a head that names tools it declares nothing.
pub(in crate::manifests) fn read(context: &Context<'_>, out: &mut Declarations) {
    let Some(head) = head(context.text.as_str()) else {
        return;
    };
    let text = Text::new(head.as_bytes());
    let Parsed { documents, .. } = yaml::parse(&text);
    let Some(root) = documents.first().filter(|root| root.is_map()) else {
        return;
    };
    let unasked = tools(root, &UNASKED);
    let at_hand = tools(root, &TOOLS);
    let described = described(root);
    if unasked.is_empty() && at_hand.is_empty() && described.is_empty() {
        return;
    }
    let short = clean(context.uri);
    let native_id = format!("{}/{short}", context.repository);
    let stem = short.rsplit('/').next().unwrap_or(&short);
    let name = root
        .text_at(&["name"])
        .map_or_else(|| stem.trim_end_matches(".md").to_owned(), clean);
    let id = ConsumerId::of(&[RUNTIME, context.repository, context.uri]);
    let mut findings = Findings::default();
    let mut hosts = BTreeSet::new();
    let mut identities = Vec::new();
    for server in &described {
        findings.read(context, server.node);
        let mut identity = tool_server(context, &name, server, &native_id, &mut hosts);
        identity.consumers = vec![id.clone()];
        identities.push(identity);
    }
    let references = findings.references(context, &id);
    let mut reached: BTreeSet<String> = servers(at_hand.iter().chain(&unasked))
        .into_iter()
        .collect();
    reached.extend(described.iter().map(|server| server.name.clone()));
    let named = root.get("mcp-servers").into_iter().flat_map(Node::texts);
    reached.extend(named.map(clean));
    let mut providers = findings.providers(context);
    providers.extend(hosts);
    let own = described.iter();
    providers.extend(own.filter_map(|server| system_of_its_own(context, server)));
    let entry = Entry {
        name: &name,
        native_id,
        id,
        purpose: root.text_at(&["description"]).map_or_else(
            || format!("instructions for an agent in {}", context.repository),
            clean,
        ),
        place: (1, 1),
        shown_by: "instructions for an agent, with the tools it may use".to_owned(),
    };
    let (mut agent, consumer) = entry.build(context, &identities, &[]);
    agent.agent = Some(AgentReach {
        servers: reached.into_iter().collect(),
        auto_approved: unasked,
        tools: at_hand,
        providers: providers.into_iter().collect(),
        credentials: findings.names(&references),
        static_credentials: saturate(findings.distinct()),
        intent_policy: false,
    });
    out.consumers.push(consumer);
    out.references.extend(references);
    out.credentials.extend(findings.into_credentials());
    out.identities.push(agent);
    out.identities.extend(identities);
}

/// Tool servers that a head describes itself.
fn described(root: &Node) -> Vec<Server<'_>> {
    ["mcp-servers", "mcpServers"]
        .iter()
        .filter_map(|key| root.get(key))
        .flat_map(Node::entries)
        .filter(|(_, node)| node.is_map())
        .take(MAX_TOOLS)
        .map(|(key, node)| Server {
            name: clean(&key.text),
            line: key.line,
            column: key.column,
            node,
        })
        .collect()
}

/// The head between two lines of three dashes, the dashes included.
fn head(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("---")?;
    let rest = rest.get(..MAX_HEAD).unwrap_or(rest);
    let end = rest.find("\n---")?;
    text.get(..3 + end + 1)
}

/// Tools under any of the keys: a list, a mapping of names, or a text with commas outside brackets.
fn tools(root: &Node, keys: &[&str]) -> Vec<String> {
    let mut out = Vec::new();
    for node in keys.iter().filter_map(|key| root.get(key)) {
        if let Some(text) = node.as_str() {
            let mut depth = 0;
            let parts = text.split(|c: char| {
                match c {
                    '(' | '[' => depth += 1,
                    ')' | ']' => depth -= 1,
                    _ => {}
                }
                c == ',' && depth <= 0
            });
            out.extend(
                parts
                    .map(|part| {
                        part.trim_matches(|c: char| {
                            c.is_whitespace() || matches!(c, '[' | '\'' | '"')
                        })
                    })
                    .filter(|part| !part.is_empty())
                    .map(clean),
            );
        }
        out.extend(node.items().iter().filter_map(Node::as_str).map(clean));
        out.extend(
            node.entries()
                .filter(|(_, value)| value.as_bool() != Some(false))
                .map(|(key, _)| clean(&key.text)),
        );
    }
    out.sort();
    out.dedup();
    out.truncate(MAX_TOOLS);
    out
}

/// Tool servers that tools are named after: `mcp__server__tool`, `server/tool`.
fn servers<'t>(tools: impl Iterator<Item = &'t String>) -> Vec<String> {
    let mut servers: Vec<String> = tools
        .filter_map(|tool| {
            let by_prefix = tool
                .strip_prefix("mcp__")
                .and_then(|rest| rest.split("__").next());
            let by_path = tool
                .split_once('/')
                .map(|(server, _)| server)
                .filter(|server| !server.contains(['(', '*', '.']));
            by_prefix.or(by_path).map(str::to_owned)
        })
        .filter(|server| !server.is_empty())
        .collect();
    servers.sort();
    servers.dedup();
    servers
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::model::{AgentReach, FingerprintKey};
    use proptest::prelude::*;

    fn reach(uri: &str, file: &str) -> Option<(String, AgentReach)> {
        let out = read("shop", uri, file.as_bytes(), &FingerprintKey::new([7; 32]))?;
        let agent = out.identities.into_iter().next()?;
        Some((agent.name, agent.agent?))
    }

    #[test]
    fn heads_tell_the_tools() {
        let file = "---\nname: shipper\ndescription: ships\nallowed-tools: Bash(git add:*, x), Read, mcp__github__create_issue\ntools: [grep, jira/search]\n---\n# Text\n\nallowed-tools: none\n";
        let (name, reach) = reach(".claude/agents/ship.md", file).unwrap();
        assert_eq!(name, "shipper");
        assert_eq!(
            reach.auto_approved,
            ["Bash(git add:*, x)", "Read", "mcp__github__create_issue"]
        );
        assert_eq!(reach.tools, ["grep", "jira/search"]);
        assert_eq!(reach.servers, ["github", "jira"]);
    }

    #[test]
    fn heads_describe_servers() {
        let file = "---\nname: triage\ntools: ['*']\nmcp-servers:\n  tickets:\n    type: local\n    command: npx\n    args: [-y, tickets-mcp]\n    env:\n      TOKEN: ${{ secrets.COPILOT_MCP_TOKEN }}\n---\n";
        let out = read(
            "shop",
            ".github/agents/triage.agent.md",
            file.as_bytes(),
            &FingerprintKey::new([7; 32]),
        )
        .unwrap();
        let places: Vec<_> = out
            .identities
            .iter()
            .map(|one| (one.name.as_str(), one.locations[0].line))
            .collect();
        assert_eq!(places, [("triage", Some(1)), ("tickets", Some(5))]);
        let reach = out.identities[0].agent.as_ref().unwrap();
        assert_eq!(reach.servers, ["tickets"]);
        assert_eq!(reach.credentials.len(), 1);
        assert_eq!(out.references.len(), 1);
        assert_eq!(
            out.consumers[0].uses.identities,
            [out.identities[1].id.clone()]
        );
    }

    #[test]
    fn texts_without_tools_declare_nothing() {
        assert!(reach(".claude/commands/x.md", "---\ndescription: x\n---\n").is_none());
        assert!(reach(".claude/commands/x.md", "# allowed-tools: Bash\n").is_none());
        assert!(reach("docs/x.md", "---\ntools: [a]\n---\n").is_none());
    }

    proptest! {
        #[test]
        fn any_head_is_survived(head in "(---|\n|tools|allowed-tools|: |, |\\(|\\)|- |[a-zé]){0,40}") {
            let _ = reach("a/SKILL.md", &format!("---\n{head}"));
        }
    }
}
