//! Escalation: permissions that lead to more permissions, checked against what the account holds.
//!
//! A path is reported when the actions are granted and nothing in the account rules it out; what the account details
//! cannot show is said in its note. Conditions, boundaries and denies that break a path break it.

mod targets;

pub use targets::{Target, Targets};

use crate::iam::arn::Breadth;
use crate::iam::compile::CompiledPolicy;
use crate::iam::condition::{self, Truth};
use crate::iam::context::Context;
use crate::iam::evaluate;
use crate::iam::expand::{Effective, Grip};
use crate::iam::policy::{self, Effect, PrincipalType, Selection};
use crate::model::EscalationPath;
use crate::rules::aws::{AwsTables, EscalationKind, EscalationRule};
use std::collections::{BTreeMap, BTreeSet};
use targets::{is_root_of, near, session_role, strongest};

/// Who might escalate.
pub struct Climber<'a> {
    /// ARN.
    pub arn: &'a str,
    /// Account.
    pub account: &'a str,
    /// A user; else a role.
    pub user: bool,
    /// ARNs of its groups.
    pub groups: Vec<String>,
    /// ARNs of the customer policies it holds, itself or through groups, with the number of versions.
    pub policies: Vec<(String, u32)>,
    /// It has a permission boundary.
    pub bounded: bool,
    /// The boundary, where its document is known.
    pub boundary: Option<&'a CompiledPolicy>,
    /// Tier of its own grants.
    pub tier: u8,
    /// Tier it could have at most under its boundary, whatever it grants itself; 5 without one.
    pub ceiling: u8,
    /// Known condition keys.
    pub context: &'a Context,
}

/// A path, and whether it counts as a way up that is open as far as anyone can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The path.
    pub path: EscalationPath,
    /// It lifts the tier: its prerequisites hold in this account or need no more than the permission itself.
    pub counts: bool,
}

/// Every path open to a principal, by id.
pub fn find(
    climber: &Climber<'_>,
    effective: &Effective<'_>,
    targets: &Targets,
    tables: &AwsTables,
) -> Vec<Found> {
    let mut search = Search {
        climber,
        effective,
        targets,
        assume: tables.actions.index_of("sts:AssumeRole"),
        pass: tables.actions.index_of("iam:PassRole"),
        passable: BTreeMap::new(),
    };
    let mut found: Vec<(&EscalationRule, Found)> = Vec::new();
    for rule in &tables.escalation {
        // A role whose trust names the climber needs no permission of its own to be assumed.
        let named = targets.by_principal.contains_key(climber.arn);
        if rule.indices.iter().all(|index| {
            effective.actions().contains(*index) || (named && Some(*index) == search.assume)
        }) && let Some((note, depends_on, counts)) = search.open(rule)
        {
            found.push((
                rule,
                Found {
                    path: EscalationPath {
                        id: rule.id.to_owned(),
                        actions: rule.actions.iter().map(ToString::to_string).collect(),
                        note,
                        depends_on: depends_on.into_iter().collect(),
                    },
                    counts,
                },
            ));
        }
    }
    // Roles that somebody may make one day say nothing new beside one that is there.
    if found.iter().any(|(rule, path)| {
        rule.kind == EscalationKind::PassRole && !path.path.note.ends_with("today")
    }) {
        found.retain(|(rule, path)| {
            rule.kind != EscalationKind::PassRole || !path.path.note.ends_with("today")
        });
    }
    // A path that asks for everything another asks for, and more, for the same thing, adds nothing.
    let redundant = |rule: &EscalationRule, counts: bool| {
        found.iter().any(|(other, better)| {
            other.id != rule.id
                && other.services == rule.services
                && other.indices.len() < rule.indices.len()
                && family(other.kind) == family(rule.kind)
                && (better.counts || !counts)
                && other
                    .indices
                    .iter()
                    .all(|index| rule.indices.contains(index))
        })
    };
    let keep: Vec<bool> = found
        .iter()
        .map(|(rule, path)| !redundant(rule, path.counts))
        .collect();
    found
        .into_iter()
        .zip(keep)
        .filter(|(_, keep)| *keep)
        .map(|((_, path), _)| path)
        .collect()
}

/// Kinds that reach the same sort of thing.
const fn family(kind: EscalationKind) -> u8 {
    match kind {
        EscalationKind::OtherUser | EscalationKind::AnyUser => 1,
        EscalationKind::PassRole => 2,
        EscalationKind::Workload => 3,
        _ => 4,
    }
}

/// Targets, strongest first.
type Strongest<'s> = Box<dyn Iterator<Item = &'s Target> + 's>;

type Open = (String, BTreeSet<String>, bool);

struct Search<'s, 'a> {
    climber: &'s Climber<'s>,
    effective: &'s Effective<'a>,
    targets: &'s Targets,
    assume: Option<usize>,
    pass: Option<usize>,
    /// Strongest role that may be passed to each set of services, remembered.
    passable: BTreeMap<String, Option<(String, u8, Vec<String>)>>,
}

impl<'s, 'a> Search<'s, 'a> {
    fn open(&mut self, rule: &EscalationRule) -> Option<Open> {
        let climber = self.climber;
        let own = |search: &Self, arn: &str| {
            let depends = search.all_on(&rule.indices, arn)?;
            Some((rule.what.to_owned(), depends, true))
        };
        let grants_itself = matches!(
            rule.kind,
            EscalationKind::OwnUser
                | EscalationKind::OwnRole
                | EscalationKind::OwnGroup
                | EscalationKind::OwnPolicy
                | EscalationKind::OtherGroup
        );
        if grants_itself && climber.ceiling <= climber.tier {
            return None;
        }
        match rule.kind {
            EscalationKind::OwnUser if climber.user => own(self, climber.arn),
            EscalationKind::OwnRole if !climber.user => own(self, climber.arn),
            EscalationKind::OwnBoundaryUser if climber.user && climber.bounded => {
                own(self, climber.arn)
            }
            EscalationKind::OwnBoundaryRole if !climber.user && climber.bounded => {
                own(self, climber.arn)
            }
            EscalationKind::OwnGroup => climber.groups.iter().find_map(|group| own(self, group)),
            EscalationKind::OwnPolicy => climber.policies.iter().find_map(|(policy, versions)| {
                // Bringing back a version needs one to bring back.
                if rule.actions == ["iam:SetDefaultPolicyVersion"] && *versions == 1 {
                    return None;
                }
                let depends = self.all_on(&rule.indices, policy)?;
                Some((
                    format!("{} ({})", rule.what, name_in(policy)),
                    depends,
                    true,
                ))
            }),
            EscalationKind::OtherUser => self.stronger(self.users(rule), rule),
            EscalationKind::OtherRole => self.stronger(self.roles(rule), rule),
            EscalationKind::OtherGroup if climber.user => {
                self.stronger(Box::new(self.targets.groups.iter()), rule)
            }
            EscalationKind::AnyUser => self.any(self.users(rule), rule, false),
            EscalationKind::AnyRole => self.any(self.roles(rule), rule, false),
            EscalationKind::AnyRolePolicy => self.any(self.roles(rule), rule, true),
            EscalationKind::AssumeRole => self.assumable(rule, Some(climber.tier), false),
            EscalationKind::AssumableRole => self.assumable(rule, None, false),
            EscalationKind::AssumableRolePolicy => self.assumable(rule, None, true),
            EscalationKind::PassRole => self.pass_role(rule),
            EscalationKind::Workload => self.workload(rule),
            EscalationKind::Account => {
                let (depends, breadth) = self.all_anywhere(&rule.indices, &[])?;
                Some((rule.what.to_owned(), depends, breadth >= Breadth::Service))
            }
            _ => None,
        }
    }

    /// Roles that an action may reach; `None` when that may be any.
    fn near_roles(&self, action: usize) -> Option<Vec<usize>> {
        near(
            &self.targets.roles_by_name,
            &self.effective.patterns(action),
        )
    }

    /// Users that the first action of a rule may reach.
    fn users(&self, rule: &EscalationRule) -> Strongest<'s> {
        let patterns = rule
            .indices
            .first()
            .map(|action| self.effective.patterns(*action));
        let near = near(&self.targets.users_by_name, &patterns.unwrap_or_default());
        strongest(&self.targets.users, near)
    }

    /// Roles that the first action of a rule on roles may reach.
    fn roles(&self, rule: &EscalationRule) -> Strongest<'s> {
        let on_role = rule
            .indices
            .iter()
            .zip(&rule.actions)
            .find(|(_, name)| name.contains("Role"));
        let near = on_role.map_or(Some(Vec::new()), |(action, _)| self.near_roles(*action));
        strongest(&self.targets.roles, near)
    }

    fn grip(&self, action: usize, arn: &str) -> Option<Grip<'a, 's>> {
        self.effective.grip(action, arn, self.climber.context)
    }

    /// All actions on one resource, with the conditions they hang on.
    fn all_on(&self, actions: &[usize], arn: &str) -> Option<BTreeSet<String>> {
        let mut depends = BTreeSet::new();
        for action in actions {
            depends.extend(self.grip(*action, arn)?.depends_on);
        }
        Some(depends)
    }

    /// All actions but some, on anything, with the breadth of the narrowest.
    fn all_anywhere(
        &self,
        actions: &[usize],
        but: &[Option<usize>],
    ) -> Option<(BTreeSet<String>, Breadth)> {
        let mut depends = BTreeSet::new();
        let mut breadth = Breadth::Everything;
        for action in actions {
            if but.contains(&Some(*action)) {
                continue;
            }
            let grip = self
                .effective
                .grip_anywhere(*action, self.climber.context)?;
            depends.extend(grip.depends_on);
            breadth = breadth.min(grip.cell.breadth());
        }
        Some((depends, breadth))
    }

    /// The strongest target with more privilege that all actions reach.
    fn stronger(&self, targets: Strongest<'s>, rule: &EscalationRule) -> Option<Open> {
        targets
            .into_iter()
            .take_while(|target| target.tier > self.climber.tier)
            .filter(|target| !target.reserved && target.arn != self.climber.arn)
            .find_map(|target| {
                let depends = self.all_on(&rule.indices, &target.arn)?;
                Some((
                    format!("{}: {}", rule.what, describe(target)),
                    depends,
                    true,
                ))
            })
    }

    /// Any target that all actions reach, whatever its privilege; policies too where the rule says so.
    fn any(
        &self,
        targets: Strongest<'s>,
        rule: &EscalationRule,
        through_policy: bool,
    ) -> Option<Open> {
        targets
            .into_iter()
            .filter(|target| !target.reserved && target.arn != self.climber.arn)
            .find_map(|target| {
                let depends = self.reach(target, rule, through_policy, false)?;
                Some((
                    format!("{}: {}", rule.what, describe(target)),
                    depends,
                    true,
                ))
            })
    }

    /// A role that trusts the climber; with more privilege where `above` says so.
    fn assumable(
        &self,
        rule: &EscalationRule,
        above: Option<u8>,
        through_policy: bool,
    ) -> Option<Open> {
        let mut indices = match self.assume.and_then(|action| self.near_roles(action)) {
            Some(near) => near
                .into_iter()
                .filter(|index| self.targets.delegating.binary_search(index).is_ok())
                .collect(),
            None => self.targets.delegating.clone(),
        };
        indices.extend(
            self.targets
                .by_principal
                .get(self.climber.arn)
                .into_iter()
                .flatten(),
        );
        indices.sort_unstable();
        indices.dedup();
        indices
            .into_iter()
            .filter_map(|index| self.targets.roles.get(index))
            .take_while(|role| above.is_none_or(|tier| role.tier > tier))
            .filter(|role| !role.reserved && role.arn != self.climber.arn)
            .find_map(|role| {
                let (truth, direct, words) = trusted(role, self.climber);
                if truth == Truth::No {
                    return None;
                }
                let mut depends = self.reach(role, rule, through_policy, direct)?;
                depends.extend(words);
                Some((format!("{}: {}", rule.what, describe(role)), depends, true))
            })
    }

    /// All actions of a rule on a target, those on policies on a customer policy it holds.
    fn reach(
        &self,
        target: &Target,
        rule: &EscalationRule,
        through_policy: bool,
        named: bool,
    ) -> Option<BTreeSet<String>> {
        let mut depends = BTreeSet::new();
        for (action, name) in rule.indices.iter().zip(&rule.actions) {
            if named && Some(*action) == self.assume && self.boundary_permits(name, &target.arn) {
                let context = self.climber.context;
                depends.extend(self.effective.not_denied(*action, &target.arn, context)?);
            } else if through_policy && *name == "iam:CreatePolicyVersion" {
                let grip = target
                    .policies
                    .iter()
                    .find_map(|policy| self.grip(*action, policy))?;
                depends.extend(grip.depends_on);
            } else {
                depends.extend(self.grip(*action, &target.arn)?.depends_on);
            }
        }
        Some(depends)
    }

    /// Whether the boundary lets a request through that the other side's policy allows by name: a boundary limits roles
    /// there, and does not limit users.
    fn boundary_permits(&self, action: &str, arn: &str) -> bool {
        self.climber.user
            || self.climber.boundary.is_none_or(|boundary| {
                let layer = std::iter::once(("boundary", boundary));
                evaluate::decide(layer, None, action, arn, self.climber.context).permits() > 0
            })
    }

    fn pass_role(&mut self, rule: &EscalationRule) -> Option<Open> {
        let pass = self.pass?;
        let (mut depends, _) = self.all_anywhere(&rule.indices, &[self.pass, self.assume])?;
        let best = self.passable_role(pass, &rule.services);
        if let Some((name, tier, conditions)) = best
            && tier > self.climber.tier
        {
            depends.extend(conditions);
            return Some((format!("passes {name} to {}", rule.what), depends, true));
        }
        // Nothing stronger today; a permission to pass any role takes in every role made later.
        let mut context = self.climber.context.clone();
        context.set_all(
            "iam:PassedToService",
            rule.services.iter().map(ToString::to_string).collect(),
        );
        let grip = self.effective.grip_anywhere(pass, &context)?;
        if grip.cell.pattern.breadth() < Breadth::Service || !grip.cell.within.is_empty() {
            return None;
        }
        depends.extend(grip.depends_on);
        Some((
            format!(
                "passes a role to {}; no role with more privilege trusts {} today",
                rule.what,
                rule.services.join(" or ")
            ),
            depends,
            true,
        ))
    }

    /// The strongest role that trusts one of the services and may be passed to it.
    fn passable_role(
        &mut self,
        pass: usize,
        services: &[&str],
    ) -> Option<(String, u8, Vec<String>)> {
        let key = services.join(",");
        if let Some(known) = self.passable.get(&key) {
            return known.clone();
        }
        let mut context = self.climber.context.clone();
        context.set_all(
            "iam:PassedToService",
            services.iter().map(ToString::to_string).collect(),
        );
        let trusting = self.targets.trusting(services);
        let near = self.near_roles(pass).map(|mut near| {
            near.retain(|index| trusting.binary_search(index).is_ok());
            near
        });
        let best = near
            .as_deref()
            .unwrap_or(trusting)
            .iter()
            .filter_map(|index| self.targets.roles.get(*index))
            .take_while(|role| role.tier > self.climber.tier)
            .filter(|role| role.arn != self.climber.arn)
            .find_map(|role| {
                let grip = self.effective.grip(pass, &role.arn, &context)?;
                Some((describe(role), role.tier, grip.depends_on))
            });
        self.passable.insert(key, best.clone());
        best
    }

    fn workload(&self, rule: &EscalationRule) -> Option<Open> {
        let (depends, breadth) = self.all_anywhere(&rule.indices, &[])?;
        let on_instances = rule.services == ["ec2.amazonaws.com"];
        let role = self
            .targets
            .trusting(&rule.services)
            .iter()
            .filter_map(|index| self.targets.roles.get(*index))
            .take_while(|role| role.tier > self.climber.tier)
            .find(|role| {
                role.arn != self.climber.arn && (!on_instances || role.instance_profile)
            })?;
        Some((
            format!(
                "runs as the role of {}; {} could be it, the account details do not show whether it is",
                rule.what,
                describe(role)
            ),
            depends,
            breadth >= Breadth::Service,
        ))
    }
}

/// Whether a role's trust lets the climber in, whether it names the climber itself, and the conditions that decide.
fn trusted(role: &Target, climber: &Climber<'_>) -> (Truth, bool, Vec<String>) {
    let mut allow = Truth::No;
    let mut direct = false;
    let mut words = Vec::new();
    for statement in &role.trust.statements {
        let names = |list: &[policy::PrincipalName]| {
            list.iter().any(|principal| match principal.kind {
                PrincipalType::Anyone => true,
                PrincipalType::Aws => {
                    is_named(&principal.value, climber)
                        || is_root_of(&principal.value, climber.account)
                }
                _ => false,
            })
        };
        let names_itself =
            statement
                .principals
                .values()
                .iter()
                .any(|principal| match principal.kind {
                    PrincipalType::Anyone => true,
                    PrincipalType::Aws => is_named(&principal.value, climber),
                    _ => false,
                });
        let concerned = match &statement.principals {
            Selection::Absent => false,
            Selection::Only(list) => names(list),
            Selection::Except(list) => !names(list),
        };
        let action = statement
            .actions
            .values()
            .iter()
            .any(|pattern| evaluate::action_matches(pattern, "sts:AssumeRole"));
        let action = match statement.actions {
            Selection::Absent => false,
            Selection::Only(_) => action,
            Selection::Except(_) => !action,
        };
        if !concerned || !action {
            continue;
        }
        let truth =
            condition::all_hold(&statement.conditions, climber.context, role.trust.variables);
        let open = || statement.conditions.iter().map(policy::Condition::words);
        match (statement.effect, truth) {
            (Effect::Deny, Truth::Yes) => return (Truth::No, false, Vec::new()),
            (_, Truth::No) => {}
            (Effect::Deny, Truth::Unknown) => {
                words.extend(open().map(|text| format!("not ({text})")));
            }
            (Effect::Allow, truth) => {
                if truth == Truth::Unknown && allow == Truth::No {
                    words.extend(open());
                }
                allow = allow.or(truth);
                direct |= names_itself && matches!(statement.principals, Selection::Only(_));
            }
        }
    }
    (allow, direct, words)
}

/// Whether a principal in a trust policy is the climber or one of its sessions.
fn is_named(value: &str, climber: &Climber<'_>) -> bool {
    value == climber.arn
        || (!climber.user
            && value.contains(&format!("::{}:assumed-role/", climber.account))
            && session_role(value) == Some(name_in(climber.arn)))
}

fn describe(target: &Target) -> String {
    let name = &target.name;
    if target.self_made {
        format!("`{name}` (can make itself administrator)")
    } else if target.tier == 5 {
        format!("`{name}` (administrator)")
    } else {
        format!("`{name}` (tier {})", target.tier)
    }
}

/// Last part of an ARN.
fn name_in(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
