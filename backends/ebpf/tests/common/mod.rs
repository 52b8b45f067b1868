//! One world for every engine: an endpoint, peers, a policy, and packets that pass through kernel, user-space machine and judge at once.
#![allow(dead_code, reason = "each test binary uses its part")]

use ebpf::Matrix;
use flow::{Direction, Family, L4Key, Prefix};
use image::codec::{Config, Endpoint};
use image::{DropReason, Exchange, Hook, Image, Target, layout};
use loader::{Context, Loaded, Node, Pins};
use maps::NodeMaps;
use packet::craft::Frame;
use packet::{Because, Flags, Host, Lifetimes, Origin, Outcome, Ruling, Track};
use std::collections::BTreeSet;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// The endpoint's addresses.
pub const OWN4: Ipv4Addr = Ipv4Addr::new(10, 0, 1, 4);
/// Likewise.
pub const OWN6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0, 0, 1, 0, 0, 0, 4);
/// The endpoint's link-layer address.
pub const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// Peer 5: allowed on tcp/80 and udp/53.
pub const FRIEND4: &str = "10.0.2.5";
/// Likewise.
pub const FRIEND6: &str = "fd00:0:0:2::5";
/// Peer 6: allowed on every key.
pub const TRUSTED4: &str = "10.0.2.6";
/// Likewise.
pub const TRUSTED6: &str = "fd00:0:0:2::6";
/// Peer 7, by prefix: denied on all keys.
pub const STRANGER4: &str = "198.51.100.77";
/// Likewise.
pub const STRANGER6: &str = "2001:db8:7::9";

/// (own, friend, trusted, stranger), each family.
pub fn families() -> [[IpAddr; 4]; 2] {
    let four = [FRIEND4, TRUSTED4, STRANGER4].map(|text| text.parse().unwrap());
    let six = [FRIEND6, TRUSTED6, STRANGER6].map(|text| text.parse().unwrap());
    [[OWN4.into(), four[0], four[1], four[2]], [OWN6.into(), six[0], six[1], six[2]]]
}

/// A target whose tables are made in no time.
pub fn target() -> Target {
    ebpf::small_target(offered())
}

/// What the running kernel offers to programs; the default where there is none to ask.
fn offered() -> Target {
    loader::features().map_or(Target::default(), |it| it.target())
}

/// The target, and beside it the one of kernels that offer no instruction to compare and exchange, which others take as well.
pub fn targets() -> Vec<Target> {
    let locked = Target { exchange: Exchange::Lock, ..target() };
    if target() == locked { vec![locked] } else { vec![target(), locked] }
}

/// Classes: others, friend, trusted. Columns: everything else, tcp/80 and udp/53 and a few ICMP types, echo request.
pub fn policy() -> Matrix {
    let mut cuts = vec![(0, 0)];
    for (first, last) in [
        (key(1, 8 << 8), key(1, 8 << 8 | 255)),
        (key(6, 80), key(6, 80)),
        (key(17, 53), key(17, 53)),
        (key(58, 128 << 8), key(58, 128 << 8 | 255)),
        (key(132, 3868), key(132, 3869)),
    ] {
        cuts.extend([(first, 1), (last + 1, 0)]);
    }
    Matrix {
        class_count: 3,
        cuts,
        leaves: vec![0, 0, 1, 0, 1, 1],
        signatures: vec![vec![], vec![0], vec![0, 1]],
        hits: vec![],
    }
}

fn key(protocol: u8, low: u16) -> u32 {
    u32::from(protocol) << 16 | u32::from(low)
}

/// Who an address is.
pub fn peer_of(address: IpAddr) -> u32 {
    let is = |text: &str| address == text.parse::<IpAddr>().unwrap();
    match Family::of(address) {
        _ if is(FRIEND4) || is(FRIEND6) => 5,
        _ if is(TRUSTED4) || is(TRUSTED6) => 6,
        Family::V4 => layout::peer::WORLD4,
        Family::V6 => layout::peer::WORLD6,
    }
}

fn class_of(peer: u32) -> u32 {
    match peer {
        5 => 1,
        6 => 2,
        _ => 0,
    }
}

fn leaf(matrix: &Matrix, peer: IpAddr, key: L4Key) -> u8 {
    let class = if matrix.class_count == 1 { 0 } else { class_of(peer_of(peer)) };
    matrix.leaves[(matrix.column_of(key.raw()) * matrix.class_count + class) as usize]
}

/// What one engine said: passed, or dropped with the number of a reason; or one of the two below, which pass.
pub type Said = Result<(), u8>;
/// Denied, and passed because of audit mode.
const AUDITED: u8 = 254;
/// None of the node's own, and passed untouched.
const FORWARDED: u8 = 255;

/// All engines, each with its own state.
pub struct World {
    hooks: [Hook; 2],
    audit: bool,
    /// Where packets from the node come from.
    pub origin: Origin,
    matrices: [Matrix; 2],
    track: Track,
    machine: vm::Machine,
    /// The same in machine code, which is given a copy of the maps and must leave the same in it.
    native: native::Machine,
    packets: u64,
    maps: NodeMaps,
    own: Endpoint,
    kernel: Option<(Node, Arc<Loaded>)>,
    /// Jiffies of judge and machine; the kernel has its own.
    pub now: u64,
    /// The interface whose hook runs, for the machine.
    pub ifindex: u32,
    /// Where packets came from, for the machine.
    pub ingress_ifindex: u32,
    /// How much of a packet is in linear data, for the machine.
    pub linear: Option<usize>,
    /// How many packets one stands for, for the machine.
    pub gso_segs: u32,
    /// A tag beside the frame, for the machine.
    pub vlan: Option<u16>,
}

/// The interface of the endpoint: the loopback of the thread's namespace, since a context must name an interface that exists.
pub const IFINDEX: u32 = 1;

impl World {
    /// Ingress and egress by these matrices.
    pub fn new(ingress: &Matrix, egress: &Matrix) -> World {
        World::on(&target(), ingress, egress)
    }

    /// Likewise, for a target of another byte order or size; the kernel takes part in targets of its own order.
    pub fn on(target: &Target, ingress: &Matrix, egress: &Matrix) -> World {
        World::at(Hook::BOTH, target, ingress, egress)
    }

    /// Likewise, of an endpoint or of a node.
    pub fn at(hooks: [Hook; 2], target: &Target, ingress: &Matrix, egress: &Matrix) -> World {
        World::under(ebpf::Settings::default(), hooks, target, ingress, egress)
    }

    /// Asks about each key of ports at which something begins, and those beside it, from every peer of both families. All engines agree with
    /// the matrix, or [`World::to`] fails.
    pub fn ask_around(&mut self, starts: impl IntoIterator<Item = u32>) {
        let keys = starts.into_iter().flat_map(|start| [start - 1, start, start + 1]);
        let pairs = families().map(|[own, peers @ ..]| peers.map(|peer| (own, peer)));
        for (from, (key, (own, peer))) in
            (1000..).zip(keys.flat_map(|key| pairs.as_flattened().iter().map(move |pair| (key, *pair))))
        {
            let port = key as u16;
            let frame = match key >> 16 {
                6 => Frame::tcp(peer, own, from, port, Flags::SYN),
                17 => Frame::udp(peer, own, from, port),
                132 => Frame::sctp(peer, own, from, port),
                _ => continue,
            };
            let _ = self.to(&frame.build());
        }
    }

    /// Likewise, on a node with settings of its own.
    pub fn under(
        settings: ebpf::Settings,
        hooks: [Hook; 2],
        target: &Target,
        ingress: &Matrix,
        egress: &Matrix,
    ) -> World {
        let image = ebpf::compile_with(settings, hooks, "test", ingress, egress, target).unwrap();
        let mut track =
            Track::new(Lifetimes::with_ticks(u64::from(Config::new(loader::hz().unwrap_or(250), 0x5eed).other / 60)));
        track.set(packet::Settings {
            untracked_fragments4: settings.untracked_fragments4,
            untracked_fragments6: settings.untracked_fragments6,
            tunnel: settings.tunnel_port.map(|port| packet::Tunnel { port, addresses: own_addresses() }),
        });
        let mut config = Config::new(loader::hz().unwrap_or(250), 0x5eed);
        config.flags = layout::config::RECORD_DROPPED | layout::config::RECORD_ALLOWED;
        let (mut machine, mut maps) = (vm::Machine::load(&image).unwrap(), NodeMaps::new(target));
        let native = native::Machine::load(&image).unwrap();
        maps.set_config(&config);
        maps.insert_endpoint(&endpoint()).unwrap();
        maps.set_own(&own_addresses()).unwrap();
        let addresses: Vec<(u32, u8, u32)> = prefixes()
            .into_iter()
            .filter_map(|(prefix, peer)| match prefix.addr() {
                IpAddr::V4(address) => Some((address.to_bits(), prefix.len(), peer)),
                IpAddr::V6(address) => {
                    match prefix.len() {
                        128 => maps.set_address6(address, peer).unwrap(),
                        len => maps.set_prefix6(address, len, peer).unwrap(),
                    }
                    None
                }
            })
            .collect();
        let default = layout::peer::WORLD4;
        assert!(maps.set_addresses4(&image::address::Address4::build(target, default, &addresses).unwrap()));
        for hook in hooks {
            for peer in 0..16 {
                machine.set_class(hook, peer, class_of(peer) as u16);
            }
        }
        let own_order = target.little_endian == cfg!(target_endian = "little");
        let kernel = if own_order { kernel(&image, &config) } else { None };
        World {
            hooks,
            audit: false,
            origin: Origin::Here,
            matrices: [ingress.clone(), egress.clone()],
            track,
            machine,
            native,
            packets: 0,
            maps,
            own: endpoint(),
            kernel,
            now: 1 << 20,
            ifindex: IFINDEX,
            ingress_ifindex: IFINDEX,
            linear: None,
            gso_segs: 0,
            vlan: None,
        }
    }

    /// The policy of this module in both directions.
    pub fn isolated() -> World {
        World::new(&policy(), &policy())
    }

    /// From now on the endpoint has no IPv6 address; the kernel takes no part.
    pub fn without_address6(&mut self) {
        self.own.address6 = None;
        self.maps.insert_endpoint(&self.own).unwrap();
        self.kernel = None;
    }

    /// The policy of this module for the node itself.
    pub fn host() -> World {
        World::at(Hook::HOST, &target(), &policy(), &policy())
    }

    /// The hooks that packets cross.
    pub fn hooks(&self) -> [Hook; 2] {
        self.hooks
    }

    /// Turns audit mode on or off.
    pub fn set_audit(&mut self, audit: bool) {
        self.audit = audit;
        let flags = layout::config::RECORD_DROPPED | layout::config::RECORD_ALLOWED;
        let flags = if audit { flags | layout::config::AUDIT } else { flags };
        self.maps.set_config(&Config { flags, ..self.maps.config() });
        if let Some((node, _)) = &mut self.kernel {
            let config = node.config();
            node.set_config(&Config { flags, ..config });
        }
    }

    /// Leaves the kernel out: its clock is not ours to move.
    pub fn without_kernel(&mut self) {
        self.kernel = None;
    }

    /// Ticks a second of judge and machine.
    pub fn ticks(&self) -> u64 {
        u64::from(self.maps.config().other / 60)
    }

    /// Whether the kernel takes part.
    pub fn has_kernel(&self) -> bool {
        self.kernel.is_some()
    }

    /// Sends a frame towards the endpoint; all engines must agree.
    pub fn to(&mut self, frame: &[u8]) -> Said {
        self.send(self.hooks[0], frame)
    }

    /// Sends a frame from the endpoint, likewise.
    pub fn from(&mut self, frame: &[u8]) -> Said {
        self.send(self.hooks[1], frame)
    }

    /// Asks all engines and compares.
    pub fn send(&mut self, hook: Hook, frame: &[u8]) -> Said {
        if hook == Hook::FromHost {
            self.enter_from();
        }
        let expected = self.judge(hook, frame);
        let in_machine = self.in_machine(hook, frame);
        assert_eq!(named(in_machine), named(expected), "vm against judge, {hook:?}: {frame:02x?}");
        if let Some(in_kernel) = self.in_kernel(hook, frame) {
            assert_eq!(named(in_kernel), named(expected), "kernel against judge, {hook:?}: {frame:02x?}");
        }
        expected
    }

    /// Asks the machine alone.
    pub fn in_vm(&mut self, hook: Hook, frame: &[u8]) -> &'static str {
        named(self.in_machine(hook, frame))
    }

    /// How many instructions the machine runs for a frame.
    pub fn steps(&mut self, hook: Hook, frame: &[u8]) -> u64 {
        let context = vm::Context {
            ifindex: self.ifindex,
            ingress_ifindex: self.ingress_ifindex,
            now_jiffies: self.now,
            ..vm::Context::default()
        };
        self.machine.run(&mut self.maps, hook, frame, &context).unwrap().instructions
    }

    fn judge(&mut self, hook: Hook, frame: &[u8]) -> Said {
        let direction = if hook.is_egress() { Direction::Egress } else { Direction::Ingress };
        let (matrix, audit) = (&self.matrices[usize::from(hook.is_egress())], self.audit);
        let own = self.own;
        let endpoint = packet::Endpoint { id: own.id, address4: own.address4, address6: own.address6, mac: own.mac };
        // The judge knows allowed and denied; what kind of denial is the leaf's.
        let mut denied = DropReason::Policy;
        let mut decide = |peer, key| {
            let leaf = leaf(matrix, peer, key);
            denied = match leaf {
                layout::LEAF_REDIRECT => DropReason::NoProxy,
                layout::LEAF_AUTH => DropReason::AuthRequired,
                _ => DropReason::Policy,
            };
            if leaf == layout::LEAF_DENY && audit { Ruling::Audit } else { (leaf == layout::LEAF_ALLOW).into() }
        };
        let (track, now) = (&mut self.track, self.now);
        let step = if hook.is_host() {
            let host = Host { id: layout::endpoint::NODE, addresses: own_addresses() };
            packet::step_host(track, &host, direction, frame, self.vlan, self.origin, now, &mut decide)
        } else {
            packet::step(track, &endpoint, direction, frame, None, now, &mut decide)
        };
        match step.outcome {
            Outcome::Pass(Because::Forwarded) => Err(FORWARDED),
            Outcome::Pass(Because::Audited) => Err(AUDITED),
            Outcome::Pass(_) => Ok(()),
            Outcome::Drop(packet::Reason::Policy) => Err(denied as u8),
            Outcome::Drop(reason) => {
                Err(DropReason::ALL.iter().find(|known| known.name() == reason.name()).map_or(0, |known| *known as u8))
            }
        }
    }

    /// Makes the interface by which a packet came one of an endpoint, or of none.
    fn enter_from(&mut self) {
        self.ingress_ifindex = if self.origin == Origin::Here { 0 } else { IFINDEX };
        if self.origin == Origin::Elsewhere {
            self.maps.remove_endpoint(IFINDEX);
        } else {
            self.maps.insert_endpoint(&endpoint()).unwrap();
        }
        if let Some((node, _)) = &mut self.kernel {
            match self.origin {
                Origin::Elsewhere => drop(node.endpoint_remove(IFINDEX)),
                _ => node.endpoint_insert(&endpoint()).unwrap(),
            }
        }
    }

    fn in_machine(&mut self, hook: Hook, frame: &[u8]) -> Said {
        let before = self.maps.counters();
        let context = vm::Context {
            ifindex: self.ifindex,
            ingress_ifindex: self.ingress_ifindex,
            now_jiffies: self.now,
            linear: self.linear,
            gso_segs: self.gso_segs,
            vlan_tci: self.vlan,
            ..vm::Context::default()
        };
        // A copy of all maps costs more than a packet: the first packets, and then some.
        self.packets += 1;
        let looks = self.packets < 32 || self.packets.is_multiple_of(32);
        let copy = looks.then(|| (self.maps.clone(), self.machine.tables().clone()));
        let outcome = self.machine.run(&mut self.maps, hook, frame, &context);
        if let Some((mut maps, tables)) = copy {
            *self.native.tables_mut() = tables;
            let native = self.native.run(&mut maps, hook, frame, &context);
            assert_eq!(native, outcome, "native against vm, {hook:?}: {frame:02x?}");
            assert_eq!(self.native.packet(), self.machine.packet(), "native against vm, {hook:?}: {frame:02x?}");
            let same = maps == self.maps && self.native.tables() == self.machine.tables();
            assert!(same, "native left other maps than vm, {hook:?}: {frame:02x?}");
        }
        let outcome = outcome.unwrap();
        said(outcome.passes(), &before, &self.maps.counters())
    }

    fn in_kernel(&mut self, hook: Hook, frame: &[u8]) -> Option<Said> {
        let (node, loaded) = self.kernel.as_mut()?;
        let ingress_ifindex = match hook {
            Hook::FromHost => self.ingress_ifindex,
            // Nobody claims to be the host, of whom alone it is asked.
            _ => {
                if says_where_packets_came_in(loaded) {
                    IFINDEX
                } else {
                    0
                }
            }
        };
        if ingress_ifindex != 0 && !says_where_packets_came_in(loaded) {
            absent("it lets nobody say where a packet came in");
            self.kernel = None;
            return None;
        }
        let context = Context { ifindex: IFINDEX, ingress_ifindex, ..Context::default() };
        let before = node.counters();
        let run = match loaded.run(hook, frame, &context, 1) {
            // The kernel runs no program on a frame that ends inside its network header.
            Err(error) if error.errno() == Some(22) && frame.len() < 54 => return None,
            run => run.unwrap(),
        };
        Some(said(run.answer == -1, &before, &node.counters()))
    }

    /// What the verifier walked, per hook.
    pub fn verified(&self) -> Vec<(Hook, u32)> {
        let Some((_, loaded)) = &self.kernel else { return vec![] };
        Hook::ALL.into_iter().filter_map(|hook| Some((hook, loaded.stats(hook)?.verified_insns))).collect()
    }

    /// Gives an address to the node itself, in the machine.
    pub fn make_host(&mut self, address: IpAddr) {
        match address {
            IpAddr::V4(address) => self.assign4(address, layout::peer::HOST),
            IpAddr::V6(address) => self.maps.set_address6(address, layout::peer::HOST).unwrap(),
        }
        for hook in self.hooks {
            self.machine.set_class(hook, layout::peer::HOST, 1);
        }
    }

    /// Gives one IPv4 address, and only that, a peer, in the machine.
    pub fn assign4(&mut self, address: Ipv4Addr, peer: u32) {
        let prefixes = [(0, 0, layout::peer::WORLD4), (address.to_bits(), 32, peer)];
        let table = image::address::Address4::build(self.maps.target(), layout::peer::WORLD4, &prefixes).unwrap();
        assert!(self.maps.set_addresses4(&table));
    }

    /// The connections that the kernel holds.
    pub fn connections_in_kernel(&self) -> Vec<image::codec::Connection> {
        self.kernel.as_ref().map_or(vec![], |(node, _)| node.connections())
    }

    /// Runs a program in the kernel alone, for many packets at once: nothing is compared.
    pub fn loaded(&self) -> Option<Arc<Loaded>> {
        self.kernel.as_ref().map(|(_, loaded)| loaded.clone())
    }

    /// The records of the machine so far.
    pub fn records(&mut self) -> Vec<image::codec::Record> {
        self.maps.take_records()
    }

    /// The connections that the machine holds.
    pub fn connections(&self) -> Vec<image::codec::Connection> {
        self.maps.connections()
    }

    /// The counters of the machine.
    pub fn counters(&self) -> [u64; layout::COUNTERS as usize] {
        self.maps.counters()
    }

    /// The counters of the leaves of the machine, ingress.
    pub fn leaf_counters(&self, table: usize) -> Vec<u64> {
        self.machine.tables().counters(table)
    }
}

/// Whether a test may say by which interface a packet came in, as kernels allow after 5.10.
fn says_where_packets_came_in(loaded: &Loaded) -> bool {
    static SAYS: OnceLock<bool> = OnceLock::new();
    *SAYS.get_or_init(|| {
        let context = Context { ifindex: IFINDEX, ingress_ifindex: IFINDEX, ..Context::default() };
        // A frame of no kind, which changes nothing.
        Hook::ALL.into_iter().any(|hook| loaded.run(hook, &[0; 64], &context, 1).is_ok())
    })
}

/// The one counter that moved must be the answer's.
fn said(passes: bool, before: &[u64], after: &[u64]) -> Said {
    let moved: Vec<u8> =
        (0..layout::LOST_RECORDS as u8).filter(|&at| after[usize::from(at)] != before[usize::from(at)]).collect();
    match moved[..] {
        [] if passes => return Err(FORWARDED),
        [0, audited] if passes && u32::from(audited) == layout::AUDITED => return Err(AUDITED),
        _ => assert_eq!(moved.len(), 1, "counters that moved: {moved:?}"),
    }
    assert_eq!(moved[0] == 0, passes, "the answer and the counter {moved:?}");
    if passes { Ok(()) } else { Err(moved[0]) }
}

fn named(said: Said) -> &'static str {
    match said {
        Ok(()) => "pass",
        Err(FORWARDED) => "forwarded",
        Err(AUDITED) => "audited",
        Err(number) => DropReason::from_number(number).map_or("?", DropReason::name),
    }
}

/// The name of an answer.
pub fn name(said: Said) -> &'static str {
    named(said)
}

/// The node's own addresses: where it is the subject, it has those of the endpoint.
pub fn own_addresses() -> BTreeSet<IpAddr> {
    [OWN4.into(), OWN6.into()].into()
}

pub fn endpoint() -> Endpoint {
    Endpoint { ifindex: IFINDEX, id: 77, address4: Some(OWN4), address6: Some(OWN6), mac: Some(MAC) }
}

fn prefixes() -> Vec<(Prefix, u32)> {
    [
        ("0.0.0.0/0", layout::peer::WORLD4),
        ("10.0.2.5/32", 5),
        ("10.0.2.6/32", 6),
        ("198.51.100.0/24", 7),
        ("fd00:0:0:2::5/128", 5),
        ("fd00:0:0:2::6/128", 6),
        ("2001:db8:7::/48", 7),
    ]
    .map(|(text, peer)| (Prefix::parse(text).unwrap(), peer))
    .to_vec()
}

fn kernel(image: &Image, config: &Config) -> Option<(Node, Arc<Loaded>)> {
    let mut node = match Node::open("ebpf-test", &image.target, Pins::None) {
        Ok(node) => node,
        Err(error) if matches!(error.errno(), Some(1 | 13 | 38)) => {
            absent(&error.to_string());
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let loaded = node.load(image).unwrap_or_else(|error| panic!("{error}"));
    node.set_config(config);
    node.endpoint_insert(&endpoint()).unwrap();
    node.set_own(&own_addresses()).unwrap();
    let classes: Vec<(u32, u16)> = (0..16).map(|peer| (peer, class_of(peer) as u16)).collect();
    for hook in image.hooks() {
        for &(peer, class) in &classes {
            loaded.set_class(hook, peer, class);
        }
    }
    let changes: Vec<_> = prefixes().into_iter().map(|(prefix, peer)| (prefix, Some(peer))).collect();
    node.assign(&changes).unwrap();
    Some((node, loaded))
}

/// Says past the harness that a part of a test cannot run here, and how many could not so far.
pub fn absent(why: &str) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    writeln!(std::io::stderr(), "absent ({count}): the kernel engine: {why}").expect("standard error is open");
}
