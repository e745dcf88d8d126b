//! Notebooks: the code of their cells as one program, every part of which knows its place in the notebook.

use super::super::super::jsonc;
use super::super::super::node::{Node, Value};
use super::super::super::text::{Text, saturate};
use super::token::Language;

/// Most characters of code.
const MAX_CODE: usize = 1 << 20;
/// Commands of a whole cell that leave its text code of the notebook's language.
const CODE_CELLS: [&str; 5] = ["writefile", "file", "time", "timeit", "capture"];

/// The program of a notebook; `None` where it is none, or of another language.
pub(super) fn program(notebook: &Text<'_>) -> Option<(Text<'static>, Language)> {
    let parsed = jsonc::parse(notebook);
    let root = parsed.documents.first()?;
    let language = ["language_info.name", "kernelspec.language"]
        .iter()
        .find_map(|path| root.get("metadata")?.dotted(path).first()?.as_str())
        .unwrap_or("python");
    let language = match language.to_lowercase().as_str() {
        "python" | "ipython" | "python3" => Language::Python,
        "typescript" | "javascript" => Language::Script,
        _ => return None,
    };
    let mut code = Code::default();
    for cell in root.get("cells").map_or(&[][..], Node::items) {
        if cell.text_at(&["cell_type"]) == Some("code")
            && let Some(source) = cell.get("source")
        {
            code.cell(notebook, source);
        }
    }
    (!code.text.is_empty()).then(|| (Text::pieced(code.text, &code.places), language))
}

/// The program so far.
#[derive(Default)]
struct Code {
    text: String,
    /// Offset in the text, line and column in the notebook, where a stretch begins.
    places: Vec<(usize, u32, u32)>,
}

impl Code {
    fn cell(&mut self, notebook: &Text<'_>, source: &Node) {
        let start = self.text.len();
        let places = self.places.len();
        match &source.value {
            Value::List(lines) => lines.iter().for_each(|line| self.piece(notebook, line)),
            _ => self.piece(notebook, source),
        }
        let cell = self.text.get(start..).unwrap_or_default();
        let whole = cell.trim_start().strip_prefix("%%").map(|command| {
            let name = command.split_whitespace().next().unwrap_or_default();
            !CODE_CELLS.contains(&name)
        });
        if whole == Some(true) || self.text.len() > MAX_CODE {
            self.text.truncate(start);
            self.places.truncate(places);
            return;
        }
        let plain = without_commands(cell);
        self.text.truncate(start);
        self.text.push_str(&plain);
        self.text.push('\n');
    }

    /// Adds one text of the notebook, which is written with escapes.
    fn piece(&mut self, notebook: &Text<'_>, node: &Node) {
        let (from, to) = node.span;
        let raw = notebook.slice(from + 1, to.saturating_sub(1));
        let mut column = node.column.saturating_add(1);
        self.places.push((self.text.len(), node.line, column));
        let mut chars = raw.char_indices();
        while let Some((at, c)) = chars.next() {
            column = column.saturating_add(1);
            if c != '\\' {
                self.text.push(c);
                continue;
            }
            let (said, length) = escape(raw.get(at + 1..).unwrap_or_default());
            self.text.push(said);
            for _ in 0..length {
                chars.next();
            }
            column = column.saturating_add(saturate(length));
            self.places.push((self.text.len(), node.line, column));
        }
    }
}

/// What an escape stands for, and how many characters it has behind the backslash.
fn escape(rest: &str) -> (char, usize) {
    match rest.chars().next() {
        Some('n') => ('\n', 1),
        Some('t') => ('\t', 1),
        Some('r') => ('\r', 1),
        Some('b' | 'f') => (' ', 1),
        Some('u') => {
            let code = rest
                .get(1..5)
                .and_then(|hex| u32::from_str_radix(hex, 16).ok());
            // Halves of a pair say nothing that matters in a program.
            let said = code.and_then(char::from_u32);
            (said.unwrap_or(char::REPLACEMENT_CHARACTER), 5)
        }
        Some(c) => (c, 1),
        None => (' ', 0),
    }
}

/// The code of a cell with blanks for lines that are commands of the notebook or of a shell.
fn without_commands(cell: &str) -> String {
    let mut out = String::with_capacity(cell.len());
    let mut goes_on = false;
    for line in cell.split_inclusive('\n') {
        let command = goes_on || line.trim_start().starts_with(['%', '!']);
        goes_on = command && line.trim_end().ends_with('\\');
        if command {
            out.extend(
                line.bytes()
                    .map(|byte| if byte == b'\n' { '\n' } else { ' ' }),
            );
        } else {
            out.push_str(line);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn code_knows_its_place_in_the_notebook() {
        let notebook = Text::new(
            b"{\"cells\": [\n {\"cell_type\": \"markdown\", \"source\": [\"no\"]},\n {\"cell_type\": \"code\", \"source\": [\n  \"!pip install x\\n\",\n  \"a = \\\"\\u00e9\\\" + b\\n\"]},\n {\"cell_type\": \"code\", \"source\": \"%%bash\\nls\"},\n {\"cell_type\": \"code\", \"source\": \"%%writefile a.py\\nc = 1\"}\n], \"metadata\": {\"kernelspec\": {\"language\": \"python\"}}}",
        );
        let (code, _) = program(&notebook).unwrap();
        assert_eq!(
            code.as_str().trim(),
            "a = \"\u{e9}\" + b\n\n                \nc = 1"
        );
        let at = |what: &str| code.position(code.as_str().find(what).unwrap());
        assert_eq!(
            (at("a ="), at("+ b"), at("c =")),
            ((5, 4), (5, 19), (7, 53))
        );
    }

    #[test]
    fn other_languages_and_other_files_are_no_programs() {
        assert!(program(&Text::new(b"[]")).is_none());
        let julia = b"{\"cells\": [{\"cell_type\": \"code\", \"source\": \"a\"}], \"metadata\": {\"language_info\": {\"name\": \"julia\"}}}";
        assert!(program(&Text::new(julia)).is_none());
    }

    proptest! {
        #[test]
        fn any_source_is_survived(source in "[a-z%!\\\\\"nu0-9é \n]{0,60}") {
            let quoted = serde_json::to_string(&source).unwrap();
            let text = format!("{{\"cells\": [{{\"cell_type\": \"code\", \"source\": [{quoted}]}}]}}");
            if let Some((code, _)) = program(&Text::new(text.as_bytes())) {
                for (offset, _) in code.as_str().char_indices() {
                    let (line, column) = code.position(offset);
                    prop_assert!(line >= 1 && column >= 1);
                }
            }
        }
    }
}
