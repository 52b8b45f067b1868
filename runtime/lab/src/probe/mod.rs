//! Asks with real packets whether one place reaches another.
//!
//! ```text
//!            ask (a thread in the namespace of `from`)            serve (sockets made in the namespace of `to`)
//!  TCP       connect, send a token  ─────────────────────────►    accept, note the token, send it back
//!  UDP       send a token           ─────────────────────────►    note the token, send it back
//!  echo      send a token in an echo request ────────────────►    the kernel of `to` answers
//! ```
//!
//! A listener is opened for every address and port that is asked about, so that nothing but the network decides.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use flow::Family;

use crate::error::{Error, Result};
use crate::running::Lab;
use crate::topology::{Place, Plan};

mod ask;
mod serve;

/// What is asked: TCP and UDP with the destination port in host order, or an ICMP echo of the address's family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// Open a connection and have a token come back.
    Tcp(u16),
    /// Have a token come back.
    Udp(u16),
    /// RFC 792 echo or RFC 4443 echo.
    Echo,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Protocol::Tcp(port) => write!(f, "{port}/TCP"),
            Protocol::Udp(port) => write!(f, "{port}/UDP"),
            Protocol::Echo => f.write_str("echo"),
        }
    }
}

/// One end: a place and which of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct End {
    /// Where.
    pub place: Place,
    /// One of the place's own addresses.
    pub address: IpAddr,
}

/// One question. Both ends are of one family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Probe {
    /// Who asks; packets leave with this address.
    pub from: End,
    /// Who is asked.
    pub to: End,
    /// How.
    pub protocol: Protocol,
}

impl Probe {
    /// The first address of each place in that family. `None` where a place has none.
    pub fn new(plan: &Plan, from: Place, to: Place, family: Family, protocol: Protocol) -> Option<Probe> {
        let end = |place| Some(End { place, address: plan.address(place, family)? });
        Some(Probe { from: end(from)?, to: end(to)?, protocol })
    }

    /// The family that both ends speak.
    pub fn family(&self) -> Family {
        Family::of(self.to.address)
    }
}

/// What came of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The other side saw it and the answer came back.
    Reached,
    /// The other side saw it; no answer came back. Never said of echo, nor of a TCP opening, which programs do not see.
    Unanswered,
    /// A reset or an ICMP port-unreachable came back: the packet arrived somewhere and was turned away.
    Refused,
    /// The network said that there is no way (ICMP unreachable, prohibited, or no route).
    Unreachable,
    /// Silence, through every attempt.
    Blocked,
}

/// A question and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observed {
    /// What was asked.
    pub probe: Probe,
    /// What came of it.
    pub outcome: Outcome,
    /// How many attempts it took, from 1.
    pub attempts: usize,
}

/// How long to wait for an answer, attempt by attempt; at least one attempt is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// One entry an attempt.
    pub waits: Vec<Duration>,
    /// How many questions are under way at once, over all places.
    pub at_once: usize,
}

impl Default for Patience {
    /// Two attempts of 250 ms, 512 at once: silence everywhere costs a millisecond a question.
    fn default() -> Patience {
        Patience { waits: vec![Duration::from_millis(250); 2], at_once: 512 }
    }
}

/// Asks everything and waits for all answers; results in the order of `probes`.
///
/// Errors: an end that the lab does not have, two families, port 0, or a socket that cannot be made. What the network does
/// is an [`Outcome`].
pub fn probe_all(lab: &Lab, probes: &[Probe]) -> Result<Vec<Observed>> {
    probe_with(lab, probes, &Patience::default())
}

/// As [`probe_all`], with patience of the caller's choice.
pub fn probe_with(lab: &Lab, probes: &[Probe], patience: &Patience) -> Result<Vec<Observed>> {
    for probe in probes {
        if matches!(probe.protocol, Protocol::Tcp(0) | Protocol::Udp(0)) {
            return Err(Error::Question { what: format!("port 0 in {probe:?}") });
        }
        check(lab, probe.from, probe.to)?;
    }
    let listeners = serve::open(lab, probes)?;
    serve::during(listeners, |seen| ask::all(lab, probes, patience, seen))
}

/// Both ends exist, own their addresses and speak one family.
pub(crate) fn check(lab: &Lab, from: End, to: End) -> Result<()> {
    for end in [from, to] {
        if !lab.plan().addresses(end.place).contains(&end.address) {
            return Err(Error::NoSuchPlace { what: format!("{:?} with address {}", end.place, end.address) });
        }
    }
    if from.address.is_ipv4() != to.address.is_ipv4() {
        return Err(Error::Question { what: format!("a way from {} to {}", from.address, to.address) });
    }
    Ok(())
}

/// Every ordered pair of ends of one family of which at least one is a pod, with each protocol: a pod and itself, pods of
/// one node and of two, nodes, and every address of the world.
pub fn all_pairs(plan: &Plan, protocols: &[Protocol]) -> Vec<Probe> {
    let ends: Vec<End> = plan
        .places()
        .into_iter()
        .flat_map(|place| plan.addresses(place).iter().map(move |&address| End { place, address }))
        .collect();
    let pod = |end: &End| matches!(end.place, Place::Pod(_));
    let mut all = vec![];
    for from in &ends {
        for to in ends.iter().filter(|to| (pod(from) || pod(to)) && Family::of(to.address) == Family::of(from.address))
        {
            all.extend(protocols.iter().map(|&protocol| Probe { from: *from, to: *to, protocol }));
        }
    }
    all
}
