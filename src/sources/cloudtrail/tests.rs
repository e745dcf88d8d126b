use super::*;
use std::io::Write as _;
use std::path::Path;

struct Plain;

impl EventNames for Plain {
    fn actions(&self, source: &str, name: &str) -> Vec<String> {
        if source == "signin" {
            return Vec::new();
        }
        vec![format!("{source}:{name}")]
    }

    fn resources(&self, call: &Call<'_>) -> Vec<String> {
        call.parameters
            .get("bucketName")
            .map(|bucket| format!("arn:{}:s3:::{bucket}", call.partition))
            .into_iter()
            .collect()
    }
}

fn user(at: &str, name: &str, more: &str) -> String {
    format!(
        r#"{{"eventVersion":"1.08","userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ci","accountId":"111122223333","accessKeyId":"AKIAEXAMPLEEXAMPLE01"}},"eventTime":"{at}","eventSource":"s3.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2.1","requestParameters":{{"bucketName":"site"}},"responseElements":null,"recipientAccountId":"111122223333"{more}}}"#
    )
}

fn session(at: &str, name: &str, key: &str) -> String {
    format!(
        r#"{{"userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE:run-{key}","arn":"arn:aws:sts::111122223333:assumed-role/deploy/run","accountId":"111122223333","accessKeyId":"{key}","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"arn:aws:iam::111122223333:role/ci/deploy"}}}}}},"eventTime":"{at}","eventSource":"ecs.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","sourceIPAddress":"203.0.113.9","userAgent":"Boto3/1.2","recipientAccountId":"111122223333"}}"#
    )
}

fn assume(at: &str, key: &str) -> String {
    format!(
        r#"{{"userIdentity":{{"type":"WebIdentityUser","userName":"repo:acme/site:ref:refs/heads/main","identityProvider":"arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}},"eventTime":"{at}","eventSource":"sts.amazonaws.com","eventName":"AssumeRoleWithWebIdentity","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.9","userAgent":"configure-aws-credentials-for-github-actions","requestParameters":{{"roleArn":"arn:aws:iam::111122223333:role/ci/deploy","roleSessionName":"run","durationSeconds":3600}},"responseElements":{{"credentials":{{"accessKeyId":"{key}","sessionToken":"left-out"}}}},"recipientAccountId":"111122223333"}}"#
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test's own files need not be replaced atomically"
)]
fn write(path: impl AsRef<Path>, content: impl AsRef<[u8]>) {
    std::fs::write(path, content).unwrap();
}

fn read_all(folder: &Path) -> (Observed, Vec<Coverage>) {
    read(
        &[folder.to_owned()],
        &Reading::default(),
        &Plain,
        &Halt::default(),
    )
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn every_form_gives_the_same() {
    let events = [
        user("2026-08-03T02:00:00Z", "PutObject", ""),
        user(
            "2026-08-03T02:01:00Z",
            "PutObject",
            r#","errorCode":"AccessDenied""#,
        ),
    ];
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let lake = |text: &str| {
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let mut columns = Vec::new();
        for (name, value) in value.as_object().unwrap() {
            let text = match value {
                serde_json::Value::String(text) => text.clone(),
                serde_json::Value::Object(map) => {
                    let fields: Vec<String> = map
                        .iter()
                        .map(|(key, value)| {
                            format!("{}={}", key.to_lowercase(), value.as_str().unwrap())
                        })
                        .collect();
                    format!("{{{}}}", fields.join(", "))
                }
                _ => continue,
            };
            // The query's result keeps the case of parameters.
            let text = text.replace("bucketname=", "bucketName=");
            columns.push(format!("{{{}:{}}}", quoted(name), quoted(&text)));
        }
        format!("[{}]", columns.join(","))
    };
    let forms = [
        format!("{{\"Records\":[{}]}}", events.join(",")),
        format!("[{}]", events.join(",\n ")),
        events.join("\n"),
        format!(
            "{{\"Events\":[{}]}}",
            events
                .iter()
                .map(|event| format!(
                    "{{\"EventId\":\"x\",\"EventTime\":\"2026\",\"CloudTrailEvent\":{}}}",
                    quoted(event)
                ))
                .collect::<Vec<_>>()
                .join(",")
        ),
        format!(
            "{{\"QueryResultRows\":[{}]}}",
            events
                .iter()
                .map(|event| format!("[{{\"eventJson\":{}}}]", quoted(event)))
                .collect::<Vec<_>>()
                .join(",")
        ),
        format!(
            "{{\"QueryStatus\":\"FINISHED\",\"QueryResultRows\":[{}]}}",
            events
                .iter()
                .map(|event| lake(event))
                .collect::<Vec<_>>()
                .join(",")
        ),
        format!(
            "{{\"logEvents\":[{}]}}",
            events
                .iter()
                .map(|event| format!("{{\"timestamp\":1,\"message\":{}}}", quoted(event)))
                .collect::<Vec<_>>()
                .join(",")
        ),
        events
            .iter()
            .map(|event| format!("{{\"version\":\"0\",\"source\":\"aws.s3\",\"detail\":{event}}}"))
            .collect::<Vec<_>>()
            .join("\n"),
        // What search engines and collectors export.
        format!(
            "{{\"took\":3,\"hits\":{{\"total\":{{\"value\":2}},\"hits\":[{}]}}}}",
            events
                .iter()
                .map(|event| format!("{{\"_index\":\"logs\",\"_source\":{event}}}"))
                .collect::<Vec<_>>()
                .join(",")
        ),
        events
            .iter()
            .map(|event| {
                format!(
                    "{{\"_source\":{{\"event\":{{\"original\":{}}},\"user\":{{\"name\":\"x\"}}}}}}",
                    quoted(event)
                )
            })
            .collect::<Vec<_>>()
            .join("\n"),
        events
            .iter()
            .map(|event| {
                format!(
                    "{{\"preview\":false,\"result\":{{\"_raw\":{}}}}}",
                    quoted(event)
                )
            })
            .collect::<Vec<_>>()
            .join("\n"),
        format!(
            "{{\"data\":[{}]}}",
            events
                .iter()
                .map(|event| format!("{{\"attributes\":{{\"attributes\":{event}}}}}"))
                .collect::<Vec<_>>()
                .join(",")
        ),
        events.join("\n").replace("\"eventTime\"", "\"@timestamp\""),
    ];
    let mut first: Option<Observed> = None;
    for (number, text) in forms.iter().enumerate() {
        for pack in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let bytes = if pack {
                packed(text)
            } else {
                text.clone().into_bytes()
            };
            let name = if pack { "a.json.gz" } else { "a.json" };
            write(folder.path().join(name), bytes);
            let (observed, coverage) = read_all(folder.path());
            assert_eq!(observed.activity.len(), 1, "form {number}: {coverage:?}");
            let first = first.get_or_insert_with(|| observed.clone());
            assert_eq!(&observed, first, "form {number}");
        }
    }
    let one = &first.unwrap().activity[0];
    assert_eq!((one.events, one.failed), (2, 1));
    assert_eq!(one.access_key.as_deref(), Some("AKIAEXAMPLEEXAMPLE01"));
    assert_eq!(one.actions[0].resources, ["arn:aws:s3:::site"]);
    assert_eq!(one.errors[0].name, "AccessDenied s3:PutObject");
    assert_eq!(one.networks[0].name, "198.51.100.0/24");
    assert_eq!((one.hours[2], one.weekdays[0]), (2, 2));
}

#[test]
fn sessions_of_a_role_know_who_started_them() {
    let folder = tempfile::tempdir().unwrap();
    let run = |day: u8, key: &str| {
        [
            assume(&format!("2026-08-{day:02}T10:00:00Z"), key),
            session(
                &format!("2026-08-{day:02}T10:00:30Z"),
                "DescribeServices",
                key,
            ),
            session(&format!("2026-08-{day:02}T10:09:00Z"), "UpdateService", key),
        ]
    };
    // The files are not in the order of the events, and the issue stands in another file than the calls.
    let (one, two) = (
        run(4, "ASIAEXAMPLEEXAMPLE01"),
        run(5, "ASIAEXAMPLEEXAMPLE02"),
    );
    let below = folder
        .path()
        .join("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/08/05");
    std::fs::create_dir_all(&below).unwrap();
    let digest = folder.path().join("AWSLogs/111122223333/CloudTrail-Digest");
    std::fs::create_dir_all(&digest).unwrap();
    write(digest.join("d.json"), "{");
    write(
        below.join("a.json.gz"),
        packed(&format!("{{\"Records\":[{},{}]}}", two[1], one[2])),
    );
    write(
        below.join("b.json.gz"),
        packed(&format!("{{\"Records\":[{},{}]}}", two[0], one[0])),
    );
    write(
        below.join("c.json"),
        format!("{{\"Records\":[{},{}]}}", one[1], two[2]),
    );
    let (observed, coverage) = read_all(folder.path());
    assert!(
        coverage.iter().all(|entry| !entry.status.incomplete()),
        "{coverage:?}"
    );
    let role = &observed.activity[0];
    assert_eq!(role.principal, "arn:aws:iam::111122223333:role/ci/deploy");
    assert_eq!((role.sessions.count, role.sessions.max_seconds), (2, 540));
    assert!(role.sessions.told_apart);
    assert_eq!(role.callers[0].kind, "oidc");
    assert_eq!(
        role.callers[0].name,
        "repo:acme/site:ref:refs/heads/main of token.actions.githubusercontent.com"
    );
    assert_eq!(role.callers[0].count, 2);
    assert_eq!(observed.windows[0].account, "111122223333");
}

#[test]
fn what_is_damaged_is_a_gap_and_the_rest_stands() {
    let folder = tempfile::tempdir().unwrap();
    let whole = format!(
        "{{\"Records\":[{},{}]}}",
        user("2026-08-03T02:00:00Z", "PutObject", ""),
        user("2026-08-09T02:00:00Z", "GetObject", "")
    );
    write(folder.path().join("a.json"), &whole);
    write(folder.path().join("b.json"), &whole[..whole.len() - 40]);
    let mut bytes = packed(&whole);
    bytes.truncate(bytes.len() / 2);
    write(folder.path().join("c.json.gz"), bytes);
    write(
        folder.path().join("d.json"),
        whole.replace("2026-08-09T02:00:00Z", "not a time"),
    );
    write(folder.path().join("e.json"), "{\"other\":1}");
    write(
        folder.path().join("f.json"),
        "{\"class_uid\":6003,\"api\":{\"operation\":\"GetObject\"},\"time\":1,\"a\":1,\"b\":2,\"c\":3}",
    );
    write(folder.path().join("g.zip"), "PK");
    let (observed, coverage) = read_all(folder.path());
    assert_eq!(observed.activity[0].events, 4);
    let top = folder
        .path()
        .file_name()
        .unwrap()
        .to_string_lossy()
        .into_owned();
    let said: Vec<String> = coverage
        .iter()
        .map(|entry| {
            format!(
                "{} {}: {}",
                entry.status.as_str(),
                entry.unit.rsplit('/').next().unwrap(),
                entry.reason.replace(&top, "FOLDER")
            )
        })
        .collect();
    insta::assert_snapshot!(said.join("\n"), @"
    partial b.json: it ends in the middle: it was not copied whole; read before: 1 event
    partial c.json.gz: it cannot be unpacked any further: it is damaged; read before: 0 events
    partial d.json: 1 record damaged, without a time, or too large; read: 1 event
    read 111122223333: 4 events from 2026-08-03 to 2026-08-09; no calls on data (objects, items, messages) are in them, so which data was used is not known
    noted 111122223333: no event from 2026-08-04 to 2026-08-08: files may be missing
    skipped files of other kinds: 1 file not opened (.zip 1): logs are .json, .jsonl, .ndjson, .log or .csv, packed with gzip or not; unpack archives first
    skipped files without events: 2 files without any CloudTrail event: FOLDER/e.json, FOLDER/f.json
    skipped records of other kinds: 1 record of something else than CloudTrail, or of it in a schema that keeps no original event, such as a security lake's: FOLDER/f.json
    ");
}

#[test]
fn signs_of_people_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let sign_in = user("2026-08-03T02:00:00Z", "ConsoleLogin", "")
        .replace("s3.amazonaws.com", "signin.amazonaws.com")
        .replace(
            "\"responseElements\":null",
            "\"responseElements\":{\"ConsoleLogin\":\"Success\"}",
        )
        .replace("aws-cli/2.1", "Mozilla/5.0 (X11)");
    write(folder.path().join("a.json"), sign_in);
    let (observed, _) = read_all(folder.path());
    let signs: Vec<&str> = observed.activity[0]
        .by_hand
        .iter()
        .map(|sign| sign.text.as_str())
        .collect();
    assert_eq!(signs, ["1 sign-in to the console", "1 call from a browser"]);
    assert_eq!(observed.activity[0].actions, []);
}

#[test]
fn nothing_to_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let (observed, coverage) = read_all(folder.path());
    assert!(observed.is_empty());
    assert!(
        coverage
            .iter()
            .any(|entry| entry.status == CoverageStatus::Failed)
    );
    let (_, coverage) = read_all(&folder.path().join("missing"));
    assert!(
        coverage
            .iter()
            .any(|entry| entry.status == CoverageStatus::Failed)
    );
}

#[test]
fn an_event_that_is_delivered_twice_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let with_id = |minute: u32| {
        user(
            &format!("2026-08-03T02:{minute:02}:00Z"),
            "PutObject",
            &format!(r#","eventID":"0000000{minute}-0000-4000-8000-00000000000{minute}""#),
        )
    };
    let records = |minutes: &[u32]| {
        let events: Vec<String> = minutes.iter().map(|minute| with_id(*minute)).collect();
        format!("{{\"Records\":[{}]}}", events.join(","))
    };
    write(folder.path().join("a.json"), records(&[1, 2, 3]));
    let (alone, _) = read_all(folder.path());
    // Another trail's copy, one that overlaps, and one event twice in a file.
    write(folder.path().join("b.json"), records(&[1, 2, 3]));
    write(folder.path().join("c.json"), records(&[3, 4, 4]));
    let (both, coverage) = read_all(folder.path());
    assert_eq!(alone.activity[0].events, 3);
    assert_eq!(both.activity[0].events, 4);
    assert_eq!(both.windows[0].events, 4);
    assert!(
        coverage
            .iter()
            .any(|entry| entry.reason.contains("5 events there more than once")),
        "{coverage:?}"
    );
}

#[test]
fn results_of_queries_are_read_as_csv() {
    let folder = tempfile::tempdir().unwrap();
    let text = concat!(
        "eventtime,eventsource,eventname,awsregion,sourceipaddress,useragent,errorcode,useridentity,requestparameters,recipientaccountid,eventid\n",
        "2026-08-03 02:00:00.000,s3.amazonaws.com,PutObject,eu-west-1,198.51.100.7,aws-cli/2.1,,",
        "\"{type=IAMUser, arn=arn:aws:iam::111122223333:user/ci, accountid=111122223333, accesskeyid=AKIAEXAMPLEEXAMPLE01}\",",
        "\"{bucketName=site}\",111122223333,00000001-0000-4000-8000-000000000001\n",
        "2026-08-03 02:01:00.000,s3.amazonaws.com,PutObject,eu-west-1,198.51.100.7,aws-cli/2.1,AccessDenied,",
        "\"{type=IAMUser, arn=arn:aws:iam::111122223333:user/ci, accountid=111122223333, accesskeyid=AKIAEXAMPLEEXAMPLE01}\",",
        "null,111122223333,00000002-0000-4000-8000-000000000002\n",
    );
    write(folder.path().join("result_1.csv.gz"), packed(text));
    write(
        folder.path().join("users.csv"),
        "name,left\nann,2026-01-01\n",
    );
    let (observed, coverage) = read_all(folder.path());
    let one = &observed.activity[0];
    assert_eq!((one.events, one.failed), (2, 1), "{coverage:?}");
    assert_eq!(one.access_key.as_deref(), Some("AKIAEXAMPLEEXAMPLE01"));
    assert!(
        one.actions
            .iter()
            .any(|used| used.resources == ["arn:aws:s3:::site"])
    );
}

#[test]
fn ids_that_differ_anywhere_are_told_apart() {
    use super::event::id;
    let ids = [
        "00000001-0000-4000-8000-000000000000",
        "00000002-0000-4000-8000-000000000000",
        "00000001-0001-4000-8000-000000000000",
        "00000001-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000001",
    ];
    let numbers: std::collections::BTreeSet<u64> = ids.iter().filter_map(|one| id(one)).collect();
    assert_eq!(numbers.len(), ids.len());
    assert_eq!(
        id("ABCDEF01-0000-4000-8000-000000000000"),
        id("abcdef01-0000-4000-8000-000000000000")
    );
    assert_eq!(id("not an id"), None);
}

#[test]
fn what_was_not_read_when_the_scan_was_stopped_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let event = user("2026-08-03T02:00:00Z", "PutObject", "");
    for name in ["a.json", "b.json"] {
        write(
            folder.path().join(name),
            format!("{{\"Records\":[{event}]}}"),
        );
    }
    let halt = Halt::default();
    halt.call();
    let paths = [folder.path().to_owned()];
    let (observed, coverage) = read(&paths, &Reading::default(), &Plain, &halt);
    assert!(observed.is_empty());
    let told: Vec<String> = coverage
        .iter()
        .map(|entry| format!("{} {}", entry.status.as_str(), entry.reason))
        .collect();
    assert_eq!(
        told,
        [
            "partial the scan was stopped before 2 files were read whole: give it more time, or fewer logs at once"
        ]
    );
}
