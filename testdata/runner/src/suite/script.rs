//! One row of a `packets` block: a packet that crosses an endpoint's interface, and its fate.
//!
//! ```text
//! TIME  in|out|nat  SOURCE[:PORT] -> DESTINATION[:PORT]  WHAT  pass REASON | drop REASON
//!
//! 0s   in   a/cli:40000 -> a/web:8080   tcp syn           pass allowed
//! 0s   out  a/web:8080  -> a/cli:40000  tcp syn,ack       pass reply
//! 61s  out  a/web:53    -> ext:41000    udp               drop policy
//! 62s  in   n2          -> a/web        icmp 11.0 about a/web:40001 -> ext:443 tcp syn   pass related
//! 63s  in   ext:1       -> a/web:2      udp part 2 of 9   drop fragment-unknown
//! ```
//! WHAT is `tcp FLAGS`, `udp`, `sctp`, `echo ID`, `echo-reply ID`, `icmp TYPE.CODE [about …]` or `ip PROTOCOL`. `part N of ID` sends only
//! the first or the second half of a packet that was cut in two. Reasons are those of the judge of packets. Of a node, `out` is what leaves
//! it: made by it where the source is the node, forwarded otherwise; `nat` leaves it after a pod's packet was translated to that source.

use super::cluster::World as Facts;
use super::end::{self, End};
use crate::engine::World;
use flow::Direction;
use packet::craft::{Echo, Frame};
use packet::{Flags, Origin};
use std::net::IpAddr;

/// A row.
#[derive(Clone, Debug)]
pub struct Packet {
    /// Its line.
    pub line: usize,
    /// Seconds since the beginning of the test.
    pub seconds: u64,
    /// Which way it crosses the endpoint's interface.
    pub direction: Direction,
    /// Where it was before.
    pub origin: Origin,
    /// The frame.
    pub bytes: Vec<u8>,
    /// Whether it passes, and why or why not.
    pub expected: (bool, String),
}

/// Reads a row of the packets of an endpoint on `node`.
///
/// Errors: what is not understood.
pub fn read(facts: &Facts, world: &World<'_>, node: Option<&str>, line: usize, text: &str) -> Result<Packet, String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [time, way, content @ .., verdict, reason] = &words[..] else { return Err(format!("`{text}` is no packet")) };
    let seconds =
        time.strip_suffix('s').and_then(|it| it.parse().ok()).ok_or_else(|| format!("`{time}` is no time"))?;
    let direction = match *way {
        "in" => Direction::Ingress,
        "out" | "nat" => Direction::Egress,
        other => return Err(format!("`{other}` is neither `in`, `out` nor `nat`")),
    };
    let passes = match *verdict {
        "pass" => true,
        "drop" => false,
        other => return Err(format!("`{other}` is neither `pass` nor `drop`")),
    };
    let content = Content::read(facts, world, content)?;
    let origin = match &content.source {
        _ if *way == "nat" => Origin::Endpoint,
        End::Node(name) if Some(name.as_str()) == node => Origin::Here,
        _ => Origin::Elsewhere,
    };
    let bytes = content.bytes()?;
    Ok(Packet { line, seconds, direction, origin, bytes, expected: (passes, (*reason).to_owned()) })
}

/// Ends, and what goes between them.
struct Content<'t> {
    source: End,
    from: (IpAddr, u16),
    to: (IpAddr, u16),
    what: &'t [&'t str],
    about: Option<Frame>,
}

impl<'t> Content<'t> {
    fn read(facts: &Facts, world: &World<'_>, words: &'t [&'t str]) -> Result<Content<'t>, String> {
        let (words, about) = match words.iter().position(|word| *word == "about") {
            Some(at) => (&words[..at], Some(Content::read(facts, world, &words[at + 1..])?.frame()?)),
            None => (words, None),
        };
        let [source, "->", destination, what @ ..] = words else {
            return Err(format!("`{}` has no ends", words.join(" ")));
        };
        let (source, source_port) = end_and_port(facts, source)?;
        let (destination, destination_port) = end_and_port(facts, destination)?;
        let (ours, theirs) = (source.addresses(world), destination.addresses(world));
        let pair = ours.iter().find_map(|a| Some((*a, *theirs.iter().find(|b| a.is_ipv4() == b.is_ipv4())?)));
        let (a, b) = pair.ok_or("the ends share no address family")?;
        Ok(Content { source, from: (a, source_port), to: (b, destination_port), what, about })
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        let Some(at) = self.what.iter().position(|word| *word == "part") else { return Ok(self.frame()?.build()) };
        let ["part", part, "of", id] = self.what[at..] else { return Err("write `part 1 of ID`".to_owned()) };
        let id = number(id)?;
        // Two parts of whole eights: the transport header and some, and the rest.
        let parts = Content { what: &self.what[..at], about: self.about.clone(), source: self.source.clone(), ..*self }
            .frame()?
            .payload(vec![0; 1000])
            .fragments(id, 800);
        let part = match part {
            "1" => parts.first(),
            "2" => parts.last(),
            _ => None,
        };
        part.cloned().ok_or_else(|| "there are a part 1 and a part 2".to_owned())
    }

    fn frame(&self) -> Result<Frame, String> {
        let ((a, from), (b, to)) = (self.from, self.to);
        let frame = match (self.what, &self.about) {
            (["tcp", names], None) => Frame::tcp(a, b, from, to, flags(names)?),
            (["udp"], None) => Frame::udp(a, b, from, to),
            (["sctp"], None) => Frame::sctp(a, b, from, to),
            (["echo", id], None) => Frame::icmp_echo(a, b, Echo::Request, number(id)?),
            (["echo-reply", id], None) => Frame::icmp_echo(a, b, Echo::Reply, number(id)?),
            (["ip", protocol], None) => Frame::ip(a, b, number(protocol)?, vec![0; 16]),
            (["icmp", message], about) => {
                let (kind, code) = message.split_once('.').unwrap_or((message, "0"));
                let (kind, code) = (number(kind)?, number(code)?);
                match about {
                    Some(about) => Frame::icmp_error(a, b, kind, code, about),
                    None => Frame::icmp(a, b, kind, code, [0; 4], &[]),
                }
            }
            (other, _) => return Err(format!("`{}` is nothing that can be sent", other.join(" "))),
        };
        Ok(frame)
    }
}

fn end_and_port(facts: &Facts, word: &str) -> Result<(End, u16), String> {
    let with_port =
        word.rsplit_once(':').and_then(|(name, port)| Some((end::named(facts, name).ok()?, port.parse().ok()?)));
    match with_port {
        Some(found) => Ok(found),
        None => Ok((end::named(facts, word)?, 0)),
    }
}

fn flags(names: &str) -> Result<Flags, String> {
    let mut flags = Flags::default();
    for name in names.split(',') {
        flags.0 |= match name {
            "syn" => Flags::SYN.0,
            "ack" => Flags::ACK.0,
            "fin" => Flags::FIN.0,
            "rst" => Flags::RST.0,
            other => return Err(format!("`{other}` is no flag")),
        };
    }
    Ok(flags)
}

fn number<N: std::str::FromStr>(word: &str) -> Result<N, String> {
    word.parse().map_err(|_| format!("`{word}` is no number, or too great"))
}
