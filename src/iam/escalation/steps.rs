//! One step: whether a rule's actions and prerequisites hold for one principal and one target.

use super::field::{Field, Kind, Node, letting_in, pass_role};
use super::lists::Lists;
use super::probe::{Class, Probe};
use super::{ASSUME_ROLE, PASS_ROLE};
use crate::iam::arn::ArnPattern;
use crate::iam::context::Context;
use crate::rules::aws::{EscalationKind, EscalationRule};

/// Nodes in an order.
pub(super) type Run<'s> = Box<dyn Iterator<Item = usize> + 's>;

/// What a step is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gain {
    /// All permissions that its limits leave: for itself, or as the target it has become.
    Everything,
    /// To be the target.
    Become,
}

/// Where a rule leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// To more permissions for oneself.
    Itself,
    /// To another version of a policy one holds.
    Version,
    /// To doing without one's boundary.
    Freed,
    /// To being another, without that one's boundary.
    FreedOther,
    /// To being in one more group.
    Joined,
    /// To being somebody else.
    Target(Gain),
    /// To the whole account.
    Account,
}

/// Where a rule leads, whoever follows it.
pub(super) fn way(rule: &EscalationRule) -> Way {
    use EscalationKind as K;
    match rule.kind {
        K::OwnPolicy if rule.actions == ["iam:SetDefaultPolicyVersion"] => Way::Version,
        K::OwnUser | K::OwnRole | K::OwnGroup | K::OwnPolicy => Way::Itself,
        K::OwnBoundaryUser | K::OwnBoundaryRole => Way::Freed,
        K::AssumableBoundaryRole => Way::FreedOther,
        K::OtherGroup => Way::Joined,
        K::OtherUser | K::OtherRole | K::AssumeRole | K::PassRole | K::Workload => {
            Way::Target(Gain::Become)
        }
        K::AnyUser | K::AnyRole | K::AnyRolePolicy | K::AssumableRole | K::AssumableRolePolicy => {
            Way::Target(Gain::Everything)
        }
        K::Account => Way::Account,
    }
}

impl<'w, 'a> Field<'w, 'a> {
    /// What a rule asks for besides a target.
    pub(super) fn prepared(
        &self,
        node: &Node<'w, 'a>,
        rule: &EscalationRule,
        probe: &mut Probe,
    ) -> bool {
        match rule.kind {
            EscalationKind::PassRole => {
                let pass = pass_role(self.tables);
                if rule.later {
                    probe.at_best(Class::Unseen);
                    if probe.told {
                        let what = "that somebody or something runs what was made";
                        probe.unknown.push(what.to_owned());
                    }
                }
                self.anywhere(node, rule, pass, probe)
            }
            EscalationKind::Workload => {
                probe.at_best(Class::Unseen);
                self.anywhere(node, rule, None, probe)
            }
            EscalationKind::OtherGroup => node.is_user(),
            EscalationKind::Account => {
                probe.at_best(Class::Unseen);
                if probe.told {
                    let what = "that Identity Center gives the permission set to somebody here";
                    probe.unknown.push(what.to_owned());
                }
                self.anywhere(node, rule, None, probe)
            }
            _ => true,
        }
    }

    /// Every action but one on something.
    fn anywhere(
        &self,
        node: &Node<'w, 'a>,
        rule: &EscalationRule,
        but: Option<usize>,
        probe: &mut Probe,
    ) -> bool {
        rule.indices
            .iter()
            .zip(&rule.actions)
            .filter(|(index, _)| Some(**index) != but)
            .all(|(_, action)| probe.may(node, action, "*", &self.no_context, &self.nothing))
    }

    /// Every action of a rule on one resource.
    pub(super) fn all_on(
        &self,
        node: &Node<'w, 'a>,
        rule: &EscalationRule,
        arn: &str,
        probe: &mut Probe,
    ) -> bool {
        rule.actions
            .iter()
            .all(|action| self.does(node, action, arn, probe))
    }

    /// One action on one resource. A policy is attached for what it gives: one with full control has to be among those
    /// that conditions let through.
    pub(super) fn does(
        &self,
        node: &Node<'w, 'a>,
        action: &str,
        arn: &str,
        probe: &mut Probe,
    ) -> bool {
        if !matches!(
            action,
            "iam:AttachUserPolicy" | "iam:AttachRolePolicy" | "iam:AttachGroupPolicy"
        ) {
            return probe.may(node, action, arn, &self.no_context, &self.nothing);
        }
        let full = self.full_policies.get(node.account).into_iter().flatten();
        Self::first(full.map(String::as_str), probe, |policy, probe| {
            let mut context = Context::default();
            context.set("iam:PolicyARN", policy);
            probe.may(node, action, arn, &context, &self.nothing)
        })
        .is_some()
    }

    /// Whether a rule gives the node more permissions of its own.
    pub(super) fn itself(
        &self,
        node: &Node<'w, 'a>,
        rule: &EscalationRule,
        probe: &mut Probe,
    ) -> Option<String> {
        use EscalationKind as K;
        let own = |probe: &mut Probe| {
            self.all_on(node, rule, node.arn, probe)
                .then(|| rule.what.to_owned())
        };
        match (rule.kind, node.kind) {
            (K::OwnUser, Kind::User(_)) | (K::OwnRole, Kind::Role(_)) => own(probe),
            (K::OwnBoundaryUser, Kind::User(_)) | (K::OwnBoundaryRole, Kind::Role(_)) => {
                let bounded = node
                    .asker
                    .subject()
                    .is_some_and(|held| held.boundary.is_some());
                bounded.then(|| own(probe)).flatten()
            }
            (K::OwnGroup, Kind::User(_)) => {
                let subject = node.asker.subject()?;
                let groups = subject.groups.iter().map(|group| group.arn.as_str());
                Self::first(groups, probe, |group, probe| {
                    self.all_on(node, rule, group, probe)
                })?;
                Some(rule.what.to_owned())
            }
            (K::OwnPolicy, _) => {
                let policies = node.policies.iter().map(|(policy, _)| policy.as_str());
                let policy = Self::first(policies, probe, |policy, probe| {
                    self.all_on(node, rule, policy, probe)
                })?;
                Some(format!("{} ({})", rule.what, last(policy)))
            }
            _ => None,
        }
    }

    /// The first of several for which something holds, and the surest if one is surer.
    fn first<'i>(
        items: impl Iterator<Item = &'i str>,
        probe: &mut Probe,
        holds: impl Fn(&str, &mut Probe) -> bool,
    ) -> Option<&'i str> {
        let mut best: Option<(&str, Probe)> = None;
        for item in items {
            let mut trial = probe.clone();
            if !holds(item, &mut trial) {
                continue;
            }
            let better = best
                .as_ref()
                .is_none_or(|(_, known)| trial.class < known.class);
            if better {
                let done = trial.class == probe.class;
                best = Some((item, trial));
                if done {
                    break;
                }
            }
        }
        let (item, trial) = best?;
        *probe = trial;
        Some(item)
    }

    /// Whether a rule makes the node the target.
    pub(super) fn reaches(
        &self,
        node: &Node<'w, 'a>,
        rule: &EscalationRule,
        target: &Node<'w, 'a>,
        probe: &mut Probe,
    ) -> bool {
        use EscalationKind as K;
        if target.reserved || target.arn == node.arn {
            return false;
        }
        match rule.kind {
            K::OtherUser => {
                target.is_user()
                    && credentials(rule, target, probe)
                    && self.all_on(node, rule, target.arn, probe)
            }
            K::AnyUser => target.is_user() && self.all_on(node, rule, target.arn, probe),
            K::OtherGroup => {
                target.is_group()
                    && !member(node, target)
                    && self.all_on(node, rule, target.arn, probe)
            }
            K::OtherRole | K::AnyRole => {
                target.is_role()
                    && self.all_on(node, rule, target.arn, probe)
                    && self.lets_itself_in(node, target, probe)
            }
            K::AnyRolePolicy => {
                target.is_role()
                    && self.with_policy(node, rule, target, probe)
                    && self.lets_itself_in(node, target, probe)
            }
            K::AssumeRole | K::AssumableRole | K::AssumableBoundaryRole => {
                target.is_role() && self.all_on(node, rule, target.arn, probe)
            }
            K::AssumableRolePolicy => {
                target.is_role() && self.with_policy(node, rule, target, probe)
            }
            K::PassRole => self.passes(node, rule, target, probe),
            K::Workload => runs_as(rule, target, probe),
            _ => false,
        }
    }

    /// Having rewritten a role's trust policy, whether the node may assume it.
    fn lets_itself_in(
        &self,
        node: &Node<'w, 'a>,
        target: &Node<'w, 'a>,
        probe: &mut Probe,
    ) -> bool {
        let trust = letting_in(node.arn, self.tables);
        let mut after = Probe::default();
        let yes = after.may(node, ASSUME_ROLE, target.arn, &self.no_context, &trust);
        probe.at_best(after.class);
        yes
    }

    /// Actions on policies on one the target holds, the others on the target.
    fn with_policy(
        &self,
        node: &Node<'w, 'a>,
        rule: &EscalationRule,
        target: &Node<'w, 'a>,
        probe: &mut Probe,
    ) -> bool {
        rule.actions.iter().all(|action| {
            if *action != "iam:CreatePolicyVersion" {
                return self.does(node, action, target.arn, probe);
            }
            let policies = target.policies.iter().map(|(policy, _)| policy.as_str());
            Self::first(policies, probe, |policy, probe| {
                probe.may(node, action, policy, &self.no_context, &self.nothing)
            })
            .is_some()
        })
    }

    fn passes(
        &self,
        node: &Node<'w, 'a>,
        rule: &EscalationRule,
        target: &Node<'w, 'a>,
        probe: &mut Probe,
    ) -> bool {
        if target.account != node.account {
            return false;
        }
        rule.services.iter().any(|service| {
            let Some(trusting) = target.services.get(service) else {
                return false;
            };
            let mut trial = probe.clone();
            if !trusting.certain {
                trial.at_best(Class::Conditional);
                trial.depends_on.extend(trusting.depends_on.iter().cloned());
            }
            let mut context = Context::default();
            context.set("iam:PassedToService", *service);
            let yes = self.carried(node, rule, target, &mut trial)
                && trial.may(node, PASS_ROLE, target.arn, &context, &self.nothing);
            if yes {
                *probe = trial;
            }
            yes
        })
    }

    /// Instances take roles in profiles: one is there, or the node can make one.
    fn carried(
        &self,
        node: &Node<'w, 'a>,
        rule: &EscalationRule,
        target: &Node<'w, 'a>,
        probe: &mut Probe,
    ) -> bool {
        if rule.services != ["ec2.amazonaws.com"] || has_profile(target) {
            return true;
        }
        ["iam:CreateInstanceProfile", "iam:AddRoleToInstanceProfile"]
            .iter()
            .all(|action| probe.may(node, action, "*", &self.no_context, &self.nothing))
    }

    /// Nodes that a rule may lead to: runs of them, each in the order of the lists or, where the actions name them, by
    /// `position`.
    pub(super) fn runs<'s>(
        &'s self,
        node: &'s Node<'w, 'a>,
        rule: &'s EscalationRule,
        lists: &'s Lists<'_>,
        position: Option<&[usize]>,
    ) -> Vec<Run<'s>> {
        use EscalationKind as K;
        let on_target = |name: &str| {
            rule.actions
                .iter()
                .zip(&rule.indices)
                .find(|(action, _)| action.contains(name))
                .map(|(_, index)| *index)
        };
        let near = |action: Option<usize>, all: &'s [usize]| -> Run<'s> {
            match action.and_then(|action| self.near(node, action)) {
                Some(mut near) => {
                    if let Some(position) = position {
                        near.sort_by_key(|index| position.get(*index).copied());
                    }
                    Box::new(near.into_iter())
                }
                None => Box::new(all.iter().copied()),
            }
        };
        let matching = |patterns: &'s Option<Vec<ArnPattern>>, all: Run<'s>| -> Run<'s> {
            match patterns {
                None => all,
                Some(patterns) => Box::new(all.filter(|index| {
                    self.nodes
                        .get(*index)
                        .is_some_and(|target| patterns.iter().any(|p| p.matches(target.arn)))
                })),
            }
        };
        match rule.kind {
            K::OtherUser | K::AnyUser => vec![near(on_target("iam:"), lists.users(node.account))],
            K::OtherRole | K::AnyRole | K::AnyRolePolicy => {
                vec![near(on_target("Role"), lists.roles(node.account))]
            }
            K::AssumeRole | K::AssumableRole | K::AssumableRolePolicy => {
                let named = lists
                    .naming(node)
                    .into_iter()
                    .map(|run| Box::new(run) as Run<'s>);
                let left = lists
                    .leaving(node.account)
                    .into_iter()
                    .map(|run| matching(&node.assumes, Box::new(run)));
                named.chain(left).collect()
            }
            K::PassRole => lists
                .trusting(node.account, &rule.services)
                .into_iter()
                .map(|run| matching(&node.passes, Box::new(run)))
                .collect(),
            K::Workload => lists
                .trusting(node.account, &rule.services)
                .into_iter()
                .map(|run| Box::new(run) as Run<'s>)
                .collect(),
            _ => Vec::new(),
        }
    }
}

fn member(node: &Node<'_, '_>, group: &Node<'_, '_>) -> bool {
    node.asker
        .subject()
        .is_some_and(|held| held.groups.iter().any(|own| own.arn == group.arn))
}

fn runs_as(rule: &EscalationRule, target: &Node<'_, '_>, probe: &mut Probe) -> bool {
    let on_instances = rule.services == ["ec2.amazonaws.com"];
    if on_instances && !has_profile(target) {
        return false;
    }
    let trusting = rule
        .services
        .iter()
        .find_map(|service| target.services.get(service));
    let Some(trusting) = trusting else {
        return false;
    };
    probe.depends_on.extend(trusting.depends_on.iter().cloned());
    if probe.told {
        probe
            .unknown
            .push(format!("{} that runs as `{}`", rule.what, target.name));
    }
    true
}

fn has_profile(target: &Node<'_, '_>) -> bool {
    matches!(target.kind, Kind::Role(role) if !role.instance_profiles.is_empty())
}

/// Whether the target's present credentials leave room for those a rule makes.
fn credentials(rule: &EscalationRule, target: &Node<'_, '_>, probe: &mut Probe) -> bool {
    let Kind::User(user) = target.kind else {
        return false;
    };
    let unsure = |what: &str, probe: &mut Probe| {
        probe.at_best(Class::Conditional);
        if probe.told {
            probe.unknown.push(format!("{what} of `{}`", target.name));
        }
    };
    match rule.actions.as_slice() {
        ["iam:CreateAccessKey"] => {
            if probe.told && !target.keys_known {
                let what = format!("that `{}` has fewer than two access keys", target.name);
                probe.unknown.push(what);
            }
            user.keys.len() < 2
        }
        ["iam:CreateLoginProfile"] => {
            if user.password.is_none() {
                unsure("that there is no password yet", probe);
            }
            user.password != Some(true)
        }
        ["iam:UpdateLoginProfile"] => {
            if user.password.is_none() {
                unsure("that there is a password", probe);
            } else if user.mfa == Some(true) {
                unsure("the MFA device", probe);
            }
            user.password != Some(false)
        }
        _ => true,
    }
}

fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
