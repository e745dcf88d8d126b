//! Reading policy documents: every shape the grammar allows, and a note for what it does not.

use super::condition::Operator;
use serde_json::{Map, Value};

/// Most statements read from one document; AWS's own size limit allows far fewer.
const MAX_STATEMENTS: usize = 2_000;
/// Most values read from one list.
const MAX_VALUES: usize = 10_000;

/// Effect of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Allow.
    Allow,
    /// Deny.
    Deny,
}

/// A list that names things, or names what is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection<T> {
    /// The element is not there.
    Absent,
    /// These.
    Only(Vec<T>),
    /// Everything but these (`NotAction`, `NotResource`, `NotPrincipal`).
    Except(Vec<T>),
}

impl<T> Selection<T> {
    /// The values written, whichever way they are meant.
    pub fn values(&self) -> &[T] {
        match self {
            Self::Absent => &[],
            Self::Only(values) | Self::Except(values) => values,
        }
    }
}

/// Kind of principal named in a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrincipalType {
    /// `"Principal": "*"`.
    Anyone,
    /// `AWS`.
    Aws,
    /// `Federated`.
    Federated,
    /// `Service`.
    Service,
    /// `CanonicalUser`.
    CanonicalUser,
}

/// One principal as written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PrincipalName {
    /// Its kind.
    pub kind: PrincipalType,
    /// Its value.
    pub value: String,
}

/// One operator on one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The operator; `None` when this program does not know it.
    pub operator: Option<Operator>,
    /// The operator as written.
    pub operator_text: String,
    /// The condition key as written.
    pub key: String,
    /// Values, booleans and numbers as their text.
    pub values: Vec<String>,
}

impl Condition {
    /// The condition in words: `StringEquals aws:PrincipalOrgID = o-1`.
    pub fn words(&self) -> String {
        const SHOWN: usize = 4;
        let mut values: Vec<&str> = self.values.iter().map(String::as_str).take(SHOWN).collect();
        let more = self.values.len().saturating_sub(SHOWN);
        let rest = format!("{more} more");
        if more > 0 {
            values.push(&rest);
        }
        format!(
            "{} {} = {}",
            self.operator_text,
            self.key,
            values.join(" | ")
        )
    }
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Position in the document, from 0.
    pub index: usize,
    /// `Sid`, where it has one.
    pub sid: Option<String>,
    /// Effect.
    pub effect: Effect,
    /// `Action` or `NotAction`.
    pub actions: Selection<String>,
    /// `Resource` or `NotResource`.
    pub resources: Selection<String>,
    /// `Principal` or `NotPrincipal`.
    pub principals: Selection<PrincipalName>,
    /// Conditions, all of which must hold.
    pub conditions: Vec<Condition>,
}

impl Statement {
    /// How people find it: its `Sid`, else its position from 1.
    pub fn label(&self) -> String {
        match &self.sid {
            Some(sid) if !sid.is_empty() => format!("statement `{sid}`"),
            _ => format!("statement {}", self.index + 1),
        }
    }
}

/// A policy document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Policy variables are replaced: only in version 2012-10-17.
    pub variables: bool,
    /// Statements that could be read.
    pub statements: Vec<Statement>,
    /// What could not be read or can never match, in words without content of values.
    pub notices: Vec<String>,
}

impl Policy {
    /// Reads a decoded document. Never fails: what has the wrong shape is left out and noted.
    ///
    /// A statement that cannot be read is noted; a `Deny` among them would make the result an upper bound.
    pub fn parse(document: &Value) -> Self {
        let mut policy = Self::default();
        let Some(object) = document.as_object() else {
            policy.note("the document is not a JSON object");
            return policy;
        };
        policy.variables = object.get("Version").and_then(Value::as_str) == Some("2012-10-17");
        for name in object.keys() {
            if !matches!(name.as_str(), "Version" | "Id" | "Statement") {
                policy.note("the document has an element this program does not know");
            }
        }
        match object.get("Statement") {
            Some(Value::Array(list)) => {
                if list.len() > MAX_STATEMENTS {
                    policy.note(
                        "the document has more statements than AWS allows; the rest is left out",
                    );
                }
                for (index, item) in list.iter().take(MAX_STATEMENTS).enumerate() {
                    policy.read_statement(index, item);
                }
            }
            Some(item @ Value::Object(_)) => policy.read_statement(0, item),
            _ => policy.note("the document has no statements"),
        }
        policy
    }

    fn note(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.notices.contains(&text) {
            self.notices.push(text);
        }
    }

    fn read_statement(&mut self, index: usize, item: &Value) {
        let at = index + 1;
        let Some(object) = item.as_object() else {
            self.note(format!("statement {at} is not an object"));
            return;
        };
        let effect = match object.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => {
                self.note(format!("statement {at} has no effect"));
                return;
            }
        };
        for name in object.keys() {
            if !matches!(
                name.as_str(),
                "Sid"
                    | "Effect"
                    | "Action"
                    | "NotAction"
                    | "Resource"
                    | "NotResource"
                    | "Principal"
                    | "NotPrincipal"
                    | "Condition"
            ) {
                self.note(format!(
                    "statement {at} has an element this program does not know"
                ));
            }
        }
        let mut actions = self.selection(object, at, "Action", "NotAction");
        if let Selection::Only(list) | Selection::Except(list) = &mut actions {
            // The one wildcard AWS takes for a service: every action of all of them.
            for action in list.iter_mut().filter(|action| *action == "*:*") {
                "*".clone_into(action);
            }
        }
        let resources = self.selection(object, at, "Resource", "NotResource");
        let principals = match (object.get("Principal"), object.get("NotPrincipal")) {
            (Some(value), _) => Selection::Only(self.principals(at, value)),
            (None, Some(value)) => Selection::Except(self.principals(at, value)),
            (None, None) => Selection::Absent,
        };
        let conditions = self.conditions(at, object.get("Condition"));
        self.statements.push(Statement {
            index,
            sid: object.get("Sid").and_then(Value::as_str).map(str::to_owned),
            effect,
            actions,
            resources,
            principals,
            conditions,
        });
    }

    fn selection(
        &mut self,
        object: &Map<String, Value>,
        at: usize,
        only: &str,
        except: &str,
    ) -> Selection<String> {
        match (object.get(only), object.get(except)) {
            (Some(value), other) => {
                if other.is_some() {
                    self.note(format!("statement {at} has both {only} and {except}"));
                }
                Selection::Only(self.strings(at, value))
            }
            (None, Some(value)) => Selection::Except(self.strings(at, value)),
            (None, None) => Selection::Absent,
        }
    }

    fn strings(&mut self, at: usize, value: &Value) -> Vec<String> {
        let list = match value {
            Value::Array(list) => list.as_slice(),
            single => std::slice::from_ref(single),
        };
        if list.len() > MAX_VALUES {
            self.note(format!(
                "statement {at} has a list longer than AWS allows; the rest is left out"
            ));
        }
        let mut out = Vec::with_capacity(list.len().min(MAX_VALUES));
        for item in list.iter().take(MAX_VALUES) {
            match item {
                Value::String(text) => out.push(text.clone()),
                Value::Bool(flag) => out.push(flag.to_string()),
                Value::Number(number) => out.push(number.to_string()),
                _ => self.note(format!("statement {at} has a value that is not text")),
            }
        }
        out
    }

    fn principals(&mut self, at: usize, value: &Value) -> Vec<PrincipalName> {
        match value {
            Value::String(text) if text == "*" => vec![PrincipalName {
                kind: PrincipalType::Anyone,
                value: "*".to_owned(),
            }],
            // AWS writes `{"AWS": …}` around it.
            Value::String(text) => vec![PrincipalName {
                kind: PrincipalType::Aws,
                value: text.clone(),
            }],
            Value::Object(kinds) => {
                let mut out = Vec::new();
                for (kind, values) in kinds {
                    let kind = match kind.as_str() {
                        "AWS" => PrincipalType::Aws,
                        "Federated" => PrincipalType::Federated,
                        "Service" => PrincipalType::Service,
                        "CanonicalUser" => PrincipalType::CanonicalUser,
                        _ => {
                            self.note(format!(
                                "statement {at} names a principal of an unknown kind"
                            ));
                            continue;
                        }
                    };
                    for value in self.strings(at, values) {
                        let kind = if kind == PrincipalType::Aws && value == "*" {
                            PrincipalType::Anyone
                        } else {
                            kind
                        };
                        out.push(PrincipalName { kind, value });
                    }
                }
                out
            }
            _ => {
                self.note(format!(
                    "statement {at} names its principal in no known way"
                ));
                Vec::new()
            }
        }
    }

    fn conditions(&mut self, at: usize, value: Option<&Value>) -> Vec<Condition> {
        let mut out = Vec::new();
        match value {
            None => {}
            Some(Value::Object(operators)) => {
                for (operator_text, keys) in operators {
                    let operator = Operator::parse(operator_text);
                    if operator.is_none() {
                        self.note(format!(
                            "statement {at} has a condition operator this program does not know"
                        ));
                    }
                    let Some(keys) = keys.as_object() else {
                        self.note(format!("statement {at} has a condition without keys"));
                        out.push(Condition::unreadable(operator_text));
                        continue;
                    };
                    for (key, values) in keys {
                        out.push(Condition {
                            operator,
                            operator_text: operator_text.clone(),
                            key: key.clone(),
                            values: self.strings(at, values),
                        });
                    }
                }
            }
            Some(_) => {
                self.note(format!(
                    "statement {at} has a condition that is not an object"
                ));
                out.push(Condition::unreadable("Condition"));
            }
        }
        out
    }
}

impl Condition {
    /// Stands for a condition that could not be read: nobody knows whether it holds.
    fn unreadable(operator_text: &str) -> Self {
        Self {
            operator: None,
            operator_text: operator_text.to_owned(),
            key: "(unreadable)".to_owned(),
            values: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn single_objects_and_single_values_are_read_like_lists() {
        let one = Policy::parse(&json!({"Version": "2012-10-17", "Statement":
            {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}));
        let many = Policy::parse(&json!({"Version": "2012-10-17", "Statement":
            [{"Effect": "Allow", "Action": ["s3:*"], "Resource": ["*"]}]}));
        assert_eq!(one, many);
        assert!(one.variables && one.notices.is_empty());
    }

    #[test]
    fn condition_values_may_be_booleans_and_numbers() {
        let policy = Policy::parse(
            &json!({"Statement": {"Effect": "Deny", "NotAction": "iam:*", "NotResource": "x",
            "Condition": {"Bool": {"aws:SecureTransport": false}, "NumericLessThan": {"aws:MultiFactorAuthAge": [3600]}}}}),
        );
        let statement = &policy.statements[0];
        assert!(!policy.variables);
        assert_eq!(statement.actions, Selection::Except(vec!["iam:*".into()]));
        let mut words: Vec<String> = statement.conditions.iter().map(Condition::words).collect();
        words.sort();
        assert_eq!(
            words,
            [
                "Bool aws:SecureTransport = false",
                "NumericLessThan aws:MultiFactorAuthAge = 3600"
            ]
        );
    }

    #[test]
    fn what_cannot_be_read_is_noted_and_the_rest_stands() {
        let policy = Policy::parse(&json!({"Extra": 1, "Statement": [
            7, {"Action": "x"}, {"Effect": "Allow", "Action": [1, {}], "Resource": "*", "Condition": []}]}));
        assert_eq!(policy.statements.len(), 1);
        assert_eq!(policy.notices.len(), 5, "{:?}", policy.notices);
        assert_eq!(policy.statements[0].conditions.len(), 1);
    }

    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z:*${}]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(
                    prop_oneof![
                        Just("Statement"),
                        Just("Effect"),
                        Just("Action"),
                        Just("Resource"),
                        Just("Principal"),
                        Just("Condition"),
                        Just("AWS"),
                        Just("StringLike"),
                        Just("NotAction")
                    ],
                    inner,
                    0..5
                )
                .prop_map(|map| map.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_read_without_panic(value in anything()) {
            let policy = Policy::parse(&value);
            prop_assert!(policy.statements.len() <= MAX_STATEMENTS);
        }
    }
}
