//! What is issued on request and lasts for weeks.

use super::rating::Rating;
use super::subject::duration;
use super::{Check, CheckContext};
use crate::model::{
    Capability, CapabilityKind, Confidence, FindingBuilder, Grade, Location, Severity,
};
use crate::rules::posture::CheckMeta;
use std::collections::BTreeMap;

/// A role, an entry or a certificate whose lifetime is longer than its kind needs.
pub(super) struct DynamicNotShort;

/// Why a lifetime is too long.
struct TooLong {
    seconds: u64,
    renewal: bool,
    limit: u64,
}

impl Check for DynamicNotShort {
    fn id(&self) -> &'static str {
        "dynamic-not-short"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        let mut found: BTreeMap<String, (&Capability, TooLong, Vec<Location>)> = BTreeMap::new();
        for capability in &context.inventory.capabilities {
            let Some(too_long) = too_long(meta, capability) else {
                continue;
            };
            let key = format!(
                "{}/{} {} {}",
                capability.repository, capability.location.uri, capability.product, capability.name
            );
            let entry = found
                .entry(key)
                .or_insert((capability, too_long, Vec::new()));
            entry.2.push(capability.location.clone());
        }
        for (key, (capability, too_long, at)) in found {
            out.push(finding(context, meta, capability, &too_long, at).discriminator(key));
        }
    }
}

fn too_long(meta: &CheckMeta, capability: &Capability) -> Option<TooLong> {
    let number = |name: &str| meta.number(name).and_then(|n| u64::try_from(n).ok());
    let limit = number(match capability.kind {
        CapabilityKind::DynamicSecrets => "dynamic_seconds",
        CapabilityKind::RuntimeIdentity | CapabilityKind::MeshIdentity => "identity_seconds",
        CapabilityKind::Broker => "broker_seconds",
        CapabilityKind::Certificate => "certificate_seconds",
        CapabilityKind::CertificateIssuer => "issuer_seconds",
        CapabilityKind::Policy | CapabilityKind::SecretStore => return None,
    })?;
    if let Some(seconds) = capability.ttl_seconds.filter(|seconds| *seconds > limit) {
        return Some(TooLong {
            seconds,
            renewal: false,
            limit,
        });
    }
    let renewable = number("renewable_seconds")?;
    let longest = capability
        .max_ttl_seconds
        .filter(|_| !capability.ttl_assumed)
        .filter(|seconds| *seconds >= renewable && *seconds > limit)?;
    Some(TooLong {
        seconds: longest,
        renewal: true,
        limit: renewable,
    })
}

fn finding(
    context: &CheckContext<'_>,
    meta: &CheckMeta,
    capability: &Capability,
    too_long: &TooLong,
    at: Vec<Location>,
) -> FindingBuilder {
    let mut rating = Rating::of(meta);
    rating.note(Grade::B, capability.says.clone());
    let days = span(too_long.seconds);
    let far = meta
        .number("far_too_long_seconds")
        .and_then(|n| u64::try_from(n).ok())
        .is_some_and(|far| too_long.seconds >= far);
    if capability.ttl_assumed {
        rating.no_surer(Confidence::Medium);
        rating.note(
            Grade::D,
            "no lifetime is written here: it is the product's default unless a mount or server sets another",
        );
    } else if far
        && !matches!(
            capability.kind,
            CapabilityKind::Certificate | CapabilityKind::CertificateIssuer
        )
    {
        rating.at_least(Severity::Medium, Grade::B, &format!("it lasts {days}"));
    }
    let (title, what) = if too_long.renewal {
        (
            format!("What {} issues may be renewed for {days}", capability.name),
            format!("can be renewed for {days}"),
        )
    } else {
        (
            format!("What {} issues lasts {days}", capability.name),
            format!("lasts {days}"),
        )
    };
    let message = format!(
        "What {} of {} issues {what}; more than {} is long for its kind. Issued on request is not \
         yet short-lived.",
        capability.name,
        capability.product,
        span(too_long.limit),
    );
    context
        .finding(meta, rating, None, None)
        .text(title, message)
        .locations(at)
}

/// `32 days`, `12 h`.
fn span(seconds: u64) -> String {
    match seconds {
        s if s >= 172_800 && s % 86_400 == 0 => format!("{} days", s / 86_400),
        s if s >= 864_000 => format!("{} days", s / 86_400),
        s => duration(s),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("dynamic-not-short"), @r#"
        fires-weeks
          low (high): What Certificate/web issues lasts 365 days
            What Certificate/web of cert-manager issues lasts 365 days; more than 90 days is long for its kind. Issued on request is not yet short-lived.
            at site/vault/role.hcl:1
            B issues credentials
          medium (high): What ClusterSPIFFEID/backend issues lasts 7 days
            What ClusterSPIFFEID/backend of spire issues lasts 7 days; more than 24 h is long for its kind. Issued on request is not yet short-lived.
            at site/vault/role.hcl:1
            B issues credentials
            B severity low → medium: it lasts 7 days
          medium (high): What auth/kubernetes/role/app issues may be renewed for 60 days
            What auth/kubernetes/role/app of vault issues can be renewed for 60 days; more than 30 days is long for its kind. Issued on request is not yet short-lived.
            at site/vault/role.hcl:1
            B issues credentials
            B severity low → medium: it lasts 60 days
          low (medium): What aws/roles/deploy issues lasts 32 days
            What aws/roles/deploy of vault issues lasts 32 days; more than 24 h is long for its kind. Issued on request is not yet short-lived.
            at site/vault/role.hcl:1
            B issues credentials
            D no lifetime is written here: it is the product's default unless a mount or server sets another
          medium (high): What database/roles/readonly issues lasts 32 days
            What database/roles/readonly of vault issues lasts 32 days; more than 24 h is long for its kind. Issued on request is not yet short-lived.
            at site/vault/role.hcl:1
            B issues credentials
            B severity low → medium: it lasts 32 days
        "#);
    }
}
