//! CI systems beside GitHub Actions and GitLab: every job is an identity and a consumer. One file a system.

mod azure;
mod bitbucket;
mod buildkite;
pub(super) mod casc;
mod circleci;
mod groovy;
pub(super) mod jenkins;
mod job;
pub(super) mod shell;

use super::context::Context;
use super::edits;
use super::node::Node;
use super::{has_extension, is_below};
use crate::model::Declarations;
use crate::rules::ci::CiSystem;

/// Most jobs of one file.
const MAX_JOBS: usize = 2_000;

/// The systems read here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    Bitbucket,
    CircleCi,
    Azure,
    Buildkite,
    Jenkins,
}

impl System {
    /// The provider of its jobs' identities.
    const fn provider(self) -> &'static str {
        match self {
            Self::Bitbucket => "bitbucket",
            Self::CircleCi => "circleci",
            Self::Azure => "azure-devops",
            Self::Buildkite => "buildkite",
            Self::Jenkins => "jenkins",
        }
    }

    /// Name of the runtime and of its store of secrets.
    const fn runtime(self) -> &'static str {
        match self {
            Self::Bitbucket => "bitbucket-pipelines",
            Self::CircleCi => "circleci",
            Self::Azure => "azure-pipelines",
            Self::Buildkite => "buildkite",
            Self::Jenkins => "jenkins",
        }
    }

    /// What changes of it are made by, where they can be made.
    pub(super) const fn editable(self) -> Option<edits::System> {
        match self {
            Self::Bitbucket => Some(edits::System::Bitbucket),
            Self::CircleCi => Some(edits::System::Circleci),
            Self::Buildkite => Some(edits::System::Buildkite),
            Self::Azure | Self::Jenkins => None,
        }
    }

    fn table<'t>(self, context: &Context<'t>) -> &'t CiSystem {
        let systems = &context.tables.ci;
        match self {
            Self::Bitbucket => &systems.bitbucket,
            Self::CircleCi => &systems.circleci,
            Self::Azure => &systems.azure,
            Self::Buildkite => &systems.buildkite,
            Self::Jenkins => &systems.jenkins,
        }
    }
}

/// The system that reads a file of this path.
pub(super) fn system_of(folder: &str, name: &str) -> Option<System> {
    const JENKINSFILE: &str = "jenkinsfile";
    let start = name.get(..JENKINSFILE.len());
    // Almost every file is none of these: that is told without a copy of its name.
    if !start.is_some_and(|start| start.eq_ignore_ascii_case(JENKINSFILE))
        && !has_extension(name, &[JENKINSFILE, "groovy", "yml", "yaml"])
    {
        return None;
    }
    let lower = name.to_ascii_lowercase();
    let (stem, extension) = lower.rsplit_once('.').unwrap_or((&lower, ""));
    if lower.starts_with(JENKINSFILE) || extension == JENKINSFILE {
        return (!matches!(extension, "md" | "txt" | "png" | "html")).then_some(System::Jenkins);
    }
    if extension == "groovy" && (stem.contains("pipeline") || stem.contains("jenkins")) {
        return Some(System::Jenkins);
    }
    if !matches!(extension, "yml" | "yaml") {
        return None;
    }
    let below = |wanted: &str| is_below(folder, wanted);
    if stem == "bitbucket-pipelines" || stem.ends_with(".bitbucket-pipelines") {
        Some(System::Bitbucket)
    } else if below(".circleci") {
        Some(System::CircleCi)
    } else if below(".buildkite") || stem == "buildkite" || stem.starts_with("pipeline.buildkite") {
        Some(System::Buildkite)
    } else if stem.starts_with("azure-pipeline")
        || stem.starts_with(".azure-pipeline")
        || [
            ".azure-pipelines",
            "azure-pipelines",
            ".azuredevops",
            ".azdo",
            ".vsts",
            ".pipelines",
        ]
        .iter()
        .any(|wanted| below(wanted))
    {
        Some(System::Azure)
    } else {
        None
    }
}

/// Reads a file of a system that is written in YAML.
pub(super) fn read(context: &Context<'_>, system: System, root: &Node, out: &mut Declarations) {
    match system {
        System::Bitbucket => bitbucket::read(context, root, out),
        System::CircleCi => circleci::read(context, root, out),
        System::Azure => azure::read(context, root, out),
        System::Buildkite => buildkite::read(context, root, out),
        System::Jenkins => {}
    }
}

/// A pipeline of a place that is not a usual one, by its content.
pub(super) fn by_content(root: &Node) -> Option<System> {
    azure::unmistakable(root).then_some(System::Azure)
}

/// Whether a text may be such a pipeline: cheap.
pub(super) fn interesting(bytes: &[u8]) -> bool {
    [
        b"vmImage".as_slice(),
        b"- task:",
        b"- deployment:",
        b"- job:",
    ]
    .iter()
    .any(|word| memchr::memmem::find(bytes, word).is_some())
}
