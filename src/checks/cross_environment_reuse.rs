//! One way in for production and for what is less.

use super::rating::Rating;
use super::subject::{
    capitalised, credential_name, full_name, identity_name, list, may_be_live, name_only, power,
    provider_managed,
};
use super::trusted::ways_in_for_callers;
use super::uses::{consumers, places};
use super::{Check, CheckContext};
use crate::model::{
    Confidence, Consumer, Credential, CredentialStatus, Environment, FindingBuilder, Grade,
    Identity, Severity,
};
use crate::rules::environments::EnvironmentWords;
use crate::rules::posture::CheckMeta;
use std::collections::BTreeMap;

/// A credential or identity that production and a lesser environment use.
pub(super) struct CrossEnvironmentReuse;

/// Where each environment was seen, with the grade of the evidence.
type Seen = BTreeMap<Environment, Vec<(Grade, String)>>;

impl Check for CrossEnvironmentReuse {
    fn id(&self) -> &'static str {
        "cross-environment-reuse"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let Ok(environments) = EnvironmentWords::builtin() else {
            return;
        };
        for credential in context.inventory.credentials.values() {
            if credential.status == CredentialStatus::Inactive
                || !may_be_live(credential, context.now)
                || credential.confidence == Confidence::Low
            {
                continue;
            }
            let seen = of_credential(context, environments, credential);
            if crosses(&seen) {
                let holder = context.inventory.identity_of(credential);
                let name = credential_name(credential);
                let places = places(context, credential);
                if !places.is_empty() {
                    let rating = rate(meta, &seen, &power(holder, Some(credential)));
                    let (title, message) = words(&name, &name, &seen);
                    out.push(
                        context
                            .finding(meta, rating, holder, Some(credential))
                            .text(title, message)
                            .locations(places),
                    );
                }
            }
        }
        for identity in context.inventory.identities.values() {
            if provider_managed(identity) || name_only(identity) {
                continue;
            }
            let seen = of_identity(context, environments, identity);
            if crosses(&seen) {
                let rating = rate(meta, &seen, &power(Some(identity), None));
                let (title, message) = words(&identity_name(identity), &full_name(identity), &seen);
                out.push(
                    context
                        .finding(meta, rating, Some(identity), None)
                        .text(title, message)
                        .locations(super::subject::places(identity)),
                );
            }
        }
    }
}

fn crosses(seen: &Seen) -> bool {
    seen.contains_key(&Environment::Production)
        && (seen.contains_key(&Environment::Development)
            || seen.contains_key(&Environment::Staging))
}

fn add(seen: &mut Seen, environment: Environment, grade: Grade, text: String) {
    if environment != Environment::Unknown {
        let list = seen.entry(environment).or_default();
        if !list.iter().any(|(_, known)| *known == text) {
            list.push((grade, text));
        }
    }
}

/// Environments that consumers name themselves.
fn declared(seen: &mut Seen, environments: &EnvironmentWords, consumer: &Consumer) {
    if let Some(name) = &consumer.environment {
        let text = format!("{} (environment {name})", consumer.name);
        add(seen, environments.of(name), Grade::B, text);
    }
}

fn of_credential(
    context: &CheckContext<'_>,
    environments: &EnvironmentWords,
    credential: &Credential,
) -> Seen {
    let mut seen = Seen::new();
    for consumer in consumers(context, credential) {
        declared(&mut seen, environments, consumer);
        let repository = consumer.repository.as_deref().unwrap_or_default();
        if let Some(environment) = context
            .config
            .repository(repository, |note| note.environment)
        {
            add(
                &mut seen,
                environment,
                Grade::B,
                format!("{} in {repository}", consumer.name),
            );
        }
    }
    for sighting in credential.sightings.iter().filter(|seen| seen.at_head) {
        if credential.fingerprint.is_none() {
            continue;
        }
        if let Some(environment) = context
            .config
            .repository(&sighting.repository, |note| note.environment)
        {
            let text = format!("a file of {}", sighting.repository);
            add(&mut seen, environment, Grade::B, text);
        }
        // `test` in a path means tests more often than an environment.
        let environment = environments.of(&sighting.uri);
        let tests = environment != Environment::Production
            && sighting.uri.to_ascii_lowercase().contains("test");
        if !tests {
            add(&mut seen, environment, Grade::D, sighting.uri.clone());
        }
    }
    seen
}

fn of_identity(
    context: &CheckContext<'_>,
    environments: &EnvironmentWords,
    identity: &Identity,
) -> Seen {
    let mut seen = Seen::new();
    for consumer in context.inventory.consumers_of(&identity.consumers) {
        declared(&mut seen, environments, consumer);
    }
    for path in ways_in_for_callers(identity) {
        for subject in &path.subjects {
            let mut parts = subject.split(':');
            if parts.any(|part| matches!(part, "environment" | "deployment_tier"))
                && let Some(name) = parts.next()
            {
                let text = format!("the subject {subject}");
                add(&mut seen, environments.of(name), identity.grade, text);
            }
        }
        // A role is of its account's environment, and who may take it of theirs.
        let environment = |id: &str| context.config.account.get(id)?.environment;
        if let (Some(own), Some(other)) = (&identity.account, &path.account)
            && own != other
            && let (Some(here), Some(there)) = (environment(own), environment(other))
            && here == Environment::Production
            && there < Environment::Unknown
        {
            add(&mut seen, here, Grade::B, format!("account {own}"));
            add(
                &mut seen,
                there,
                Grade::B,
                format!("{} of account {other}", path.principal),
            );
        }
    }
    seen
}

fn rate(meta: &CheckMeta, seen: &Seen, power: &super::subject::Power) -> Rating {
    let mut rating = Rating::of(meta);
    for (environment, places) in seen {
        for (grade, text) in places {
            rating.note(*grade, format!("{}: {text}", environment.as_str()));
        }
    }
    let told = |environment: Environment| {
        seen.get(&environment)
            .is_some_and(|places| places.iter().any(|(grade, _)| *grade != Grade::D))
    };
    let sure = told(Environment::Production)
        && (told(Environment::Development) || told(Environment::Staging));
    rating.raise_for("it", power);
    if !sure {
        rating.at_most(
            Severity::Low,
            Grade::D,
            "only names suggest the environments",
        );
        rating.no_surer(Confidence::Medium);
    }
    rating
}

fn words(name: &str, full: &str, seen: &Seen) -> (String, String) {
    let shown = |environments: &[Environment]| {
        let texts: Vec<&str> = environments
            .iter()
            .filter_map(|environment| seen.get(environment))
            .flatten()
            .map(|(_, text)| text.as_str())
            .collect();
        list(&texts)
    };
    (
        format!("{} is used in production and below", capitalised(name)),
        format!(
            "{} serves production ({}) and less ({}). Whoever gets into the lesser one holds production.",
            capitalised(full),
            shown(&[Environment::Production]),
            shown(&[Environment::Development, Environment::Staging])
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("cross-environment-reuse"), @r#"
        fires-production-and-below
          high (high): AWS access key AKIA-CI is used in production and below
            AWS access key AKIA-CI serves production (deploy.yml/prod (environment production)) and less (deploy.yml/stage (environment staging)). Whoever gets into the lesser one holds production.
            at site/.github/workflows/deploy.yml:20, site/.github/workflows/deploy.yml:40
            B staging: deploy.yml/stage (environment staging)
            B production: deploy.yml/prod (environment production)
            A severity medium → high: it is able to escalate or to reach secret stores
          low (medium): Stripe secret key is used in production and below
            Stripe secret key serves production (env/production.env) and less (env/dev.env). Whoever gets into the lesser one holds production.
            at site/env/dev.env:1, site/env/production.env:1
            D development: env/dev.env
            D production: env/production.env
            D severity medium → low: only names suggest the environments
          medium (high): IAM role release is used in production and below
            IAM role release of account 111122223333 serves production (the subject repo:acme/site:environment:production) and less (the subject repo:acme/site:environment:dev). Whoever gets into the lesser one holds production.
            at aws/111122223333/account-authorization-details.json:7
            A development: the subject repo:acme/site:environment:dev
            A production: the subject repo:acme/site:environment:production
          medium (high): IAM role restore is used in production and below
            IAM role restore of account 111122223333 serves production (account 111122223333) and less (arn:aws:iam::444455556666:role/tester of account 444455556666). Whoever gets into the lesser one holds production.
            at aws/111122223333/account-authorization-details.json:7
            B development: arn:aws:iam::444455556666:role/tester of account 444455556666
            B production: account 111122223333
        "#);
    }
}
