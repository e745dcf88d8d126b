//! What declarations say, as text to compare.

use crate::model::{Declarations, Federation, FingerprintKey};
use std::fmt::Write as _;

/// Jobs with their place, what they use and what is known of their run; then what could not be read.
pub(super) fn shown(out: &Declarations) -> String {
    let mut text = String::new();
    for consumer in &out.consumers {
        let place = consumer.location.as_ref().unwrap();
        let _ = writeln!(
            text,
            "{}:{} {} | {} {} {} | {}",
            place.line.unwrap(),
            place.column.unwrap(),
            consumer.name,
            consumer.environment.as_deref().unwrap_or("-"),
            consumer
                .timeout_seconds
                .map_or_else(|| "-".to_owned(), |limit| format!("{limit} s")),
            consumer.schedule.as_deref().unwrap_or("-"),
            match consumer.federation {
                Federation::Configured => "configured",
                Federation::Supported => "supported",
                Federation::Unavailable => "unavailable",
                Federation::Unknown => "unknown",
            },
        );
        for id in &consumer.uses.native_ids {
            let _ = writeln!(text, "    as {id}");
        }
        let mine = out
            .references
            .iter()
            .filter(|reference| reference.consumer.as_ref() == Some(&consumer.id));
        for reference in mine {
            let at = &reference.location;
            let _ = writeln!(
                text,
                "    {}:{} {} {} ({})",
                at.line.unwrap(),
                at.column.unwrap(),
                reference.store,
                reference.name,
                reference.kind.as_deref().unwrap_or("?"),
            );
        }
        for risk in &consumer.risks {
            let _ = writeln!(text, "    risk: {risk}");
        }
        for evidence in &consumer.evidence {
            let _ = writeln!(text, "    {} {}", evidence.grade.as_str(), evidence.text);
        }
    }
    for notice in &out.notices {
        let _ = writeln!(text, "{} {}", notice.status.as_str(), notice.reason);
    }
    text
}

/// What one file declares.
pub(super) fn declared(uri: &str, text: &str) -> Declarations {
    super::read("shop", uri, text.as_bytes(), &FingerprintKey::new([7; 32])).unwrap_or_default()
}
