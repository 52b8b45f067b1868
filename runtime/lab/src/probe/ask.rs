//! The side that asks: one thread in each namespace, many questions under way at once.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use flow::Family;
use futures_util::StreamExt;
use futures_util::stream;
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::serve::{Seen, Token};
use super::{Observed, Outcome, Patience, Probe, Protocol};
use crate::error::{Error, Result};
use crate::netns::Namespace;
use crate::running::Lab;
use crate::topology::Place;

/// Answers in the order of questions.
pub(super) fn all(lab: &Lab, probes: &[Probe], patience: &Patience, seen: &Seen) -> Result<Vec<Observed>> {
    let mut by_place: BTreeMap<Place, Vec<(usize, Probe)>> = BTreeMap::new();
    for (index, probe) in probes.iter().enumerate() {
        by_place.entry(probe.from.place).or_default().push((index, *probe));
    }
    let at_once = (patience.at_once / by_place.len().max(1)).max(1);
    // Tokens of one round mean nothing to a listener of another.
    let salt = RandomState::new().hash_one(0) as u32;
    let from = |place, mine: Vec<(usize, Probe)>| {
        let namespace = lab.namespace(place)?;
        namespace.run(|| from_here(namespace, mine, Round { patience, seen, at_once, salt }))
    };
    let from = &from;
    let panicked = || Error::Panicked { name: "of a prober".to_string() };
    let answers: Vec<Result<Vec<(usize, Observed)>>> = thread::scope(|scope| {
        let threads: Vec<_> =
            by_place.into_iter().map(|(place, mine)| scope.spawn(move || from(place, mine))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err(panicked()))).collect()
    });
    let mut all: Vec<(usize, Observed)> = vec![];
    for answer in answers {
        all.extend(answer?);
    }
    all.sort_by_key(|(index, _)| *index);
    Ok(all.into_iter().map(|(_, observed)| observed).collect())
}

#[derive(Clone, Copy)]
struct Round<'a> {
    patience: &'a Patience,
    seen: &'a Seen,
    at_once: usize,
    salt: u32,
}

fn from_here(namespace: &Namespace, mine: Vec<(usize, Probe)>, round: Round) -> Result<Vec<(usize, Observed)>> {
    let failed =
        |operation: String| move |source| Error::Socket { operation, name: namespace.name().to_string(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(failed("start a runtime".to_string()))?.block_on(async {
        let one = async |(index, probe): (usize, Probe)| {
            let observed = ask(index, probe, round).await;
            observed.map(|observed| (index, observed)).map_err(failed(format!("ask {probe:?}")))
        };
        let all: Vec<Result<_>> = stream::iter(mine).map(one).buffer_unordered(round.at_once).collect().await;
        all.into_iter().collect()
    })
}

/// Errors: a socket cannot be made or bound; all that the network does is an outcome.
async fn ask(index: usize, probe: Probe, round: Round<'_>) -> io::Result<Observed> {
    let mut attempts = 0;
    let mut seen = false;
    let waits = &round.patience.waits;
    loop {
        let wait = waits.get(attempts).copied().unwrap_or(Duration::from_millis(250));
        let token = token(round.salt, index, attempts);
        let answered = match probe.protocol {
            Protocol::Tcp(port) => tcp(probe, port, token, wait).await?,
            Protocol::Udp(port) => udp(probe, port, token, wait).await?,
            Protocol::Echo => echo(probe, token, wait).await?,
        };
        attempts += 1;
        seen |= round.seen.has(token);
        if let Some(outcome) = answered {
            return Ok(Observed { probe, outcome, attempts });
        }
        if attempts >= waits.len() {
            let outcome = if seen { Outcome::Unanswered } else { Outcome::Blocked };
            return Ok(Observed { probe, outcome, attempts });
        }
    }
}

fn token(salt: u32, index: usize, attempt: usize) -> Token {
    let [.., a, b, c] = index.to_be_bytes();
    let [.., d] = attempt.to_be_bytes();
    let [e, f, g, h] = salt.to_be_bytes();
    [e, f, g, h, a, b, c, d]
}

/// A socket in this namespace that sends from the probe's own address.
fn socket(probe: Probe, kind: Type, protocol: Option<socket2::Protocol>) -> io::Result<Socket> {
    let socket =
        Socket::new(Domain::for_address(SocketAddr::new(probe.from.address, 0)), kind.nonblocking(), protocol)?;
    socket.bind(&SocketAddr::new(probe.from.address, 0).into())?;
    Ok(socket)
}

/// What an error of the network means; `None` is silence.
fn meaning(error: &io::Error) -> Option<Outcome> {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Some(Outcome::Refused),
        io::ErrorKind::TimedOut => None,
        _ => Some(Outcome::Unreachable),
    }
}

/// What came within the wait; silence is `None`.
async fn within<T>(wait: Duration, work: impl Future<Output = io::Result<T>>) -> Option<Outcome> {
    match timeout(wait, work).await {
        Ok(Ok(_)) => Some(Outcome::Reached),
        Ok(Err(error)) => meaning(&error),
        Err(_) => None,
    }
}

async fn tcp(probe: Probe, port: u16, token: Token, wait: Duration) -> io::Result<Option<Outcome>> {
    let socket = tokio::net::TcpSocket::from_std_stream(socket(probe, Type::STREAM, None)?.into());
    let talk = async {
        let mut stream = socket.connect(SocketAddr::new(probe.to.address, port)).await?;
        stream.write_all(&token).await?;
        let mut back = Token::default();
        stream.read_exact(&mut back).await?;
        if back == token { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
    };
    Ok(within(wait, talk).await)
}

async fn udp(probe: Probe, port: u16, token: Token, wait: Duration) -> io::Result<Option<Outcome>> {
    let socket = tokio::net::UdpSocket::from_std(socket(probe, Type::DGRAM, None)?.into())?;
    let talk = async {
        socket.connect(SocketAddr::new(probe.to.address, port)).await?;
        socket.send(&token).await?;
        let mut back = [0; 64];
        loop {
            let length = socket.recv(&mut back).await?;
            if back.get(..length) == Some(&token[..]) {
                return Ok(());
            }
        }
    };
    Ok(within(wait, talk).await)
}

/// A datagram echo socket (Linux `ping_group_range`): the kernel fills identifier and checksum and sorts the answers.
async fn echo(probe: Probe, token: Token, wait: Duration) -> io::Result<Option<Outcome>> {
    let (protocol, request, reply) = match probe.family() {
        Family::V4 => (socket2::Protocol::ICMPV4, 8, 0),
        Family::V6 => (socket2::Protocol::ICMPV6, 128, 129),
    };
    let socket = tokio::net::UdpSocket::from_std(socket(probe, Type::DGRAM, Some(protocol))?.into())?;
    let talk = async {
        socket.connect(SocketAddr::new(probe.to.address, 0)).await?;
        let mut packet = vec![request, 0, 0, 0, 0, 0, 0, 1];
        packet.extend(token);
        socket.send(&packet).await?;
        let mut back = [0; 64];
        loop {
            let length = socket.recv(&mut back).await?;
            let bytes = back.get(..length).unwrap_or_default();
            if bytes.first() == Some(&reply) && bytes.get(8..) == Some(&token[..]) {
                return Ok(());
            }
        }
    };
    Ok(within(wait, talk).await)
}
