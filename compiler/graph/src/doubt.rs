//! Which ports of a pair hang on facts that were not read.
//!
//! Most pairs cannot be in doubt, and a look at the selectors that may be asked tells. The others are asked key by key, at one key of
//! every stretch on which no answer can change.

use crate::atoms::Atom;
use crate::model::Kind;
use crate::stage::Stage;
use driver::Knowledge;
use flow::{Direction, Family, L4Key, L4Set, Protocol};
use hir::labels::{self, Selector};
use hir::policy::{Entry, L3, L4, Matching, PeerSelector, Ports, Subjects};
use hir::subject::Class;
use hir::{Entity, NamedPorts};
use reason::trace::Outcome;
use reason::{Fact, Ground, Missing, Party, Question};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Protocols whose ports are asked.
const PROTOCOLS: [Protocol; 5] = [Protocol::ICMP, Protocol::TCP, Protocol::UDP, Protocol::ICMPV6, Protocol::SCTP];

/// What the entries about a class may hang on, in one direction.
#[derive(Clone, Copy, Default)]
struct Hangs {
    /// Whoever the peer is.
    always: bool,
    /// Where the peer is outside the cluster.
    outside: bool,
    /// Where the peer's address was not read.
    address: bool,
    /// Where the peer's namespace was not read.
    namespace: bool,
    /// Where the peer may serve the API.
    api: bool,
}

/// Finds doubts.
pub(crate) struct Doubts<'db> {
    /// `None` where nothing that was not read exists.
    ground: Option<Ground<'db>>,
    hangs: BTreeMap<(Class, Direction), Hangs>,
    /// Some policy selects its subjects by labels of their namespace.
    subjects_by_namespace: bool,
    /// Stretches on which no answer can change, and the protocol of each.
    stretches: Vec<(L4Key, L4Key)>,
    /// Kinds of policies of which some may exist that could not be read: then nothing is known that policies may judge.
    unread: Arc<[String]>,
    wanted: L4Set,
}

impl<'db> Doubts<'db> {
    pub fn of<'c>(stage: &Stage<'db>, classes: impl Iterator<Item = &'c Class>, wanted: &L4Set) -> Self {
        let partial = stage.db.project().knowledge(stage.db) == Knowledge::Partial;
        let mut doubts = Doubts {
            ground: partial.then(|| Ground::of(stage.db)),
            hangs: BTreeMap::new(),
            subjects_by_namespace: false,
            stretches: Vec::new(),
            unread: stage.db.project().unread(stage.db),
            wanted: wanted.clone(),
        };
        let Some(ground) = &doubts.ground else { return doubts };
        let sections = || ground.policies().iter().flat_map(|policy| &policy.sections);
        doubts.subjects_by_namespace = sections().any(|section| match &section.subjects {
            Subjects::Endpoints(selector) | Subjects::Nodes(selector) => asks_namespace(selector),
        });
        doubts.stretches = stretches(sections().flat_map(|section| &section.entries), stage.peers.port_names(), wanted);
        for class in classes {
            for direction in Direction::BOTH {
                let hangs = || hangs(stage, class, direction);
                doubts.hangs.entry((class.clone(), direction)).or_insert_with(hangs);
            }
        }
        doubts
    }

    /// The ports of which it is not known whether they pass, and what would have to be known.
    pub fn unknown(&self, source: &Atom, destination: &Atom) -> (L4Set, BTreeSet<Missing>) {
        let mut missing = BTreeSet::new();
        if !self.unread.is_empty() && (source.class.is_some() || destination.class.is_some()) {
            missing.extend(self.unread.iter().map(|kind| Missing::new(Fact::Policies, kind.as_str())));
            return (self.wanted.clone(), missing);
        }
        let Some(ground) = &self.ground else { return (L4Set::default(), missing) };
        if !self.may_be(source, Direction::Egress, destination) && !self.may_be(destination, Direction::Ingress, source)
        {
            return (L4Set::default(), missing);
        }
        let has =
            |family: Family| [source, destination].iter().all(|it| it.peers.iter().any(|(its, _)| *its == family));
        let mut unknown = Vec::new();
        for (low, high) in &self.stretches {
            let fits = match low.protocol() {
                Protocol::ICMP => has(Family::V4),
                Protocol::ICMPV6 => has(Family::V6),
                _ => true,
            };
            if !fits {
                continue;
            }
            let (source, destination) = (source.sample.clone(), destination.sample.clone());
            let trace = ground.trace(&Question {
                source,
                destination,
                key: *low,
                request: None,
                road: reason::service::Road::Straight,
            });
            // Why without these: ends that stand for many are drawn as what they hold in common, and authentication is a mark.
            let telling =
                trace.missing().into_iter().filter(|it| ![Fact::AuthSession, Fact::WhichAddress].contains(&it.fact));
            let facts: BTreeSet<Missing> = telling.collect();
            if trace.outcome() == Outcome::Unknown && !facts.is_empty() {
                unknown.push((*low, *high));
                missing.extend(facts);
            }
        }
        (L4Set::from_intervals(unknown), missing)
    }

    /// Whether what one end says of the other can be in doubt. `true` may be wrong, `false` is not.
    fn may_be(&self, subject: &Atom, direction: Direction, peer: &Atom) -> bool {
        let Some(class) = &subject.class else {
            return subject.kind == Kind::Outside && may_be_inside(&subject.sample);
        };
        let Some(hangs) = self.hangs.get(&(class.clone(), direction)) else { return true };
        let outside = peer.kind == Kind::Outside;
        let node = matches!(peer.kind, Kind::Host | Kind::Nodes);
        hangs.always
            || hangs.outside && outside
            || hangs.address && peer.unread.address
            || hangs.namespace && peer.unread.namespace
            || hangs.api && (outside || node)
            || outside && may_be_inside(&peer.sample)
            || node && subject.unread.node
            || subject.unread.namespace && self.subjects_by_namespace
    }
}

/// Whether an address is of the ranges that networks use inside, so that it may be a pod's or a node's that was not read.
/// Sources: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291.
fn may_be_inside(party: &Party) -> bool {
    match party {
        Party::Address(IpAddr::V4(v4)) => {
            let [first, second, ..] = v4.octets();
            v4.is_private() || v4.is_link_local() || first == 100 && (64..=127).contains(&second)
        }
        Party::Address(IpAddr::V6(v6)) => v6.is_unique_local() || v6.is_unicast_link_local(),
        _ => false,
    }
}

fn hangs(stage: &Stage<'_>, class: &Class, direction: Direction) -> Hangs {
    let mut hangs = Hangs::default();
    let sections = stage.policies_about(class).flat_map(|policy| &policy.sections);
    let entries = sections.flat_map(|section| &section.entries).filter(|entry| entry.direction == direction);
    for entry in entries {
        hangs.always |= direction == Direction::Egress && entry.l4.names_ports();
        let peers = match &entry.l3 {
            L3::Unrestricted => continue,
            L3::Nobody => {
                hangs.always = true;
                continue;
            }
            L3::Any(peers) => peers,
        };
        for peer in peers {
            match &peer.selector {
                PeerSelector::Labels { selector, .. } => hangs.namespace |= asks_namespace(selector),
                PeerSelector::Cidr { matching, .. } => hangs.address |= *matching == Matching::Address,
                PeerSelector::Entity(entity) => hangs.api |= *entity == Entity::KubeApiserver,
                PeerSelector::Services(_) => hangs.always = true,
                PeerSelector::Fqdn(_)
                | PeerSelector::CidrGroup { .. }
                | PeerSelector::CidrGroups { .. }
                | PeerSelector::CloudGroup(_) => hangs.outside = true,
                PeerSelector::Nodes(_) | PeerSelector::EveryNode(_) => {}
            }
        }
    }
    hangs
}

fn asks_namespace(selector: &Selector) -> bool {
    let label =
        |key: &str| key.strip_prefix(labels::NAMESPACE_LABELS).is_some_and(|it| it != "kubernetes.io/metadata.name");
    selector.requirements().iter().any(|it| label(&it.key))
}

/// Stretches of keys that some entry tells apart, as far as they are wanted.
fn stretches<'e>(entries: impl Iterator<Item = &'e Entry>, names: &NamedPorts, wanted: &L4Set) -> Vec<(L4Key, L4Key)> {
    let mut cuts: BTreeSet<u32> = BTreeSet::new();
    let mut cut = |set: &L4Set| {
        for (low, high) in set.intervals() {
            cuts.extend([low.raw(), high.raw() + 1]);
        }
    };
    PROTOCOLS.iter().for_each(|protocol| cut(&protocol.all_ports()));
    cut(wanted);
    for entry in entries {
        let L4::Items(items) = &entry.l4 else { continue };
        for item in items {
            match &item.ports {
                Ports::Range { protocols, low, high } => {
                    protocols.iter().for_each(|protocol| cut(&L4Set::ports(*protocol, *low, *high)));
                }
                Ports::Icmp(icmp) => {
                    let protocol = match icmp.family {
                        Family::V4 => Protocol::ICMP,
                        Family::V6 => Protocol::ICMPV6,
                    };
                    icmp.kind.iter().for_each(|kind| cut(&L4Set::icmp_type(protocol, *kind)));
                }
                Ports::Name { protocols, name } => {
                    for protocol in protocols {
                        names.get(name, *protocol).for_each(|port| cut(&L4Set::ports(*protocol, port, port)));
                    }
                }
            }
        }
    }
    let cuts: Vec<u32> = cuts.into_iter().collect();
    let stretches = cuts.windows(2).filter_map(|pair| Some((L4Key::from_raw(pair[0])?, L4Key::from_raw(pair[1] - 1)?)));
    stretches.filter(|(low, _)| PROTOCOLS.contains(&low.protocol()) && wanted.contains(*low)).collect()
}
