//! Literals looked for in groups, where the processor looks up 64 bytes at a time.

use super::groups::{self, Common, GROUPS, WINDOW};
use super::table::Table;
use super::wide::{BEHIND, Tables};
use super::{AFTER, BEFORE, Literal};

/// Groups of the literals that are shorter than a window.
const OF_SHORT: usize = GROUPS / 2;

/// Literals of one kind.
pub(super) struct Grouped {
    tables: Tables,
    table: Table,
}

impl Grouped {
    /// Compiles literals: those of a window and more, and shorter ones; of each the windows that are common. `None` on other
    /// processors.
    pub(super) fn new(literals: &[Literal], common: &[Common; 2]) -> Option<[Self; 2]> {
        let of = |width, groups, common| {
            let all = literals.iter().enumerate();
            let (indices, of_kind): (Vec<usize>, Vec<&Literal>) = all
                .filter(|(_, literal)| literal.bytes.len().min(WINDOW) == width)
                .unzip();
            let (masks, windows) = groups::choose(&of_kind, width, groups, common);
            let chosen = indices.into_iter().zip(of_kind).zip(windows);
            Some(Self {
                tables: Tables::new(&masks, groups)?,
                table: Table::new(
                    chosen.map(|((index, literal), window)| (index, literal, window)),
                    width,
                ),
            })
        };
        let [fours, threes] = common;
        Some([
            of(WINDOW, GROUPS, fours)?,
            of(WINDOW - 1, OF_SHORT, threes)?,
        ])
    }

    /// Of a piece with [`BEFORE`] and [`AFTER`] more bytes around some rounds, calls `on(literal, distance, at, whole)` for each
    /// place at which a literal may stand that begins such a distance before it. `whole` tells that it does.
    pub(super) fn find(
        &self,
        piece: &[u8],
        places: &mut [u16],
        on: impl FnMut(usize, usize, usize, bool),
    ) {
        let inside = piece.get(BEFORE..(piece.len() + BEHIND).saturating_sub(AFTER));
        let count = self.tables.places(inside.unwrap_or_default(), places);
        let places = places.get_mut(..count).unwrap_or_default();
        self.table.find(piece, places, on);
    }
}
