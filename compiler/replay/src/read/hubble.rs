//! Flows as Hubble exports them: `{"flow": {…}}` or the flow alone, its fields in either spelling of the JSON form of protocol buffers.
//!
//! Source: `api/v1/flow/flow.proto` of Cilium. Both ends are kept as bytes until they are new, for a log repeats them.

use super::{json_error, key, recorded};
use crate::Time;
use crate::record::{End, Point, Record, Recorded};
use crate::tally::{EndId, Tally};
use flow::{Direction, L4Key, Protocol};
use request::{Http, Message, Request, Transport};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// What wraps a flow.
#[derive(Deserialize)]
struct Export<'a> {
    #[serde(borrow)]
    flow: Option<Flow<'a>>,
    #[serde(alias = "lostEvents")]
    lost_events: Option<Lost>,
    #[serde(borrow)]
    time: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Lost {
    #[serde(alias = "numEventsLost", default)]
    num_events_lost: Count,
}

/// A number of 64 bits is text in the JSON form of protocol buffers.
#[derive(Deserialize, Default)]
#[serde(untagged)]
enum Count {
    #[default]
    None,
    Number(u64),
    Text(String),
}

#[derive(Deserialize)]
struct Flow<'a> {
    #[serde(borrow)]
    time: Option<Text<'a>>,
    #[serde(borrow)]
    verdict: Option<Text<'a>>,
    #[serde(borrow, alias = "dropReasonDesc")]
    drop_reason_desc: Option<Text<'a>>,
    #[serde(borrow, rename = "IP", alias = "ip")]
    ip: Option<Ip<'a>>,
    l4: Option<L4>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
    #[serde(borrow)]
    destination: Option<&'a RawValue>,
    #[serde(borrow, alias = "sourceNames")]
    source_names: Option<&'a RawValue>,
    #[serde(borrow, alias = "destinationNames")]
    destination_names: Option<&'a RawValue>,
    #[serde(borrow, alias = "destinationService")]
    destination_service: Option<&'a RawValue>,
    #[serde(borrow, alias = "traceObservationPoint")]
    trace_observation_point: Option<Text<'a>>,
    #[serde(borrow, alias = "sockXlatePoint")]
    sock_xlate_point: Option<Text<'a>>,
    #[serde(borrow, alias = "trafficDirection")]
    traffic_direction: Option<Text<'a>>,
    #[serde(alias = "isReply")]
    is_reply: Option<bool>,
    reply: Option<bool>,
    #[serde(borrow)]
    l7: Option<L7<'a>>,
}

#[derive(Deserialize)]
struct Ip<'a> {
    #[serde(borrow)]
    source: Option<Text<'a>>,
    #[serde(borrow)]
    destination: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct L4 {
    #[serde(rename = "TCP", alias = "tcp")]
    tcp: Option<Ports>,
    #[serde(rename = "UDP", alias = "udp")]
    udp: Option<Ports>,
    #[serde(rename = "SCTP", alias = "sctp")]
    sctp: Option<Ports>,
    #[serde(rename = "ICMPv4", alias = "icmpv4")]
    icmp4: Option<Icmp>,
    #[serde(rename = "ICMPv6", alias = "icmpv6")]
    icmp6: Option<Icmp>,
}

#[derive(Deserialize)]
struct Ports {
    #[serde(alias = "destinationPort", default)]
    destination_port: u32,
    #[serde(default)]
    flags: Option<Flags>,
}

#[derive(Deserialize)]
struct Flags {
    #[serde(rename = "SYN", default)]
    syn: bool,
    #[serde(rename = "ACK", default)]
    ack: bool,
}

/// Fields that are zero are left out.
#[derive(Deserialize)]
struct Icmp {
    #[serde(rename = "type", default)]
    kind: u8,
    #[serde(default)]
    code: u8,
}

#[derive(Deserialize)]
struct L7<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow)]
    http: Option<HttpRecord<'a>>,
    #[serde(borrow)]
    dns: Option<DnsRecord<'a>>,
}

#[derive(Deserialize)]
struct HttpRecord<'a> {
    #[serde(borrow)]
    method: Option<Text<'a>>,
    #[serde(borrow)]
    url: Option<Text<'a>>,
    #[serde(borrow, default)]
    headers: Vec<Header<'a>>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    key: Text<'a>,
    #[serde(borrow)]
    value: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct DnsRecord<'a> {
    #[serde(borrow)]
    query: Option<Text<'a>>,
}

/// One end, read once for each form that it has in the log.
#[derive(Deserialize, Default)]
struct Endpoint {
    #[serde(default)]
    namespace: String,
    #[serde(default, alias = "podName")]
    pod_name: String,
    #[serde(default)]
    labels: Vec<String>,
    #[serde(default)]
    workloads: Vec<Workload>,
}

/// The service that has an address.
#[derive(Deserialize, Default)]
struct Service {
    #[serde(default)]
    namespace: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Workload {
    #[serde(default)]
    name: String,
}

/// Counts one line. Errors: why it cannot be read, for people.
pub fn read(tally: &mut Tally, line: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not UTF-8 text".to_owned())?;
    if text.get(1..).is_some_and(|rest| rest.trim_start().starts_with("\"flow\"")) {
        return export(tally, text);
    }
    let flow: Flow<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    match flow.verdict.is_some() || flow.ip.is_some() || flow.l4.is_some() {
        true => count(tally, &flow),
        false => export(tally, text),
    }
}

fn export(tally: &mut Tally, text: &str) -> Result<(), String> {
    let export: Export<'_> = serde_json::from_str(text).map_err(|error| json_error(&error))?;
    let time = time(export.time.as_ref())?;
    match (export.flow, export.lost_events) {
        (Some(flow), _) => return count(tally, &flow),
        (None, Some(lost)) => {
            tally.lost += match lost.num_events_lost {
                Count::Number(lost) => lost,
                Count::Text(text) => text.parse().map_err(|_| format!("`{text}` is no number of events"))?,
                Count::None => 0,
            };
            tally.from_hubble = true;
            tally.add_other(time);
        }
        (None, None) => tally.add_other(time),
    }
    Ok(())
}

fn time(text: Option<&Text<'_>>) -> Result<Option<Time>, String> {
    let read = |text: &Text<'_>| Time::parse(&text.0).ok_or_else(|| format!("`{}` is no time", text.0));
    text.map(read).transpose()
}

fn count(tally: &mut Tally, flow: &Flow<'_>) -> Result<(), String> {
    let verdict = flow.verdict.as_ref().map_or("", |it| &it.0);
    let recorded = match recorded(verdict)? {
        Recorded::Denied if !by_policy(flow) => Recorded::DroppedOtherwise,
        recorded => recorded,
    };
    let direction = match flow.traffic_direction.as_ref().map_or("", |it| &it.0) {
        "INGRESS" => Some(Direction::Ingress),
        "EGRESS" => Some(Direction::Egress),
        _ => None,
    };
    let (key, answers) = match &flow.l4 {
        Some(l4) => l4.key()?,
        None => (None, false),
    };
    let response = flow.l7.as_ref().and_then(|l7| l7.kind.as_ref()).is_some_and(|kind| kind.0 == "RESPONSE");
    let time = time(flow.time.as_ref())?;
    let ip = flow.ip.as_ref();
    let from = ip.and_then(|ip| ip.source.as_ref()).map_or("", |it| &it.0);
    let to = ip.and_then(|ip| ip.destination.as_ref()).map_or("", |it| &it.0);
    let source = end(tally, flow.source, from, flow.source_names, None)?;
    let destination = end(tally, flow.destination, to, flow.destination_names, flow.destination_service)?;
    tally.from_hubble = true;
    let reply = flow.is_reply.or(flow.reply).unwrap_or(answers) || response;
    let request = flow.l7.as_ref().and_then(L7::request);
    let point = point(flow, recorded);
    tally.add(Record { time, source, destination, key, direction, point, reply, recorded, request });
    Ok(())
}

/// Where a packet was recorded. What policies dropped was translated before they saw it.
fn point(flow: &Flow<'_>, recorded: Recorded) -> Point {
    let socket = flow.sock_xlate_point.as_ref().map_or("", |it| &it.0);
    let at = flow.trace_observation_point.as_ref().map_or("", |it| &it.0);
    match (socket, at, recorded) {
        ("SOCK_XLATE_POINT_PRE_DIRECTION_FWD", ..) => Point::Before,
        ("SOCK_XLATE_POINT_POST_DIRECTION_FWD", ..) => Point::Behind,
        (_, _, Recorded::Denied | Recorded::Audited) => Point::Behind,
        (_, at, _) if at.starts_with("TO_") => Point::Behind,
        (_, at, _) if at.starts_with("FROM_") => Point::Before,
        _ => Point::Unsaid,
    }
}

/// Whether a drop was policy's; one without a reason is taken for that.
fn by_policy(flow: &Flow<'_>) -> bool {
    let reason = flow.drop_reason_desc.as_ref().map_or("", |it| &it.0);
    matches!(reason, "" | "POLICY_DENIED" | "POLICY_DENY" | "AUTH_REQUIRED" | "DROP_REASON_UNKNOWN")
}

impl L4 {
    /// The key, and whether the segment can only be an answer.
    fn key(&self) -> Result<(Option<L4Key>, bool), String> {
        let ports = [(&self.tcp, Protocol::TCP), (&self.udp, Protocol::UDP), (&self.sctp, Protocol::SCTP)];
        for (ports, protocol) in ports {
            if let Some(ports) = ports {
                let answers = ports.flags.as_ref().is_some_and(|flags| flags.syn && flags.ack);
                return Ok((Some(key(protocol, ports.destination_port)?), answers));
            }
        }
        let icmp = [(&self.icmp4, Protocol::ICMP), (&self.icmp6, Protocol::ICMPV6)];
        let found = icmp.into_iter().find_map(|(icmp, protocol)| Some((icmp.as_ref()?, protocol)));
        Ok((found.map(|(icmp, protocol)| L4Key::icmp(protocol, icmp.kind, icmp.code)), false))
    }
}

impl L7<'_> {
    fn request(&self) -> Option<Request> {
        if let Some(http) = &self.http {
            let url = http.url.as_ref().map_or("/", |it| &it.0);
            let (host, target) = split(url);
            let header = |it: &Header<'_>| (it.key.0.to_string(), it.value.as_ref().map_or("", |it| &it.0).to_owned());
            let http = Http {
                method: http.method.as_ref().map_or("", |it| &it.0).to_owned(),
                target: target.to_owned(),
                host: host.map(str::to_owned),
                headers: http.headers.iter().map(header).collect(),
            };
            return Some(Request { transport: Transport::Plain, message: Some(Message::Http(http)) });
        }
        let query = &self.dns.as_ref()?.query.as_ref()?.0;
        Some(Request::dns(query.strip_suffix('.').unwrap_or(query)))
    }
}

/// Authority and target of a URL.
fn split(url: &str) -> (Option<&str>, &str) {
    let Some((_, rest)) = url.split_once("://") else { return (None, url) };
    match rest.find('/') {
        Some(at) => (Some(&rest[..at]), &rest[at..]),
        None => (Some(rest), "/"),
    }
}

fn end(
    tally: &mut Tally,
    endpoint: Option<&RawValue>,
    address: &str,
    names: Option<&RawValue>,
    service: Option<&RawValue>,
) -> Result<EndId, String> {
    let (endpoint, names) = (endpoint.map_or("{}", RawValue::get), names.map_or("", RawValue::get));
    let service = service.map_or("", RawValue::get);
    let mut form = Vec::with_capacity(endpoint.len() + address.len() + names.len() + service.len() + 3);
    for part in [endpoint, "\0", address, "\0", names, "\0", service] {
        form.extend_from_slice(part.as_bytes());
    }
    tally.end_of(&form, || {
        let read: Endpoint = serde_json::from_str(endpoint).map_err(|error| json_error(&error))?;
        let names: Vec<String> = if names.is_empty() {
            Vec::new()
        } else {
            serde_json::from_str(names).map_err(|error| json_error(&error))?
        };
        let address = match address {
            "" => None,
            text => Some(text.parse().map_err(|_| format!("`{text}` is no address"))?),
        };
        let named = match service {
            "" => Service::default(),
            text => serde_json::from_str(text).map_err(|error| json_error(&error))?,
        };
        // Why not beside a pod: who answers is said already.
        let named = if read.pod_name.is_empty() && !named.name.is_empty() { named } else { Service::default() };
        let service = if named.name.is_empty() { String::new() } else { format!("{}/{}", named.namespace, named.name) };
        let workload = read.workloads.into_iter().next().map(|it| it.name).unwrap_or_default();
        let plain = |name: String| name.trim_end_matches('.').to_ascii_lowercase();
        Ok(End {
            namespace: read.namespace,
            pod: read.pod_name,
            workload,
            labels: read.labels,
            address,
            names: names.into_iter().map(plain).collect(),
            service,
        })
    })
}
