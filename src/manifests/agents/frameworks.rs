//! Agents as frameworks declare them in files: one identity and one consumer each, with the model, tools and credentials its
//! declaration names.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use super::declared::{Agent, Reach};
use crate::model::Declarations;
use std::collections::BTreeSet;

/// Most agents of one file.
const MAX_AGENTS: usize = 500;
/// Deepest nesting of teams that is looked into.
const MAX_DEPTH: usize = 12;

/// Words of which one is in every file read here.
const WORDS: [&[u8]; 7] = [
    b"backstory",
    b"component_type",
    b"agent_class",
    b"_agent",
    b"kagent.dev",
    b"declarative-agent",
    b"execution_role",
];

/// Whether a text may declare agents: cheap.
pub(in crate::manifests) fn interesting(uri: &str, bytes: &[u8]) -> bool {
    uri.ends_with("langgraph.json")
        || WORDS
            .iter()
            .any(|word| memchr::memmem::find(bytes, word).is_some())
}

/// Whether a document declares agents.
pub(in crate::manifests) fn by_content(uri: &str, root: &Node) -> bool {
    !agents(uri, root).is_empty()
}

/// Reads them.
pub(in crate::manifests) fn read(context: &Context<'_>, root: &Node, out: &mut Declarations) {
    let agents = agents(context.uri, root);
    let kept = context.first(&agents, MAX_AGENTS, "agents", &mut out.notices);
    for agent in kept {
        agent.declare(context, out);
    }
}

fn agents<'n>(uri: &str, root: &'n Node) -> Vec<Agent<'n>> {
    let mut out = Vec::new();
    crew(root, &mut out);
    if out.is_empty() {
        components(root, 0, &mut out);
    }
    if out.is_empty() {
        hosted(root, &mut out);
    }
    if out.is_empty() && uri.ends_with("langgraph.json") {
        for (key, node) in root.get("graphs").into_iter().flat_map(Node::entries) {
            out.push(Agent {
                framework: "LangGraph",
                name: clean(&key.text),
                purpose: None,
                place: (key.line, key.column),
                node,
                native_ids: Vec::new(),
                reach: reach(node),
            });
        }
    }
    if out.is_empty() {
        out.extend(single(root));
    }
    out
}

fn words(node: &Node, keys: &[&str]) -> Option<String> {
    keys.iter()
        .find_map(|key| node.text_at(&[key]))
        .map(|text| clean(text.trim()))
        .filter(|text| !text.is_empty())
}

/// `agents.yaml` of CrewAI: a mapping of agents, each with its role, goal and story.
fn crew<'n>(root: &'n Node, out: &mut Vec<Agent<'n>>) {
    let group = root.get("agents").filter(|node| node.is_map());
    for (key, node) in group.unwrap_or(root).entries() {
        if ["role", "goal", "backstory"]
            .iter()
            .all(|part| node.get(part).is_some())
        {
            out.push(Agent {
                framework: "CrewAI",
                name: clean(&key.text),
                purpose: words(node, &["role"]),
                place: (key.line, key.column),
                node,
                native_ids: Vec::new(),
                reach: reach(node),
            });
        }
    }
}

/// Components of AutoGen, alone or as members of a team.
fn components<'n>(node: &'n Node, depth: usize, out: &mut Vec<Agent<'n>>) {
    if depth > MAX_DEPTH || out.len() > MAX_AGENTS {
        return;
    }
    if node.text_at(&["component_type"]) == Some("agent") && node.get("provider").is_some() {
        let config = node.get("config").unwrap_or(node);
        out.push(Agent {
            framework: "AutoGen",
            name: words(config, &["name"])
                .or_else(|| words(node, &["label"]))
                .unwrap_or_else(|| "agent".to_owned()),
            purpose: words(config, &["description"]).or_else(|| words(node, &["description"])),
            place: (node.line, node.column),
            node,
            native_ids: Vec::new(),
            reach: reach(node),
        });
        return;
    }
    for (_, inner) in node.entries() {
        components(inner, depth + 1, out);
    }
    for inner in node.items() {
        components(inner, depth + 1, out);
    }
}

/// Agents that a platform hosts: `.bedrock_agentcore.yaml`, each with the role it runs as.
fn hosted<'n>(root: &'n Node, out: &mut Vec<Agent<'n>>) {
    for (key, node) in root.get("agents").into_iter().flat_map(Node::entries) {
        let Some(aws) = node.get("aws").filter(|_| node.get("entrypoint").is_some()) else {
            continue;
        };
        let role = words(aws, &["execution_role"]).filter(|role| role.starts_with("arn:"));
        out.push(Agent {
            framework: "Bedrock AgentCore",
            name: clean(&key.text),
            purpose: None,
            place: (key.line, key.column),
            node,
            native_ids: role.into_iter().collect(),
            reach: reach(node),
        });
    }
}

/// A file that is one agent.
fn single(root: &Node) -> Option<Agent<'_>> {
    let kind = root.text_at(&["kind"]).unwrap_or_default();
    let version = root.text_at(&["apiVersion"]).unwrap_or_default();
    let schema = root.text_at(&["$schema"]).unwrap_or_default();
    let class = root.text_at(&["agent_class"]).unwrap_or_default();
    let form = root.text_at(&["type"]).unwrap_or_default();
    let instructed = ["instructions", "instruction", "system_prompt"]
        .iter()
        .any(|key| root.get(key).is_some());
    let framework = if kind == "Agent" && version.starts_with("kagent.dev/") {
        "kagent"
    } else if schema.contains("declarative-agent") {
        "Microsoft 365 Copilot"
    } else if class.ends_with("Agent") && root.get("name").is_some() {
        "Agent Development Kit"
    } else if form.ends_with("_agent") && instructed {
        "Semantic Kernel"
    } else {
        return None;
    };
    let name = words(root, &["name"])
        .or_else(|| {
            root.path(&["metadata"])
                .and_then(|metadata| words(metadata, &["name"]))
        })
        .unwrap_or_else(|| "agent".to_owned());
    let place = root
        .entry("kind")
        .filter(|_| framework == "kagent")
        .map_or((root.line, root.column), |(key, _)| (key.line, key.column));
    Some(Agent {
        framework,
        name,
        purpose: words(root, &["description"]).or_else(|| {
            root.path(&["spec"])
                .and_then(|spec| words(spec, &["description"]))
        }),
        place,
        node: root,
        native_ids: Vec::new(),
        reach: reach(root),
    })
}

/// What a declaration lets its agent reach.
fn reach(node: &Node) -> Reach<'_> {
    let (tools, servers) = tools(node);
    let model = [node, node.get("config").unwrap_or(node)]
        .iter()
        .find_map(|node| words(node, &["llm", "model"]))
        .or_else(|| {
            let client = node.path(&["config", "model_client", "config"])?;
            words(client, &["model"])
        });
    Reach {
        tools,
        servers,
        model,
        runs_code: node.get("allow_code_execution").and_then(Node::as_bool) == Some(true),
        ..Reach::default()
    }
}

/// Names of tools, as the frameworks list them: texts, or mappings that name theirs.
fn tools(node: &Node) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut tools, mut servers) = (BTreeSet::new(), BTreeSet::new());
    let inner = [
        Some(node),
        node.get("config"),
        node.get("spec"),
        node.path(&["spec", "declarative"]),
    ];
    for holder in inner.into_iter().flatten() {
        for key in ["tools", "mcps", "actions", "capabilities"] {
            for tool in holder.get(key).map_or(&[][..], Node::items) {
                let named = tool
                    .as_str()
                    .map(clean)
                    .or_else(|| {
                        tool.get("config")
                            .and_then(|config| words(config, &["name"]))
                    })
                    .or_else(|| words(tool, &["name", "id", "label", "type"]));
                if tool.get("mcpServer").is_none() {
                    tools.extend(named);
                }
                if let Some(server) = tool.get("mcpServer") {
                    servers.extend(words(server, &["name"]));
                    let granted = server.get("toolNames").into_iter().flat_map(Node::texts);
                    tools.extend(granted.map(clean));
                }
            }
        }
    }
    (tools, servers)
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::model::FingerprintKey;

    #[test]
    fn frameworks_declare_their_agents() {
        let key = FingerprintKey::new([7; 32]);
        let files = [
            (
                "crew/config/agents.yaml",
                "researcher:\n  role: >\n    {topic} researcher\n  goal: find\n  backstory: long\n  llm: openai/gpt-4o\n  tools: [SerperDevTool]\nwriter:\n  role: writer\n  goal: write\n  backstory: short\n  allow_code_execution: true\n",
            ),
            (
                "team.json",
                "{\"provider\": \"autogen_agentchat.teams.RoundRobinGroupChat\", \"component_type\": \"team\", \"config\": {\"participants\": [\n {\"provider\": \"autogen_agentchat.agents.AssistantAgent\", \"component_type\": \"agent\", \"config\": {\"name\": \"helper\", \"model_client\": {\"provider\": \"x\", \"config\": {\"model\": \"gpt-4o\", \"api_key\": \"${OPENAI_API_KEY}\"}}, \"tools\": [{\"config\": {\"name\": \"sum\"}}]}}]}}",
            ),
            (
                "langgraph.json",
                "{\"graphs\": {\n\"main\": \"./src/a.py:graph\"}, \"env\": \".env\"}",
            ),
            (
                ".bedrock_agentcore.yaml",
                "default_agent: a\nagents:\n  a:\n    entrypoint: a.py\n    aws:\n      execution_role: arn:aws:iam::123456789012:role/agent\n",
            ),
            (
                "k8s/agent.yaml",
                "apiVersion: kagent.dev/v1alpha2\nkind: Agent\nmetadata: {name: ops}\nspec:\n  description: looks after it\n  declarative:\n    tools: [{type: McpServer, mcpServer: {name: tool-server, toolNames: [k8s_get]}}]\n",
            ),
            (
                "root_agent.yaml",
                "agent_class: LlmAgent\nname: root\nmodel: gemini-2.0\ninstruction: help\n",
            ),
            (
                "agent.yaml",
                "type: chat_completion_agent\nname: host\ninstructions: answer\n",
            ),
            ("values.yaml", "agents:\n  a: {role: x}\n"),
        ];
        let mut shown = Vec::new();
        for (uri, text) in files {
            let out = read("shop", uri, text.as_bytes(), &key).unwrap_or_default();
            for identity in &out.identities {
                let reach = identity.agent.clone().unwrap_or_default();
                let notes: Vec<&str> = identity
                    .notes
                    .iter()
                    .map(|note| note.text.as_str())
                    .collect();
                shown.push(format!(
                    "{} {} {:?} tools {:?} servers {:?} keys {:?} {notes:?}",
                    identity.locations[0].display(),
                    identity.name,
                    identity.purpose,
                    reach.tools,
                    reach.servers,
                    reach.credentials,
                ));
            }
            shown.extend(
                out.consumers
                    .iter()
                    .flat_map(|one| one.uses.native_ids.clone()),
            );
        }
        insta::assert_snapshot!(shown.join("\n"), @r#"
        shop/crew/config/agents.yaml:1 researcher Some("{topic} researcher") tools ["SerperDevTool"] servers [] keys [] ["asks the model openai/gpt-4o"]
        shop/crew/config/agents.yaml:8 writer Some("writer") tools [] servers [] keys [] ["may run code that it writes"]
        shop/team.json:2 helper Some("AutoGen agent of shop") tools ["sum"] servers [] keys ["environment OPENAI_API_KEY"] ["asks the model gpt-4o"]
        shop/.bedrock_agentcore.yaml:3 a Some("Bedrock AgentCore agent of shop") tools [] servers [] keys [] []
        arn:aws:iam::123456789012:role/agent
        shop/k8s/agent.yaml:2 ops Some("looks after it") tools ["k8s_get"] servers ["tool-server"] keys [] []
        shop/root_agent.yaml:1 root Some("Agent Development Kit agent of shop") tools [] servers [] keys [] ["asks the model gemini-2.0"]
        shop/agent.yaml:1 host Some("Semantic Kernel agent of shop") tools [] servers [] keys [] []
        "#);
    }
}
