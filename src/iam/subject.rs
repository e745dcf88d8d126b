//! How many jobs of a federated issuer a subject pattern lets in.

/// How many callers a subject pattern lets in, from fewest to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breadth {
    /// One named context: a branch, an environment, a workspace's run phase, a service account.
    Exact,
    /// Anything in one repository, project, pipeline or namespace.
    Project,
    /// Anything in one organisation, group or cluster.
    Organisation,
    /// Anyone the issuer signs for.
    Anyone,
}

impl Breadth {
    /// The word people read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Project => "one project",
            Self::Organisation => "a whole organisation",
            Self::Anyone => "anyone",
        }
    }
}

fn wild(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Judges a required subject (`StringEquals` or `StringLike` value) of an issuer (host and path, without scheme).
///
/// Subject forms: GitHub `repo:OWNER/REPO:…`, its immutable form `repo:OWNER@ID/REPO@ID:…`, and the forms an organisation
/// makes of other claims (`repository_owner_id:1:repository_id:2:…`, `job_workflow_ref:…`); GitLab `project_path:GROUP/PROJECT:ref_type:…:ref:…`; Bitbucket `{repository-uuid}…`; CircleCI
/// `org/ORG/project/PROJECT/user/USER`; Buildkite `organization:ORG:pipeline:PIPELINE:…`; Terraform Cloud
/// `organization:ORG:project:PROJECT:workspace:WORKSPACE:run_phase:PHASE`; EKS `system:serviceaccount:NAMESPACE:NAME`.
pub fn subject_breadth(issuer: &str, pattern: &str) -> Breadth {
    if pattern.trim_matches(['*', '?']).is_empty() {
        return Breadth::Anyone;
    }
    let issuer = issuer.trim_end_matches('/').to_ascii_lowercase();
    let of_github = issuer.contains("githubusercontent.com") || issuer.contains("ghe.com");
    if !wild(pattern) {
        return fixed(pattern, of_github);
    }
    if let Some(rest) = pattern.strip_prefix("repo:") {
        return github(rest);
    }
    if let Some(rest) = pattern.strip_prefix("project_path:") {
        return gitlab(rest);
    }
    if let Some(rest) = pattern.strip_prefix("system:serviceaccount:") {
        return service_account(rest);
    }
    if issuer.contains("buildkite.com") && names_ref(pattern) {
        return Breadth::Exact;
    }
    if let Some(rest) = pattern.strip_prefix("organization:") {
        return organization(rest);
    }
    if issuer.starts_with("oidc.circleci.com") || pattern.starts_with("org/") {
        return circleci(pattern);
    }
    if issuer.contains("bitbucket.org") {
        return bitbucket(pattern);
    }
    if of_github {
        return claims(pattern).unwrap_or(Breadth::Anyone);
    }
    let by_project = pattern
        .split(':')
        .any(|part| PROJECTS.contains(&part) || WORKFLOWS.contains(&part));
    claims(pattern)
        .filter(|_| by_project)
        .unwrap_or_else(|| generic(pattern))
}

/// Claims whose value names an organisation, by the names issuers give them in subjects.
const ORGANISATIONS: [&str; 10] = [
    "account",
    "enterprise",
    "group",
    "namespace",
    "org",
    "organization",
    "owner",
    "repository_owner",
    "repository_owner_id",
    "team",
];

/// Claims whose value names a project.
const PROJECTS: [&str; 14] = [
    "app",
    "application",
    "pipeline",
    "project",
    "project_id",
    "project_path",
    "repo",
    "repository",
    "repository_id",
    "service",
    "site",
    "space",
    "stack",
    "workspace",
];

/// Claims whose value names a workflow file of a repository, which anybody may call from elsewhere.
const WORKFLOWS: [&str; 2] = ["job_workflow_ref", "workflow_ref"];

/// Claims whose value names one context of a project.
const CONTEXTS: [&str; 8] = [
    "branch",
    "context",
    "deployment_tier",
    "environment",
    "ref",
    "run_phase",
    "run_type",
    "tag",
];

/// A subject without wildcards: exact, unless it is made of claims that many jobs have.
fn fixed(pattern: &str, of_github: bool) -> Breadth {
    // GitHub signs every pull request of a repository, forks excepted, with this one subject.
    if pattern.starts_with("repo:") && pattern.ends_with(":pull_request") {
        return Breadth::Project;
    }
    // Elsewhere the subject is one party's own, whatever it is made of.
    if of_github || pattern.starts_with("project_path:") {
        claims(pattern).unwrap_or(Breadth::Exact)
    } else {
        Breadth::Exact
    }
}

/// Judges a subject made of `claim:value` pairs by what its fixed values name; `None` when it names no claim known.
fn claims(pattern: &str) -> Option<Breadth> {
    let parts: Vec<&str> = pattern.split(':').collect();
    let mut known = false;
    let (mut organisation, mut project, mut workflow, mut context) = (false, false, false, false);
    for (at, part) in parts.iter().enumerate() {
        let value = parts.get(at + 1).copied().unwrap_or_default();
        let named = !value.is_empty() && !wild(value);
        let among = |list: &[&str]| list.contains(part);
        known |= among(&ORGANISATIONS) || among(&PROJECTS) || among(&WORKFLOWS) || among(&CONTEXTS);
        organisation |= named && among(&ORGANISATIONS);
        project |= named && among(&PROJECTS);
        workflow |= named && among(&WORKFLOWS);
        context |= named && among(&CONTEXTS);
        // A path of owner and name of which only the owner is fixed.
        organisation |= matches!(*part, "repo" | "repository" | "project_path")
            && value.split_once('/').is_some_and(|(owner, _)| !wild(owner));
    }
    if !known {
        return None;
    }
    Some(match (workflow, project, organisation) {
        (true, ..) => Breadth::Exact,
        (_, true, _) if context && !wild(pattern) => Breadth::Exact,
        (_, true, _) => Breadth::Project,
        (_, _, true) => Breadth::Organisation,
        _ => Breadth::Anyone,
    })
}

/// Buildkite's `…:ref:REF:commit:…`: the commit of a job is never known beforehand, its ref may be.
fn names_ref(pattern: &str) -> bool {
    let value = |name: &str| {
        pattern
            .split_once(&format!(":{name}:"))
            .and_then(|(_, rest)| rest.split(':').next())
            .is_some_and(|value| !value.is_empty() && !wild(value))
    };
    let organisation = pattern
        .strip_prefix("organization:")
        .and_then(|rest| rest.split(':').next())
        .is_some_and(|value| !wild(value));
    organisation && value("pipeline") && value("ref")
}

/// `OWNER/REPO:context`, after `repo:`.
fn github(rest: &str) -> Breadth {
    let Some((owner, after)) = rest.split_once('/') else {
        // `repo:org*`: any organisation whose name begins so, and any repository.
        return Breadth::Anyone;
    };
    if wild(owner) {
        return Breadth::Anyone;
    }
    let (repository, context) = match after.split_once(':') {
        Some((repository, context)) => (repository, Some(context)),
        None => (after, None),
    };
    if wild(repository) {
        return Breadth::Organisation;
    }
    match context {
        // A pattern without a context ends in the repository's name and can match nothing but itself.
        None => Breadth::Exact,
        Some(_) => Breadth::Project,
    }
}

/// `GROUP/PROJECT:ref_type:TYPE:ref:REF`, after `project_path:`.
fn gitlab(rest: &str) -> Breadth {
    let path = rest.split(':').next().unwrap_or_default();
    let group = path.split('/').next().unwrap_or_default();
    if wild(group) {
        Breadth::Anyone
    } else if wild(path) {
        Breadth::Organisation
    } else {
        Breadth::Project
    }
}

/// `NAMESPACE:NAME`, after `system:serviceaccount:`.
fn service_account(rest: &str) -> Breadth {
    let namespace = rest.split(':').next().unwrap_or_default();
    if wild(namespace) {
        Breadth::Organisation
    } else {
        Breadth::Project
    }
}

/// `ORG:project:…:workspace:…` or `ORG:pipeline:…`, after `organization:`.
fn organization(rest: &str) -> Breadth {
    let mut parts = rest.split(':');
    let organization = parts.next().unwrap_or_default();
    if wild(organization) {
        return Breadth::Anyone;
    }
    let mut narrowest = Breadth::Organisation;
    while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
        if wild(value) || wild(name) {
            continue;
        }
        if matches!(name, "project" | "pipeline" | "workspace") {
            narrowest = Breadth::Project;
        }
    }
    narrowest
}

/// `org/ORG/project/PROJECT/user/USER`.
fn circleci(pattern: &str) -> Breadth {
    let parts: Vec<&str> = pattern.split('/').collect();
    let value = |name: &str| {
        parts
            .iter()
            .position(|part| *part == name)
            .and_then(|at| parts.get(at + 1))
            .is_some_and(|value| !wild(value))
    };
    // The issuer itself names one organisation.
    if value("project") {
        Breadth::Project
    } else {
        Breadth::Organisation
    }
}

/// `{repository}:{environment}:{step}` or `{repository}:{step}`.
fn bitbucket(pattern: &str) -> Breadth {
    let mut parts = pattern.split(':');
    let repository = parts.next().unwrap_or_default();
    let environment = parts.next().unwrap_or_default();
    if wild(repository) {
        // The issuer itself names one workspace.
        Breadth::Organisation
    } else if parts.next().is_some() && !environment.is_empty() && !wild(environment) {
        // The step's id is new in every run.
        Breadth::Exact
    } else {
        Breadth::Project
    }
}

/// Any other issuer: a fixed first part names an organisation, two name a project.
fn generic(pattern: &str) -> Breadth {
    let fixed = pattern
        .split([':', '/'])
        .take_while(|part| !wild(part))
        .count();
    match fixed {
        0 => Breadth::Anyone,
        1 => Breadth::Organisation,
        _ => Breadth::Project,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breadth_by_issuer() {
        let github = "token.actions.githubusercontent.com";
        let gitlab = "gitlab.com";
        for (issuer, pattern, expected) in [
            (github, "repo:acme/site:ref:refs/heads/main", Breadth::Exact),
            (github, "repo:acme/site:environment:prod", Breadth::Exact),
            (
                github,
                "repo:acme@12/site@34:ref:refs/heads/main",
                Breadth::Exact,
            ),
            (github, "repo:acme/site:*", Breadth::Project),
            (
                github,
                "repo:acme/site:ref:refs/heads/release-*",
                Breadth::Project,
            ),
            (github, "repo:acme/site:pull_request", Breadth::Project),
            (github, "repo:acme/*", Breadth::Organisation),
            (
                github,
                "repo:acme@12/site@34:pull_request",
                Breadth::Project,
            ),
            (github, "repo:acme/site", Breadth::Project),
            (github, "repository_owner:acme", Breadth::Organisation),
            (github, "repository_owner_id:12:*", Breadth::Organisation),
            (
                github,
                "repository_owner_id:12:repository_id:34:ref:refs/heads/main",
                Breadth::Exact,
            ),
            (
                github,
                "repository_owner_id:12:repository_id:34:*",
                Breadth::Project,
            ),
            (
                github,
                "job_workflow_ref:acme/ci/.github/workflows/ship.yml@refs/heads/main",
                Breadth::Exact,
            ),
            (github, "environment:prod", Breadth::Anyone),
            (
                github,
                "environment:prod:repository_owner:*",
                Breadth::Anyone,
            ),
            (gitlab, "project_path:acme/site", Breadth::Project),
            (
                "oidc.vercel.com/acme",
                "owner:acme:project:site:environment:production",
                Breadth::Exact,
            ),
            (
                "oidc.vercel.com/acme",
                "owner:acme:project:*:environment:production",
                Breadth::Organisation,
            ),
            (
                "agent.buildkite.com",
                "organization:acme:pipeline:ship:ref:refs/heads/main:commit:*",
                Breadth::Exact,
            ),
            (
                "api.bitbucket.org/2.0/workspaces/acme/x",
                "{a-b}:{c-d}:*",
                Breadth::Exact,
            ),
            (
                github,
                "repo:acme/site*:ref:refs/heads/main",
                Breadth::Organisation,
            ),
            (github, "repo:acme@12/*", Breadth::Organisation),
            (github, "repo:acme*", Breadth::Anyone),
            (github, "repo:*/site:*", Breadth::Anyone),
            (github, "repo:*", Breadth::Anyone),
            (github, "*:pull_request", Breadth::Anyone),
            (github, "*", Breadth::Anyone),
            (github, "", Breadth::Anyone),
            (
                gitlab,
                "project_path:acme/site:ref_type:branch:ref:main",
                Breadth::Exact,
            ),
            (gitlab, "project_path:acme/site:*", Breadth::Project),
            (
                gitlab,
                "project_path:acme/*:ref_type:branch:ref:main",
                Breadth::Organisation,
            ),
            (gitlab, "project_path:*", Breadth::Anyone),
            (
                "app.terraform.io",
                "organization:acme:project:core:workspace:net:run_phase:apply",
                Breadth::Exact,
            ),
            (
                "app.terraform.io",
                "organization:acme:project:core:workspace:*:run_phase:*",
                Breadth::Project,
            ),
            (
                "app.terraform.io",
                "organization:acme:project:*:workspace:*:run_phase:*",
                Breadth::Organisation,
            ),
            (
                "app.terraform.io",
                "organization:acme:*",
                Breadth::Organisation,
            ),
            ("app.terraform.io", "organization:*", Breadth::Anyone),
            (
                "agent.buildkite.com",
                "organization:acme:pipeline:ship:*",
                Breadth::Project,
            ),
            (
                "agent.buildkite.com",
                "organization:acme:*",
                Breadth::Organisation,
            ),
            (
                "oidc.circleci.com/org/1",
                "org/1/project/2/user/*",
                Breadth::Project,
            ),
            (
                "oidc.circleci.com/org/1",
                "org/1/project/*",
                Breadth::Organisation,
            ),
            (
                "api.bitbucket.org/2.0/workspaces/acme/x",
                "{a-b}:*",
                Breadth::Project,
            ),
            (
                "api.bitbucket.org/2.0/workspaces/acme/x",
                "{*",
                Breadth::Organisation,
            ),
            (
                "oidc.eks.eu-west-1.amazonaws.com/id/A",
                "system:serviceaccount:shop:cart",
                Breadth::Exact,
            ),
            (
                "oidc.eks.eu-west-1.amazonaws.com/id/A",
                "system:serviceaccount:shop:*",
                Breadth::Project,
            ),
            (
                "oidc.eks.eu-west-1.amazonaws.com/id/A",
                "system:serviceaccount:*:cart",
                Breadth::Organisation,
            ),
            ("id.example.org", "team:build:*", Breadth::Project),
            ("id.example.org", "team:*", Breadth::Organisation),
        ] {
            assert_eq!(subject_breadth(issuer, pattern), expected, "{pattern}");
        }
    }
}
