use super::*;
use crate::model::{Coverage, CoverageStatus, FindingBuilder, Location, Summary, report::SCHEMA};

fn finding(name: &str, repository: &str, severity: Severity) -> Finding {
    FindingBuilder::new("long-lived-key", severity)
        .text(name, "message")
        .discriminator(name)
        .locations([Location::file(repository, "a.env", 3, 1)])
        .build()
        .unwrap()
}

fn report(day: u8, inputs: &[&str], findings: &[Finding]) -> Report {
    let report = serde_json::json!({
        "schema": SCHEMA,
        "tool": {"name": "overstay", "version": "0"},
        "run": {
            "id": format!("run-{day}"),
            "now": format!("2026-11-{day:02}T00:00:00Z"),
            "inputs": inputs,
            "rules_digest": "r",
            "policy_digest": "p",
            "fingerprint_key": "k",
            "complete": true,
        },
        "coverage": [],
        "summary": Summary::default(),
        "identities": [],
        "credentials": [],
        "grants": [],
        "consumers": [],
        "findings": findings,
        "assessments": [],
        "plan": [],
    });
    serde_json::from_value(report).unwrap()
}

fn asked(scope: &str, reading: Reading) -> Asked {
    Asked {
        scope: scope.into(),
        reading,
    }
}

/// What is known after this report.
fn after(mut report: Report, asked: &Asked) -> Past {
    mark(&mut report, &Past::default(), asked);
    Past {
        run: Some((report.run.id.clone(), report.run.now)),
        findings: known_of(&report, asked, None).into_iter().collect(),
        homes: report.run.inputs.iter().cloned().collect(),
        ..Past::default()
    }
}

/// The statuses of a report, those of fixed findings last with the reason.
fn words(mut report: Report, past: &Past, asked: &Asked) -> String {
    mark(&mut report, past, asked);
    let fixed = report.changes.iter().flat_map(|changes| &changes.fixed);
    let words = report.findings.iter().chain(fixed).map(|one| {
        format!(
            "{} {} [{}]",
            one.title,
            one.status.as_str(),
            one.changes.join("; ")
        )
    });
    words.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_was_not_looked_for_is_not_fixed() {
    let all = asked("a b", Reading::History);
    let past = after(
        report(1, &["a", "b"], &[finding("x", "a", Severity::High)]),
        &all,
    );
    let gone = |inputs: &[&str]| report(2, inputs, &[]);
    assert_eq!(
        words(gone(&["a", "b"]), &past, &all),
        "x fixed [it is no longer there]"
    );
    assert_eq!(
        words(gone(&["b"]), &past, &all),
        "x fixed [a is no longer there]",
        "the same arguments, and the repository was deleted"
    );
    let other = asked("b", Reading::History);
    assert_eq!(words(gone(&["b"]), &past, &other), "", "other arguments");
    let files = asked("a b", Reading::Current);
    assert_eq!(
        words(gone(&["a", "b"]), &past, &files),
        "",
        "history was not read"
    );
    let mut unread = gone(&["a", "b"]);
    unread.coverage = vec![Coverage::new("git", "a", CoverageStatus::Failed, "x")];
    assert_eq!(words(unread, &past, &all), "", "it could not be read");
    let mut rules = gone(&["a", "b"]);
    rules.run.rules_digest = "s".into();
    assert_eq!(
        words(rules, &past, &all),
        "x fixed [it is no longer found; the rules have changed since]"
    );
}

#[test]
fn severity_makes_better_or_worse() {
    let all = asked("a", Reading::History);
    let past = after(
        report(1, &["a"], &[finding("x", "a", Severity::High)]),
        &all,
    );
    let now = |severity| {
        words(
            report(2, &["a"], &[finding("x", "a", severity)]),
            &past,
            &all,
        )
    };
    assert_eq!(now(Severity::High), "x unchanged []");
    assert_eq!(
        now(Severity::Critical),
        "x worsened [severity high → critical]"
    );
    assert_eq!(now(Severity::Low), "x improved [severity high → low]");
}

#[test]
fn a_clock_that_was_moved_back_makes_nothing_older_than_it_is() {
    let all = asked("a", Reading::History);
    let past = after(
        report(9, &["a"], &[finding("x", "a", Severity::High)]),
        &all,
    );
    let mut early = report(2, &["a"], &[finding("x", "a", Severity::High)]);
    mark(&mut early, &past, &all);
    let found = &early.findings[0];
    assert_eq!(found.status, FindingStatus::Unchanged);
    assert!(found.first_seen <= found.last_seen);
}

/// A finding about something that is known by its place.
fn placed(repository: &str, uri: &str, what: &str) -> Finding {
    FindingBuilder::new("no-owner", Severity::Low)
        .text(format!("nobody owns {repository}/{uri} {what}"), "message")
        .discriminator(format!("{repository}/{uri}/{what}"))
        .locations([Location::file(repository, uri, 1, 1)])
        .build()
        .unwrap()
}

#[test]
fn a_renamed_repository_and_a_moved_file_keep_their_findings() {
    let all = asked("w", Reading::History);
    let before = [
        placed("a", "x.yml", "job"),
        placed("a", "y.yml", "job"),
        placed("b", "x.yml", "job"),
        placed("b", "z.yml", "other"),
    ];
    let past = after(report(1, &["a", "b"], &before), &all);
    let mut later = report(
        2,
        &["c", "b"],
        &[
            placed("c", "x.yml", "job"),
            placed("c", "y.yml", "job"),
            placed("b", "x.yml", "job"),
            placed("b", "moved/z.yml", "other"),
        ],
    );
    let aliases = keep_ids(&mut later.findings, &later.run.inputs, &past);
    assert_eq!(aliases.len(), 3);
    mark(&mut later, &past, &all);
    let mut ids: Vec<_> = later.findings.iter().map(|one| one.id.clone()).collect();
    let mut expected: Vec<_> = before.iter().map(|one| one.id.clone()).collect();
    ids.sort();
    expected.sort();
    assert_eq!(ids, expected);
    assert!(
        later
            .findings
            .iter()
            .all(|one| one.status == FindingStatus::Unchanged)
    );
    assert_eq!(later.changes.unwrap().fixed, []);
    // From now on the new names are known.
    let known = Past { aliases, ..past };
    let mut again = report(3, &["c", "b"], &[placed("c", "x.yml", "job")]);
    let more = keep_ids(&mut again.findings, &again.run.inputs, &known);
    assert_eq!(more.len(), 0);
    assert_eq!(again.findings[0].id, before[0].id);
}

#[test]
fn a_finding_of_a_repository_under_an_old_name_is_another() {
    let night = |day, past: &Past, findings: &mut [Finding], inputs: &[&str]| {
        let inputs: Vec<String> = inputs.iter().map(ToString::to_string).collect();
        let aliases = keep_ids(findings, &inputs, past);
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let all = asked("all", Reading::History);
        let mut later = after(report(day, &inputs, findings), &all);
        later.aliases = past.aliases.clone();
        later.aliases.extend(aliases);
        later.homes.extend(past.homes.iter().cloned());
        later
    };
    let (old, moved) = (placed("app", "a.yml", "x"), placed("site", "a.yml", "x"));
    let past = night(1, &Past::default(), &mut [old.clone()], &["app"]);
    let past = night(2, &past, &mut [moved.clone()], &["site"]);
    let mut both = [old.clone(), moved.clone()];
    let past = night(3, &past, &mut both, &["app", "site"]);
    assert_eq!(both[1].id, old.id);
    assert!(both[0].id != old.id && both[0].id != moved.id);
    let mut again = [old.clone(), moved];
    night(4, &past, &mut again, &["app", "site"]);
    assert_eq!(again, both);
    let mut alone = [old];
    night(5, &past, &mut alone, &["app"]);
    assert_eq!(alone[0].id, both[0].id);
}

#[test]
fn what_could_be_either_of_two_is_neither() {
    let all = asked("w", Reading::History);
    let past = after(
        report(
            1,
            &["a", "b"],
            &[placed("a", "x", "job"), placed("b", "x", "job")],
        ),
        &all,
    );
    let mut later = report(2, &["c"], &[placed("c", "x", "job")]);
    let aliases = keep_ids(&mut later.findings, &later.run.inputs, &past);
    assert_eq!(aliases.len(), 0);
    mark(&mut later, &past, &all);
    assert_eq!(later.findings[0].status, FindingStatus::New);
}

mod places {
    use super::*;
    use crate::model::{Grade, Identity, IdentityKind, Inventory};

    /// A job of a repository, by the file and the name that declare it.
    fn job(repository: &str, file: &str, name: &str) -> Identity {
        let native = format!("{repository}/{}/{name}", file.rsplit('/').next().unwrap());
        let mut job = Identity::named("github", IdentityKind::CiJob, name, &native, Grade::B);
        job.locations = vec![Location::file(repository, file, 1, 1)];
        job
    }

    fn inventory(jobs: &[Identity]) -> Inventory {
        let mut inventory = Inventory::default();
        for job in jobs {
            inventory.identities.insert(job.id.clone(), job.clone());
        }
        inventory
    }

    fn of(inventory: &Inventory) -> Vec<Declared> {
        declared(inventory.identities.values(), [], [])
    }

    /// The names of the jobs with their ids, after a night in which the first became the second.
    fn night(
        (before, inputs): (&[Identity], &[&str]),
        (now, later): (&[Identity], &[&str]),
        origins: [&[(&str, &str)]; 2],
    ) -> (Inventory, Kept) {
        let names = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        let [then, since] = origins.map(|all| {
            all.iter()
                .map(|(name, place)| ((*name).to_owned(), (*place).to_owned()))
                .collect()
        });
        let known = Before {
            inputs: names(inputs),
            origins: then,
            declared: of(&inventory(before)),
        };
        let past = Past {
            homes: names(inputs).into_iter().collect(),
            ..Past::default()
        };
        let mut inventory = inventory(now);
        let taken = inventory
            .identities
            .keys()
            .map(ToString::to_string)
            .collect();
        let sources = (&names(later)[..], &since);
        let kept = keep(&of(&inventory), sources, &taken, &past, Some(&known));
        rename(&mut inventory, &kept.ids);
        (inventory, kept)
    }

    fn ids(all: &[Identity]) -> Vec<String> {
        let mut ids: Vec<String> = all.iter().map(|one| one.id.to_string()).collect();
        ids.sort();
        ids
    }

    fn kept_ids(inventory: &Inventory) -> Vec<String> {
        for (id, one) in &inventory.identities {
            assert_eq!(*id, one.id);
        }
        inventory
            .identities
            .keys()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn what_a_renamed_repository_declares_keeps_its_ids() {
        let before = [
            job("w/app", "a/x.yml", "build"),
            job("w/app", "a/y.yml", "ship"),
            job("w/b", "a/x.yml", "build"),
        ];
        let now = [
            job("w/site", "a/x.yml", "build"),
            job("w/site", "a/y.yml", "ship"),
            job("w/b", "a/x.yml", "build"),
        ];
        let (renamed, kept) = night(
            (&before, &["w/app", "w/b"]),
            (&now, &["w/b", "w/site"]),
            [&[], &[]],
        );
        assert_eq!(kept_ids(&renamed), ids(&before));
        assert_eq!(
            kept.repositories,
            BTreeMap::from([("w/site".to_owned(), "w/app".to_owned())])
        );
        // Known from now on, also when nothing of the run before is at hand.
        let past = Past {
            aliases: kept.aliases,
            ..Past::default()
        };
        let mut later = inventory(&now);
        let taken = later.identities.keys().map(ToString::to_string).collect();
        let again = keep(&of(&later), (&[], &BTreeMap::new()), &taken, &past, None);
        rename(&mut later, &again.ids);
        assert_eq!(kept_ids(&later), ids(&before));
    }

    #[test]
    fn of_repositories_that_declare_the_same_the_origin_or_the_last_name_tells() {
        let jobs = |homes: [&str; 2]| homes.map(|home| job(home, "a/x.yml", "build"));
        let (before, now) = (jobs(["w/a", "w/b"]), jobs(["w/c", "w/d"]));
        let inputs: [&[&str]; 2] = [&["w/a", "w/b"], &["w/c", "w/d"]];
        let (_, kept) = night((&before, inputs[0]), (&now, inputs[1]), [&[], &[]]);
        assert_eq!(kept.ids.len(), 0, "either could be either");
        let (inventory, kept) = night(
            (&before, inputs[0]),
            (&now, inputs[1]),
            [
                &[("w/a", "h/one#main"), ("w/b", "h/two")],
                &[("w/c", "h/two"), ("w/d", "h/one")],
            ],
        );
        assert_eq!(kept.ids[now[1].id.as_str()], before[0].id.to_string());
        assert_eq!(kept_ids(&inventory), ids(&before));
        let now = jobs(["v/a", "v/b"]);
        let (inventory, kept) = night((&before, inputs[0]), (&now, &["v/a", "v/b"]), [&[], &[]]);
        assert_eq!(kept.ids[now[1].id.as_str()], before[1].id.to_string());
        assert_eq!(kept_ids(&inventory), ids(&before));
    }

    #[test]
    fn a_repository_that_takes_the_old_name_of_another_has_ids_of_its_own() {
        let names =
            |names: &[&str]| -> Vec<String> { names.iter().map(ToString::to_string).collect() };
        let old = [job("w/app", "a/x.yml", "build")];
        let (_, kept) = night(
            (&old, &["w/app"]),
            (&[job("w/site", "a/x.yml", "build")], &["w/site"]),
            [&[], &[]],
        );
        let mut past = Past {
            aliases: kept.aliases,
            homes: names(&["w/app", "w/site"]).into_iter().collect(),
            ..Past::default()
        };
        // The run before has the job under its old id and its new place.
        let mut moved = job("w/site", "a/x.yml", "build");
        moved.id = old[0].id.clone();
        let before = Before {
            inputs: names(&["w/site"]),
            declared: of(&inventory(&[moved])),
            ..Before::default()
        };
        let now = [
            job("w/app", "a/x.yml", "build"),
            job("w/site", "a/x.yml", "build"),
        ];
        let inputs = names(&["w/app", "w/site"]);
        let taken: BTreeSet<String> = now.iter().map(|one| one.id.to_string()).collect();
        let declared = of(&inventory(&now));
        let sources = (&inputs[..], &BTreeMap::new());
        let kept = keep(&declared, sources, &taken, &past, Some(&before));
        assert_eq!(kept.ids[now[1].id.as_str()], old[0].id.to_string());
        let newcomer = kept.ids[now[0].id.as_str()].clone();
        assert!(!taken.contains(&newcomer));
        // And the night after, when nothing of the run before is at hand.
        past.aliases.extend(kept.aliases);
        let again = keep(&declared, sources, &taken, &past, None);
        assert_eq!(again.ids, kept.ids);
        let mut renamed = inventory(&now);
        rename(&mut renamed, &again.ids);
        let mut all = vec![old[0].id.to_string(), newcomer];
        all.sort();
        assert_eq!(kept_ids(&renamed), all);
    }

    #[test]
    fn the_origin_tells_of_a_name_that_went_over_in_one_night() {
        let before = [
            job("w/app", "a/x.yml", "build"),
            job("w/app", "b.yml", "ship"),
        ];
        let now = [
            job("w/app", "a/x.yml", "build"),
            job("w/app", "b.yml", "ship"),
            job("w/site", "a/x.yml", "build"),
        ];
        let inputs: [&[&str]; 2] = [&["w/app"], &["w/app", "w/site"]];
        let (_, kept) = night((&before, inputs[0]), (&now, inputs[1]), [&[], &[]]);
        assert_eq!(kept.ids.len(), 0, "without origins the name goes on");
        let (inventory, kept) = night(
            (&before, inputs[0]),
            (&now, inputs[1]),
            [
                &[("w/app", "h/one")],
                &[("w/app", "h/two#main"), ("w/site", "h/one#main")],
            ],
        );
        assert_eq!(kept.ids[now[2].id.as_str()], before[0].id.to_string());
        let ids = kept_ids(&inventory);
        assert_eq!(ids.len(), 3);
        assert!(
            !ids.contains(&before[1].id.to_string()),
            "it is another job"
        );
    }

    #[test]
    fn that_a_repository_has_another_name_is_no_drift() {
        let reach = |lines: &[&str]| {
            let lines = lines.iter().map(ToString::to_string).collect();
            let name = "job".to_owned();
            let id = job("w/app", "a/x.yml", "build").id;
            ReachMap::from([(id, reach::Reach { name, lines })])
        };
        let names = ["w", "w/app", "w/b"].map(|old| (old.replacen('w', "v", 1), old.to_owned()));
        let names = BTreeMap::from(names);
        let before = reach(&[
            "on w/app through x",
            "on w through y",
            "on w/b:*",
            "on wide",
        ]);
        let after = reach(&[
            "on v/app through x",
            "on v through y",
            "on v/b:*",
            "on wide",
        ]);
        assert_eq!(reach::drift(&renamed::reach(&before, &names), &after), []);
        assert_eq!(
            reach::drift(&renamed::reach(&before, &BTreeMap::new()), &after).len(),
            1
        );
    }

    #[test]
    fn a_moved_file_keeps_what_it_declares_and_another_job_is_another() {
        let before = [job("w", "a/x.yml", "build"), job("w", "a/y.yml", "ship")];
        let now = [job("w", "b/z.yml", "build"), job("w", "a/y.yml", "sail")];
        let (_, kept) = night((&before, &["w"]), (&now, &["w"]), [&[], &[]]);
        assert_eq!(
            kept.aliases,
            BTreeMap::from([(now[0].id.to_string(), before[0].id.to_string())])
        );
        // A repository that is still there was not renamed, whatever else declares the same.
        let copy = [job("w", "a/x.yml", "build"), job("c", "a/x.yml", "build")];
        let (_, kept) = night((&before, &["w"]), (&copy, &["c", "w"]), [&[], &[]]);
        assert_eq!(kept.ids.len(), 0);
    }
}
