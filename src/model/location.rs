//! Where things are.

use super::Trail;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A place in a file, or a named resource where there is no file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Repository (or folder, or `aws/<account>` for a snapshot) the file belongs to, by its name in this scan.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub repository: Option<String>,
    /// Path relative to the repository's root, percent-encoded, `/`-separated. Never absolute.
    pub uri: String,
    /// 1-based line; `None` where a line means nothing.
    pub line: Option<u32>,
    /// 1-based column in Unicode code points.
    pub column: Option<u32>,
    /// Name of the resource, such as an ARN or `namespace/kind/name`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub logical: Option<String>,
}

impl Location {
    /// A place in a file.
    pub fn file(
        repository: impl Into<String>,
        uri: impl Into<String>,
        line: u32,
        column: u32,
    ) -> Self {
        Self {
            repository: Some(repository.into()),
            uri: uri.into(),
            line: Some(line),
            column: Some(column),
            logical: None,
        }
    }

    /// The same place, naming the resource it describes.
    #[must_use]
    pub fn naming(mut self, logical: impl Into<String>) -> Self {
        self.logical = Some(logical.into());
        self
    }

    /// `repository/uri:line`, as shown to people.
    pub fn display(&self) -> String {
        let mut out = String::new();
        if let Some(repository) = &self.repository {
            out.push_str(repository);
            out.push('/');
        }
        out.push_str(&self.uri);
        if let Some(line) = self.line {
            out.push(':');
            out.push_str(&line.to_string());
        }
        out
    }
}

/// One credential at one path of one repository: the unit people act on, however many versions of the file held it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Sighting {
    /// Repository or folder by its name in this scan.
    pub repository: String,
    /// Path relative to the repository's root, percent-encoded.
    pub uri: String,
    /// 1-based line in the newest version that holds it.
    pub line: u32,
    /// 1-based column in Unicode code points.
    pub column: u32,
    /// Commit that introduced it (full id); `None` outside git or while uncommitted.
    pub commit: Option<String>,
    /// Author of that commit, as `Name <mail>`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub author: Option<String>,
    /// When it was introduced.
    pub first_seen: Option<Timestamp>,
    /// Last time a commit is known to have held it; the removal is the next commit on that path.
    pub last_seen: Option<Timestamp>,
    /// Present in the work tree, or in HEAD's tree of a bare repository.
    pub at_head: bool,
    /// The line it stands on, with every secret masked and control characters neutralised.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub context: Option<String>,
    /// The encodings it stands in, outermost first (`base64`, `gzip`); line and column are those of the encoded text.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub layers: Vec<String>,
    /// Id of the rule that matched.
    pub rule: String,
    /// The repository is known to be public (declared in the configuration).
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub public: bool,
    /// Somebody said that this one is to be ignored.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ignored: Option<Ignored>,
    /// What git tells beside that.
    #[serde(flatten)]
    pub trail: Trail,
}

/// Where somebody said that something is to be ignored.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum IgnoredBy {
    /// A comment beside it.
    Comment,
    /// An entry of the configuration.
    Configuration,
}

/// That something is to be ignored, and why. It stays in every report.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Ignored {
    /// Where that was said.
    pub by: IgnoredBy,
    /// The reason given.
    pub reason: String,
}

impl Sighting {
    /// At a line and column of a current file, of which git has not been asked yet.
    pub fn in_file(repository: &str, uri: &str, (line, column): (u32, u32), rule: &str) -> Self {
        Self {
            repository: repository.to_owned(),
            uri: uri.to_owned(),
            line,
            column,
            commit: None,
            author: None,
            first_seen: None,
            last_seen: None,
            at_head: true,
            context: None,
            layers: Vec::new(),
            rule: rule.to_owned(),
            public: false,
            ignored: None,
            trail: Trail::default(),
        }
    }

    /// Whether it stands at a place.
    pub fn is_at(&self, place: &Location) -> bool {
        let Location {
            repository,
            uri,
            line,
            column,
            logical,
        } = place;
        repository.as_deref() == Some(&*self.repository)
            && *uri == self.uri
            && *line == Some(self.line)
            && *column == Some(self.column)
            && logical.is_none()
    }

    /// The sighting as a [`Location`].
    pub fn location(&self) -> Location {
        Location::file(
            self.repository.clone(),
            self.uri.clone(),
            self.line,
            self.column,
        )
    }
}
