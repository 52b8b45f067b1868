//! From what changes for each unit to few rows for people.

use crate::ends::{Row, possible};
use crate::fates::{Decided, Step};
use crate::names::Spelled;
use crate::rows::{Change, Ends, Kind, Sample, sort};
use crate::world::{Party, World};
use flow::{Direction, L4Key, L4Set, Protocol};
use hir::subject::Subject;
use std::collections::{BTreeMap, BTreeSet};

/// What makes rows one, whoever is at their ends and whichever ports they are about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Reason {
    kind: Kind,
    end_to_end: bool,
    direction: Direction,
    old: Decided,
    new: Decided,
    of_supposed: bool,
    with_supposed: bool,
}

type Subjects<'w> = BTreeSet<&'w Subject>;

/// Who is on the other side.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Parties<'w> {
    pub all: BTreeSet<&'w Party>,
    /// Supposed ones, of whom the same holds.
    pub beside: BTreeSet<&'w Party>,
    /// Whoever no rule names is among them.
    pub unnamed: bool,
}

impl<'w> Parties<'w> {
    fn extend(&mut self, other: Parties<'w>) {
        self.all.extend(other.all);
        self.beside.extend(other.beside);
        self.unnamed |= other.unnamed;
    }
}

/// One row in the making.
struct Draft<'w> {
    reason: Reason,
    subjects: Subjects<'w>,
    parties: Parties<'w>,
    l4: L4Set,
}

/// Groups rows: ports first, then peers, then subjects.
pub(crate) fn group(world: &World, rows: Vec<Row>) -> Vec<Change> {
    let mut by_ends: BTreeMap<(Reason, Subjects<'_>, Parties<'_>), L4Set> = BTreeMap::new();
    for it in rows.into_iter().map(|row| draft(world, row)) {
        let l4 = by_ends.entry((it.reason, it.subjects, it.parties)).or_default();
        *l4 = l4.union(&it.l4);
    }
    let mut by_subject: BTreeMap<(Reason, Subjects<'_>, L4Set), Parties<'_>> = BTreeMap::new();
    for ((reason, subjects, parties), l4) in by_ends {
        by_subject.entry((reason, subjects, l4)).or_default().extend(parties);
    }
    let mut by_peer: BTreeMap<(Reason, BTreeSet<&Party>, L4Set), (Subjects<'_>, Parties<'_>)> = BTreeMap::new();
    for ((reason, subjects, l4), parties) in by_subject {
        let known = by_peer.entry((reason, parties.all.clone(), l4)).or_default();
        known.0.extend(subjects);
        known.1.extend(parties);
    }
    let draft = |((reason, _, l4), (subjects, parties))| Draft { reason, subjects, parties, l4 };
    let drafts = by_peer.into_iter().map(draft).collect();
    let mut named = Spelled::default();
    let drafts = without_echoes(joined(world, drafts));
    let mut changes: Vec<Change> = drafts.into_iter().map(|draft| change(world, draft, &mut named)).collect();
    sort(&mut changes);
    changes
}

/// Joins rows of the same peers and ports that change alike and because of the same rules.
///
/// Nobody is a peer of his own, so what isolates many is apart for each of them but for himself; that keeps none apart. Nor does it that
/// some are isolated by more than others: what isolates all of them is named.
fn joined<'w>(world: &'w World, rows: Vec<Draft<'w>>) -> Vec<Draft<'w>> {
    let parties = world.groups.iter().flat_map(|group| &group.members);
    let as_party: BTreeMap<Subject, &Party> = parties
        .filter_map(|party| match party {
            Party::Pod(name) => Some((Subject::Pod(name.clone()), party)),
            Party::Node(name) => Some((Subject::Node(name.clone()), party)),
            Party::Own | Party::Outside(_) | Party::Special(_) => None,
        })
        .collect();
    let with_own = |row: &Draft<'w>| {
        let own = row.subjects.first().filter(|_| row.subjects.len() == 1).and_then(|only| as_party.get(only));
        row.parties.all.iter().chain(own).copied().collect()
    };
    joined_by(joined_by(rows, with_own), |row| row.parties.all.clone())
}

/// Joins rows that are alike but for whose they are and for what isolates, where something isolates all of them; `peers` says whom a row
/// is about when it is one of several.
fn joined_by<'w>(rows: Vec<Draft<'w>>, peers: impl Fn(&Draft<'w>) -> BTreeSet<&'w Party>) -> Vec<Draft<'w>> {
    let mut alike: BTreeMap<(Reason, BTreeSet<&Party>, L4Set), Vec<Draft<'_>>> = BTreeMap::new();
    for mut row in rows {
        let all = peers(&row);
        let bare = Reason { old: bare(&row.reason.old), new: bare(&row.reason.new), ..row.reason.clone() };
        let known = alike.entry((bare, all.clone(), row.l4.clone())).or_default();
        let joint = known.iter_mut().find_map(|it| {
            let (old, new) = (common(&it.reason.old, &row.reason.old)?, common(&it.reason.new, &row.reason.new)?);
            Some((it, old, new))
        });
        match joint {
            Some((it, old, new)) => {
                (it.reason.old, it.reason.new) = (old, new);
                it.parties.extend(row.parties);
                it.parties.all = all;
                it.subjects.append(&mut row.subjects);
            }
            None => known.push(row),
        }
    }
    alike.into_values().flatten().collect()
}

/// What decides, without what isolates.
fn bare(decided: &Decided) -> Decided {
    let by = if decided.step == Step::Isolated { Vec::new() } else { decided.by.clone() };
    Decided { by, ..decided.clone() }
}

/// What decides for both of two that are alike but for what isolates; `None` where nothing isolates both.
fn common(one: &Decided, other: &Decided) -> Option<Decided> {
    if one == other {
        return Some(one.clone());
    }
    let by: Vec<_> = one.by.iter().filter(|it| other.by.contains(it)).cloned().collect();
    (!by.is_empty()).then(|| Decided { by, ..one.clone() })
}

/// Leaves out rows about supposed peers where one about real ones says the same of the same subjects, of more ports even.
fn without_echoes(drafts: Vec<Draft<'_>>) -> Vec<Draft<'_>> {
    let says_more = |it: &Draft<'_>, other: &Draft<'_>| {
        let same = Reason { with_supposed: true, ..other.reason.clone() } == it.reason && !other.reason.with_supposed;
        same && other.subjects.is_superset(&it.subjects) && it.l4.intersect(&other.l4) == it.l4
    };
    let is_echo: Vec<bool> =
        drafts.iter().map(|it| it.reason.with_supposed && drafts.iter().any(|other| says_more(it, other))).collect();
    drafts.into_iter().zip(is_echo).filter(|(_, is_echo)| !is_echo).map(|(draft, _)| draft).collect()
}

fn draft(world: &World, row: Row) -> Draft<'_> {
    let unit = &world.units[row.unit];
    let members =
        |groups: &[usize]| -> BTreeSet<&Party> { groups.iter().flat_map(|at| &world.groups[*at].members).collect() };
    Draft {
        reason: Reason {
            kind: row.kind,
            end_to_end: row.end_to_end,
            direction: row.direction,
            old: row.old,
            new: row.new,
            of_supposed: unit.supposed,
            with_supposed: row.groups.iter().all(|at| world.groups[*at].supposed),
        },
        subjects: unit.members.iter().collect(),
        parties: Parties { all: members(&row.groups), beside: members(&row.beside), unnamed: row.unnamed },
        l4: row.l4,
    }
}

fn change(world: &World, draft: Draft<'_>, named: &mut Spelled) -> Change {
    let Draft { reason, subjects, parties, l4 } = draft;
    let Reason { kind, end_to_end, direction, old, new, of_supposed, with_supposed } = reason;
    let own: Vec<Subject> = subjects.iter().map(|it| (*it).clone()).collect();
    let sample = sample(world, direction, &own, &parties.all, &l4);
    let (l4, known) = (whole(l4), &world.names.supposed.port_names);
    let edges: BTreeSet<L4Key> = [&l4, &l4.complement()]
        .iter()
        .flat_map(|set| {
            set.intervals().iter().filter(|(low, high)| low == high).map(|(low, _)| *low).collect::<Vec<_>>()
        })
        .collect();
    let port_names = edges.iter().filter_map(|key| Some((key.low(), known.get(&key.low())?.clone()))).collect();
    Change {
        kind,
        direction,
        subjects: Ends { names: world.names.subjects(own.iter()), supposed: of_supposed },
        peers: Ends { names: world.names.parties(&parties, &own, named), supposed: with_supposed },
        world: parties.all.iter().any(|party| matches!(party, Party::Outside(_))),
        l4,
        port_names,
        end_to_end,
        old,
        new,
        missing: missing(world, &own, &parties.all),
        sample,
    }
}

/// What would have to be read to be sure of a row: what stands behind services, where the row is about nobody else; on which node a subject
/// is, where it is about nodes alone.
fn missing(world: &World, own: &[Subject], parties: &BTreeSet<&Party>) -> BTreeSet<String> {
    let supposed = &world.names.supposed;
    let service = |party: &&Party| if let Party::Pod(name) = party { supposed.behind.get(name) } else { None };
    let services: Vec<_> = parties.iter().map(service).collect();
    if services.iter().all(Option::is_some) {
        return services.into_iter().flatten().map(|name| format!("service {name}")).collect();
    }
    let is_read = |party: &&Party| matches!(party, Party::Node(name) if !supposed.nodes.contains(name));
    let only_nodes = parties.iter().all(is_read);
    let pods = &world.sides[1].side.cluster.pods;
    let homeless = own.iter().filter_map(|subject| match subject {
        Subject::Pod(name) if !supposed.pods.contains(name) && !supposed.templates.contains(name) => {
            pods.get(name).filter(|pod| pod.node.is_none())
        }
        _ => None,
    });
    homeless.filter(|_| only_nodes).map(|pod| format!("pod-node {}", pod.name)).collect()
}

/// Every key, where only those are left out that no packet of either family has.
fn whole(l4: L4Set) -> L4Set {
    let rest = l4.complement();
    let icmp = Protocol::ICMP.all_ports().union(&Protocol::ICMPV6.all_ports());
    let only_icmp = rest.intersect(&icmp.complement()).is_empty();
    let one_family = [Protocol::ICMP, Protocol::ICMPV6].iter().any(|it| l4.intersect(&it.all_ports()).is_empty());
    if !rest.is_empty() && only_icmp && !one_family { L4Set::all() } else { l4 }
}

/// Ports that people know, where any would do.
const KNOWN_PORTS: [u16; 3] = [443, 80, 53];

fn sample(world: &World, direction: Direction, own: &[Subject], parties: &BTreeSet<&Party>, l4: &L4Set) -> Sample {
    // Whoever is plainest to see: addresses outside last, and nobody with himself.
    let is_own = |party: &&&Party| matches!(party, Party::Pod(pod) if own.first() == Some(&Subject::Pod(pod.clone())));
    let first = parties.iter().find(|party| !is_own(party)).or(parties.first());
    let family = first.and_then(|party| match party {
        Party::Outside(prefix) => Some(prefix.family()),
        _ => None,
    });
    let listens = match (direction, own.first(), first) {
        (Direction::Ingress, Some(Subject::Pod(name)), _) | (Direction::Egress, _, Some(Party::Pod(name))) => {
            Some(name)
        }
        _ => None,
    };
    let declared = listens.and_then(|name| world.sides[1].side.cluster.pods.get(name)).map(|pod| pod.ports.as_slice());
    let declared = declared.unwrap_or_default().iter().map(|it| L4Set::ports(it.protocol, it.port, it.port));
    let known = KNOWN_PORTS.iter().map(|port| L4Set::ports(Protocol::TCP, *port, *port));
    let rest = [L4Set::ports(Protocol::TCP, 1, u16::MAX), l4.clone()];
    let fits = l4.intersect(&possible(family));
    let mut wanted = declared.chain(known).chain(rest).map(|it| it.intersect(&fits)).chain([l4.clone()]);
    let key = wanted.find_map(|set| set.intervals().first().map(|(low, _)| *low)).unwrap_or(L4Key::MIN);
    let subject = own.first().map_or_else(String::new, |subject| match subject {
        Subject::Pod(name) => world.names.party(&Party::Pod(name.clone())),
        other => world.names.subject(other),
    });
    let peer = first.map_or_else(String::new, |party| match party {
        Party::Outside(prefix) => match world.names.stands_for(prefix.addr()) {
            Some(what) => what.to_owned(),
            None => world.names.address_of(*prefix),
        },
        other => world.names.party(other),
    });
    match direction {
        Direction::Ingress => Sample { source: peer, destination: subject, key },
        Direction::Egress => Sample { source: subject, destination: peer, key },
    }
}
