//! What changes, grouped for people: few rows, the worst first.

use crate::boxes::{Decided, Fate};
use crate::ends::{Row, possible};
use crate::names::Spelled;
use crate::world::{Party, World};
use flow::{Direction, L4Key, L4Set, Protocol};
use hir::subject::Subject;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How a flow changes at one end. Ordered as people want to read: the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// It was denied and passes.
    Gained,
    /// It passed and is denied.
    Lost,
    /// It passes before and after, but not alike: by a proxy that asks other things, with other authentication.
    Altered,
}

impl Kind {
    /// `None` when the fates are alike.
    pub(crate) fn of(old: &Fate, new: &Fate) -> Option<Kind> {
        match (old.is_allowed(), new.is_allowed()) {
            (false, true) => Some(Kind::Gained),
            (true, false) => Some(Kind::Lost),
            (true, true) if old != new => Some(Kind::Altered),
            _ => None,
        }
    }
}

/// One end of the flows of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ends {
    /// Workloads, nodes, blocks of addresses, groups; sorted, never empty.
    pub names: Vec<String>,
    /// No file tells of anybody of them: they are what policies mention.
    pub supposed: bool,
}

/// One flow of a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sample {
    /// Who opens the connection.
    pub source: String,
    /// With whom.
    pub destination: String,
    /// By which protocol, and to which port.
    pub key: L4Key,
}

/// One row: flows that change alike and because of the same rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How.
    pub kind: Kind,
    /// At which end: ingress of the subjects, or their egress.
    pub direction: Direction,
    /// Whose policies decide otherwise.
    pub subjects: Ends,
    /// Who is on the other side.
    pub peers: Ends,
    /// Whether addresses outside the cluster are among the peers.
    pub world: bool,
    /// Which protocols and ports.
    pub l4: L4Set,
    /// Numbers among the ports that stand for a name which no pod in the files declares.
    pub port_names: BTreeMap<u16, String>,
    /// Whether the flow changes from end to end; otherwise the other end denies it, before and after.
    pub end_to_end: bool,
    /// What decided before.
    pub old: Decided,
    /// What decides now.
    pub new: Decided,
    /// Facts that were not read and on which it hangs whether this change is one; empty when it is certain.
    pub missing: BTreeSet<String>,
    /// One of the flows.
    pub sample: Sample,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Gained => "gained",
            Kind::Lost => "lost",
            Kind::Altered => "altered",
        })
    }
}

impl fmt::Display for Ends {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))
    }
}

impl Change {
    /// Its protocols and ports for people: `tcp/80`, `any except tcp/5432`; `tcp/pg` where nobody knows the number of a name.
    pub fn ports(&self) -> String {
        self.named(ports(&self.l4))
    }

    /// Its sample for people: `shop/web -> shop/db tcp/5432`.
    pub fn sample(&self) -> String {
        let Sample { source, destination, key } = &self.sample;
        format!("{source} -> {destination} {}", self.named(key.to_string()))
    }

    fn named(&self, text: String) -> String {
        self.port_names
            .iter()
            .fold(text, |text, (number, name)| text.replace(&format!("/{number}"), &format!("/{name}")))
    }
}

impl fmt::Display for Change {
    /// One line, for example `gained: ingress of shop/db from shop/web on tcp/80`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Change { kind, direction, subjects, peers, .. } = self;
        let from = if *direction == Direction::Ingress { "from" } else { "to" };
        let sure = if self.missing.is_empty() { "" } else { "perhaps " };
        write!(f, "{sure}{kind}: {direction} of {subjects} {from} {peers} on {}", self.ports())?;
        if !self.end_to_end {
            f.write_str(", closed at the other end")?;
        }
        if !self.missing.is_empty() {
            let missing: Vec<&str> = self.missing.iter().map(String::as_str).collect();
            write!(f, ", hangs on {}", missing.join(", "))?;
        }
        Ok(())
    }
}

/// Protocols and ports: `any except tcp/5432` where that is shorter.
fn ports(l4: &L4Set) -> String {
    let rest = l4.complement();
    let many = l4.intervals().len() >= rest.intervals().len()
        && l4.intervals().iter().any(|(low, high)| low.protocol() != high.protocol());
    if many && !rest.is_empty() { format!("any except {rest}") } else { l4.to_string() }
}

/// What makes rows one, whoever is at their ends and whichever ports they are about.
type Reason = (Kind, bool, Direction, Decided, Decided, bool, bool);

/// One row in the making.
struct Draft<'w> {
    reason: Reason,
    subjects: BTreeSet<&'w Subject>,
    parties: BTreeSet<&'w Party>,
    l4: L4Set,
}

/// Groups rows: ports first, then peers, then subjects.
pub(crate) fn group(world: &World, rows: Vec<Row>) -> Vec<Change> {
    let drafts = rows.into_iter().map(|row| draft(world, row));
    let mut by_ends: BTreeMap<(Reason, BTreeSet<&Subject>, BTreeSet<&Party>), L4Set> = BTreeMap::new();
    for it in drafts {
        let l4 = by_ends.entry((it.reason, it.subjects, it.parties)).or_default();
        *l4 = l4.union(&it.l4);
    }
    let mut by_subject: BTreeMap<(Reason, BTreeSet<&Subject>, L4Set), BTreeSet<&Party>> = BTreeMap::new();
    for ((reason, subjects, parties), l4) in by_ends {
        by_subject.entry((reason, subjects, l4)).or_default().extend(parties);
    }
    let mut by_peer: BTreeMap<(Reason, BTreeSet<&Party>, L4Set), BTreeSet<&Subject>> = BTreeMap::new();
    for ((reason, subjects, l4), parties) in by_subject {
        by_peer.entry((reason, parties, l4)).or_default().extend(subjects);
    }
    let mut named = Spelled::default();
    let mut changes: Vec<Change> = by_peer
        .into_iter()
        .map(|((reason, parties, l4), subjects)| Draft { reason, subjects, parties, l4 })
        .map(|draft| change(world, draft, &mut named))
        .collect();
    sort(&mut changes);
    changes
}

/// The worst first.
pub(crate) fn sort(changes: &mut [Change]) {
    changes.sort_by(|a, b| rank(a).cmp(&rank(b)));
}

/// The worst first: what changes from end to end, gains from outside, gains, losses, the rest.
fn rank(change: &Change) -> impl Ord + '_ {
    let Change { kind, end_to_end, world, subjects, peers, direction, l4, .. } = change;
    let supposed = subjects.supposed || peers.supposed;
    (
        !end_to_end,
        (*kind != Kind::Gained || !world, *kind),
        supposed,
        subjects,
        *direction == Direction::Egress,
        peers,
        l4,
    )
}

fn draft(world: &World, row: Row) -> Draft<'_> {
    let unit = &world.units[row.unit];
    let groups = || row.groups.iter().map(|at| &world.groups[*at]);
    let parties: BTreeSet<&Party> = groups().flat_map(|group| &group.members).collect();
    let supposed = groups().all(|group| group.supposed);
    Draft {
        reason: (row.kind, row.end_to_end, row.direction, row.old, row.new, unit.supposed, supposed),
        subjects: unit.members.iter().collect(),
        parties,
        l4: row.l4,
    }
}

fn change(world: &World, draft: Draft<'_>, named: &mut Spelled) -> Change {
    let Draft { reason: (kind, end_to_end, direction, old, new, of_supposed, with_supposed), subjects, parties, l4 } =
        draft;
    let own: Vec<Subject> = subjects.iter().map(|it| (*it).clone()).collect();
    let outside = |party: &&&Party| matches!(party, Party::Outside(_));
    let sample = sample(world, direction, &own, &parties, &l4);
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
        world: parties.iter().any(|party| outside(&party)),
        l4,
        port_names,
        end_to_end,
        old,
        new,
        missing: BTreeSet::new(),
        sample,
    }
}

/// Every key, where only those are left out that no packet of either family has.
fn whole(l4: L4Set) -> L4Set {
    let rest = l4.complement();
    let icmp = Protocol::ICMP.all_ports().union(&Protocol::ICMPV6.all_ports());
    let only_icmp = rest.intersect(&icmp.complement()).is_empty();
    let one_family = [Protocol::ICMP, Protocol::ICMPV6].iter().any(|it| l4.intersect(&it.all_ports()).is_empty());
    if !rest.is_empty() && only_icmp && !one_family { L4Set::all() } else { l4 }
}

fn sample(world: &World, direction: Direction, own: &[Subject], parties: &BTreeSet<&Party>, l4: &L4Set) -> Sample {
    // Whoever is plainest to see: addresses outside last, and nobody with himself.
    let is_own = |party: &&&Party| matches!(party, Party::Pod(pod) if own.first() == Some(&Subject::Pod(pod.clone())));
    let first = parties.iter().find(|party| !is_own(party)).or(parties.first());
    let family = first.and_then(|party| match party {
        Party::Outside(prefix) => Some(prefix.family()),
        _ => None,
    });
    let fits = l4.intersect(&possible(family));
    let tcp = fits.intersect(&L4Set::ports(Protocol::TCP, 1, u16::MAX));
    let key = [&tcp, &fits, l4].iter().find_map(|set| set.intervals().first()).map_or(L4Key::MIN, |(low, _)| *low);
    let subject = own.first().map_or_else(String::new, |subject| match subject {
        Subject::Pod(name) => world.names.party(&Party::Pod(name.clone())),
        other => other.to_string(),
    });
    let peer = first.map_or_else(String::new, |party| match party {
        Party::Outside(prefix) => match world.names.stands_for(prefix.addr()) {
            Some(what) => what.to_owned(),
            None => world.names.address_of(*prefix).to_string(),
        },
        other => world.names.party(other),
    });
    match direction {
        Direction::Ingress => Sample { source: peer, destination: subject, key },
        Direction::Egress => Sample { source: subject, destination: peer, key },
    }
}
