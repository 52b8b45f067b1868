//! A node that packets of a test cross: what one packet means, the programs in user space, and those in the kernel.
//!
//! State lives as long as the test, so that a packet meets the connections of those before it under the policy of now.

use super::script::Packet;
use crate::engine::{Kind, Place, World};
use flow::{Direction, Family, PeerId, Prefix};
use hir::peers::{HOST, WORLD_V4, WORLD_V6};
use image::address::Address4;
use image::codec::{Config, Endpoint};
use image::{DropReason, Hook, Image, Target, layout};
use loader::{Loaded, Node as KernelNode, Pins, Records};
use maps::NodeMaps;
use packet::{Lifetimes, Outcome, Track};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use vm::Machine;

/// The one endpoint's interface: the loopback's number, since a test run in the kernel needs one that is there.
const INTERFACE: u32 = 1;
/// Jiffies a second in user space; also the ticks of the judge.
const HZ: u32 = 100;
/// Where time begins, in seconds: a counter at zero would hide mistakes.
const EPOCH: u64 = 1_000_000;
/// Packets later than this are not shown to the kernel, whose clock cannot be set.
const KERNEL_SECONDS: u64 = 0;

/// The fate of a packet: whether it passes, and why not.
pub type Fate = (bool, String);

/// The node.
pub struct Node {
    target: Target,
    track: Track,
    maps: NodeMaps,
    prefixes6: BTreeSet<(Ipv6Addr, u8)>,
    kernel: Kernel,
}

enum Kernel {
    /// Not asked yet.
    Unopened,
    Open(Box<(KernelNode, Records)>),
    NotPermitted,
}

/// What is set up for one block of packets.
pub struct Stage<'n, 'w> {
    node: &'n mut Node,
    world: &'w World<'w>,
    place: &'w Place,
    endpoint: packet::Endpoint,
    machine: Machine,
    loaded: Option<Arc<Loaded>>,
}

impl Node {
    /// A node without connections.
    pub fn new(target: Target) -> Node {
        let mut maps = NodeMaps::new(&target);
        maps.set_config(&Config::new(HZ, 0x7469_6465));
        let track = Track::new(Lifetimes::with_ticks(u64::from(HZ)));
        Node { target, track, maps, prefixes6: BTreeSet::new(), kernel: Kernel::Unopened }
    }

    /// Puts the policy of now in force for a subject.
    ///
    /// Errors: an image that cannot be had or loaded, in words.
    pub fn stage<'n, 'w>(&'n mut self, world: &'w World<'w>, place: &'w Place) -> Result<Stage<'n, 'w>, String> {
        let image = world.image(&place.class)?;
        let classes = classes(world, place)?;
        let addresses = world.addresses(place.node.as_deref());
        let endpoint = endpoint(place);
        self.address(&addresses)?;
        self.maps.insert_endpoint(&endpoint).map_err(|_| "no slot for the endpoint".to_owned())?;
        let mut machine = Machine::load(&image).map_err(|error| error.to_string())?;
        for (hook, classes) in Hook::BOTH.into_iter().zip(&classes) {
            for &(peer, class) in classes {
                machine.set_class(hook, peer, class);
            }
        }
        let loaded = self.load(&image, &classes, &addresses, &endpoint)?;
        let Endpoint { id, address4, address6, mac, .. } = endpoint;
        let endpoint = packet::Endpoint { id, address4, address6, mac };
        Ok(Stage { node: self, world, place, endpoint, machine, loaded })
    }

    fn address(&mut self, addresses: &[(Prefix, PeerId)]) -> Result<(), String> {
        let bad = |error: maps::MapError| format!("{error:?}");
        for (address, len) in std::mem::take(&mut self.prefixes6) {
            match len {
                128 => self.maps.remove_address6(address).map_err(bad)?,
                len => self.maps.remove_prefix6(address, len).map_err(bad)?,
            }
        }
        let mut four = Vec::new();
        for (prefix, peer) in addresses {
            match prefix.addr() {
                IpAddr::V4(address) => four.push((address.to_bits(), prefix.len(), peer.0)),
                IpAddr::V6(address) => {
                    match prefix.len() {
                        128 => self.maps.set_address6(address, peer.0).map_err(bad)?,
                        len => self.maps.set_prefix6(address, len, peer.0).map_err(bad)?,
                    }
                    self.prefixes6.insert((address, prefix.len()));
                }
            }
        }
        let table = Address4::build(&self.target, layout::peer::UNKNOWN, &four).map_err(|error| error.to_string())?;
        if self.maps.set_addresses4(&table) { Ok(()) } else { Err("the address table is too small".to_owned()) }
    }

    fn load(
        &mut self,
        image: &Image,
        classes: &[Vec<(u32, u16)>; 2],
        addresses: &[(Prefix, PeerId)],
        endpoint: &Endpoint,
    ) -> Result<Option<Arc<Loaded>>, String> {
        if matches!(self.kernel, Kernel::Unopened) {
            self.kernel = Kernel::open(&self.target)?;
        }
        let Kernel::Open(open) = &mut self.kernel else { return Ok(None) };
        let words = |error: loader::Error| error.to_string();
        let node = &mut open.0;
        let wanted: Vec<(Prefix, u32)> = addresses.iter().map(|(prefix, peer)| (*prefix, peer.0)).collect();
        node.assign_all(&wanted).map_err(words)?;
        node.endpoint_insert(endpoint).map_err(words)?;
        let loaded = node.load(image).map_err(words)?;
        Hook::BOTH.into_iter().zip(classes).for_each(|(hook, classes)| loaded.fill_classes(hook, classes));
        Ok(Some(loaded))
    }
}

impl Kernel {
    fn open(target: &Target) -> Result<Kernel, String> {
        let mut node = match KernelNode::open("suite", target, Pins::None) {
            Ok(node) => node,
            Err(error) if error.errno() == Some(1) => return Ok(Kernel::NotPermitted),
            Err(error) => return Err(error.to_string()),
        };
        let hz = loader::hz().map_err(|error| error.to_string())?;
        node.set_config(&Config::new(hz, 0x7469_6465));
        let records = node.records().map_err(|error| error.to_string())?;
        Ok(Kernel::Open(Box::new((node, records))))
    }
}

impl Stage<'_, '_> {
    /// What one engine does with a packet; `None` when it cannot be asked. The diagram is not asked: it decides flows, not packets.
    ///
    /// Errors: an engine that breaks, in words.
    pub fn fate(&mut self, kind: Kind, packet: &Packet) -> Result<Option<Fate>, String> {
        match kind {
            Kind::Oracle => self.judge(packet).map(Some),
            Kind::Diagram => Ok(None),
            Kind::Vm => self.vm(packet).map(Some),
            Kind::Kernel => self.kernel(packet),
        }
    }

    /// What a packet means, under the rules as the oracle reads them.
    fn judge(&mut self, packet: &Packet) -> Result<Fate, String> {
        let rules = self.world.compiled(&self.place.class)?.rules;
        let rules = &rules[driver::meaning::slot(packet.direction)];
        let (world, node) = (self.world, self.place.node.as_deref());
        // A node's own address is believed of packets that were made there; from elsewhere it is an address like any other.
        let peer = |address| match world.peer(node, address) {
            HOST if packet.direction == Direction::Ingress && !packet.made_here => world_of(address),
            peer => peer,
        };
        // A redirect without its listener and an authentication without a session pass nothing, and say so by names of their own.
        let mut said = flow::Verdict::DENY;
        let mut decide = |address, key| {
            said = oracle::decide(rules, peer(address), key).verdict;
            said == flow::Verdict::ALLOW
        };
        let now = (EPOCH + packet.seconds) * u64::from(HZ);
        let track = &mut self.node.track;
        let step = packet::step(track, &self.endpoint, packet.direction, &packet.bytes, None, now, &mut decide);
        Ok(match step.outcome {
            Outcome::Pass(because) => (true, because_of(because).to_owned()),
            Outcome::Drop(packet::Reason::Policy) => (false, refusal(said).name().to_owned()),
            Outcome::Drop(reason) => (false, reason.name().to_owned()),
        })
    }

    fn vm(&mut self, packet: &Packet) -> Result<Fate, String> {
        let now_jiffies = (EPOCH + packet.seconds) * u64::from(HZ);
        let ingress_ifindex = if packet.made_here { 0 } else { INTERFACE };
        let context = vm::Context { ifindex: INTERFACE, ingress_ifindex, now_jiffies, ..vm::Context::default() };
        let ran = self.machine.run(&mut self.node.maps, hook(packet), &packet.bytes, &context);
        let passes = ran.map_err(|fault| fault.to_string())?.passes();
        let reason = self.node.maps.take_records().pop().map_or(0, |record| record.reason);
        Ok((passes, named(reason)))
    }

    fn kernel(&mut self, packet: &Packet) -> Result<Option<Fate>, String> {
        let (Some(loaded), Kernel::Open(open)) = (&self.loaded, &mut self.node.kernel) else { return Ok(None) };
        if packet.seconds > KERNEL_SECONDS {
            return Ok(None);
        }
        let ingress_ifindex = if packet.made_here { 0 } else { INTERFACE };
        let context = loader::Context { ifindex: INTERFACE, ingress_ifindex, ..loader::Context::default() };
        let run = loaded.run(hook(packet), &packet.bytes, &context, 1).map_err(|error| error.to_string())?;
        let reason = open.1.by_ref().last().map_or(0, |record| record.reason);
        Ok(Some((run.answer == -1, named(reason))))
    }
}

/// Why a verdict that passes nothing passes nothing.
fn refusal(verdict: flow::Verdict) -> DropReason {
    match (verdict.action, verdict.auth) {
        (flow::Action::Deny, _) => DropReason::Policy,
        (flow::Action::Redirect(_), _) => DropReason::NoProxy,
        (flow::Action::Allow, _) => DropReason::AuthRequired,
    }
}

fn world_of(address: IpAddr) -> PeerId {
    if address.is_ipv4() { WORLD_V4 } else { WORLD_V6 }
}

/// What a script calls the reason of a packet that passes.
fn because_of(because: packet::step::Because) -> &'static str {
    use packet::step::Because;
    match because {
        Because::Neighbour => "neighbour",
        Because::PathMtu => "path-mtu",
        Because::Related => "related",
        Because::Reply => "reply",
        Because::Allowed => "allowed",
    }
}

fn named(reason: u8) -> String {
    DropReason::from_number(reason).map_or_else(String::new, |reason| reason.name().to_owned())
}

fn hook(packet: &Packet) -> Hook {
    match packet.direction {
        Direction::Ingress => Hook::ToEndpoint,
        Direction::Egress => Hook::FromEndpoint,
    }
}

fn classes(world: &World<'_>, place: &Place) -> Result<[Vec<(u32, u16)>; 2], String> {
    let diagrams = world.compiled(&place.class)?.diagrams;
    let class = |slot: usize, peer: PeerId| (peer.0, diagrams[slot].class_of(peer).0 as u16);
    Ok([0, 1].map(|slot| world.peers().peers().map(|(peer, _)| class(slot, peer)).collect()))
}

fn endpoint(place: &Place) -> Endpoint {
    let address4 = place.address(Family::V4).and_then(|it| if let IpAddr::V4(it) = it { Some(it) } else { None });
    let address6 = place.address(Family::V6).and_then(|it| if let IpAddr::V6(it) = it { Some(it) } else { None });
    Endpoint { ifindex: INTERFACE, id: 1, address4, address6, mac: None }
}
