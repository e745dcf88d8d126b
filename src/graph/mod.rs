//! Joins everything seen into one inventory: same credential, same identity, who uses it, who owns it. Pure.
//!
//! The parts run in one order, each on what the ones before it left: accounts and declarations give identities, grants
//! and consumers ([`aws`], [`declared`]); credentials are those of inventories, those seen and those only named
//! ([`credentials`], [`sightings`]), and find their identity ([`holders`]); consumers are connected to both
//! ([`consumers`], [`trusted`]); at last every identity is classified and given an owner ([`classify`], [`owners`]).
//!
//! The order of the input does not matter: every collection is sorted by a total key before it is read.

mod aws;
mod aws_other;
mod chains;
mod classify;
mod clusters;
mod code;
mod consumers;
mod credentials;
mod declared;
mod filled;
mod finish;
mod halves;
mod holders;
mod ids;
mod merge;
mod named;
mod observed;
mod owners;
mod placed;
mod servers;
mod sightings;
mod states;
mod stored;
#[cfg(test)]
mod tests;
mod trails;
mod trusted;
mod words;

use crate::model::aws::AwsAccount;
use crate::model::{
    Coverage, CoverageStatus, CredentialId, Declarations, Identity, IdentityId, Inventory,
    Location, Moment, Observed, OwnerSource, SecretReference, SeenCredential,
};
use crate::rules::aws::AwsTables;
use crate::rules::config::Config;
use crate::rules::inventory::InventoryRules;
use crate::rules::manifests::ManifestTables;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

pub use ids::{credential_by_fingerprint, credential_by_public_id};

/// Name of this room in the coverage.
const SOURCE: &str = "inventory";

static RULES: LazyLock<Option<InventoryRules>> = LazyLock::new(|| InventoryRules::builtin().ok());

/// Owner of a path by what its repository says, and where it says so: from the repository's name and the path,
/// percent-encoded.
pub type OwnerOf<'a> = dyn Fn(&str, &str) -> Option<(String, OwnerSource)> + 'a;

/// What the file of a repository is for, as a catalogue says.
pub type PurposeOf<'a> = dyn Fn(&str, &str) -> Option<String> + 'a;

/// Everything that was seen.
pub struct JoinInput<'a> {
    /// AWS accounts.
    pub accounts: &'a [AwsAccount],
    /// What manifests, workflows and configuration declare.
    pub declarations: Vec<Declarations>,
    /// Credentials the text engine saw, one a place.
    pub seen: Vec<SeenCredential>,
    /// What logs showed.
    pub observed: Observed,
    /// The user's configuration.
    pub config: &'a Config,
    /// Facts about AWS; without them, the accounts are not looked at.
    pub tables: Option<&'a AwsTables>,
    /// CODEOWNERS and catalogues.
    pub owner_of: &'a OwnerOf<'a>,
    /// Catalogues.
    pub purpose_of: &'a PurposeOf<'a>,
    /// The time of the scan.
    pub now: &'a Moment,
}

/// The joined inventory.
pub struct Joined {
    /// The inventory.
    pub inventory: Inventory,
    /// What could not be judged or is missing, sorted.
    pub coverage: Vec<Coverage>,
}

/// The inventory while it is built.
struct Graph<'a> {
    inventory: Inventory,
    coverage: Vec<Coverage>,
    rules: &'a InventoryRules,
    manifests: &'a ManifestTables,
    config: &'a Config,
    owner_of: &'a OwnerOf<'a>,
    purpose_of: &'a PurposeOf<'a>,
    now: &'a Moment,
    /// Accounts that were read, by id.
    accounts: BTreeMap<&'a str, &'a AwsAccount>,
    /// Identities by native id.
    native: BTreeMap<String, IdentityId>,
    /// Whom a credential's own material names.
    subjects: BTreeMap<CredentialId, String>,
    /// Where credentials are named that were not seen.
    referenced: BTreeMap<CredentialId, Vec<Location>>,
    /// Store, repository and name of credentials that are known by name.
    named: BTreeMap<CredentialId, named::Name>,
    /// Where the values of names stand.
    defined: Vec<SecretReference>,
}

/// Joins everything into one inventory.
pub fn join(input: JoinInput<'_>) -> Joined {
    let JoinInput {
        accounts,
        mut declarations,
        seen,
        observed,
        config,
        tables,
        owner_of,
        purpose_of,
        now,
    } = input;
    let (Some(rules), Ok(manifests)) = (RULES.as_ref(), ManifestTables::builtin()) else {
        return Joined {
            inventory: Inventory::default(),
            coverage: vec![Coverage::new(
                SOURCE,
                "rules",
                CoverageStatus::Failed,
                "the rule data for the inventory is not usable; run `overstay rules check`",
            )],
        };
    };
    let own: BTreeSet<String> = accounts
        .iter()
        .map(|account| account.account_id.clone())
        .chain(
            config
                .account
                .iter()
                .filter(|(_, note)| note.own)
                .map(|(id, _)| id.clone()),
        )
        .collect();
    let mut graph = Graph {
        inventory: Inventory::default(),
        coverage: Vec::new(),
        rules,
        manifests,
        config,
        owner_of,
        purpose_of,
        now,
        accounts: accounts
            .iter()
            .map(|account| (account.account_id.as_str(), account))
            .collect(),
        native: BTreeMap::new(),
        subjects: BTreeMap::new(),
        referenced: BTreeMap::new(),
        named: BTreeMap::new(),
        defined: Vec::new(),
    };
    if let Some(tables) = tables {
        aws::add(&mut graph, accounts, tables, &own);
        let stacks: Vec<_> = declarations
            .iter_mut()
            .flat_map(|file| std::mem::take(&mut file.stacks))
            .collect();
        code::add(&mut graph, &stacks, tables, &own);
    }
    let gathered = declared::add(&mut graph, declarations);
    credentials::add_seen(
        &mut graph,
        seen.into_iter().chain(gathered.literals).collect(),
    );
    let references = filled::follow(&graph, gathered.references, &gathered.filled);
    credentials::add_references(&mut graph, references);
    filled::tell(&mut graph, &gathered.filled);
    placed::join(&mut graph, &gathered.placed);
    stored::join(&mut graph);
    named::define(&mut graph);
    holders::find(&mut graph);
    named::same_name(&mut graph);
    clusters::join(&mut graph);
    states::compare(&mut graph);
    consumers::connect(&mut graph);
    trusted::add(&mut graph);
    observed::add(&mut graph, observed, tables);
    servers::all(&mut graph);
    chains::note(&mut graph);
    classify::all(&mut graph);
    owners::all(&mut graph);
    finish::all(&mut graph);
    let Graph {
        inventory,
        mut coverage,
        ..
    } = graph;
    coverage.sort();
    coverage.dedup();
    Joined {
        inventory,
        coverage,
    }
}

impl Graph<'_> {
    /// Adds an identity, or what it tells beyond the one of the same id; the better evidence wins.
    fn add_identity(&mut self, identity: Identity) -> IdentityId {
        let id = identity.id.clone();
        self.native
            .entry(identity.native_id.clone())
            .or_insert_with(|| id.clone());
        match self.inventory.identities.get_mut(&id) {
            Some(known) => merge::identity(known, identity),
            None => {
                self.inventory.identities.insert(id.clone(), identity);
            }
        }
        id
    }
}
