//! Flows as a table: a header, then one flow a line.
//!
//! ```text
//! time,verdict,direction,source,destination,protocol,port,source_labels,destination_labels
//! 2026-03-01T12:00:00Z,allow,ingress,shop/web-1,shop/db-0,tcp,5432,app=web,app=db
//! ```

use super::{Unreadable, add, key, recorded};
use crate::Time;
use crate::record::{End, Point, Record, Recorded};
use crate::tally::Tally;
use ::csv::{ReaderBuilder, StringRecord};
use flow::{Direction, L4Key, Protocol};

/// Every column that is known; the first five are needed. Others are passed over.
pub const COLUMNS: [&str; 9] = [
    "source",
    "destination",
    "protocol",
    "port",
    "verdict",
    "time",
    "direction",
    "source_labels",
    "destination_labels",
];

/// Where each of [`COLUMNS`] stands in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns([Option<usize>; COLUMNS.len()]);

impl Columns {
    /// Reads a header. Errors: what it lacks.
    pub fn of(line: &[u8]) -> Result<Columns, Unreadable> {
        let names = split(line).ok_or(Unreadable::Unknown)?;
        let at = COLUMNS.map(|column| names.iter().position(|name| name.trim().eq_ignore_ascii_case(column)));
        if at.iter().all(Option::is_none) {
            return Err(Unreadable::Unknown);
        }
        let missing: Vec<&str> = COLUMNS.iter().zip(at).take(5).filter(|it| it.1.is_none()).map(|it| *it.0).collect();
        if missing.is_empty() { Ok(Columns(at)) } else { Err(Unreadable::Header(missing)) }
    }

    /// Counts one line. Errors: for people.
    pub fn read(&self, tally: &mut Tally, line: &[u8]) -> Result<(), String> {
        let fields = split(line).ok_or("it is not UTF-8 text, or its quotes do not end")?;
        let field = |column: &str| {
            let at = COLUMNS.iter().position(|known| *known == column).and_then(|at| self.0[at]);
            at.and_then(|at| fields.get(at)).unwrap_or("").trim()
        };
        let time = match field("time") {
            "" => None,
            text => Some(Time::parse(text).ok_or_else(|| format!("`{text}` is no time"))?),
        };
        let direction = match field("direction").to_ascii_lowercase().as_str() {
            "" => None,
            "ingress" => Some(Direction::Ingress),
            "egress" => Some(Direction::Egress),
            other => return Err(format!("`{other}` is no direction; it is ingress or egress")),
        };
        let verdict = field("verdict");
        let reply = verdict.eq_ignore_ascii_case("reply");
        let record = Record {
            time,
            source: end(field("source"), field("source_labels"))?,
            destination: end(field("destination"), field("destination_labels"))?,
            key: port(field("protocol"), field("port"))?,
            direction,
            point: Point::Unsaid,
            reply,
            recorded: if reply { Recorded::Passed } else { recorded(verdict)? },
            request: None,
        };
        add(tally, record);
        Ok(())
    }
}

/// The fields of a line; `None` for what is no text.
fn split(line: &[u8]) -> Option<StringRecord> {
    let mut fields = StringRecord::new();
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(line);
    reader.read_record(&mut fields).ok().filter(|found| *found)?;
    Some(fields)
}

/// `namespace/pod` or an address, with labels such as `app=web;tier=front`; those without source are of Kubernetes.
fn end(who: &str, labels: &str) -> Result<End, String> {
    let sourced = |label: &str| match label.split_once('=').map_or(label, |it| it.0).contains(':') {
        true => label.to_owned(),
        false => format!("k8s:{label}"),
    };
    let mut end = End {
        labels: labels.split(';').map(str::trim).filter(|it| !it.is_empty()).map(sourced).collect(),
        ..End::default()
    };
    match who.split_once('/') {
        Some((namespace, pod)) if !namespace.is_empty() && !pod.is_empty() => {
            (end.namespace, end.pod) = (namespace.to_owned(), pod.to_owned());
        }
        _ if who.is_empty() => {}
        _ => {
            let address = who.parse().map_err(|_| format!("`{who}` is neither namespace/pod nor an address"))?;
            end.address = Some(address);
        }
    }
    if end.namespace.is_empty() {
        end.namespace = end.label(hir::labels::NAMESPACE).unwrap_or_default().to_owned();
    }
    Ok(end)
}

/// A port, or `TYPE` or `TYPE.CODE` of ICMP; an echo request where nothing is written.
fn port(protocol: &str, port: &str) -> Result<Option<L4Key>, String> {
    let bad = || format!("`{port}` is no port of `{protocol}`");
    let protocol = match Protocol::parse(protocol) {
        Some(protocol) => protocol,
        None if protocol.is_empty() => return Ok(None),
        None => return Err(format!("`{protocol}` is no protocol")),
    };
    match protocol {
        Protocol::ICMP | Protocol::ICMPV6 => {
            let echo = if protocol == Protocol::ICMP { 8 } else { 128 };
            let (kind, code) = port.split_once('.').unwrap_or((port, "0"));
            let kind = if kind.is_empty() { echo } else { kind.parse().map_err(|_| bad())? };
            Ok(Some(L4Key::icmp(protocol, kind, code.parse().map_err(|_| bad())?)))
        }
        _ if port.is_empty() => Ok(None),
        _ => key(protocol, port.parse().map_err(|_| bad())?).map(Some),
    }
}
