//! How each part of a rule is decided when other rules that are about the same subjects decide it for certain.

use std::collections::BTreeSet;

use flow::{Direction, Protocol};
use hir::{
    Effect, Entity, Entry, Isolation, L3, L4, Operator, Peer, PeerSelector, PortItem, Ports, Requirement, Selector,
    Tier,
};

use super::index::{Index, RuleAt, selector};
use crate::cover;
use crate::find::Finder;

/// Why the part of a rule has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kill {
    /// Another rule of its level says the same.
    Same,
    /// A deny wins over the allow.
    Denied,
    /// It is decided before.
    Earlier,
}

/// What a deny takes back of a rule that otherwise has its effect.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lost {
    /// This peer.
    Peer(Peer),
    /// This item of ports.
    Ports(PortItem),
}

/// The most combinations of values that one selector is split into.
const MOST: usize = 16;

pub(crate) struct Covers<'i, 'p> {
    index: &'i Index<'p>,
    finder: &'i Finder,
}

/// The rules that decide for some subjects, in the order in which they are asked.
type Deciders<'p> = Vec<(RuleAt, &'p Entry)>;

impl<'i, 'p> Covers<'i, 'p> {
    pub fn new(index: &'i Index<'p>, finder: &'i Finder) -> Covers<'i, 'p> {
        Covers { index, finder }
    }

    /// How all parts of a rule are decided without it; else the first peer or port that denies alone take back.
    pub fn kills(&self, at: RuleAt, is_out: impl Fn(RuleAt) -> bool) -> Result<BTreeSet<Kill>, Option<Lost>> {
        let (rule, section) = (self.index.rule(at), self.index.section_of(at));
        let mut grids: Vec<Grid<'p>> = rule.entries.iter().map(|entry| Grid::new(entry)).collect();
        for subjects in split(selector(&section.section.subjects)) {
            for grid in &mut grids {
                let deciders = self.deciders(at, grid.entry, &subjects, &is_out);
                let closed = self.is_closed(section, grid.entry, &subjects);
                for cell in &mut grid.cells {
                    let decided = cell.decided.as_ref().and_then(|_| self.decided(grid.entry, cell, &deciders));
                    let decided = decided.or(closed.then(|| BTreeSet::from([Kill::Earlier])));
                    cell.decided = match (cell.decided.take(), decided) {
                        (Some(mut before), Some(now)) => {
                            before.extend(now);
                            Some(before)
                        }
                        _ => None,
                    };
                }
            }
        }
        let all: Option<Vec<&BTreeSet<Kill>>> =
            grids.iter().flat_map(|grid| &grid.cells).map(|cell| cell.decided.as_ref()).collect();
        match all {
            Some(all) => Ok(all.into_iter().flatten().copied().collect()),
            None => Err(grids.iter().find_map(|grid| grid.lost(rule.entries.len() > 1))),
        }
    }

    /// Whether other policies do all that a policy does. One without rules is a default for what others leave open, and stays one.
    pub fn policy_is_covered(&self, policy: usize, gone: &BTreeSet<RuleAt>, gone_policies: &BTreeSet<usize>) -> bool {
        let is_out = |rule: RuleAt| gone.contains(&rule) || self.index.policy_of(rule) == policy;
        for section in self.index.sections_of(policy) {
            for direction in Direction::BOTH {
                if *section.section.isolation(direction) == Isolation::Absent {
                    continue;
                }
                let isolated = split(selector(&section.section.subjects)).iter().all(|subjects| {
                    let others = self.index.about(section, subjects).into_iter().map(|at| &self.index.sections[at]);
                    let mut others = others.filter(|it| it.policy != policy && !gone_policies.contains(&it.policy));
                    others.any(|it| isolates(it.section.isolation(direction), section.section.isolation(direction)))
                });
                if !isolated {
                    return false;
                }
            }
        }
        let mut rules = self.index.rules_of(policy).peekable();
        // A rule without parts says nothing, which other checks name.
        rules.peek().is_some()
            && rules.all(|rule| self.kills(rule, is_out).is_ok_and(|kills| kills.contains(&Kill::Same)))
    }

    /// The rules that are surely about some subjects of a rule and that may decide for it.
    fn deciders(&self, at: RuleAt, entry: &Entry, subjects: &Selector, out: &impl Fn(RuleAt) -> bool) -> Deciders<'p> {
        let sections = self.index.about(self.index.section_of(at), subjects);
        let rules = sections.into_iter().flat_map(|section| self.index.rules_in(section, entry.direction));
        let mut found: Deciders<'p> = Vec::new();
        for rule in rules.filter(|it| !out(*it)) {
            let entries = self.index.rule(rule).entries.iter().copied();
            let follows = |it: &&Entry| self.follows(at, entry, rule, it);
            found.extend(entries.filter(|it| self.kill(entry, it).is_some() || follows(it)).map(|it| (rule, it)));
        }
        found.sort_by_key(|(at, it)| (it.tier, it.order, it.effect, *at));
        found
    }

    /// Whether an entry says the same as one before it of its policy, and nothing between them says anything else.
    fn follows(&self, at: RuleAt, entry: &Entry, other_at: RuleAt, other: &Entry) -> bool {
        let is_next = entry.tier == other.tier && entry.order < other.order && entry.effect == other.effect;
        if !is_next || self.index.policy_of(at) != self.index.policy_of(other_at) || !self.is_as_good(entry, other) {
            return false;
        }
        let mut others = [Effect::Allow, Effect::Deny, Effect::Pass].into_iter().filter(|it| *it != entry.effect);
        others.all(|effect| {
            let orders = self.index.whole.orders.get(&(entry.direction, entry.tier, effect));
            orders.is_none_or(|it| it.range(entry.order..=other.order).next().is_none())
        })
    }

    /// What another entry does to one where both match; of one that only follows it, that it says the same.
    fn said_by(&self, entry: &Entry, other: &Entry) -> Kill {
        self.kill(entry, other).unwrap_or(Kill::Same)
    }

    /// What another entry does to one where both match.
    fn kill(&self, entry: &Entry, other: &Entry) -> Option<Kill> {
        let (mine, its) = ((entry.tier, entry.order), (other.tier, other.order));
        let denies = entry.effect == Effect::Allow && other.effect == Effect::Deny;
        let over = if denies { Kill::Denied } else { Kill::Earlier };
        if mine == its {
            return match (entry.effect, other.effect) {
                (mine, its) if mine == its => self.is_as_good(entry, other).then_some(Kill::Same),
                (Effect::Allow | Effect::Pass, Effect::Deny) | (Effect::Pass, Effect::Allow) => Some(over),
                _ => None,
            };
        }
        if other.tier == entry.tier {
            return (other.order < entry.order).then_some(over);
        }
        // What comes after a pass may be skipped.
        let passes = self.index.whole.orders.get(&(other.direction, other.tier, Effect::Pass));
        let skipped = passes.and_then(BTreeSet::first).is_some_and(|first| *first < other.order);
        (other.tier < entry.tier && other.effect != Effect::Pass && !skipped).then_some(over)
    }

    /// Whether an allow beside another makes it one more of the same: nothing but letting through is asked of either.
    fn is_as_good(&self, entry: &Entry, other: &Entry) -> bool {
        let plain = |it: &Entry| it.l7.is_none() && it.auth.is_none();
        let by_port = self.finder.dialect.dns_rules_not_widened && entry.l4 != other.l4;
        entry.effect != Effect::Allow || (plain(entry) && plain(other) && !self.index.whole.authenticates && !by_port)
    }

    /// Whether all that reaches the tier of an entry is denied before, because its subjects are isolated.
    fn is_closed(&self, section: &super::index::SectionOf<'p>, entry: &Entry, subjects: &Selector) -> bool {
        let sections = || self.index.about(section, subjects).into_iter().map(|at| self.index.sections[at].section);
        entry.tier == Tier::Baseline
            && self.finder.dialect.normal_tier_is_final
            && sections().any(|it| matches!(it.isolation(entry.direction), Isolation::Isolates(_)))
    }

    /// How one part of an entry is decided; `None` when some of it may not be.
    fn decided(&self, entry: &Entry, cell: &Cell<'p>, deciders: &Deciders<'p>) -> Option<BTreeSet<Kill>> {
        let mut kills = BTreeSet::new();
        for peer in parts(&cell.peer) {
            let matching: Vec<&Entry> =
                deciders.iter().map(|(_, it)| *it).filter(|it| self.covers(&it.l3, &peer)).collect();
            match &cell.ports {
                Some(PortItem { ports: Ports::Range { protocols, low, high }, .. }) => {
                    for protocol in protocols {
                        self.fill(entry, *protocol, (*low, *high), &matching, &mut kills)?;
                    }
                }
                ports => {
                    let wanted = ports.as_ref().map_or(L4::Unrestricted, |it| L4::Items(vec![it.clone()]));
                    let first = matching.iter().find(|it| cover::l4(&it.l4, &wanted))?;
                    kills.insert(self.said_by(entry, first));
                }
            }
        }
        Some(kills)
    }

    /// Takes the ports of deciders away from a stretch, those that are asked first first; `None` when something is left.
    fn fill(
        &self,
        entry: &Entry,
        protocol: Protocol,
        stretch: (u16, u16),
        deciders: &[&Entry],
        kills: &mut BTreeSet<Kill>,
    ) -> Option<()> {
        let mut left = vec![(u32::from(stretch.0), u32::from(stretch.1))];
        for decider in deciders {
            for (low, high) in stretches(&decider.l4, protocol) {
                let mut rest = Vec::new();
                for (from, to) in left {
                    if high < from || to < low {
                        rest.push((from, to));
                        continue;
                    }
                    kills.insert(self.said_by(entry, decider));
                    rest.extend((from < low).then(|| (from, low - 1)));
                    rest.extend((high < to).then(|| (high + 1, to)));
                }
                left = rest;
            }
        }
        left.is_empty().then_some(())
    }

    /// Whether whoever the narrow side selects is selected by the wide side, in every cluster.
    fn covers(&self, wide: &L3, narrow: &L3) -> bool {
        let local = self.finder.cluster.config.policy_default_local_cluster;
        let is_cluster = |it: &Peer| it.selector == PeerSelector::Entity(Entity::Cluster);
        match (wide, narrow) {
            // Why: pods of other clusters of a mesh are not of this one, and labels may mean them too.
            (L3::Any(peers), _) if !local && peers.iter().any(is_cluster) => {
                let rest: Vec<Peer> = peers.iter().filter(|it| !is_cluster(it)).cloned().collect();
                wide == narrow || cover::l3(&L3::Any(rest), narrow)
            }
            _ => cover::l3(wide, narrow),
        }
    }
}

/// The ports of one protocol that some items name by number.
fn stretches(l4: &L4, protocol: Protocol) -> Vec<(u32, u32)> {
    match l4 {
        L4::Unrestricted => vec![(0, u32::from(u16::MAX))],
        L4::Items(items) => items
            .iter()
            .filter_map(|item| match &item.ports {
                Ports::Range { protocols, low, high } if protocols.contains(&protocol) => {
                    Some((u32::from(*low), u32::from(*high)))
                }
                _ => None,
            })
            .collect(),
    }
}

/// Whether one section isolates wherever another does.
fn isolates(one: &Isolation, other: &Isolation) -> bool {
    matches!((one, other), (Isolation::Isolates(_), _) | (Isolation::Open, Isolation::Open))
}

/// An entry by its peers and its ports.
struct Grid<'p> {
    entry: &'p Entry,
    peers: usize,
    ports: usize,
    /// One row a peer.
    cells: Vec<Cell<'p>>,
}

/// One peer on one item of ports.
struct Cell<'p> {
    peer: std::borrow::Cow<'p, L3>,
    ports: Option<PortItem>,
    /// How it is decided, over the subjects seen so far; `None` once some of it may not be.
    decided: Option<BTreeSet<Kill>>,
}

impl<'p> Grid<'p> {
    fn new(entry: &'p Entry) -> Grid<'p> {
        use std::borrow::Cow;
        let peers: Vec<Cow<'p, L3>> = match &entry.l3 {
            L3::Any(peers) if peers.len() > 1 => {
                peers.iter().map(|peer| Cow::Owned(L3::Any(vec![peer.clone()]))).collect()
            }
            L3::Nobody => Vec::new(),
            l3 => vec![Cow::Borrowed(l3)],
        };
        let ports: Vec<Option<PortItem>> = match &entry.l4 {
            L4::Unrestricted => vec![None],
            L4::Items(items) => items.iter().cloned().map(Some).collect(),
        };
        let cell = |peer: &Cow<'p, L3>, ports: &Option<PortItem>| Cell {
            peer: peer.clone(),
            ports: ports.clone(),
            decided: Some(BTreeSet::new()),
        };
        let cells = peers.iter().flat_map(|peer| ports.iter().map(move |item| cell(peer, item))).collect();
        Grid { entry, peers: peers.len(), ports: ports.len(), cells }
    }

    /// The first peer, or else port, all of which denies take back; `of_several` when the rule has more entries.
    fn lost(&self, of_several: bool) -> Option<Lost> {
        let denied = |cell: &Cell<'_>| {
            cell.decided.as_ref().is_some_and(|it| !it.is_empty() && it.iter().all(|kill| *kill == Kill::Denied))
        };
        if self.peers > 1 && !of_several {
            let row = self.cells.chunks(self.ports.max(1)).find(|row| row.iter().all(denied));
            if let Some(L3::Any(peers)) = row.and_then(|row| row.first()).map(|cell| &*cell.peer) {
                return peers.first().cloned().map(Lost::Peer);
            }
        }
        let column = |at: &usize| self.cells.iter().skip(*at).step_by(self.ports.max(1)).all(denied);
        let at = (0..self.ports).find(column).filter(|_| !self.cells.is_empty() && (self.ports > 1 || of_several))?;
        self.cells[at].ports.clone().map(Lost::Ports)
    }
}

/// A selector, split by the values that it lists, as long as they are few: what covers it may do so one value at a time.
fn split(selector: &Selector) -> Vec<Selector> {
    let several = |it: &&Requirement| matches!(&it.operator, Operator::In(values) if values.len() > 1);
    let mut found = vec![selector.clone()];
    for requirement in selector.requirements().iter().filter(several) {
        let Operator::In(values) = &requirement.operator else { continue };
        if found.len() * values.len() > MOST {
            return vec![selector.clone()];
        }
        let one = |value: &String| Requirement { operator: Operator::In(vec![value.clone()]), ..requirement.clone() };
        let narrowed = |it: &Selector| {
            let rest: Vec<Requirement> = it.requirements().iter().filter(|it| *it != requirement).cloned().collect();
            values.iter().map(|value| Selector::new(rest.iter().cloned().chain([one(value)]))).collect::<Vec<_>>()
        };
        found = found.iter().flat_map(narrowed).collect();
    }
    found
}

/// A peer, split as [`split`] does.
fn parts(peer: &L3) -> Vec<L3> {
    match peer {
        L3::Any(peers) => match peers.as_slice() {
            [Peer { selector: PeerSelector::Labels { selector, everywhere }, path }] => {
                let one = |selector| Peer {
                    selector: PeerSelector::Labels { selector, everywhere: *everywhere },
                    path: path.clone(),
                };
                split(selector).into_iter().map(|it| L3::Any(vec![one(it)])).collect()
            }
            _ => vec![peer.clone()],
        },
        _ => vec![peer.clone()],
    }
}
