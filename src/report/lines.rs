//! JSON with a line for each entry of its long lists: short enough for large reports, and two of them can be compared line
//! by line.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{self, Write};

/// Writes a value; what lies deeper than `most` containers stands on the line of what it belongs to.
pub(super) fn write<W: Write>(
    out: &mut W,
    value: &impl Serialize,
    most: usize,
) -> serde_json::Result<()> {
    let lines = Lines {
        depth: 0,
        most,
        any: false,
    };
    value.serialize(&mut Serializer::with_formatter(out, lines))
}

struct Lines {
    depth: usize,
    most: usize,
    /// The innermost container has something in it.
    any: bool,
}

impl Lines {
    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, mark: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.any = false;
        out.write_all(mark)
    }

    fn next<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        self.line(out)
    }

    fn line<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        const SPACES: &[u8] = b"                ";
        if self.depth > self.most {
            return Ok(());
        }
        out.write_all(b"\n")?;
        out.write_all(SPACES.get(..self.depth).unwrap_or(SPACES))
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, mark: &[u8]) -> io::Result<()> {
        let inside = self.depth <= self.most;
        self.depth -= 1;
        if self.any && inside {
            self.line(out)?;
        }
        self.any = true;
        out.write_all(mark)
    }
}

impl Formatter for Lines {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.any = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(if self.depth > self.most { b":" } else { b": " })
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.any = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use serde_json::json;

    #[test]
    fn an_entry_of_a_list_is_a_line() {
        let value = json!({
            "empty": [],
            "list": [{"a": [1, {"b": null}]}, {}, "x\ny"],
            "one": {"none": {}, "some": {"deep": [1, 2]}},
        });
        let mut text = Vec::new();
        write(&mut text, &value, 2).unwrap();
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&text).unwrap(),
            value
        );
        assert_snapshot!(String::from_utf8(text).unwrap(), @r#"
        {
         "empty": [],
         "list": [
          {"a":[1,{"b":null}]},
          {},
          "x\ny"
         ],
         "one": {
          "none": {},
          "some": {"deep":[1,2]}
         }
        }
        "#);
    }
}
