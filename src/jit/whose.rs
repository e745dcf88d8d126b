//! Whose an identity is where nothing that was scanned uses it: whom its trust policy names, and vendors by tag and name.

use super::JitContext;
use super::subject::{Subject, unboundedness, words};
use crate::model::{ConsumerClass, Evidence, Grade, Identity, IdentityKind, PrincipalKind};
use crate::rules::posture::Posture;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Tags that name the vendor a user was made for, without separators and in lower case.
const VENDOR_TAGS: [&str; 6] = [
    "vendor",
    "vendorname",
    "thirdparty",
    "externalvendor",
    "supplier",
    "partner",
];

/// Words of user names that mean a vendor: those of the check that finds such users.
static VENDORS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    Posture::builtin()
        .ok()
        .and_then(|posture| {
            let check = posture.check("third-party-static-credential")?;
            Some(check.words("vendors").iter().cloned().collect())
        })
        .unwrap_or_default()
});

impl<'a> Subject<'a> {
    /// A trust policy names who runs as the identity.
    pub(super) fn classify_by_trust(&mut self, context: &JitContext<'a>, identity: &Identity) {
        let mut runtimes = BTreeSet::new();
        let mut classes = Vec::new();
        for path in &identity.trust {
            let name = match path.principal_kind {
                PrincipalKind::Oidc => path.issuer.as_deref(),
                PrincipalKind::Service => Some(path.principal.as_str()),
                PrincipalKind::Account | PrincipalKind::Principal if path.external => {
                    classes.push((ConsumerClass::Vendor, path.principal.clone()));
                    None
                }
                PrincipalKind::Principal => {
                    own_principal(context, &path.principal, &mut runtimes, &mut classes);
                    None
                }
                _ => None,
            };
            if let Some(hint) = name.and_then(|name| context.targets.runtime_of(name)) {
                runtimes.insert(hint.runtime.clone());
                classes.push((hint.class, path.principal.clone()));
            }
        }
        if self.class == ConsumerClass::Unknown
            && let Some((class, principal)) = classes.iter().max_by_key(|(c, _)| unboundedness(*c))
            && *class != ConsumerClass::Unknown
        {
            self.class = *class;
            self.class_evidence = Evidence::new(
                identity.grade,
                format!("its trust policy names {principal}: {}", class.as_str()),
            );
        }
        if self.runtime == "unknown" {
            self.runtime = match runtimes.len() {
                0 => "unknown".to_owned(),
                1 => runtimes.pop_first().unwrap_or_default(),
                _ => "several".to_owned(),
            };
        }
    }

    /// A user that nothing of the organisation's own uses, and whose tag or name says a vendor does.
    pub(super) fn classify_by_vendor(&mut self, identity: &Identity) {
        if identity.kind != IdentityKind::IamUser || self.class != ConsumerClass::Unknown {
            return;
        }
        let tag = identity.tags.iter().find(|(key, value)| {
            let key: String = key.chars().filter(|c| c.is_alphanumeric()).collect();
            let no = ["", "no", "none", "false", "internal", "n/a"];
            VENDOR_TAGS.contains(&key.to_lowercase().as_str())
                && !no.contains(&value.trim().to_lowercase().as_str())
        });
        let evidence = if let Some((key, value)) = tag {
            Evidence::new(
                identity.grade,
                format!("tag {key} says that {value} uses it"),
            )
        } else if let Some(word) = words(&identity.name)
            .into_iter()
            .find(|word| VENDORS.contains(word))
        {
            Evidence::new(Grade::D, format!("its name says `{word}`, a vendor"))
        } else {
            return;
        };
        self.class = ConsumerClass::Vendor;
        self.class_evidence = evidence;
    }
}

/// What a principal of the scan that may become the identity is itself used by.
fn own_principal(
    context: &JitContext<'_>,
    principal: &str,
    runtimes: &mut BTreeSet<String>,
    classes: &mut Vec<(ConsumerClass, String)>,
) {
    let inventory = context.inventory;
    let Some(holder) = inventory.identities.get(&Identity::id_of("aws", principal)) else {
        return;
    };
    if holder.human {
        classes.push((ConsumerClass::Human, principal.to_owned()));
        return;
    }
    let mut known = false;
    for consumer in inventory.consumers_of(&holder.consumers) {
        known = true;
        classes.push((
            consumer.class,
            format!("{principal}, used by {}", consumer.name),
        ));
        if !consumer.runtime.is_empty() {
            runtimes.insert(consumer.runtime.clone());
        }
    }
    if !known && holder.consumer_class != ConsumerClass::Unknown {
        classes.push((holder.consumer_class, principal.to_owned()));
    }
}
