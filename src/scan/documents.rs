//! What one document gives, and the places it stands at.

use super::RuleSet;
use crate::checks::ignores::Comment;
use crate::manifests;
use crate::manifests::catalog::{self, Descriptor};
use crate::manifests::codeowners::{self, Codeowners};
use crate::model::inventory::Declarations;
use crate::model::{
    Copied, Coverage, CoverageStatus, FingerprintKey, Grade, Moment, OwnerSource, SeenCredential,
};
use crate::secrets::{self, Engine, Marks, Scanned};
use crate::sources::{Document, Origin, Place, Screen, Value};
use crate::unpack;
use serde::{Deserialize, Serialize};

/// What one document gave.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Inspected {
    pub(super) seen: Vec<SeenCredential>,
    /// Boxed, as are the others that few documents have: most of what is read has none.
    pub(super) declarations: Option<Box<Declarations>>,
    pub(super) codeowners: Option<Box<Owners>>,
    /// A catalogue's descriptor, with repository and folder.
    pub(super) catalog: Option<Box<(String, String, Descriptor)>>,
    pub(super) comments: Vec<Comment>,
    /// It holds more credentials than are told of.
    pub(super) more: bool,
}

impl Value for Inspected {
    fn everywhere(&self) -> bool {
        !self.seen.is_empty() || self.more
    }

    fn keepable(&self) -> bool {
        let declared = self.declarations.as_ref();
        declared.is_none_or(|declared| declared.kept.is_empty())
    }
}

/// A CODEOWNERS file, the repository it stands in, and how binding it is there.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Owners {
    pub(super) repository: String,
    pub(super) rank: usize,
    pub(super) file: Codeowners,
}

/// Which texts of history are worth inspecting: of those, only credentials are asked for.
pub(super) struct Worth<'a>(pub(super) &'a Engine);

impl Screen for Worth<'_> {
    type Marks = Marks;

    fn screen(&self, text: &[u8]) -> (Marks, bool) {
        let (marks, worth) = self.0.screen(text);
        (marks, worth || unpack::recognise(text).is_some())
    }

    fn screen_derived(&self, text: &[u8], base: &Marks, copied: &[Copied]) -> (Marks, bool) {
        let (marks, worth) = self.0.screen_derived(text, base, copied);
        (marks, worth || unpack::recognise(text).is_some())
    }
}

/// What one document gives: credentials in any text, declarations in current files only.
pub(super) fn inspect(
    document: &Document<'_>,
    engine: &Engine,
    key: &FingerprintKey,
) -> Option<Inspected> {
    let marks = document.marks.and_then(|marks| marks.downcast_ref());
    let Scanned { mut seen, more } = engine.scan_screened(document.bytes, marks, key);
    if document.origin == Origin::Message {
        // A message has no name that a rule could be bound to; there are as many that are one word as people write.
        seen.retain(|one| engine.stands_at(&one.sighting.rule, ""));
    }
    let mut declarations = None;
    let mut codeowners = None;
    let mut described = None;
    let mut comments = Vec::new();
    if let (Origin::Current, Some(uri)) = (document.origin, document.uri) {
        declarations = manifests::read(document.repository, uri, document.bytes, key).map(Box::new);
        let said = secrets::ignores::markers(document.bytes).into_iter();
        comments.extend(said.map(|marker| Comment {
            repository: document.repository.to_owned(),
            uri: uri.to_owned(),
            line: marker.line,
            next: marker.alone,
            rules: marker.rules,
            reason: marker.reason,
        }));
        if catalog::is_catalog(uri) {
            described = catalog::read(document.bytes).map(|descriptor| {
                let folder = catalog::folder_of(uri).to_owned();
                Box::new((document.repository.to_owned(), folder, descriptor))
            });
        }
        codeowners = codeowners::precedence(uri).map(|rank| {
            Box::new(Owners {
                repository: document.repository.to_owned(),
                rank,
                file: Codeowners::parse(document.bytes),
            })
        });
    }
    if let Some(declared) = declarations.as_mut().filter(|one| !one.edits.is_empty()) {
        let secrets: Vec<(u32, bool)> = seen
            .iter()
            .chain(&declared.credentials)
            // The id of a key alone is no secret.
            .filter(|one| one.fingerprint.is_some())
            .map(|one| (one.sighting.line, one.kind.contains("private-key")))
            .collect();
        manifests::withhold(&mut declared.edits, &secrets);
    }
    let nothing = seen.is_empty()
        && declarations.is_none()
        && codeowners.is_none()
        && described.is_none()
        && comments.is_empty();
    (!nothing).then_some(Inspected {
        seen,
        declarations,
        codeowners,
        catalog: described,
        comments,
        more,
    })
}

/// Of a document that holds more than is told of.
pub(super) fn more_in(place: &Place) -> Coverage {
    Coverage::new(
        "secrets",
        format!("{}/{}", place.repository, place.uri),
        CoverageStatus::Skipped,
        "holds more credentials than are told of in one file; the first of them are in the report",
    )
}

/// Literals of a manifest stand where git says its file does, and who wrote the file as it is now made what it declares.
pub(super) fn attribute(
    mut declared: Declarations,
    places: &[Place],
    rules: &RuleSet,
    now: &Moment,
) -> Declarations {
    for identity in &mut declared.identities {
        let here = |place: &&Place| {
            identity.locations.first().is_some_and(|at| {
                at.repository.as_deref() == Some(&place.repository) && at.uri == place.uri
            })
        };
        let author = places
            .iter()
            .find(here)
            .and_then(|place| place.author.as_deref())
            .filter(|author| !author.contains("[bot]"));
        // A file that only names an identity of somewhere else says nothing of whose that is.
        if let Some(author) = author
            && identity.owner.is_none()
            && identity.grade <= Grade::B
        {
            identity.owner = Some(author.to_owned());
            identity.owner_source = OwnerSource::IacAuthor;
        }
    }
    for credential in &mut declared.credentials {
        let sighting = &credential.sighting;
        let here = places
            .iter()
            .find(|place| place.repository == sighting.repository && place.uri == sighting.uri);
        if let Some(place) = here {
            *credential = secrets::expire(put(credential, place, rules), now);
        }
    }
    declared
}

/// The credential at one of the places its document stands.
pub(super) fn put(credential: &SeenCredential, place: &Place, rules: &RuleSet) -> SeenCredential {
    let mut credential = secrets::place(credential, &place.uri);
    let sighting = &mut credential.sighting;
    sighting.repository.clone_from(&place.repository);
    sighting.uri.clone_from(&place.uri);
    sighting.commit.clone_from(&place.commit);
    sighting.author.clone_from(&place.author);
    sighting.first_seen = place.first_seen;
    sighting.last_seen = place.last_seen;
    sighting.at_head = place.at_head;
    sighting.trail.clone_from(&place.trail);
    sighting.public = rules
        .measures
        .config
        .repository(&place.repository, |note| note.public)
        .unwrap_or(false);
    credential
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::credentials::CredentialRules;

    #[test]
    fn a_message_of_one_word_is_no_file_of_one_password() {
        let engine = Engine::new(&CredentialRules::builtin().unwrap()).unwrap();
        let key = FingerprintKey::new([1; 32]);
        let made_of = |origin| {
            let document = Document {
                repository: "app",
                uri: None,
                bytes: b"c19999",
                origin,
                marks: None,
            };
            inspect(&document, &engine, &key)
        };
        assert!(made_of(Origin::History).is_some());
        assert!(made_of(Origin::Message).is_none());
    }
}
