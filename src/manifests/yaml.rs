//! YAML as a located tree.
//!
//! Reads the parser's events rather than deserialized values: that keeps the position of keys, keeps every scalar as it
//! is written (`on:` stays a string), and lets a broken document be left out without losing its neighbours.

use super::margin::{self, Moved};
use super::node::{Key, MAX_DEPTH, Node, Parsed, Problem, Value};
use super::text::{Text, saturate};
use serde_saphyr::granit_parser::{ErrorKind, Event, Options, Parser, ScalarStyle, Span, Tag};
use std::collections::BTreeMap;

/// Most nodes of one file, aliases expanded.
const MAX_NODES: usize = 400_000;
/// Most bytes that expanding aliases may add.
const MAX_ALIAS_BYTES: usize = 8 << 20;
/// Most bytes of one file that are read again because lines had to be moved.
const MAX_REREAD: usize = 16 << 20;
/// Most documents of one file.
const MAX_DOCUMENTS: usize = 10_000;

/// A collection whose end has not come yet.
struct Frame {
    start: Span,
    anchor: usize,
    tag: Option<Box<str>>,
    height: usize,
    open: Open,
}

enum Open {
    List(Vec<Node>),
    Map(Vec<(Key, Node)>, Option<Key>),
}

/// A finished node that aliases may name.
struct Anchored {
    node: Node,
    height: usize,
    nodes: usize,
    bytes: usize,
}

#[derive(Default)]
struct Builder {
    frames: Vec<Frame>,
    anchors: BTreeMap<usize, Anchored>,
    documents: Vec<Node>,
    nodes: usize,
    alias_bytes: usize,
}

/// Parses every document of a text.
pub(super) fn parse(text: &Text<'_>) -> Parsed {
    let (mut parsed, mut margin) = attempt(text.as_str());
    let mut shifts: Vec<Moved> = Vec::new();
    let mut left = MAX_REREAD;
    while let Some(line) = margin {
        let source = shifts.last().map_or(text.as_str(), |last| &last.text);
        let Some(next) = margin::moved(source, line) else {
            break;
        };
        let Some(rest) = left.checked_sub(next.text.len()) else {
            break;
        };
        left = rest;
        (parsed, margin) = attempt(&next.text);
        shifts.push(next);
    }
    if !shifts.is_empty() {
        for node in parsed.documents.iter_mut().chain(&mut parsed.broken) {
            move_back(node, &shifts);
        }
    }
    parsed
}

/// Spans of the text as it was before lines were moved. Lines stay, and so do columns of everything but moved lines.
fn move_back(node: &mut Node, shifts: &[Moved]) {
    let back = |offset: usize| {
        shifts
            .iter()
            .rev()
            .fold(offset, |offset, moved| moved.source(offset))
    };
    node.span = (back(node.span.0), back(node.span.1));
    match &mut node.value {
        Value::Null | Value::Scalar { .. } => {}
        Value::List(items) => items.iter_mut().for_each(|item| move_back(item, shifts)),
        Value::Map(entries) => entries
            .iter_mut()
            .for_each(|(_, node)| move_back(node, shifts)),
    }
}

/// Parses a text; also the first line of a quoted text that begins too far left.
fn attempt(text: &str) -> (Parsed, Option<usize>) {
    let mut options = Options::default();
    options.set_emit_comments(false);
    options.emit_unresolved_aliases = true;
    let mut parser = Parser::new_from_str_with_options(text, options);
    let mut builder = Builder::default();
    let mut problems = Vec::new();
    let mut broken = Vec::new();
    let mut margin = None;
    loop {
        let problem = match parser.next_event() {
            None => break,
            Some(Ok((event, span))) => match builder.accept(event, span) {
                Ok(()) => continue,
                Err(kind) => Problem::marked(span.start.line(), span.start.col(), kind),
            },
            Some(Err(error)) => {
                let marker = error.marker();
                if matches!(error.kind(), ErrorKind::InvalidQuotedScalarIndent) {
                    margin = margin.or(Some(marker.line()));
                }
                Problem::marked(marker.line(), marker.col(), "not valid YAML")
            }
        };
        problems.push(problem);
        broken.extend(builder.abandon());
        // A budget that is spent stays spent; a syntax error ends with its document.
        if builder.spent()
            || problems.len() + builder.documents.len() >= MAX_DOCUMENTS
            || !parser.proceed_next_document().unwrap_or(false)
        {
            break;
        }
    }
    let parsed = Parsed {
        documents: builder.documents,
        broken,
        problems,
    };
    (parsed, margin)
}

impl Builder {
    fn accept(&mut self, event: Event<'_>, span: Span) -> Result<(), &'static str> {
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain;
                let value = if plain
                    && tag.is_none()
                    && matches!(&*value, "" | "~" | "null" | "Null" | "NULL")
                {
                    Value::Null
                } else {
                    Value::Scalar {
                        text: value.into_owned(),
                        plain,
                    }
                };
                let mut node = located(value, span, span);
                node.tag = local(tag.as_deref());
                self.finish(node, anchor, 1)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.open(span, anchor, local(tag.as_deref()), Open::List(Vec::new()))
            }
            Event::MappingStart(_, anchor, tag) => self.open(
                span,
                anchor,
                local(tag.as_deref()),
                Open::Map(Vec::new(), None),
            ),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(frame) = self.frames.pop() else {
                    return Ok(());
                };
                let value = match frame.open {
                    Open::List(items) => Value::List(items),
                    Open::Map(entries, _) => Value::Map(merged(entries)),
                };
                let mut node = located(value, frame.start, span);
                node.tag = frame.tag;
                self.finish(node, frame.anchor, frame.height + 1)
            }
            Event::Alias(id) => {
                let Some(anchored) = self.anchors.get(&id) else {
                    return self.finish(located(Value::Null, span, span), 0, 1);
                };
                let height = anchored.height;
                self.nodes = self.nodes.saturating_add(anchored.nodes);
                self.alias_bytes = self.alias_bytes.saturating_add(anchored.bytes);
                if self.spent() {
                    return Err("too large once its aliases are expanded");
                }
                let mut node = anchored.node.clone();
                // Where it is used; its source text stays where it is written.
                node.line = saturate(span.start.line());
                node.column = saturate(span.start.col() + 1);
                self.finish(node, 0, height)
            }
            Event::UnresolvedAlias(_) => self.finish(located(Value::Null, span, span), 0, 1),
            _ => Ok(()),
        }
    }

    fn open(
        &mut self,
        start: Span,
        anchor: usize,
        tag: Option<Box<str>>,
        open: Open,
    ) -> Result<(), &'static str> {
        if self.frames.len() >= MAX_DEPTH {
            return Err("nested too deeply");
        }
        self.frames.push(Frame {
            start,
            anchor,
            tag,
            height: 0,
            open,
        });
        Ok(())
    }

    /// Puts a finished node where it belongs: into the open collection, or among the documents.
    fn finish(&mut self, node: Node, anchor: usize, height: usize) -> Result<(), &'static str> {
        self.nodes = self.nodes.saturating_add(1);
        if self.spent() {
            return Err("too many nodes");
        }
        // Aliases in aliases nest without any nesting in the text.
        if self.frames.len() + height > MAX_DEPTH {
            return Err("nested too deeply");
        }
        if anchor != 0 {
            let (nodes, bytes) = weigh(&node);
            self.alias_bytes = self.alias_bytes.saturating_add(bytes);
            self.anchors.insert(
                anchor,
                Anchored {
                    node: node.clone(),
                    height,
                    nodes,
                    bytes,
                },
            );
        }
        let Some(frame) = self.frames.last_mut() else {
            self.documents.push(node);
            self.anchors.clear();
            return Ok(());
        };
        frame.height = frame.height.max(height);
        match &mut frame.open {
            Open::List(items) => items.push(node),
            Open::Map(entries, key) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    *key = Some(Key {
                        line: node.line,
                        column: node.column,
                        text: match node.value {
                            Value::Scalar { text, .. } => text,
                            _ => String::new(),
                        },
                    });
                }
            },
        }
        Ok(())
    }

    /// Gives the open document up: what of it is whole so far.
    fn abandon(&mut self) -> Option<Node> {
        let mut inner: Option<Node> = None;
        while let Some(frame) = self.frames.pop() {
            let value = match frame.open {
                Open::List(mut items) => {
                    items.extend(inner.take());
                    Value::List(items)
                }
                Open::Map(mut entries, key) => {
                    entries.extend(key.zip(inner.take()));
                    Value::Map(merged(entries))
                }
            };
            inner = Some(located(value, frame.start, frame.start));
        }
        self.anchors.clear();
        inner
    }

    const fn spent(&self) -> bool {
        self.nodes > MAX_NODES || self.alias_bytes > MAX_ALIAS_BYTES
    }
}

/// The name of a local tag.
fn local(tag: Option<&Tag>) -> Option<Box<str>> {
    tag.filter(|tag| tag.handle() == "!" && !tag.suffix().is_empty())
        .map(|tag| tag.suffix().into())
}

fn located(value: Value, start: Span, end: Span) -> Node {
    let from = start.start.byte_offset().unwrap_or(0);
    Node {
        value,
        line: saturate(start.start.line()),
        column: saturate(start.start.col() + 1),
        span: (from, end.end.byte_offset().unwrap_or(from)),
        tag: None,
    }
}

/// Replaces `<<` by the entries it brings; keys written out win over merged ones, earlier merges over later ones.
fn merged(entries: Vec<(Key, Node)>) -> Vec<(Key, Node)> {
    if !entries.iter().any(|(key, _)| key.text == "<<") {
        return entries;
    }
    let (merges, mut own): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|(key, _)| key.text == "<<");
    for (_, node) in merges {
        let sources = match node.value {
            Value::List(items) => items,
            _ => vec![node],
        };
        for source in sources {
            if let Value::Map(more) = source.value {
                for (key, node) in more {
                    if !own.iter().any(|(known, _)| known.text == key.text) {
                        own.push((key, node));
                    }
                }
            }
        }
    }
    own
}

/// Nodes and text bytes of a tree.
fn weigh(node: &Node) -> (usize, usize) {
    let sum = |parts: &mut dyn Iterator<Item = &Node>| {
        parts
            .map(weigh)
            .fold((1, 0), |(nodes, bytes), (n, b)| (nodes + n, bytes + b))
    };
    match &node.value {
        Value::Null => (1, 0),
        Value::Scalar { text, .. } => (1, text.len()),
        Value::List(items) => sum(&mut items.iter()),
        Value::Map(entries) => {
            let keys: usize = entries.iter().map(|(key, _)| key.text.len()).sum();
            let (nodes, bytes) = sum(&mut entries.iter().map(|(_, node)| node));
            (nodes, bytes + keys)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(text: &str) -> Node {
        let mut parsed = parse(&Text::new(text.as_bytes()));
        assert!(parsed.problems.is_empty());
        parsed.documents.remove(0)
    }

    #[test]
    fn keys_and_values_know_their_place() {
        let node = one("# head\non:\n  push: {ü: [x, y]}\nno: true\n");
        let (key, on) = node.entry("on").unwrap();
        assert_eq!((key.line, key.column), (2, 1));
        let list = on.path(&["push", "ü"]).unwrap();
        assert_eq!((list.items()[1].line, list.items()[1].column), (3, 17));
        assert_eq!(node.get("no").unwrap().as_bool(), Some(true));
    }

    #[test]
    fn a_block_scalar_spans_its_text() {
        let source = "run: |\n  echo one\n  echo two\nnext: 1\n";
        let node = one(source);
        let (from, to) = node.get("run").unwrap().span;
        assert!(source[from..to].contains("echo one\n  echo two"));
    }

    #[test]
    fn a_broken_document_leaves_its_neighbours() {
        let parsed = parse(&Text::new(b"a: 1\n---\nb: [1\n---\nc: 3\n"));
        assert_eq!(parsed.documents.len(), 2);
        assert_eq!(parsed.problems.len(), 1);
        assert!(parsed.documents[1].get("c").is_some());
    }

    #[test]
    fn aliases_and_merges_are_expanded() {
        let node = one("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3\n");
        assert_eq!(node.text_at(&["use", "x"]), Some("1"));
        assert_eq!(node.text_at(&["use", "y"]), Some("3"));
    }

    #[test]
    fn quoted_texts_may_begin_further_left_as_elsewhere() {
        let source = "r:\n  policy: !Sub '{\n  \"a\": 1\n  }'\n  note: \"one\n  two\"\n  name: x\n";
        let node = one(source);
        let policy = node.path(&["r", "policy"]).unwrap();
        assert_eq!(policy.as_str(), Some("{ \"a\": 1 }"));
        let (from, to) = policy.span;
        assert!(source[from..to].contains("\"a\": 1\n  }"));
        assert_eq!(node.text_at(&["r", "note"]), Some("one two"));
        let (key, name) = node.get("r").unwrap().entry("name").unwrap();
        assert_eq!((key.line, name.line, name.column), (7, 7, 9));
        assert_eq!(&source[name.span.0..name.span.1], "x");
    }

    #[test]
    fn alias_bombs_end_in_a_problem() {
        let lines = |item: fn(usize) -> String| {
            let lines: Vec<String> = (1..400)
                .map(|i| format!("a{i}: &a{i} [{}]\n", item(i - 1)))
                .collect();
            format!("a0: &a0 [x, x, x, x]\n{}", lines.concat())
        };
        let wide = lines(|p| format!("*a{p}, *a{p}, *a{p}, *a{p}, *a{p}"));
        let deep = lines(|p| format!("*a{p}"));
        for bomb in [wide, deep] {
            let parsed = parse(&Text::new(bomb.as_bytes()));
            assert!(parsed.documents.is_empty());
            assert_eq!(parsed.problems.len(), 1);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_tree_or_a_problem(text in "[-a{}\\[\\]:, *&<|>'\"\n\t!#?%é]{0,80}") {
            let text = Text::new(text.as_bytes());
            let parsed = parse(&text);
            for node in &parsed.documents {
                node.scalars("", &mut |_, scalar| {
                    assert!(scalar.line >= 1 && scalar.column >= 1);
                });
            }
        }
    }
}
