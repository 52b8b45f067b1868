//! One set of policies, with the programs and maps of every node that a packet belongs to.

use super::Talk;
use super::talk::addresses;
use crate::user_space::{image_of, machine, node_maps};
use driver::meaning::{self, ClassKey};
use driver::{Database, Db, world};
use facts::{Cluster, Name};
use flow::{Direction, L4Key, Verdict};
use hir::Entity;
use hir::peers::{HOST, PeerTable};
use hir::subject::{self, Class, SubjectKind};
use image::codec::{Config, Endpoint};
use image::{DropReason, Hook, layout};
use maps::NodeMaps;
use reason::{Doubted, Inquiry, Missing, Party};
use rules::Origin;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;
use vm::{Context, Machine};

/// The uplink of every node; endpoints have the numbers after it.
const UPLINK: u32 = 1;

/// What one program said of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Crossing {
    /// Egress at the owner of the source, ingress at that of the destination.
    pub direction: Direction,
    /// Why it was dropped; `None` when it passed.
    pub dropped: Option<DropReason>,
    /// Whether it passed because of audit mode only.
    pub audited: bool,
}

/// Why a side of a conversation is decided as it is.
#[derive(Clone, Debug)]
pub struct Reasoned {
    /// Which side.
    pub direction: Direction,
    /// What the rules say of who opens it.
    pub verdict: Verdict,
    /// No rule says so: `by` is what isolates the subject.
    pub by_default: bool,
    /// The parts of policies that say so.
    pub by: Vec<Origin>,
    /// Facts that were not read and on which it hangs.
    pub missing: BTreeSet<Missing>,
}

/// Who has an address.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    Pod(Name),
    Node(String),
}

/// Where a packet meets programs.
#[derive(Clone)]
struct Place {
    node: Option<String>,
    class: Class,
    ifindex: u32,
    hooks: [Hook; 2],
}

/// Plays packets back under one set of policies.
pub struct Player<'db> {
    db: &'db Database,
    cluster: Arc<Cluster>,
    peers: Arc<PeerTable>,
    owners: HashMap<IpAddr, Owner>,
    maps: BTreeMap<Option<String>, NodeMaps>,
    machines: BTreeMap<Class, Machine>,
    places: HashMap<IpAddr, Option<Place>>,
    endpoints: BTreeMap<Name, u32>,
    inquiry: Inquiry<'db>,
}

impl<'db> Player<'db> {
    /// Nothing is compiled before a packet asks for it.
    pub fn new(db: &'db Database) -> Player<'db> {
        let cluster = world::cluster(db);
        let mut owners = HashMap::new();
        for pod in cluster.pods.values() {
            owners.extend(pod.own_ips().map(|ip| (ip, Owner::Pod(pod.name.clone()))));
        }
        // Why after: pods on the network of a node have its addresses, and its policies.
        for (name, ips) in cluster.node_ips() {
            owners.extend(ips.into_iter().map(|ip| (ip, Owner::Node(name.to_owned()))));
        }
        Player {
            db,
            peers: world::peers(db),
            owners,
            maps: BTreeMap::new(),
            machines: BTreeMap::new(),
            places: HashMap::new(),
            endpoints: BTreeMap::new(),
            inquiry: Inquiry::new(db),
            cluster,
        }
    }

    /// What an address is called: a pod, a node, or the part of the world that policies tell apart.
    pub fn name(&self, address: IpAddr) -> String {
        match self.owners.get(&address) {
            Some(Owner::Pod(name)) => name.to_string(),
            Some(Owner::Node(name)) => format!("node {name}"),
            None => self.peers.name(self.peers.lookup(None, address)),
        }
    }

    /// Runs a frame through the programs of both ends; empty when neither end has any. Units: milliseconds since any fixed moment, never
    /// descending.
    ///
    /// Errors: a class without image, or a program that faults: a mistake of ours, named.
    pub fn play(&mut self, frame: &[u8], now: u64) -> Result<Vec<Crossing>, String> {
        let Some((source, destination)) = addresses(frame) else { return Ok(Vec::new()) };
        let mut crossings = Vec::new();
        if self.owners.contains_key(&source) && self.owners.get(&source) == self.owners.get(&destination) {
            return Ok(crossings);
        }
        for (address, direction) in [(source, Direction::Egress), (destination, Direction::Ingress)] {
            let Some(place) = self.place(address)? else { continue };
            let other = if direction == Direction::Egress { destination } else { source };
            let from_node = direction == Direction::Ingress
                && matches!(self.owners.get(&other), Some(Owner::Node(_)))
                && self.peers.lookup(place.node.as_deref(), other) == HOST;
            let crossing = self.cross(&place, direction, frame, from_node, now)?;
            crossings.push(crossing);
            if crossing.dropped.is_some() {
                break;
            }
        }
        Ok(crossings)
    }

    fn cross(
        &mut self,
        place: &Place,
        direction: Direction,
        frame: &[u8],
        from_node: bool,
        now: u64,
    ) -> Result<Crossing, String> {
        let hook = place.hooks[meaning::slot(direction)];
        let (Some(machine), Some(maps)) = (self.machines.get_mut(&place.class), self.maps.get_mut(&place.node)) else {
            return Err("a place was made without its programs".into());
        };
        let ingress_ifindex = if from_node || hook == Hook::FromHost { 0 } else { UPLINK };
        let context = Context {
            ifindex: place.ifindex,
            ingress_ifindex,
            now_jiffies: now + 1,
            now_ns: (now + 1).saturating_mul(1_000_000),
            ..Context::default()
        };
        let before = maps.counters();
        let outcome = machine.run(maps, hook, frame, &context).map_err(|fault| format!("a program faults: {fault}"))?;
        // The ring of records is emptied, so that it never fills up.
        drop(maps.take_records());
        let after = maps.counters();
        let counted = |at: usize| after.get(at) != before.get(at);
        let dropped = match outcome.passes() {
            true => None,
            false => {
                let reason = DropReason::ALL.iter().copied().find(|reason| counted(*reason as usize));
                Some(reason.ok_or("a program drops a packet and counts no reason")?)
            }
        };
        Ok(Crossing { direction, dropped, audited: dropped.is_none() && counted(layout::AUDITED as usize) })
    }

    /// The programs at an address, made when it is first met; `None` where there are none.
    fn place(&mut self, address: IpAddr) -> Result<Option<Place>, String> {
        if let Some(known) = self.places.get(&address) {
            return Ok(known.clone());
        }
        let place = match self.owners.get(&address).cloned() {
            Some(Owner::Pod(name)) => self.pod(&name)?,
            Some(Owner::Node(name)) => self.node(&name)?,
            // Why not remembered: there is no end to the addresses of the world.
            None => return Ok(None),
        };
        self.places.insert(address, place.clone());
        Ok(place)
    }

    fn pod(&mut self, name: &Name) -> Result<Option<Place>, String> {
        let cluster = self.cluster.clone();
        let Some(pod) = cluster.pods.get(name) else { return Ok(None) };
        let class = subject::class_of_pod(pod, &cluster, &self.peers, self.db.project().dialect(self.db));
        let Some(class) = class.filter(|class| class.kind != SubjectKind::Host) else { return Ok(None) };
        let next = UPLINK + 1 + self.endpoints.len() as u32;
        let ifindex = *self.endpoints.entry(name.clone()).or_insert(next);
        let address4 = pod.own_ips().find_map(|it| if let IpAddr::V4(it) = it { Some(it) } else { None });
        let address6 = pod.own_ips().find_map(|it| if let IpAddr::V6(it) = it { Some(it) } else { None });
        let id = u16::try_from(ifindex).map_err(|_| "the capture is of more than 65,000 endpoints")?;
        let endpoint = Endpoint { ifindex, id, address4, address6, mac: None };
        self.make(pod.node.clone(), &class)?.insert_endpoint(&endpoint).map_err(|error| error.to_string())?;
        Ok(Some(Place { node: pod.node.clone(), class, ifindex, hooks: Hook::BOTH }))
    }

    fn node(&mut self, name: &str) -> Result<Option<Place>, String> {
        let Some(key) = enforce::host::class(self.db, name) else { return Ok(None) };
        let class = key.class(self.db).clone();
        self.make(Some(name.to_owned()), &class)?;
        Ok(Some(Place { node: Some(name.to_owned()), class, ifindex: UPLINK, hooks: Hook::HOST }))
    }

    /// The maps of a node, and beside them the machine of a class.
    fn make(&mut self, node: Option<String>, class: &Class) -> Result<&mut NodeMaps, String> {
        if !self.machines.contains_key(class) {
            let image = image_of(self.db, class)?;
            self.machines.insert(class.clone(), machine(self.db, class, &image)?);
        }
        if !self.maps.contains_key(&node) {
            let mut maps = node_maps(&self.peers, node.as_deref(), &self.db.project().target(self.db))?;
            let own = node.as_ref().and_then(|name| self.cluster.nodes.get(name));
            let own = own.map(|node| node.ips.clone()).unwrap_or_default();
            maps.set_own(&own).map_err(|error| format!("addresses of a node: {error:?}"))?;
            let config = maps.config();
            let audit = if self.cluster.config.audit { layout::config::AUDIT } else { 0 };
            maps.set_config(&Config { flags: config.flags | audit, ..config });
            self.maps.insert(node.clone(), maps);
        }
        self.maps.get_mut(&node).ok_or_else(|| "the maps of a node were not made".to_owned())
    }

    /// Why both sides of a conversation are decided as they are; empty where its headers could not be read.
    pub fn explain(&mut self, talk: &Talk) -> Result<Vec<Reasoned>, String> {
        let Some(key) = talk.key else { return Ok(Vec::new()) };
        let ends = [talk.source, talk.destination].map(|address| self.party(address));
        let mut sides = Vec::new();
        for (mine, other, direction) in
            [(talk.source, talk.destination, Direction::Egress), (talk.destination, talk.source, Direction::Ingress)]
        {
            let Some(place) = self.place(mine)? else { continue };
            sides.push(self.reasoned(&place, other, direction, key, [&ends[0], &ends[1]]));
        }
        // Why: where one end denies for certain, it does not matter what the other would say.
        if sides.iter().any(|side| !side.verdict.is_allowed() && side.missing.is_empty()) {
            sides.iter_mut().for_each(|side| side.missing.clear());
            return Ok(sides);
        }
        // An address that nobody is known to have may be a pod's, with policies of its own.
        for end in ends.iter().filter(|end| matches!(end, Party::Address(_))) {
            let unknown = self.inquiry.unknown_owner(end);
            sides.iter_mut().take(1).for_each(|side| side.missing.extend(unknown.clone()));
        }
        Ok(sides)
    }

    fn reasoned(
        &mut self,
        place: &Place,
        other: IpAddr,
        direction: Direction,
        key: L4Key,
        ends: [&Party; 2],
    ) -> Reasoned {
        let peer = self.peers.lookup(place.node.as_deref(), other);
        let rules = meaning::rule_sets(self.db, ClassKey::new(self.db, place.class.clone()));
        let rules = &rules[meaning::slot(direction)];
        let decision = oracle::decide(rules, peer, key);
        // Why asked even where policies leave nothing open: whose an address was is open all the same.
        let missing = self.inquiry.missing(Doubted { direction, class: &place.class, peer, key, ends });
        Reasoned {
            direction,
            verdict: decision.verdict,
            by_default: !matches!(decision.because, oracle::Because::Rule { .. }),
            by: decision.by.iter().filter_map(|id| rules.origin(*id)).cloned().collect(),
            missing,
        }
    }

    fn party(&self, address: IpAddr) -> Party {
        match self.owners.get(&address) {
            Some(Owner::Pod(name)) => Party::Pod(name.clone()),
            Some(Owner::Node(_)) => Party::Entity(Entity::RemoteNode),
            None => Party::Address(address),
        }
    }
}
