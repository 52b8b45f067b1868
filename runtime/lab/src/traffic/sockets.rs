//! The sockets of a run: one at each end of each pair, made inside its namespace, connected to the other end.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::{Domain, Socket, Type};

use super::{Flow, HEADER_BYTES, Losses};
use crate::error::{Error, Result};
use crate::running::Lab;
use crate::topology::Place;

/// Room for seconds of traffic: a receiver that waits for a processor loses nothing. `FORCE` passes the host's limit, which
/// is not ours to change.
const BUFFER_BYTES: usize = 64 << 20;

/// One end of a pair.
#[derive(Debug)]
pub(super) struct Ended {
    pub place: Place,
    pub socket: std::net::UdpSocket,
}

/// The sockets of a run, and by flow which of them sends.
#[derive(Debug, Default)]
pub(super) struct Sockets {
    pub ends: Vec<Ended>,
    /// By flow: the index of the socket that sends and of the one that receives.
    pub of_flow: Vec<(usize, usize)>,
}

pub(super) fn open(lab: &Lab, flows: &[Flow]) -> Result<Sockets> {
    let mut sockets = Sockets::default();
    let mut known: BTreeMap<(Place, SocketAddr, SocketAddr), usize> = BTreeMap::new();
    for flow in flows {
        if flow.payload_bytes < HEADER_BYTES {
            return Err(Error::Question { what: format!("a number in {} bytes", flow.payload_bytes) });
        }
        if flow.from_port == 0 || flow.to_port == 0 {
            return Err(Error::Question { what: format!("port 0 in {flow:?}") });
        }
        crate::probe::check(lab, flow.from, flow.to)?;
        let from = (flow.from.place, SocketAddr::new(flow.from.address, flow.from_port));
        let to = (flow.to.place, SocketAddr::new(flow.to.address, flow.to_port));
        let mut end = |(place, local), (_, remote)| -> Result<usize> {
            if let Some(&index) = known.get(&(place, local, remote)) {
                return Ok(index);
            }
            sockets.ends.push(Ended { place, socket: connect(lab, place, local, remote)? });
            known.insert((place, local, remote), sockets.ends.len() - 1);
            Ok(sockets.ends.len() - 1)
        };
        let pair = (end(from, to)?, end(to, from)?);
        sockets.of_flow.push(pair);
    }
    Ok(sockets)
}

fn connect(lab: &Lab, place: Place, local: SocketAddr, remote: SocketAddr) -> Result<std::net::UdpSocket> {
    let namespace = lab.namespace(place)?;
    namespace.run(|| {
        let make = || {
            let socket = Socket::new(Domain::for_address(local), Type::DGRAM.nonblocking(), None)?;
            // Several pairs may share a local port; each is connected to its own peer.
            socket.set_reuse_address(true)?;
            setsockopt(&socket, sockopt::RcvBufForce, &BUFFER_BYTES)?;
            setsockopt(&socket, sockopt::ReceiveTimestampns, &true)?;
            socket.bind(&local.into())?;
            socket.connect(&remote.into())?;
            Ok(socket.into())
        };
        let name = namespace.name().to_string();
        make().map_err(|source| Error::Socket { operation: format!("connect {local} to {remote}"), name, source })
    })
}

/// The counters of every namespace of the run and of the machine's backlogs, summed; only differences mean anything.
pub(super) fn counters(lab: &Lab, sockets: &Sockets) -> Result<Losses> {
    let mut places: Vec<Place> = sockets.ends.iter().map(|end| end.place).collect();
    places.sort();
    places.dedup();
    let mut sum = Losses::default();
    for place in places {
        let [v4, v6] = lab.inside(place, || {
            let read = |file| std::fs::read_to_string(format!("/proc/thread-self/net/{file}"));
            Ok::<_, std::io::Error>([read("snmp")?, read("snmp6")?])
        })?;
        let counts = udp_v4(&v4).chain(udp_v6(&v6));
        for (name, count) in counts {
            match name {
                "RcvbufErrors" | "MemErrors" => sum.full_buffers += count,
                "InCsumErrors" => sum.wrong_checksums += count,
                "NoPorts" => sum.no_socket += count,
                "SndbufErrors" => sum.not_sent += count,
                _ => {}
            }
        }
    }
    sum.full_backlogs = lab.inside(Place::Node(0), || {
        let text = std::fs::read_to_string("/proc/thread-self/net/softnet_stat")?;
        // One line a processor; the second column counts packets dropped for a full backlog.
        let dropped = text.lines().filter_map(|line| u64::from_str_radix(line.split_whitespace().nth(1)?, 16).ok());
        Ok::<u64, std::io::Error>(dropped.sum())
    })?;
    Ok(sum)
}

/// `Udp: InDatagrams NoPorts …` over `Udp: 1 2 …`.
fn udp_v4(text: &str) -> impl Iterator<Item = (&str, u64)> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Udp: "));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    names.split_whitespace().zip(values.split_whitespace().map(|value| value.parse().unwrap_or(0)))
}

/// `Udp6NoPorts   1`, one a line.
fn udp_v6(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.lines().filter_map(|line| {
        let (name, value) = line.strip_prefix("Udp6")?.split_once(char::is_whitespace)?;
        Some((name, value.trim().parse().ok()?))
    })
}
