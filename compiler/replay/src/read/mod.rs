//! Reads records from bytes: whole lines of one file, in pieces of any size and from several threads.

mod csv;
mod hubble;
mod own;

pub use self::csv::{COLUMNS, Columns};

use crate::record::{End, Record, Recorded};
use crate::tally::{Broken, EndId, Tally};
use flow::{L4Key, Protocol};
use std::sync::Arc;

/// How a file is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line: what `hubble observe -o json` prints, or our own records.
    Json,
    /// A table with a header.
    Csv(Columns),
}

/// What is said of records in an array.
const ARRAY: &str = "it is a JSON array, and records are objects, one a line; `jq -c '.[]'` writes them so";

/// Why a text is in no format of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Neither JSON objects nor a table.
    Unknown,
    /// One JSON array.
    Array,
    /// A table whose header lacks these columns.
    Header(Vec<&'static str>),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unreadable::Unknown => write!(
                f,
                "it holds neither JSON records, one a line, nor a table whose first line names the columns {}",
                COLUMNS[..5].join(", ")
            ),
            Unreadable::Array => f.write_str(ARRAY),
            Unreadable::Header(missing) => {
                write!(f, "the first line of the table lacks the columns {}", missing.join(", "))
            }
        }
    }
}

impl std::error::Error for Unreadable {}

impl Format {
    /// The format of a text, by its first line that is not empty, and how many bytes of it are no records.
    ///
    /// Errors: [`Unreadable`].
    pub fn of(text: &[u8]) -> Result<(Format, usize), Unreadable> {
        let blank = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let rest = &text[blank..];
        let rest = rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest);
        match rest.first() {
            None | Some(b'{') => Ok((Format::Json, 0)),
            Some(b'[') => Err(Unreadable::Array),
            _ => {
                let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
                let columns = Columns::of(line)?;
                Ok((Format::Csv(columns), text.len() - rest.len() + line.len()))
            }
        }
    }
}

/// Counts the records of some whole lines. `first` is the number of the first line, from 1.
pub fn lines(tally: &mut Tally, format: &Format, file: &Arc<str>, first: u64, text: &[u8]) {
    let mut rest = text;
    for at in first.. {
        if rest.is_empty() {
            break;
        }
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = rest[..end].trim_ascii();
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() {
            continue;
        }
        let read = match format {
            Format::Json => json(tally, line),
            Format::Csv(columns) => columns.read(tally, line),
        };
        if let Err(why) = read {
            tally.add_broken(Broken { file: file.clone(), line: at, why });
        }
    }
}

fn json(tally: &mut Tally, line: &[u8]) -> Result<(), String> {
    if line.first() == Some(&b'[') {
        return Err(ARRAY.to_owned());
    }
    match own::is_own(line) {
        true => own::read(tally, line),
        false => hubble::read(tally, line),
    }
}

/// A record whose ends are described by values, not by bytes.
fn add(tally: &mut Tally, record: Record<End>) {
    let source: EndId = tally.end(record.source);
    let destination: EndId = tally.end(record.destination);
    let Record { time, key, direction, point, reply, recorded, request, .. } = record;
    tally.add(Record { time, source, destination, key, direction, point, reply, recorded, request });
}

/// What a word says of the verdict. Errors: for people.
fn recorded(word: &str) -> Result<Recorded, String> {
    Ok(match word.to_ascii_lowercase().as_str() {
        "forwarded" | "redirected" | "allow" | "allowed" | "pass" | "passed" | "accept" => Recorded::Passed,
        "dropped" | "deny" | "denied" | "drop" => Recorded::Denied,
        "audit" | "audited" => Recorded::Audited,
        "error" => Recorded::DroppedOtherwise,
        "" | "traced" | "translated" | "verdict_unknown" | "unknown" => Recorded::Unsaid,
        _ => return Err(format!("`{word}` is no verdict")),
    })
}

/// The key of a protocol and a port.
fn key(protocol: Protocol, port: u32) -> Result<L4Key, String> {
    u16::try_from(port).map(|port| L4Key::new(protocol, port)).map_err(|_| format!("`{port}` is no port"))
}

/// What went wrong in a JSON text, without the line that it counts itself.
fn json_error(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text).to_owned();
    if error.column() > 0 { format!("{text} (column {})", error.column()) } else { text }
}
