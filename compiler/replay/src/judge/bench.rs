//! One set of policies with everything that is asked of it again and again.

use super::Laid;
use crate::outcome::Said;
use crate::place::Place;
use crate::record::End;
use crate::roads::Road;
use crate::tally::{EndId, Group};
use diagram::Diagram;
use driver::meaning::{self, ClassKey};
use driver::{Database, world};
use facts::Cluster;
use flow::{Auth, Direction, L4Key, PeerId, Verdict};
use hir::peers::{PeerTable, UNKNOWN, WORLD_V4, WORLD_V6};
use hir::subject::{self, Class};
use hir::{Dialect, Entity};
use oracle::RequestOutcome;
use reason::{Doubted, Fact, Ground, Inquiry, Missing, Party};
use request::Request;
use rules::RuleSet;
use rustc_hash::FxHashMap;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// The answer for one group, without the lines that made it so.
pub(crate) struct Answer {
    pub said: Said,
    /// The sides that decided.
    pub sides: Vec<Decided>,
}

/// One side of a flow as decided.
#[derive(Clone)]
pub(super) struct Decided {
    pub said: Said,
    /// The subject's class, the peer and the key; `None` where no policy stands.
    pub by: Option<(Direction, usize, PeerId, L4Key, Option<Request>)>,
}

/// At neither end does a policy have a say.
pub(super) const FREE: Decided = Decided { said: Said::Allow, by: None };

/// As whom a side sees the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// As it is.
    End(EndId),
    /// As this peer.
    Peer(PeerId),
    /// As a node, whichever.
    Nodes,
}

/// The ends at which a group is asked.
pub(super) fn directions(group: &Group) -> &'static [Direction] {
    match group.direction {
        Some(Direction::Ingress) => &[Direction::Ingress],
        Some(Direction::Egress) => &[Direction::Egress],
        None => &[Direction::Egress, Direction::Ingress],
    }
}

/// What the sides of a flow come to together.
pub(super) fn both(sides: Vec<Result<Decided, BTreeSet<Missing>>>) -> Result<Answer, BTreeSet<Missing>> {
    // Why: where one end denies, it does not matter what the other would say.
    let denied: Vec<Decided> = sides.iter().flatten().filter(|side| side.said == Said::Deny).cloned().collect();
    if !denied.is_empty() {
        return Ok(Answer { said: Said::Deny, sides: denied });
    }
    let missing: BTreeSet<Missing> = sides.iter().filter_map(|side| side.as_ref().err()).flatten().cloned().collect();
    if sides.iter().any(Result::is_err) {
        return Err(missing);
    }
    let sides: Vec<Decided> = sides.into_iter().flatten().collect();
    let said = sides.iter().map(|side| side.said).max().unwrap_or(Said::Allow);
    Ok(Answer { said, sides })
}

/// What a doubt hangs on: direction, class, peer, key, and the address of an end that is known by nothing else.
type Doubt = (Direction, usize, PeerId, L4Key, Option<IpAddr>);

/// One set of policies with everything that is asked of it again and again.
pub(crate) struct Bench<'a> {
    pub(super) db: &'a Database,
    pub(super) dialect: &'static Dialect,
    pub(super) cluster: Arc<Cluster>,
    pub(super) peers: Arc<PeerTable>,
    inquiry: Inquiry<'a>,
    /// What reaches itself through a service is asked of the engine of `trace`, for few flows do.
    pub(super) ground: Ground<'a>,
    pub(super) laid: &'a Laid,
    pub(super) ends: &'a [End],
    pub(super) parties: Vec<Party>,
    pub(super) classes: Vec<ClassOf>,
    class_numbers: FxHashMap<Class, usize>,
    subjects: FxHashMap<EndId, Subject>,
    doubts: FxHashMap<Doubt, Arc<BTreeSet<Missing>>>,
    peer_of: FxHashMap<(EndId, Option<String>), PeerId>,
    /// What all other nodes are to subjects of a node.
    pub(super) nodes: FxHashMap<Option<String>, Arc<BTreeSet<PeerId>>>,
}

pub(super) struct ClassOf {
    class: Class,
    pub rules: Arc<[RuleSet; 2]>,
    diagrams: Option<Arc<[Diagram; 2]>>,
    /// In which directions policies name ports by their names.
    names_ports: [bool; 2],
}

/// Whose policies stand at an end.
#[derive(Clone)]
enum Subject {
    /// Those of this class, on this node.
    Class { class: usize, node: Option<String>, ports_known: bool },
    /// Nobody's.
    Free,
    /// Nobody knows.
    Unknown(BTreeSet<Missing>),
}

impl<'a> Bench<'a> {
    pub fn new(db: &'a Database, laid: &'a Laid, ends: &'a [End]) -> Bench<'a> {
        Bench {
            db,
            dialect: db.dialect(),
            cluster: world::cluster(db),
            peers: world::peers(db),
            inquiry: Inquiry::new(db),
            ground: Ground::of(db),
            laid,
            ends,
            parties: laid.places.iter().map(Place::party).collect(),
            classes: Vec::new(),
            class_numbers: FxHashMap::default(),
            subjects: FxHashMap::default(),
            doubts: FxHashMap::default(),
            peer_of: FxHashMap::default(),
            nodes: FxHashMap::default(),
        }
    }

    /// Decides one group at the ends that it is about. Errors: what would have to be known.
    pub fn answer(&mut self, group: &Group, request: Option<&Request>) -> Result<Answer, BTreeSet<Missing>> {
        match self.laid.roads.of(group).as_deref() {
            Some(Road::Legs(legs)) => self.by_service(group, legs, request),
            Some(Road::Unread(missing)) => Err([missing.clone()].into()),
            None => {
                let asked = directions(group).iter().map(|direction| {
                    let (mine, other) = match direction {
                        Direction::Ingress => (group.destination, group.source),
                        Direction::Egress => (group.source, group.destination),
                    };
                    self.side(*direction, mine, Other::End(other), group.key, request)
                });
                both(asked.collect())
            }
        }
    }

    pub(super) fn side(
        &mut self,
        direction: Direction,
        mine: EndId,
        other: Other,
        key: L4Key,
        request: Option<&Request>,
    ) -> Result<Decided, BTreeSet<Missing>> {
        let (class, node, ports_known) = match self.subject(mine) {
            Subject::Free => return Ok(FREE),
            Subject::Unknown(missing) => return Err(missing),
            Subject::Class { class, node, ports_known } => (class, node, ports_known),
        };
        if matches!(other, Other::End(other) if self.is_itself(mine, other)) {
            return Ok(FREE);
        }
        if !ports_known && self.classes[class].names_ports[meaning::slot(direction)] && direction == Direction::Ingress
        {
            return Err([Missing::new(Fact::NamedPort, self.name(mine))].into());
        }
        let peers: Vec<PeerId> = match other {
            Other::Peer(peer) => vec![peer],
            Other::Nodes => self.nodes(node).iter().copied().collect(),
            Other::End(other) => match self.peer(other, node) {
                Some(peer) => vec![peer],
                None => return Err([Missing::new(Fact::AddressOwner, self.name(other))].into()),
            },
        };
        let mut found: Vec<Decided> = Vec::new();
        for peer in peers {
            let missing = self.doubts(direction, class, (peer, key), (mine, other));
            if !missing.is_empty() {
                return Err((*missing).clone());
            }
            found.push(self.decided(direction, class, (peer, key), request)?);
        }
        let passes = found.first().is_some_and(|it| it.said.passes());
        match found.iter().all(|it| it.said.passes() == passes) {
            true => found.into_iter().max_by_key(|it| it.said).ok_or_else(|| [Missing::new(Fact::Node, "any")].into()),
            false => Err([Missing::new(Fact::WhichAddress, "the nodes")].into()),
        }
    }

    fn decided(
        &self,
        direction: Direction,
        class: usize,
        (peer, key): (PeerId, L4Key),
        request: Option<&Request>,
    ) -> Result<Decided, BTreeSet<Missing>> {
        let rules = &self.classes[class].rules[meaning::slot(direction)];
        let by = Some((direction, class, peer, key, request.cloned()));
        if let Some(request) = request {
            let decision = oracle::decide_request(rules, peer, key, request);
            if !decision.missing.is_empty() {
                let facts = decision.missing.iter().map(|it| Missing::new(Fact::NotEvaluated, it.to_string()));
                return Err(facts.collect());
            }
            let said = match decision.outcome {
                RequestOutcome::Denied | RequestOutcome::Refused(_) | RequestOutcome::Unread(_) => Said::Deny,
                RequestOutcome::Direct => of_verdict(decision.flow.verdict),
                RequestOutcome::Admitted => Said::Redirect,
            };
            return Ok(Decided { said, by });
        }
        let verdict = match &self.classes[class].diagrams {
            Some(diagrams) => diagrams[meaning::slot(direction)].eval(peer, key),
            // Too large for a diagram, and so for a program; its meaning is the oracle's all the same.
            None => oracle::decide(rules, peer, key).verdict,
        };
        Ok(Decided { said: of_verdict(verdict), by })
    }

    /// An end, also one that only roads have.
    pub(super) fn end(&self, id: EndId) -> &End {
        let at = id.0 as usize;
        self.ends.get(at).unwrap_or_else(|| &self.laid.roads.ends[at - self.ends.len()])
    }

    /// Whether both ends are one pod: what it says to itself never leaves it.
    pub(super) fn is_itself(&self, a: EndId, b: EndId) -> bool {
        match (&self.laid.places[a.0 as usize], &self.laid.places[b.0 as usize]) {
            (Place::Pod { name: a, .. }, Place::Pod { name: b, .. }) => a == b,
            _ => false,
        }
    }

    fn doubts(
        &mut self,
        direction: Direction,
        class: usize,
        (peer, key): (PeerId, L4Key),
        (mine, other): (EndId, Other),
    ) -> Arc<BTreeSet<Missing>> {
        let somebody = match other {
            Other::Nodes => Party::Entity(Entity::RemoteNode),
            _ => Party::Entity(Entity::World),
        };
        let other = if let Other::End(other) = other { &self.parties[other.0 as usize] } else { &somebody };
        let mine = &self.parties[mine.0 as usize];
        let ends = if direction == Direction::Egress { [mine, other] } else { [other, mine] };
        let address = if let Party::Address(address) = other { Some(*address) } else { None };
        // Why not for addresses: whose one was is open even where policies leave nothing open.
        if self.inquiry.is_sure() && address.is_none() {
            return Arc::default();
        }
        let form = (direction, class, peer, key, address);
        if let Some(known) = self.doubts.get(&form) {
            return known.clone();
        }
        let doubted = Doubted { direction, class: &self.classes[class].class, peer, key, ends };
        let missing = Arc::new(self.inquiry.missing(doubted));
        self.doubts.insert(form, missing.clone());
        missing
    }

    fn subject(&mut self, end: EndId) -> Subject {
        if let Some(known) = self.subjects.get(&end) {
            return known.clone();
        }
        let subject = self.find_subject(end);
        self.subjects.insert(end, subject.clone());
        subject
    }

    fn find_subject(&mut self, end: EndId) -> Subject {
        match &self.laid.places[end.0 as usize] {
            Place::Pod { name, ports_known, .. } => {
                let Some(pod) = self.cluster.pods.get(name) else { return Subject::Free };
                let class = subject::class_of_pod(pod, &self.cluster, &self.peers, self.dialect);
                let (node, ports_known) = (pod.node.clone(), *ports_known);
                let numbered = class.map(|class| Subject::Class { class: self.class(class), node, ports_known });
                numbered.unwrap_or(Subject::Free)
            }
            Place::Node(name, _) if self.cluster.config.host_firewall => {
                let class = subject::class_of_node(name, &self.cluster, &self.peers);
                Subject::Class { class: self.class(class), node: Some(name.clone()), ports_known: true }
            }
            Place::Reserved(peer, _) if self.cluster.config.host_firewall && *peer == hir::peers::HOST => {
                Subject::Unknown([Missing::new(Fact::Node, self.name(end))].into())
            }
            Place::Address(address) => {
                let address = Party::Address(*address);
                let unknown = self.inquiry.unknown_owner(&address);
                unknown.map_or(Subject::Free, |missing| Subject::Unknown([missing].into()))
            }
            Place::Nobody => Subject::Unknown([Missing::new(Fact::AddressOwner, self.name(end))].into()),
            Place::Node(..) | Place::Reserved(..) | Place::Outside(_) => Subject::Free,
        }
    }

    fn class(&mut self, class: Class) -> usize {
        if let Some(known) = self.class_numbers.get(&class) {
            return *known;
        }
        let key = ClassKey::new(self.db, class.clone());
        let policies = meaning::selecting(self.db, key);
        let entries = || policies.iter().flat_map(|it| &it.sections).flat_map(|it| &it.entries);
        let names_ports =
            Direction::BOTH.map(|direction| entries().any(|it| it.direction == direction && it.l4.names_ports()));
        let number = self.classes.len();
        self.classes.push(ClassOf {
            class: class.clone(),
            rules: meaning::rule_sets(self.db, key),
            diagrams: meaning::diagrams(self.db, key).ok(),
            names_ports,
        });
        self.class_numbers.insert(class, number);
        number
    }

    /// What an end is to subjects of a node.
    fn peer(&mut self, end: EndId, node: Option<String>) -> Option<PeerId> {
        let form = (end, node);
        if let Some(peer) = self.peer_of.get(&form) {
            return Some(*peer);
        }
        let (end, node) = form;
        let peer = match &self.laid.places[end.0 as usize] {
            Place::Pod { name, address, .. } => {
                let pod = self.cluster.pods.get(name)?;
                let address = address.or_else(|| pod.own_ips().next())?;
                self.peers.lookup(node.as_deref(), address)
            }
            Place::Node(name, address) => {
                let of_node = || self.cluster.nodes.get(name).and_then(|node| node.ips.first().copied());
                self.peers.lookup(node.as_deref(), address.or_else(of_node)?)
            }
            Place::Reserved(peer, _) => *peer,
            Place::Outside(address) => {
                let found = self.peers.lookup(node.as_deref(), *address);
                let outside = self.peers.peer(found).is_some_and(|info| info.key.region.is_some());
                // Why: the record says that it is outside, whatever ranges of addresses say.
                match (outside && found != UNKNOWN, address) {
                    (true, _) => found,
                    (false, IpAddr::V4(_)) => WORLD_V4,
                    (false, IpAddr::V6(_)) => WORLD_V6,
                }
            }
            Place::Address(address) => self.peers.lookup(node.as_deref(), *address),
            Place::Nobody => return None,
        };
        self.peer_of.insert((end, node), peer);
        Some(peer)
    }
}

fn of_verdict(verdict: Verdict) -> Said {
    match (verdict.is_allowed(), verdict.auth, verdict.action) {
        (false, ..) | (_, Auth::AlwaysFail, _) => Said::Deny,
        (_, Auth::Required, _) => Said::Authenticated,
        (_, _, flow::Action::Redirect(_)) => Said::Redirect,
        _ => Said::Allow,
    }
}
