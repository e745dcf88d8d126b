//! What roles of Google Cloud and Azure amount to: `rules/manifests/cloud-roles.toml`.

use super::config::Pattern;
use serde::Deserialize;

/// Tiers of roles.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CloudRoles {
    #[serde(rename = "as_of")]
    _as_of: String,
    #[serde(rename = "source")]
    _source: String,
    gcp: Vec<CloudRole>,
    azure: Vec<CloudRole>,
    azure_ids: Vec<AzureRoleId>,
}

/// A built-in role of Azure by the id that is the same everywhere.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AzureRoleId {
    id: String,
    role: String,
}

/// A pattern over names of roles, and the tiers it gives.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CloudRole {
    role: Pattern,
    wide: u8,
    narrow: u8,
}

impl CloudRoles {
    /// Tier of a role of Google Cloud; `wide`: on a project, folder or organization.
    pub fn gcp(&self, role: &str, wide: bool) -> Option<u8> {
        tier(&self.gcp, role, wide)
    }

    /// Name of a built-in role of Azure that is given by the id of its definition.
    pub fn azure_name(&self, role: &str) -> Option<&str> {
        let id = role.rsplit('/').next()?;
        self.azure_ids
            .iter()
            .find(|known| known.id.eq_ignore_ascii_case(id))
            .map(|known| known.role.as_str())
    }

    /// Tier of a role of Azure; `wide`: on a resource group, subscription or more.
    pub fn azure(&self, role: &str, wide: bool) -> Option<u8> {
        tier(&self.azure, role, wide)
    }
}

fn tier(roles: &[CloudRole], role: &str, wide: bool) -> Option<u8> {
    let known = roles.iter().find(|known| known.role.matches(role))?;
    Some(if wide { known.wide } else { known.narrow })
}

#[cfg(test)]
mod tests {
    use crate::rules::manifests::ManifestTables;

    #[test]
    fn a_role_weighs_more_on_a_whole_project() {
        let roles = &ManifestTables::builtin().unwrap().cloud_roles;
        assert_eq!(roles.gcp("roles/owner", true), Some(5));
        assert_eq!(
            roles.gcp("roles/iam.serviceAccountTokenCreator", false),
            Some(4)
        );
        assert_eq!(roles.gcp("roles/storage.objectViewer", true), Some(2));
        assert_eq!(roles.gcp("projects/x/roles/own", true), None);
        assert_eq!(roles.azure("Contributor", true), Some(4));
        assert_eq!(roles.azure("Contributor", false), Some(3));
        let id = "/subscriptions/0/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635";
        assert_eq!(roles.azure_name(id), Some("Owner"));
        assert_eq!(roles.azure_name("Owner"), None);
    }
}
