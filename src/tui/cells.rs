//! The cells of a frame, written so that a terminal with another opinion of how wide a letter is spoils nothing beside it.

use crate::report::text;
use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};
use std::collections::BTreeMap;
use std::io::{self, Stdout, Write};
use std::ops::Range;

/// A terminal to which no letter is as wide as it is said to be.
#[derive(Debug)]
pub(super) struct Careful<W: Write> {
    inner: CrosstermBackend<W>,
    /// Letters on the screen that cover several cells: column and row, and how many.
    wide: BTreeMap<(u16, u16), u16>,
}

impl Careful<Stdout> {
    /// The terminal of the program.
    pub(super) fn stdout() -> Self {
        Self::new(io::stdout())
    }
}

impl<W: Write> Careful<W> {
    const fn new(writer: W) -> Self {
        Self {
            inner: CrosstermBackend::new(writer),
            wide: BTreeMap::new(),
        }
    }

    fn empty(&mut self, columns: Range<u16>, y: u16, like: &Cell) -> io::Result<()> {
        let mut empty = like.clone();
        empty.set_symbol(" ");
        self.inner.draw(columns.map(|x| (x, y, &empty)))
    }
}

impl<W: Write> Backend for Careful<W> {
    type Error = io::Error;

    /// Each run of plain letters, and each other letter, is put at its place by itself. Of a wide one, the cells it covers
    /// are emptied before it comes and when it goes: where the terminal has it narrower, something would stay in them.
    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut plain: Vec<(u16, u16, &Cell)> = Vec::new();
        for (x, y, cell) in content {
            let is_plain = cell.symbol().is_ascii();
            let width = if is_plain {
                1
            } else {
                u16::try_from(text::width(cell.symbol())).unwrap_or(1)
            };
            let before = self.wide.remove(&(x, y)).unwrap_or(1);
            if !is_plain || before > width {
                self.inner.draw(plain.drain(..))?;
            }
            if before > width {
                self.empty(x + width..x.saturating_add(before), y, &Cell::EMPTY)?;
            }
            if is_plain {
                plain.push((x, y, cell));
                continue;
            }
            if width > 1 {
                self.empty(x..x.saturating_add(width), y, cell)?;
                self.wide.insert((x, y), width);
            }
            self.inner.draw(std::iter::once((x, y, cell)))?;
        }
        self.inner.draw(plain.into_iter())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.wide.clear();
        self.inner.clear()
    }

    fn clear_region(&mut self, part: ClearType) -> io::Result<()> {
        self.inner.clear_region(part)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use std::cell::RefCell;
    use std::rc::Rc;

    fn frame(text: &str) -> Buffer {
        let mut frame = Buffer::empty(Rect::new(0, 0, 12, 1));
        frame.set_string(0, 0, text, Style::new());
        frame
    }

    /// Bytes that are written and read again.
    #[derive(Clone, Default)]
    struct Screen(Rc<RefCell<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written for the last of some frames.
    fn written(frames: &[&str]) -> String {
        let screen = Screen::default();
        let mut careful = Careful::new(screen.clone());
        let mut before = frame("");
        for text in frames {
            screen.0.borrow_mut().clear();
            let next = frame(text);
            careful.draw(before.diff(&next).into_iter()).unwrap();
            before = next;
        }
        String::from_utf8(screen.0.take()).unwrap()
    }

    #[test]
    fn what_comes_after_a_letter_that_is_not_plain_is_put_at_its_place() {
        let written = written(&["a決b e\u{301}c"]);
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

    #[test]
    fn a_wide_letter_leaves_nothing_when_it_goes() {
        let written = written(&["a決b", "a  b"]);
        assert!(written.contains("\u{1b}[1;2H "), "{written:?}");
        assert!(written.contains("\u{1b}[1;3H "), "{written:?}");
    }
}
