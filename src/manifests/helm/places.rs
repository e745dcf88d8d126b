//! Where in a template what was read of its output stands.

use super::super::node::{Key, Node, Value};
use super::super::text::Text;
use super::eval::{Mark, Output};

/// Ends documents where Helm does: at three dashes that begin a line, whatever follows them there.
pub(super) fn part(output: &mut Output) {
    let text = &output.text;
    let glued: Vec<usize> = memchr::memmem::find_iter(text.as_bytes(), b"---")
        .filter(|at| *at == 0 || text.as_bytes().get(at - 1) == Some(&b'\n'))
        .map(|at| at + 3)
        .filter(|at| {
            let next = text.as_bytes().get(*at);
            next.is_some_and(|next| !next.is_ascii_whitespace() && *next != b'-')
        })
        .collect();
    for at in glued.into_iter().rev() {
        output.text.insert(at, '\n');
        let next = output.marks.partition_point(|mark| mark.out <= at);
        for mark in output.marks.get_mut(next..).unwrap_or_default() {
            mark.out += 1;
        }
        if let Some(mark) = next
            .checked_sub(1)
            .and_then(|at| output.marks.get(at))
            .copied()
        {
            let source = mark.source + if mark.literal { at - mark.out } else { 0 };
            let rest = Mark {
                out: at + 1,
                source,
                ..mark
            };
            output.marks.insert(next, rest);
        }
    }
}

/// From places in the output to places in the template.
pub(super) struct Places<'t> {
    /// Output.
    pub(super) output: &'t Text<'t>,
    /// Where stretches of it come from, in order.
    pub(super) marks: &'t [Mark],
    /// The template.
    pub(super) template: &'t Text<'t>,
}

impl Places<'_> {
    /// Offset in the template of an offset in the output.
    fn source(&self, offset: usize) -> usize {
        let next = self.marks.partition_point(|mark| mark.out <= offset);
        let Some(mark) = next.checked_sub(1).and_then(|at| self.marks.get(at)) else {
            return 0;
        };
        if mark.literal {
            mark.source + offset - mark.out
        } else {
            mark.source
        }
    }

    /// Line and column in the template of a line and column in the output.
    pub(super) fn place(&self, line: u32, column: u32) -> (u32, u32) {
        self.template
            .position(self.source(self.output.offset(line, column)))
    }

    /// Moves a tree read from the output to the template.
    pub(super) fn move_node(&self, node: &mut Node) {
        (node.line, node.column) = self.place(node.line, node.column);
        let (from, to) = (self.source(node.span.0), self.source(node.span.1));
        node.span = (from, to.max(from));
        match &mut node.value {
            Value::Null | Value::Scalar { .. } => {}
            Value::List(items) => items.iter_mut().for_each(|item| self.move_node(item)),
            Value::Map(entries) => {
                for (key, value) in entries {
                    self.move_key(key);
                    self.move_node(value);
                }
            }
        }
    }

    fn move_key(&self, key: &mut Key) {
        (key.line, key.column) = self.place(key.line, key.column);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_glued_to_three_dashes_is_another_document() {
        let mark = |out, source, literal| Mark {
            out,
            source,
            literal,
        };
        let mut output = Output {
            text: "a: 1\n---# b\nc: 2\n---\nd\n------\n".to_owned(),
            marks: vec![mark(0, 10, true), mark(8, 100, true), mark(12, 200, false)],
            ..Output::default()
        };
        part(&mut output);
        assert_eq!(output.text, "a: 1\n---\n# b\nc: 2\n---\nd\n------\n");
        let written = Text::new(output.text.as_bytes());
        let places = Places {
            output: &written,
            marks: &output.marks,
            template: &written,
        };
        let at = |what: &str| places.source(output.text.find(what).unwrap());
        assert_eq!(
            (at("a:"), at("---"), at("# b"), at("c:")),
            (10, 15, 100, 200)
        );
    }
}
