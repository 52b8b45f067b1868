//! What policies decide of the groups of a tally.

use crate::outcome::{Cause, Outcome, Said, Step};
use crate::place::{self, Place, Places};
use crate::record::End;
use crate::tally::{EndId, Group, Seen, Tally};
use diagram::Diagram;
use driver::meaning::{self, ClassKey};
use driver::{Choice, Database, Wish, locate, world};
use facts::{Cluster, Enforcer};
use flow::{Auth, Direction, L4Key, PeerId, Verdict};
use hir::Dialect;
use hir::peers::{PeerTable, UNKNOWN, WORLD_V4, WORLD_V6};
use hir::subject::{self, Class};
use oracle::RequestOutcome;
use reason::{Doubted, Fact, Inquiry, Missing, Party};
use request::Request;
use rules::RuleSet;
use rustc_hash::FxHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Policies that records are held against, once or beside others.
pub struct Judge {
    sets: Vec<Set>,
    wish: Wish,
    shared: Cluster,
}

/// One set of policies.
struct Set {
    db: Database,
    /// The facts of its own files.
    own: Arc<Cluster>,
}

impl Judge {
    /// Holds records against `new`: beside what `old` says, or beside what they themselves say where there is none.
    ///
    /// Both sets share the facts of each; of an object that both describe, each keeps its own.
    pub fn new(new: Database, old: Option<Database>, wish: Wish) -> Judge {
        let set = |db: Database| Set { own: world::cluster(&db), db };
        let sets: Vec<Set> = [Some(new), old].into_iter().flatten().map(set).collect();
        let shared = sets.iter().skip(1).fold((*sets[0].own).clone(), |all, set| place::join(all, &set.own));
        Judge { sets, wish, shared }
    }

    /// The facts of both sets together.
    pub fn cluster(&self) -> &Cluster {
        &self.shared
    }

    /// The set that is judged.
    pub fn db(&self) -> &Database {
        &self.sets[0].db
    }

    /// The reading of each set, that of the judged one first; settled by [`Judge::fold`].
    pub fn choices(&mut self) -> Vec<Choice> {
        self.sets.iter_mut().map(|set| set.db.settle_dialect(self.wish)).collect()
    }

    /// Decides every group of a tally and adds what follows. Called for parts of a log one after the other, the parts need not agree on
    /// anything.
    pub fn fold(&mut self, tally: &Tally, outcome: &mut Outcome) {
        let Places { places, added } = Places::of(&tally.ends, &self.shared);
        self.prepare(added, tally.from_hubble);
        outcome.add_coverage(tally);
        let groups = tally.sorted();
        let mut benches: Vec<Bench<'_>> =
            self.sets.iter().map(|set| Bench::new(&set.db, &places, &tally.ends)).collect();
        for (group, seen) in groups {
            decide(&mut benches, tally, &group, &seen, outcome);
        }
    }

    /// Gives each set what the other sets and the records know.
    pub(crate) fn prepare(&mut self, added: Cluster, from_hubble: bool) {
        let enforcer = (from_hubble && self.shared.enforcer().is_none()).then_some(Enforcer::Cilium);
        for set in &mut self.sets {
            let mut snapshot = place::join(self.shared.clone(), &added);
            snapshot.config.enforcer = snapshot.config.enforcer.take().or_else(|| enforcer.clone());
            set.db.set_cluster(snapshot);
            set.db.settle_dialect(self.wish);
        }
    }

    /// Whether the judged set allows each group of a tally at both of its ends, whatever end it was recorded at; in the order of
    /// [`Tally::sorted`]. `None` where that cannot be known.
    pub fn allows(&mut self, tally: &Tally) -> Vec<(Group, Option<bool>)> {
        let Places { places, added } = Places::of(&tally.ends, &self.shared);
        self.prepare(added, tally.from_hubble);
        let mut bench = Bench::new(&self.sets[0].db, &places, &tally.ends);
        let groups = tally.sorted().into_iter();
        let allowed = groups.map(|(group, _)| {
            let request = group.request.map(|at| &tally.requests[at as usize]);
            let both = Group { direction: None, ..group };
            (group, bench.answer(&both, request).ok().map(|verdict| verdict.said.passes()))
        });
        allowed.collect()
    }
}

fn decide(benches: &mut [Bench<'_>], tally: &Tally, group: &Group, seen: &Seen, outcome: &mut Outcome) {
    let request = group.request.map(|at| &tally.requests[at as usize]);
    let new = match benches[0].answer(group, request) {
        Ok(new) => new,
        Err(missing) => return outcome.add_undecided(&missing, seen),
    };
    let old = match benches.get_mut(1) {
        Some(bench) => match bench.answer(group, request) {
            Ok(old) => Some(old),
            Err(missing) => return outcome.add_undecided(&missing, seen),
        },
        None => None,
    };
    let differs = match (&old, group.recorded.allowed()) {
        (Some(old), _) => old.said != new.said,
        (None, Some(allowed)) => allowed != new.said.passes(),
        (None, None) => return outcome.add_unrecorded(group.recorded, seen),
    };
    outcome.add_decided(seen, new.said);
    if differs {
        let before = match &old {
            Some(old) => benches[1].step(old),
            None => Step { said: Said::Recorded(group.recorded), by_default: false, by: Vec::new() },
        };
        let after = benches[0].step(&new);
        let ends = [group.source, group.destination].map(|id| benches[0].name(id));
        outcome.add_change(ends, group, request, before, after, seen);
    }
}

/// The answer for one group, without the lines that made it so.
pub(crate) struct Answer {
    pub said: Said,
    /// The sides that decided.
    sides: Vec<Decided>,
}

/// One side of a flow as decided.
#[derive(Clone)]
struct Decided {
    said: Said,
    /// The subject's class, the peer and the key; `None` where no policy stands.
    by: Option<(Direction, usize, PeerId, L4Key, Option<Request>)>,
}

/// What a doubt hangs on: direction, class, peer, key, and the address of an end that is known by nothing else.
type Doubt = (Direction, usize, PeerId, L4Key, Option<IpAddr>);

/// One set of policies with everything that is asked of it again and again.
pub(crate) struct Bench<'a> {
    db: &'a Database,
    dialect: &'static Dialect,
    cluster: Arc<Cluster>,
    peers: Arc<PeerTable>,
    inquiry: Inquiry<'a>,
    places: &'a [Place],
    ends: &'a [End],
    parties: Vec<Party>,
    classes: Vec<ClassOf>,
    class_numbers: FxHashMap<Class, usize>,
    subjects: FxHashMap<EndId, Subject>,
    doubts: FxHashMap<Doubt, Arc<BTreeSet<Missing>>>,
    peer_of: FxHashMap<(EndId, Option<String>), PeerId>,
}

struct ClassOf {
    class: Class,
    rules: Arc<[RuleSet; 2]>,
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
    pub fn new(db: &'a Database, places: &'a [Place], ends: &'a [End]) -> Bench<'a> {
        Bench {
            db,
            dialect: db.dialect(),
            cluster: world::cluster(db),
            peers: world::peers(db),
            inquiry: Inquiry::new(db),
            places,
            ends,
            parties: places.iter().map(Place::party).collect(),
            classes: Vec::new(),
            class_numbers: FxHashMap::default(),
            subjects: FxHashMap::default(),
            doubts: FxHashMap::default(),
            peer_of: FxHashMap::default(),
        }
    }

    /// Decides one group at the ends that it is about. Errors: what would have to be known.
    pub fn answer(&mut self, group: &Group, request: Option<&Request>) -> Result<Answer, BTreeSet<Missing>> {
        let directions: &[Direction] = match group.direction {
            Some(Direction::Ingress) => &[Direction::Ingress],
            Some(Direction::Egress) => &[Direction::Egress],
            None => &[Direction::Egress, Direction::Ingress],
        };
        let sides: Vec<Result<Decided, BTreeSet<Missing>>> =
            directions.iter().map(|direction| self.side(*direction, group, request)).collect();
        // Why: where one end denies, it does not matter what the other would say.
        let denied: Vec<Decided> = sides.iter().flatten().filter(|side| side.said == Said::Deny).cloned().collect();
        if !denied.is_empty() {
            return Ok(Answer { said: Said::Deny, sides: denied });
        }
        let missing: BTreeSet<Missing> =
            sides.iter().filter_map(|side| side.as_ref().err()).flatten().cloned().collect();
        if sides.iter().any(Result::is_err) {
            return Err(missing);
        }
        let sides: Vec<Decided> = sides.into_iter().flatten().collect();
        let said = sides.iter().map(|side| side.said).max().unwrap_or(Said::Allow);
        Ok(Answer { said, sides })
    }

    fn side(
        &mut self,
        direction: Direction,
        group: &Group,
        request: Option<&Request>,
    ) -> Result<Decided, BTreeSet<Missing>> {
        let (mine, other) = match direction {
            Direction::Ingress => (group.destination, group.source),
            Direction::Egress => (group.source, group.destination),
        };
        let free = Decided { said: Said::Allow, by: None };
        let (class, node, ports_known) = match self.subject(mine) {
            Subject::Free => return Ok(free),
            Subject::Unknown(missing) => return Err(missing),
            Subject::Class { class, node, ports_known } => (class, node, ports_known),
        };
        if self.is_itself(mine, other) {
            return Ok(free);
        }
        let Some(peer) = self.peer(other, node) else {
            return Err([Missing::new(Fact::AddressOwner, self.name(other))].into());
        };
        let key = group.key;
        if !ports_known && self.classes[class].names_ports[meaning::slot(direction)] && direction == Direction::Ingress
        {
            return Err([Missing::new(Fact::NamedPort, self.name(mine))].into());
        }
        let missing = self.doubts(direction, class, peer, group);
        if !missing.is_empty() {
            return Err((*missing).clone());
        }
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

    /// Whether both ends are one pod: what it says to itself never leaves it.
    fn is_itself(&self, a: EndId, b: EndId) -> bool {
        match (&self.places[a.0 as usize], &self.places[b.0 as usize]) {
            (Place::Pod { name: a, .. }, Place::Pod { name: b, .. }) => a == b,
            _ => false,
        }
    }

    fn doubts(&mut self, direction: Direction, class: usize, peer: PeerId, group: &Group) -> Arc<BTreeSet<Missing>> {
        let ends = [&self.parties[group.source.0 as usize], &self.parties[group.destination.0 as usize]];
        let other = ends[if direction == Direction::Egress { 1 } else { 0 }];
        let address = if let Party::Address(address) = other { Some(*address) } else { None };
        // Why not for addresses: whose one was is open even where policies leave nothing open.
        if self.inquiry.is_sure() && address.is_none() {
            return Arc::default();
        }
        let form = (direction, class, peer, group.key, address);
        if let Some(known) = self.doubts.get(&form) {
            return known.clone();
        }
        let doubted = Doubted { direction, class: &self.classes[class].class, peer, key: group.key, ends };
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
        match &self.places[end.0 as usize] {
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
        let peer = match &self.places[end.0 as usize] {
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

    /// The lines behind an answer.
    fn step(&self, answer: &Answer) -> Step {
        let mut by: BTreeSet<Cause> = BTreeSet::new();
        let mut by_default = true;
        for side in &answer.sides {
            let Some((direction, class, peer, key, request)) = &side.by else { continue };
            let rules = &self.classes[*class].rules[meaning::slot(*direction)];
            let decision = oracle::decide(rules, *peer, *key);
            by_default &= !matches!(decision.because, oracle::Because::Rule { .. });
            let origins: Vec<rules::Origin> = match request {
                Some(request) => oracle::decide_request(rules, *peer, *key, request).by,
                None => Vec::new(),
            };
            let origins = match origins.is_empty() {
                true => decision.by.iter().filter_map(|id| rules.origin(*id)).cloned().collect(),
                false => origins,
            };
            by.extend(origins.into_iter().map(|origin| self.cause(&origin)));
        }
        Step { said: answer.said, by_default, by: by.into_iter().collect() }
    }

    fn cause(&self, origin: &rules::Origin) -> Cause {
        let place = locate::locate(self.db, origin).and_then(|place| {
            let file = self.db.file(place.file)?;
            let position = locate::position(self.db, file, place.span);
            Some((file.path(self.db).to_owned(), position.line, position.column))
        });
        Cause { object: origin.object.clone(), path: origin.path.clone(), place }
    }

    /// What an end is called: the workload of a pod, else what it is to everybody.
    pub fn name(&self, end: EndId) -> String {
        let it = &self.ends[end.0 as usize];
        match &self.places[end.0 as usize] {
            Place::Pod { name, .. } => match it.workload.as_str() {
                "" => {
                    let base = name.name.split('~').next().unwrap_or(&name.name);
                    let base = match (it.pod.is_empty(), app(it)) {
                        (true, Some(app)) if base == "pod" => app,
                        _ => place::of_pod(base),
                    };
                    format!("{}/{base}", name.namespace)
                }
                workload => format!("{}/{workload}", name.namespace),
            },
            Place::Node(name, _) if name.is_empty() => "node".to_owned(),
            Place::Node(name, _) => format!("node {name}"),
            Place::Reserved(_, entity) => reason::party::entity_name(*entity).to_owned(),
            Place::Outside(address) | Place::Address(address) => match it.names.first() {
                Some(name) => format!("world {name}"),
                None => match self.peers.peer(self.peers.lookup(None, *address)) {
                    Some(info) if info.key.region.is_some() => info.name.clone(),
                    _ if it.is_outside() => "world".to_owned(),
                    _ => address.to_string(),
                },
            },
            Place::Nobody => match (it.namespace.is_empty(), it.pod.is_empty()) {
                (false, false) => format!("{}/{}", it.namespace, it.pod),
                _ => "nobody".to_owned(),
            },
        }
    }
}

/// The name of an application by its usual labels.
fn app(end: &End) -> Option<&str> {
    ["app.kubernetes.io/name", "app", "k8s-app"].iter().find_map(|key| end.label(key))
}

fn of_verdict(verdict: Verdict) -> Said {
    match (verdict.is_allowed(), verdict.auth, verdict.action) {
        (false, ..) | (_, Auth::AlwaysFail, _) => Said::Deny,
        (_, Auth::Required, _) => Said::Authenticated,
        (_, _, flow::Action::Redirect(_)) => Said::Redirect,
        _ => Said::Allow,
    }
}

/// How often each missing fact is in the way; only the first of each kind is named.
pub(crate) fn first_of_each(missing: &BTreeSet<Missing>) -> BTreeMap<Fact, &str> {
    let mut first = BTreeMap::new();
    for it in missing {
        first.entry(it.fact).or_insert(it.of.as_str());
    }
    first
}
