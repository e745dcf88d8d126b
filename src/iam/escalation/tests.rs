use super::*;
use crate::iam::testing::{inline, place, policy, role, user};
use crate::iam::world::{GivenPolicies, Question};
use crate::iam::{context::Context, decide::Answer};
use crate::model::EscalationCertainty as Certainty;
use crate::model::aws::{
    AwsAccount, AwsAttached, AwsControlLevel, AwsControlPolicy, AwsGroup, AwsMembership, AwsPolicy,
    AwsPolicyVersion, AwsRole, AwsUser,
};
use crate::rules::aws::{AwsTables, EscalationKind as K, EscalationRule};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::LazyLock;

static TABLES: LazyLock<AwsTables> = LazyLock::new(|| AwsTables::builtin().unwrap());

pub(super) const OWN: &str = "111122223333";

pub(super) fn arn(kind: &str, name: &str) -> String {
    format!("arn:aws:iam::{OWN}:{kind}/{name}")
}

fn everything() -> Value {
    json!({"Effect": "Allow", "Action": "*", "Resource": "*"})
}

pub(super) fn allow(actions: &Value, resource: &Value) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

pub(super) fn trust_of(principal: &Value) -> Value {
    json!({"Effect": "Allow", "Action": ["sts:AssumeRole", "sts:AssumeRoleWithWebIdentity"], "Principal": principal})
}

pub(super) fn account(users: Vec<AwsUser>, roles: Vec<AwsRole>) -> AwsAccount {
    let mut account = AwsAccount {
        account_id: OWN.into(),
        users,
        roles,
        ..AwsAccount::default()
    };
    account.parts.authorization_details = true;
    account
}

fn customer(name: &str, statements: &Value) -> AwsPolicy {
    AwsPolicy {
        name: name.into(),
        arn: arn("policy", name),
        document: policy(statements),
        versions: 1,
        updated_at: None,
        others: Vec::new(),
        location: place(),
    }
}

fn attached(name: &str) -> AwsAttached {
    AwsAttached {
        name: name.into(),
        arn: arn("policy", name),
    }
}

fn group(name: &str, statements: &Value) -> AwsGroup {
    AwsGroup {
        name: name.into(),
        arn: arn("group", name),
        inline: inline(statements),
        attached: Vec::new(),
        location: place(),
    }
}

pub(super) fn search(accounts: &[AwsAccount]) -> BTreeMap<String, Ways> {
    let world = World::new(accounts, &TABLES);
    Escalations::of(&world, &Masks::new(&TABLES)).ways
}

pub(super) fn paths_of<'w>(ways: &'w BTreeMap<String, Ways>, arn: &str) -> &'w [EscalationPath] {
    ways.get(arn).map_or(&[], |ways| ways.paths.as_slice())
}

fn open<'w>(ways: &'w BTreeMap<String, Ways>, arn: &str) -> Vec<&'w EscalationPath> {
    paths_of(ways, arn)
        .iter()
        .filter(|path| path.reaches != EscalationGoal::Nothing)
        .collect()
}

/// Somebody who holds exactly the actions of a rule, and what the rule needs besides.
struct Scene {
    account: AwsAccount,
    climber: String,
    as_role: bool,
}

impl Scene {
    fn of(rule: &EscalationRule) -> Self {
        let as_role = matches!(rule.kind, K::OwnRole | K::OwnBoundaryRole);
        let held = if matches!(rule.kind, K::OwnBoundaryUser | K::OwnBoundaryRole) {
            everything()
        } else {
            allow(&json!(rule.actions), &json!("*"))
        };
        let mut users = Vec::new();
        let mut roles = Vec::new();
        let nobody = trust_of(&json!({"Service": "nobody.amazonaws.com"}));
        if as_role {
            roles.push(role(OWN, "climber", &nobody, &held));
        } else {
            users.push(user(OWN, "climber", &held));
        }
        let mut policies = Vec::new();
        let mut groups = Vec::new();
        let root = trust_of(&json!({"AWS": format!("arn:aws:iam::{OWN}:root")}));
        let none = json!([]);
        match rule.kind {
            K::OtherUser => users.push(user(OWN, "target", &everything())),
            K::AnyUser => users.push(user(OWN, "target", &none)),
            K::OtherRole => roles.push(role(OWN, "target", &nobody, &everything())),
            K::AnyRole => roles.push(role(OWN, "target", &nobody, &none)),
            K::AnyRolePolicy => {
                let mut target = role(OWN, "target", &nobody, &none);
                target.attached = vec![attached("held")];
                roles.push(target);
                policies.push(customer("held", &none));
            }
            K::AssumeRole => roles.push(role(OWN, "target", &root, &everything())),
            K::AssumableRole => roles.push(role(OWN, "target", &root, &none)),
            K::AssumableRolePolicy => {
                let mut target = role(OWN, "target", &root, &none);
                target.attached = vec![attached("held")];
                roles.push(target);
                policies.push(customer("held", &none));
            }
            K::AssumableBoundaryRole => {
                let mut target = role(OWN, "target", &root, &everything());
                target.boundary = Some(arn("policy", "edge"));
                roles.push(target);
                policies.push(customer(
                    "edge",
                    &allow(&json!("s3:ListBucket"), &json!("*")),
                ));
            }
            K::PassRole | K::Workload => {
                let service = rule.services[0];
                let kind = if service == "cognito-identity.amazonaws.com" {
                    "Federated"
                } else {
                    "Service"
                };
                let mut target = role(
                    OWN,
                    "target",
                    &trust_of(&json!({kind: service})),
                    &everything(),
                );
                target.instance_profiles = vec!["target".into()];
                roles.push(target);
            }
            K::OtherGroup => groups.push(group("target", &everything())),
            K::OwnGroup => {
                users[0].groups = vec!["own".into()];
                groups.push(group("own", &none));
            }
            K::OwnPolicy => {
                users[0].attached = vec![attached("own")];
                let mut own = customer("own", &none);
                own.versions = 2;
                own.others = vec![AwsPolicyVersion {
                    id: "v1".into(),
                    document: policy(&everything()),
                }];
                policies.push(own);
            }
            K::OwnBoundaryUser | K::OwnBoundaryRole => {
                policies.push(customer("edge", &allow(&json!(rule.actions), &json!("*"))));
                let edge = Some(arn("policy", "edge"));
                if as_role {
                    roles[0].boundary = edge;
                } else {
                    users[0].boundary = edge;
                }
            }
            K::OwnUser | K::OwnRole | K::Account => {}
        }
        let mut account = account(users, roles);
        account.policies = policies;
        account.groups = groups;
        Self {
            account,
            climber: arn(if as_role { "role" } else { "user" }, "climber"),
            as_role,
        }
    }

    fn add(&mut self, statement: &Value) {
        let inline = if self.as_role {
            &mut self.account.roles[0].inline
        } else {
            &mut self.account.users[0].inline
        };
        let list = inline[0].document["Statement"].take();
        let mut list = match list {
            Value::Array(list) => list,
            one => vec![one],
        };
        list.push(statement.clone());
        inline[0].document["Statement"] = list.into();
    }

    /// Puts a condition on everything the climber is allowed.
    fn condition(&mut self, condition: &Value) {
        let inline = if self.as_role {
            &mut self.account.roles[0].inline
        } else {
            &mut self.account.users[0].inline
        };
        inline[0].document["Statement"]["Condition"] = condition.clone();
    }

    fn bound(&mut self, statement: &Value) {
        self.account.policies.push(customer("narrow", statement));
        let narrow = Some(arn("policy", "narrow"));
        if self.as_role {
            self.account.roles[0].boundary = narrow;
        } else {
            self.account.users[0].boundary = narrow;
        }
    }

    fn control(&mut self, statements: &Value) {
        self.account.membership = Some(AwsMembership {
            organization: "o-one".into(),
            path: vec!["r-1".into(), OWN.into()],
            service_control: Some(vec![AwsControlLevel {
                target: "r-1".into(),
                policies: vec![AwsControlPolicy {
                    id: "p-1".into(),
                    name: "guard".into(),
                    document: policy(statements),
                }],
            }]),
            ..AwsMembership::default()
        });
    }

    fn found(&self, id: &str) -> Option<EscalationPath> {
        let ways = search(std::slice::from_ref(&self.account));
        let found = open(&ways, &self.climber);
        found.into_iter().find(|path| path.id == id).cloned()
    }
}

#[test]
fn every_rule_opens_where_all_it_needs_is_there() {
    for rule in &TABLES.escalation {
        let path = Scene::of(rule).found(rule.id);
        let path = path.unwrap_or_else(|| panic!("{} is not found", rule.id));
        let goal = if rule.kind == K::Account {
            EscalationGoal::Principal
        } else {
            EscalationGoal::Administrator
        };
        assert_eq!(path.reaches, goal, "{}", rule.id);
        let certainty = match rule.kind {
            K::Workload | K::Account => Certainty::Unseen,
            _ if rule.later => Certainty::Unseen,
            // Whether there is a password is not in the account details.
            _ if rule.actions[0].ends_with("LoginProfile") => Certainty::Conditional,
            _ => Certainty::Open,
        };
        assert_eq!(path.certainty, certainty, "{}", rule.id);
        assert_eq!(
            path.unknown.is_empty(),
            match rule.id {
                "iam-002" => false,
                _ => certainty == Certainty::Open,
            },
            "{}: {:?}",
            rule.id,
            path.unknown
        );
        assert!(
            !path.steps.is_empty() && !path.steps[0].because.is_empty(),
            "{}",
            rule.id
        );
    }
}

#[test]
fn whatever_breaks_a_rule_breaks_it() {
    for rule in &TABLES.escalation {
        let first = rule.actions[0];
        for broken in ["denied", "bounded", "controlled", "impossible"] {
            let mut scene = Scene::of(rule);
            match broken {
                "denied" => {
                    scene.add(&json!({"Effect": "Deny", "Action": first, "Resource": "*"}));
                }
                "bounded" => scene.bound(&allow(&json!("s3:List*"), &json!("*"))),
                "controlled" => scene.control(&json!([everything(),
                    {"Effect": "Deny", "Action": first, "Resource": "*"}])),
                _ => scene.condition(
                    &json!({"StringEquals": {"aws:PrincipalArn": "arn:aws:iam::1:user/x"}}),
                ),
            }
            assert_eq!(scene.found(rule.id), None, "{} {broken}", rule.id);
        }
    }
}

#[test]
fn what_a_scan_cannot_know_stays_with_the_path() {
    for rule in &TABLES.escalation {
        let mut scene = Scene::of(rule);
        scene.condition(&json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}));
        let Some(path) = scene.found(rule.id) else {
            panic!("{}", rule.id)
        };
        assert!(path.certainty >= Certainty::Conditional, "{}", rule.id);
        assert_eq!(
            path.depends_on,
            ["Bool aws:MultiFactorAuthPresent = true"],
            "{}",
            rule.id
        );
    }
}

#[test]
fn without_a_target_the_permission_is_told_with_what_is_missing() {
    for rule in &TABLES.escalation {
        let single = matches!(
            rule.kind,
            K::OtherUser | K::OtherRole | K::OtherGroup | K::OwnGroup | K::PassRole | K::Workload
        );
        if !single {
            continue;
        }
        let mut scene = Scene::of(rule);
        scene.account.users.truncate(1);
        scene.account.roles.clear();
        scene.account.groups.clear();
        scene.account.users[0].groups.clear();
        let ways = search(std::slice::from_ref(&scene.account));
        let paths = paths_of(&ways, &scene.climber);
        let held = paths.iter().find(|path| path.id == rule.id);
        let held = held.unwrap_or_else(|| panic!("{}: {paths:?}", rule.id));
        assert_eq!(held.reaches, EscalationGoal::Nothing, "{}", rule.id);
        assert_eq!(held.unknown.len(), 1, "{}", rule.id);
    }
}

#[test]
fn a_role_is_passed_to_services_it_trusts_only() {
    for rule in TABLES
        .escalation
        .iter()
        .filter(|rule| rule.kind == K::PassRole)
    {
        let mut other = Scene::of(rule);
        other.account.roles[0].trust =
            policy(&trust_of(&json!({"Service": "nobody.amazonaws.com"})));
        assert_eq!(other.found(rule.id), None, "{}", rule.id);
        let mut elsewhere = Scene::of(rule);
        elsewhere.add(
            &json!({"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*",
            "Condition": {"StringNotEquals": {"iam:PassedToService": "nobody.amazonaws.com"}}}),
        );
        assert_eq!(elsewhere.found(rule.id), None, "{}", rule.id);
    }
}

#[test]
fn chains_are_followed_over_accounts_and_told_step_by_step() {
    let other = "444455556666";
    let start = user(
        OWN,
        "start",
        &allow(
            &json!("sts:AssumeRole"),
            &json!(format!("arn:aws:iam::{other}:role/middle")),
        ),
    );
    let mut here = account(vec![start], Vec::new());
    here.account_id = OWN.into();
    let middle = role(
        other,
        "middle",
        &trust_of(&json!({"AWS": format!("arn:aws:iam::{OWN}:root")})),
        &json!([
            allow(
                &json!("iam:PassRole"),
                &json!(format!("arn:aws:iam::{other}:role/strong"))
            ),
            allow(
                &json!(["lambda:CreateFunction", "lambda:InvokeFunction"]),
                &json!("*")
            )
        ]),
    );
    let strong = role(
        other,
        "strong",
        &trust_of(&json!({"Service": "lambda.amazonaws.com"})),
        &everything(),
    );
    let mut there = account(Vec::new(), vec![middle, strong]);
    there.account_id = other.into();
    let ways = search(&[here, there]);
    let paths = paths_of(&ways, &arn("user", "start"));
    let told: Vec<String> = paths[0]
        .steps
        .iter()
        .map(|step| {
            format!(
                "{} {} -> {}: {}",
                step.id,
                step.from,
                step.to,
                step.because.join(", ")
            )
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    sts-001 arn:aws:iam::111122223333:user/start -> arn:aws:iam::444455556666:role/middle: trust policy of arn:aws:iam::444455556666:role/middle, statement 1 lets it in, inline policy `inline`, statement 1 allows sts:AssumeRole on arn:aws:iam::444455556666:role/middle
    lambda-001 arn:aws:iam::444455556666:role/middle -> arn:aws:iam::444455556666:role/strong: inline policy `inline`, statement 2 allows lambda:CreateFunction on *, inline policy `inline`, statement 2 allows lambda:InvokeFunction on *, inline policy `inline`, statement 1 allows iam:PassRole on arn:aws:iam::444455556666:role/strong
    ");
    assert_eq!(paths[0].reaches, EscalationGoal::Administrator);
    assert_eq!(
        paths[0].target.as_deref(),
        Some("arn:aws:iam::444455556666:role/strong")
    );
}

#[test]
fn the_surest_way_is_told_first_then_the_shortest() {
    let root = trust_of(&json!({"AWS": format!("arn:aws:iam::{OWN}:root")}));
    let mfa = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": format!("arn:aws:iam::{OWN}:root")},
        "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}});
    let start = user(OWN, "start", &allow(&json!("sts:AssumeRole"), &json!("*")));
    let near = role(OWN, "near", &mfa, &everything());
    let far = role(
        OWN,
        "far",
        &root,
        &allow(&json!("iam:PutRolePolicy"), &json!(arn("role", "far"))),
    );
    let ways = search(&[account(vec![start.clone()], vec![near.clone(), far])]);
    assert_eq!(paths_of(&ways, &arn("user", "start"))[0].steps.len(), 2);
    let ways = search(&[account(vec![start], vec![near])]);
    let only = &paths_of(&ways, &arn("user", "start"))[0];
    assert_eq!(only.certainty, Certainty::Conditional);
    assert_eq!(only.depends_on, ["Bool aws:MultiFactorAuthPresent = true"]);
}

#[test]
fn two_principals_that_lead_to_each_other_lead_nowhere() {
    let to = |name: &str| allow(&json!("iam:CreateAccessKey"), &json!(arn("user", name)));
    let ways = search(&[account(
        vec![user(OWN, "a", &to("b")), user(OWN, "b", &to("a"))],
        Vec::new(),
    )]);
    assert!(open(&ways, &arn("user", "a")).is_empty());
}

fn statement() -> impl Strategy<Value = Value> {
    let actions = prop_oneof![
        Just(json!("iam:*")),
        Just(json!("iam:CreateAccessKey")),
        Just(json!("iam:PutUserPolicy")),
        Just(json!("iam:UpdateAssumeRolePolicy")),
        Just(json!("sts:AssumeRole")),
        Just(json!(["iam:PassRole", "lambda:*"])),
        Just(json!([
            "lambda:UpdateFunctionCode",
            "lambda:InvokeFunction"
        ])),
        Just(json!("s3:GetObject")),
        Just(json!("*")),
    ];
    let resources = prop_oneof![
        Just(json!("*")),
        Just(json!(arn("user", "u1"))),
        Just(json!(arn("role", "r*"))),
        Just(json!([arn("user", "${aws:username}")])),
    ];
    let conditions = prop_oneof![
        4 => Just(json!({})),
        1 => Just(json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}})),
        1 => Just(json!({"StringEquals": {"aws:username": "u0"}})),
    ];
    (actions, resources, conditions).prop_map(|(action, resource, condition)| {
        json!({"Effect": "Allow", "Action": action, "Resource": resource, "Condition": condition})
    })
}

fn accounts() -> impl Strategy<Value = AwsAccount> {
    let trust = prop_oneof![
        Just(json!({"Service": "lambda.amazonaws.com"})),
        Just(json!({"AWS": format!("arn:aws:iam::{OWN}:root")})),
        Just(json!({"AWS": arn("user", "u0")})),
        Just(json!({"AWS": arn("role", "r0")})),
    ];
    (
        prop::collection::vec(prop::collection::vec(statement(), 0..3), 2..4),
        prop::collection::vec((trust, prop::collection::vec(statement(), 0..3)), 1..4),
        prop::option::of(statement()),
    )
        .prop_map(|(users, roles, edge)| {
            let users = users
                .into_iter()
                .enumerate()
                .map(|(n, held)| user(OWN, &format!("u{n}"), &json!(held)));
            let roles = roles.into_iter().enumerate().map(|(n, (trust, held))| {
                role(OWN, &format!("r{n}"), &trust_of(&trust), &json!(held))
            });
            let mut account = account(users.collect(), roles.collect());
            if let Some(edge) = edge {
                account.policies = vec![customer("edge", &edge)];
                account.users[1].boundary = Some(arn("policy", "edge"));
            }
            account
        })
}

/// Best goal of everybody.
fn goals(account: &AwsAccount) -> BTreeMap<String, EscalationGoal> {
    let ways = search(std::slice::from_ref(account));
    ways.into_iter()
        .map(|(arn, ways)| {
            let best = ways.paths.iter().map(|path| path.reaches).max();
            (arn, best.unwrap_or_default())
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_deny_never_opens_a_way(account in accounts(), action in prop_oneof![
        Just("iam:*"), Just("sts:AssumeRole"), Just("iam:PassRole"), Just("lambda:*"), Just("iam:CreateAccessKey")]) {
        let before = goals(&account);
        let me = arn("user", "u0");
        let mut denied = account.clone();
        denied.users[0].inline.push(crate::model::aws::AwsInlinePolicy {
            name: "no".into(),
            document: policy(&json!({"Effect": "Deny", "Action": action, "Resource": "*"})),
        });
        for (who, goal) in goals(&denied) {
            let known = before.get(&who);
            // Who loses something sees others stand above it that did not before, and an administrator
            // becomes one who climbs: neither is a way the denial opened.
            let own_loss = who == me && (goal < EscalationGoal::Administrator || known.is_none());
            prop_assert!(own_loss || known.is_some_and(|known| *known >= goal), "{who} {goal:?} {known:?}");
        }
    }

    #[test]
    fn every_step_replays(account in accounts()) {
        let accounts = std::slice::from_ref(&account);
        let world = World::new(accounts, &TABLES);
        let ways = search(accounts);
        let mut resources = vec!["*".to_owned(), arn("policy", "edge")];
        resources.extend(account.users.iter().map(|user| user.arn.clone()));
        resources.extend(account.roles.iter().map(|role| role.arn.clone()));
        for path in ways.values().flat_map(|ways| &ways.paths) {
            let mut at = path.steps.first().map(|step| step.from.clone());
            for step in &path.steps {
                prop_assert_eq!(at.as_ref(), Some(&step.from));
                at = Some(step.to.clone());
                let caller = world.find(&step.from).unwrap();
                for action in &step.actions {
                    let may = resources.iter().any(|resource| {
                        let mut context = Context::default();
                        if action == PASS_ROLE {
                            context.set("iam:PassedToService", "lambda.amazonaws.com");
                        }
                        let question = Question {
                            action,
                            resource,
                            account: Some(OWN),
                            context: &context,
                            given: &GivenPolicies::default(),
                        };
                        world.ask(&caller, &question).answer != Answer::Denied
                    });
                    prop_assert!(may, "{} {action} in {}", step.from, path.note);
                }
            }
            if path.reaches == EscalationGoal::Administrator {
                prop_assert!(path.steps.is_empty() || path.target.is_some()
                    || path.steps.last().is_some_and(|step| step.to == path.steps[0].from));
            }
        }
    }
}
