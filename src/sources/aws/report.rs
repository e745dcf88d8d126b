//! The credential report, as CSV.
//!
//! Its words for "no value" differ in meaning. Last use of a key: `N/A` where the key exists means that AWS has seen no
//! use since it began to track keys. Last use of a password: `no_information` means no use since tracking of passwords
//! began, `N/A` that there is no password. `not_supported` stands where AWS does not tell. Everything else that is no
//! time is unknown.

use super::fields::parse_time;
use crate::model::LastUse;
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

/// First day of AWS's tracking of access keys, as its documentation of the credential report says.
pub(super) fn keys_tracked_since() -> Timestamp {
    day(2015, 4, 22)
}

/// First day of AWS's tracking of passwords, as its documentation of the credential report says.
fn passwords_tracked_since() -> Timestamp {
    day(2014, 10, 20)
}

fn day(year: i16, month: i8, day: i8) -> Timestamp {
    date(year, month, day)
        .to_zoned(TimeZone::UTC)
        .map_or(Timestamp::UNIX_EPOCH, |at| at.timestamp())
}

/// One row.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// User name; `<root_account>` for root.
    pub(super) user: String,
    /// ARN.
    pub(super) arn: String,
    /// Creation of the user.
    pub(super) created_at: Option<Timestamp>,
    /// Console password.
    pub(super) password: Option<bool>,
    /// Last use of the password.
    pub(super) password_last_use: LastUse,
    /// MFA device active.
    pub(super) mfa: Option<bool>,
    /// Access keys that exist.
    pub(super) keys: Vec<Slot>,
    /// 1-based line.
    pub(super) line: u32,
}

impl Row {
    pub(super) fn is_root(&self) -> bool {
        self.user == "<root_account>" || self.arn.ends_with(":root")
    }
}

/// One of the two access keys of a row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Slot {
    /// Active.
    pub(super) active: Option<bool>,
    /// Creation or last rotation.
    pub(super) created_at: Option<Timestamp>,
    /// Last use.
    pub(super) last_use: LastUse,
    /// Service of the last use.
    pub(super) service: Option<String>,
}

/// Whether a text begins with the header of a credential report.
pub(super) fn recognise(text: &[u8]) -> bool {
    let head = text.get(..200.min(text.len())).unwrap_or_default();
    let head = head.trim_ascii_start();
    head.starts_with(b"user,arn,") || head.starts_with(b"\"user\",\"arn\",")
}

/// Reads a report; the second value counts rows that are no CSV.
pub(super) fn read(text: &[u8]) -> (Vec<Row>, usize) {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(text.trim_ascii_start());
    let columns: BTreeMap<String, usize> = match reader.byte_headers() {
        Ok(header) => header
            .iter()
            .enumerate()
            .map(|(at, name)| (String::from_utf8_lossy(name).trim().to_owned(), at))
            .collect(),
        Err(_) => return (Vec::new(), 1),
    };
    let mut rows = Vec::new();
    let mut broken = 0;
    for record in reader.byte_records() {
        let Ok(record) = record else {
            broken += 1;
            continue;
        };
        let field = |name: &str| -> String {
            columns
                .get(name)
                .and_then(|at| record.get(*at))
                .map(|field| String::from_utf8_lossy(field).trim().to_owned())
                .unwrap_or_default()
        };
        let line = record
            .position()
            .and_then(|position| u32::try_from(position.line()).ok())
            .unwrap_or(1);
        match row(&field, line) {
            Some(row) => rows.push(row),
            None => broken += 1,
        }
    }
    (rows, broken)
}

fn row(field: &dyn Fn(&str) -> String, line: u32) -> Option<Row> {
    let (user, arn) = (field("user"), field("arn"));
    if user.is_empty() && arn.is_empty() {
        return None;
    }
    let created_at = parse_time(&field("user_creation_time"));
    let password = flag(&field("password_enabled"));
    let used = field("password_last_used");
    let password_last_use = match (parse_time(&used), used.as_str()) {
        (Some(at), _) => LastUse::At(at),
        (None, "no_information") if password != Some(false) => {
            never_since(created_at, passwords_tracked_since())
        }
        _ => LastUse::Unknown,
    };
    Some(Row {
        user,
        arn,
        created_at,
        password,
        password_last_use,
        mfa: flag(&field("mfa_active")),
        keys: [1, 2].into_iter().filter_map(|n| slot(field, n)).collect(),
        line,
    })
}

/// A key exists if it is active or was ever created.
fn slot(field: &dyn Fn(&str) -> String, number: u8) -> Option<Slot> {
    let of = |name: &str| field(&format!("access_key_{number}_{name}"));
    let active = flag(&of("active"));
    let created_at = parse_time(&of("last_rotated"));
    if active != Some(true) && created_at.is_none() {
        return None;
    }
    let used = of("last_used_date");
    let last_use = match (parse_time(&used), used.as_str()) {
        (Some(at), _) => LastUse::At(at),
        (None, "N/A") => never_since(created_at, keys_tracked_since()),
        _ => LastUse::Unknown,
    };
    Some(Slot {
        active,
        created_at,
        last_use,
        service: service(&of("last_used_service")),
    })
}

/// A service name, where the field has one.
pub(super) fn service(text: &str) -> Option<String> {
    (!matches!(text, "" | "N/A" | "no_information" | "not_supported")).then(|| text.to_owned())
}

/// No use since the thing was made, or since tracking began, whichever is later. Without the creation there is no proof
/// that the thing existed all that time, so the use is unknown.
pub(super) fn never_since(created_at: Option<Timestamp>, tracked: Timestamp) -> LastUse {
    created_at.map_or(LastUse::Unknown, |created| {
        LastUse::NeverSince(created.max(tracked))
    })
}

fn flag(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn words_for_no_value_keep_their_meanings() {
        let text = format!(
            "{HEADER}\n\
             <root_account>,arn:aws:iam::111122223333:root,2012-01-01T00:00:00+00:00,not_supported,2026-01-01T00:00:00+00:00,not_supported,not_supported,true,true,2012-01-02T00:00:00+00:00,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n\
             ann,arn:aws:iam::111122223333:user/ann,2013-01-01T00:00:00+00:00,true,no_information,N/A,N/A,false,false,2020-01-01T00:00:00+00:00,2021-01-01T00:00:00+00:00,eu-west-1,s3,true,2022-01-01T00:00:00+00:00,no_information,N/A,not_supported,false,N/A,false,N/A\n\
             bob,arn:aws:iam::111122223333:user/bob,2013-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n"
        );
        assert!(recognise(text.as_bytes()));
        let (rows, broken) = read(text.as_bytes());
        assert_eq!((rows.len(), broken), (3, 0));
        let [root, ann, bob] = rows.as_slice() else {
            panic!()
        };
        assert!(root.is_root());
        assert_eq!(root.password, None);
        assert_eq!(root.line, 2);
        assert_eq!(
            root.keys[0].last_use,
            LastUse::NeverSince(at("2015-04-22T00:00:00Z"))
        );
        assert_eq!(
            ann.password_last_use,
            LastUse::NeverSince(at("2014-10-20T00:00:00Z"))
        );
        assert_eq!(
            ann.keys[0].last_use,
            LastUse::At(at("2021-01-01T00:00:00Z"))
        );
        assert_eq!(ann.keys[0].service.as_deref(), Some("s3"));
        assert_eq!(ann.keys[1].last_use, LastUse::Unknown);
        assert_eq!(ann.keys[1].service, None);
        assert_eq!(bob.password_last_use, LastUse::Unknown);
        assert!(bob.keys.is_empty());
    }

    #[test]
    fn short_rows_and_missing_columns_are_unknown() {
        let (rows, broken) = read(b"user,arn,mfa_active\ncarol,arn:x\n,\n");
        assert_eq!((rows.len(), broken), (1, 1));
        assert_eq!((rows[0].mfa, rows[0].password), (None, None));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(rows in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut text = HEADER.as_bytes().to_vec();
            text.push(b'\n');
            text.extend(rows);
            read(&text);
        }
    }
}
