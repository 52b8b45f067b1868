//! Our own records as JSON lines: one object a record of a node's ring buffer, its numbers already words.
//!
//! ```text
//! {"record":{"time":"2026-03-01T12:00:00Z","direction":"ingress","source":"10.1.0.4","destination":"10.1.0.9",
//!            "protocol":"tcp","destinationPort":5432,"reason":"policy","audited":false}}
//! ```
//! `reason` is the name of a drop reason, or absent for what passed. Times are of the clock on the wall: whoever writes them knows when
//! the node started.

use super::{add, json_error, key};
use crate::Time;
use crate::record::{End, Point, Record, Recorded};
use crate::tally::Tally;
use flow::{Direction, L4Key, Protocol};
use serde::Deserialize;
use std::net::IpAddr;

#[derive(Deserialize)]
struct Line {
    record: Own,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Own {
    time: Option<String>,
    direction: String,
    source: IpAddr,
    destination: IpAddr,
    protocol: String,
    #[serde(default)]
    destination_port: u32,
    icmp_type: Option<u8>,
    #[serde(default)]
    icmp_code: u8,
    reason: Option<String>,
    #[serde(default)]
    audited: bool,
}

/// Whether a line is one of ours.
pub fn is_own(line: &[u8]) -> bool {
    line.get(1..).is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\"record\""))
}

/// Counts one line. Errors: for people.
pub fn read(tally: &mut Tally, line: &[u8]) -> Result<(), String> {
    let Line { record } = serde_json::from_slice(line).map_err(|error| json_error(&error))?;
    let time = record.time.map(|text| Time::parse(&text).ok_or_else(|| format!("`{text}` is no time"))).transpose()?;
    let direction = match record.direction.as_str() {
        "ingress" => Direction::Ingress,
        "egress" => Direction::Egress,
        other => return Err(format!("`{other}` is no direction")),
    };
    let protocol = Protocol::parse(&record.protocol).ok_or_else(|| format!("`{}` is no protocol", record.protocol))?;
    let key = match record.icmp_type {
        Some(kind) => L4Key::icmp(protocol, kind, record.icmp_code),
        None => key(protocol, record.destination_port)?,
    };
    let recorded = match record.reason.as_deref() {
        None => Recorded::Passed,
        Some(_) if record.audited => Recorded::Audited,
        Some("policy" | "no-proxy" | "auth-required") => Recorded::Denied,
        Some(_) => Recorded::DroppedOtherwise,
    };
    let end = |address| End { address: Some(address), ..End::default() };
    let (source, destination) = (end(record.source), end(record.destination));
    add(
        tally,
        Record {
            time,
            source,
            destination,
            key: Some(key),
            direction: Some(direction),
            point: Point::Unsaid,
            reply: false,
            recorded,
            request: None,
        },
    );
    Ok(())
}
