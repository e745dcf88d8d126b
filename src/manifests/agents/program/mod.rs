//! Agents that program code makes: calls of a framework's classes and functions, by what was imported from it.
//!
//! Classes that extend a framework's are agents too, and so is what the code cells of notebooks make. Nothing is run. A name that is assigned once stands for its value, a tool that is a function of the file for what it asks of
//! the environment.

mod classes;
mod notebook;
mod source;
mod token;
mod value;

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::{Key, Node, Value};
use super::declared::{Agent, Reach};
use super::{Server, command, host};
use crate::model::Declarations;
use crate::rules::agent_code::{AgentCode, AgentFramework};
use classes::{AgentClass, classes};
use memchr::memmem;
use source::Source;
use std::collections::{BTreeMap, BTreeSet};
use token::{Kind, Language};
use value::{CALL, Values};

/// Largest program read, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Largest notebook read, in bytes: pictures stand in it beside the code.
const MAX_NOTEBOOK: usize = 5 << 20;
/// Bytes at the beginning in which programs import.
const HEAD: usize = 16 << 10;
/// Most agents of one file.
const MAX_AGENTS: usize = 200;
/// Deepest nesting in which tool servers are looked for.
const MAX_DEPTH: usize = 30;
/// Longest name kept, in characters.
const MAX_NAME: usize = 80;

/// The language of a program that may make agents; none of tests, which make none that run.
fn language(uri: &str) -> Option<Language> {
    let (folder, name) = uri.rsplit_once('/').unwrap_or(("", uri));
    let (stem, extension) = name.rsplit_once('.')?;
    let language = match extension {
        "py" | "ipynb" => Language::Python,
        "ts" | "tsx" | "js" | "jsx" | "mjs" | "cjs" | "mts" | "cts" => Language::Script,
        _ => return None,
    };
    let test = stem.starts_with("test_")
        || stem == "conftest"
        || ["_test", ".test", ".spec", ".d", ".min"]
            .iter()
            .any(|end| stem.ends_with(end))
        || folder.split('/').any(|part| {
            matches!(
                part,
                "test" | "tests" | "__tests__" | "node_modules" | ".ipynb_checkpoints"
            )
        });
    (!test).then_some(language)
}

/// Whether a path may be that of a program that makes agents.
pub(in crate::manifests) fn wants(uri: &str) -> bool {
    language(uri).is_some()
}

/// Whether a program may make agents: cheap. Every framework has the word in its own name or in that of what it makes.
pub(in crate::manifests) fn interesting(uri: &str, bytes: &[u8]) -> bool {
    let (head, most) = if is_notebook(uri) {
        (bytes, MAX_NOTEBOOK)
    } else {
        (bytes.get(..HEAD).unwrap_or(bytes), MAX_BYTES)
    };
    bytes.len() <= most
        && memmem::find(head, b"gent").is_some()
        && (memmem::find(head, b"import").is_some() || memmem::find(head, b"require").is_some())
}

fn is_notebook(uri: &str) -> bool {
    uri.rsplit_once('.')
        .is_some_and(|(_, extension)| extension == "ipynb")
}

/// Reads a program.
pub(in crate::manifests) fn read(context: &Context<'_>, out: &mut Declarations) {
    let Some(language) = language(context.uri) else {
        return;
    };
    if !is_notebook(context.uri) {
        program(context, language, out);
        return;
    }
    if let Some((text, language)) = notebook::program(context.text) {
        let inside = Context {
            repository: context.repository,
            uri: context.uri,
            text: &text,
            key: context.key,
            tables: context.tables,
        };
        program(&inside, language, out);
    }
}

/// What makes an agent, in the order of the text.
struct Made<'c> {
    framework: &'c AgentFramework,
    /// Where its name begins.
    start: usize,
    /// The framework's word for it.
    called: String,
    /// The program's class that it is of.
    class: Option<&'c str>,
    node: Node,
}

fn program(context: &Context<'_>, language: Language, out: &mut Declarations) {
    let source = Source::read(context.text.as_str(), language);
    let code = &context.tables.agent_code;
    let classes = classes(&source, code);
    let calls = calls(&source, code, &classes);
    let mut values = Values::new(&source, context.text);
    let mut made: Vec<Made<'_>> = Vec::new();
    let told = |framework: &AgentFramework, arguments: &[(Key, Node)]| {
        framework.with.is_empty()
            || arguments
                .iter()
                .any(|(key, _)| framework.with.contains(&key.text))
    };
    let node = |start: usize, mut arguments: Vec<(Key, Node)>| {
        arguments.retain(|(key, _)| !code.others.contains(&key.text));
        let span = source.token(start).map_or((0, 0), |at| (at.start, at.end));
        Node::at(context.text, span, Value::Map(arguments))
    };
    let mut by_call: BTreeSet<&str> = BTreeSet::new();
    for call in calls {
        let mut arguments = values.arguments(call.open, 0);
        let given = arguments
            .iter()
            .any(|(key, _)| !code.others.contains(&key.text));
        let (start, end) = (call.start, source.behind(call.open));
        // CrewAI keeps these in files, where they are read.
        let elsewhere = (call.open..end).any(|at| source.word(at) == "agents_config");
        if !given || elsewhere {
            continue;
        }
        let mut called = source.word(start).to_owned();
        if let Some(class) = call.class {
            by_call.insert(class.class.name);
            called.clone_from(&class.base);
            for (key, value) in class.arguments(&source, &mut values) {
                if !arguments.iter().any(|(known, _)| known.text == key.text) {
                    arguments.push((key, value));
                }
            }
        }
        if told(call.framework, &arguments) {
            made.push(Made {
                framework: call.framework,
                start,
                called,
                class: call.class.map(|class| class.class.name),
                node: node(start, arguments),
            });
        }
    }
    for class in &classes {
        if class.extended || by_call.contains(class.class.name) {
            continue;
        }
        let arguments = class.arguments(&source, &mut values);
        if told(class.framework, &arguments) {
            made.push(Made {
                framework: class.framework,
                start: class.class.start + 1,
                called: class.base.clone(),
                class: Some(class.class.name),
                node: node(class.class.start, arguments),
            });
        }
    }
    made.sort_by_key(|one| one.start);
    let lone = lone_server(&source, code, &mut values);
    let kept = context.first(&made, MAX_AGENTS, "agents", &mut out.notices);
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for one in kept {
        let reader = Reader {
            code,
            source: &source,
            node: &one.node,
            class: one.class,
            lone: lone.as_ref(),
        };
        let mut name = reader.name(one.start);
        let count = known.entry(name.clone()).or_default();
        *count += 1;
        if *count > 1 {
            name = format!("{name} {count}");
        }
        Agent {
            framework: &one.framework.title,
            purpose: reader
                .first(&reader.code.purposes)
                .filter(|purpose| *purpose != name),
            name,
            place: (one.node.line, one.node.column),
            node: &one.node,
            native_ids: Vec::new(),
            reach: reader.reach(&one.called),
        }
        .declare(context, out);
    }
}

/// A call that makes an agent.
struct Call<'c, 'a> {
    framework: &'c AgentFramework,
    /// The class of the same file that is called.
    class: Option<&'a AgentClass<'c, 'a, 'a>>,
    /// Where the called name begins, and where its bracket opens.
    start: usize,
    open: usize,
}

/// The calls of a program that make agents.
fn calls<'c, 'a>(
    source: &Source<'_>,
    code: &'c AgentCode,
    classes: &'a [AgentClass<'c, 'a, 'a>],
) -> Vec<Call<'c, 'a>> {
    let mut calls = Vec::new();
    let mut at = 0;
    while at < source.len() {
        let start = at;
        at += 1;
        let Some(first) = source.name(start) else {
            continue;
        };
        let before = start
            .checked_sub(1)
            .map_or("", |before| source.word(before));
        if matches!(before, "." | "def" | "class" | "function") {
            continue;
        }
        let mut parts = vec![first];
        while source.is(at, b'.') {
            let Some(name) = source.name(at + 1) else {
                break;
            };
            parts.push(name);
            at += 2;
        }
        let open = behind_types(source, at);
        if !source.is(open, b'(') {
            continue;
        }
        let class = classes
            .iter()
            .find(|one| parts.as_slice() == [one.class.name]);
        let framework = match class {
            Some(class) => Some(class.framework),
            None => source
                .imported(&parts)
                .and_then(|(module, call)| code.framework(&module, &call)),
        };
        if let Some(framework) = framework {
            calls.push(Call {
                framework,
                class,
                start,
                open,
            });
        }
    }
    calls
}

/// The tool server that a program makes, where it makes one.
fn lone_server(source: &Source<'_>, code: &AgentCode, values: &mut Values<'_, '_>) -> Option<Node> {
    let mut calls = (0..source.len()).filter(|at| {
        source.is(at + 1, b'(')
            && source
                .name(*at)
                .is_some_and(|name| code.server_calls.iter().any(|known| known == name))
    });
    let (Some(only), None) = (calls.next(), calls.next()) else {
        return None;
    };
    Some(values.value(only, source.len(), 0).0)
}

/// Behind the types that a call is given: `Agent[Deps](`, `new Agent<Context>(`.
fn behind_types(source: &Source<'_>, at: usize) -> usize {
    if source.language == Language::Python && source.is(at, b'[') {
        return source.behind(at);
    }
    if source.language == Language::Script && source.is(at, b'<') {
        let mut depth = 0usize;
        for inner in at..at + 60 {
            match source.kind(inner) {
                Some(Kind::Mark(b'<')) => depth += 1,
                Some(Kind::Mark(b'>')) if depth == 1 => return inner + 1,
                Some(Kind::Mark(b'>')) => depth = depth.saturating_sub(1),
                Some(Kind::Mark(b'(' | b';')) | None => break,
                _ => {}
            }
        }
    }
    at
}

/// Reads one call's arguments.
struct Reader<'r, 't> {
    code: &'r AgentCode,
    source: &'r Source<'t>,
    node: &'r Node,
    /// The program's class that it is of.
    class: Option<&'r str>,
    /// The only tool server that the file makes.
    lone: Option<&'r Node>,
}

impl<'r> Reader<'r, '_> {
    /// The first of these arguments that is a text of one line.
    fn first(&self, keys: &[String]) -> Option<String> {
        keys.iter()
            .filter_map(|key| self.node.text_at(&[key]))
            .map(short)
            .find(|text| !text.is_empty())
    }

    /// What an agent is called: by its arguments, what it is assigned to, or where it is made.
    fn name(&self, start: usize) -> String {
        let code = self.code;
        let (role, names): (Vec<&String>, Vec<&String>) =
            code.names.iter().partition(|key| *key == "role");
        let text = |keys: &[&String]| {
            keys.iter()
                .filter_map(|key| self.node.text_at(&[key]))
                .map(short)
                // A name that is put together when it runs says little.
                .find(|text| !text.is_empty() && !text.contains('{'))
        };
        text(&names)
            .or_else(|| {
                let given = self.node.text_at(&["0"])?;
                (!self.is_model(given) && !given.contains(char::is_whitespace))
                    .then(|| short(given))
            })
            .or_else(|| self.assigned(start))
            .or_else(|| self.class.map(short))
            .or_else(|| text(&role))
            .or_else(|| self.source.around(start).map(short))
            .unwrap_or_else(|| "agent".to_owned())
    }

    fn is_model(&self, text: &str) -> bool {
        text.contains([':', '/']) || self.code.provider_of(text).is_some()
    }

    /// The name a call's result is assigned to, or its key in a mapping.
    fn assigned(&self, start: usize) -> Option<String> {
        let source = self.source;
        let mut at = start.checked_sub(1)?;
        while matches!(source.word(at), "new" | "await") {
            at = at.checked_sub(1)?;
        }
        if source.is(at, b':') && source.kind(at.checked_sub(1)?) == Some(Kind::Text) {
            return Some(short(&token::said(source.word(at - 1))));
        }
        if !source.is(at, b'=') && !source.is(at, b':') {
            return None;
        }
        let mut name = source.name(at.checked_sub(1)?)?;
        // A type may stand between: the name is the line's first, or follows the keyword.
        for before in (at.saturating_sub(12)..at).rev() {
            let word = source.word(before);
            if matches!(word, "const" | "let" | "var") {
                name = source.name(before + 1)?;
                break;
            }
            if source.is(before, b'(') || source.is(before, b',') {
                break;
            }
            if source.token(before)?.first {
                if word != "self" && word != "this" {
                    name = source.name(before).unwrap_or(name);
                }
                break;
            }
        }
        Some(short(name))
    }

    fn reach(&self, called: &str) -> Reach<'r> {
        let mut reach = Reach::default();
        self.servers(self.node, "", 0, &mut reach);
        // A server that is handed on from function to function is the one the file makes.
        if let (true, [_], Some(lone)) = (
            reach.described.is_empty(),
            reach.servers.iter().collect::<Vec<_>>().as_slice(),
            self.lone,
        ) {
            reach.servers.clear();
            self.servers(lone, "", 0, &mut reach);
        }
        self.tools(&mut reach);
        let mut models: Vec<String> = Vec::new();
        for key in self.code.models.iter().map(String::as_str).chain(["0"]) {
            let Some(node) = self.node.get(key) else {
                continue;
            };
            if let Some(provider) = node.text_at(&[CALL]).and_then(|call| self.maker(call)) {
                reach.providers.insert(provider);
            }
            let named = match &node.value {
                Value::Scalar { text, .. } => Some(text.as_str()),
                _ => self
                    .code
                    .model_names
                    .iter()
                    .find_map(|name| node.text_at(&[name])),
            };
            models.extend(
                named
                    .filter(|text| key != "0" || self.is_model(text))
                    .map(short),
            );
        }
        reach.model = models.into_iter().find(|model| !model.is_empty());
        if let Some(provider) = reach.model.as_ref().and_then(|model| self.maker(model)) {
            reach.providers.insert(provider);
        }
        self.freedom(self.node, 0, &mut reach);
        reach.runs_code |= self.code.code_runners.iter().any(|runner| runner == called);
        reach
    }

    /// Whose model a name or a class is of.
    fn maker(&self, name: &str) -> Option<String> {
        let name = name.strip_prefix("Chat").unwrap_or(name);
        self.code.provider_of(name).map(str::to_owned)
    }

    /// Tools by name: of lists, and the keys of mappings.
    fn tools(&self, reach: &mut Reach<'r>) {
        let lists = self.code.tools.iter().map(String::as_str);
        let options = self.node.get("options").unwrap_or(self.node);
        for key in lists.chain(["1"]) {
            for list in [self.node.get(key), options.get(key)].into_iter().flatten() {
                if list.get(CALL).is_none() && key != "1" {
                    let named = list.entries().map(|(key, _)| clean(&key.text));
                    reach.tools.extend(named);
                }
                for tool in list.items() {
                    let is_server = tool
                        .text_at(&[CALL])
                        .is_some_and(|call| self.is_server(call));
                    let named = tool
                        .as_str()
                        .or_else(|| tool.text_at(&["function", "name"]))
                        .or_else(|| {
                            ["name", "id", "label", "0", CALL]
                                .iter()
                                .find_map(|key| tool.text_at(&[key]))
                        });
                    if !is_server {
                        reach.tools.extend(named.map(short));
                    }
                }
            }
        }
    }

    fn is_server(&self, call: &str) -> bool {
        self.code.server_calls.iter().any(|known| known == call)
    }

    /// Tool servers anywhere below a node; `key` is what it stands under.
    fn servers(&self, node: &'r Node, key: &str, depth: usize, reach: &mut Reach<'r>) {
        if depth > MAX_DEPTH {
            return;
        }
        let call = node.text_at(&[CALL]).unwrap_or_default();
        let holds = self.code.servers.iter().any(|known| known == key) && key != "tools";
        let groups = self.code.server_groups.iter().any(|known| known == call);
        if groups {
            let inner = ["0", "connections", "mcpServers", "servers", "0.mcpServers"];
            let named = inner.iter().flat_map(|path| node.dotted(path));
            let before = reach.described.len();
            for (key, server) in named.flat_map(Node::entries) {
                if server.is_map() {
                    push(reach, clean(&key.text), server);
                }
            }
            if reach.described.len() > before {
                return;
            }
        }
        if self.is_server(call) {
            let settings = self.settings(node);
            push(reach, server_name(node, settings), settings);
            return;
        }
        if holds && node.is_map() && call.is_empty() {
            for (key, server) in node.entries() {
                if server.is_map() {
                    push(reach, clean(&key.text), server);
                } else {
                    reach.servers.insert(clean(&key.text));
                }
            }
            return;
        }
        for (key, inner) in node.entries() {
            self.servers(inner, &key.text, depth + 1, reach);
        }
        for item in node.items() {
            match item.as_str() {
                Some(name) if holds && key != "toolsets" => {
                    reach.servers.insert(clean(name));
                }
                _ => {
                    let before = reach.described.len();
                    self.servers(item, key, depth + 1, reach);
                    let name = item
                        .text_at(&["name"])
                        .filter(|_| holds && key != "toolsets");
                    if let Some(name) = name.filter(|_| reach.described.len() == before) {
                        reach.servers.insert(clean(name));
                    }
                }
            }
        }
    }

    /// How a server is reached: the call itself or what it is given.
    fn settings(&self, node: &'r Node) -> &'r Node {
        let mut settings = node;
        for _ in 0..4 {
            let inner = self
                .code
                .server_settings
                .iter()
                .find_map(|key| settings.get(key))
                .or_else(|| settings.get("0"))
                .filter(|inner| inner.is_map());
            let Some(inner) = inner else {
                break;
            };
            settings = inner;
        }
        settings
    }

    /// What runs unasked, and whether it runs code.
    fn freedom(&self, node: &Node, depth: usize, reach: &mut Reach<'_>) {
        if depth > 4 {
            return;
        }
        for (key, value) in node.entries() {
            let is = |known: &String| *known == key.text;
            let unasked =
                self.code.never_ask.iter().any(|setting| {
                    is(&setting.key) && value.as_str() == Some(setting.value.as_str())
                });
            if unasked {
                reach.approved.insert("*".to_owned());
            }
            if self.code.approvals.iter().any(is) {
                reach.approved.extend(value.texts().map(short));
            }
            let on = match &value.value {
                Value::Scalar { .. } => value.as_bool() == Some(true),
                Value::Map(entries) => !entries.is_empty(),
                _ => false,
            };
            if on && self.code.runs_code.iter().any(is) {
                reach.runs_code = true;
            }
            if key.text == CALL
                && value
                    .as_str()
                    .is_some_and(|call| self.code.code_runners.iter().any(|known| known == call))
            {
                reach.runs_code = true;
            }
            self.freedom(value, depth + 1, reach);
            for item in value.items() {
                self.freedom(item, depth + 1, reach);
            }
        }
    }
}

/// What a server is called: by its call, by where it is, or by what it runs.
fn server_name(node: &Node, settings: &Node) -> String {
    let given = ["name", "server_label", "serverLabel"]
        .iter()
        .find_map(|key| node.text_at(&[key]))
        .map(short);
    let address = ["url", "server_url", "serverUrl"]
        .iter()
        .find_map(|key| settings.text_at(&[key]))
        .and_then(host);
    given
        .or(address)
        .or_else(|| command(settings))
        .unwrap_or_else(|| node.text_at(&[CALL]).map_or_else(String::new, short))
}

fn push<'n>(reach: &mut Reach<'n>, name: String, node: &'n Node) {
    let names: BTreeSet<&str> = reach
        .described
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    if names.contains(name.as_str()) || reach.described.len() >= super::MAX_SERVERS {
        return;
    }
    reach.described.push(Server {
        name,
        line: node.line,
        column: node.column,
        node,
    });
}

/// A text for one line of a list.
fn short(text: &str) -> String {
    let line: String = clean(text.trim()).chars().take(MAX_NAME).collect();
    line.trim().to_owned()
}

#[cfg(test)]
mod tests;
