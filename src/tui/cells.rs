//! The cells of a frame, written so that a terminal with another opinion of how wide a letter is spoils nothing beside it.

use crate::report::text;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::io::{self, Stdout, Write};

/// A terminal to which no letter is as wide as it is said to be.
#[derive(Debug)]
pub(super) struct Careful<W: Write>(CrosstermBackend<W>);

impl Careful<Stdout> {
    /// The terminal of the program.
    pub(super) fn stdout() -> Self {
        Self(CrosstermBackend::new(io::stdout()))
    }
}

impl<W: Write> Backend for Careful<W> {
    type Error = io::Error;

    /// Each run of plain letters, and each other letter, is put at its place by itself. Of a wide one, the cells it covers
    /// are emptied first: where the terminal has it narrower, the rest would stay from the frame before.
    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut plain: Vec<(u16, u16, &Cell)> = Vec::new();
        for (x, y, cell) in content {
            if cell.symbol().is_ascii() {
                plain.push((x, y, cell));
                continue;
            }
            self.0.draw(plain.drain(..))?;
            let width = u16::try_from(text::width(cell.symbol())).unwrap_or(1);
            if width > 1 {
                let mut empty = cell.clone();
                empty.set_symbol(" ");
                let covered = (x..x.saturating_add(width)).map(|x| (x, y, &empty));
                self.0.draw(covered)?;
            }
            self.0.draw(std::iter::once((x, y, cell)))?;
        }
        self.0.draw(plain.into_iter())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.0.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.0.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.0.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.0.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear()
    }

    fn clear_region(&mut self, part: ClearType) -> io::Result<()> {
        self.0.clear_region(part)
    }

    fn size(&self) -> io::Result<Size> {
        self.0.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.0.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn what_comes_after_a_letter_that_is_not_plain_is_put_at_its_place() {
        let mut frame = Buffer::empty(Rect::new(0, 0, 12, 1));
        frame.set_string(0, 0, "a決b e\u{301}c", Style::new());
        let before = Buffer::empty(Rect::new(0, 0, 12, 1));
        let mut written = Vec::new();
        Careful(CrosstermBackend::new(&mut written))
            .draw(before.diff(&frame).into_iter())
            .unwrap();
        let written = String::from_utf8(written).unwrap();
        // Rows and columns count from 1.
        for placed in [
            "\u{1b}[1;1Ha",
            "\u{1b}[1;2H  ",
            "\u{1b}[1;2H決",
            "\u{1b}[1;4Hb",
            "\u{1b}[1;6He\u{301}",
            "\u{1b}[1;7Hc",
        ] {
            assert!(written.contains(placed), "{placed:?} in {written:?}");
        }
    }
}
