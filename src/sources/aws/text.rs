//! From the bytes of a file to JSON values: byte order marks, several documents in one file, damaged tails.

use super::lines::Lines;
use serde_json::Value;
use std::borrow::Cow;

/// The JSON documents of one file.
pub(super) struct Documents {
    /// Documents read before the fault, if any.
    pub(super) values: Vec<Value>,
    /// Where and how reading stopped.
    pub(super) fault: Option<Fault>,
}

/// Where JSON could not be read on. Says nothing of the content.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// The file ends inside a document.
    pub(super) cut_off: bool,
    /// 1-based line.
    pub(super) line: usize,
    /// Offset in bytes from the start of the (decoded) file.
    pub(super) byte: usize,
}

impl Fault {
    /// The fault in words, with what to do.
    pub(super) fn reason(&self) -> String {
        let Self { line, byte, .. } = self;
        if self.cut_off {
            format!(
                "the JSON ends inside a document (line {line}, byte {byte}): the export was interrupted; make it again"
            )
        } else {
            format!(
                "not valid JSON, or nested deeper than 128 levels, at line {line}, byte {byte}: make the export again"
            )
        }
    }
}

/// The text of a file: without a UTF-8 byte order mark, and converted from UTF-16, which PowerShell's `>` writes.
pub(super) fn decode(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let wide = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (units, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return None;
        }
        String::from_utf16(&units.iter().map(|pair| unit(*pair)).collect::<Vec<_>>())
            .ok()
            .map(|text| Cow::Owned(text.into_bytes()))
    };
    match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => Some(Cow::Borrowed(rest)),
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => Some(Cow::Borrowed(bytes)),
    }
}

/// Reads every JSON document of a file: one, several one after another, or one a line.
pub(super) fn documents(bytes: &[u8]) -> Documents {
    let mut values = Vec::new();
    let mut fault = None;
    for value in serde_json::Deserializer::from_slice(bytes).into_iter::<Value>() {
        match value {
            Ok(value) => values.push(value),
            Err(error) => {
                fault = Some(Fault {
                    cut_off: error.is_eof(),
                    line: error.line(),
                    byte: Lines::new(bytes)
                        .start(error.line())
                        .saturating_add(error.column()),
                });
                break;
            }
        }
    }
    Documents { values, fault }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn several_documents_in_one_file_are_all_read() {
        assert_eq!(documents(b"{\"a\":1}{\"b\":2}").values.len(), 2);
        assert_eq!(documents(b"{\"a\":1}\n{\"b\":2}\n").values.len(), 2);
        assert_eq!(documents(b"").values.len(), 0);
    }

    #[test]
    fn a_fault_says_where_and_keeps_what_came_before() {
        let read = documents(b"{\"a\":1}\n{\"b\": [1, 2");
        assert_eq!(read.values.len(), 1);
        let fault = read.fault.unwrap();
        assert!(fault.cut_off);
        assert_eq!((fault.line, fault.byte), (2, 19));
        let deep = documents(&b"[".repeat(100_000));
        assert!(!deep.fault.unwrap().cut_off);
    }

    #[test]
    fn windows_encodings_are_read() {
        let wide: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain("{\"a\":\"ü\"}".encode_utf16().flat_map(u16::to_le_bytes))
            .collect();
        let text = decode(&wide).unwrap();
        assert_eq!(documents(&text).values[0]["a"], "ü");
        assert_eq!(decode(b"\xEF\xBB\xBF{}").unwrap().as_ref(), b"{}");
        assert!(decode(&[0xFF, 0xFE, 0x00]).is_none());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(text) = decode(&bytes) {
                documents(&text);
            }
        }
    }
}
