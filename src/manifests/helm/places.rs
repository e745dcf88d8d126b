//! Where in a template what was read of its output stands.

use super::super::node::{Key, Node, Value};
use super::super::text::Text;
use super::eval::Mark;

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
