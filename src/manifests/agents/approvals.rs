//! Tools an agent runs without asking.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use super::Server;
use std::collections::BTreeSet;

/// Most entries kept.
const MAX_ENTRIES: usize = 200;

/// Entries of every list that lets tools run unasked, `*` for all, `server:tool` for those of one server; sorted.
pub(super) fn of(context: &Context<'_>, root: &Node, servers: &[Server<'_>]) -> Vec<String> {
    let table = &context.tables.agents;
    let mut approved = BTreeSet::new();
    for path in &table.approve_all {
        if root
            .dotted(path)
            .iter()
            .any(|node| node.as_bool() == Some(true))
        {
            approved.insert("*".to_owned());
        }
    }
    for setting in &table.never_ask {
        if root
            .dotted(&setting.key)
            .iter()
            .any(|node| node.as_str() == Some(&setting.value))
        {
            approved.insert("*".to_owned());
        }
    }
    for path in &table.approval_lists {
        for list in root.dotted(path) {
            approved.extend(list.texts().map(clean));
            // `{"git": true}` and `{"bash": "allow"}` list tools by key.
            approved.extend(
                list.entries()
                    .filter(|(_, value)| {
                        value.as_bool() == Some(true) || value.as_str() == Some("allow")
                    })
                    .map(|(key, _)| clean(&key.text)),
            );
        }
    }
    for server in servers {
        for key in &table.approvals {
            let Some(value) = server.node.get(key) else {
                continue;
            };
            if value.as_bool() == Some(true) {
                approved.insert(format!("{}:*", server.name));
            }
            let tools = value.items().iter().filter_map(Node::as_str);
            approved.extend(tools.map(|tool| format!("{}:{}", server.name, clean(tool))));
        }
    }
    approved.into_iter().take(MAX_ENTRIES).collect()
}
