//! Granted against used, for the principals of one account.

use super::Judge;
use crate::iam::account::{Source, Subject};
use crate::iam::expand::Effective;
use crate::iam::usage::{self, Holding, Limit, Principal};
use crate::model::aws::{AwsAttached, AwsInlinePolicy, AwsRole, AwsServiceUse, AwsUser};
use crate::model::{GrantSource, PermissionUse};
use jiff::Timestamp;
use serde_json::Value;
use std::borrow::Cow;
use std::sync::Arc;

impl<'a> Judge<'a> {
    /// What a user uses of what it is granted; `None` where no record tells.
    pub fn use_of_user(&self, user: &AwsUser) -> Option<PermissionUse> {
        let services = user.services.as_ref()?;
        let subject = self.holdings()?.user(user);
        let own = written(&user.inline, &user.attached);
        let through = subject
            .groups
            .iter()
            .flat_map(|group| written(&group.inline, &group.attached));
        let documents: Vec<Written<'_>> = own.chain(through).collect();
        self.use_of(&subject, &documents, services, user.created_at, Limit::User)
    }

    /// What a role uses of what it is granted; `None` where no record tells.
    pub fn use_of_role(&self, role: &AwsRole) -> Option<PermissionUse> {
        let services = role.services.as_ref()?;
        let subject = self.holdings()?.role(role);
        let documents: Vec<Written<'_>> = written(&role.inline, &role.attached).collect();
        self.use_of(&subject, &documents, services, role.created_at, Limit::Role)
    }

    fn use_of(
        &self,
        subject: &Subject<'_>,
        documents: &[Written<'_>],
        services: &AwsServiceUse,
        created_at: Option<Timestamp>,
        limit: Limit,
    ) -> Option<PermissionUse> {
        let effective = Effective::of(&subject.holder(None), &self.tables.actions);
        // The policies that could be read, in the order of the effective permissions' `held`.
        let holdings: Option<Vec<Holding<'_>>> = subject
            .sources
            .iter()
            .zip(documents)
            .filter_map(|(source, written)| Some((source, written, source.policy.as_ref()?)))
            .map(|(source, written, policy)| {
                Some(Holding {
                    label: source.label.clone(),
                    native_id: source.native_id.clone(),
                    document: self.document(written)?,
                    policy: Arc::clone(policy),
                    inline: source.kind == GrantSource::Inline,
                    note: note(source),
                    changed_at: self.changed_at(source),
                })
            })
            .collect();
        usage::compare(
            &Principal {
                created_at,
                collected_at: self.account.collected_at,
                holdings: &holdings?,
                effective: &effective,
                limit,
            },
            services,
            self.tables,
        )
    }

    fn document<'d>(&self, written: &Written<'d>) -> Option<Cow<'d, Value>>
    where
        'a: 'd,
    {
        match written {
            Written::Inline(document) => Some(Cow::Borrowed(*document)),
            Written::Managed(arn) => match self.holdings()?.policy(arn) {
                Some(policy) if !policy.document.is_null() => Some(Cow::Borrowed(&policy.document)),
                _ => serde_json::from_str(self.tables.managed_policy(arn)?)
                    .ok()
                    .map(Cow::Owned),
            },
        }
    }

    /// When a policy of the customer got the content it has. AWS adds to its own all the time.
    fn changed_at(&self, source: &Source) -> Option<Timestamp> {
        let arn = source.managed.as_deref()?;
        if arn.contains(":iam::aws:") {
            return None;
        }
        self.holdings()?.policy(arn)?.updated_at
    }
}

/// Where a policy's document stands.
enum Written<'d> {
    Inline(&'d Value),
    Managed(&'d str),
}

/// Documents in the order in which a principal's policies are listed.
fn written<'d>(
    inline: &'d [AwsInlinePolicy],
    attached: &'d [AwsAttached],
) -> impl Iterator<Item = Written<'d>> {
    let inline = inline
        .iter()
        .map(|policy| Written::Inline(&policy.document));
    inline.chain(
        attached
            .iter()
            .map(|policy| Written::Managed(policy.arn.as_str())),
    )
}

/// What has to be known before a smaller policy takes a policy's place.
fn note(source: &Source) -> Option<String> {
    match (&source.managed, source.kind) {
        (_, GrantSource::Group) => Some(
            "it comes through a group: attach this to the user itself and end the membership, or keep the group for its other members"
                .to_owned(),
        ),
        (Some(arn), _) if arn.contains(":iam::aws:") => Some(
            "the policy is AWS's own: make this one beside it, attach it in its place".to_owned(),
        ),
        (Some(_), _) => Some(
            "others may hold the policy: make this one beside it and attach it in its place, or compare every holder first"
                .to_owned(),
        ),
        (None, _) => None,
    }
}
