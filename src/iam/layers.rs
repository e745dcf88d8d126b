//! Every kind of policy that has a say in one request, and what each says.

use super::caller::{CallerKind, Naming};
use super::compile::{CompiledPolicy, CompiledStatement};
use super::condition::{self, Truth};
use super::policy::{Effect, Selection};
use super::request::Request;
use std::borrow::Cow;

/// A kind of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Service control policies of the caller's organization.
    ServiceControl,
    /// Resource control policies of the resource's organization.
    ResourceControl,
    /// Policy of the network endpoint the request goes through.
    Endpoint,
    /// Permission boundary.
    Boundary,
    /// Session policy.
    Session,
    /// The caller's own policies and those of its groups.
    Identity,
    /// The resource's own policy; of a role its trust policy.
    Resource,
}

impl Layer {
    /// The word people read.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ServiceControl => "service control policy",
            Self::ResourceControl => "resource control policy",
            Self::Endpoint => "endpoint policy",
            Self::Boundary => "permission boundary",
            Self::Session => "session policy",
            Self::Identity => "identity policy",
            Self::Resource => "resource policy",
        }
    }

    /// The word programs read.
    pub const fn key(self) -> &'static str {
        match self {
            Self::ServiceControl => "scp",
            Self::ResourceControl => "rcp",
            Self::Endpoint => "endpoint",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::Identity => "identity",
            Self::Resource => "resource",
        }
    }
}

/// A policy and how people find it.
#[derive(Clone, Debug)]
pub struct Labelled<'a> {
    /// ``policy `X` ``, ``group `g`, policy `X` ``.
    pub label: Cow<'a, str>,
    /// The policy.
    pub policy: &'a CompiledPolicy,
}

impl<'a> Labelled<'a> {
    /// Names a policy.
    pub fn new(label: impl Into<Cow<'a, str>>, policy: &'a CompiledPolicy) -> Self {
        Self {
            label: label.into(),
            policy,
        }
    }
}

/// A layer that is there, is not there, or is there and nobody knows what it says.
#[derive(Clone, Debug, Default)]
pub enum Given<T> {
    /// There is none.
    #[default]
    None,
    /// This.
    Known(T),
    /// There is none, for a reason to be told.
    Absent(String),
    /// There is one, or may be one, that the scan has not seen; in words, what is missing.
    Unknown(String),
}

/// The policies of one level of an organization.
pub type Level<'a> = Vec<Labelled<'a>>;

/// Every policy that has a say.
#[derive(Clone, Debug, Default)]
pub struct Layers<'a> {
    /// The caller's policies and its groups'.
    pub identity: Vec<Labelled<'a>>,
    /// Policies of the caller the scan has not seen, in words.
    pub unseen: Vec<String>,
    /// Permission boundary.
    pub boundary: Given<Labelled<'a>>,
    /// Session policies: the request must pass all of them.
    pub session: Vec<Labelled<'a>>,
    /// Service control policies, level by level; the caller is subject to them.
    pub service_control: Vec<Level<'a>>,
    /// Resource control policies, level by level; the resource is subject to them.
    pub resource_control: Vec<Level<'a>>,
    /// Limits of the caller the scan has not seen, in words.
    pub limits_unseen: Vec<String>,
    /// Endpoint policies; empty when the request does not go through an endpoint.
    pub endpoint: Vec<Labelled<'a>>,
    /// The resource's policy.
    pub resource: Given<Labelled<'a>>,
    /// Grants of a resource policy to the ARN of a session are not limited by that session's policies.
    ///
    /// AWS's documentation says so; the published vectors deny. `false` denies.
    pub session_grants_unlimited: bool,
}

/// A statement that had a say.
#[derive(Clone, Debug)]
pub struct Deciding<'a> {
    /// Kind of policy.
    pub layer: Layer,
    /// The policy, as people find it.
    pub policy: Cow<'a, str>,
    /// The statement.
    pub statement: &'a CompiledStatement,
    /// What it hangs on, in words; empty when it certainly applies.
    pub depends_on: Vec<String>,
}

/// What one layer says.
#[derive(Clone, Debug, Default)]
pub(super) struct Said<'a> {
    /// An allow applies.
    pub allow: Truth,
    pub allowed_by: Vec<Deciding<'a>>,
    pub denied_by: Vec<Deciding<'a>>,
    /// Denies that hang on something.
    pub perhaps_denied_by: Vec<Deciding<'a>>,
}

impl<'a> Said<'a> {
    /// What the policies of a layer without principals say together.
    pub(super) fn of(layer: Layer, policies: &[Labelled<'a>], request: &Request<'_>) -> Self {
        let mut said = Self::default();
        for labelled in policies {
            for statement in &labelled.policy.statements {
                // Endpoint and control policies name principals, everyone as a rule; identity policies never do.
                let named = match layer {
                    Layer::Endpoint | Layer::ResourceControl => match &statement.principals {
                        Selection::Absent => layer == Layer::Endpoint,
                        _ => {
                            request
                                .caller
                                .named_in(&statement.principals, statement.effect)
                                != Naming::No
                        }
                    },
                    _ => true,
                };
                if named {
                    let truth = request.meets(statement, false);
                    said.note(layer, labelled, statement, truth, request, None);
                }
            }
        }
        said
    }

    /// Takes up what one statement says.
    pub(super) fn note(
        &mut self,
        layer: Layer,
        labelled: &Labelled<'a>,
        statement: &'a CompiledStatement,
        truth: Truth,
        request: &Request<'_>,
        besides: Option<String>,
    ) {
        if truth == Truth::No {
            return;
        }
        let deciding = Deciding {
            layer,
            policy: labelled.label.clone(),
            statement,
            depends_on: if truth == Truth::Yes {
                Vec::new()
            } else {
                open(statement, request, besides)
            },
        };
        match (statement.effect, truth) {
            (Effect::Deny, Truth::Yes) => self.denied_by.push(deciding),
            (Effect::Deny, _) => self.perhaps_denied_by.push(deciding),
            (Effect::Allow, _) => {
                self.allow = self.allow.or(truth);
                self.allowed_by.push(deciding);
            }
        }
    }

    /// Whether it allows and does not deny for certain.
    pub(super) fn grants(&self) -> Truth {
        if self.denied_by.is_empty() {
            self.allow
        } else {
            Truth::No
        }
    }
}

/// What is open about a statement, in words.
fn open(
    statement: &CompiledStatement,
    request: &Request<'_>,
    besides: Option<String>,
) -> Vec<String> {
    let mut words: Vec<String> = statement
        .conditions
        .iter()
        .filter(|condition| {
            condition::holds(condition, request.context, statement.variables) == Truth::Unknown
        })
        .map(super::policy::Condition::words)
        .collect();
    words.extend(besides);
    if words.is_empty() {
        words.push(format!(
            "resource {}",
            statement.resources_written.join(" | ")
        ));
    }
    words
}

/// What a resource's own policy says, by how it names the caller.
#[derive(Clone, Debug, Default)]
pub(super) struct ResourceSaid<'a> {
    /// Everything.
    pub said: Said<'a>,
    /// Allows that name the caller or everyone.
    pub itself: Truth,
    /// Allows that name the caller's session.
    pub session: Truth,
    /// Allows that name the role.
    pub role: Truth,
    /// Allows that name the account.
    pub account: Truth,
}

impl<'a> ResourceSaid<'a> {
    /// Reads a resource's policy for a request; `bounded`: the caller has a permission boundary.
    pub(super) fn of(labelled: &Labelled<'a>, request: &Request<'_>, bounded: bool) -> Self {
        let mut resource = Self::default();
        for statement in &labelled.policy.statements {
            let mut naming = request
                .caller
                .named_in(&statement.principals, statement.effect);
            let spared = matches!(statement.principals, Selection::Except(_));
            if naming == Naming::No && statement.effect == Effect::Allow {
                naming = request.caller.session_named_in(&statement.principals);
            }
            if naming == Naming::No && spared && bounded && statement.effect == Effect::Deny {
                // A deny to all but some reaches a caller with a boundary even if it is one of them.
                naming = Naming::Itself;
            }
            if naming == Naming::No {
                continue;
            }
            let mut truth = request.meets(statement, true);
            let mut besides = None;
            if naming == Naming::PerhapsSession {
                if request.context.is_complete() {
                    continue;
                }
                // Whoever becomes the role chooses the name of the session.
                truth = truth.and(Truth::Unknown);
                besides = Some(session_words(statement, request));
            }
            if statement.effect == Effect::Allow {
                let by_session = request.caller.kind == CallerKind::Session
                    && !spared
                    && statement
                        .principals
                        .values()
                        .iter()
                        .any(|principal| principal.value == request.caller.arn);
                match naming {
                    Naming::Itself if by_session => resource.session = resource.session.or(truth),
                    Naming::Itself => resource.itself = resource.itself.or(truth),
                    Naming::PerhapsSession => resource.session = resource.session.or(truth),
                    Naming::Role => resource.role = resource.role.or(truth),
                    Naming::Account => resource.account = resource.account.or(truth),
                    Naming::No => {}
                }
            }
            resource.said.note(
                Layer::Resource,
                labelled,
                statement,
                truth,
                request,
                besides,
            );
        }
        resource
    }
}

fn session_words(statement: &CompiledStatement, request: &Request<'_>) -> String {
    let prefix = format!(":assumed-role/{}/", request.caller.name);
    let names: Vec<&str> = statement
        .principals
        .values()
        .iter()
        .filter_map(|principal| principal.value.split_once(&prefix))
        .map(|(_, name)| name)
        .collect();
    format!("the session is called {}", names.join(" or "))
}
