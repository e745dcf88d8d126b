//! Person or machine, environment, break-glass.

use super::{Graph, words};
use crate::model::{
    BreakGlass, Environment, Evidence, Grade, Identity, IdentityKind, PrincipalKind,
};
use crate::rules::inventory::InventoryRules;

/// Classifies every identity.
pub(super) fn all(graph: &mut Graph<'_>) {
    let mut identities = std::mem::take(&mut graph.inventory.identities);
    for identity in identities.values_mut() {
        human(graph, identity);
        environment(graph, identity);
        break_glass(graph, identity);
    }
    graph.inventory.identities = identities;
}

/// Names an annotation may match an identity by.
pub(super) fn names(identity: &Identity) -> [&str; 3] {
    [
        identity.native_id.as_str(),
        identity.name.as_str(),
        identity.id.as_str(),
    ]
}

/// A person's sign-in, or a machine's. A user that a machine uses and that has a console password stays a machine: that
/// people can sign in to it is a fault of its own, and it is not the person's account.
fn human(graph: &Graph<'_>, identity: &mut Identity) {
    let declared = graph.config.annotated(&names(identity), |note| note.human);
    if let Some(human) = declared {
        identity.human = human;
        identity.human_evidence = Some(format!(
            "declared a {} in the configuration",
            if human { "person" } else { "machine" }
        ));
        return;
    }
    if identity.human_evidence.is_some() {
        return;
    }
    let (human, evidence) = match identity.kind {
        IdentityKind::IamUser => user(graph.rules, identity),
        IdentityKind::ServiceLinkedRole if identity.native_id.contains("/AWSReservedSSO_") => (
            true,
            "a permission set of Identity Center, which people sign in to".to_owned(),
        ),
        IdentityKind::IamRole
            if !identity.trust.is_empty()
                && identity
                    .trust
                    .iter()
                    .all(|path| path.principal_kind == PrincipalKind::Saml) =>
        {
            (
                true,
                "only people of a SAML provider may become it".to_owned(),
            )
        }
        _ => return,
    };
    identity.human = human;
    identity.human_evidence = Some(evidence);
}

fn user(rules: &InventoryRules, identity: &Identity) -> (bool, String) {
    let says =
        |text: &str, list: &[String]| words::of(text).into_iter().find(|word| list.contains(word));
    let kind = InventoryRules::tag(&rules.tags.kind, &identity.tags);
    if let Some((key, value)) = kind {
        if says(value, &rules.words.machine).is_some() {
            return (false, format!("tag {key} says `{value}`"));
        }
        if says(value, &rules.words.person).is_some() {
            return (true, format!("tag {key} says `{value}`"));
        }
    }
    if let Some(word) = says(&identity.name, &rules.words.machine) {
        let beside = if identity.console_password == Some(true) {
            ", though it has a console password"
        } else {
            ""
        };
        return (false, format!("its name says `{word}`{beside}"));
    }
    match identity.console_password {
        Some(true) => (
            true,
            match identity.mfa {
                Some(true) => "has a console password and an MFA device",
                _ => "has a console password",
            }
            .to_owned(),
        ),
        Some(false) => (false, "has no console password".to_owned()),
        None => {
            if let Some((key, _)) = InventoryRules::tag(&rules.tags.person, &identity.tags) {
                (true, format!("tag {key} is one people have"))
            } else if identity.name.contains('@') {
                (true, "its name is a mail address".to_owned())
            } else {
                (
                    false,
                    "nothing says that a person signs in to it; its console password is unknown"
                        .to_owned(),
                )
            }
        }
    }
}

fn environment(graph: &Graph<'_>, identity: &mut Identity) {
    let account = identity.account.as_deref();
    let noted = account
        .and_then(|account| graph.config.account.get(account))
        .and_then(|note| note.environment)
        .or_else(|| {
            let repositories = account.into_iter().chain(
                identity
                    .locations
                    .iter()
                    .filter_map(|at| at.repository.as_deref()),
            );
            repositories
                .filter(|name| !name.starts_with("aws/"))
                .find_map(|name| graph.config.repository(name, |note| note.environment))
        });
    let tag = InventoryRules::tag(&graph.rules.tags.environment, &identity.tags);
    let tagged = tag.map(|(_, value)| graph.manifests.environments.of(value));
    let told = graph
        .config
        .annotated(&names(identity), |note| note.environment)
        .or(tagged.filter(|environment| *environment != Environment::Unknown))
        .or(Some(identity.environment).filter(|environment| *environment != Environment::Unknown))
        .or(noted);
    if let Some(environment) = told {
        identity.environment = environment;
        return;
    }
    let alias = account
        .and_then(|account| graph.accounts.get(account))
        .and_then(|account| account.alias.as_deref());
    let account_name = account
        .and_then(|account| graph.config.account.get(account))
        .and_then(|note| note.name.as_deref());
    let texts = [
        ("its name", Some(identity.name.as_str())),
        ("the account's alias", alias),
        ("the account's name", account_name),
    ];
    for (what, text) in texts {
        let Some(text) = text else { continue };
        let environment = graph.manifests.environments.of(text);
        if environment != Environment::Unknown {
            identity.environment = environment;
            identity.notes.push(Evidence::new(
                Grade::D,
                format!("{what} `{text}` says {}", environment.as_str()),
            ));
            return;
        }
    }
}

fn break_glass(graph: &Graph<'_>, identity: &mut Identity) {
    match graph
        .config
        .annotated(&names(identity), |note| note.break_glass)
    {
        Some(true) => identity.break_glass = Some(BreakGlass::Declared),
        Some(false) => identity.break_glass = None,
        None => {
            let words = words::of(&identity.name);
            let named = graph
                .rules
                .words
                .break_glass
                .iter()
                .any(|run| words::has_run(&words, run));
            let tagged = InventoryRules::tag(&graph.rules.tags.break_glass, &identity.tags)
                .is_some_and(|(_, value)| !matches!(value, "false" | "no" | "0"));
            if identity.break_glass.is_none() && (named || tagged) {
                identity.break_glass = Some(BreakGlass::Suspected);
            }
        }
    }
}
