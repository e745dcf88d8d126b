//! The same input gives the same bytes.

use crate::support::{Workplace, aws_key_id, aws_secret, files_below, password};
use std::fs;
use std::path::Path;

fn estate(place: &Workplace) {
    for (number, name) in ["alpha", "beta", "gamma"].into_iter().enumerate() {
        let seed = number as u64;
        let mut repository = place.repository(&format!("repos/{name}"));
        repository.write(
            "settings.env",
            format!(
                "AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n",
                aws_key_id(seed),
                aws_secret(seed)
            ),
        );
        repository.write(
            "shared.env",
            format!(
                "DATABASE_URL=postgres://app:{}@db.internal/app\n",
                password(7)
            ),
        );
        repository.commit("one");
        repository.remove("settings.env");
        repository.write("README.md", format!("{name}\n"));
        repository.commit("two");
    }
}

fn bytes_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    files_below(folder)
        .into_iter()
        .map(|path| {
            (
                path.strip_prefix(folder).unwrap().display().to_string(),
                fs::read(path).unwrap(),
            )
        })
        .collect()
}

#[test]
fn reports_do_not_depend_on_threads_order_or_folders() {
    let place = Workplace::new();
    estate(&place);
    let repos: Vec<_> = ["repos/alpha", "repos/beta", "repos/gamma"]
        .iter()
        .map(|name| place.path(name))
        .collect();
    let run = |order: [usize; 3], jobs: &str, out: &str, state: &str| {
        let paths: Vec<&Path> = order.iter().map(|at| repos[*at].as_path()).collect();
        place
            .scan(&paths, out)
            .args(["--jobs", jobs, "--quiet", "--state"])
            .arg(place.path(state))
            .assert()
            .code(0)
            .stdout("")
            .stderr("");
        bytes_of(&place.path(out))
    };
    let first = run([0, 1, 2], "1", "out-one", "state-one");
    assert!(
        first
            .iter()
            .any(|(name, bytes)| name == "findings.csv" && bytes.len() > 1_000)
    );
    assert_eq!(first, run([2, 0, 1], "2", "out-two", "state-two"));
    assert_eq!(first, run([1, 2, 0], "8", "out-three", "state-three"));
}

#[test]
fn a_run_repeated_over_its_own_state_is_the_same_run() {
    let place = Workplace::new();
    estate(&place);
    let repos = place.path("repos");
    for out in ["one", "two"] {
        place.scan(&[&repos], out).arg("--quiet").assert().code(0);
    }
    assert_eq!(bytes_of(&place.path("one")), bytes_of(&place.path("two")));
}
