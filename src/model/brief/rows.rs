//! The rows of a report in brief.

use super::Text;
use super::Texts;
use crate::model::{CredentialStatus, Disposition, FindingStatus, RiskBand, Severity, Ternary};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Serialize, Serializer};

/// A part of one of the common lists: where it begins, and how long it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span(pub(super) u32, pub(super) u32);

impl Span {
    pub(super) fn of<T>(self, all: &[T]) -> &[T] {
        let (from, count) = (self.0 as usize, self.1 as usize);
        all.get(from..from.saturating_add(count))
            .unwrap_or_default()
    }

    /// How many there are.
    pub const fn len(self) -> usize {
        self.1 as usize
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.1 == 0
    }
}

/// Rows are written as lists: the names of their fields would be most of what is stored.
macro_rules! rows {
    ($($(#[$doc:meta])* $name:ident { $($(#[$about:meta])* $field:ident: $kind:ty,)+ })+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
        pub struct $name {
            $($(#[$about])* pub $field: $kind,)+
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                const FIELDS: &[&str] = &[$(stringify!($field)),+];
                let mut fields = serializer.serialize_tuple(FIELDS.len())?;
                $(fields.serialize_element(&self.$field)?;)+
                fields.end()
            }
        }
    )+};
}

rows! {
    /// A place in a file.
    Place {
        /// Repository.
        repository: Text,
        /// Path.
        uri: Text,
        /// Line.
        line: Option<u32>,
    }

    /// A finding.
    FindingRow {
        /// Id.
        id: Text,
        /// Rule.
        rule: Text,
        /// Title.
        title: Text,
        /// Id of its identity.
        identity: Text,
        /// Id of its credential.
        credential: Text,
        /// Severity.
        severity: Severity,
        /// How it compares with the run before.
        status: FindingStatus,
        /// When it was first seen, in seconds.
        first_seen: Option<i64>,
        /// Places.
        places: Span,
        /// Ids of what it bears on in frameworks.
        controls: Span,
    }

    /// An identity.
    IdentityRow {
        /// Id.
        id: Text,
        /// Provider.
        provider: Text,
        /// Type.
        kind: Text,
        /// Name.
        name: Text,
        /// Id at its provider.
        native_id: Text,
        /// Account.
        account: Text,
        /// Environment, where it is known.
        environment: Text,
        /// Owner.
        owner: Text,
        /// How the owner is known.
        owner_source: Text,
        /// Purpose.
        purpose: Text,
        /// Class of its consumers, where it is known.
        class: Text,
        /// Strength of the evidence.
        grade: Text,
        /// Whether it is for emergencies.
        break_glass: Text,
        /// Where it is declared.
        declared: Text,
        /// A person signs in to it.
        human: bool,
        /// Full control.
        admin: bool,
        /// Privilege.
        tier: u8,
        /// Days since it was made.
        age: Option<i64>,
        /// Days without use.
        idle: Option<i64>,
        /// Tags: a key, its value, the next key.
        tags: Span,
        /// Places.
        places: Span,
        /// Facts noted of it.
        notes: Span,
        /// Ids of its credentials.
        credentials: Span,
        /// Ids of its grants.
        grants: Span,
        /// Ids of its consumers.
        consumers: Span,
    }

    /// A credential.
    CredentialRow {
        /// Id.
        id: Text,
        /// Provider.
        provider: Text,
        /// Type.
        kind: Text,
        /// The part that is not secret.
        public_id: Text,
        /// Name it is referred to by.
        reference: Text,
        /// What is shown in place of the secret.
        redacted: Text,
        /// Id of its identity.
        identity: Text,
        /// Most exposed place.
        storage: Text,
        /// Whether it works.
        status: CredentialStatus,
        /// Days since it was issued.
        age: Option<i64>,
        /// Days since it came into a history.
        introduced: Option<i64>,
        /// Days without use.
        idle: Option<i64>,
        /// Days until it ends.
        expires: Option<i64>,
        /// Places it was seen in.
        places: Span,
        /// Ids of its consumers.
        consumers: Span,
    }

    /// Something that uses access.
    ConsumerRow {
        /// Id.
        id: Text,
        /// Name.
        name: Text,
        /// Where it runs.
        runtime: Text,
        /// Repository that declares it.
        repository: Text,
        /// File that declares it.
        path: Text,
        /// Id of the identity that it is.
        identity: Text,
        /// What weakens its runs.
        risks: Span,
        /// Ids of the credentials it uses.
        credentials: Span,
    }

    /// An assessment.
    AssessmentRow {
        /// Id.
        id: Text,
        /// Id of the identity.
        identity: Text,
        /// Id of the credential.
        credential: Text,
        /// Risk.
        score: u8,
        /// Its band.
        band: RiskBand,
        /// Fit.
        fit: u8,
        /// What is to be done.
        disposition: Disposition,
    }

    /// An item of the plan.
    PlanRow {
        /// Id.
        id: Text,
        /// Id of what it settles.
        assessment: Text,
        /// Id of the identity.
        identity: Text,
        /// Id of the credential.
        credential: Text,
        /// Title.
        title: Text,
        /// Size of the work.
        effort: Text,
        /// Wave.
        wave: u32,
        /// What is to be done.
        disposition: Disposition,
        /// Risk before.
        before: u8,
        /// Risk after.
        after: u8,
        /// Whether it can be issued by machines.
        issue: Ternary,
        /// Whether its use can be observed.
        observe: Ternary,
        /// Whether it can be taken back by machines.
        revoke: Ternary,
    }
}

/// All rows, in the order of the report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// Texts, in order.
    pub texts: Texts,
    /// Lists of texts behind each other.
    pub lists: Vec<Text>,
    /// Lists of places behind each other.
    pub places: Vec<Place>,
    /// Findings.
    pub findings: Vec<FindingRow>,
    /// Identities.
    pub identities: Vec<IdentityRow>,
    /// Credentials.
    pub credentials: Vec<CredentialRow>,
    /// Ids of grants.
    pub grants: Vec<Text>,
    /// Consumers.
    pub consumers: Vec<ConsumerRow>,
    /// Assessments.
    pub assessments: Vec<AssessmentRow>,
    /// The plan.
    pub plan: Vec<PlanRow>,
}
