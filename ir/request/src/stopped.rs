//! Which protocols no longer work once a proxy reads a port.

use std::fmt;

use crate::request::{Request, Transport};
use crate::rules::{Refusal, Requests, Rules};

/// A protocol that a proxy stops, whatever its rules let through otherwise.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stopped {
    /// Bytes that are not of the protocol that the proxy reads.
    Other(&'static str),
    /// Records that the parser of this name does not read.
    NotParsed(String),
    /// WebSocket: an upgrade is a `GET`.
    WebSocket,
    /// Tunnels: `CONNECT`.
    Connect,
    /// gRPC: every call is a `POST`.
    Grpc,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stopped::Other(protocol) => write!(f, "anything that is not {protocol}"),
            Stopped::NotParsed(parser) => write!(f, "anything that the parser {parser} does not read"),
            Stopped::WebSocket => f.write_str("WebSocket, whose upgrade is a GET"),
            Stopped::Connect => f.write_str("CONNECT tunnels"),
            Stopped::Grpc => f.write_str("gRPC, whose calls are POST"),
        }
    }
}

/// What stops working for a flow that a proxy reads by `reading`, one of the `sets` of allows that meet it (`None` is an open allow).
///
/// An open allow lets every request through, but no request of another protocol: the proxy still has to read it.
pub fn stopped(reading: &Requests, sets: &[Option<&Requests>]) -> Vec<Stopped> {
    let mut out = Vec::new();
    match &reading.rules {
        Rules::Any if reading.server_names.is_empty() => {}
        Rules::Any => out.push(Stopped::Other("TLS")),
        Rules::Kafka(_) => out.push(Stopped::Other("Kafka")),
        Rules::Dns(_) => out.push(Stopped::Other("DNS")),
        Rules::Generic { parser, .. } => out.push(Stopped::NotParsed(parser.clone())),
        Rules::Http(_) => {
            out.push(Stopped::Other(if reading.terminates { "HTTP, plain or inside TLS" } else { "plain HTTP" }));
            for (method, protocol) in
                [("GET", Stopped::WebSocket), ("CONNECT", Stopped::Connect), ("POST", Stopped::Grpc)]
            {
                if !sets.iter().any(|set| takes(*set, method)) {
                    out.push(protocol);
                }
            }
        }
    }
    out
}

/// How a request looks to its client whose bytes a proxy that reads by `reading` cannot read; `None` for one that it can.
///
/// No set admits such a request, an open allow neither: nobody gets as far as asking them.
pub fn unread(reading: &Requests, request: &Request) -> Option<Refusal> {
    let inside = matches!(request.transport, Transport::Tls(_));
    match (&reading.rules, &request.message) {
        (Rules::Any, _) => (!reading.server_names.is_empty() && !inside).then_some(Refusal::Reset),
        (Rules::Dns(_), Some(message)) if reading.rules.is_of(message) => None,
        // Why not for DNS: it has no TLS that a proxy could end.
        (Rules::Http(_) | Rules::Kafka(_) | Rules::Generic { .. }, message) if !inside || reading.terminates => {
            match message {
                Some(message) => (!reading.rules.is_of(message)).then_some(Refusal::Closed),
                // The handshake alone: what is inside is judged when it comes.
                None => (!inside).then_some(Refusal::Closed),
            }
        }
        _ => Some(if inside { Refusal::Reset } else { Refusal::Closed }),
    }
}

/// Whether a set can admit an HTTP request with this method.
fn takes(set: Option<&Requests>, method: &str) -> bool {
    match set.map(|set| (set.observes, &set.rules)) {
        None | Some((true, Rules::Http(_))) | Some((_, Rules::Any)) => true,
        Some((_, Rules::Http(rules))) => rules.iter().any(|rule| rule.takes_method(method)),
        Some(_) => false,
    }
}
