//! Terraform and OpenTofu files, in HCL and in JSON, as blocks and attributes with their places.

use super::super::infra::value::unmarked;
use super::super::jsonc;
use super::super::node::{Node, Parsed, Problem, Value};
use super::super::text::Text;
use super::relax::relax;
use super::repeated::unrepeated;
use hcl_edit::Span;
use hcl_edit::expr::{Array, Expression, Object, ObjectKey};
use hcl_edit::structure::{self, Structure};
use hcl_edit::template::{Element, StringTemplate};

/// An attribute.
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) expr: Expression,
}

/// A block and where it stands.
pub(super) struct Block {
    pub(super) kind: String,
    pub(super) labels: Vec<String>,
    pub(super) body: Body,
    pub(super) place: Place,
}

/// The problem of a text that is whole but for a key that it has twice.
pub(super) const REPEATED: &str = "a key that is there twice";

/// Line and column.
pub(super) type Place = (u32, u32);

/// Attributes and blocks in the order of the file.
#[derive(Default)]
pub(super) struct Body {
    pub(super) attributes: Vec<Attribute>,
    pub(super) blocks: Vec<Block>,
}

impl Body {
    /// An attribute by its name.
    pub(super) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes
            .iter()
            .find(|attribute| attribute.name == name)
    }

    /// Blocks of one kind.
    pub(super) fn blocks<'b>(&'b self, kind: &'b str) -> impl Iterator<Item = &'b Block> {
        self.blocks.iter().filter(move |block| block.kind == kind)
    }
}

/// Reads HCL. Where a file is not whole, every block at its left margin that is whole is read all the same.
pub(super) fn hcl(text: &str) -> (Body, Vec<Problem>) {
    let places = Text::new(text.as_bytes());
    let mut body = Body::default();
    let error = match hcl_edit::parser::parse_body(places.as_str()) {
        Ok(parsed) => {
            add(&mut body, &parsed, &places, 0);
            return (body, Vec::new());
        }
        Err(error) => error,
    };
    let relaxed = relax(places.as_str());
    let left = match hcl_edit::parser::parse_body(&relaxed) {
        Ok(parsed) => {
            add(&mut body, &parsed, &places, 0);
            return (body, Vec::new());
        }
        Err(left) => left,
    };
    if let Some(unique) = unrepeated(&relaxed, &left)
        && let Ok(parsed) = hcl_edit::parser::parse_body(&unique)
    {
        add(&mut body, &parsed, &places, 0);
        let problem = Problem::marked(
            left.location().line(),
            left.location().column().saturating_sub(1),
            REPEATED,
        );
        return (body, vec![problem]);
    }
    for (start, chunk) in chunks(&relaxed) {
        match hcl_edit::parser::parse_body(chunk) {
            Ok(parsed) => add(&mut body, &parsed, &places, start),
            Err(error) => {
                let unique = unrepeated(chunk, &error);
                let parsed = unique.and_then(|text| hcl_edit::parser::parse_body(&text).ok());
                if let Some(parsed) = parsed {
                    add(&mut body, &parsed, &places, start);
                }
            }
        }
    }
    let problem = Problem::marked(
        error.location().line(),
        error.location().column().saturating_sub(1),
        "not valid HCL",
    );
    (body, vec![problem])
}

/// Pieces of a text that begin at the left margin and end before the next that does.
fn chunks(text: &str) -> Vec<(usize, &str)> {
    let mut starts = Vec::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
            starts.push(at);
        }
        at += line.len();
    }
    let ends = starts
        .iter()
        .skip(1)
        .copied()
        .chain(std::iter::once(text.len()));
    starts
        .iter()
        .zip(ends)
        .filter_map(|(start, end)| Some((*start, text.get(*start..end)?)))
        .collect()
}

fn add(body: &mut Body, parsed: &structure::Body, places: &Text<'_>, start: usize) {
    let place = |span: Option<std::ops::Range<usize>>| {
        places.position(start + span.map_or(0, |span| span.start))
    };
    for structure in parsed {
        match structure {
            Structure::Attribute(attribute) => body.attributes.push(Attribute {
                name: unmarked(attribute.key.as_str()),
                expr: attribute.value.clone(),
            }),
            Structure::Block(block) => {
                let mut inner = Body::default();
                add(&mut inner, &block.body, places, start);
                body.blocks.push(Block {
                    kind: unmarked(block.ident.as_str()),
                    labels: block
                        .labels
                        .iter()
                        .map(|label| unmarked(label.as_str()))
                        .collect(),
                    body: inner,
                    place: place(block.ident.span().or_else(|| block.span())),
                });
            }
        }
    }
}

/// Blocks of Terraform's JSON: how many labels each kind has.
const LABELS: [(&str, usize); 9] = [
    ("resource", 2),
    ("data", 2),
    ("ephemeral", 2),
    ("variable", 1),
    ("output", 1),
    ("module", 1),
    ("provider", 1),
    ("locals", 0),
    ("terraform", 0),
];

/// Reads JSON.
pub(super) fn json(text: &str) -> (Body, Vec<Problem>) {
    let text = Text::new(text.as_bytes());
    let Parsed {
        documents,
        problems,
        ..
    } = jsonc::parse(&text);
    let mut body = Body::default();
    for (key, node) in documents.iter().flat_map(Node::entries) {
        match LABELS.iter().find(|(kind, _)| *kind == key.text) {
            Some((kind, labels)) => {
                labelled(
                    &mut body,
                    kind,
                    *labels,
                    &mut Vec::new(),
                    node,
                    (key.line, key.column),
                );
            }
            None => body.attributes.push(Attribute {
                name: unmarked(&key.text),
                expr: expression(node, 0),
            }),
        }
    }
    (body, problems)
}

fn labelled(
    body: &mut Body,
    kind: &str,
    more: usize,
    labels: &mut Vec<String>,
    node: &Node,
    place: Place,
) {
    if !node.items().is_empty() {
        for item in node.items() {
            labelled(body, kind, more, labels, item, place);
        }
        return;
    }
    if more > 0 {
        for (key, below) in node.entries() {
            labels.push(unmarked(&key.text));
            labelled(body, kind, more - 1, labels, below, (key.line, key.column));
            labels.pop();
        }
        return;
    }
    let attributes = node.entries().map(|(key, value)| Attribute {
        name: unmarked(&key.text),
        expr: expression(value, 0),
    });
    body.blocks.push(Block {
        kind: kind.to_owned(),
        labels: labels.clone(),
        body: Body {
            attributes: attributes.collect(),
            blocks: Vec::new(),
        },
        place,
    });
}

/// A JSON value as the expression it stands for: strings are templates.
fn expression(node: &Node, depth: usize) -> Expression {
    if depth > 60 {
        return Expression::null();
    }
    match &node.value {
        Value::Null => Expression::null(),
        Value::Scalar { text, plain: true } => match text.as_str() {
            "true" => Expression::from(true),
            "false" => Expression::from(false),
            "null" => Expression::null(),
            number => match number.parse::<i64>() {
                Ok(number) => Expression::from(number),
                Err(_) => Expression::from(number),
            },
        },
        Value::Scalar { text, .. } if text.contains("${") || text.contains("%{") => template(text),
        Value::Scalar { text, .. } => Expression::from(text.as_str()),
        Value::List(items) => {
            let mut array = Array::new();
            for item in items {
                array.push(expression(item, depth + 1));
            }
            Expression::from(array)
        }
        Value::Map(entries) => {
            let mut object = Object::new();
            for (key, value) in entries {
                object.insert(
                    ObjectKey::Expression(Expression::from(key.text.as_str())),
                    expression(value, depth + 1),
                );
            }
            Expression::from(object)
        }
    }
}

fn template(text: &str) -> Expression {
    let Ok(parsed) = hcl_edit::parser::parse_template(text) else {
        return Expression::from(text);
    };
    // A template of one interpolation is the value itself.
    if let Some(Element::Interpolation(only)) = parsed.as_single_element() {
        return only.expr.clone();
    }
    let mut template = StringTemplate::new();
    for element in &parsed {
        template.push(element.clone());
    }
    Expression::from(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_attributes_know_their_place() {
        let (body, problems) = hcl("# é\nresource \"aws_iam_role\" \"a\" {\n  name = \"x\"\n}\n");
        assert!(problems.is_empty());
        let block = &body.blocks[0];
        assert_eq!(
            (block.place, block.labels.join(".")),
            ((2, 1), "aws_iam_role.a".to_owned())
        );
        assert_eq!(block.body.attributes[0].name, "name");
    }

    #[test]
    fn whole_blocks_of_a_broken_file_are_read() {
        let (body, problems) = hcl(
            "resource \"a\" \"one\" {\n  x = 1\n}\n\nresource \"a\" \"two\" {\n  x = = 1\n}\n\nresource \"a\" \"three\" {\n}\n",
        );
        let labels: Vec<&str> = body
            .blocks
            .iter()
            .map(|block| block.labels[1].as_str())
            .collect();
        assert_eq!(labels, ["one", "three"]);
        assert_eq!(body.blocks[1].place, (9, 1));
        assert_eq!((problems.len(), problems[0].line), (1, 6));
    }

    #[test]
    fn json_is_read_like_hcl() {
        let (body, problems) = json(
            "{\"resource\": {\"aws_iam_role\": {\"a\": {\"name\": \"${var.x}\", \"n\": 1}}},\n \"locals\": [{\"b\": \"p-${c.d}\"}]}",
        );
        assert!(problems.is_empty());
        assert_eq!(body.blocks[0].labels, ["aws_iam_role", "a"]);
        assert_eq!(body.blocks[0].place, (1, 32));
        assert!(matches!(
            body.blocks[0].body.attributes[0].expr,
            Expression::Traversal(_)
        ));
        assert_eq!(body.blocks[1].kind, "locals");
    }
}
