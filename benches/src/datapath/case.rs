//! What is decided: rules over prefixes and ports, and rings of flows that meet them.

use crate::random::Random;
use flow::{Family, L4Set, PeerId, PeerSet, Peers, Prefix, Protocol};
use rules::{Effect, Fallback, Level, Origin, OriginId, Rule, RuleSet, Tier};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// The endpoint that all flows go to.
pub const ENDPOINT: Ipv4Addr = Ipv4Addr::new(10, 255, 0, 9);
/// Peer numbers below this one have a meaning of their own.
const FIRST_PEER: u32 = 4;
/// How many slots a ring has. A power of two.
pub const SLOTS: usize = 1 << 16;
/// How many distinct flows there are where flows have a state.
pub const FLOWS: usize = 4096;
/// How many pods a node has at most, by the kubelet's default.
const PODS_A_NODE: u32 = 110;
/// How many different ports the rules with one port name.
const PORTS: u32 = 16;

/// A remote party: its addresses and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The first address, in host order; under IPv6 the low 32 bits of one in fd00::/96.
    pub address: u32,
    /// Bits of the prefix, without the 96 in front of it under IPv6.
    pub len: u8,
    /// Its peer number.
    pub peer: u32,
}

/// One rule: these may send TCP to these ports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allow {
    /// Who.
    pub members: Vec<Member>,
    /// The first port and the last.
    pub ports: (u16, u16),
}

/// Everything that a program is to decide. What no rule allows is denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// The rules. A member occurs in one of them.
    pub allows: Vec<Allow>,
    /// Of which family packets are.
    pub family: Family,
}

/// How the flows of a ring follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Every slot at random.
    Uniform,
    /// Runs of 1 to 31 equal slots, as packets of one flow come.
    Burst,
}

impl Pattern {
    /// Both patterns.
    pub const BOTH: [Pattern; 2] = [Pattern::Uniform, Pattern::Burst];

    /// The name in a line.
    pub fn name(self) -> &'static str {
        match self {
            Pattern::Uniform => "uniform",
            Pattern::Burst => "burst",
        }
    }
}

/// One flow towards the endpoint, TCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Flow {
    /// Source address, in host order, as that of a [`Member`].
    pub source: u32,
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub port: u16,
}

/// The address of a pod: nodes have a /24 each.
fn pod(number: u32) -> u32 {
    (10 << 24) + ((number / PODS_A_NODE) << 8) + 2 + number % PODS_A_NODE
}

impl Case {
    /// `n` pods, each an identity of its own, each allowed by a rule of its own. Shape: one port a rule, of 16.
    pub fn identities(n: usize) -> Case {
        Case::of(n, |i| (vec![(pod(i), 32)], one_port(i)))
    }

    /// As [`Case::identities`], every rule for the upper half of all ports, so that flows can be new for a long time.
    pub fn wide(n: usize) -> Case {
        Case::of(n, |i| (vec![(pod(i), 32)], (1 << 15, u16::MAX)))
    }

    /// `n` rules of one prefix each, between /24 and /32, outside the cluster.
    pub fn prefixes(n: usize) -> Case {
        let len = |i| [24, 26, 28, 32][i as usize % 4];
        Case::of(n, |i| (vec![((11 << 24) + (i << 8), len(i))], one_port(i)))
    }

    /// `n` rules whose selector matches four pods each.
    pub fn selectors(n: usize) -> Case {
        Case::of(n, |i| ((4 * i..4 * i + 4).map(|i| (pod(i), 32)).collect(), one_port(i)))
    }

    fn of(n: usize, rule: impl Fn(u32) -> (Vec<(u32, u8)>, (u16, u16))) -> Case {
        let mut peer = FIRST_PEER;
        let mut number = |(address, len)| {
            peer += 1;
            Member { address, len, peer: peer - 1 }
        };
        let allows = (0..n as u32)
            .map(rule)
            .map(|(members, ports)| Allow { members: members.into_iter().map(&mut number).collect(), ports });
        Case { allows: allows.collect(), family: Family::V4 }
    }

    /// The same with IPv6 addresses.
    pub fn ipv6(self) -> Case {
        Case { family: Family::V6, ..self }
    }

    /// The address of a number.
    pub fn address(&self, number: u32) -> IpAddr {
        match self.family {
            Family::V4 => Ipv4Addr::from_bits(number).into(),
            Family::V6 => Ipv6Addr::from_bits(0xfd << 120 | u128::from(number)).into(),
        }
    }

    /// The address of [`ENDPOINT`] in the family.
    pub fn endpoint(&self) -> IpAddr {
        self.address(ENDPOINT.to_bits())
    }

    /// The name of a pattern of this family.
    pub fn pattern(&self, name: &str) -> String {
        match self.family {
            Family::V4 => name.to_owned(),
            Family::V6 => format!("{name}-ipv6"),
        }
    }

    /// All members.
    pub fn members(&self) -> impl Iterator<Item = &Member> {
        self.allows.iter().flat_map(|allow| &allow.members)
    }

    /// How many peer numbers there are.
    pub fn peers(&self) -> u32 {
        self.members().map(|member| member.peer + 1).max().unwrap_or(FIRST_PEER)
    }

    /// The address table of a node.
    pub fn addresses(&self) -> Vec<(Prefix, u32)> {
        let above = if self.family == Family::V6 { 96 } else { 0 };
        let prefix = |member: &Member| Prefix::new(self.address(member.address), above + member.len);
        self.members().filter_map(|member| Some((prefix(member)?, member.peer))).collect()
    }

    /// The peer of an address.
    pub fn peer_of(&self, address: u32) -> Option<u32> {
        let mask = |len: u8| u32::MAX << (32 - u32::from(len));
        self.members().find(|member| (member.address ^ address) & mask(member.len) == 0).map(|member| member.peer)
    }

    /// The same as rules.
    pub fn rules(&self) -> RuleSet {
        let rule = |allow: &Allow| {
            let mut set = PeerSet::default();
            for member in &allow.members {
                set.insert(PeerId(member.peer));
            }
            let l4 = L4Set::ports(Protocol::TCP, allow.ports.0, allow.ports.1);
            Rule { peers: Peers::Of(Arc::new(set)), l4, effect: Effect::ALLOW, origin: OriginId(0) }
        };
        let level = Level { order: 0, rules: self.allows.iter().map(rule).collect() };
        RuleSet {
            tiers: vec![Tier { name: "normal".into(), levels: vec![level], end: None }],
            fallback: Fallback::Deny(vec![]),
            origins: vec![Origin { object: "bench".into(), path: String::new() }],
            listeners: vec![],
            requests: vec![],
            names_by_port: false,
        }
    }

    /// A flow that a rule allows.
    pub fn allowed_flow(&self, random: &mut Random) -> Flow {
        let allow = random.pick(&self.allows);
        let member = random.pick(&allow.members);
        let inside = random.below(1 << (32 - member.len)) as u32;
        let ports = usize::from(allow.ports.1 - allow.ports.0) + 1;
        Flow {
            source: member.address + inside,
            source_port: 1024 + random.below(60_000) as u16,
            port: allow.ports.0 + random.below(ports) as u16,
        }
    }

    /// A flow that may be allowed or not: a member or a stranger, a port of some rule or another one.
    pub fn any_flow(&self, random: &mut Random) -> Flow {
        let mut flow = self.allowed_flow(random);
        if random.below(3) == 0 {
            flow.port = self.allowed_flow(random).port;
        }
        if random.below(4) == 0 {
            flow.source ^= 1 << random.below(32);
        }
        if random.below(8) == 0 {
            flow.port = random.below(1 << 16) as u16;
        }
        flow
    }

    /// A ring in which no two slots need be alike.
    pub fn ring(&self, pattern: Pattern, seed: u64) -> Vec<Flow> {
        let mut random = Random::new(seed);
        ring(pattern, &mut random.clone(), || self.allowed_flow(&mut random))
    }

    /// A ring of [`FLOWS`] flows, and these.
    pub fn ring_of_flows(&self, pattern: Pattern, seed: u64) -> (Vec<Flow>, Vec<Flow>) {
        self.ring_of(FLOWS, pattern, seed)
    }

    /// A ring of so many flows, and these.
    pub fn ring_of(&self, count: usize, pattern: Pattern, seed: u64) -> (Vec<Flow>, Vec<Flow>) {
        let mut random = Random::new(seed);
        let mut flows: Vec<Flow> = (0..count).map(|_| self.allowed_flow(&mut random)).collect();
        flows.sort_unstable();
        flows.dedup();
        let ring = ring(pattern, &mut random.clone(), || *random.pick(&flows));
        (ring, flows)
    }

    /// A ring whose halves have no flow in common, and their flows.
    pub fn ring_of_own_flows(&self, seed: u64) -> (Vec<Flow>, Vec<Flow>) {
        let (_, flows) = self.ring_of_flows(Pattern::Uniform, seed);
        let mut random = Random::new(seed);
        let halves = flows.split_at(flows.len() / 2);
        let slot = |slot| *random.pick(if slot < SLOTS / 2 { halves.0 } else { halves.1 });
        ((0..SLOTS).map(slot).collect(), flows)
    }

    /// A ring for flows that are all new: the source port is the number of the slot, the destination port comes from the turn.
    pub fn ring_of_new_flows(&self, seed: u64) -> Vec<Flow> {
        let mut random = Random::new(seed);
        (0..SLOTS).map(|slot| Flow { source_port: slot as u16, ..self.allowed_flow(&mut random) }).collect()
    }
}

fn one_port(rule: u32) -> (u16, u16) {
    let port = 8000 + (rule % PORTS) as u16;
    (port, port)
}

fn ring(pattern: Pattern, random: &mut Random, mut flow: impl FnMut() -> Flow) -> Vec<Flow> {
    let mut slots = Vec::with_capacity(SLOTS + 31);
    while slots.len() < SLOTS {
        let length = if pattern == Pattern::Burst { 1 + random.below(31) } else { 1 };
        let flow = flow();
        slots.extend(std::iter::repeat_n(flow, length));
    }
    slots.truncate(SLOTS);
    slots
}
