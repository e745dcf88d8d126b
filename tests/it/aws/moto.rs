//! A moto server on a free port of 127.0.0.1, installed into a virtual environment below the target folder.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The release whose account details name their policies; later ones do not.
const MOTO: &str = "moto[server]==5.0.28";

/// Account of credentials the server does not know.
pub(crate) const ACCOUNT: &str = "123456789012";

/// Users and roles of a kind in the account.
pub(crate) const MANY: usize = 6;

/// The server, with the account of `account.py` in it.
pub(crate) struct Moto {
    pub(crate) port: u16,
    /// The member account of its organization.
    pub(crate) member: String,
    /// Held so that the server ends with this process.
    _child: Child,
}

/// Makes the environment once; others wait for it.
fn python() -> PathBuf {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let place = scratch.join(format!("python-{}", MOTO.replace(['[', ']', '='], "-")));
    let python = place.join("bin/python");
    let lock = fs::File::create(scratch.join("moto.lock")).unwrap();
    lock.lock().unwrap();
    let ready = place.join("ready");
    if ready.exists() {
        return python;
    }
    let _ = fs::remove_dir_all(&place);
    let step = |what: &str, command: &mut Command| {
        let output = command.output().unwrap_or_else(|error| {
            panic!("{what}: {error}. The tests of live AWS accounts need python3 (3.9 or later)")
        });
        assert!(
            output.status.success(),
            "{what} failed. The tests of live AWS accounts need python3 with venv, and PyPI through pip.\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    step(
        "python3 -m venv",
        Command::new("python3").args(["-m", "venv"]).arg(&place),
    );
    step(
        "pip install moto",
        Command::new(&python).args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            MOTO,
        ]),
    );
    fs::write(ready, MOTO).unwrap();
    python
}

/// The server of this process.
pub(crate) fn moto() -> &'static Moto {
    static SERVER: OnceLock<Moto> = OnceLock::new();
    SERVER.get_or_init(|| {
        let python = python();
        let port = free_port();
        // It ends when its standard input does, that is, with this process, however that ends.
        let main = "import os, sys, threading\n\
                    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()\n\
                    from moto.server import main\n\
                    main(sys.argv[1:])";
        let child = Command::new(&python)
            .args(["-c", main, "-H", "127.0.0.1", "-p", &port.to_string()])
            .env("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(
                begun.elapsed() < Duration::from_mins(3),
                "moto did not start on port {port}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/aws/account.py");
        let filled = Command::new(&python)
            .arg(script)
            .args([format!("http://127.0.0.1:{port}"), MANY.to_string()])
            .output()
            .unwrap();
        assert!(
            filled.status.success(),
            "filling the account failed:\n{}",
            String::from_utf8_lossy(&filled.stderr)
        );
        let member = BufReader::new(filled.stdout.as_slice())
            .lines()
            .map_while(Result::ok)
            .last()
            .unwrap();
        Moto {
            port,
            member,
            _child: child,
        }
    })
}

/// A port nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}
