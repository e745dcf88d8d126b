//! AI agents: the configuration of clients and of the tool servers they talk to.
//!
//! One file is one agent and one consumer; every tool server in it is an identity of its own. A literal in the file
//! belongs to that one consumer, a reference names it.

mod approvals;
mod declared;
mod entry;
pub(super) mod frameworks;
pub(super) mod instructions;
pub(super) mod literals;
pub(super) mod program;

use super::clean::clean;
use super::context::Context;
use super::node::{Key, Node};
use super::text::saturate;
use crate::model::consumer::IS_GIVEN;
use crate::model::{
    AgentReach, ConsumerClass, ConsumerId, Declarations, Evidence, Grade, Identity, IdentityKind,
};
use crate::rules::manifests::AgentClient;
use entry::Entry;
use literals::Findings;
use std::collections::BTreeSet;

/// Where agents run.
const RUNTIME: &str = "agent-host";
/// Most tool servers of one file.
const MAX_SERVERS: usize = 500;

/// One tool server.
struct Server<'n> {
    name: String,
    line: u32,
    column: u32,
    node: &'n Node,
}

/// Whether the text of a file is worth parsing for a client.
pub(super) fn interesting(client: &AgentClient, bytes: &[u8]) -> bool {
    client.marker.is_empty()
        || client
            .marker
            .iter()
            .any(|marker| memchr::memmem::find(bytes, marker.as_bytes()).is_some())
}

/// Reads one client's configuration.
pub(super) fn read(
    context: &Context<'_>,
    client: &AgentClient,
    root: &Node,
    out: &mut Declarations,
) {
    if !root.is_map() {
        return;
    }
    let mut servers = servers(client, root);
    let named = context.first(&servers, MAX_SERVERS, "tool servers", &mut out.notices);
    servers.truncate(named.len());
    let approved = approvals::of(context, root, &servers);
    // A settings file of an editor is an agent's only if it says something of one.
    if servers.is_empty() && approved.is_empty() && !client.marker.is_empty() {
        return;
    }
    let native_id = format!("{}/{}", context.repository, clean(context.uri));
    let id = ConsumerId::of(&[RUNTIME, context.repository, context.uri]);
    let mut findings = Findings::default();
    findings.read(context, root);

    let mut hosts = BTreeSet::new();
    let mut identities = Vec::new();
    for server in &servers {
        let mut identity = tool_server(context, &client.title, server, &native_id, &mut hosts);
        identity.consumers = vec![id.clone()];
        identities.push(identity);
    }
    let mut providers = findings.providers(context);
    providers.extend(hosts);
    providers.extend(
        servers
            .iter()
            .filter_map(|server| system_of_its_own(context, server)),
    );
    let references = findings.references(context, &id);
    let entry = Entry {
        name: &client.title,
        native_id,
        id,
        purpose: format!("{} in {}", client.title, context.repository),
        place: (root.line, root.column),
        shown_by: format!(
            "configuration of {} with {} tool servers",
            client.title,
            servers.len()
        ),
    };
    let (mut agent, consumer) = entry.build(context, &identities, &[]);
    agent.agent = Some(AgentReach {
        servers: servers.iter().map(|server| server.name.clone()).collect(),
        auto_approved: approved,
        providers: providers.into_iter().collect(),
        tools: tools(&servers),
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

/// Tool servers, from a mapping of names or from a list of servers with a `name`.
fn servers<'n>(client: &AgentClient, root: &'n Node) -> Vec<Server<'n>> {
    let mut servers: Vec<Server<'n>> = Vec::new();
    let mut add = |name: &str, key: Option<&Key>, node: &'n Node| {
        let built_in = matches!(node.text_at(&["type"]), Some("builtin" | "platform"));
        let name = clean(name);
        if node.is_map()
            && !built_in
            && servers.len() <= MAX_SERVERS
            && !servers.iter().any(|known| known.name == name)
        {
            servers.push(Server {
                name,
                line: key.map_or(node.line, |key| key.line),
                column: key.map_or(node.column, |key| key.column),
                node,
            });
        }
    };
    for path in &client.servers {
        for group in root.dotted(path) {
            for (key, node) in group.entries() {
                add(&key.text, Some(key), node);
            }
            for node in group.items() {
                add(node.text_at(&["name"]).unwrap_or("unnamed"), None, node);
            }
        }
    }
    servers
}

/// Tools that the servers' entries name: those let in, by any of the clients' words for that.
fn tools(servers: &[Server<'_>]) -> Vec<String> {
    let mut tools = Vec::new();
    for server in servers {
        for key in ["tools", "includeTools", "enabled_tools", "available_tools"] {
            let named = server.node.get(key).into_iter().flat_map(Node::texts);
            tools.extend(named.map(|tool| format!("{}:{}", server.name, clean(tool))));
        }
    }
    tools.sort();
    tools.dedup();
    tools.truncate(MAX_SERVERS);
    tools
}

/// Whether a text may hold tool servers: cheap.
pub(super) fn mentioned(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, b"mcpServers").is_some()
}

/// A file that no client is known to keep there, with tool servers as most clients write them.
pub(super) fn by_content(root: &Node) -> bool {
    root.get("mcpServers").is_some_and(|servers| {
        servers.entries().any(|(_, server)| {
            ["command", "url", "serverUrl", "httpUrl"]
                .iter()
                .any(|key| server.get(key).is_some())
        })
    })
}

/// A local tool server that is given a secret of which nothing tells the issuer is a system of its own, by its name.
fn system_of_its_own(context: &Context<'_>, server: &Server<'_>) -> Option<String> {
    // One that is reached by its address is counted by its host.
    server.node.get("command")?;
    let mut own = Findings::default();
    own.read(context, server.node);
    let secrets = own.distinct() + own.references(context, &ConsumerId::of(&[])).len();
    (secrets > 0 && own.providers(context).is_empty()).then(|| server.name.clone())
}

/// One tool server as an identity.
fn tool_server(
    context: &Context<'_>,
    title: &str,
    server: &Server<'_>,
    agent: &str,
    hosts: &mut BTreeSet<String>,
) -> Identity {
    let native_id = format!("{agent}#{}", server.name);
    let mut identity = Identity::named(
        "agent",
        IdentityKind::McpServer,
        &server.name,
        &native_id,
        Grade::B,
    );
    identity.account = Some(context.repository.to_owned());
    identity.purpose = Some(format!("tool server of {title}"));
    identity.consumer_class = ConsumerClass::Agent;
    identity.locations = vec![
        context
            .location(server.line, server.column)
            .naming(native_id.clone()),
    ];
    let node = server.node;
    let url = ["url", "serverUrl", "httpUrl", "uri"]
        .iter()
        .find_map(|key| node.text_at(&[key]));
    if let Some(host) = url.and_then(host) {
        identity
            .notes
            .push(Evidence::new(Grade::B, format!("remote server at {host}")));
        hosts.insert(host);
    } else if let Some(command) = command(node) {
        identity
            .notes
            .push(Evidence::new(Grade::B, format!("local server: {command}")));
    }
    let mut own = Findings::default();
    own.read(context, node);
    let references = own.references(context, &ConsumerId::of(&[]));
    for name in own.names(&references) {
        identity
            .notes
            .push(Evidence::new(Grade::B, format!("{IS_GIVEN}{name}")));
    }
    let off = node.get("disabled").and_then(Node::as_bool) == Some(true)
        || node.get("enabled").and_then(Node::as_bool) == Some(false);
    if off {
        identity
            .notes
            .push(Evidence::new(Grade::B, "switched off in this file"));
    }
    identity
}

/// Host of a URL, without user, port and path.
fn host(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    (!host.is_empty() && !host.contains(['$', '{'])).then(|| clean(host))
}

/// Program and package a local server runs; no other arguments, which may be secrets.
fn command(node: &Node) -> Option<String> {
    let command = ["command", "cmd"].iter().find_map(|key| node.get(key))?;
    let mut words: Vec<&str> = command
        .as_str()
        .or_else(|| command.text_at(&["path"]))
        .into_iter()
        .chain(command.items().iter().filter_map(Node::as_str))
        .collect();
    let args = node.get("args").or_else(|| command.get("args"));
    words.extend(
        args.map_or(&[][..], Node::items)
            .iter()
            .filter_map(Node::as_str),
    );
    let program = words.first()?.rsplit(['/', '\\']).next()?;
    let runner = matches!(program, "npx" | "uvx" | "bunx" | "pnpm" | "pipx" | "dlx");
    let package = words
        .iter()
        .skip(1)
        .find(|word| !word.starts_with('-') && !matches!(**word, "run" | "dlx" | "exec"))
        .filter(|_| runner);
    Some(clean(&match package {
        Some(package) => format!("{program} {package}"),
        None => program.to_owned(),
    }))
}

#[cfg(test)]
mod tests {
    use crate::manifests::read;
    use crate::model::{AgentReach, Declarations, FingerprintKey, IdentityKind};

    fn key() -> FingerprintKey {
        FingerprintKey::new([7; 32])
    }

    fn declared(uri: &str, file: &str) -> Declarations {
        read("shop", uri, file.as_bytes(), &key()).unwrap()
    }

    fn github_token() -> String {
        ["gh", "p_", "16C7e42F292c6912E7710c838347Ae178B4a"].concat()
    }

    fn mcp() -> String {
        r#"{
  // servers
  "mcpServers": {
    "github": {
      "command": "npx",
      "args": ["-y", "@modelcontextprotocol/server-github", "--api-key", "k3y-of-the-house-9"],
      "env": {"GITHUB_TOKEN": "@TOKEN@", "PATH": "${PATH}", "LOG_LEVEL": "information"},
      "alwaysAllow": ["get_issue", "create_issue"]
    },
    "search": {
      "type": "http",
      "url": "https://user@mcp.search.example/x?y=1",
      "headers": {"Authorization": "Bearer ${SEARCH_TOKEN}", "X-Api-Key": "op://vault/search/key"},
    },
    "db": {"command": "docker", "args": ["run", "-e", "DB_PASSWORD=hunter2-and-more", "-e", "OPENAI_API_KEY", "img"]}
  }
}"#
        .replace("@TOKEN@", &github_token())
    }

    #[test]
    fn a_file_is_an_agent_and_every_server_an_identity_at_its_line() {
        let out = declared("tools/.mcp.json", &mcp());
        let shown: Vec<String> = out
            .identities
            .iter()
            .map(|identity| {
                format!(
                    "{:?} {} {} {:?}",
                    identity.kind,
                    identity.native_id,
                    identity.locations[0].display(),
                    identity
                        .notes
                        .iter()
                        .map(|note| &note.text)
                        .collect::<Vec<_>>()
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        Agent shop/tools/.mcp.json shop/tools/.mcp.json:1 []
        McpServer shop/tools/.mcp.json#github shop/tools/.mcp.json:4 ["local server: npx @modelcontextprotocol/server-github", "is given github-pat as a value", "is given mcp-static-token as a value"]
        McpServer shop/tools/.mcp.json#search shop/tools/.mcp.json:10 ["remote server at mcp.search.example", "is given environment SEARCH_TOKEN", "is given vault op://vault/search/key"]
        McpServer shop/tools/.mcp.json#db shop/tools/.mcp.json:15 ["local server: docker", "is given environment OPENAI_API_KEY", "is given mcp-static-token as a value"]
        "#);
        assert_eq!(
            out.identities[0].agent,
            Some(AgentReach {
                servers: vec!["github".into(), "search".into(), "db".into()],
                auto_approved: vec!["github:create_issue".into(), "github:get_issue".into()],
                providers: vec![
                    "database".into(),
                    "github".into(),
                    "mcp.search.example".into(),
                    "openai".into(),
                ],
                tools: Vec::new(),
                credentials: vec![
                    "environment OPENAI_API_KEY".into(),
                    "environment SEARCH_TOKEN".into(),
                    "github-pat as a value".into(),
                    "mcp-static-token as a value".into(),
                    "vault op://vault/search/key".into(),
                ],
                static_credentials: 3,
                intent_policy: false,
            })
        );
        assert_eq!(out.consumers.len(), 1);
        assert_eq!(out.consumers[0].uses.identities.len(), 3);
    }

    #[test]
    fn literals_are_sightings_without_their_value() {
        let out = declared(".mcp.json", &mcp());
        let shown: Vec<String> = out
            .credentials
            .iter()
            .map(|seen| {
                format!(
                    "{} {} {} {}:{}",
                    seen.kind,
                    seen.provider,
                    seen.redacted,
                    seen.sighting.line,
                    seen.sighting.column
                )
            })
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        mcp-static-token generic ******** 6:75
        github-pat github ghp_******** 7:32
        mcp-static-token database ******** 15:68
        "#);
        let token = github_token();
        assert_eq!(
            out.credentials[1].fingerprint,
            Some(key().fingerprint("github-pat", token.as_bytes()))
        );
        let all = format!("{out:?}");
        for secret in [token.as_str(), "k3y-of-the-house", "hunter2-and-more"] {
            assert!(!all.contains(secret), "{secret}");
        }
    }

    #[test]
    fn references_name_where_the_value_is_kept() {
        let shown: Vec<String> = declared(".mcp.json", &mcp())
            .references
            .iter()
            .map(|r| format!("{} {} {}", r.store, r.name, r.location.display()))
            .collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        environment OPENAI_API_KEY shop/.mcp.json:15
        environment SEARCH_TOKEN shop/.mcp.json:13
        vault op://vault/search/key shop/.mcp.json:13
        "#);
    }

    #[test]
    fn settings_that_never_ask_approve_everything() {
        let approved = |uri: &str, file: &str| {
            let out = declared(uri, file);
            out.identities[0].agent.clone().unwrap().auto_approved
        };
        let token = github_token();
        let claude = format!(
            "{{\"permissions\": {{\"allow\": [\"Bash(git:*)\", \"Bash(curl -H 'Authorization: Bearer {token}')\"]}}}}"
        );
        let list = approved(".claude/settings.local.json", &claude);
        assert_eq!(list.len(), 2);
        assert!(!list.concat().contains(&token));
        assert_eq!(
            approved(
                ".claude/settings.json",
                "{\"permissions\": {\"defaultMode\": \"bypassPermissions\"}}"
            ),
            ["*"]
        );
        assert_eq!(
            approved(".codex/config.toml", "approval_policy = \"never\""),
            ["*"]
        );
        assert_eq!(
            approved(
                ".gemini/settings.json",
                "{\"mcpServers\": {\"a\": {\"trust\": true}}}"
            ),
            ["a:*"]
        );
    }

    #[test]
    fn every_format_of_servers_is_read() {
        let servers = |uri: &str, file: &str| -> Vec<String> {
            declared(uri, file)
                .identities
                .iter()
                .filter(|identity| identity.kind == IdentityKind::McpServer)
                .map(|identity| {
                    format!("{} {}", identity.name, identity.locations[0].line.unwrap())
                })
                .collect()
        };
        assert_eq!(
            servers(
                ".codex/config.toml",
                "[mcp_servers.a]\ncommand = 'x'\nbearer_token_env_var = 'A_TOKEN'\n"
            ),
            ["a 1"]
        );
        assert_eq!(
            servers(
                ".continue/config.yaml",
                "mcpServers:\n  - name: b\n    command: x\n"
            ),
            ["b 2"]
        );
        assert_eq!(
            servers(
                ".vscode/settings.json",
                "{\"mcp.servers\": {\n\"c\": {\"url\": \"https://x\"}}}"
            ),
            ["c 2"]
        );
        assert_eq!(
            servers(
                ".claude.json",
                "{\"projects\": {\"/p\": {\"mcpServers\": {\n\"d\": {}}}}}"
            ),
            ["d 2"]
        );
        assert_eq!(
            servers(
                "opencode.json",
                "{\"mcp\": {\"e\": {\"command\": [\"npx\", \"-y\", \"p\"]}}}"
            ),
            ["e 1"]
        );
    }

    #[test]
    fn an_editor_without_agent_settings_declares_nothing() {
        let key = key();
        let settings = b"{\"editor.fontSize\": 12, \"mcp\": {}}";
        assert!(read("shop", ".vscode/settings.json", settings, &key).is_none());
        let other = b"{\"servers\": [1]}";
        assert!(read("shop", "x/mcp.json", other, &key).is_none());
    }
}
