//! Results of a query as CSV: CloudTrail Lake's files in S3 and what Athena and the console save.

use super::event::{self, Record};
use csv::{ReaderBuilder, StringRecord};
use std::collections::BTreeMap;
use std::io::{self, Read};

/// Fields of an event that a column may be.
const COLUMNS: [&str; 17] = [
    "eventTime",
    "eventSource",
    "eventName",
    "eventID",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "recipientAccountId",
    "eventCategory",
    "managementEvent",
    "sessionCredentialFromConsole",
    "userIdentity",
    "resources",
    "requestParameters",
    "responseElements",
    "eventJson",
];
/// Most columns of a table.
const MAX_COLUMNS: usize = 256;

/// Most bytes of one row: quotes that are never closed must not take a file into memory.
const MAX_ROW: usize = 8 * 1024 * 1024;

/// A stream that ends with an error where no row ends.
struct Capped<R> {
    stream: R,
    since_row: usize,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.since_row > MAX_ROW {
            return Err(io::Error::other("a row is too large"));
        }
        let read = self.stream.read(room)?;
        self.since_row += read;
        Ok(read)
    }
}

/// What is read of a table.
pub(super) struct Table<R> {
    reader: csv::Reader<Capped<R>>,
    columns: Vec<String>,
    row: StringRecord,
}

/// One step.
pub(super) enum Row {
    /// A row.
    Record(Record),
    /// A row that is not as its table says.
    Broken,
    /// The end.
    End,
    /// It cannot be read any further.
    Damaged,
}

impl<R: Read> Table<R> {
    /// Reads the header; `None` where it names no event.
    pub(super) fn new(stream: R) -> Option<Self> {
        let mut reader = ReaderBuilder::new().flexible(true).from_reader(Capped {
            stream,
            since_row: 0,
        });
        let columns: Vec<String> = reader
            .headers()
            .ok()?
            .iter()
            .take(MAX_COLUMNS)
            .map(spelled)
            .collect();
        let names = |wanted: &str| columns.iter().any(|column| column == wanted);
        let events = names("eventName") && names("eventTime");
        (events || names("eventJson")).then(|| Self {
            reader,
            columns,
            row: StringRecord::new(),
        })
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Row {
        match self.reader.read_record(&mut self.row) {
            Ok(true) => self.reader.get_mut().since_row = 0,
            Ok(false) => return Row::End,
            Err(error) if error.is_io_error() => return Row::Damaged,
            Err(_) => return Row::Broken,
        }
        if self.row.len() > self.columns.len() {
            return Row::Broken;
        }
        let columns: BTreeMap<String, String> = self
            .columns
            .iter()
            .zip(self.row.iter())
            .map(|(name, value)| (name.clone(), value.to_owned()))
            .collect();
        Row::Record(event::row(&columns))
    }
}

/// A column as events spell it, whichever way the table does: `eventname`, `Event name`, `event_name`.
fn spelled(column: &str) -> String {
    let plain: String = column
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    COLUMNS
        .iter()
        .find(|name| name.eq_ignore_ascii_case(&plain))
        .map_or_else(|| column.to_owned(), |name| (*name).to_owned())
}
