//! Recognises exports by the shape of their content, wherever they stand: alone, in a list of pages, inside an object
//! somebody wrapped around them, or keyed by account, principal or key id.

use super::access::{self, Access};
use super::beside::{self, Beside};
use super::details::{Page, Telling};
use super::fields::{
    Object, is_account, take_list, take_objects, take_text, take_texts, text, time,
};
use super::organization::{self, Fact};
use super::other::{self, Other};
use super::report::{self, Row};
use super::resources;
use crate::model::Location;
use crate::model::aws::{AwsGroup, AwsOidcProvider, AwsPolicy, AwsRole, AwsServiceUse, AwsUser};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;

/// Objects wrapped around an export are followed this deep.
const MAX_WRAPPING: usize = 12;

/// One export, and what the JSON around it says of where it belongs.
pub(super) struct Found {
    /// Account named around it.
    pub(super) account: Option<String>,
    /// What it is.
    pub(super) piece: Piece,
}

/// One recognised export.
pub(super) enum Piece {
    /// A page of `get-account-authorization-details`.
    Details {
        users: Vec<AwsUser>,
        groups: Vec<AwsGroup>,
        roles: Vec<AwsRole>,
        policies: Vec<AwsPolicy>,
        /// `IsTruncated`, where the page has it.
        truncated: Option<bool>,
    },
    /// `list-roles` or `get-role`.
    Roles(Vec<AwsRole>),
    /// `list-users` or `get-user`.
    Users(Vec<AwsUser>),
    /// Credential report.
    Report {
        rows: Vec<Row>,
        generated: Option<Timestamp>,
    },
    /// `list-access-keys`.
    Keys(Vec<ListedKey>),
    /// `get-access-key-last-used`.
    KeyUse(KeyUse),
    /// `get-service-last-accessed-details`.
    ServiceUse {
        /// Names around it that may tell the principal, nearest first.
        names: Vec<String>,
        services: AwsServiceUse,
        completed: Option<Timestamp>,
        /// `JobStatus` is `COMPLETED`, or not told.
        finished: bool,
    },
    /// OIDC providers, by listing or one by one.
    Providers(Vec<AwsOidcProvider>),
    /// `list-account-aliases`.
    Aliases(Vec<String>),
    /// `get-caller-identity`: the account and the caller's ARN.
    Caller(String, String),
    /// Other credentials, certificates, federation and settings.
    Beside(Vec<Beside>),
    /// Facts of an organization.
    Organization(Vec<Fact>),
    /// Policy of a resource.
    Resource {
        /// ARN that stands beside it.
        named: Option<String>,
        /// Names around it that may tell the resource, nearest first.
        names: Vec<String>,
        /// The document; `null`: the resource has none.
        document: Value,
    },
    /// Trails, and what is known of them.
    Other(Other),
    /// What lets others at resources besides policies, or keeps them out.
    Access(Access),
    /// A known export that adds nothing; says why.
    Nothing(&'static str),
}

/// One key of `list-access-keys`.
pub(super) struct ListedKey {
    pub(super) user: Option<String>,
    pub(super) key_id: String,
    pub(super) active: Option<bool>,
    pub(super) created_at: Option<Timestamp>,
    pub(super) location: Location,
}

/// One answer of `get-access-key-last-used`, which does not name its key.
pub(super) struct KeyUse {
    /// Names around it that may be the key id, nearest first.
    pub(super) names: Vec<String>,
    pub(super) user: Option<String>,
    /// Last use; `None` where AWS says it saw none.
    pub(super) at: Option<Timestamp>,
    pub(super) service: Option<String>,
}

/// What stands around a value.
#[derive(Clone, Default)]
struct Around {
    account: Option<String>,
    names: Vec<String>,
}

/// Finds every export in one JSON document.
pub(super) fn find(value: Value, page: &mut Page<'_>) -> Vec<Found> {
    let mut found = Vec::new();
    walk(value, &Around::default(), 0, page, &mut found);
    found
}

fn walk(value: Value, around: &Around, depth: usize, page: &mut Page<'_>, found: &mut Vec<Found>) {
    if depth > MAX_WRAPPING {
        return;
    }
    match value {
        Value::Array(items) => {
            for item in items {
                walk(item, around, depth + 1, page, found);
            }
        }
        Value::Object(object) => {
            let mut around = around.clone();
            for key in ["AccountId", "accountId", "account_id", "Account", "account"] {
                if let Some(account) = text(&object, key).filter(|text| is_account(text)) {
                    around.account = Some(account.to_owned());
                }
            }
            let names = ["Arn", "PrincipalArn", "arn", "AccessKeyId"];
            for key in names.iter().chain(&resources::NAMES) {
                if let Some(name) = text(&object, key) {
                    around.names.insert(0, name.to_owned());
                }
            }
            let rest = recognise(object, &around, page, found);
            for (key, value) in rest {
                if !matches!(value, Value::Object(_) | Value::Array(_)) {
                    continue;
                }
                let mut inside = around.clone();
                if is_account(&key) {
                    inside.account = Some(key);
                } else {
                    inside.names.insert(0, key);
                }
                walk(value, &inside, depth + 1, page, found);
            }
        }
        _ => {}
    }
}

/// Takes what is known out of an object and returns the rest; of an entity that stands alone nothing is left.
fn recognise(
    mut object: Object,
    around: &Around,
    page: &mut Page<'_>,
    found: &mut Vec<Found>,
) -> Object {
    let mut add = |piece: Piece| {
        found.push(Found {
            account: around.account.clone(),
            piece,
        });
    };
    let mut names = around.names.clone();
    names.extend(page.names());
    let facts = organization::take(&mut object, &names);
    if !facts.is_empty() {
        add(Piece::Organization(facts));
    }
    if let Some((named, document)) = resources::take(&mut object) {
        add(Piece::Resource {
            named,
            names: around.names.clone(),
            document,
        });
    }
    for found in other::take(&mut object, &names) {
        add(Piece::Other(found));
    }
    for found in access::take(&mut object, &around.names) {
        add(Piece::Access(found));
    }
    if is_details(&object) {
        add(details(&mut object, page));
    } else if entries_have(&object, "Policies", &["PolicyName", "DefaultVersionId"]) {
        object.remove("Policies");
        add(Piece::Nothing(
            "`list-policies` has no policy documents; overstay reads them from `get-account-authorization-details`",
        ));
    }
    for key in ["Roles", "Role"] {
        if entries_have(&object, key, &["RoleName", "Arn"]) {
            let list = take_list(&mut object, key);
            add(Piece::Roles(page.entities(list, key, |page, n, role| {
                page.role(Telling::Existence, n, role)
            })));
        }
    }
    for key in ["Users", "User"] {
        if entries_have(&object, key, &["UserName", "UserId", "Arn"]) {
            let list = take_list(&mut object, key);
            add(Piece::Users(page.entities(list, key, |page, n, user| {
                page.user(Telling::Existence, n, user)
            })));
        }
    }
    if object.contains_key("ReportFormat") || object.contains_key("GeneratedTime") {
        let generated = time(&object, "GeneratedTime");
        if let Some(csv) = take_text(&mut object, "Content").and_then(|text| report_text(&text)) {
            let (mut rows, broken) = report::read(&csv);
            // The rows stand in the encoded text: their lines mean nothing to a reader of the file.
            for row in &mut rows {
                row.line = 1;
            }
            if broken > 0 {
                page.partial(format!(
                    "{broken} rows of the credential report are damaged: make the report again"
                ));
            }
            add(Piece::Report { rows, generated });
        }
    }
    if object.contains_key("AccessKeyMetadata") {
        let keys = take_objects(&mut object, "AccessKeyMetadata");
        add(Piece::Keys(
            keys.into_iter()
                .filter_map(|key| listed_key(key, page))
                .collect(),
        ));
    }
    if object.contains_key("AccessKeyId") && object.contains_key("Status") {
        add(Piece::Keys(listed_key(object, page).into_iter().collect()));
        return Object::new();
    }
    if let Some(Value::Object(used)) = object.remove("AccessKeyLastUsed") {
        let mut names = around.names.clone();
        if let Some(id) = text(&used, "AccessKeyId") {
            names.insert(0, id.to_owned());
        }
        add(Piece::KeyUse(KeyUse {
            names,
            user: take_text(&mut object, "UserName"),
            at: time(&used, "LastUsedDate"),
            service: text(&used, "ServiceName").and_then(report::service),
        }));
    }
    let beside = beside::take(&mut object, page);
    if !beside.is_empty() {
        add(Piece::Beside(beside));
    }
    if object.contains_key("ServicesLastAccessed") {
        if object.get("IsTruncated") == Some(&Value::Bool(true)) {
            page.partial(
                "the answer stops before its last service: add `--max-items 1000` to `get-service-last-accessed-details`"
                    .to_owned(),
            );
        }
        add(service_use(&mut object, around));
    }
    if object.contains_key("OpenIDConnectProviderList") {
        let providers = take_objects(&mut object, "OpenIDConnectProviderList");
        add(Piece::Providers(
            providers
                .into_iter()
                .filter_map(|provider| {
                    let arn = text(&provider, "Arn")?.to_owned();
                    let url = arn.split_once(":oidc-provider/")?.1.to_owned();
                    Some(AwsOidcProvider {
                        arn,
                        url,
                        client_ids: Vec::new(),
                    })
                })
                .collect(),
        ));
    }
    if (object.contains_key("ClientIDList") || object.contains_key("ThumbprintList"))
        && let Some(url) = take_text(&mut object, "Url")
    {
        add(provider(&mut object, &url, around));
    }
    if object.contains_key("AccountAliases") {
        add(Piece::Aliases(take_texts(&mut object, "AccountAliases")));
    }
    if object.contains_key("UserId")
        && object.contains_key("Arn")
        && let Some(account) = text(&object, "Account").filter(|text| is_account(text))
    {
        let arn = text(&object, "Arn").unwrap_or_default();
        add(Piece::Caller(account.to_owned(), arn.to_owned()));
        return Object::new();
    }
    match alone(&object) {
        Some(piece) => {
            let list = vec![Value::Object(object)];
            add(piece(page, list));
            Object::new()
        }
        None => object,
    }
}

type Alone = fn(&mut Page<'_>, Vec<Value>) -> Piece;

/// An entity without its list around it, as `--query` prints them. Only with an ARN of IAM: other files have objects
/// with such names too.
fn alone(object: &Object) -> Option<Alone> {
    let has = |key: &str| object.contains_key(key);
    text(object, "Arn").filter(|arn| arn.starts_with("arn:") && arn.contains(":iam:"))?;
    let policies = has("AttachedManagedPolicies");
    if has("RoleName") && has("AssumeRolePolicyDocument") {
        return Some(if policies || has("RolePolicyList") {
            |page, list| {
                let roles = page.entities(list, "the list", |page, n, role| {
                    page.role(Telling::Policies, n, role)
                });
                entities(Vec::new(), Vec::new(), roles, Vec::new())
            }
        } else {
            |page, list| {
                Piece::Roles(page.entities(list, "the list", |page, n, role| {
                    page.role(Telling::Existence, n, role)
                }))
            }
        });
    }
    if has("UserName") && has("UserId") {
        return Some(if policies || has("UserPolicyList") || has("GroupList") {
            |page, list| {
                let users = page.entities(list, "the list", |page, n, user| {
                    page.user(Telling::Policies, n, user)
                });
                entities(users, Vec::new(), Vec::new(), Vec::new())
            }
        } else {
            |page, list| {
                Piece::Users(page.entities(list, "the list", |page, n, user| {
                    page.user(Telling::Existence, n, user)
                }))
            }
        });
    }
    if has("GroupName") && (policies || has("GroupPolicyList")) {
        return Some(|page, list| {
            let groups = page.entities(list, "the list", Page::group);
            entities(Vec::new(), groups, Vec::new(), Vec::new())
        });
    }
    if has("PolicyVersionList") {
        return Some(|page, list| {
            let policies = page.entities(list, "the list", Page::policy);
            entities(Vec::new(), Vec::new(), Vec::new(), policies)
        });
    }
    None
}

fn entities(
    users: Vec<AwsUser>,
    groups: Vec<AwsGroup>,
    roles: Vec<AwsRole>,
    policies: Vec<AwsPolicy>,
) -> Piece {
    Piece::Details {
        users,
        groups,
        roles,
        policies,
        truncated: None,
    }
}

fn is_details(object: &Object) -> bool {
    ["UserDetailList", "GroupDetailList", "RoleDetailList"]
        .iter()
        .any(|key| object.contains_key(*key))
        || entries_have(object, "Policies", &["PolicyVersionList"])
}

fn details(object: &mut Object, page: &mut Page<'_>) -> Piece {
    let users = take_list(object, "UserDetailList");
    let groups = take_list(object, "GroupDetailList");
    let roles = take_list(object, "RoleDetailList");
    let policies = take_list(object, "Policies");
    Piece::Details {
        users: page.entities(users, "UserDetailList", |page, n, user| {
            page.user(Telling::Policies, n, user)
        }),
        groups: page.entities(groups, "GroupDetailList", Page::group),
        roles: page.entities(roles, "RoleDetailList", |page, n, role| {
            page.role(Telling::Policies, n, role)
        }),
        policies: page.entities(policies, "Policies", Page::policy),
        truncated: object.get("IsTruncated").and_then(Value::as_bool),
    }
}

/// Whether the first object under a key has all these fields.
fn entries_have(object: &Object, key: &str, fields: &[&str]) -> bool {
    let first = match object.get(key) {
        Some(Value::Array(items)) => items.first().and_then(Value::as_object),
        Some(Value::Object(item)) => Some(item),
        _ => None,
    };
    first.is_some_and(|item| fields.iter().all(|field| item.contains_key(*field)))
}

/// The CSV of a report: base64 as the command line prints it, plain, or a Python bytes literal.
fn report_text(content: &str) -> Option<Vec<u8>> {
    if report::recognise(content.as_bytes()) {
        return Some(content.as_bytes().to_vec());
    }
    if let Some(literal) = content.strip_prefix("b'") {
        return Some(literal.replace("\\n", "\n").into_bytes());
    }
    let compact: String = content.split_ascii_whitespace().collect();
    STANDARD
        .decode(compact)
        .ok()
        .filter(|csv| report::recognise(csv))
}

fn listed_key(mut key: Object, page: &Page<'_>) -> Option<ListedKey> {
    let key_id = take_text(&mut key, "AccessKeyId")?;
    let spot = page.index.find(&key_id);
    Some(ListedKey {
        user: take_text(&mut key, "UserName"),
        active: text(&key, "Status").map(|status| status.eq_ignore_ascii_case("active")),
        created_at: time(&key, "CreateDate"),
        location: Location {
            repository: None,
            uri: page.uri.to_owned(),
            line: spot.map(|(line, _)| line),
            column: spot.map(|(_, column)| column),
            logical: Some(key_id.clone()),
        },
        key_id,
    })
}

fn service_use(object: &mut Object, around: &Around) -> Piece {
    let mut services = AwsServiceUse::default();
    for mut service in take_objects(object, "ServicesLastAccessed") {
        let Some(namespace) = take_text(&mut service, "ServiceNamespace") else {
            continue;
        };
        if let Some(at) = time(&service, "LastAuthenticated") {
            services.used.insert(namespace.clone(), at);
        }
        for action in take_objects(&mut service, "TrackedActionsLastAccessed") {
            if let (Some(name), Some(_)) = (
                text(&action, "ActionName"),
                time(&action, "LastAccessedTime"),
            ) {
                services.actions.push(format!("{namespace}:{name}"));
            }
            if let Some(name) = text(&action, "ActionName") {
                services.tracked.push(format!("{namespace}:{name}"));
            }
        }
        services.granted.push(namespace);
    }
    services.asked_at = time(object, "JobCompletionDate");
    services.truncated = object.get("IsTruncated") == Some(&Value::Bool(true));
    Piece::ServiceUse {
        names: around.names.clone(),
        services,
        completed: time(object, "JobCompletionDate"),
        finished: text(object, "JobStatus").is_none_or(|status| status == "COMPLETED"),
    }
}

fn provider(object: &mut Object, url: &str, around: &Around) -> Piece {
    let url = url
        .strip_prefix("https://")
        .unwrap_or(url)
        .trim_end_matches('/')
        .to_owned();
    let arn = around
        .names
        .iter()
        .find(|name| name.contains(":oidc-provider/"))
        .cloned()
        .unwrap_or_default();
    Piece::Providers(vec![AwsOidcProvider {
        arn,
        url,
        client_ids: take_texts(object, "ClientIDList"),
    }])
}
