//! Small inventories for tests of judgement and plan.

use super::subject::subjects;
use super::{JitContext, assess};
use crate::model::{
    ActionKind, ActionUse, Activity, Assessment, Confidence, Consumer, ConsumerClass, ConsumerId,
    Credential, CredentialId, CredentialStatus, Environment, Evidence, Federation, FingerprintKey,
    Grade, Identity, IdentityKind, Inventory, LastUse, LogWindow, OwnerSource, PlanItem,
    PrincipalKind, Rhythm, Sessions, Sighting, Storage, Trail, TrustPath, Uses,
};
use crate::rules::config::Config;
use crate::rules::scoring::Scoring;
use crate::rules::targets::Targets;
use jiff::{Timestamp, ToSpan};

pub(crate) const ACCOUNT: &str = "111122223333";

pub(crate) fn now() -> Timestamp {
    "2026-11-20T00:00:00Z".parse().unwrap()
}

pub(crate) fn days_ago(days: i64) -> Timestamp {
    now() - (days * 24).hours()
}

/// An inventory with the rules it is judged by.
pub(crate) struct World {
    pub(crate) inventory: Inventory,
    pub(crate) scoring: Scoring,
    pub(crate) targets: Targets,
    pub(crate) config: Config,
}

impl World {
    pub(crate) fn new(config: &str) -> Self {
        let config = Config::parse(config).unwrap();
        Self {
            inventory: Inventory::default(),
            scoring: Scoring::with_overrides(&config.scoring).unwrap(),
            targets: Targets::builtin().unwrap(),
            config,
        }
    }

    pub(crate) fn context(&self) -> JitContext<'_> {
        JitContext {
            inventory: &self.inventory,
            scoring: &self.scoring,
            targets: &self.targets,
            config: &self.config,
            now: now(),
        }
    }

    pub(crate) fn assess(&self) -> Vec<Assessment> {
        let context = self.context();
        assess(&context, &subjects(&context))
    }

    /// The only assessment there is.
    pub(crate) fn only(&self) -> Assessment {
        let mut all = self.assess();
        assert_eq!(
            all.len(),
            1,
            "{:?}",
            all.iter().map(|a| &a.subject).collect::<Vec<_>>()
        );
        all.remove(0)
    }

    pub(crate) fn plan(&self) -> Vec<PlanItem> {
        crate::plan::build(
            &self.context(),
            &subjects(&self.context()),
            &self.assess(),
            &crate::plan::done::Unfinished::new(),
        )
    }

    pub(crate) fn add_identity(&mut self, identity: Identity) {
        self.inventory
            .identities
            .insert(identity.id.clone(), identity);
    }

    pub(crate) fn add_consumer(&mut self, consumer: Consumer) {
        self.inventory
            .consumers
            .insert(consumer.id.clone(), consumer);
    }

    pub(crate) fn add_credential(&mut self, credential: Credential) {
        if let Some(identity) = credential
            .identity
            .as_ref()
            .and_then(|id| self.inventory.identities.get_mut(id))
        {
            identity.credentials.push(credential.id.clone());
        }
        self.inventory
            .credentials
            .insert(credential.id.clone(), credential);
    }
}

pub(crate) fn user(name: &str) -> Identity {
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    let mut identity = Identity::named("aws", IdentityKind::IamUser, name, &arn, Grade::A);
    identity.account = Some(ACCOUNT.into());
    identity.owner = Some("platform".into());
    identity.owner_source = OwnerSource::Tag;
    identity.environment = Environment::Production;
    identity.created_at = Some(days_ago(412));
    identity
}

pub(crate) fn role(name: &str, trust: Vec<TrustPath>) -> Identity {
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let mut identity = Identity::named("aws", IdentityKind::IamRole, name, &arn, Grade::A);
    identity.account = Some(ACCOUNT.into());
    identity.owner = Some("platform".into());
    identity.environment = Environment::Production;
    identity.max_session_seconds = Some(3600);
    identity.last_use = LastUse::At(days_ago(1));
    identity.trust = trust;
    identity
}

pub(crate) fn admin(mut identity: Identity) -> Identity {
    identity.privilege.tier = 5;
    identity.privilege.admin = true;
    identity.privilege.write = true;
    identity.privilege.evidence = vec![Evidence::new(Grade::A, "AdministratorAccess attached")];
    identity
}

pub(crate) fn with_privilege(mut identity: Identity, tier: u8, write: bool) -> Identity {
    identity.privilege.tier = tier;
    identity.privilege.write = write;
    identity.privilege.data_read = true;
    identity.privilege.services = vec!["s3".into()];
    identity.privilege.evidence = vec![Evidence::new(Grade::A, "policy storage")];
    identity
}

pub(crate) fn trust(kind: PrincipalKind, principal: &str) -> TrustPath {
    TrustPath {
        principal_kind: kind,
        principal: principal.into(),
        account: None,
        external: false,
        vendor: None,
        action: "sts:AssumeRole".into(),
        issuer: None,
        subjects: Vec::new(),
        audiences: Vec::new(),
        external_id: false,
        mfa: false,
        coverage: crate::model::ConditionCoverage::default(),
        conditions: Vec::new(),
    }
}

pub(crate) fn github(subject: &str) -> TrustPath {
    let mut path = trust(
        PrincipalKind::Oidc,
        "oidc-provider/token.actions.githubusercontent.com",
    );
    path.issuer = Some("token.actions.githubusercontent.com".into());
    path.subjects = vec![subject.into()];
    path.audiences = vec!["sts.amazonaws.com".into()];
    path.coverage.subject = !subject.contains('*');
    path
}

pub(crate) fn consumer(
    name: &str,
    class: ConsumerClass,
    runtime: &str,
    repository: &str,
) -> Consumer {
    Consumer {
        id: ConsumerId::of(&[runtime, repository, name]),
        name: name.into(),
        class,
        runtime: runtime.into(),
        repository: Some(repository.into()),
        identity: None,
        schedule: None,
        timeout_seconds: None,
        evidence: vec![Evidence::new(
            Grade::B,
            format!("declared as {}", class.as_str()),
        )],
        federation: Federation::Unknown,
        uses: Uses::default(),
        risks: Vec::new(),
        location: None,
        environment: None,
    }
}

pub(crate) fn job(repository: &str) -> Consumer {
    let mut job = consumer(
        "deploy.yml/deploy",
        ConsumerClass::Ci,
        "github-actions",
        repository,
    );
    job.timeout_seconds = Some(900);
    job.federation = Federation::Supported;
    job
}

pub(crate) fn credential(kind: &str, provider: &str) -> Credential {
    Credential {
        id: CredentialId::of(&[kind, provider]),
        provider: provider.into(),
        kind: kind.into(),
        public_id: None,
        fingerprint: None,
        redacted: None,
        reference: None,
        identity: None,
        join: None,
        account: None,
        status: CredentialStatus::Unknown,
        created_at: None,
        last_use: LastUse::Unknown,
        last_used_at: None,
        last_used_service: None,
        expires_at: None,
        expires_by_nature: Some(false),
        storage: Storage::NotSeen,
        consumers: Vec::new(),
        default_tier: None,
        confidence: Confidence::High,
        confidence_reason: String::new(),
        grade: Grade::B,
        sightings: Vec::new(),
        trail: None,
    }
}

/// An access key of a user as the account's inventory knows it.
pub(crate) fn access_key(of: &Identity) -> Credential {
    let mut key = credential("aws-access-key", "aws");
    key.public_id = Some(format!("AKIA{}", "QQQQQQQQQQQQQQQQ"));
    key.identity = Some(of.id.clone());
    key.account = Some(ACCOUNT.into());
    key.status = CredentialStatus::Active;
    key.created_at = Some(days_ago(412));
    key.last_use = LastUse::At(days_ago(1));
    key.grade = Grade::A;
    key
}

/// The same credential with its secret at a place in git.
pub(crate) fn committed(
    mut credential: Credential,
    storage: Storage,
    repository: &str,
) -> Credential {
    let key = FingerprintKey::new([7; 32]);
    credential.fingerprint =
        Some(key.fingerprint(&credential.kind, credential.id.as_str().as_bytes()));
    credential.storage = storage;
    credential.grade = Grade::B;
    credential.sightings.push(Sighting {
        repository: repository.into(),
        uri: "config/settings.ini".into(),
        line: 3,
        column: 7,
        commit: Some("0".repeat(40)),
        author: None,
        first_seen: Some(days_ago(300)),
        last_seen: None,
        at_head: storage != Storage::History,
        context: None,
        layers: Vec::new(),
        ignored: None,
        trail: Trail::default(),
        rule: credential.kind.clone(),
        public: storage == Storage::Public,
    });
    credential
}

/// Use in the last sixty days: runs of so many seconds (half, 95 of 100, longest).
pub(crate) fn seen(
    of: &Identity,
    key: Option<&Credential>,
    rhythm: Rhythm,
    lengths: [u64; 3],
) -> Activity {
    Activity {
        source: "cloudtrail".into(),
        principal: of.native_id.clone(),
        account: of.account.clone(),
        identity: Some(of.id.clone()),
        access_key: key.and_then(|key| key.public_id.clone()),
        credential: key.map(|key| key.id.clone()),
        events: 900,
        failed: 0,
        first: days_ago(60),
        last: days_ago(1),
        sessions: Sessions {
            count: 60,
            gap_seconds: 1800,
            p50_seconds: lengths[0],
            p95_seconds: lengths[1],
            max_seconds: lengths[2],
            told_apart: false,
        },
        rhythm,
        every_seconds: None,
        rhythm_evidence: "as seen".into(),
        hours: vec![0; 24],
        weekdays: vec![0; 7],
        networks: Vec::new(),
        overlap_hours: Some(0),
        regions: Vec::new(),
        user_agents: Vec::new(),
        actions: vec![
            used("ecs:DescribeServices", ActionKind::Metadata, &[]),
            used(
                "s3:PutObject",
                ActionKind::Write,
                &[
                    "arn:aws:s3:::reports/a/1",
                    "arn:aws:s3:::reports/a/2",
                    "arn:aws:s3:::reports/a/3",
                ],
            ),
        ],
        errors: Vec::new(),
        callers: Vec::new(),
        by_hand: Vec::new(),
        left_out: Vec::new(),
    }
}

fn used(action: &str, kind: ActionKind, resources: &[&str]) -> ActionUse {
    ActionUse {
        action: action.into(),
        kind,
        count: 60,
        failed: 0,
        last: days_ago(1),
        resources: resources.iter().map(|arn| (*arn).to_owned()).collect(),
        more_resources: false,
    }
}

/// Sixty days of logs of the account, with this use in them.
pub(crate) fn logged(world: &mut World, activity: Activity) {
    world.inventory.observed.windows = vec![LogWindow {
        account: ACCOUNT.into(),
        from: days_ago(60),
        to: days_ago(0),
        events: 10_000,
        data_events: 0,
        data_services: Vec::new(),
        regions: vec!["eu-west-1".into()],
    }];
    world.inventory.observed.activity.push(activity);
}
