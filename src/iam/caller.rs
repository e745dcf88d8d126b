//! Who asks: a user, a role, one of its sessions, a service, a federated identity, the root user, or nobody known; and
//! whether a policy names them.

use super::policy::{Effect, PrincipalName, PrincipalType, Selection};

/// What kind of caller it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallerKind {
    /// IAM user.
    User,
    /// IAM role, whatever its sessions are called.
    Role,
    /// One session of a role.
    Session,
    /// Session of a federated user (`GetFederationToken`).
    FederatedUser,
    /// Root user of an account.
    Root,
    /// AWS service.
    Service,
    /// Holder of a token of an OIDC or SAML provider, before it has become a role.
    Federated,
    /// Nobody known.
    Anonymous,
}

/// One caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Its kind.
    pub kind: CallerKind,
    /// ARN, host name of the service, or ARN of the provider; empty for nobody known.
    pub arn: String,
    /// Account; empty where it has none.
    pub account: String,
    /// Name of the user or role, or of the federated user.
    pub name: String,
    /// `AIDA…` or `AROA…`, if known.
    pub unique_id: String,
    /// Only a service of AWS can act as it.
    pub service_linked: bool,
}

/// How a resource policy names a caller, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// Not at all.
    No,
    /// By its account: the account's own policies decide.
    Account,
    /// Perhaps: by a session the role may or may not have.
    PerhapsSession,
    /// By the role of the session.
    Role,
    /// By itself, or as everyone.
    Itself,
}

impl Caller {
    /// Reads an ARN, a service's host name, or `*` for nobody known. `None` when it is none of these.
    pub fn parse(text: &str) -> Option<Self> {
        let caller = |kind, account: &str, name: &str| Self {
            kind,
            arn: text.to_owned(),
            account: account.to_owned(),
            name: name.to_owned(),
            unique_id: String::new(),
            service_linked: false,
        };
        if text == "*" || text.eq_ignore_ascii_case("anonymous") {
            return Some(Self {
                arn: String::new(),
                ..caller(CallerKind::Anonymous, "", "")
            });
        }
        let Some(rest) = text.strip_prefix("arn:") else {
            let service = text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn");
            let federated = matches!(
                text,
                "accounts.google.com"
                    | "www.amazon.com"
                    | "graph.facebook.com"
                    | "cognito-identity.amazonaws.com"
            );
            return match (federated, service) {
                (true, _) => Some(caller(CallerKind::Federated, "", text)),
                (false, true) => Some(caller(CallerKind::Service, "", text)),
                (false, false) => None,
            };
        };
        let mut parts = rest.splitn(5, ':').skip(1);
        let (service, _, account, resource) =
            (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let (kind, name) = resource.split_once('/').unwrap_or((resource, ""));
        let last = name.rsplit('/').next().unwrap_or(name);
        match (service, kind) {
            ("iam", "root") => Some(caller(CallerKind::Root, account, "root")),
            ("iam", "user") if !last.is_empty() => Some(caller(CallerKind::User, account, last)),
            ("iam", "role") if !last.is_empty() => Some(Self {
                service_linked: name.starts_with("aws-service-role/"),
                ..caller(CallerKind::Role, account, last)
            }),
            ("iam", "oidc-provider" | "saml-provider") => {
                Some(caller(CallerKind::Federated, account, name))
            }
            ("sts", "assumed-role") => {
                let (role, session) = name.split_once('/')?;
                let named = !role.is_empty() && !session.is_empty();
                named.then(|| caller(CallerKind::Session, account, role))
            }
            ("sts", "federated-user") => Some(caller(CallerKind::FederatedUser, account, name)),
            _ => None,
        }
    }

    /// Whether policies of its own account speak for it.
    pub const fn has_account(&self) -> bool {
        matches!(
            self.kind,
            CallerKind::User
                | CallerKind::Role
                | CallerKind::Session
                | CallerKind::FederatedUser
                | CallerKind::Root
        )
    }

    /// How a statement's `Principal` or `NotPrincipal` speaks of the caller.
    ///
    /// A deny to all but some spares who is listed by ARN, or by the ARN of its role; to list the account is not enough. An
    /// allow to all but some leaves out the whole account. Whoever is not left out is spoken of like everyone.
    pub fn named_in(&self, principals: &Selection<PrincipalName>, effect: Effect) -> Naming {
        match principals {
            Selection::Absent => Naming::No,
            Selection::Only(list) => list
                .iter()
                .map(|principal| self.named_by(principal))
                .max()
                .unwrap_or(Naming::No),
            Selection::Except(list) => {
                let least = match effect {
                    Effect::Allow => Naming::Account,
                    Effect::Deny => Naming::Role,
                };
                if list
                    .iter()
                    .any(|principal| self.named_by(principal) >= least)
                {
                    Naming::No
                } else {
                    Naming::Itself
                }
            }
        }
    }

    /// Whether another session of the same role is named.
    pub fn session_named_in(&self, principals: &Selection<PrincipalName>) -> Naming {
        match principals {
            Selection::Only(list)
                if self.kind == CallerKind::Session
                    && list
                        .iter()
                        .any(|principal| self.is_session_of_its_role(&principal.value)) =>
            {
                Naming::PerhapsSession
            }
            _ => Naming::No,
        }
    }

    fn is_session_of_its_role(&self, value: &str) -> bool {
        resource_of(value, "sts", &self.account)
            .and_then(|resource| resource.strip_prefix("assumed-role/"))
            .and_then(|path| path.split('/').next())
            == Some(self.name.as_str())
    }

    /// How one listed principal speaks of the caller.
    pub fn named_by(&self, principal: &PrincipalName) -> Naming {
        let value = principal.value.as_str();
        let exactly = |yes: bool| if yes { Naming::Itself } else { Naming::No };
        match principal.kind {
            PrincipalType::Anyone => Naming::Itself,
            PrincipalType::Service => {
                exactly(self.kind == CallerKind::Service && self.arn.eq_ignore_ascii_case(value))
            }
            PrincipalType::Federated => {
                exactly(self.kind == CallerKind::Federated && self.arn == value)
            }
            PrincipalType::CanonicalUser => Naming::No,
            PrincipalType::Aws if !self.has_account() => Naming::No,
            PrincipalType::Aws => self.named_by_value(value),
        }
    }

    fn named_by_value(&self, value: &str) -> Naming {
        if self.is_account(value) {
            return if self.kind == CallerKind::Root {
                Naming::Itself
            } else {
                Naming::Account
            };
        }
        if value == self.arn || (!self.unique_id.is_empty() && value == self.unique_id) {
            return if self.kind == CallerKind::Role {
                Naming::Role
            } else {
                Naming::Itself
            };
        }
        match self.kind {
            // The ARN of a session leaves out the role's path; a role's name is unique in its account.
            CallerKind::Session
                if resource_of(value, "iam", &self.account)
                    .and_then(|resource| resource.strip_prefix("role/"))
                    .and_then(|path| path.rsplit('/').next())
                    == Some(self.name.as_str()) =>
            {
                Naming::Role
            }
            CallerKind::Role if self.is_session_of_its_role(value) => Naming::PerhapsSession,
            _ => Naming::No,
        }
    }

    fn is_account(&self, value: &str) -> bool {
        !self.account.is_empty()
            && (value == self.account || resource_of(value, "iam", &self.account) == Some("root"))
    }
}

/// Resource segment of an ARN of this service and account.
fn resource_of<'v>(arn: &'v str, service: &str, account: &str) -> Option<&'v str> {
    let mut parts = arn.strip_prefix("arn:")?.splitn(5, ':').skip(1);
    let found = parts.next()? == service && parts.next().is_some() && parts.next()? == account;
    parts.next().filter(|_| found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::policy::Policy;
    use serde_json::{Value, json};

    fn naming(caller: &str, element: &str, value: &Value, effect: Effect) -> Naming {
        let policy = Policy::parse(&json!({"Statement": {"Effect": "Allow", element: value}}));
        Caller::parse(caller)
            .unwrap()
            .named_in(&policy.statements[0].principals, effect)
    }

    const USER: &str = "arn:aws:iam::111122223333:user/team/ana";
    const ROLE: &str = "arn:aws:iam::111122223333:role/team/deploy";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/deploy/one";

    #[test]
    fn principals_name_callers() {
        for (caller, value, expected) in [
            (USER, json!({"AWS": USER}), Naming::Itself),
            (USER, json!(USER), Naming::Itself),
            (USER, json!("*"), Naming::Itself),
            (USER, json!({"AWS": "*"}), Naming::Itself),
            (USER, json!({"AWS": "111122223333"}), Naming::Account),
            (
                USER,
                json!({"AWS": "arn:aws:iam::111122223333:root"}),
                Naming::Account,
            ),
            (USER, json!({"AWS": "arn:aws:iam::1:root"}), Naming::No),
            (USER, json!({"Service": "ec2.amazonaws.com"}), Naming::No),
            (
                USER,
                json!({"AWS": "arn:aws:iam::111122223333:user/*"}),
                Naming::No,
            ),
            (ROLE, json!({"AWS": ROLE}), Naming::Role),
            (ROLE, json!({"AWS": SESSION}), Naming::PerhapsSession),
            (SESSION, json!({"AWS": ROLE}), Naming::Role),
            (SESSION, json!({"AWS": [ROLE, SESSION]}), Naming::Itself),
            (
                SESSION,
                json!({"AWS": "arn:aws:sts::111122223333:assumed-role/deploy/two"}),
                Naming::No,
            ),
            (
                "arn:aws:iam::111122223333:root",
                json!({"AWS": "111122223333"}),
                Naming::Itself,
            ),
            (
                "ec2.amazonaws.com",
                json!({"Service": ["a.amazonaws.com", "ec2.amazonaws.com"]}),
                Naming::Itself,
            ),
            ("*", json!({"AWS": "111122223333"}), Naming::No),
            ("*", json!("*"), Naming::Itself),
            (
                "arn:aws:iam::111122223333:oidc-provider/x.example",
                json!({"Federated": "arn:aws:iam::111122223333:oidc-provider/x.example"}),
                Naming::Itself,
            ),
        ] {
            assert_eq!(
                naming(caller, "Principal", &value, Effect::Allow),
                expected,
                "{caller} {value}"
            );
        }
    }

    #[test]
    fn not_principal_spares_who_is_listed_whole() {
        for (caller, value, spared) in [
            (USER, json!({"AWS": USER}), true),
            (USER, json!({"AWS": "111122223333"}), false),
            (ROLE, json!({"AWS": ROLE}), true),
            (SESSION, json!({"AWS": ROLE}), true),
            (
                SESSION,
                json!({"AWS": "arn:aws:sts::111122223333:assumed-role/deploy/two"}),
                false,
            ),
            (SESSION, json!({"AWS": [ROLE, SESSION]}), true),
            (USER, json!("*"), true),
            ("*", json!({"AWS": USER}), false),
        ] {
            let naming = naming(caller, "NotPrincipal", &value, Effect::Deny);
            assert_eq!(naming == Naming::No, spared, "{caller} {value}");
        }
    }

    #[test]
    fn an_allow_to_all_but_an_account_leaves_it_out() {
        let value = json!({"AWS": "111122223333"});
        assert_eq!(
            naming(USER, "NotPrincipal", &value, Effect::Allow),
            Naming::No
        );
        assert_eq!(
            naming(
                "arn:aws:iam::1:user/x",
                "NotPrincipal",
                &value,
                Effect::Allow
            ),
            Naming::Itself
        );
    }

    #[test]
    fn what_is_no_caller_is_refused() {
        for text in [
            "",
            "ana",
            "arn:aws:s3:::b",
            "arn:aws:iam::1:group/g",
            "arn:aws:sts::1:assumed-role/r",
            "arn:aws:iam::1:user/",
        ] {
            assert_eq!(Caller::parse(text), None, "{text}");
        }
        assert!(
            Caller::parse("arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/R")
                .unwrap()
                .service_linked
        );
    }
}
