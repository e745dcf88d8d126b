//! Layers as the engine sees them.

use crate::model::{FingerprintKey, SeenCredential};
use crate::rules::credentials::{CredentialRules, template};
use crate::secrets::Engine;
use crate::unpack::testing::{gzip, zip};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;
use std::fmt::Write;
use std::sync::LazyLock;

static RULES: LazyLock<CredentialRules> = LazyLock::new(|| CredentialRules::builtin().unwrap());
static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new(&RULES).unwrap());

fn make(text: &str) -> String {
    template::expand("test", text).unwrap()
}

fn scan(text: impl AsRef<[u8]>) -> Vec<SeenCredential> {
    ENGINE.scan(text.as_ref(), &FingerprintKey::new([7; 32]))
}

/// `kind line:column layers`, one line each.
fn shown(text: impl AsRef<[u8]>) -> Vec<String> {
    scan(text)
        .iter()
        .map(|seen| {
            let at = &seen.sighting;
            let layers = at.layers.join(" > ");
            format!("{} {}:{} {layers}", seen.kind, at.line, at.column)
                .trim_end()
                .to_owned()
        })
        .collect()
}

fn token() -> String {
    make("ghp_{{crc32:30:a}}")
}

fn env() -> String {
    format!("# for the robot\nGITHUB_TOKEN={}\n", token())
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}

#[test]
fn what_is_inside_is_found_where_it_is_written() {
    let once = STANDARD.encode(env());
    let plain = scan(env()).remove(0);
    for (text, path) in [
        (once.clone(), "base64"),
        (URL_SAFE_NO_PAD.encode(env()), "base64"),
        (STANDARD.encode(&once), "base64 > base64"),
        (
            STANDARD.encode(STANDARD.encode(&once)),
            "base64 > base64 > base64",
        ),
        (STANDARD.encode(gzip(env().as_bytes())), "base64 > gzip"),
        (
            STANDARD.encode(zip(&[("a/.env", env().as_bytes())])),
            "base64 > zip!/a/.env",
        ),
        (hex(&env()), "hex"),
        (format!("0x{}", hex(&env())), "hex"),
        (STANDARD.encode(hex(&env())), "base64 > hex"),
    ] {
        let found = scan(format!("a: 1\nconfig: \"{text}\"\n"));
        assert_eq!(found.len(), 1, "{path}");
        let at = &found[0].sighting;
        assert_eq!((at.line, at.layers.join(" > ").as_str()), (2, path));
        assert_eq!(
            at.column,
            if text.starts_with("0x") { 12 } else { 10 },
            "{path}"
        );
        assert_eq!(found[0].fingerprint, plain.fingerprint);
        assert_eq!(at.context, plain.sighting.context);
    }
}

#[test]
fn wrapped_base64_is_one_text() {
    let long = format!("{}{}", "# nothing here\n".repeat(9), env());
    let whole = STANDARD.encode(long);
    for (width, indent, end) in [
        (76, "", "\n"),
        (64, "    ", "\n"),
        (60, "  ", "\r\n"),
        (57, " ", "\n"),
    ] {
        let lines: Vec<String> = whole
            .as_bytes()
            .chunks(width)
            .map(|line| format!("{indent}{}", String::from_utf8_lossy(line)))
            .collect();
        let text = format!("env: |{end}{}{end}next: 1{end}", lines.join(end));
        assert_eq!(
            shown(&text),
            [format!("github-pat 2:{} base64", indent.len() + 1)],
            "{width}"
        );
    }
}

#[test]
fn escapes_keep_every_place() {
    let token = token();
    let (head, tail) = token.split_at(2);
    let spelt = format!("\\u{:04x}{}", u32::from(head.as_bytes()[0]), &head[1..]);
    for (text, at, layer) in [
        (format!("{{\"t\": \"{spelt}{tail}\"}}"), 8, "escapes"),
        (
            format!(
                "x <b t=&quot;&#{};{}{tail}&quot;>",
                head.as_bytes()[0],
                &head[1..]
            ),
            14,
            "entities",
        ),
        (
            format!(
                "https://h/?t=%{:02X}{}{tail}&u=1",
                head.as_bytes()[0],
                &head[1..]
            ),
            14,
            "url-encoding",
        ),
    ] {
        assert_eq!(
            shown(format!("\n{text}\n")),
            [format!("github-pat 2:{at} {layer}")],
            "{layer}"
        );
    }
    let bytes: String = token.bytes().fold(String::new(), |mut out, byte| {
        write!(out, "\\x{byte:02x}").unwrap();
        out
    });
    assert_eq!(
        shown(format!("t = \"{bytes}\"")),
        ["github-pat 1:6 escapes"]
    );
}

#[test]
fn what_the_text_itself_tells_is_not_told_twice() {
    let token = token();
    for text in [
        format!("https://h/?a=b%3Dc&t={token}%26"),
        format!("{{\\\"a\\\": \\\"b\\\", \\\"t\\\": \\\"{token}\\\"}}"),
        make("key: {{encode:{{pem:RSA PRIVATE KEY:a}}}}"),
        make("token: {{jwt:\"iss\": \"https://issuer.example.org\", \"sub\": \"robot\"}}"),
        format!(
            r#"{{"auths": {{"h.example.org": {{"auth": "{}"}}}}}}"#,
            STANDARD.encode(make("robot:{{alnum:20:a}}"))
        ),
    ] {
        let found = shown(&text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            !found[0].contains("base64 >") && !found[0].ends_with("escapes"),
            "{found:?}"
        );
    }
}

#[test]
fn a_key_needs_no_armor() {
    let pem = make("{{pem:RSA PRIVATE KEY:a}}");
    let body: String = pem.lines().filter(|line| !line.contains("-----")).collect();
    assert_eq!(
        shown(format!("key: {body}\n")),
        ["private-key 1:6 base64 > der"]
    );
    let certificate =
        STANDARD.encode([&[0x30, 0x82, 3, 9, 0x30, 0x82, 2, 1][..], &[7; 900]].concat());
    assert_eq!(shown(format!("cert: {certificate}\n")), [""; 0]);
}

#[test]
fn secrets_of_kubernetes_are_named_by_their_keys() {
    let token = token();
    let password = make("{{alnum:20:b}}");
    let text = format!(
        "apiVersion: v1\nkind: Secret\ndata:\n  DB_PASSWORD: {}\n  gh: {}\n  note: {}\n",
        STANDARD.encode(&password),
        STANDARD.encode(&token),
        STANDARD.encode("changeme"),
    );
    let found = shown(&text);
    assert!(
        found.contains(&"github-pat 5:7 base64".to_owned()),
        "{found:?}"
    );
    assert!(found.iter().all(|one| !one.contains(" 6:")), "{found:?}");
    let named: Vec<_> = found.iter().filter(|one| one.contains(" 4:")).collect();
    assert!(
        named.iter().all(|one| one.ends_with("4:16 base64")),
        "{found:?}"
    );
}

#[test]
fn a_key_and_its_secret_in_one_secret_are_one() {
    let pair = make("{{text:AKIA}}{{base32upper:16:a}} {{alnum:18:b}}/{{alnum:21:b}}");
    let (id, secret) = pair.split_once(' ').unwrap();
    let yaml = format!(
        "kind: Secret\ndata:\n  id: {}\n  # why\n  secret: {}\n",
        STANDARD.encode(id),
        STANDARD.encode(secret)
    );
    let seen = scan(&yaml);
    assert_eq!(seen.len(), 1);
    assert!(seen[0].fingerprint.is_some() && seen[0].public_id.as_deref() == Some(id));
    assert_eq!(shown(&yaml), ["aws-access-key 3:7 base64"]);
}

#[test]
fn a_login_is_told_once() {
    let password = make("{{alnum:16:a}}");
    let auth = STANDARD.encode(format!("robot:{password}"));
    let json = format!(
        "{{\"auths\":{{\"r.io\":{{\n\"username\":\"robot\",\n\"password\":\"{password}\",\n\"auth\":\"{auth}\"}}}}}}"
    );
    assert_eq!(shown(&json), ["registry-login 4:9"]);
}

#[test]
fn colours_of_terminals_hide_nothing() {
    let token = token();
    let text = format!("a\n\x1b[32mtoken\x1b[0m: \x1b[1;33m{token}\x1b[0m\n");
    assert_eq!(shown(&text), ["github-pat 2:24 ansi"]);
    let json = format!("{{\"log\":\"\\u001b[32m{token}\\u001b[0m\"}}");
    assert_eq!(shown(&json), ["github-pat 1:19 escapes > ansi"]);
    let plain = format!("token {token} \x1b[0m\n");
    assert_eq!(shown(&plain), ["github-pat 1:7"]);
}

#[test]
fn cells_of_notebooks_are_read_as_they_were_written() {
    let token = token();
    let text = format!(
        "{{\n \"cells\": [\n  {{\n   \"source\": [\n    \"import os\\n\",\n    \"t = \\\"{token}\\\"\\n\"\n   ]\n  }}\n ],\n \"nbformat\": 4\n}}\n"
    );
    assert_eq!(shown(&text), ["github-pat 6:12"]);
    // A key over the lines of a cell.
    let key = make("{{pem:RSA PRIVATE KEY:a}}");
    let lines: Vec<String> = key
        .lines()
        .map(|line| format!("    \"{line}\\n\""))
        .collect();
    let text = format!(
        "{{\n \"cells\": [\n  {{\"source\": [\n{}\n  ]}}\n ],\n \"nbformat\": 4\n}}\n",
        lines.join(",\n")
    );
    let found = shown(&text);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("private-key 4:6"), "{found:?}");
}

#[test]
fn wide_text_needs_no_mark() {
    for big in [false, true] {
        let bytes: Vec<u8> = env()
            .encode_utf16()
            .flat_map(|unit| {
                if big {
                    unit.to_be_bytes()
                } else {
                    unit.to_le_bytes()
                }
            })
            .collect();
        assert_eq!(shown(&bytes), ["github-pat 2:14 utf-16"]);
        if !big {
            let inside = format!("powershell -enc {}", STANDARD.encode(&bytes));
            assert_eq!(shown(inside), ["github-pat 1:17 base64 > utf-16"]);
        }
    }
}

#[test]
fn an_encoded_secret_is_not_shown_beside_another() {
    let run = STANDARD.encode(make(
        "password: \"{{alnum:24:c}}\", token: ghp_{{crc32:30:b}}",
    ));
    let found = scan(format!("a: {run} b: {}\n", token()));
    assert!(found.len() >= 2);
    for seen in &found {
        let context = seen.sighting.context.as_deref().unwrap();
        assert!(!context.contains(&run[8..32]), "{context}");
    }
}

#[test]
fn noise_is_quiet() {
    let mut state = 9_u64;
    let mut random = |length: usize| -> Vec<u8> {
        (0..length)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                (state >> 56) as u8
            })
            .collect()
    };
    let image = STANDARD.encode(random(4000));
    let integrity = STANDARD.encode(random(64));
    let text = format!(
        "background: url(data:image/png;base64,{image});\n\"integrity\": \"sha512-{integrity}\",\nsha256: {}\n//# sourceMappingURL=data:application/json;base64,{}\n",
        hex(&String::from_utf8_lossy(&random(20))),
        STANDARD.encode(format!(
            "{{\"version\":3,\"mappings\":\"{}\"}}",
            "AAAA,CAAC;".repeat(300)
        )),
    );
    assert_eq!(shown(&text), [""; 0]);
}

#[test]
fn nesting_ends_at_the_cap() {
    let mut text = env();
    for _ in 0..super::DEPTH {
        text = STANDARD.encode(text);
    }
    assert_eq!(scan(&text).len(), 1);
    assert_eq!(scan(STANDARD.encode(&text)).len(), 0);
    // A bomb in base64 costs what one run may.
    let bomb = STANDARD.encode(gzip(&vec![b'a'; 40 << 20]));
    assert_eq!(scan(format!("x: {bomb}\n").repeat(8)).len(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn any_nesting_up_to_the_cap_is_undone(ways in proptest::collection::vec(0_u8..3, 1..=super::DEPTH), pad in "[ a-j.]{0,40}") {
        let mut text = format!("{pad}\n{}", env());
        for way in &ways {
            text = match way {
                0 => STANDARD.encode(&text),
                1 => hex(&text),
                _ => URL_SAFE_NO_PAD.encode(&text),
            };
        }
        prop_assert_eq!(scan(&text).len(), 1);
    }

    #[test]
    fn anything_is_scanned(bytes in proptest::collection::vec(any::<u8>(), 0..300), text in "[A-Za-z0-9+/=%&#;x\\\\u\" \n{}:]{0,300}") {
        scan(&bytes);
        scan(&text);
        scan(STANDARD.encode(&bytes));
        scan(format!("kind: Secret\ndata:\n{text}"));
        scan(format!("{{\"nbformat\": 4, \"cells\": [{{\"source\": {text}}}]}}"));
    }
}
