//! The same questions answered by the compiled programs in user space, for people without root.
//!
//! ```text
//!  question ─frame─► program at the source ─► program at the destination ─► reached or blocked
//! ```
//! No packet leaves this process, and answers to the first packet are not played back: tracking is the lab's to show.

use crate::expect::Judge;
use crate::pairs::Question;
use crate::stage::{Answer, Fault, Wrong};
use driver::meaning::{self, ClassKey};
use driver::{Database, Db, build, world};
use facts::{Cluster, Name};
use flow::{Direction, Family, Protocol};
use hir::peers::{HOST, PeerTable};
use hir::subject::{self, Class, SubjectKind};
use image::address::Address4;
use image::codec::{Config, Endpoint};
use image::{Hook, Target, layout};
use lab::topology::Plan;
use lab::{Outcome, Place};
use maps::NodeMaps;
use packet::Flags;
use packet::craft::Frame;
use std::collections::BTreeMap;
use std::net::IpAddr;
use vm::{Context, Machine};

/// Source ports, above those that policies mention.
const PORTS: std::ops::RangeInclusive<u16> = 40_000..=60_000;

/// Answers every question in user space.
///
/// Errors: a class without image, or a program that faults: a mistake of ours, named; no image to make wrong.
pub fn in_user_space(db: &Database, plan: &Plan, questions: &[Question], fault: Fault) -> Result<Vec<Answer>, String> {
    let mut nodes = Nodes::new(db, plan, fault)?;
    let judge = Judge::new(db);
    let answers = questions.iter().zip(PORTS.cycle()).map(|(question, port)| {
        let observed = nodes.answer(question, port)?;
        Ok(Answer { question: *question, expected: judge.expect(plan, question), observed })
    });
    answers.collect()
}

/// Every node with its maps, and every class with its programs.
struct Nodes<'p> {
    plan: &'p Plan,
    peers: std::sync::Arc<PeerTable>,
    maps: BTreeMap<String, NodeMaps>,
    machines: BTreeMap<Class, Machine>,
    pods: BTreeMap<String, (String, Class, u32)>,
    /// The class of each node whose policies are enforced.
    hosts: BTreeMap<String, Class>,
}

impl<'p> Nodes<'p> {
    fn new(db: &Database, plan: &'p Plan, fault: Fault) -> Result<Nodes<'p>, String> {
        let target = db.project().target(db);
        let (cluster, peers) = (world::cluster(db), world::peers(db));
        let mut nodes = Nodes {
            plan,
            peers: peers.clone(),
            maps: BTreeMap::new(),
            machines: BTreeMap::new(),
            pods: BTreeMap::new(),
            hosts: BTreeMap::new(),
        };
        for node in plan.nodes() {
            let mut maps = node_maps(&peers, Some(&node.name), &target)?;
            let own = cluster.nodes.get(&node.name).map(|node| node.ips.clone()).unwrap_or_default();
            maps.set_own(&own).map_err(|error| format!("addresses of {}: {error:?}", node.name))?;
            let config = maps.config();
            let audit = if cluster.config.audit { layout::config::AUDIT } else { 0 };
            maps.set_config(&Config { flags: config.flags | audit, ..config });
            nodes.maps.insert(node.name.clone(), maps);
        }
        if fault == Fault::Unattached {
            return Ok(nodes);
        }
        for (ifindex, pod) in (2..).zip(plan.pods()) {
            nodes.enter(db, &cluster, pod, ifindex)?;
        }
        for node in plan.nodes() {
            let Some(key) = enforce::host::class(db, &node.name) else { continue };
            let class = key.class(db).clone();
            nodes.machine_of(db, &class)?;
            nodes.hosts.insert(node.name.clone(), class);
        }
        if let Fault::WrongImage(seed) = fault {
            nodes.spoil(db, seed)?;
        }
        Ok(nodes)
    }

    /// Makes the image of one class wrong, among those that decide anything.
    fn spoil(&mut self, db: &Database, seed: u64) -> Result<(), String> {
        let mut deciding = Vec::new();
        for class in self.machines.keys() {
            let mut image = (*image_of(db, class)?).clone();
            if Wrong::make(&mut image) {
                deciding.push((class.clone(), image));
            }
        }
        let (class, image) = Wrong::chosen(deciding, seed).map_err(|error| error.to_string())?;
        let spoilt = machine(db, &class, &image)?;
        self.machines.insert(class, spoilt);
        Ok(())
    }

    fn enter(&mut self, db: &Database, cluster: &Cluster, pod: &lab::PodSpec, ifindex: u32) -> Result<(), String> {
        let Some((namespace, name)) = pod.name.split_once('/') else { return Ok(()) };
        let Some(known) = cluster.pods.get(&Name::new(namespace, name)) else { return Ok(()) };
        let dialect = db.project().dialect(db);
        let Some(class) = subject::class_of_pod(known, cluster, &self.peers, dialect) else { return Ok(()) };
        if class.kind == SubjectKind::Host {
            return Ok(());
        }
        self.machine_of(db, &class)?;
        let address4 = pod.addresses.iter().find_map(|it| if let IpAddr::V4(it) = it { Some(*it) } else { None });
        let address6 = pod.addresses.iter().find_map(|it| if let IpAddr::V6(it) = it { Some(*it) } else { None });
        let endpoint = Endpoint { ifindex, id: ifindex as u16, address4, address6, mac: None };
        if let Some(maps) = self.maps.get_mut(&pod.node) {
            maps.insert_endpoint(&endpoint).map_err(|error| error.to_string())?;
        }
        self.pods.insert(pod.name.clone(), (pod.node.clone(), class, ifindex));
        Ok(())
    }

    /// Makes the machine of a class unless it is there.
    fn machine_of(&mut self, db: &Database, class: &Class) -> Result<(), String> {
        if !self.machines.contains_key(class) {
            let image = image_of(db, class)?;
            self.machines.insert(class.clone(), machine(db, class, &image)?);
        }
        Ok(())
    }

    fn answer(&mut self, question: &Question, port: u16) -> Result<Outcome, String> {
        let (from, to) = (question.probe.from, question.probe.to);
        if from.place == to.place {
            return Ok(Outcome::Reached);
        }
        let frame = frame(question, port);
        let sent = self.cross(from.place, Direction::Egress, &frame, false)?;
        if !sent {
            return Ok(Outcome::Blocked);
        }
        let node = self.pods.get(self.plan.name(to.place)).map(|(node, ..)| node.clone());
        let made_there =
            matches!(from.place, Place::Node(_)) && self.peers.lookup(node.as_deref(), from.address) == HOST;
        let arrived = self.cross(to.place, Direction::Ingress, &frame, made_there)?;
        Ok(if arrived { Outcome::Reached } else { Outcome::Blocked })
    }

    /// Whether a packet passes a hook of a place; places without programs let everything pass.
    fn cross(&mut self, place: Place, direction: Direction, frame: &[u8], made_here: bool) -> Result<bool, String> {
        let name = self.plan.name(place);
        let (node, class, ifindex, [to, from]) = match place {
            Place::Pod(_) => match self.pods.get(name) {
                Some((node, class, ifindex)) => (node.as_str(), class, *ifindex, Hook::BOTH),
                None => return Ok(true),
            },
            Place::Node(_) => match self.hosts.get(name) {
                Some(class) => (name, class, self.plan.uplink(), Hook::HOST),
                None => return Ok(true),
            },
            Place::World => return Ok(true),
        };
        let hook = if direction == Direction::Ingress { to } else { from };
        let made_here = made_here || hook == Hook::FromHost;
        let (Some(machine), Some(maps)) = (self.machines.get_mut(class), self.maps.get_mut(node)) else {
            return Ok(true);
        };
        let ingress_ifindex = if made_here { 0 } else { 1 };
        let context = Context { ifindex, ingress_ifindex, now_jiffies: 1, ..Context::default() };
        let outcome = machine.run(maps, hook, frame, &context).map_err(|fault| format!("a program faults: {fault}"))?;
        // The ring of records is emptied, so that it never fills up.
        drop(maps.take_records());
        Ok(outcome.passes())
    }
}

pub(crate) fn image_of(db: &Database, class: &Class) -> Result<std::sync::Arc<image::Image>, String> {
    build::image(db, ClassKey::new(db, class.clone())).map_err(|problem| problem.to_string())
}

pub(crate) fn machine(db: &Database, class: &Class, image: &image::Image) -> Result<Machine, String> {
    let mut machine = Machine::load(image).map_err(|error| error.to_string())?;
    let diagrams = meaning::diagrams(db, ClassKey::new(db, class.clone())).map_err(|error| error.to_string())?;
    for (hook, diagram) in image.hooks().into_iter().zip(diagrams.iter()) {
        for (peer, class) in (0..).zip(ebpf::class_table(diagram)) {
            machine.set_class(hook, peer, class);
        }
    }
    Ok(machine)
}

pub(crate) fn node_maps(peers: &PeerTable, node: Option<&str>, target: &Target) -> Result<NodeMaps, String> {
    let mut maps = NodeMaps::new(target);
    maps.set_config(&Config::new(1000, 1));
    let mut four = Vec::new();
    for (prefix, peer) in peers.addresses(node) {
        match prefix.addr() {
            IpAddr::V4(address) => four.push((address.to_bits(), prefix.len(), peer.0)),
            IpAddr::V6(address) => {
                let set = match prefix.len() {
                    128 => maps.set_address6(address, peer.0),
                    len => maps.set_prefix6(address, len, peer.0),
                };
                set.map_err(|error| format!("{prefix}: {error:?}"))?;
            }
        }
    }
    let table = Address4::build(target, layout::peer::UNKNOWN, &four).map_err(|error| error.to_string())?;
    if maps.set_addresses4(&table) { Ok(maps) } else { Err("the address table is too small".into()) }
}

/// The first packet of a question.
fn frame(question: &Question, port: u16) -> Vec<u8> {
    let (source, destination) = (question.probe.from.address, question.probe.to.address);
    let (protocol, low) = (question.key.protocol(), question.key.low());
    let frame = match (protocol, Family::of(source)) {
        (Protocol::UDP, _) => Frame::udp(source, destination, port, low),
        (Protocol::ICMP | Protocol::ICMPV6, _) => {
            let ([kind, code], [high, rest]) = (low.to_be_bytes(), port.to_be_bytes());
            Frame::icmp(source, destination, kind, code, [high, rest, 0, 1], b"tidegate")
        }
        _ => Frame::tcp(source, destination, port, low, Flags::SYN),
    };
    frame.build()
}
