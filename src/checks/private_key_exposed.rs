//! A private key in a file or in the history.

use super::exposure::{self, is_private_key};
use super::{Check, CheckContext};
use crate::model::{Confidence, FindingBuilder};
use crate::rules::posture::CheckMeta;

/// One finding per private key whose material was seen, in current files or in history. A key that is encrypted under a
/// passphrase is lowered one step.
pub(super) struct PrivateKeyExposed;

impl Check for PrivateKeyExposed {
    fn id(&self) -> &'static str {
        "private-key-exposed"
    }

    fn run(&self, context: &CheckContext<'_>, meta: &CheckMeta, out: &mut Vec<FindingBuilder>) {
        for credential in context.inventory.credentials.values() {
            if !credential.material_seen() || !is_private_key(credential) {
                continue;
            }
            let encrypted = credential.kind.starts_with("encrypted-")
                || credential
                    .sightings
                    .iter()
                    .all(|sighting| sighting.rule.contains("encrypted"));
            // Where the match itself was doubted for it, the severity has been lowered already.
            let why = (encrypted && credential.confidence == Confidence::High)
                .then_some("the key is encrypted under a passphrase");
            out.push(exposure::finding(context, meta, credential, why));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::report;

    #[test]
    fn cases() {
        insta::assert_snapshot!(report("private-key-exposed"), @r#"
        fires-plain-and-encrypted
          high (high): Private key history in the history of site
            Private key history is in no current file but in the history of site, in tls/server.key (undated). No inventory of this scan says whom it lets in as; nobody has said whether it still works. Assume that it is compromised.
            at site/tls/server.key:1
            A the structure is that of the type
          high (high): SSH private key plain in a current file of site
            SSH private key plain stands in site/deploy/id_ed25519:1 (undated). No inventory of this scan says whom it lets in as; nobody has said whether it still works. Assume that it is compromised.
            at site/deploy/id_ed25519:1
            A the structure is that of the type
          medium (high): Encrypted private key encrypted in a current file of site
            Encrypted private key encrypted stands in site/deploy/id_rsa:1 (undated). No inventory of this scan says whom it lets in as; nobody has said whether it still works. Assume that it is compromised.
            at site/deploy/id_rsa:1
            A the structure is that of the type
            A severity high → medium: the key is encrypted under a passphrase
        "#);
    }
}
