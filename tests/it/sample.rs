//! A report built from the model's own types, with every field filled somewhere and hostile text wherever text comes
//! from outside. All of it is invented.

use jiff::Timestamp;
use overstay::model::*;
use overstay::report::{ReportParts, assemble};
use std::collections::BTreeMap;

/// What an attacker would put into a name: a terminal escape, Markdown, HTML, a spreadsheet formula, text reordering.
pub(crate) const HOSTILE: &str =
    "=cmd|' /C calc'!A0 \u{1b}[2J[x](https://e.example) <img src=x> `a` @all \u{202e}";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An access key id, put together here so that no scanner takes this file for a leak.
pub(crate) fn key_id() -> String {
    ["AKIA", "QYLPMN5HHHFPZAM2"].concat()
}

fn proof(grade: Grade, text: &str) -> Vec<Evidence> {
    vec![Evidence::new(grade, text)]
}

fn identities() -> Vec<Identity> {
    let arn = "arn:aws:iam::111122223333:user/deployer";
    let mut deployer = Identity::named("aws", IdentityKind::IamUser, "deployer", arn, Grade::A);
    deployer.account = Some("111122223333".into());
    deployer.environment = Environment::Production;
    deployer.owner = Some("platform".into());
    deployer.owner_source = OwnerSource::Tag;
    deployer.purpose = Some("deploys the shop".into());
    deployer.human_evidence = Some("no console password".into());
    deployer.consumer_class = ConsumerClass::Ci;
    deployer.privilege = Privilege {
        tier: 5,
        admin: true,
        upper_bound: true,
        write: true,
        permissions_management: true,
        secret_read: true,
        data_read: true,
        full_services: vec!["*".into()],
        services: vec!["iam".into(), "s3".into()],
        blanket_policies: vec!["AdministratorAccess".into()],
        escalation: vec![EscalationPath {
            id: "iam-001".into(),
            actions: vec!["iam:CreatePolicyVersion".into()],
            note: "rewrites its own policy".into(),
            depends_on: vec!["a policy it holds can be edited".into()],
            reaches: EscalationGoal::Administrator,
            certainty: EscalationCertainty::Conditional,
            target: Some("arn:aws:iam::111122223333:role/admin".into()),
            unknown: vec!["that the policy has fewer than five versions".into()],
            steps: vec![EscalationStep {
                id: "iam-001".into(),
                from: arn.into(),
                to: arn.into(),
                actions: vec!["iam:CreatePolicyVersion".into()],
                text: "rewrites its own policy".into(),
                because: vec!["policy `p`, statement 1 allows it".into()],
                depends_on: Vec::new(),
                unknown: Vec::new(),
            }],
        }],
        services_used: Some(1),
        evidence: proof(Grade::A, "AdministratorAccess is attached"),
        ..Privilege::default()
    };
    deployer.created_at = Some(at("2024-01-01T00:00:00Z"));
    deployer.last_use = LastUse::At(at("2026-10-30T06:00:00Z"));
    deployer.console_password = Some(false);
    deployer.mfa = Some(false);
    deployer.boundary = Some("arn:aws:iam::111122223333:policy/edge".into());
    deployer.tags = BTreeMap::from([("team".into(), HOSTILE.into())]);
    deployer.locations = vec![
        Location::file(
            "aws/111122223333",
            "account-authorization-details.json",
            12,
            1,
        )
        .naming(arn),
    ];
    deployer.notes = proof(Grade::B, "named in one workflow");

    let arn = "arn:aws:iam::111122223333:role/timer";
    let mut timer = Identity::named("aws", IdentityKind::IamRole, "timer", arn, Grade::A);
    timer.account = Some("111122223333".into());
    timer.max_session_seconds = Some(43_200);
    timer.last_use = LastUse::NeverSince(at("2026-03-01T00:00:00Z"));
    timer.break_glass = Some(BreakGlass::Suspected);
    timer.declared = Some(Declared::Both);
    timer.trust = vec![TrustPath {
        principal_kind: PrincipalKind::Oidc,
        principal: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
            .into(),
        account: Some("111122223333".into()),
        external: true,
        vendor: Some("GitHub".into()),
        action: "sts:AssumeRoleWithWebIdentity".into(),
        issuer: Some("token.actions.githubusercontent.com".into()),
        subjects: vec!["repo:shop/*".into()],
        audiences: vec!["sts.amazonaws.com".into()],
        external_id: false,
        mfa: false,
        coverage: ConditionCoverage {
            resource: true,
            ..ConditionCoverage::default()
        },
        conditions: vec!["aud equals sts.amazonaws.com".into()],
    }];
    timer.locations.clone_from(&deployer.locations);

    let mut agent = Identity::named(
        "agent",
        IdentityKind::Agent,
        HOSTILE,
        "desk/.mcp.json",
        Grade::B,
    );
    agent.consumer_class = ConsumerClass::Agent;
    agent.agent = Some(AgentReach {
        servers: vec!["files".into()],
        auto_approved: vec!["*".into()],
        providers: vec!["github".into()],
        tools: Vec::new(),
        credentials: Vec::new(),
        static_credentials: 1,
        intent_policy: false,
    });
    agent.locations = vec![Location::file("desk", ".mcp.json", 3, 5)];

    let mut person = Identity::named(
        "aws",
        IdentityKind::IamUser,
        "dana",
        "arn:aws:iam::111122223333:user/dana",
        Grade::A,
    );
    person.human = true;
    person.account = Some("111122223333".into());
    vec![deployer, timer, agent, person]
}

fn credential(identity: &Identity, consumer: &Consumer) -> Credential {
    let id = key_id();
    let print = FingerprintKey::new([7; 32]).fingerprint("aws-access-key", b"not a secret");
    Credential {
        id: CredentialId::of(&["aws-access-key", &id]),
        provider: "aws".into(),
        kind: "aws-access-key".into(),
        public_id: Some(id),
        fingerprint: Some(print),
        redacted: Some(Redacted::new("AKIA")),
        reference: Some("secrets.AWS_ACCESS_KEY_ID".into()),
        identity: Some(identity.id.clone()),
        join: Some(Evidence::new(Grade::A, "the account lists this key id")),
        account: Some("111122223333".into()),
        status: CredentialStatus::Active,
        created_at: Some(at("2025-09-15T00:00:00Z")),
        last_use: LastUse::At(at("2026-10-30T06:00:00Z")),
        last_used_at: Some(at("2026-10-30T06:00:00Z")),
        last_used_service: Some("s3".into()),
        expires_at: None,
        expires_by_nature: Some(false),
        storage: Storage::History,
        consumers: vec![consumer.id.clone()],
        default_tier: Some(3),
        confidence: Confidence::High,
        confidence_reason: "the account lists this key id".into(),
        grade: Grade::A,
        sightings: vec![Sighting {
            repository: "shop".into(),
            uri: "deploy/%20old.env".into(),
            line: 4,
            column: 12,
            commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
            author: Some(HOSTILE.into()),
            first_seen: Some(at("2025-09-15T10:00:00Z")),
            last_seen: Some(at("2025-10-01T10:00:00Z")),
            at_head: false,
            context: Some("AWS_ACCESS_KEY_ID=AKIA********".into()),
            layers: vec!["base64".into(), "gzip".into()],
            ignored: Some(Ignored {
                by: IgnoredBy::Comment,
                reason: "rotated".into(),
            }),
            rule: "aws-access-key".into(),
            public: true,
            trail: Trail {
                medium: Medium::CommitMessage,
                reached_by: Some(Reach::Branch),
                last_commit: Some("89abcdef0123456789abcdef0123456789abcdef".into()),
                removed_in: Some("fedcba9876543210fedcba9876543210fedcba98".into()),
                removed_at: Some(at("2025-10-02T10:00:00Z")),
                branches: vec!["main".into()],
                branches_total: 1,
                clones: vec!["shop".into(), "shop-mirror".into()],
                clones_total: 2,
            },
        }],
        trail: Some(CredentialTrail {
            repository: "shop".into(),
            first_commit: Some("0123456789abcdef0123456789abcdef01234567".into()),
            introduced_by: Some(HOSTILE.into()),
            introduced_at: Some(at("2025-09-15T10:00:00Z")),
            last_commit: Some("89abcdef0123456789abcdef0123456789abcdef".into()),
            at_head: false,
            removed_in: Some("fedcba9876543210fedcba9876543210fedcba98".into()),
            removed_at: Some(at("2025-10-02T10:00:00Z")),
            branches: vec!["main".into()],
            branches_total: 1,
            repositories: 2,
            sightings: 1,
        }),
    }
}

/// A token of the agent, known by its expiry and fingerprint alone.
fn token(agent: &Identity) -> Credential {
    Credential {
        id: CredentialId::of(&["github-pat", "x"]),
        provider: "github".into(),
        kind: "github-pat".into(),
        public_id: None,
        reference: None,
        identity: Some(agent.id.clone()),
        join: None,
        account: None,
        status: CredentialStatus::Unknown,
        created_at: Some(at("2026-10-01T00:00:00Z")),
        last_use: LastUse::Unknown,
        last_used_at: None,
        last_used_service: None,
        expires_at: Some(at("2026-12-30T00:00:00Z")),
        expires_by_nature: None,
        storage: Storage::Committed,
        consumers: Vec::new(),
        default_tier: None,
        ..credential(agent, &consumer(agent))
    }
}

fn consumer(identity: &Identity) -> Consumer {
    Consumer {
        id: ConsumerId::of(&["github-actions", "shop", "deploy.yml/deploy"]),
        name: "deploy.yml/deploy".into(),
        class: ConsumerClass::Ci,
        runtime: "github-actions".into(),
        repository: Some("shop".into()),
        identity: Some(identity.id.clone()),
        schedule: Some("0 4 * * *".into()),
        timeout_seconds: Some(900),
        evidence: proof(Grade::B, "a job with timeout-minutes: 15"),
        federation: Federation::Supported,
        uses: Uses {
            credentials: vec![CredentialId::of(&["aws-access-key", &key_id()])],
            identities: vec![identity.id.clone()],
            native_ids: vec![identity.native_id.clone()],
            refs: vec!["HEAD".into()],
            runs: vec!["shop/.github/workflows/build.yml".into()],
        },
        risks: vec!["unpinned action shop/setup@v1".into()],
        location: Some(Location::file("shop", ".github/workflows/deploy.yml", 9, 3)),
        environment: Some("production".into()),
    }
}

fn grant(identity: &Identity) -> Grant {
    Grant {
        id: GrantId::of(&[identity.id.as_str(), "AdministratorAccess"]),
        identity: identity.id.clone(),
        source: GrantSource::Managed,
        name: "AdministratorAccess".into(),
        native_id: "arn:aws:iam::aws:policy/AdministratorAccess".into(),
        actions: vec!["*".into()],
        actions_total: 1,
        resources: vec!["*".into()],
        conditions: vec!["from the office network".into()],
        tier: 5,
        evidence: proof(Grade::A, "every action on every resource"),
        location: Some(Location::file(
            "aws/111122223333",
            "account-authorization-details.json",
            80,
            1,
        )),
    }
}

fn findings(identities: &[Identity], credentials: &[Credential]) -> Vec<Finding> {
    let frameworks = Frameworks::from([
        ("owasp-nhi".to_owned(), vec!["NHI2:2025".to_owned()]),
        (
            "cwe".to_owned(),
            vec!["CWE-540".to_owned(), "CWE-527".to_owned()],
        ),
        ("cis-aws".to_owned(), vec!["2.12".to_owned()]),
    ]);
    let build = |rule: &str,
                 severity,
                 title: &str,
                 identity: &Identity,
                 credential: Option<&Credential>,
                 place| {
        FindingBuilder::new(rule, severity)
            .text(
                title,
                format!("{title}. Somebody who has it can act as {}.", identity.name),
            )
            .identity(Some(&identity.id))
            .credential(credential.map(|each| &each.id))
            .locations([place])
            .evidence(proof(Grade::A, "the account lists this key id"))
            .frameworks(frameworks.clone())
            .build()
            .unwrap()
    };
    let mut accepted = build(
        "no-owner",
        Severity::Low,
        "Nobody owns the agent",
        &identities[2],
        None,
        identities[2].locations[0].clone(),
    );
    accepted.status = FindingStatus::Accepted;
    accepted.first_seen = Some(at("2026-10-01T00:00:00Z"));
    accepted.last_seen = Some(at("2026-11-01T00:00:00Z"));
    accepted.changes = vec!["its identity reaches more".into()];
    accepted.decision = Some(Decided {
        verdict: "accept-risk".into(),
        scope: "finding".into(),
        actor: HOSTILE.into(),
        at: at("2026-10-02T00:00:00Z"),
        reason: HOSTILE.into(),
        expires: Some("2027-01-31".parse().unwrap()),
        ticket: Some("SEC-12".into()),
    });
    vec![
        accepted,
        build(
            "leaked-secret-history",
            Severity::Critical,
            "Live key of deployer in history",
            &identities[0],
            Some(&credentials[0]),
            credentials[0].sightings[0].location(),
        ),
        build(
            "leaked-secret",
            Severity::High,
            HOSTILE,
            &identities[2],
            Some(&credentials[1]),
            Location::file("desk", ".mcp.json", 7, 9),
        ),
        build(
            "jit-without-context",
            Severity::Medium,
            "timer is only a timer",
            &identities[1],
            None,
            identities[1].locations[0].clone(),
        ),
    ]
}

fn assessment(
    identity: &Identity,
    credential: Option<&Credential>,
    score: u8,
    disposition: Disposition,
) -> Assessment {
    let factor = |code: &str, name: &str, level, assumed| RiskFactor {
        code: code.into(),
        name: name.into(),
        level,
        assumed,
        evidence: proof(Grade::A, "seen in the account"),
    };
    Assessment {
        id: AssessmentId::of(&[
            identity.id.as_str(),
            credential.map_or("", |each| each.id.as_str()),
        ]),
        identity: Some(identity.id.clone()),
        credential: credential.map(|each| each.id.clone()),
        subject: identity.name.clone(),
        risk: Risk {
            score,
            band: if score >= 90 {
                RiskBand::Critical
            } else {
                RiskBand::Medium
            },
            vector: "NHI:1/E4/T3*/H0/P5/S2/B1".into(),
            likelihood: 9,
            impact: 10,
            factors: vec![
                factor("E", "exposure", 4, false),
                factor("T", "standing time", 3, true),
            ],
            floors: vec!["an administrator's key in history is at least critical".into()],
        },
        fit: Fit {
            score: 82,
            factors: vec![FitFactor {
                code: "F1".into(),
                name: "mechanism available".into(),
                points: 25,
                max: 25,
                evidence: proof(Grade::B, "the runtime offers OIDC"),
            }],
        },
        blockers: vec![Blocker {
            id: "shared_path".into(),
            evidence: Evidence::new(Grade::C, "two jobs name the same secret"),
        }],
        disposition,
        follow_up: Some(Disposition::MigrateNow),
        trace: vec![DispositionTrace {
            disposition,
            conditions: vec![ConditionResult {
                text: "exposure is at least 4: it is 4".into(),
                held: Ternary::Yes,
            }],
            matched: true,
        }],
        confidence: Grade::A,
        consumer_class: identity.consumer_class,
        priority: 77,
        lifetime_ratio: Some(39_552.0),
        exposure_window: ExposureWindow {
            before: "412 d, no expiry".into(),
            after: "15 min".into(),
        },
        task: TaskBoundary::default(),
        ttl: Ttl {
            seconds: Some(900),
            evidence: "the job may run 15 min".into(),
        },
        target: Some("github-actions-oidc-aws".into()),
        target_reason: "the runtime offers OIDC".into(),
        condition_coverage: Some(1),
        mitigation: Mitigation::Full,
        readiness: Readiness {
            issue: Ternary::Yes,
            observe: Ternary::Unknown,
            revoke: Ternary::No,
        },
        can_rerequest: Ternary::Yes,
        renewal_failure_tolerable: Ternary::Unknown,
        risk_after: ResidualRisk {
            score: 12,
            band: RiskBand::Info,
            vector: "NHI:1/E0/T0/H0/P3/S2/B1".into(),
            evidence: vec!["no secret is stored any more".into()],
        },
    }
}

fn plan_item(assessment: &Assessment) -> PlanItem {
    PlanItem {
        unfinished: Some(Unfinished {
            planned_at: at("2026-10-01T00:00:00Z"),
            new_way: true,
            settled: Vec::new(),
            left: vec!["the issuer shows it active".into()],
        }),
        id: PlanItemId::of(&[assessment.id.as_str()]),
        wave: 1,
        position: 1,
        assessment: assessment.id.clone(),
        identity: assessment.identity.clone(),
        credential: assessment.credential.clone(),
        title: format!("Move {} to OIDC", assessment.subject),
        disposition: assessment.disposition,
        mechanism: "github-actions-oidc-aws".into(),
        mechanism_title: "GitHub Actions OIDC to an AWS role".into(),
        catalogue_as_of: "2026-11-01".into(),
        unverified: vec!["the longest session of the runner".into()],
        ttl: assessment.ttl.clone(),
        grant: GrantSpec {
            subject: "repo:shop/site:ref:refs/heads/main".into(),
            task: "deploy".into(),
            context_proof: "the job's OIDC token".into(),
            resources: vec!["arn:aws:s3:::shop-site/*".into()],
            actions: vec!["s3:PutObject".into()],
        },
        approval: Approval {
            system: "AWS account 111122223333".into(),
            reason: "deploy the shop".into(),
            duration: "15 min".into(),
            approver: "platform".into(),
            tier: ApprovalTier::Strict,
            logic: "automation".into(),
            status: "approved".into(),
            decided_at: Some(at("2026-11-01T09:00:00Z")),
        },
        revocation_triggers: vec![RevocationTrigger::TtlExpiry, RevocationTrigger::PipelineEnd],
        prerequisites: vec!["an OIDC provider in the account".into()],
        open_questions: vec![HOSTILE.into()],
        steps: vec![
            PlanStep {
                number: 0,
                title: "Name the owner".into(),
                detail: "Ask the team that deploys.".into(),
                command: None,
            },
            PlanStep {
                number: 1,
                title: "Make the role".into(),
                detail: "With the trust policy of this item.".into(),
                command: Some("aws iam create-role \\\n  --role-name deploy".into()),
            },
        ],
        negative_test: "the old key is refused".into(),
        acceptance_test: "the job deploys with no stored secret".into(),
        rollback: "activate the key again within 7 d".into(),
        revoke_command: Some(format!(
            "aws iam delete-access-key --access-key-id {}",
            key_id()
        )),
        compensating_controls: vec![CompensatingControl {
            control: "alert on use from elsewhere".into(),
            present: Ternary::Unknown,
        }],
        detect_done: "the account no longer lists the key".into(),
        readiness: assessment.readiness,
        mitigation: assessment.mitigation,
        effort: Effort {
            size: "S".into(),
            points: 1,
            reason: "one workflow".into(),
        },
        risk_before: assessment.risk.score,
        risk_after: 12,
        risk_removed: assessment.risk.score - 12,
        exception_expires: Some(at("2027-02-01T00:00:00Z")),
        agent_requirements: vec!["log the intent of every call".into()],
        permissions: Some(PermissionSets {
            source: "CloudTrail, 2026-08-01 to 2026-10-30".into(),
            baseline: vec![PermissionLine {
                actions: vec!["ecs:DescribeServices".into()],
                resources: vec!["*".into()],
            }],
            elevated: vec![PermissionLine {
                actions: vec!["ecs:UpdateService".into()],
                resources: vec!["arn:aws:ecs:eu-west-1:111122223333:service/site/web".into()],
            }],
            gaps: vec!["calls on data of s3 are not in the logs".into()],
        }),
        folder: "plan/wave-01/p-sample".into(),
        artefacts: vec![Artefact {
            path: "trust-policy.json".into(),
            kind: ArtefactKind::TrustPolicy,
            description: "who may become the new identity".into(),
        }],
    }
}

/// The parts of the report, in no order.
pub(crate) fn parts() -> ReportParts {
    let mut identities = identities();
    let consumer = consumer(&identities[0]);
    let edited = consumer.id.clone();
    let credentials = vec![credential(&identities[0], &consumer), token(&identities[2])];
    let grant = grant(&identities[0]);
    identities[0].credentials = vec![credentials[0].id.clone()];
    identities[0].grants = vec![grant.id.clone()];
    identities[0].consumers = vec![consumer.id.clone()];
    identities[2].credentials = vec![credentials[1].id.clone()];
    let findings = findings(&identities, &credentials);
    let assessments = vec![
        assessment(&identities[1], None, 41, Disposition::Review),
        assessment(
            &identities[0],
            Some(&credentials[0]),
            94,
            Disposition::RevokeNow,
        ),
        assessment(
            &identities[2],
            Some(&credentials[1]),
            66,
            Disposition::Hybrid,
        ),
    ];
    let plan = vec![plan_item(&assessments[1])];
    ReportParts {
        tool_version: "0.1.0".into(),
        run: Run {
            id: "r-0123456789abcdef".into(),
            now: at("2026-11-01T12:00:00Z"),
            inputs: vec!["shop".into(), "desk".into(), "aws/111122223333".into()],
            rules_digest: "aaaaaaaaaaaaaaaa".into(),
            policy_digest: "bbbbbbbbbbbbbbbb".into(),
            fingerprint_key: "cccccccccccc".into(),
            complete: true,
        },
        coverage: vec![
            Coverage::new("git", "shop", CoverageStatus::Read, "120 blobs, 31 commits"),
            Coverage::new(
                "git",
                HOSTILE,
                CoverageStatus::Failed,
                "a pack file is damaged; run `git fsck` in it",
            ),
            Coverage::new(
                "aws-snapshot",
                "aws/111122223333",
                CoverageStatus::Absent,
                "no credential report; add `credential-report.csv`",
            ),
        ],
        inventory: Inventory {
            identities: identities
                .into_iter()
                .map(|each| (each.id.clone(), each))
                .collect(),
            credentials: credentials
                .into_iter()
                .map(|each| (each.id.clone(), each))
                .collect(),
            grants: BTreeMap::from([(grant.id.clone(), grant)]),
            consumers: BTreeMap::from([(consumer.id.clone(), consumer)]),
            oidc_issuers: BTreeMap::new(),
            edits: vec![PipelineEdit {
                consumer: edited,
                mechanism: "aws-github-oidc".into(),
                repository: "shop".into(),
                path: ".github/workflows/deploy.yml".into(),
                from: 3,
                to: 9,
                patch: Some("@@ -3,1 +3,1 @@\n-a\n+b\n".into()),
                notes: vec![HOSTILE.into()],
            }],
            origins: BTreeMap::from([("shop".into(), "github.com/acme/shop".into())]),
            ..Inventory::default()
        },
        findings,
        assessments,
        plan,
        long_lived_days: 90,
    }
}

/// The sample report.
pub(crate) fn report() -> Report {
    let mut report = assemble(parts());
    let mut fixed = report.findings[0].clone();
    fixed.id = FindingId::of(&["fixed"]);
    fixed.status = FindingStatus::Fixed;
    report.changes = Some(Changes {
        since: Some("20261031T000000Z-before".into()),
        since_time: Some(at("2026-10-31T00:00:00Z")),
        statuses: BTreeMap::from([("fixed".into(), 1)]),
        fixed: vec![fixed],
        drift: vec![Drift {
            identity: report.identities[0].id.clone(),
            name: HOSTILE.into(),
            gained: vec!["s3:*".into()],
            lost: vec!["tier 4".into()],
            total: 2,
        }],
        plan: vec![ItemProgress {
            item: report.plan[0].id.clone(),
            title: report.plan[0].title.clone(),
            mechanism: report.plan[0].mechanism.clone(),
            disposition: report.plan[0].disposition,
            state: ItemState::DualPath,
            since: at("2026-10-31T00:00:00Z"),
            planned_at: at("2026-10-30T00:00:00Z"),
            detect_done: report.plan[0].detect_done.clone(),
            evidence: vec!["no: deploy.yml/deploy still names it".into()],
            risk_before: 40,
        }],
        standing: vec![StandingDrift {
            assessment: report.assessments[0].id.clone(),
            subject: HOSTILE.into(),
            risk: 40,
            before: Some(20),
            since: at("2026-10-31T00:00:00Z"),
        }],
    });
    crate::sample_seen::complete(report)
}
