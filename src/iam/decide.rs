//! Deciding one request against every policy that has a say.
//!
//! The order does not matter to the answer: a deny that certainly applies wins wherever it stands; else the grants of
//! the caller's policies and of the resource's policy are joined as the account of each asks, and every limit (control
//! policies, boundary, session and endpoint policies) must let the request through. What a scan cannot know makes the
//! answer depend on it, and is kept.

use super::caller::CallerKind;
use super::condition::Truth;
use super::layers::{Deciding, Given, Labelled, Layer, Layers, ResourceSaid, Said};
use super::request::Request;
use super::services;
use serde::Serialize;

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// Denied.
    Denied,
    /// Allowed if what a scan cannot know turns out right.
    DependsOn,
    /// Allowed.
    Allowed,
}

impl Answer {
    /// The word of every output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::DependsOn => "depends-on",
            Self::Allowed => "allowed",
        }
    }
}

/// The answer with its reasons.
#[derive(Clone, Debug)]
pub struct Verdict<'a> {
    /// The answer.
    pub answer: Answer,
    /// Denied by a statement, not for want of one.
    pub explicit: bool,
    /// Statements that decided: of a denial its denies; else the allows, layer by layer.
    pub deciding: Vec<Deciding<'a>>,
    /// Denies that may apply.
    pub unless: Vec<Deciding<'a>>,
    /// Layers that stop what is granted otherwise.
    pub blocked_by: Vec<Layer>,
    /// What the answer depends on besides conditions, or what was not seen, in words.
    pub unseen: Vec<String>,
    /// Why, where no statement says it.
    pub because: Option<&'static str>,
}

impl Verdict<'_> {
    /// Whether anything is left of the request.
    pub fn permits(&self) -> bool {
        self.answer != Answer::Denied
    }
}

/// Decides a request.
pub fn decide<'a>(request: &Request<'_>, layers: &Layers<'a>) -> Verdict<'a> {
    if services::is_free(request.action) && request.caller.has_account() {
        return Verdict {
            answer: Answer::Allowed,
            explicit: false,
            deciding: Vec::new(),
            unless: Vec::new(),
            blocked_by: Vec::new(),
            unseen: Vec::new(),
            because: Some("every caller may do this, whatever is denied"),
        };
    }
    Hearing::of(request, layers).verdict(request, layers)
}

/// What every layer says.
struct Hearing<'a> {
    identity: Said<'a>,
    /// `None`: no boundary.
    boundary: Option<Said<'a>>,
    session: Vec<Said<'a>>,
    service_control: Vec<Said<'a>>,
    resource_control: Vec<Said<'a>>,
    endpoint: Option<Said<'a>>,
    resource: ResourceSaid<'a>,
    unseen: Vec<String>,
}

impl<'a> Hearing<'a> {
    fn of(request: &Request<'_>, layers: &Layers<'a>) -> Self {
        let caller = request.caller;
        let mut unseen = Vec::new();
        let said = |layer, policies: &[Labelled<'a>]| Said::of(layer, policies, request);
        let mut identity = if caller.has_account() {
            said(Layer::Identity, &layers.identity)
        } else {
            Said::default()
        };
        match caller.kind {
            // The root user needs no permission.
            CallerKind::Root => identity.allow = Truth::Yes,
            _ if caller.has_account()
                && !layers.unseen.is_empty()
                && identity.allow != Truth::Yes =>
            {
                identity.allow = Truth::Unknown;
                unseen.extend(layers.unseen.iter().cloned());
            }
            _ => {}
        }
        let boundary = match &layers.boundary {
            Given::None | Given::Absent(_) => None,
            Given::Known(policy) => Some(said(Layer::Boundary, std::slice::from_ref(policy))),
            Given::Unknown(what) => {
                unseen.push(what.clone());
                Some(Said {
                    allow: Truth::Unknown,
                    ..Said::default()
                })
            }
        }
        .filter(|_| {
            matches!(
                caller.kind,
                CallerKind::User | CallerKind::Role | CallerKind::Session
            )
        });
        let resource = match &layers.resource {
            Given::Known(policy) => ResourceSaid::of(policy, request, boundary.is_some()),
            Given::None | Given::Absent(_) | Given::Unknown(_) => ResourceSaid::default(),
        };
        if let Given::Absent(what) = &layers.resource {
            unseen.push(what.clone());
        }
        let levels = |layer, list: &[Vec<Labelled<'a>>]| -> Vec<Said<'a>> {
            list.iter().map(|level| said(layer, level)).collect()
        };
        let controlled = caller.has_account() && !caller.service_linked;
        Self {
            identity,
            boundary,
            session: if caller.has_account() {
                layers
                    .session
                    .iter()
                    .map(|policy| said(Layer::Session, std::slice::from_ref(policy)))
                    .collect()
            } else {
                Vec::new()
            },
            service_control: if controlled {
                levels(Layer::ServiceControl, &layers.service_control)
            } else {
                Vec::new()
            },
            // Full access is attached to every level and cannot be taken off: only denies matter.
            resource_control: if caller.service_linked {
                Vec::new()
            } else {
                levels(Layer::ResourceControl, &layers.resource_control)
            },
            endpoint: (!layers.endpoint.is_empty())
                .then(|| said(Layer::Endpoint, &layers.endpoint)),
            resource,
            unseen,
        }
    }

    /// Every layer, in the order in which they are told.
    fn all(&self) -> impl Iterator<Item = &Said<'a>> {
        self.service_control
            .iter()
            .chain(&self.resource_control)
            .chain(&self.endpoint)
            .chain(&self.boundary)
            .chain(&self.session)
            .chain([&self.identity, &self.resource.said])
    }

    fn verdict(mut self, request: &Request<'_>, layers: &Layers<'a>) -> Verdict<'a> {
        let caller = request.caller;
        let own = services::needs_own_policy(request.action, &request.target);
        let same = caller.has_account() && caller.account == request.account;
        if let Given::Unknown(what) = &layers.resource {
            self.suppose(what, own, same, caller.has_account());
        }
        let resource = &self.resource;
        let (itself, session, role, account) = (
            resource.itself,
            resource.session,
            resource.role,
            resource.account,
        );
        let all = |said: &[Said<'a>]| {
            said.iter()
                .fold(Truth::Yes, |truth, said| truth.and(said.allow))
        };
        let boundary = self.boundary.as_ref().map_or(Truth::Yes, |said| said.allow);
        let in_session = all(&self.session);
        let limits = boundary.and(in_session);
        let grant = |identity: Truth, limits: Truth, in_session: Truth| {
            if !caller.has_account() {
                itself
            } else if same {
                let session = if layers.session_grants_unlimited {
                    session
                } else {
                    session.and(in_session)
                };
                let through_identity = identity.and(if own { account } else { Truth::Yes });
                itself
                    .and(in_session)
                    .or(session)
                    .or(role.or(through_identity).and(limits))
            } else {
                itself
                    .or(session)
                    .or(role)
                    .or(account)
                    .and(identity)
                    .and(limits)
            }
        };
        let granted = grant(self.identity.allow, limits, in_session);
        let otherwise = grant(self.identity.grants(), Truth::Yes, Truth::Yes);
        let mut guards = all(&self.service_control)
            .and(self.endpoint.as_ref().map_or(Truth::Yes, |said| said.allow));
        if !layers.limits_unseen.is_empty() {
            guards = guards.and(Truth::Unknown);
            self.unseen.extend(layers.limits_unseen.iter().cloned());
        }
        let refused = services::refused(request.action, &request.target);
        let explicit = self.all().any(|said| !said.denied_by.is_empty());
        let perhaps = self.all().any(|said| !said.perhaps_denied_by.is_empty());
        let answer = match granted.and(guards) {
            _ if explicit || refused.is_some() => Answer::Denied,
            Truth::No => Answer::Denied,
            Truth::Yes if !perhaps => Answer::Allowed,
            _ => Answer::DependsOn,
        };
        let blocked_by = if answer == Answer::Denied && otherwise != Truth::No {
            self.blocking(granted)
        } else {
            Vec::new()
        };
        self.tell(answer, explicit, blocked_by, refused)
    }

    /// A resource policy nobody has seen may say anything; where it is needed, the answer depends on it.
    fn suppose(&mut self, what: &str, own: bool, same: bool, has_account: bool) {
        if same && !own {
            // What the caller's own policies allow needs no word of the resource; its silence is the rule.
            self.unseen.push(format!("{what}: taken as silent"));
            return;
        }
        let part = if has_account {
            &mut self.resource.account
        } else {
            &mut self.resource.itself
        };
        *part = Truth::Unknown;
        self.unseen.push(what.to_owned());
    }

    /// The layers that stop what is granted otherwise.
    fn blocking(&self, granted: Truth) -> Vec<Layer> {
        let stops = |said: &Said<'a>| said.allow == Truth::No || !said.denied_by.is_empty();
        let denies = |said: &Said<'a>| !said.denied_by.is_empty();
        let mut out = Vec::new();
        let mut add = |layer, yes: bool| {
            if yes {
                out.push(layer);
            }
        };
        add(
            Layer::ServiceControl,
            self.service_control.iter().any(stops),
        );
        add(
            Layer::ResourceControl,
            self.resource_control.iter().any(denies),
        );
        add(Layer::Endpoint, self.endpoint.as_ref().is_some_and(stops));
        let in_the_way = |said: &Said<'a>| {
            !said.denied_by.is_empty() || (granted == Truth::No && said.allow == Truth::No)
        };
        add(
            Layer::Boundary,
            self.boundary.as_ref().is_some_and(in_the_way),
        );
        add(Layer::Session, self.session.iter().any(in_the_way));
        add(Layer::Identity, denies(&self.identity));
        add(Layer::Resource, denies(&self.resource.said));
        out
    }

    fn tell(
        self,
        answer: Answer,
        explicit: bool,
        blocked_by: Vec<Layer>,
        refused: Option<&'static str>,
    ) -> Verdict<'a> {
        let mut deciding = Vec::new();
        let mut unless = Vec::new();
        let said = self
            .service_control
            .into_iter()
            .chain(self.resource_control)
            .chain(self.endpoint)
            .chain(self.boundary)
            .chain(self.session)
            .chain([self.identity, self.resource.said]);
        for said in said {
            if answer == Answer::Denied {
                deciding.extend(said.denied_by);
            } else {
                let certain = said.allow == Truth::Yes;
                deciding.extend(
                    said.allowed_by
                        .into_iter()
                        .filter(|by| !certain || by.depends_on.is_empty()),
                );
                unless.extend(said.perhaps_denied_by);
            }
        }
        // The grants first: they are what people ask for.
        deciding.sort_by_key(|by| std::cmp::Reverse(by.layer));
        let mut unseen = self.unseen;
        if answer == Answer::Allowed {
            unseen.retain(|what| what.ends_with("taken as silent"));
        }
        Verdict {
            answer,
            explicit,
            deciding,
            unless,
            blocked_by,
            unseen,
            because: refused.filter(|_| !explicit),
        }
    }
}
