//! Lists of nodes by what reaches them.

use super::field::{Field, Kind, Node};
use std::collections::BTreeMap;

/// One list.
pub(super) type Listed<'l> = std::iter::Copied<std::slice::Iter<'l, usize>>;

/// Nodes by what reaches them, in the order in which they were given.
#[derive(Default)]
pub(super) struct Lists<'f> {
    users: BTreeMap<&'f str, Vec<usize>>,
    roles: BTreeMap<&'f str, Vec<usize>>,
    named: BTreeMap<&'f str, Vec<usize>>,
    delegating: BTreeMap<&'f str, Vec<usize>>,
    trusting: BTreeMap<(&'f str, &'f str), Vec<usize>>,
}

impl<'f> Lists<'f> {
    pub(super) fn of(field: &'f Field<'_, '_>, nodes: impl Iterator<Item = usize>) -> Self {
        let mut lists = Self::default();
        for index in nodes {
            let Some(node) = field.nodes.get(index) else {
                continue;
            };
            if node.reserved {
                continue;
            }
            let by_kind = match node.kind {
                Kind::User(_) => &mut lists.users,
                Kind::Role(_) => &mut lists.roles,
                Kind::Group(_) => continue,
            };
            by_kind.entry(node.account).or_default().push(index);
            for name in &node.names {
                lists.named.entry(name).or_default().push(index);
            }
            for account in &node.delegates {
                lists.delegating.entry(account).or_default().push(index);
            }
            for service in node.services.keys() {
                lists
                    .trusting
                    .entry((node.account, service))
                    .or_default()
                    .push(index);
            }
        }
        lists
    }

    pub(super) fn users(&self, account: &str) -> &[usize] {
        self.users.get(account).map_or(&[], Vec::as_slice)
    }

    pub(super) fn roles(&self, account: &str) -> &[usize] {
        self.roles.get(account).map_or(&[], Vec::as_slice)
    }

    /// Roles whose trust names the node itself.
    pub(super) fn naming(&self, node: &Node<'_, '_>) -> Vec<Listed<'_>> {
        let id = node.asker.caller().unique_id.as_str();
        [Some(node.arn), Some(id).filter(|id| !id.is_empty())]
            .into_iter()
            .flatten()
            .filter_map(|key| self.named.get(key))
            .map(|list| list.iter().copied())
            .collect()
    }

    /// Roles whose trust leaves the choice to the account or to anyone.
    pub(super) fn leaving(&self, account: &str) -> Vec<Listed<'_>> {
        [account, "*"]
            .into_iter()
            .filter_map(|key| self.delegating.get(key))
            .map(|list| list.iter().copied())
            .collect()
    }

    /// Roles of an account that trust one of the services.
    pub(super) fn trusting<'s>(
        &'s self,
        account: &'s str,
        services: &[&'static str],
    ) -> Vec<Listed<'s>> {
        services
            .iter()
            .filter_map(|service| self.trusting.get(&(account, *service)))
            .map(|list| list.iter().copied())
            .collect()
    }
}
