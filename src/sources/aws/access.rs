//! What lets others at a resource, or keeps them out, besides its policy: grants of keys, access lists of buckets, and
//! blocks of public access.

use super::fields::{Object, take_objects, take_texts, text};
use super::files::Source;
use crate::model::Location;
use crate::model::aws::{AwsPublicAccessBlock, AwsResourceGrant};
use serde_json::{Value, json};

/// Groups of access lists that stand for everybody, and for everybody with an account.
const GROUPS: [&str; 2] = [
    "/groups/global/AllUsers",
    "/groups/global/AuthenticatedUsers",
];

/// One answer of these kinds.
#[derive(Debug, PartialEq)]
pub(super) enum Access {
    /// `get-public-access-block`, of a bucket or of the account.
    Block {
        bucket: Option<String>,
        ignore_acls: bool,
        restrict: bool,
    },
    /// `get-bucket-acl`: what it gives everybody, as statements.
    List {
        bucket: Option<String>,
        statements: Vec<Value>,
    },
    /// `list-grants`: a key and what each grant gives, as a statement.
    Grants(Vec<(String, Value)>),
}

/// Takes everything of these kinds out of an object.
pub(super) fn take(object: &mut Object, names: &[String]) -> Vec<Access> {
    let mut found = Vec::new();
    let bucket = ["Bucket", "BucketName", "bucket"]
        .iter()
        .find_map(|key| text(object, key))
        .map(str::to_owned)
        .or_else(|| {
            let arn = names
                .iter()
                .find_map(|name| name.strip_prefix("arn:aws:s3:::"))?;
            Some(arn.to_owned())
        });
    match object.remove("PublicAccessBlockConfiguration") {
        Some(Value::Object(block)) => {
            let on = |key: &str| block.get(key).and_then(Value::as_bool).unwrap_or_default();
            found.push(Access::Block {
                bucket: bucket.clone(),
                ignore_acls: on("IgnorePublicAcls"),
                restrict: on("RestrictPublicBuckets"),
            });
        }
        Some(Value::Null) => found.push(Access::Block {
            bucket: bucket.clone(),
            ignore_acls: false,
            restrict: false,
        }),
        _ => {}
    }
    let entries = |key: &str| match object.get("Grants") {
        Some(Value::Array(items)) => items.iter().all(|item| item.get(key).is_some()),
        _ => false,
    };
    if object.contains_key("Owner") && entries("Grantee") {
        let statements = take_objects(object, "Grants");
        found.push(Access::List {
            bucket,
            statements: statements.iter().filter_map(listed).collect(),
        });
    } else if entries("GranteePrincipal") {
        let grants = take_objects(object, "Grants").into_iter();
        found.push(Access::Grants(grants.filter_map(grant).collect()));
    }
    found
}

/// What an entry of an access list gives everybody; `None` for entries of certain accounts.
fn listed(entry: &Object) -> Option<Value> {
    let Some(Value::Object(grantee)) = entry.get("Grantee") else {
        return None;
    };
    let group = text(grantee, "URI")?;
    if !GROUPS.iter().any(|known| group.ends_with(known)) {
        return None;
    }
    let permission = text(entry, "Permission")?;
    let actions: &[&str] = match permission {
        "READ" => &[
            "s3:ListBucket",
            "s3:ListBucketVersions",
            "s3:ListBucketMultipartUploads",
        ],
        "WRITE" => &["s3:PutObject", "s3:DeleteObject"],
        "READ_ACP" => &["s3:GetBucketAcl"],
        "WRITE_ACP" => &["s3:PutBucketAcl"],
        "FULL_CONTROL" => &[
            "s3:ListBucket",
            "s3:PutObject",
            "s3:DeleteObject",
            "s3:GetBucketAcl",
            "s3:PutBucketAcl",
        ],
        _ => return None,
    };
    Some(
        json!({"Sid": format!("access list, {permission}"), "Effect": "Allow", "Principal": "*",
        "Action": actions, "Resource": "*"}),
    )
}

/// A grant of a key as a statement of its policy: it needs no permission of the grantee's own.
fn grant(mut entry: Object) -> Option<(String, Value)> {
    let key = text(&entry, "KeyId")
        .filter(|key| key.starts_with("arn:"))?
        .to_owned();
    let grantee = text(&entry, "GranteePrincipal")?.to_owned();
    let principal = if grantee.starts_with("arn:")
        || grantee.starts_with("AROA")
        || grantee.starts_with("AIDA")
    {
        json!({"AWS": grantee})
    } else {
        json!({"Service": grantee})
    };
    let id = text(&entry, "GrantId").unwrap_or_default();
    let short = id.get(..8).unwrap_or(id).to_owned();
    let conditions = match entry.get("Constraints") {
        Some(Value::Object(constraints)) => constraints
            .get("EncryptionContextEquals")
            .or_else(|| constraints.get("EncryptionContextSubset"))
            .and_then(Value::as_object)
            .map(|pairs| {
                let pairs = pairs
                    .iter()
                    .map(|(name, value)| (format!("kms:EncryptionContext:{name}"), value.clone()));
                json!({"StringEquals": pairs.collect::<Object>()})
            }),
        _ => None,
    };
    let actions: Vec<String> = take_texts(&mut entry, "Operations")
        .iter()
        .map(|operation| format!("kms:{operation}"))
        .collect();
    let mut statement = json!({"Sid": format!("grant {short}"), "Effect": "Allow", "Principal": principal,
        "Action": actions, "Resource": "*"});
    if let (Some(conditions), Some(object)) = (conditions, statement.as_object_mut()) {
        object.insert("Condition".to_owned(), conditions);
    }
    Some((key, statement))
}

impl Access {
    /// The key or bucket it speaks of, to find its account by.
    pub(super) fn arn(&self) -> Option<&str> {
        match self {
            Self::Grants(grants) => grants.first().map(|(key, _)| key.as_str()),
            Self::Block { .. } | Self::List { .. } => None,
        }
    }

    /// Gives it its place in an account.
    pub(super) fn settle(
        self,
        source: &Source,
        id: &str,
        blocks: &mut Vec<AwsPublicAccessBlock>,
        grants: &mut Vec<AwsResourceGrant>,
    ) {
        let mut give = |arn: String, statement: Value| {
            let location = Location {
                repository: Some(format!("aws/{id}")),
                uri: source.uri.clone(),
                line: None,
                column: None,
                logical: Some(arn.clone()),
            };
            grants.push(AwsResourceGrant {
                arn,
                statement,
                location,
            });
        };
        match self {
            Self::Block {
                bucket,
                ignore_acls,
                restrict,
            } => blocks.push(AwsPublicAccessBlock {
                bucket: bucket.or_else(|| from_file(source)),
                ignore_acls,
                restrict,
            }),
            Self::List { bucket, statements } => {
                let Some(bucket) = bucket.or_else(|| from_file(source)) else {
                    return;
                };
                for mut statement in statements {
                    let arn = format!("arn:aws:s3:::{bucket}");
                    if let Some(object) = statement.as_object_mut() {
                        let both = json!([arn, format!("{arn}/*")]);
                        object.insert("Resource".to_owned(), both);
                    }
                    give(arn, statement);
                }
            }
            Self::Grants(list) => {
                for (key, statement) in list {
                    give(key, statement);
                }
            }
        }
    }
}

/// The bucket a file is named after, in a folder whose name begins with `s3`.
fn from_file(source: &Source) -> Option<String> {
    let folder = source.folders.last()?.to_ascii_lowercase();
    let stem = source.stem.as_str();
    (folder.starts_with("s3") && !stem.starts_with("account") && !super::fields::is_account(stem))
        .then(|| stem.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::read_snapshot;
    use crate::model::aws::AwsAccount;
    use serde_json::{Value, json};
    use std::io::Write as _;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";

    fn read(files: &[(&str, Value)]) -> AwsAccount {
        let folder = tempfile::tempdir().unwrap();
        let arn = "arn:aws:iam::111122223333:user/ann";
        let details = json!({"UserDetailList": [{"UserName": "ann", "UserId": "AIDAANN", "Arn": arn}],
            "GroupDetailList": [], "RoleDetailList": [], "Policies": []});
        for (name, value) in files.iter().chain([&("details.json", details)]) {
            let path = folder.path().join("111122223333").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let mut file = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
            file.write_all(value.to_string().as_bytes()).unwrap();
            file.persist(path).unwrap();
        }
        let mut snapshot = read_snapshot(folder.path());
        assert_eq!(snapshot.accounts.len(), 1, "{:?}", snapshot.coverage);
        snapshot.accounts.remove(0)
    }

    #[test]
    fn blocks_are_those_of_the_account_and_of_each_bucket() {
        let on = json!({"PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "IgnorePublicAcls": true,
            "BlockPublicPolicy": true, "RestrictPublicBuckets": true}});
        let account = read(&[
            ("public-access-block.json", on),
            (
                "s3-public-access-block/site.json",
                json!({"PublicAccessBlockConfiguration": null}),
            ),
        ]);
        let found: Vec<_> = account
            .public_access_blocks
            .iter()
            .map(|block| (block.bucket.as_deref(), block.restrict))
            .collect();
        assert_eq!(found, [(None, true), (Some("site"), false)]);
    }

    #[test]
    fn access_lists_and_grants_are_statements_of_their_resource() {
        let group = |name: &str| json!({"Type": "Group", "URI": format!("http://acs.amazonaws.com/groups/{name}")});
        let account = read(&[
            (
                "s3-acl/site.json",
                json!({"Owner": {"ID": "1"}, "Grants": [
                    {"Grantee": group("global/AllUsers"), "Permission": "READ"},
                    {"Grantee": group("s3/LogDelivery"), "Permission": "WRITE"},
                    {"Grantee": {"Type": "CanonicalUser", "ID": "1"}, "Permission": "FULL_CONTROL"}]}),
            ),
            (
                "kms-grants/1.json",
                json!({"Grants": [{"KeyId": KEY, "GrantId": "0c237476b39f8bc44e45212e08498fbe", "Operations": ["Decrypt"],
                    "GranteePrincipal": "arn:aws:iam::999988887777:role/x",
                    "Constraints": {"EncryptionContextSubset": {"team": "a"}}}], "Truncated": false}),
            ),
        ]);
        let found: Vec<_> = account
            .resource_grants
            .iter()
            .map(|grant| (grant.arn.as_str(), grant.statement.to_string()))
            .collect();
        let [(key, decrypts), (bucket, lists)] = found.as_slice() else {
            panic!("{found:?}");
        };
        assert_eq!((*key, *bucket), (KEY, "arn:aws:s3:::site"));
        assert!(
            decrypts.contains("kms:Decrypt") && decrypts.contains("kms:EncryptionContext:team")
        );
        assert!(lists.contains("s3:ListBucket") && lists.contains("arn:aws:s3:::site/*"));
    }
}
