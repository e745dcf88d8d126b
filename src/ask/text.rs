//! Answers for people.

use crate::iam::decide::Answer;
use crate::iam::world::{Reason, Reply};
use crate::report::text::line;
use std::fmt::Write as _;

/// One answer with its reasons.
pub fn render(reply: &Reply) -> String {
    let mut out = headline(reply);
    for reason in &reply.because {
        let verb = if reason.effect == "Deny" {
            "denied by "
        } else {
            "allowed by"
        };
        let _ = write!(out, "  {verb}  {}", statement(reason));
        if !reason.depends_on.is_empty() {
            let _ = write!(out, "\n              if {}", conditions(reason));
        }
        out.push('\n');
    }
    for reason in &reply.unless {
        let _ = writeln!(out, "  unless      {}", denial(reason));
    }
    let blockers = reply.blockers();
    if !blockers.is_empty() {
        let _ = writeln!(out, "  granted, and stopped by: {}", blockers.join(", "));
    } else if reply.answer == Answer::Denied && reply.because.is_empty() && reply.notes.is_empty() {
        out.push_str("  no policy allows it\n");
    }
    for note in &reply.notes {
        let _ = writeln!(out, "  {} {}", note_word(reply), line(note));
    }
    out
}

fn note_word(reply: &Reply) -> &'static str {
    match reply.answer {
        Answer::DependsOn => "not seen:",
        _ => "note:",
    }
}

fn headline(reply: &Reply) -> String {
    let on = if reply.resource == "*" {
        String::new()
    } else {
        format!(" on {}", line(&reply.resource))
    };
    format!(
        "{}: {} {} {}{on}\n",
        reply.answer.as_str(),
        who(&reply.principal),
        match reply.answer {
            Answer::Allowed => "may do",
            Answer::DependsOn => "may do, depending on what follows,",
            Answer::Denied => "may not do",
        },
        line(&reply.action),
    )
}

fn who(principal: &str) -> String {
    if principal == "*" {
        "anyone".to_owned()
    } else {
        line(principal).into_owned()
    }
}

/// Everyone who can, one a line with the first reason.
pub fn render_who(action: &str, resource: &str, replies: &[Reply]) -> String {
    let on = if resource == "*" {
        String::new()
    } else {
        format!(" on {}", line(resource))
    };
    if replies.is_empty() {
        return format!("nobody the scan knows may do {}{on}\n", line(action));
    }
    let certain = replies
        .iter()
        .filter(|reply| reply.answer == Answer::Allowed)
        .count();
    let mut out = format!(
        "{certain} may do {}{on}, {} more depending on conditions\n",
        line(action),
        replies.len() - certain
    );
    for reply in replies {
        let _ = writeln!(
            out,
            "{:<10}  {}",
            reply.answer.as_str(),
            who(&reply.principal)
        );
        for reason in &reply.because {
            let _ = write!(out, "            {}", statement(reason));
            if !reason.depends_on.is_empty() {
                let _ = write!(out, " if {}", conditions(reason));
            }
            out.push('\n');
        }
        for reason in &reply.unless {
            let _ = writeln!(out, "            unless {}", denial(reason));
        }
        if reply.answer == Answer::DependsOn {
            for note in &reply.notes {
                let _ = writeln!(out, "            not seen: {}", line(note));
            }
        }
    }
    out
}

/// Which statement of which policy.
fn statement(reason: &Reason) -> String {
    format!("{}, {}", source(reason), line(&reason.statement))
}

/// What would deny it, and when.
fn denial(reason: &Reason) -> String {
    format!("{} denies it: {}", statement(reason), conditions(reason))
}

fn source(reason: &Reason) -> String {
    format!("{}: {}", reason.kind, line(&reason.policy))
}

fn conditions(reason: &Reason) -> String {
    line(&reason.depends_on.join(" and ")).into_owned()
}
