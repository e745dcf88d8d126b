//! Addresses, programs and session names, shortened to what tells one consumer from another.

use super::event::plain;
use std::net::IpAddr;

/// The network of an address, or the host that called.
pub(super) fn network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V4(address)) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        Err(_) if address == "AWS Internal" => address.to_owned(),
        Err(_) if plain(address) => address.to_owned(),
        Err(_) => String::new(),
    }
}

/// Names inside a user agent that say more than its first word.
const TOOLS: [(&str, &str); 12] = [
    ("terraform", "Terraform"),
    ("opentofu", "OpenTofu"),
    ("pulumi", "Pulumi"),
    ("ansible", "Ansible"),
    ("cloudshell", "CloudShell"),
    ("configure-aws-credentials", "configure-aws-credentials"),
    ("console.amazonaws.com", "console"),
    ("signin.amazonaws.com", "console"),
    ("s3console", "console"),
    ("aws-internal/3 console", "console"),
    ("mozilla/", "browser"),
    ("kubectl", "kubectl"),
];

/// The program behind a user agent, without its version.
pub(super) fn agent(text: &str) -> String {
    let text = text.trim_matches(['[', ']', ' ']);
    let lower = text.to_ascii_lowercase();
    if let Some((_, name)) = TOOLS.iter().find(|(part, _)| lower.contains(part)) {
        return (*name).to_owned();
    }
    // Each service's page in the console has a host of its own.
    if lower.starts_with("console.") && lower.ends_with(".amazonaws.com") {
        return "console".to_owned();
    }
    if text == "AWS Internal" {
        return text.to_owned();
    }
    text.split(['/', ' ', ';', ','])
        .next()
        .unwrap_or_default()
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c))
        .take(48)
        .collect()
}

/// A count with its noun: `1 event`, `2 events`.
pub(super) fn plural(count: u64, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}

/// Whether a person sits behind a program of this name.
pub(super) fn by_hand(agent: &str) -> bool {
    matches!(agent, "console" | "browser" | "CloudShell")
}

/// A session's name with the parts that change from run to run as `#`.
pub(super) fn session_name(name: &str) -> String {
    if name.contains('@') {
        return name.to_owned();
    }
    let mut out = String::new();
    for part in name.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let (word, rest) = match part.char_indices().next_back() {
            Some((at, last)) if !last.is_ascii_alphanumeric() => part.split_at(at),
            _ => (part, ""),
        };
        let digits = word.bytes().filter(u8::is_ascii_digit).count();
        let changes = digits >= 4 || (digits >= 1 && word.len() >= 12);
        out.push_str(if changes { "#" } else { word });
        out.push_str(rest);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_call_to_call_is_left_out() {
        assert_eq!(network("203.0.113.77"), "203.0.113.0/24");
        assert_eq!(network("2001:db8:1:2::5"), "2001:db8:1::/48");
        assert_eq!(network("lambda.amazonaws.com"), "lambda.amazonaws.com");
        assert_eq!(network("<script>"), "");
        for (text, program) in [
            ("aws-cli/2.15.0 Python/3.11 Linux/5 exec-env/x", "aws-cli"),
            ("[Boto3/1.9 Python/3.7]", "Boto3"),
            ("APN/1.0 HashiCorp/1.0 Terraform/1.5.7", "Terraform"),
            ("Mozilla/5.0 (X11; Linux)", "browser"),
            ("signin.amazonaws.com", "console"),
            ("console.ec2.amazonaws.com", "console"),
            ("aws-sdk-go-v2/1.2 os/linux", "aws-sdk-go-v2"),
            (
                "cloudformation.amazonaws.com",
                "cloudformation.amazonaws.com",
            ),
            ("\u{1b}[31mx", "31mx"),
        ] {
            assert_eq!(agent(text), program);
        }
        for (name, stem) in [
            ("GitHubActions", "GitHubActions"),
            ("deploy-17285", "deploy-#"),
            ("i-0abc12def3456789a", "i-#"),
            ("ann@example.org", "ann@example.org"),
            ("build.7", "build.7"),
        ] {
            assert_eq!(session_name(name), stem);
        }
    }
}
