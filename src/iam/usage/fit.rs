//! Sizes of policies as IAM counts them, and documents cut into several that fit.

use serde_json::{Value, json};
use std::fmt::Write as _;

/// Most characters of a managed policy.
pub(super) const MANAGED: u32 = 6_144;
/// Most managed policies attached to one principal, unless the quota is raised.
pub(super) const ATTACHED: usize = 10;

/// Room for the number that the parts of a statement get.
const MARK: u32 = 8;

/// Whose inline policies are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A user's.
    User,
    /// A role's.
    Role,
    /// A group's.
    Group,
}

impl Limit {
    /// Most characters of all inline policies.
    pub const fn inline(self) -> u32 {
        match self {
            Self::User => 2_048,
            Self::Role => 10_240,
            Self::Group => 5_120,
        }
    }
}

/// Characters without white space between the elements.
pub(super) fn size(document: &Value) -> u32 {
    u32::try_from(document.to_string().chars().count()).unwrap_or(u32::MAX)
}

/// Cuts a document into several that fit. A statement that cannot be cut stays whole, however large.
pub(super) fn split(document: &Value, most: u32) -> Vec<Value> {
    let with = |statements: &[Value]| {
        let mut part = document.clone();
        if let Some(object) = part.as_object_mut() {
            object.insert("Statement".to_owned(), json!(statements));
        }
        part
    };
    let statements: Vec<Value> = match document.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(single) => vec![single.clone()],
        None => return vec![document.clone()],
    };
    let mut pieces = Vec::new();
    for statement in statements {
        let mut cut_off = Vec::new();
        let fits = |one: &Value| size(&with(std::slice::from_ref(one))) + MARK <= most;
        cut(statement, &fits, &mut cut_off);
        for (number, mut piece) in cut_off.into_iter().enumerate() {
            // Within one document no two statements may have one name.
            if number > 0
                && let Some(Value::String(sid)) = piece.get_mut("Sid")
            {
                let _ = write!(sid, "Part{}", number + 1);
            }
            pieces.push(piece);
        }
    }
    let mut parts: Vec<Vec<Value>> = Vec::new();
    for piece in pieces {
        let room = parts.iter_mut().find(|part| {
            let mut longer = (*part).clone();
            longer.push(piece.clone());
            size(&with(&longer)) <= most
        });
        match room {
            Some(part) => part.push(piece),
            None => parts.push(vec![piece]),
        }
    }
    parts.iter().map(|part| with(part)).collect()
}

/// Halves a statement until it fits: what its actions or resources give, or take, they do one by one.
fn cut(statement: Value, fits: &dyn Fn(&Value) -> bool, out: &mut Vec<Value>) {
    if fits(&statement) {
        out.push(statement);
        return;
    }
    let longest = ["Action", "Resource"]
        .into_iter()
        .filter_map(|key| {
            let list = statement.get(key)?.as_array()?;
            (list.len() > 1).then(|| (json!(list).to_string().len(), key))
        })
        .max();
    let Some((_, key)) = longest else {
        out.push(statement);
        return;
    };
    let list = statement
        .get(key)
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let (first, second) = list.split_at(list.len() / 2);
    for half in [first, second] {
        let mut part = statement.clone();
        if let Some(object) = part.as_object_mut() {
            object.insert(key.to_owned(), json!(half));
        }
        cut(part, fits, out);
    }
}
