//! A Python with programs that read policies, Terraform and YAML, in a virtual environment below the target folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGES: [&str; 3] = ["parliament==1.6.4", "python-hcl2==8.1.4", "PyYAML==6.0.3"];

/// Makes the environment once; others wait for it.
pub(crate) fn python() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let place = scratch.join("python-linters-1");
    let python = place.join("bin/python");
    let lock = fs::File::create(scratch.join("linters.lock")).unwrap();
    lock.lock().unwrap();
    if place.join("ready").exists() {
        return python;
    }
    let _ = fs::remove_dir_all(&place);
    let step = |what: &str, command: &mut Command| {
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{what}: {error}: python3 is needed"));
        assert!(
            output.status.success(),
            "{what} failed; python3 with venv, and PyPI through pip, are needed.\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    step(
        "venv",
        Command::new("python3").args(["-m", "venv"]).arg(&place),
    );
    step(
        "pip install",
        Command::new(&python)
            .args([
                "-m",
                "pip",
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "setuptools<81",
            ])
            .args(PACKAGES),
    );
    fs::write(place.join("ready"), "").unwrap();
    python
}
