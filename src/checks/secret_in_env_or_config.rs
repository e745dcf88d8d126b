//! Secrets written into the environment or the settings of what runs.

use super::exposure::{in_state, is_private_key};
use super::rating::Rating;
use super::subject::{capitalised, credential_name, list, may_be_live, power};
use super::{Check, CheckContext, consumers};
use crate::model::{
    Confidence, Consumer, ConsumerClass, Credential, FindingBuilder, Location, Severity, Sighting,
};
use crate::rules::config::Pattern;
use crate::rules::posture::CheckMeta;

/// A secret's value in the file that declares who runs, or in a file of settings, one finding a credential. That there is a
/// copy at all is what `leaked-secret` says; what agents are given belongs to `mcp-config-static-token`.
pub(super) struct SecretInEnvOrConfig;

impl Check for SecretInEnvOrConfig {
    fn id(&self) -> &'static str {
        "secret-in-env-or-config"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let files: Vec<Pattern> = meta
            .words("files")
            .iter()
            .filter_map(|text| Pattern::new(text).ok())
            .collect();
        for credential in context.inventory.credentials.values() {
            if !credential.material_seen() || is_private_key(credential) {
                continue;
            }
            let users: Vec<&Consumer> = context
                .inventory
                .consumers_of(&credential.consumers)
                .collect();
            let agents = users.iter().any(|user| user.class == ConsumerClass::Agent);
            let places: Vec<Place<'_>> = credential
                .sightings
                .iter()
                .filter(|seen| seen.at_head && !in_state(seen))
                .filter_map(|seen| place(seen, &users, &files))
                .filter(|place| !(agents && place.taker.is_none()))
                .collect();
            if !places.is_empty() {
                out.push(finding(context, meta, credential, &places));
            }
        }
    }
}

/// Where a value stands, and who takes it from there.
struct Place<'a> {
    at: Location,
    taker: Option<&'a Consumer>,
}

fn place<'a>(seen: &Sighting, users: &[&'a Consumer], files: &[Pattern]) -> Option<Place<'a>> {
    let declared = users.iter().find(|user| {
        user.location.as_ref().is_some_and(|at| {
            at.uri == seen.uri && at.repository.as_deref() == Some(seen.repository.as_str())
        })
    });
    if let Some(taker) = declared {
        return (taker.class != ConsumerClass::Agent).then(|| Place {
            at: seen.location(),
            taker: Some(*taker),
        });
    }
    let path = seen.uri.to_ascii_lowercase();
    let name = path.rsplit('/').next().unwrap_or(&path);
    let settings = files
        .iter()
        .any(|file| file.matches(name) || file.matches(&path));
    settings.then(|| Place {
        at: seen.location(),
        taker: None,
    })
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
    places: &[Place<'_>],
) -> FindingBuilder {
    let identity = context.inventory.identity_of(credential);
    let mut rating = Rating::of(meta);
    rating.no_surer(credential.confidence);
    rating.note(credential.grade, credential.confidence_reason.as_str());
    let power = power(identity, Some(credential));
    rating.weigh("the holder", &power);
    if !may_be_live(credential, context.now) {
        rating.at_most(
            Severity::Low,
            credential.grade,
            "the issuer no longer accepts it",
        );
    }
    if credential.confidence == Confidence::Low {
        let why = format!("low confidence: {}", credential.confidence_reason);
        rating.at_most(Severity::Low, credential.grade, &why);
    }
    let mut takers: Vec<&Consumer> = Vec::new();
    for taker in places.iter().filter_map(|place| place.taker) {
        if !takers.iter().any(|known| known.id == taker.id) {
            takers.push(taker);
        }
    }
    let name = capitalised(&credential_name(credential));
    let (title, who) = if takers.is_empty() {
        (
            format!("{name} in a file of settings"),
            "a file of settings holds its value".to_owned(),
        )
    } else {
        let names = list(&consumers::names(&takers));
        let runtime = takers.first().map_or("", |taker| taker.runtime.as_str());
        (
            format!("{name} in the declaration of what runs"),
            format!("the declaration of {names} ({runtime}) holds its value"),
        )
    };
    let mut at: Vec<Location> = places.iter().map(|place| place.at.clone()).collect();
    at.sort();
    at.dedup();
    let message = format!(
        "{name} is handed over in plain text: {who}. Whoever can read the file, the image, the process or the \
         configuration of the deployment has it, and changing it means deploying again.",
    );
    context
        .finding(meta, rating, identity, Some(credential))
        .text(title, message)
        .locations(at)
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("secret-in-env-or-config"), @"
        fires-declared
          low (low): Generic secret doubtful in a file of settings
            Generic secret doubtful is handed over in plain text: a file of settings holds its value. Whoever can read the file, the image, the process or the configuration of the deployment has it, and changing it means deploying again.
            at site/tests/.env:1
            A it stands in a test
            A severity medium → low: low confidence: it stands in a test
          high (high): AWS access key AKIA-DEPLOYER in the declaration of what runs
            AWS access key AKIA-DEPLOYER is handed over in plain text: the declaration of api of site (kubernetes) holds its value. Whoever can read the file, the image, the process or the configuration of the deployment has it, and changing it means deploying again.
            at site/k8s/api.yaml:20
            A the structure is that of the type
            A severity medium → high: the holder is an administrator
          medium (high): Stripe secret key sk in a file of settings
            Stripe secret key sk is handed over in plain text: a file of settings holds its value. Whoever can read the file, the image, the process or the configuration of the deployment has it, and changing it means deploying again.
            at site/src/main/resources/application-prod.yml:4
            A the structure is that of the type
        ");
    }
}
