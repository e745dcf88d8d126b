//! One event, in whichever wrapping it comes, as far as use is concerned.

use super::who::{self, UserIdentity, Who};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Wrappings inside each other that are opened.
const MAX_LAYERS: usize = 5;
/// Members from which an object that is no event counts as a record of something else.
const MEMBERS: usize = 6;
/// Times that are believed: CloudTrail began in 2013, and clocks are not off by decades.
const YEARS: std::ops::Range<i16> = 2012..2100;

/// What an event tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// Seconds since 1970.
    pub(super) at: i64,
    /// First label of the event source: `s3`.
    pub(super) source: String,
    /// Name of the call.
    pub(super) name: String,
    pub(super) region: String,
    /// Address or host it came from, as written.
    pub(super) address: String,
    /// Program, as written.
    pub(super) agent: String,
    pub(super) error: Option<String>,
    /// Account that received it.
    pub(super) account: Option<String>,
    pub(super) who: Option<Who>,
    /// Resources the event lists.
    pub(super) resources: Vec<String>,
    /// Parameters of the request that are short texts.
    pub(super) parameters: BTreeMap<String, String>,
    /// A call on data: objects, items, messages.
    pub(super) data: bool,
    /// Temporary key it issued, and who asked for it.
    pub(super) issued: Option<Issued>,
    /// A sign-in to the console that succeeded.
    pub(super) console: bool,
    /// Made with a credential of the console.
    pub(super) from_console: bool,
    /// Stands for the event's own id, by which one that was delivered twice is known.
    pub(super) id: Option<u64>,
}

/// A temporary credential that was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Issued {
    pub(super) key: String,
    /// Role it is for; `None` for sessions of a user's own.
    pub(super) role: Option<String>,
    /// Kind and name of who asked.
    pub(super) caller: Option<(String, String)>,
    pub(super) source_identity: Option<String>,
}

/// Text where the value is one, nothing where it is anything else.
pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let raw = Option::<&'de RawValue>::deserialize(deserializer)?;
    Ok(raw.and_then(as_text))
}

fn as_text(raw: &RawValue) -> Option<String> {
    match raw.get().as_bytes().first() {
        Some(b'"') => serde_json::from_str(raw.get()).ok(),
        Some(b't' | b'f') => Some(raw.get().to_owned()),
        _ => None,
    }
}

#[derive(Deserialize)]
struct Raw<'a> {
    #[serde(
        rename = "eventTime",
        alias = "eventtime",
        default,
        deserialize_with = "text"
    )]
    time: Option<String>,
    // Collectors move the time there.
    #[serde(rename = "@timestamp", default, deserialize_with = "text")]
    stamp: Option<String>,
    #[serde(
        rename = "eventSource",
        alias = "eventsource",
        default,
        deserialize_with = "text"
    )]
    source: Option<String>,
    #[serde(
        rename = "eventName",
        alias = "eventname",
        default,
        deserialize_with = "text"
    )]
    name: Option<String>,
    #[serde(
        rename = "awsRegion",
        alias = "awsregion",
        default,
        deserialize_with = "text"
    )]
    region: Option<String>,
    #[serde(
        rename = "sourceIPAddress",
        alias = "sourceipaddress",
        default,
        deserialize_with = "text"
    )]
    address: Option<String>,
    #[serde(
        rename = "userAgent",
        alias = "useragent",
        default,
        deserialize_with = "text"
    )]
    agent: Option<String>,
    #[serde(
        rename = "errorCode",
        alias = "errorcode",
        default,
        deserialize_with = "text"
    )]
    error: Option<String>,
    #[serde(
        rename = "recipientAccountId",
        alias = "recipientaccountid",
        default,
        deserialize_with = "text"
    )]
    account: Option<String>,
    #[serde(
        rename = "eventCategory",
        alias = "eventcategory",
        default,
        deserialize_with = "text"
    )]
    category: Option<String>,
    #[serde(
        rename = "managementEvent",
        alias = "managementevent",
        default,
        deserialize_with = "text"
    )]
    management: Option<String>,
    #[serde(
        rename = "sessionCredentialFromConsole",
        alias = "sessioncredentialfromconsole",
        default,
        deserialize_with = "text"
    )]
    from_console: Option<String>,
    #[serde(
        rename = "eventID",
        alias = "eventid",
        alias = "eventId",
        default,
        deserialize_with = "text"
    )]
    id: Option<String>,
    #[serde(borrow, rename = "userIdentity", alias = "useridentity", default)]
    identity: Option<&'a RawValue>,
    #[serde(borrow, default)]
    resources: Option<&'a RawValue>,
    #[serde(
        borrow,
        rename = "requestParameters",
        alias = "requestparameters",
        default
    )]
    request: Option<&'a RawValue>,
    #[serde(
        borrow,
        rename = "responseElements",
        alias = "responseelements",
        default
    )]
    response: Option<&'a RawValue>,
    // Wrappings.
    #[serde(rename = "CloudTrailEvent", default, deserialize_with = "text")]
    looked_up: Option<String>,
    #[serde(
        rename = "eventJson",
        alias = "eventjson",
        default,
        deserialize_with = "text"
    )]
    lake: Option<String>,
    #[serde(default, deserialize_with = "text")]
    message: Option<String>,
    #[serde(borrow, default)]
    detail: Option<&'a RawValue>,
}

/// What a record is.
pub(super) enum Record {
    Event(Box<Seen>),
    /// A column of a row that is told column by column.
    Column(String, String),
    /// Another program's record.
    Foreign,
    /// JSON that is no event, and says nothing.
    Other,
    /// Not JSON, or an event without its main parts.
    Broken,
}

/// Reads a record.
pub(super) fn read(bytes: &[u8]) -> Record {
    std::str::from_utf8(bytes).map_or(Record::Broken, |text| layer(text, 0))
}

/// Reads the columns of one row.
pub(super) fn row(columns: &BTreeMap<String, String>) -> Record {
    let mut object = serde_json::Map::new();
    for (name, value) in columns {
        if value.is_empty() || value == "null" {
            continue;
        }
        let nested = value
            .starts_with('{')
            .then(|| {
                serde_json::from_str(value)
                    .ok()
                    .or_else(|| super::lake::value(value))
            })
            .flatten();
        object.insert(
            name.clone(),
            nested.unwrap_or_else(|| serde_json::Value::String(value.clone())),
        );
    }
    layer(&serde_json::Value::Object(object).to_string(), 0)
}

fn layer(text: &str, depth: usize) -> Record {
    let Ok(raw) = serde_json::from_str::<Raw<'_>>(text) else {
        // A name that stands twice is no reason to lose a row.
        return Record::Broken;
    };
    if raw.name.is_none() || raw.source.is_none() {
        if depth < MAX_LAYERS {
            let inner = [
                raw.looked_up.as_deref(),
                raw.lake.as_deref(),
                raw.message.as_deref(),
                raw.detail.map(RawValue::get),
            ];
            if let Some(inner) = inner
                .into_iter()
                .flatten()
                .find(|inner| inner.trim_start().starts_with('{'))
            {
                return layer(inner, depth + 1);
            }
        }
        return wrapped(text, depth);
    }
    seen(raw).map_or(Record::Broken, |seen| Record::Event(Box::new(seen)))
}

/// An event inside what some other program put around it, whatever it calls that; else a column, or nothing of ours.
fn wrapped(text: &str, depth: usize) -> Record {
    let Ok(members) = serde_json::from_str::<BTreeMap<Cow<'_, str>, &RawValue>>(text) else {
        return Record::Other;
    };
    if depth < MAX_LAYERS {
        for value in members.values().map(|raw| raw.get()) {
            let inner = match value.as_bytes() {
                [b'{', ..] => Cow::Borrowed(value),
                [b'"', ..] => match serde_json::from_str::<Cow<'_, str>>(value) {
                    Ok(inner) if inner.trim_start().starts_with('{') => inner,
                    _ => continue,
                },
                _ => continue,
            };
            if let found @ Record::Event(_) = layer(&inner, depth + 1) {
                return found;
            }
        }
    }
    match column(text) {
        Record::Other if depth == 0 && members.len() >= MEMBERS => Record::Foreign,
        other => other,
    }
}

/// A column of a row of a query's result.
fn column(text: &str) -> Record {
    let Ok(object) = serde_json::from_str::<BTreeMap<String, Option<String>>>(text) else {
        return Record::Other;
    };
    match object.into_iter().next() {
        Some((name, value)) if !name.is_empty() => Record::Column(name, value.unwrap_or_default()),
        _ => Record::Other,
    }
}

fn time(text: &str) -> Option<i64> {
    let at: Timestamp = text
        .parse()
        .ok()
        // Query results write a blank, and no zone.
        .or_else(|| {
            format!("{}Z", text.get(..19)?.replace(' ', "T"))
                .parse()
                .ok()
        })?;
    let year = at.to_zoned(jiff::tz::TimeZone::UTC).year();
    YEARS.contains(&year).then(|| at.as_second())
}

fn seen(raw: Raw<'_>) -> Option<Seen> {
    let at = time(raw.time.or(raw.stamp).as_deref()?)?;
    let host = raw.source?;
    let source = host
        .strip_suffix(".amazonaws.com")
        .unwrap_or(&host)
        .to_ascii_lowercase();
    let name = raw.name?;
    if !plain(&source) || !plain(&name) {
        return None;
    }
    let identity: UserIdentity = raw
        .identity
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    let succeeded = raw.error.as_deref().is_none_or(str::is_empty);
    let issued = (succeeded && source == "sts")
        .then(|| issued(&name, raw.request, raw.response, &identity))
        .flatten();
    let console = source == "signin"
        && name == "ConsoleLogin"
        && raw
            .response
            .is_some_and(|response| response.get().contains("Success"));
    Some(Seen {
        at,
        data: raw.category.as_deref() == Some("Data") || raw.management.as_deref() == Some("false"),
        region: raw
            .region
            .filter(|region| plain(region))
            .unwrap_or_default(),
        address: raw.address.unwrap_or_default(),
        agent: raw.agent.unwrap_or_default(),
        error: raw.error.filter(|error| !error.is_empty()).map(|error| {
            if plain(&error) {
                error
            } else {
                "error".to_owned()
            }
        }),
        account: raw
            .account
            .or_else(|| identity.account.clone())
            .filter(|account| who::is_account(account)),
        resources: resources(raw.resources),
        parameters: parameters(raw.request),
        from_console: raw.from_console.as_deref() == Some("true"),
        id: raw.id.as_deref().and_then(id),
        who: who::of(&identity),
        issued,
        console,
        source,
        name,
    })
}

/// A number for an event's id, of all of its digits: not every program that writes events makes random ids.
pub(super) fn id(text: &str) -> Option<u64> {
    let digits = text.bytes().filter(u8::is_ascii_hexdigit).count();
    if digits < 32 || text.len() > 64 {
        return None;
    }
    let (mut high, mut low) = (0u64, 0u64);
    for digit in text.chars().filter_map(|letter| letter.to_digit(16)) {
        high = high << 4 | low >> 60;
        low = low << 4 | u64::from(digit);
    }
    Some(mixed(high ^ mixed(low)))
}

/// Spreads every bit over all of a number, and gives no two numbers the same.
const fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ number >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ number >> 31
}

/// A name as AWS gives them: anything else would be someone else's text in our reports.
pub(super) fn plain(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 128
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte))
}

#[derive(Deserialize)]
struct Resource {
    #[serde(rename = "ARN", alias = "arn", default, deserialize_with = "text")]
    arn: Option<String>,
}

fn resources(raw: Option<&RawValue>) -> Vec<String> {
    let listed: Vec<Resource> = raw
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    listed
        .into_iter()
        .filter_map(|resource| resource.arn)
        .filter(|arn| arn.starts_with("arn:") && arn.len() <= 1024)
        .take(16)
        .collect()
}

/// Parameters that are short texts, or lists of one.
fn parameters(raw: Option<&RawValue>) -> BTreeMap<String, String> {
    let given: BTreeMap<String, &RawValue> = raw
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    given
        .into_iter()
        .filter_map(|(name, raw)| {
            let text = as_text(raw).or_else(|| {
                let list: Vec<String> = serde_json::from_str(raw.get()).ok()?;
                list.into_iter().next()
            })?;
            (text.len() <= 512 && !text.contains(char::is_control)).then_some((name, text))
        })
        .collect()
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    credentials: Option<Credentials>,
    #[serde(default, deserialize_with = "text")]
    source_identity: Option<String>,
    #[serde(default, deserialize_with = "text")]
    subject_from_web_identity_token: Option<String>,
    #[serde(default, deserialize_with = "text")]
    provider: Option<String>,
}

#[derive(Deserialize, Default)]
struct Credentials {
    #[serde(rename = "accessKeyId", default, deserialize_with = "text")]
    key: Option<String>,
}

fn issued(
    name: &str,
    request: Option<&RawValue>,
    response: Option<&RawValue>,
    identity: &UserIdentity,
) -> Option<Issued> {
    if !name.starts_with("AssumeRole")
        && !matches!(
            name,
            "GetSessionToken" | "GetFederationToken" | "AssumeRoot"
        )
    {
        return None;
    }
    let response: Response = response
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    let key = response.credentials?.key?;
    let role = parameters(request).remove("roleArn");
    let federated = response.subject_from_web_identity_token.map(|subject| {
        let issuer = response.provider.unwrap_or_default();
        ("oidc".to_owned(), who::subject(&issuer, &subject))
    });
    Some(Issued {
        key,
        role,
        caller: federated.or_else(|| who::caller(identity)),
        source_identity: response.source_identity,
    })
}
