//! Logins that products come with, left as they were: in the settings of whatever format.
//!
//! Settings are read line by line, so that half of a file, a template and a dialect nobody knows are read as well. Keys of
//! indented files carry the keys above them.

use super::context::Context;
use super::text::saturate;
use crate::model::{Confidence, Declarations, Redacted, SeenCredential, Sighting};
use crate::rules::credentials::{Place, context as places};
use crate::rules::default_logins::{DefaultLogin, DefaultLogins, bare_key};
use aho_corasick::AhoCorasick;
use std::cell::LazyCell;
use std::sync::LazyLock;

/// Id under which sightings of this reader are known.
pub const RULE: &str = "default-login";

/// Extensions of files that hold settings.
const EXTENSIONS: [&str; 16] = [
    "yml",
    "yaml",
    "json",
    "toml",
    "env",
    "properties",
    "ini",
    "conf",
    "cfg",
    "cnf",
    "xml",
    "tf",
    "tfvars",
    "config",
    "service",
    "dockerfile",
];
/// Largest file read for its settings, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Most settings of one file.
const MAX_SETTINGS: usize = 20_000;
/// Most logins told of one file.
const MAX_FOUND: usize = 100;
/// How many settings a name may be away from its password.
const NEAR: usize = 8;
/// Settings that are held at once.
const AT_ONCE: usize = 64;
/// Longest password that is published.
const MAX_VALUE: usize = 64;

/// Words without which there is no setting of a password.
static WORDS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .build([
            "pass",
            "pwd",
            "minio",
            "vault_",
            "devroottoken",
            "://",
            "admin_secret",
            "neo4j_auth",
        ])
        .ok()
});

/// Whether a file of this name holds settings.
pub(super) fn wants(name: &str) -> bool {
    super::has_extension(name, &EXTENSIONS)
        || name.starts_with(".env")
        || name.starts_with("Dockerfile")
}

/// Whether a file is worth reading: cheap.
pub(super) fn interesting(bytes: &[u8]) -> bool {
    bytes.len() <= MAX_BYTES && WORDS.as_ref().is_some_and(|words| words.is_match(bytes))
}

/// Adds the logins a file holds.
pub(super) fn read(context: &Context<'_>, out: &mut Declarations) {
    let logins = &context.tables.logins;
    // Of most files nobody asks.
    let place = LazyCell::new(|| {
        let path = context.uri.to_ascii_lowercase();
        places().places.iter().find(|place| place.holds(&path))
    });
    let mut found = Vec::new();
    each_setting(context.text.as_str(), |setting, beside| {
        let told = login(logins, setting, beside);
        // A pair that everyone tries, in a test or an example, opens no product's door.
        if let Some(told) = told.filter(|told| told.product.is_some() || place.is_none())
            && found.len() < MAX_FOUND
        {
            found.push(seen(context, setting, &told, *place));
        }
    });
    out.credentials.extend(found);
}

/// A published login that was recognised.
struct Told<'t> {
    product: Option<&'t DefaultLogin>,
    user: Option<&'t str>,
    address: bool,
}

fn login<'t>(
    logins: &'t DefaultLogins,
    setting: &Setting<'t>,
    beside: &[Setting<'t>],
) -> Option<Told<'t>> {
    if let Some((scheme, user, password)) = in_address(setting.value) {
        let product = logins.of_scheme(scheme)?;
        return (product.is_login(user, password) || logins.is_pair(user, password)).then_some(
            Told {
                product: Some(product),
                user: Some(user),
                address: true,
            },
        );
    }
    if !logins.knows(setting.value) {
        return None;
    }
    let key = setting.key();
    if let Some(product) = logins.of_setting(&key, setting.value) {
        let user = beside
            .iter()
            .filter(|other| other.group == setting.group)
            .find(|other| product.names_user(&other.key()))
            .map(|other| other.value);
        return user
            .is_none_or(|user| product.is_user(user) || logins.is_pair(user, setting.value))
            .then_some(Told {
                product: Some(product),
                user,
                address: false,
            });
    }
    let stem = logins.password_stem(&key)?;
    let user = beside
        .iter()
        .filter(|other| other.group == setting.group)
        .find(|other| logins.user_stem(&other.key()) == Some(stem))?;
    logins.is_pair(user.value, setting.value).then_some(Told {
        product: None,
        user: Some(user.value),
        address: false,
    })
}

/// Scheme, name and password of an address.
fn in_address(value: &str) -> Option<(&str, &str, &str)> {
    let (scheme, rest) = at_scheme(value)?;
    let (login, _) = rest.split_once('@')?;
    let (user, password) = login.split_once(':')?;
    let scheme = scheme.split('+').next().unwrap_or(scheme);
    let plain = !password.contains(['/', '$', '{', '<']);
    (plain && !password.is_empty()).then_some((scheme, user, password))
}

/// What stands before and behind the first `://`. Almost no value has one, so only a colon is looked for.
fn at_scheme(value: &str) -> Option<(&str, &str)> {
    let mut colons = value.match_indices(':').map(|(at, _)| value.split_at(at));
    colons.find_map(|(scheme, rest)| Some((scheme, rest.strip_prefix("://")?)))
}

fn seen(
    context: &Context<'_>,
    setting: &Setting<'_>,
    told: &Told<'_>,
    place: Option<&Place>,
) -> SeenCredential {
    let what = told
        .product
        .map_or("a product", |login| login.product.as_str());
    let user = told.user.map_or_else(String::new, |user| {
        format!(" of {}", super::clean::clean(user))
    });
    let confidence = match place {
        Some(_) => Confidence::Low,
        None if told.product.is_none() => Confidence::Medium,
        None => Confidence::High,
    };
    let how = if told.address { " in an address" } else { "" };
    let fallback = if setting.fallback {
        ", taken where nothing else is set"
    } else {
        ""
    };
    SeenCredential {
        rule: RULE.to_owned(),
        provider: told
            .product
            .map_or("generic", |login| login.provider.as_str())
            .to_owned(),
        kind: told
            .product
            .map_or("basic-auth", |login| login.kind.as_str())
            .to_owned(),
        public_id: None,
        fingerprint: None,
        redacted: Redacted::new(""),
        account: None,
        subject: None,
        created_at: None,
        expires_at: None,
        expires_by_nature: Some(false),
        default_tier: told.product.map(|login| login.tier),
        confidence,
        confidence_reason: format!("the login{user} that {what} is published with{how}{fallback}"),
        sighting: Sighting::in_file(
            context.repository,
            context.uri,
            (setting.line, setting.column()),
            RULE,
        ),
    }
}

/// One setting: a key with up to three of those above it, and a value.
struct Setting<'t> {
    above: [&'t str; 3],
    name: &'t str,
    value: &'t str,
    line: u32,
    text: &'t str,
    /// Settings of one group stand in one mapping or list.
    group: u32,
    /// The value holds where no other is set.
    fallback: bool,
}

impl Setting<'_> {
    /// The whole key in the spelling of the tables.
    fn key(&self) -> String {
        let mut key: String = self.above.iter().map(|above| bare_key(above)).collect();
        key.push_str(&bare_key(self.name));
        key
    }

    /// Where the value begins, in characters from 1.
    fn column(&self) -> u32 {
        let at = self.text.rfind(self.value).unwrap_or(0);
        saturate(self.text.get(..at).unwrap_or_default().chars().count() + 1)
    }
}

/// Keys above the line at hand, by their indentation.
#[derive(Default)]
struct Above<'t> {
    keys: Vec<(usize, &'t str, u32)>,
    /// `- name: KEY`, whose value follows.
    named: Option<&'t str>,
    groups: u32,
}

impl<'t> Above<'t> {
    fn leave(&mut self, indent: usize) {
        while self.keys.last().is_some_and(|(at, _, _)| *at >= indent) {
            self.keys.pop();
        }
    }

    fn enter(&mut self, indent: usize, key: &'t str) {
        self.groups += 1;
        self.keys.push((indent, key, self.groups));
    }

    fn group(&self) -> u32 {
        self.keys.last().map_or(0, |(_, _, group)| *group)
    }

    /// The last three.
    fn last(&self) -> [&'t str; 3] {
        let mut last = [""; 3];
        let keys = self.keys.iter().rev().map(|(_, key, _)| *key);
        for (slot, key) in last.iter_mut().rev().zip(keys) {
            *slot = key;
        }
        last
    }
}

/// The settings of a text, some at a time: of each only those beside it matter, and of a large file there are many.
struct Settings<'t, F> {
    some: Vec<Setting<'t>>,
    /// How many of `some` were handed out.
    handed: usize,
    /// How many there are in all.
    many: usize,
    /// Is handed each of them, and those beside it.
    visit: F,
}

impl<'t, F: FnMut(&Setting<'t>, &[Setting<'t>])> Settings<'t, F> {
    fn push(&mut self, setting: Setting<'t>) {
        self.many += 1;
        self.some.push(setting);
        if self.some.len() == AT_ONCE {
            self.hand_out(AT_ONCE - NEAR);
            self.some.drain(..self.handed - NEAR);
            self.handed = NEAR;
        }
    }

    fn hand_out(&mut self, end: usize) {
        for at in self.handed..end {
            let beside = at.saturating_sub(NEAR)..(at + NEAR + 1).min(self.some.len());
            if let (Some(setting), Some(beside)) = (self.some.get(at), self.some.get(beside)) {
                (self.visit)(setting, beside);
            }
        }
        self.handed = end;
    }
}

/// The lines of a text, as [`str::lines`] has them: these are found faster.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes());
    let mut from = 0;
    let rest = std::iter::once(text.len()).filter(|_| !text.is_empty() && !text.ends_with('\n'));
    ends.chain(rest).map(move |end| {
        let line = text.get(from..end).unwrap_or_default();
        from = end + 1;
        line.strip_suffix('\r')
            .filter(|_| end < text.len())
            .unwrap_or(line)
    })
}

/// A line without what it is indented by.
fn unindented(line: &str) -> &str {
    let blanks = line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t'));
    line.get(blanks.count()..).unwrap_or_default().trim_start()
}

/// Hands out every setting of a text with those beside it.
fn each_setting<'t>(text: &'t str, visit: impl FnMut(&Setting<'t>, &[Setting<'t>])) {
    let mut out = Settings {
        some: Vec::with_capacity(AT_ONCE),
        handed: 0,
        many: 0,
        visit,
    };
    let mut above = Above::default();
    for (number, line) in lines(text).enumerate() {
        if out.many >= MAX_SETTINGS {
            break;
        }
        let trimmed = unindented(line);
        match trimmed.as_bytes() {
            [] | [b'#' | b';', ..] | [b'/', b'/', ..] => continue,
            _ => {}
        }
        let line = (number + 1, line);
        if trimmed.starts_with('<') {
            attributes(line, &above, &mut out);
        } else {
            assigned(line, trimmed, &mut above, &mut out);
        }
    }
    out.hand_out(out.some.len());
}

/// `KEY: value`, `KEY=value`, `"KEY": "value"`, `ENV KEY value`, with the signs of lists and shells before them.
fn assigned<'t>(
    (number, line): (usize, &'t str),
    trimmed: &'t str,
    above: &mut Above<'t>,
    out: &mut Settings<'t, impl FnMut(&Setting<'t>, &[Setting<'t>])>,
) {
    let mut indent = line.len() - trimmed.len();
    let mut rest = trimmed;
    while let Some(item) = rest.strip_prefix("- ") {
        indent += rest.len() - item.trim_start().len();
        rest = item.trim_start();
        above.named = None;
    }
    let mut recipe = false;
    for word in ["export ", "ENV ", "ARG ", "Environment=", "set "] {
        if let Some(after) = rest.strip_prefix(word) {
            recipe = word.ends_with(' ');
            rest = after.trim_start();
        }
    }
    rest = rest.trim_start_matches(['"', '\'']);
    let end = rest
        .bytes()
        .position(|byte| !byte.is_ascii_alphanumeric() && !b"_.-/".contains(&byte))
        .unwrap_or(rest.len());
    let Some((key, after)) = rest
        .split_at_checked(end)
        .filter(|(key, _)| !key.is_empty())
    else {
        return;
    };
    let after = after.trim_start_matches(['"', '\'']);
    let separated = after
        .trim_start()
        .strip_prefix([':', '='])
        .map(|value| value.strip_prefix('>').unwrap_or(value))
        .or_else(|| after.strip_prefix(' ').filter(|_| recipe));
    let Some(raw) = separated else {
        if let Some(block) = after.trim_start().strip_prefix('{')
            && block.trim().is_empty()
        {
            above.leave(indent);
            above.enter(indent, key);
        }
        return;
    };
    above.leave(indent);
    let value = value_of(raw);
    if value.is_empty() || value == "{" || value == "[" {
        above.enter(indent, key);
        return;
    }
    if key == "name" || key == "key" {
        above.named = Some(value);
    }
    let key = match (key, above.named) {
        ("value", Some(name)) => name,
        _ => key,
    };
    let (value, fallback) = or_else(value);
    if value.len() > MAX_VALUE && at_scheme(value).is_none() {
        return;
    }
    out.push(Setting {
        above: above.last(),
        name: key,
        value,
        line: saturate(number),
        text: line,
        group: above.group(),
        fallback,
    });
}

/// `name="value"` within a tag.
fn attributes<'t>(
    (number, line): (usize, &'t str),
    above: &Above<'t>,
    out: &mut Settings<'t, impl FnMut(&Setting<'t>, &[Setting<'t>])>,
) {
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("=\"") {
        let key = before
            .rsplit(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '.' | '-'))
            .next()
            .unwrap_or_default();
        let Some((value, left)) = after.split_once('"') else {
            break;
        };
        rest = left;
        if out.many < MAX_SETTINGS && !key.is_empty() && value.len() <= MAX_VALUE {
            out.push(Setting {
                above: [""; 3],
                name: key,
                value,
                line: saturate(number),
                text: line,
                group: above.group(),
                fallback: false,
            });
        }
    }
}

/// The value without quotes, commas and comments.
fn value_of(raw: &str) -> &str {
    let raw = raw.trim();
    if let Some(quote) = raw.chars().next().filter(|c| matches!(c, '"' | '\''))
        && let Some((inside, _)) = raw.get(1..).and_then(|rest| rest.split_once(quote))
    {
        return inside;
    }
    let mut marks = raw.match_indices('#').map(|(at, _)| raw.get(..at));
    let comment = marks.find_map(|before| before?.strip_suffix(' '));
    let raw = comment.unwrap_or(raw).trim();
    raw.trim_end_matches([',', ';', '"', '\'', '\\']).trim_end()
}

/// The literal of `${NAME:-literal}`, and that it is one.
fn or_else(value: &str) -> (&str, bool) {
    let inner = value
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'));
    let literal = inner.and_then(|inner| {
        let (_, literal) = inner.split_once(":-").or_else(|| inner.split_once('-'))?;
        (!literal.contains(['$', '{'])).then_some(literal)
    });
    literal.map_or((value, false), |literal| (literal, true))
}

#[cfg(test)]
mod tests {
    use super::super::testing::declared;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    fn found(uri: &str, text: &str) -> String {
        let mut out = String::new();
        for seen in declared(uri, text).credentials {
            let at = &seen.sighting;
            let _ = writeln!(
                out,
                "{}:{} {} {} ({}) {}",
                at.line,
                at.column,
                seen.provider,
                seen.kind,
                seen.confidence.as_str(),
                seen.confidence_reason
            );
        }
        out
    }

    #[test]
    fn settings_of_every_form_are_read() {
        insta::assert_snapshot!(found(
            "docker-compose.yml",
            "services:\n  db:\n    environment:\n      POSTGRES_USER: postgres\n      POSTGRES_PASSWORD: ${DB_PASSWORD:-postgres}\n  mq:\n    environment:\n      - RABBITMQ_DEFAULT_USER=guest\n      - RABBITMQ_DEFAULT_PASS=guest\n      - URL=amqp://guest:guest@mq:5672\n",
        ), @"
        5:41 postgresql database-password (high) the login of postgres that PostgreSQL is published with, taken where nothing else is set
        9:31 rabbitmq database-password (high) the login of guest that RabbitMQ is published with
        10:13 rabbitmq database-password (high) the login of guest that RabbitMQ is published with in an address
        ");
        insta::assert_snapshot!(found(
            "chart/values.yaml",
            "grafana:\n  adminUser: admin\n  adminPassword: prom-operator # keep\nminio:\n  rootUser: minioadmin\n  rootPassword: minioadmin\nother:\n  auth:\n    username: \"admin\"\n    password: 'admin'\n",
        ), @"
        3:18 grafana basic-auth (high) the login of admin that Grafana is published with
        6:17 minio basic-auth (high) the login of minioadmin that MinIO is published with
        10:16 generic basic-auth (medium) the login of admin that a product is published with
        ");
        insta::assert_snapshot!(found(
            "deploy/app.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: db\nspec:\n  containers:\n  - name: db\n    env:\n    - name: MYSQL_ROOT_PASSWORD\n      value: root\n    - name: LEVEL\n      value: admin\n",
        ), @"
        10:14 mysql database-password (high) the login that MySQL or MariaDB is published with
        ");
        insta::assert_snapshot!(found("Dockerfile", "FROM x\nENV POSTGRES_PASSWORD mysecretpassword\n"), @"
        2:23 postgresql database-password (high) the login that PostgreSQL is published with
        ");
        insta::assert_snapshot!(found("tomcat-users.xml", "<tomcat-users>\n  <user username=\"tomcat\" password=\"tomcat\" roles=\"manager-gui\"/>\n</tomcat-users>\n"), @"
        2:37 generic basic-auth (medium) the login of tomcat that a product is published with
        ");
        insta::assert_snapshot!(found("src/test/resources/app.properties", "POSTGRES_PASSWORD=postgres\n"), @"
        1:19 postgresql database-password (low) the login that PostgreSQL is published with
        ");
        insta::assert_snapshot!(found("config.json", "{\n  \"es\": {\n    \"username\": \"elastic\",\n    \"password\": \"changeme\"\n  }\n}\n"), @"
        4:18 generic basic-auth (medium) the login of elastic that a product is published with
        ");
    }

    #[test]
    fn what_is_not_published_is_no_default() {
        for (uri, text) in [
            ("a.yml", "POSTGRES_USER: app\nPOSTGRES_PASSWORD: postgres\n"),
            ("a.yml", "POSTGRES_PASSWORD: ${POSTGRES_PASSWORD}\n"),
            ("a.yml", "x:\n  username: admin\ny:\n  password: admin\n"),
            ("a.env", "ADMIN_USER=admin\nADMIN_PASSWORD=u7Gh2kQ\n"),
            ("a.md", "password: admin, username: admin\n"),
            (
                "a.properties",
                "# db.user=postgres\n# db.password=postgres\n",
            ),
            ("a.yml", "passwordPolicy: admin\nuser: admin\n"),
            ("testdata/a.yml", "user: admin\npassword: admin\n"),
        ] {
            assert_eq!(found(uri, text), "", "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>(), name in "[a-zP-]{1,4}( |: |=|=>|\\{)[\"'${}:-]{0,4}pass") {
            super::each_setting(&text, |_, _| {});
            super::each_setting(&name, |_, _| {});
            let _ = declared("a.yml", &format!("{name}\n{text}"));
        }

        #[test]
        fn every_setting_is_handed_out_once_with_those_beside_it(many in 0_usize..300) {
            let lines: Vec<String> = (0..many).map(|at| format!("k{at}: v{at}")).collect();
            let text = lines.join("\n");
            let mut at = 0_usize;
            super::each_setting(&text, |setting, beside| {
                assert_eq!(setting.value, format!("v{at}"));
                let expected = at.saturating_sub(super::NEAR)..(at + super::NEAR + 1).min(many);
                let values: Vec<&str> = beside.iter().map(|setting| setting.value).collect();
                let expected: Vec<String> = expected.map(|at| format!("v{at}")).collect();
                assert_eq!(values, expected);
                at += 1;
            });
            prop_assert_eq!(at, many);
        }

        #[test]
        fn lines_are_those_of_the_library(text in "[ab\r\n]{0,20}") {
            prop_assert!(super::lines(&text).eq(text.lines()), "{:?}", text);
        }
    }
}
