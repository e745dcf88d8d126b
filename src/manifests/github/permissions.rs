//! `permissions:` of a workflow or job: what the job's own token may do.

use super::super::clean::clean;
use super::super::context::Context;
use super::super::node::Node;
use crate::model::{Evidence, Grade, Grant, GrantId, GrantSource, IdentityId};

/// Most scopes kept.
const MAX_SCOPES: usize = 50;

/// Declared permissions and where they stand.
pub(super) struct Permissions {
    /// `scope:level`, sorted; `write-all` and `read-all` as written.
    scopes: Vec<(String, String)>,
    line: u32,
    column: u32,
}

impl Permissions {
    /// Reads the key of a workflow or job, if it is there.
    pub(super) fn of(owner: &Node) -> Option<Self> {
        let (key, node) = owner.entry("permissions")?;
        let mut scopes: Vec<(String, String)> = match node.as_str() {
            Some(word @ ("read-all" | "write-all")) => {
                let level = word.trim_end_matches("-all");
                vec![("*".to_owned(), level.to_owned())]
            }
            _ => node
                .entries()
                .filter_map(|(scope, level)| {
                    let level = level.as_str()?;
                    matches!(level, "read" | "write")
                        .then(|| (clean(&scope.text), level.to_owned()))
                })
                .take(MAX_SCOPES)
                .collect(),
        };
        scopes.sort();
        scopes.dedup();
        Some(Self {
            scopes,
            line: key.line,
            column: key.column,
        })
    }

    /// The job may ask for an OIDC token.
    pub(super) fn id_token(&self) -> bool {
        self.scopes
            .iter()
            .any(|(scope, level)| level == "write" && matches!(scope.as_str(), "id-token" | "*"))
    }

    /// What the token may do, as a grant; `None` when it may do nothing.
    pub(super) fn grant(&self, context: &Context<'_>, identity: &IdentityId) -> Option<Grant> {
        let table = &context.tables.github;
        let tier = |scope: &str, level: &str| {
            if scope == "*" {
                table.tier_of_all(level)
            } else {
                table.tier(scope, level)
            }
        };
        let most = self
            .scopes
            .iter()
            .max_by_key(|(scope, level)| tier(scope, level))?;
        let native_id = "GITHUB_TOKEN";
        Some(Grant {
            id: GrantId::of(&[identity.as_str(), "github-token"]),
            identity: identity.clone(),
            source: GrantSource::Declared,
            name: "permissions of GITHUB_TOKEN".to_owned(),
            native_id: native_id.to_owned(),
            actions: self
                .scopes
                .iter()
                .map(|(scope, level)| format!("{scope}:{level}"))
                .collect(),
            actions_total: u32::try_from(self.scopes.len()).unwrap_or(u32::MAX),
            resources: vec![context.repository.to_owned()],
            conditions: vec!["ends with the job".to_owned()],
            tier: tier(&most.0, &most.1),
            evidence: vec![Evidence::new(
                Grade::B,
                format!("permissions declare {}:{}", most.0, most.1),
            )],
            location: Some(context.location(self.line, self.column)),
        })
    }
}
