//! Cuts a stream of JSON into its records without holding more than one of them.
//!
//! Records are the elements of a top-level list, the elements of a list under one of a few names in a top-level object
//! (`{"Records": […]}`), or top-level objects of their own (one a line).

use memchr::memchr2;
use std::io::Read;

/// Largest record kept, in bytes. CloudTrail truncates events at 256 KiB; wrapped ones are escaped once more.
const MAX_RECORD: usize = 4 * 1024 * 1024;
/// Bytes asked of the stream at a time.
const CHUNK: usize = 256 * 1024;
/// Names of lists that hold records.
const LISTS: [&[u8]; 13] = [
    b"Records",
    b"records",
    b"Events",
    b"events",
    b"logEvents",
    b"LogEvents",
    b"QueryResultRows",
    b"Items",
    b"results",
    b"hits",
    b"data",
    b"value",
    b"expected",
];
/// Name of an object that holds such a list.
const HOLDER: &[u8] = b"hits";

/// Why a stream ended before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// It ends inside a record or a list.
    Truncated,
    /// It cannot be read or unpacked any further.
    Damaged,
}

/// One step.
pub(super) enum Step<'a> {
    /// A record.
    Record(&'a [u8]),
    /// A record larger than is kept.
    TooLarge,
    /// The end; with the reason, if it came too early.
    End(Option<Cut>),
}

/// A stream and what of it is held.
pub(super) struct Splitter<R> {
    stream: R,
    buffer: Vec<u8>,
    /// Where what is still needed begins; every other place is counted from here.
    start: usize,
    /// Next byte that is looked at.
    at: usize,
    /// The stream has ended.
    ended: bool,
    /// Before its end.
    damaged: bool,
    /// Lists and containers that are open.
    open: usize,
}

impl<R: Read> Splitter<R> {
    pub(super) fn new(stream: R) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            start: 0,
            at: 0,
            ended: false,
            damaged: false,
            open: 0,
        }
    }

    /// Asks for more bytes; false at the end.
    fn fill(&mut self) -> bool {
        if self.ended {
            return false;
        }
        self.buffer.drain(..self.start);
        self.start = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + CHUNK, 0);
        loop {
            let room = self.buffer.get_mut(held..).unwrap_or_default();
            match self.stream.read(room) {
                Ok(0) => {
                    self.buffer.truncate(held);
                    self.ended = true;
                    return false;
                }
                Ok(read) => {
                    self.buffer.truncate(held + read);
                    return true;
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => {
                    self.buffer.truncate(held);
                    self.ended = true;
                    self.damaged = true;
                    return false;
                }
            }
        }
    }

    /// What is held and still needed.
    fn held(&self) -> &[u8] {
        self.buffer.get(self.start..).unwrap_or_default()
    }

    fn byte(&mut self, index: usize) -> Option<u8> {
        loop {
            if let Some(byte) = self.buffer.get(self.start + index) {
                return Some(*byte);
            }
            if !self.fill() {
                return None;
            }
        }
    }

    /// Lets go of what was looked at.
    fn forget(&mut self) {
        self.start = (self.start + self.at).min(self.buffer.len());
        self.at = 0;
    }

    fn clear(&mut self) {
        self.start = self.buffer.len();
        self.at = 0;
    }

    fn end(&self) -> Step<'static> {
        let cut = self.damaged.then_some(Cut::Damaged);
        let early = (self.open > 0).then_some(Cut::Truncated);
        Step::End(cut.or(early))
    }

    /// The next record.
    pub(super) fn next(&mut self) -> Step<'_> {
        loop {
            self.forget();
            // Between records.
            let first = loop {
                let Some(byte) = self.byte(self.at) else {
                    return self.end();
                };
                match byte {
                    b'{' => break byte,
                    b'[' => self.open += 1,
                    b']' | b'}' => self.open = self.open.saturating_sub(1),
                    b'"' => {
                        let Some(end) = self.string(self.at) else {
                            return self.end();
                        };
                        self.at = end;
                        self.forget();
                        continue;
                    }
                    _ => {}
                }
                self.at += 1;
                self.forget();
            };
            debug_assert_eq!(first, b'{');
            self.forget();
            match self.object() {
                Object::Whole(end) => {
                    self.at = end;
                    return Step::Record(self.held().get(..end).unwrap_or_default());
                }
                Object::List(end) => {
                    self.at = end;
                    self.open += 2;
                }
                Object::TooLarge => return Step::TooLarge,
                Object::Cut => {
                    self.open += 1;
                    return self.end();
                }
            }
        }
    }

    /// Index behind the string that begins at an index.
    fn string(&mut self, from: usize) -> Option<usize> {
        let mut at = from + 1;
        loop {
            let rest = self.held().get(at..).unwrap_or_default();
            match memchr2(b'"', b'\\', rest) {
                Some(found) if rest.get(found) == Some(&b'"') => return Some(at + found + 1),
                Some(found) => at += found + 2,
                None => {
                    at = at.max(self.held().len());
                    if at > MAX_RECORD || !self.fill() {
                        return None;
                    }
                }
            }
        }
    }

    /// Walks the object at the beginning of the buffer.
    fn object(&mut self) -> Object {
        let mut at = 1;
        let mut depth = 1usize;
        let mut key: Option<(usize, usize)> = None;
        loop {
            if at > MAX_RECORD {
                return self.skip(at, depth);
            }
            let Some(byte) = self.byte(at) else {
                return Object::Cut;
            };
            match byte {
                b'"' => {
                    let Some(end) = self.string(at) else {
                        if !self.ended {
                            return self.skip_string(depth);
                        }
                        return Object::Cut;
                    };
                    key = (depth == 1).then_some((at + 1, end - 1));
                    at = end;
                    continue;
                }
                b'[' if depth == 1 => {
                    let named = key
                        .and_then(|(from, to)| self.held().get(from..to))
                        .is_some_and(|name| LISTS.contains(&name));
                    if named {
                        return Object::List(at + 1);
                    }
                    depth += 1;
                }
                b'{' if depth == 1
                    && key.and_then(|(from, to)| self.held().get(from..to)) == Some(HOLDER) =>
                {
                    return Object::List(at + 1);
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Object::Whole(at + 1);
                    }
                }
                b',' if depth == 1 => key = None,
                _ => {}
            }
            at += 1;
        }
    }

    /// Goes on to the end of an object that is not kept.
    fn skip(&mut self, from: usize, mut depth: usize) -> Object {
        self.at = from;
        loop {
            self.forget();
            let Some(byte) = self.byte(0) else {
                return Object::Cut;
            };
            self.at = 1;
            match byte {
                b'"' => {
                    self.forget();
                    if !self.leave_string() {
                        return Object::Cut;
                    }
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Object::TooLarge;
                    }
                }
                _ => {}
            }
        }
    }

    /// The same from inside a string that is too long.
    fn skip_string(&mut self, depth: usize) -> Object {
        // Whether the last byte held escapes the next one is not known; a quote that is read wrongly costs this file.
        self.clear();
        if self.leave_string() {
            self.skip(self.at, depth)
        } else {
            Object::Cut
        }
    }

    /// Goes on behind the end of the string the buffer begins in.
    fn leave_string(&mut self) -> bool {
        loop {
            let held = self.held();
            let found = memchr2(b'"', b'\\', held);
            match found.and_then(|found| Some((found, *held.get(found)?))) {
                Some((found, b'"')) => {
                    self.at = found + 1;
                    return true;
                }
                Some((found, _)) => {
                    if self.byte(found + 1).is_none() {
                        return false;
                    }
                    self.at = found + 2;
                    self.forget();
                }
                None => {
                    self.clear();
                    if !self.fill() {
                        return false;
                    }
                }
            }
        }
    }
}

enum Object {
    /// It ends before this index.
    Whole(usize),
    /// It holds a list of records, which begins at this index.
    List(usize),
    TooLarge,
    Cut,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn split(text: &[u8], step: usize) -> (Vec<String>, Option<Cut>) {
        struct Slow<'a>(&'a [u8], usize);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let count = self.1.min(self.0.len()).min(buffer.len());
                buffer[..count].copy_from_slice(&self.0[..count]);
                self.0 = &self.0[count..];
                Ok(count)
            }
        }
        let mut splitter = Splitter::new(Slow(text, step));
        let mut records = Vec::new();
        loop {
            match splitter.next() {
                Step::Record(record) => {
                    records.push(String::from_utf8_lossy(record).into_owned());
                }
                Step::TooLarge => records.push("too large".into()),
                Step::End(cut) => return (records, cut),
            }
        }
    }

    #[test]
    fn records_are_found_in_every_form() {
        for text in [
            r#"{"Records":[{"a":"}"},{"b":[{}]}]}"#,
            "{\"a\":\"}\"}\n{\"b\":[{}]}\n",
            r#"[{"a":"}"} , {"b":[{}]}]"#,
            r#"{ "NextToken" : "x\"y", "Events" : [ {"a":"}"}, {"b":[{}]} ], "z": 1 }"#,
            r#"{"QueryResultRows":[[{"a":"}"},{"b":[{}]}]]}"#,
        ] {
            for step in [1, 7, 4096] {
                let (records, cut) = split(text.as_bytes(), step);
                assert_eq!(records, [r#"{"a":"}"}"#, r#"{"b":[{}]}"#], "{text}");
                assert_eq!(cut, None, "{text}");
            }
        }
    }

    #[test]
    fn what_ends_too_early_says_so() {
        let whole = r#"{"Records":[{"a":1},{"b":2}]}"#;
        for (to, found) in [(12, 0), (15, 0), (19, 1), (20, 1), (25, 1), (27, 2)] {
            let (records, cut) = split(&whole.as_bytes()[..to], 4096);
            assert_eq!((records.len(), cut), (found, Some(Cut::Truncated)), "{to}");
        }
        assert_eq!(split(b"", 1), (Vec::new(), None));
        assert_eq!(split(b"not json", 1), (Vec::new(), None));
    }

    #[test]
    fn what_is_too_large_is_left_out() {
        let long = "x".repeat(MAX_RECORD + 10);
        let many = "[1],".repeat(MAX_RECORD / 4 + 10);
        for large in [
            format!("{{\"k\":\"{long}\\\"\"}}"),
            format!("{{\"k\":[{many}1]}}"),
        ] {
            let text = format!("{{\"Records\":[{{\"a\":1}},{large},{{\"b\":2}}]}}");
            let (records, cut) = split(text.as_bytes(), 1 << 20);
            assert_eq!(records, [r#"{"a":1}"#, "too large", r#"{"b":2}"#]);
            assert_eq!(cut, None);
        }
    }

    proptest! {
        #[test]
        fn anything_ends(text in "[\\[\\]{}\"\\\\,:a R]{0,64}", step in 1usize..5) {
            let (slow, _) = split(text.as_bytes(), step);
            let (fast, _) = split(text.as_bytes(), 4096);
            prop_assert_eq!(slow, fast);
        }
    }
}
