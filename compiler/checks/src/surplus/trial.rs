//! Candidates on trial: the diagrams of every class that they are about, with them and without them, and one flow that shows why.
//!
//! The classes are those of the pods that there are and of pods that there could be: one for each selector of a candidate that selects
//! nobody now.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use diagram::Limits;
use driver::meaning::slot;
use driver::{Db, world};
use facts::{Cluster, Labels, Name, Namespace, Pod};
use flow::{Direction, L4Key, L4Set, PeerId, Peers, Protocol};
use hir::labels::{CLUSTER, NAMESPACE, NAMESPACE_LABELS, SERVICE_ACCOUNT};
use hir::peers::{HOST, WORLD_V4, WORLD_V6};
use hir::subject::{self, Class, Subject};
use hir::{L3, Mentions, Operator, PeerSelector, PeerTable, Policy, Ports, Selector, Source, Subjects};
use rules::{Origin, RuleSet};

use super::covered::Lost;
use super::index::{Index, selector};
pub(super) use super::without::Gone;
use super::without::{is_within, without};
use super::{Candidate, Kind};
use crate::find::Finder;

/// One flow that a candidate is about, and who decides it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Witness {
    /// The flow in words; empty when none is known.
    pub flow: String,
    /// Whose rules decide it, without the candidate itself.
    pub by: Vec<Origin>,
    /// Whether it passes.
    pub passes: bool,
}

pub(crate) struct Trial<'i, 'p> {
    index: &'i Index<'p>,
    finder: &'i Finder,
    cluster: Arc<Cluster>,
    /// Pods that there are not.
    imagined: BTreeSet<Name>,
    table: Arc<PeerTable>,
    /// The classes that candidates are about, each with its subjects and rules, ingress first.
    classes: Vec<(Class, Vec<Subject>, [RuleSet; 2])>,
    /// Places in `classes` by namespace, ascending; the empty name is for subjects without one.
    of_namespace: BTreeMap<String, Vec<usize>>,
    /// A pod for each peer that has one, those that there are first.
    pods: OnceCell<Vec<(PeerId, Name)>>,
}

impl<'i, 'p> Trial<'i, 'p> {
    /// The classes that some policies are about, of the pods that there are and one for each selector of these policies, and of
    /// `asked`, that selects nobody; `prepare` may add to the cluster.
    pub fn new(
        db: &dyn Db,
        index: &'i Index<'p>,
        suspects: &BTreeSet<usize>,
        finder: &'i Finder,
        asked: &[&Selector],
        prepare: Option<&dyn Fn(&mut Cluster)>,
    ) -> Trial<'i, 'p> {
        let policies: Vec<&Policy> = suspects.iter().map(|at| &**index.policies[*at]).collect();
        let (mut cluster, imagined) = populate(&policies, asked, finder);
        if let Some(prepare) = prepare {
            prepare(Arc::make_mut(&mut cluster));
        }
        // Why: what the database knows of peers is of its own cluster and of all policies, refused ones included.
        let all = finder.others.policies.values().map(|policies| policies.len()).sum::<usize>();
        let is_own = Arc::ptr_eq(&cluster, &finder.cluster) && index.all.len() == all;
        let (table, all) = if is_own {
            (world::peers(db), world::classes(db))
        } else {
            let mut mentions = Mentions::default();
            index.all.iter().for_each(|policy| mentions.extend(&Mentions::of(policy)));
            let table = PeerTable::build(&cluster, &mentions, finder.dialect);
            let all = subject::classes(&cluster, &table, finder.dialect);
            (Arc::new(table), Arc::new(all))
        };
        let (mut classes, mut of_namespace) = (Vec::new(), BTreeMap::<String, Vec<usize>>::new());
        for (class, subjects) in all.iter().filter(|(class, _)| index.is_near(namespace_of(class))) {
            let is_about = |at: &usize| index.policies[*at].sections.iter().any(|it| subject::selects(it, class));
            let about: Vec<usize> = index.policies_for(namespace_of(class)).filter(is_about).collect();
            if !about.iter().any(|at| suspects.contains(at)) {
                continue;
            }
            let policies = about.iter().map(|at| &**index.policies[*at]);
            let bound = hir::resolve(policies, class, &table, &cluster.config, finder.dialect);
            let (ingress, egress) = lower::lower(&bound);
            of_namespace.entry(namespace_of(class).to_owned()).or_default().push(classes.len());
            classes.push((class.clone(), subjects.clone(), [ingress, egress]));
        }
        Trial { index, finder, cluster, imagined, table, classes, of_namespace, pods: OnceCell::new() }
    }

    fn pods(&self) -> &[(PeerId, Name)] {
        self.pods.get_or_init(|| self.pods_of_peers())
    }

    /// A pod for each peer that has one, those that there are first, each by name.
    fn pods_of_peers(&self) -> Vec<(PeerId, Name)> {
        let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
        for unreal in [false, true] {
            for pod in self.cluster.pods.values().filter(|pod| self.imagined.contains(&pod.name) == unreal) {
                if let Some(peer) = self.peer_of(pod).filter(|peer| seen.insert(*peer)) {
                    found.push((peer, pod.name.clone()));
                }
            }
        }
        found
    }

    /// The classes that a policy may be about: those of its namespace, or all.
    fn classes_for(&self, policy: usize) -> impl Iterator<Item = &(Class, Vec<Subject>, [RuleSet; 2])> {
        let namespace = self.index.policies[policy].object.namespace.as_str();
        let of_one = self.of_namespace.get(namespace).into_iter().flatten().map(|at| &self.classes[*at]);
        let all = if namespace.is_empty() { self.classes.as_slice() } else { &[] };
        of_one.filter(move |_| !namespace.is_empty()).chain(all)
    }

    /// The classes, each with its subjects and rules, ingress first.
    pub fn classes(&self) -> impl Iterator<Item = (&Class, &[Subject], &[RuleSet; 2])> {
        self.classes.iter().map(|(class, subjects, rules)| (class, subjects.as_slice(), rules))
    }

    pub fn table(&self) -> &PeerTable {
        &self.table
    }

    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    /// A flow in words: `a packet from pod shop/web 10.0.1.4 (app=web) to pod shop/db 10.0.1.9 (app=db), tcp/5432`.
    pub fn flow(&self, subject: &Subject, peer: PeerId, direction: Direction, key: L4Key) -> String {
        let (subject, peer) = (self.subject_in_words(subject), self.peer_in_words(peer));
        match direction {
            Direction::Ingress => format!("a packet from {peer} to {subject}, {key}"),
            Direction::Egress => format!("a packet from {subject} to {peer}, {key}"),
        }
    }

    /// The candidates without which every diagram is the same. Those that only clash with others change something by themselves and
    /// are taken as they are.
    pub fn confirmed<'c>(&self, candidates: &'c [Candidate]) -> Vec<&'c Candidate> {
        let mut wrong: BTreeSet<usize> = BTreeSet::new();
        let mut tried: BTreeSet<usize> = BTreeSet::new();
        let mut by_policy: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (at, candidate) in candidates.iter().enumerate() {
            by_policy.entry(candidate.policy).or_default().push(at);
        }
        for (class, _, rules) in &self.classes {
            let is_about = |at: &usize| self.index.policies[*at].sections.iter().any(|it| subject::selects(it, class));
            let policies = self.index.policies_for(namespace_of(class)).filter(|at| by_policy.contains_key(at));
            let mut here: Vec<usize> =
                policies.filter(is_about).filter_map(|at| by_policy.get(&at)).flatten().copied().collect();
            here.sort_unstable();
            tried.extend(&here);
            let gone: Vec<(usize, Gone<'_>)> =
                here.iter().filter_map(|at| Some((*at, candidates[*at].gone(self.index)?))).collect();
            let together: Vec<Gone<'_>> = gone.iter().map(|(_, it)| *it).collect();
            if !self.changes(rules, &together) {
                continue;
            }
            wrong.extend(gone.iter().filter(|(_, it)| self.changes(rules, &[*it])).map(|(at, _)| *at));
        }
        (0..candidates.len()).filter(|at| tried.contains(at) && !wrong.contains(at)).map(|at| &candidates[at]).collect()
    }

    /// Whether a verdict of a class changes when something goes; also when it cannot be told.
    fn changes(&self, rules: &[RuleSet; 2], gone: &[Gone<'_>]) -> bool {
        let peers = self.table.peers().count() as u32;
        let build = |rules: &RuleSet| diagram::build(rules, peers, &Limits::default());
        rules.iter().any(|rules| {
            if !rules.origins.iter().any(|origin| gone.iter().any(|it| it.takes(origin))) {
                return false;
            }
            match (build(rules), build(&without(rules, gone))) {
                (Ok(before), Ok(after)) => before != after,
                _ => true,
            }
        })
    }

    /// A flow that a candidate is about: of real pods where there are any.
    pub fn witness(&self, candidate: &Candidate) -> Option<Witness> {
        let policy = self.index.policies[candidate.policy];
        let object = self.index.object(candidate.policy);
        let place = match (&candidate.kind, candidate.rule) {
            (Kind::Conflict(Lost::Peer(peer)), _) => peer.path.clone(),
            (_, Some(rule)) => self.index.path(rule).to_owned(),
            _ => return None,
        };
        let direction = self.index.rule(candidate.rule?).entries.first()?.direction;
        let mut found: Vec<(bool, Witness)> = Vec::new();
        for (class, subjects, rules) in self.classes_for(candidate.policy) {
            if !policy.sections.iter().any(|it| subject::selects(it, class)) {
                continue;
            }
            let rules = &rules[slot(direction)];
            let subject = subjects.iter().min_by_key(|it| self.is_imagined(it))?;
            let of_place = |origin: &Origin| origin.object == object && is_within(&origin.path, &place);
            let flow = rules.rules().filter(|it| rules.origin(it.origin).is_some_and(of_place));
            let flow = flow.filter_map(|it| Some((self.peer(&it.peers, subject)?, key(&it.l4, candidate)?))).next();
            let Some((peer, key)) = flow else { continue };
            let decision = oracle::decide(rules, peer, key);
            let by = decision.by.iter().filter_map(|id| rules.origin(*id)).filter(|it| !of_place(it)).cloned();
            let witness = Witness {
                flow: self.flow(subject, peer, direction, key),
                by: by.collect(),
                passes: decision.verdict.is_allowed(),
            };
            let is_unreal = self.is_imagined(subject);
            found.push((is_unreal, witness));
            if !is_unreal {
                break;
            }
        }
        found.into_iter().min_by_key(|(is_unreal, _)| *is_unreal).map(|(_, witness)| witness)
    }

    /// Whether a subject is a pod that there is not.
    pub fn is_imagined(&self, subject: &Subject) -> bool {
        matches!(subject, Subject::Pod(name) if self.imagined.contains(name))
    }

    /// Whether a peer is nobody but pods that there are not.
    pub fn is_imagined_peer(&self, peer: PeerId) -> bool {
        let mut pods = self.cluster.pods.values().filter(|pod| self.peer_of(pod) == Some(peer)).peekable();
        pods.peek().is_some() && pods.all(|pod| self.imagined.contains(&pod.name))
    }

    /// One of some peers: a pod that there is, else a pod that there could be, else whoever it is.
    fn peer(&self, peers: &Peers, subject: &Subject) -> Option<PeerId> {
        let own = match subject {
            Subject::Pod(name) => self.cluster.pods.get(name).and_then(|pod| self.peer_of(pod)),
            _ => None,
        };
        let of_pods = || self.pods().iter().map(|(peer, _)| *peer).find(|it| peers.contains(*it) && Some(*it) != own);
        of_pods().or_else(|| match peers {
            Peers::All => Some(WORLD_V4),
            Peers::Of(set) => set.iter().next(),
        })
    }

    fn peer_of(&self, pod: &Pod) -> Option<PeerId> {
        Some(self.table.lookup(None, *pod.ips.first()?)).filter(|_| !pod.host_network)
    }

    fn subject_in_words(&self, subject: &Subject) -> String {
        match subject {
            Subject::Pod(name) => self.cluster.pods.get(name).map_or_else(|| name.to_string(), |pod| self.pod(pod)),
            other => other.to_string(),
        }
    }

    fn peer_in_words(&self, peer: PeerId) -> String {
        let name = self.pods().iter().find(|(it, _)| *it == peer).map(|(_, name)| name);
        match (name.and_then(|name| self.cluster.pods.get(name)), peer) {
            (Some(pod), _) => self.pod(pod),
            (None, HOST) => "its own node".to_owned(),
            (None, WORLD_V4 | WORLD_V6) => "any address outside the cluster".to_owned(),
            (None, peer) => self.table.name(peer),
        }
    }

    /// A pod with its address and labels.
    fn pod(&self, pod: &Pod) -> String {
        let labels: Vec<String> = pod.labels.iter().take(3).map(|(key, value)| format!("{key}={value}")).collect();
        let labels = labels.join(", ");
        if self.imagined.contains(&pod.name) {
            let made = self.finder.cluster.workloads.values().any(|it| it.name == pod.name);
            return match (made, labels.is_empty()) {
                (true, _) => format!("a pod of {} ({labels})", pod.name),
                (false, true) => format!("any pod of namespace {}", pod.name.namespace),
                (false, false) => format!("a pod of namespace {} with {labels}", pod.name.namespace),
            };
        }
        let address = pod.ips.first().map(|ip| format!(" {ip}")).unwrap_or_default();
        let labels = if labels.is_empty() { String::new() } else { format!(" ({labels})") };
        format!("pod {}{address}{labels}", pod.name)
    }
}

/// The namespace of the subjects of a class; empty for those without one.
fn namespace_of(class: &Class) -> &str {
    class.labels.get(Some(&Source::K8s), NAMESPACE).unwrap_or_default()
}

/// A key that people know, or the least. Of a list of ports that is about one of them, that one.
fn key(l4: &L4Set, candidate: &Candidate) -> Option<L4Key> {
    if let Kind::Conflict(Lost::Ports(item)) = &candidate.kind {
        let Ports::Range { protocols, low, .. } = &item.ports else { return None };
        return Some(L4Key::new(*protocols.first()?, *low)).filter(|key| l4.contains(*key));
    }
    let known = [(Protocol::TCP, 443), (Protocol::TCP, 80), (Protocol::UDP, 53)];
    let mut known = known.iter().map(|(protocol, port)| L4Key::new(*protocol, *port));
    known.find(|key| l4.contains(*key)).or_else(|| l4.intervals().first().map(|(low, _)| *low))
}

/// The cluster, and a pod for each selector of some policies that selects none of it.
fn populate(policies: &[&Policy], asked: &[&Selector], finder: &Finder) -> (Arc<Cluster>, BTreeSet<Name>) {
    let mut crowd = Crowd { finder, cluster: finder.cluster.clone(), imagined: BTreeSet::new() };
    // Why: a cluster that only records what policies deny lets everything pass; the question is what they say.
    if crowd.cluster.config.audit {
        Arc::make_mut(&mut crowd.cluster).config.audit = false;
    }
    let mut asked: BTreeSet<&Selector> = asked.iter().copied().collect();
    for section in policies.iter().flat_map(|policy| &policy.sections) {
        if let Subjects::Endpoints(_) = section.subjects {
            asked.insert(selector(&section.subjects));
        }
        for entry in &section.entries {
            let L3::Any(peers) = &entry.l3 else { continue };
            asked.extend(peers.iter().filter_map(|peer| match &peer.selector {
                PeerSelector::Labels { selector, .. } => Some(selector),
                _ => None,
            }));
        }
    }
    for selector in asked {
        crowd.join(selector);
    }
    (crowd.cluster, crowd.imagined)
}

struct Crowd<'f> {
    finder: &'f Finder,
    cluster: Arc<Cluster>,
    imagined: BTreeSet<Name>,
}

impl Crowd<'_> {
    /// Adds a pod that a selector selects, unless there is one.
    fn join(&mut self, selector: &Selector) {
        let known = self.finder.own(selector).next();
        if known.is_some_and(|it| !it.pod.ips.is_empty() && !it.pod.host_network) {
            return;
        }
        let number = self.imagined.len();
        let made = known.filter(|it| !it.pod.host_network).map(|it| Pod { ips: addresses(number), ..it.pod.clone() });
        let Some(pod) = made.or_else(|| self.minimal(selector, number)) else { return };
        if !self.cluster.pods.contains_key(&pod.name) {
            self.imagined.insert(pod.name.clone());
            Arc::make_mut(&mut self.cluster).pods.insert(pod.name.clone(), pod);
        }
    }

    /// The pod with the fewest labels that a selector selects; `None` when a pod cannot have what it asks for.
    fn minimal(&mut self, selector: &Selector, number: usize) -> Option<Pod> {
        let (mut labels, mut of_namespace) = (Labels::new(), BTreeMap::new());
        let (mut namespace, mut account) = (None, String::new());
        for requirement in selector.requirements() {
            if !matches!(requirement.source, None | Some(Source::K8s)) {
                return None;
            }
            let value = match &requirement.operator {
                Operator::In(values) => values.first()?.clone(),
                Operator::Exists => "any".to_owned(),
                Operator::NotIn(_) | Operator::DoesNotExist => continue,
            };
            match (requirement.key.as_str(), &requirement.operator) {
                (NAMESPACE, Operator::Exists) | (CLUSTER, _) => {}
                (NAMESPACE, _) => namespace = Some(value),
                (SERVICE_ACCOUNT, _) => account = value,
                (key, _) => match key.strip_prefix(NAMESPACE_LABELS) {
                    Some("kubernetes.io/metadata.name") => namespace = Some(value),
                    Some(key) => drop(of_namespace.insert(key.to_owned(), value)),
                    None => drop(labels.insert(key.to_owned(), value)),
                },
            }
        }
        let has = |it: &&Namespace| of_namespace.iter().all(|(key, value)| it.labels.get(key) == Some(value));
        let fitting = || self.cluster.namespaces.values().find(has).map(|it| it.name.clone());
        let namespace = namespace.or_else(fitting).unwrap_or_else(|| format!("any-{number}"));
        if !of_namespace.is_empty() && !self.cluster.namespaces.contains_key(&namespace) {
            let imagined = Namespace::new(namespace.clone(), of_namespace);
            Arc::make_mut(&mut self.cluster).namespaces.insert(namespace.clone(), imagined);
        }
        let name = Name::new(namespace, format!("any-{number}"));
        let pod = Pod { name, labels, service_account: account, ips: addresses(number), ..Pod::default() };
        let seen = subject::endpoint_labels(&pod, &self.cluster, self.finder.dialect);
        selector.matches(&seen).then_some(pod)
    }
}

/// Addresses of both families that no pod can have: 240.0.0.0/4 and 100::/64 are reserved.
fn addresses(number: usize) -> BTreeSet<IpAddr> {
    let four = Ipv4Addr::from_bits(0xf000_0001 + number as u32);
    let six = Ipv6Addr::from_bits((0x0100_u128 << 112) + 1 + number as u128);
    [IpAddr::V4(four), IpAddr::V6(six)].into()
}
