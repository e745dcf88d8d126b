//! One caller made ready for many questions.

use super::{Question, Reply, Trust, World, levels, named, organization};
use crate::iam::account::{Control, Subject};
use crate::iam::caller::{Caller, CallerKind};
use crate::iam::context::Context;
use crate::iam::decide::{Answer, Verdict, decide};
use crate::iam::layers::{Given, Labelled, Layers};
use crate::iam::principal;
use crate::iam::request::Request;
use std::borrow::Cow;

/// One caller with everything the scan knows of it.
pub struct Asker<'w, 'a> {
    world: &'w World<'a>,
    caller: Caller,
    subject: Option<Subject<'w>>,
    /// What is known of a request to a resource of its own account.
    at_home: Context,
    /// Policies whose documents are missing give nothing, instead of perhaps everything.
    seen_only: bool,
}

impl<'a> World<'a> {
    /// Makes a caller ready for questions.
    pub fn asker(&self, caller: Caller) -> Asker<'_, 'a> {
        let subject = self.subject(&caller);
        self.asker_as(caller, subject)
    }

    /// Makes a caller ready that holds what is said here.
    pub(in crate::iam) fn asker_as<'w>(
        &'w self,
        caller: Caller,
        subject: Option<Subject<'w>>,
    ) -> Asker<'w, 'a> {
        let mut asker = Asker {
            world: self,
            caller,
            subject,
            at_home: Context::default(),
            seen_only: false,
        };
        let home = asker.caller.account.clone();
        asker.at_home = asker.context(&home, &Context::default());
        asker
    }
}

impl<'w> Asker<'w, '_> {
    /// Who asks.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// What it holds.
    pub(in crate::iam) const fn subject(&self) -> Option<&Subject<'w>> {
        self.subject.as_ref()
    }

    /// Missing documents give nothing from now on.
    pub(in crate::iam) fn trust_what_is_seen(mut self) -> Self {
        self.seen_only = true;
        self
    }

    /// Answers one question, with the reasons.
    pub fn ask(&self, question: &Question<'_>) -> Reply {
        self.decided(question, |verdict, account| {
            Reply::of(
                &self.caller,
                question.action,
                question.resource,
                account,
                verdict,
            )
        })
    }

    /// Answers one question.
    pub fn answer(&self, question: &Question<'_>) -> Answer {
        self.decided(question, |verdict, _| verdict.answer)
    }

    fn decided<T>(&self, question: &Question<'_>, then: impl FnOnce(&Verdict<'_>, &str) -> T) -> T {
        let world = self.world;
        let account = world.account_of(&self.caller, question);
        let context = if account == self.caller.account && question.context.is_empty() {
            Cow::Borrowed(&self.at_home)
        } else {
            Cow::Owned(self.context(account, question.context))
        };
        let request = Request::new(
            &self.caller,
            question.action,
            question.resource,
            account,
            &context,
            world.tables,
        );
        let trust = world.trust(&request);
        let mut layers = Layers {
            session: named("session policy", &question.given.session),
            endpoint: named("endpoint policy", &question.given.endpoint),
            session_grants_unlimited: question.given.session_grants_unlimited,
            ..Layers::default()
        };
        self.hold(&mut layers);
        if world
            .tables
            .has_resource_control(request.action.split(':').next().unwrap_or_default())
            && let Some(place) = world.places.get(account)
        {
            layers.resource_control = levels(&place.resource_control);
        }
        layers.resource = match (&question.given.resource, &trust) {
            (Some(Some(policy)), _) => Given::Known(Labelled::new("resource policy", policy)),
            (Some(None), _) => Given::None,
            (None, Trust::Ready(policy)) => Given::Known(Labelled::new(
                format!("trust policy of {}", question.resource),
                policy,
            )),
            (None, Trust::Gone(what)) => Given::Absent(what.clone()),
            (None, Trust::Unseen(what)) => Given::Unknown(what.clone()),
            (None, Trust::Other) => world.resource(&request),
        };
        then(&decide(&request, &layers), account)
    }

    /// Puts the caller's own policies and limits into the layers.
    fn hold<'s>(&'s self, layers: &mut Layers<'s>) {
        let caller = &self.caller;
        let Some(subject) = &self.subject else {
            if caller.kind == CallerKind::Root {
                if let Some(place) = self.world.places.get(caller.account.as_str()) {
                    layers.service_control = levels(place.holdings.control());
                }
            } else if caller.has_account() {
                layers
                    .unseen
                    .push(format!("the policies of {}", caller.arn));
            }
            return;
        };
        for source in &subject.sources {
            match &source.policy {
                Some(policy) => layers
                    .identity
                    .push(Labelled::new(source.label.as_str(), policy)),
                None if self.seen_only => {}
                None => layers
                    .unseen
                    .push(format!("the document of {}", source.label)),
            }
        }
        if !self.seen_only {
            layers.unseen.extend(
                subject
                    .missing_groups
                    .iter()
                    .map(|group| format!("the policies of group `{group}`")),
            );
        }
        layers.boundary = match (subject.boundary, &subject.boundary_policy) {
            (None, _) => Given::None,
            (Some(arn), Some(policy)) => {
                Given::Known(Labelled::new(format!("policy `{arn}`"), policy))
            }
            (Some(arn), None) => Given::Unknown(format!("the permission boundary `{arn}`")),
        };
        layers.service_control = levels(&subject.control);
        if matches!(subject.control, Control::Missing) {
            layers
                .limits_unseen
                .push("a service control policy of the organization".to_owned());
        }
    }

    /// What is known of a request to a resource of an account.
    fn context(&self, account: &str, extra: &Context) -> Context {
        let mut context = self.subject.as_ref().map_or_else(
            || principal::of_caller(&self.caller),
            |subject| subject.context.clone(),
        );
        let membership = |id: &str| {
            self.world
                .places
                .get(id)
                .and_then(|place| place.account.membership.as_ref())
        };
        if let Some(place) = membership(&self.caller.account) {
            organization(&mut context, place, "Principal");
        }
        if !account.is_empty() {
            context.set("aws:ResourceAccount", account);
        }
        if let Some(place) = membership(account) {
            organization(&mut context, place, "Resource");
        }
        context.extend(extra);
        context
    }
}
