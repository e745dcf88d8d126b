//! A frame of the review as an SVG, cell by cell as a terminal would show it.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write as _;

const WIDE: usize = 9;
const HIGH: usize = 19;
const PAPER: &str = "#11151c";
const INK: &str = "#d5dae2";

/// Draws a frame.
pub(crate) fn svg(buffer: &Buffer, title: &str) -> String {
    let (columns, rows) = (
        usize::from(buffer.area.width),
        usize::from(buffer.area.height),
    );
    let (width, height) = (columns * WIDE + 2 * WIDE, rows * HIGH + HIGH);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" role=\"img\" \
         font-family=\"monospace\" font-size=\"15\" xml:space=\"preserve\">\n\
         <title>{}</title>\n<rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"{PAPER}\"/>\n",
        escaped(title)
    );
    for row in 0..rows {
        let cell = |column: usize| &buffer[(column as u16, row as u16)];
        let mut from = 0;
        while from < columns {
            let look = look_of(cell(from));
            let mut to = from + 1;
            while to < columns && look_of(cell(to)) == look {
                to += 1;
            }
            let text: String = (from..to).map(|column| cell(column).symbol()).collect();
            run(&mut out, &text, (from, to, row), &look);
            from = to;
        }
    }
    out.push_str("</svg>\n");
    out
}

#[derive(PartialEq)]
struct Look {
    ink: &'static str,
    paper: Option<&'static str>,
    bold: bool,
    dim: bool,
}

fn look_of(cell: &Cell) -> Look {
    let ink = hex(cell.fg).unwrap_or(INK);
    let has = |modifier| cell.modifier.contains(modifier);
    let turned = has(Modifier::REVERSED);
    Look {
        ink: if turned { PAPER } else { ink },
        paper: if turned { Some(ink) } else { hex(cell.bg) },
        bold: has(Modifier::BOLD),
        dim: has(Modifier::DIM),
    }
}

fn hex(color: Color) -> Option<&'static str> {
    match color {
        Color::Red => Some("#ff7b72"),
        Color::Green => Some("#7ee787"),
        Color::Yellow => Some("#e3b341"),
        Color::Blue => Some("#79c0ff"),
        Color::Magenta => Some("#d2a8ff"),
        Color::Cyan => Some("#76e3ea"),
        _ => None,
    }
}

fn run(out: &mut String, text: &str, (from, to, row): (usize, usize, usize), look: &Look) {
    let (x, y) = (WIDE + from * WIDE, HIGH / 2 + row * HIGH);
    let width = (to - from) * WIDE;
    if let Some(paper) = look.paper {
        let _ = writeln!(
            out,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HIGH}\" fill=\"{paper}\"/>"
        );
    }
    let weight = if look.bold {
        " font-weight=\"700\""
    } else {
        ""
    };
    let dim = if look.dim { " opacity=\"0.6\"" } else { "" };
    // Word by word, so that columns stay where they are in any font.
    let mut at = 0;
    for word in text.split(' ') {
        let columns = word.chars().count();
        if columns > 0 {
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" fill=\"{}\"{weight}{dim} textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                x + at * WIDE,
                y + HIGH - 5,
                look.ink,
                columns * WIDE,
                escaped(word)
            );
        }
        at += columns + 1;
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
