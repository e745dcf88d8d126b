//! TOML as a located tree.

use super::node::{Key, MAX_DEPTH, Node, Parsed, Problem, Value};
use super::text::Text;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Parses a text.
pub(super) fn parse(text: &Text<'_>) -> Parsed {
    let mut parsed = Parsed::default();
    match DeTable::parse(text.as_str()) {
        Ok(table) => {
            let span = table.span();
            let value = map(text, table.get_ref(), 0);
            parsed.documents.push(located(text, &span, value));
        }
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            parsed
                .problems
                .push(Problem::at(text, at, "not valid TOML"));
        }
    }
    parsed
}

fn located(text: &Text<'_>, span: &Range<usize>, value: Value) -> Node {
    Node::at(text, (span.start, span.end), value)
}

fn map(text: &Text<'_>, table: &DeTable<'_>, depth: usize) -> Value {
    let entries = table.iter().map(|(key, value)| {
        let (line, column) = text.position(key.span().start);
        let key = Key {
            text: key.get_ref().to_string(),
            line,
            column,
        };
        (key, node(text, value, depth + 1))
    });
    Value::Map(entries.collect())
}

fn node(text: &Text<'_>, value: &Spanned<DeValue<'_>>, depth: usize) -> Node {
    let scalar = |text: &str, plain: bool| Value::Scalar {
        text: text.to_owned(),
        plain,
    };
    let inner = match value.get_ref() {
        _ if depth >= MAX_DEPTH => Value::Null,
        DeValue::String(string) => scalar(string, false),
        DeValue::Boolean(true) => scalar("true", true),
        DeValue::Boolean(false) => scalar("false", true),
        DeValue::Array(items) => Value::List(
            items
                .iter()
                .map(|item| node(text, item, depth + 1))
                .collect(),
        ),
        DeValue::Table(table) => map(text, table, depth),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) => {
            let span = value.span();
            scalar(text.slice(span.start, span.end).trim(), true)
        }
    };
    located(text, &value.span(), inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tables_keys_and_values_know_their_place() {
        let text =
            Text::new(b"a = 1\n\n[mcp_servers.x]\ncommand = \"y\"\non = true\nn = [1, 'z']\n");
        let parsed = parse(&text);
        let server = parsed.documents[0].path(&["mcp_servers", "x"]).unwrap();
        let (key, command) = server.entry("command").unwrap();
        assert_eq!((key.line, key.column, command.column), (4, 1, 11));
        assert_eq!(server.get("on").unwrap().as_bool(), Some(true));
        assert_eq!(server.get("n").unwrap().items()[1].as_str(), Some("z"));
    }

    #[test]
    fn problems_have_a_place_and_no_content() {
        let problem = parse(&Text::new(b"a = 1\nb = secret")).problems[0];
        assert_eq!((problem.line, problem.kind), (2, "not valid TOML"));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>(), near in "[\\[\\]{}=.a\"'\n#1é ]{0,60}") {
            let _ = parse(&Text::new(text.as_bytes()));
            let _ = parse(&Text::new(near.as_bytes()));
        }
    }
}
