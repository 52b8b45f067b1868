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
use packet::{Lifetimes, Origin, Outcome, Ruling, Track};
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
    slot: Endpoint,
    host: packet::Host,
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
        let own = world.addresses_of_node(place.node.as_deref());
        self.maps.insert_endpoint(&endpoint).map_err(|_| "no slot for the endpoint".to_owned())?;
        self.maps.set_own(&own).map_err(|error| format!("own addresses: {error:?}"))?;
        self.audit(world.cluster().config.audit);
        self.track.set(settings(&world.cluster().config, &own));
        let mut machine = Machine::load(&image).map_err(|error| error.to_string())?;
        for (hook, classes) in image.hooks().into_iter().zip(&classes) {
            for &(peer, class) in classes {
                machine.set_class(hook, peer, class);
            }
        }
        let loaded = self.load(&image, &classes, &addresses, (&endpoint, &own), world.cluster().config.audit)?;
        let slot @ Endpoint { id, address4, address6, mac, .. } = endpoint;
        let endpoint = packet::Endpoint { id, address4, address6, mac };
        let host = packet::Host { id: layout::endpoint::NODE, addresses: own };
        Ok(Stage { node: self, world, place, endpoint, slot, host, machine, loaded })
    }

    fn audit(&mut self, on: bool) {
        let config = self.maps.config();
        self.maps.set_config(&Config { flags: flags(config.flags, on), ..config });
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
        (endpoint, own): (&Endpoint, &BTreeSet<IpAddr>),
        audit: bool,
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
        node.set_own(own).map_err(words)?;
        let config = node.config();
        node.set_config(&Config { flags: flags(config.flags, audit), ..config });
        let loaded = node.load(image).map_err(words)?;
        image.hooks().into_iter().zip(classes).for_each(|(hook, classes)| loaded.fill_classes(hook, classes));
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
            // What machine code does with packets is compared with the interpreter where programs are made.
            Kind::Diagram | Kind::Native => Ok(None),
            Kind::Vm => self.vm(packet).map(Some),
            Kind::Kernel => self.kernel(packet),
        }
    }

    /// What a packet means, under the rules as the oracle reads them.
    fn judge(&mut self, packet: &Packet) -> Result<Fate, String> {
        let rules = self.world.compiled(&self.place.class)?.rules;
        let rules = &rules[driver::meaning::slot(packet.direction)];
        let (world, node) = (self.world, self.place.node.as_deref());
        let audit = world.cluster().config.audit;
        // A node's own address is believed of packets that were made there; from elsewhere it is an address like any other.
        let peer = |address| match world.peer(node, address) {
            HOST if packet.direction == Direction::Ingress && packet.origin != Origin::Here => world_of(address),
            peer => peer,
        };
        // A redirect without its listener and an authentication without a session pass nothing, and say so by names of their own.
        let mut said = flow::Verdict::DENY;
        let mut decide = |address, key| {
            said = oracle::decide(rules, peer(address), key).verdict;
            let audited = audit && said.action == flow::Action::Deny;
            if audited { Ruling::Audit } else { (said == flow::Verdict::ALLOW).into() }
        };
        let now = (EPOCH + packet.seconds) * u64::from(HZ);
        let track = &mut self.node.track;
        let (direction, bytes) = (packet.direction, &packet.bytes);
        let step = if self.place.is_host() {
            packet::step_host(track, &self.host, direction, bytes, None, packet.origin, now, &mut decide)
        } else {
            packet::step(track, &self.endpoint, direction, bytes, None, now, &mut decide)
        };
        Ok(match step.outcome {
            Outcome::Pass(because) => (true, because_of(because).to_owned()),
            Outcome::Drop(packet::Reason::Policy) => (false, refusal(said).name().to_owned()),
            Outcome::Drop(reason) => (false, reason.name().to_owned()),
        })
    }

    fn vm(&mut self, packet: &Packet) -> Result<Fate, String> {
        let now_jiffies = (EPOCH + packet.seconds) * u64::from(HZ);
        if self.is_foreign(packet) {
            self.node.maps.remove_endpoint(INTERFACE);
        } else {
            self.node.maps.insert_endpoint(&self.slot).map_err(|error| error.to_string())?;
        }
        let ingress_ifindex = if packet.origin == Origin::Here { 0 } else { INTERFACE };
        let context = vm::Context { ifindex: INTERFACE, ingress_ifindex, now_jiffies, ..vm::Context::default() };
        let ran = self.machine.run(&mut self.node.maps, hook(self.place, packet), &packet.bytes, &context);
        let passes = ran.map_err(|fault| fault.to_string())?.passes();
        Ok((passes, self.node.maps.take_records().pop().map_or_else(String::new, |record| named(&record))))
    }

    /// Whether a packet that leaves a node came in by the interface of nobody's endpoint.
    fn is_foreign(&self, packet: &Packet) -> bool {
        self.place.is_host() && packet.origin == Origin::Elsewhere
    }

    fn kernel(&mut self, packet: &Packet) -> Result<Option<Fate>, String> {
        let (Some(loaded), Kernel::Open(open)) = (&self.loaded, &mut self.node.kernel) else { return Ok(None) };
        if packet.seconds > KERNEL_SECONDS {
            return Ok(None);
        }
        if self.place.is_host() && packet.origin == Origin::Elsewhere {
            open.0.endpoint_remove(INTERFACE);
        } else {
            open.0.endpoint_insert(&self.slot).map_err(|error| error.to_string())?;
        }
        let ingress_ifindex = if packet.origin == Origin::Here { 0 } else { INTERFACE };
        let context = loader::Context { ifindex: INTERFACE, ingress_ifindex, ..loader::Context::default() };
        let run =
            loaded.run(hook(self.place, packet), &packet.bytes, &context, 1).map_err(|error| error.to_string())?;
        let said = open.1.by_ref().last().map_or_else(String::new, |record| named(&record));
        Ok(Some((run.answer == -1, said)))
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
        Because::Audited => "audited",
        Because::Forwarded => "forwarded",
        Because::Translated => "translated",
    }
}

fn named(record: &image::codec::Record) -> String {
    let reason = DropReason::from_number(record.reason).map_or("", DropReason::name);
    if record.audited { "audited".to_owned() } else { reason.to_owned() }
}

fn hook(place: &Place, packet: &Packet) -> Hook {
    let [to, from] = if place.is_host() { Hook::HOST } else { Hook::BOTH };
    match packet.direction {
        Direction::Ingress => to,
        Direction::Egress => from,
    }
}

/// The switches with audit mode on or off.
fn flags(flags: u32, audit: bool) -> u32 {
    if audit { flags | layout::config::AUDIT } else { flags & !layout::config::AUDIT }
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

/// What the node does with packets whatever its policy says.
fn settings(config: &facts::Config, own: &BTreeSet<IpAddr>) -> packet::Settings {
    packet::Settings {
        untracked_fragments4: !config.fragments4,
        untracked_fragments6: !config.fragments6,
        tunnel: config.tunnel_port().map(|port| packet::Tunnel { port, addresses: own.clone() }),
    }
}
