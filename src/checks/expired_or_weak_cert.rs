//! Certificates past their end, and keys too short to be safe.

use super::rating::Rating;
use super::subject::{capitalised, credential_name, date, days, power};
use super::{Check, CheckContext};
use crate::model::evidence::days_between;
use crate::model::{
    Confidence, Credential, CredentialStatus, FindingBuilder, Grade, Location, Severity,
};
use crate::rules::posture::CheckMeta;

/// A certificate that has expired or soon will, or a private key that is too short.
pub(super) struct ExpiredOrWeakCert;

impl Check for ExpiredOrWeakCert {
    fn id(&self) -> &'static str {
        "expired-or-weak-cert"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            let current = credential.sightings.iter().any(|seen| seen.at_head);
            let kept = credential.sightings.is_empty();
            if !meta.words("certificates").contains(&credential.kind)
                || credential.status == CredentialStatus::Inactive
                || credential.confidence == Confidence::Low
                || !(current || kept)
            {
                continue;
            }
            out.extend(
                expired(context, meta, credential).or_else(|| weak(context, meta, credential)),
            );
        }
    }
}

fn expired(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
) -> Option<FindingBuilder> {
    let end = credential.expires_at?;
    let left = days_between(context.now, end);
    let soon = meta.number("soon_days").unwrap_or_default();
    // A key in a file that is about to end is exposed, not stale: another check speaks of it.
    if left > soon || (left >= 0 && !credential.sightings.is_empty()) {
        return None;
    }
    let mut rating = Rating::of(meta);
    rating.note(
        credential.grade,
        format!("its validity ends on {}", date(end)),
    );
    let name = credential_name(credential);
    let (title, message) = if left < 0 {
        (
            format!("{} expired on {}", capitalised(&name), date(end)),
            format!(
                "{} has been expired since {} and is still kept where it can be taken into use.",
                capitalised(&name),
                date(end)
            ),
        )
    } else {
        rating.at_most(Severity::Info, Grade::A, "it has not ended yet");
        (
            format!("{} expires in {}", capitalised(&name), days(left)),
            format!(
                "{} ends on {}, in {}. What trusts it stops then unless it is renewed.",
                capitalised(&name),
                date(end),
                days(left)
            ),
        )
    };
    Some(build(context, meta, credential, rating, (title, message)))
}

fn weak(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
) -> Option<FindingBuilder> {
    let least = meta.number("least_rsa_bits").unwrap_or_default();
    let (algorithm, bits) = ["RSA", "DSA"].into_iter().find_map(|algorithm| {
        let (_, rest) = credential
            .confidence_reason
            .split_once(&format!("{algorithm}, "))?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((algorithm, digits.parse::<i64>().ok()?))
    })?;
    // The length is that of the modulus in whole bytes: some are a little shorter than the key was made to be.
    if bits >= least - least / 20 {
        return None;
    }
    let mut rating = Rating::of(meta);
    rating.note(
        credential.grade,
        format!("the key is {algorithm} of {bits} bits"),
    );
    rating.raise(
        credential.grade,
        "a key this short is not considered safe any more",
    );
    let name = credential_name(credential);
    let text = (
        format!("{} has {bits} bits", capitalised(&name)),
        format!(
            "{} is {algorithm} of {bits} bits; {least} is the least that is considered safe.",
            capitalised(&name)
        ),
    );
    Some(build(context, meta, credential, rating, text))
}

fn build(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    credential: &Credential,
    mut rating: Rating,
    (title, message): (String, String),
) -> FindingBuilder {
    let holder = context.inventory.identity_of(credential);
    if power(holder, Some(credential)).tier.is_none() {
        rating.note(Grade::D, "what it gives access to is not known");
    }
    let mut places = super::uses::places(context, credential);
    if places.is_empty() {
        places.push(Location {
            repository: credential
                .account
                .as_deref()
                .map(|account| format!("{}/{account}", credential.provider)),
            uri: credential.kind.clone(),
            line: None,
            column: None,
            logical: credential.public_id.clone(),
        });
    }
    context
        .finding(meta, rating, holder, Some(credential))
        .text(title, message)
        .locations(places)
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("expired-or-weak-cert"), @r#"
        fires-expired-soon-and-short
          low (high): Private key expired on 2024-03-01
            Private key has been expired since 2024-03-01 and is still kept where it can be taken into use.
            at site/tls.key:1
            A its validity ends on 2024-03-01
            D what it gives access to is not known
          low (high): AWS server certificate www-2024 expired on 2025-03-01
            AWS server certificate www-2024 has been expired since 2025-03-01 and is still kept where it can be taken into use.
            at aws/111122223333/aws-server-certificate
            A its validity ends on 2025-03-01
            D what it gives access to is not known
          info (high): AWS server certificate www-2026 expires in 18 days
            AWS server certificate www-2026 ends on 2026-11-20, in 18 days. What trusts it stops then unless it is renewed.
            at aws/111122223333/aws-server-certificate
            A its validity ends on 2026-11-20
            A severity low → info: it has not ended yet
            D what it gives access to is not known
          medium (high): Private key has 1024 bits
            Private key is RSA of 1024 bits; 2048 is the least that is considered safe.
            at site/old.pem:1
            A the key is RSA of 1024 bits
            A severity low → medium: a key this short is not considered safe any more
            D what it gives access to is not known
        "#);
    }
}
