//! Who holds a permission that escalates, where today nothing is there to escalate to: the permission, and what is missing.

use super::PASS_ROLE;
use super::field::{Field, Kind, Node};
use super::probe::Probe;
use super::steps::{Way, way};
use crate::iam::arn::ArnPattern;
use crate::iam::context::Context;
use crate::iam::matcher;
use crate::model::{EscalationCertainty, EscalationPath};
use crate::rules::aws::{EscalationKind, EscalationRule};

impl<'w, 'a> Field<'w, 'a> {
    /// A rule whose permission the node holds on more than itself, and what is missing.
    pub(super) fn held(
        &self,
        node: &Node<'w, 'a>,
        rule: &EscalationRule,
    ) -> Option<EscalationPath> {
        use EscalationKind as K;
        let mut probe = Probe::telling();
        // What it can give itself is worth nothing, or it would be a way: its limits stay.
        if way(rule) == Way::Itself && self.itself(node, rule, &mut Probe::default()).is_some() {
            return None;
        }
        let user = node.is_user();
        let role = matches!(node.kind, Kind::Role(_));
        let services = rule.services.join(" or ");
        let missing = match rule.kind {
            K::OwnUser if !user => {
                "it is no user; it can give users permissions and lacks the credentials of one"
                    .to_owned()
            }
            K::OwnUser => {
                "it does not reach itself, and lacks the credentials of the users it reaches"
                    .to_owned()
            }
            K::OwnRole if !role => {
                "it is no role; it can give roles permissions and may assume none of them"
                    .to_owned()
            }
            K::OwnRole => {
                "it does not reach itself, and may assume none of the roles it reaches".to_owned()
            }
            K::OwnGroup => "it is in none of the groups it reaches".to_owned(),
            K::OwnPolicy if rule.actions == ["iam:SetDefaultPolicyVersion"] => {
                "no policy it holds has another version that gives more".to_owned()
            }
            K::OwnPolicy => "it holds none of the policies it can rewrite".to_owned(),
            K::OtherUser => "it reaches no user with more privilege today".to_owned(),
            K::OtherRole => "it reaches no role with more privilege today".to_owned(),
            K::OtherGroup => if user {
                "no group gives more than it has today"
            } else {
                "it is no user, so it can only add others"
            }
            .to_owned(),
            K::PassRole | K::Workload => {
                format!("no role with more privilege trusts {services} today")
            }
            _ => return None,
        };
        let what = match rule.kind {
            K::OwnUser | K::OtherUser => "user",
            K::OwnGroup | K::OtherGroup => "group",
            K::OwnPolicy => "policy",
            _ => "role",
        };
        let holds = match rule.kind {
            K::PassRole => {
                let mut context = Context::default();
                let service = rule.services.first()?;
                context.set("iam:PassedToService", *service);
                self.prepared(node, rule, &mut probe)
                    && self.on_several(node, PASS_ROLE, "role", &context, &mut probe)
            }
            K::Workload => self.prepared(node, rule, &mut probe),
            _ => rule
                .actions
                .iter()
                .all(|action| self.on_others(node, action, what, &mut probe)),
        };
        if !holds {
            return None;
        }
        let note = match rule.kind {
            K::PassRole => format!("passes a role to {}; {missing}", rule.what),
            K::Workload => format!("runs as the role of {}; {missing}", rule.what),
            _ => format!("{}; {missing}", rule.what),
        };
        Some(EscalationPath {
            id: rule.id.to_owned(),
            actions: rule.actions.iter().map(ToString::to_string).collect(),
            note,
            depends_on: probe.depends_on.into_iter().collect(),
            unknown: vec![missing],
            certainty: EscalationCertainty::Unseen,
            ..EscalationPath::default()
        })
    }

    /// Whether an action is allowed on resources of a kind that a pattern with wildcards names.
    fn on_several(
        &self,
        node: &Node<'w, 'a>,
        action: &str,
        what: &str,
        context: &Context,
        probe: &mut Probe,
    ) -> bool {
        let Some(index) = self.tables.actions.index_of(action) else {
            return false;
        };
        let all = format!("arn:aws:iam::{}:{what}/*", node.account);
        let Some(kind) = ArnPattern::parse(&all) else {
            return false;
        };
        match node.patterns(index) {
            None => self.asked(node, action, &all, context, probe),
            Some(patterns) => patterns.iter().any(|pattern| {
                matcher::has_wildcard(pattern.resource())
                    && pattern.intersects(&kind)
                    && self.asked(node, action, &pattern.widest(), context, probe)
            }),
        }
    }

    fn asked(
        &self,
        node: &Node<'w, 'a>,
        action: &str,
        arn: &str,
        context: &Context,
        probe: &mut Probe,
    ) -> bool {
        if context.is_empty() {
            self.does(node, action, arn, probe)
        } else {
            probe.may(node, action, arn, context, &self.nothing)
        }
    }

    /// Whether an action is allowed on somebody or something besides the node: on a whole pattern, or on one that is there.
    fn on_others(&self, node: &Node<'w, 'a>, action: &str, what: &str, probe: &mut Probe) -> bool {
        if self.on_several(node, action, what, &self.no_context, probe) {
            return true;
        }
        let Some(index) = self.tables.actions.index_of(action) else {
            return false;
        };
        let patterns = node.patterns(index).into_iter().flatten();
        patterns
            .filter(|pattern| !matcher::has_wildcard(pattern.resource()))
            .any(|pattern| {
                let arn = format!("arn:aws:iam::{}:{}", node.account, pattern.resource());
                arn != node.arn && pattern.matches(&arn) && self.is_there(node, &arn) && {
                    self.does(node, action, &arn, probe)
                }
            })
    }

    fn is_there(&self, node: &Node<'w, 'a>, arn: &str) -> bool {
        let holdings = self.world.holdings(node.account);
        self.by_arn.contains_key(arn) || holdings.is_some_and(|held| held.policy(arn).is_some())
    }
}
