//! Commands in scripts.

use super::super::text::saturate;

/// Most lines that one command may be continued on.
const MAX_LINES: usize = 40;

/// A command and where it begins.
pub(super) struct Command {
    /// 1-based line.
    pub(super) line: u32,
    /// 1-based column in code points.
    pub(super) column: u32,
    /// From its first word on, continued lines joined.
    pub(super) text: String,
}

/// The commands of a script that begin with one of `words`; what is commented out is none.
pub(super) fn commands(script: &str, words: &[&str]) -> Vec<Command> {
    let mut out = Vec::new();
    let mut number = 0_u32;
    let mut lines = script.lines();
    while let Some(line) = lines.next() {
        number = number.saturating_add(1);
        let start = number;
        let Some(at) = words.iter().find_map(|word| line.find(word)) else {
            continue;
        };
        let before = line.get(..at).unwrap_or_default();
        if before.trim_start().starts_with('#') {
            continue;
        }
        let mut text = line.get(at..).unwrap_or_default().to_owned();
        for _ in 0..MAX_LINES {
            if !text.trim_end().ends_with('\\') {
                break;
            }
            text.truncate(text.trim_end().len() - 1);
            let Some(next) = lines.next() else {
                break;
            };
            number = number.saturating_add(1);
            text.push(' ');
            text.push_str(next);
        }
        out.push(Command {
            line: start,
            column: saturate(before.chars().count() + 1),
            text,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::commands;

    #[test]
    fn continued_lines_are_one_command_and_comments_none() {
        let script = "# vault write a\n  vault write b \\\n    c=1 \\\n    d=2\nvault write e\n";
        let found: Vec<(u32, u32, String)> = commands(script, &["vault write"])
            .into_iter()
            .map(|one| {
                let words: Vec<&str> = one.text.split_whitespace().collect();
                (one.line, one.column, words.join(" "))
            })
            .collect();
        assert_eq!(
            found,
            [
                (2, 3, "vault write b c=1 d=2".to_owned()),
                (5, 1, "vault write e".to_owned())
            ]
        );
    }
}
