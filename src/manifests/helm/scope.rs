//! Variables of a template, and which pieces lead to a place of it.

use super::syntax::Piece;
use super::value::Value;

/// Whether a place of the file is written by pieces, if they are run.
pub(super) fn holds(pieces: &[Piece], place: usize) -> bool {
    pieces.iter().any(|piece| match piece {
        Piece::Text(range) => range.contains(&place),
        Piece::If(arms, otherwise) => {
            arms.iter().any(|(_, body)| holds(body, place)) || holds(otherwise, place)
        }
        Piece::With(_, body, otherwise) | Piece::Range(_, body, otherwise) => {
            holds(body, place) || holds(otherwise, place)
        }
        Piece::Emit(..) | Piece::Template(..) | Piece::Break | Piece::Continue => false,
    })
}

/// Variables in scope; the first is `$`.
pub(super) struct Scope {
    /// By name, inner ones last.
    pub(super) variables: Vec<(String, Value)>,
}

impl Scope {
    /// One in which only `$` is known.
    pub(super) fn new(root: &Value) -> Self {
        Self {
            variables: vec![(String::new(), root.clone())],
        }
    }

    /// The innermost of a name.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let mut all = self.variables.iter().rev();
        all.find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Changes the innermost of a name.
    pub(super) fn set(&mut self, name: &str, value: Value) {
        match self.variables.iter_mut().rev().find(|(n, _)| n == name) {
            Some((_, known)) => *known = value,
            None => self.variables.push((name.to_owned(), value)),
        }
    }
}
