//! The rules at the end: what a packet leaves in maps, counters and the ring buffer, and what the program returns.

use super::facts::Answer;
use super::machine::{Event, context};
use super::place::{Kind, Outcome, Ruling, Step, var};
use super::rules::{Ruled, Rules, Stop, subject_number};
use super::term::{Node, OR, Term, What};
use super::track::layout_of;
use image::layout::{self, config, record, state};
use image::{DropReason, Fill, MapRef, NodeMap};

/// The next program of the hook decides; with none, the packet passes.
pub const NEXT: u64 = u64::MAX;
/// `TC_ACT_SHOT`.
const SHOT: u64 = 2;

/// A word of a connection that was to be exchanged.
struct Exchange {
    /// Where it is, and what it was to be.
    of: (MapRef, Term, Term),
    /// What it becomes; `None` where that is open because it did not.
    new: Option<Term>,
    /// Whether it was exchanged.
    won: Answer,
}

const OTHERWISE: Stop = Stop::Wrong("what becomes of the packet is written otherwise");

impl Rules<'_, '_> {
    /// The path ends here, and returned this.
    pub fn ended(&mut self, at: usize, action: u64) -> Ruled<Step> {
        let returned = self.returned.ok_or(Stop::Wait)?;
        if self.state.events.len() != at {
            return Err(OTHERWISE);
        }
        if self.machine.terms.as_number(returned) != Some(action) {
            return Err(Stop::Wrong("a packet passes that should not, or does not and should"));
        }
        Ok(Step::Done)
    }

    /// The packet is counted, or all that a segmented one stands for.
    fn counted(&mut self, at: usize, index: u32) -> Ruled<usize> {
        let (segments, mut packets) = (self.machine.context(context::GSO_SEGS), self.number(1));
        if !self.is(segments, 0)? {
            packets = segments;
        }
        let place = self.number(u64::from(index) * 8);
        if self.event(at)? != Event::Count(MapRef::Node(NodeMap::Counters), place, packets) {
            return Err(OTHERWISE);
        }
        Ok(at + 1)
    }

    pub fn passed(&mut self, at: usize) -> Ruled<Step> {
        let at = self.counted(at, 0)?;
        self.ended(at, NEXT)
    }

    /// Dropped, counted, and recorded where that is wanted.
    pub fn dropped(&mut self, at: usize, reason: DropReason, mut ports: [Term; 2]) -> Ruled<Step> {
        if reason == DropReason::Encapsulation {
            ports = [self.vars[var::PORTS], self.vars[var::PORTS + 1]];
        }
        let mut at = self.counted(at, reason as u32)?;
        if self.switched(config::RECORD_DROPPED)? {
            at = self.recorded(at, reason as u8, false, ports)?;
        }
        self.ended(at, SHOT)
    }

    /// A record, and a count of it where the ring buffer was full.
    fn recorded(&mut self, at: usize, reason: u8, audited: bool, ports: [Term; 2]) -> Ruled<usize> {
        let Event::Record(bytes, gave) = self.event(at)? else { return Err(OTHERWISE) };
        let Node::List(bytes) = self.machine.terms.node(bytes).clone() else { return Err(OTHERWISE) };
        let expected = self.record(reason, audited, ports)?;
        let wrong = |(at, known): (usize, &Option<Term>)| known.is_some_and(|known| bytes.get(at) != Some(&known));
        if bytes.len() != expected.len() || expected.iter().enumerate().any(wrong) {
            return Err(Stop::Wrong("a record says something else"));
        }
        if self.is(gave, 0)? {
            return Ok(at + 1);
        }
        let (place, one) = (self.number(u64::from(layout::LOST_RECORDS) * 8), self.number(1));
        if self.event(at + 1)? != Event::Count(MapRef::Node(NodeMap::Counters), place, one) {
            return Err(OTHERWISE);
        }
        Ok(at + 2)
    }

    /// The bytes of a record; the time is whatever the clock says.
    fn record(&mut self, reason: u8, audited: bool, ports: [Term; 2]) -> Ruled<Vec<Option<Term>>> {
        let zero = self.number(0);
        let digest = self.machine.image.tables.iter().position(|table| table.fill == Fill::Digest);
        let digest = MapRef::Own(digest.ok_or(OTHERWISE)? as u16);
        let digest = self.machine.bytes(What::Map(digest), zero, 8);
        let subject = match self.state.place.step {
            Step::Drop(DropReason::NoEndpoint) => zero,
            _ => subject_number(self),
        };
        let (interface, len) = (self.machine.context(context::IFINDEX), self.machine.len);
        let [reason, direction, audited] =
            [reason, self.hook().is_egress().into(), audited.into()].map(|it| self.number(it.into()));
        let mut out = vec![None; record::SIZE as usize];
        let family = if self.machine.terms.as_number(self.vars[var::FAMILY]) == Some(6) { 6 } else { 4 };
        for (at, address) in [(record::SOURCE, var::SOURCE), (record::DESTINATION, var::DESTINATION)] {
            let mut bytes = self.address(family, address);
            bytes.extend(self.zeros(16 - bytes.len()));
            for (to, byte) in out[at as usize..].iter_mut().zip(bytes) {
                *to = Some(byte);
            }
        }
        for (at, term, bytes) in [
            (record::DIGEST, digest, 8),
            (record::IFINDEX, interface, 4),
            (record::ENDPOINT, subject, 4),
            (record::PEER, self.vars[var::PEER], 4),
            (record::L4_KEY, self.vars[var::KEY], 4),
            (record::LEAF, self.vars[var::LEAF], 4),
            (record::REASON, reason, 1),
            (record::DIRECTION, direction, 1),
            (record::FAMILY, self.vars[var::FAMILY], 1),
            (record::AUDITED, audited, 1),
            (record::SOURCE_PORT, ports[0], 2),
            (record::DESTINATION_PORT, ports[1], 2),
            (record::LENGTH, len, 4),
        ] {
            for (to, byte) in out[at as usize..].iter_mut().zip(self.split(term, bytes)) {
                *to = Some(byte);
            }
        }
        Ok(out)
    }

    /// [18]: a reply.
    pub fn answered(&mut self, family: u8, _kind: Kind) -> Ruled<Step> {
        let flags = self.reply_flags();
        self.consumed = self.touch(0, family, flags)?;
        Ok(Step::Pass)
    }

    /// The ports that a record has: those of ICMP are part of the key.
    pub fn recorded_ports(&mut self, kind: Kind) -> [Term; 2] {
        match kind {
            Kind::Tcp | Kind::Plain => [self.vars[var::PORTS], self.vars[var::PORTS + 1]],
            _ => [self.number(0); 2],
        }
    }

    /// [19], [20] and [27]: what the policy said.
    pub fn decided(&mut self, family: u8, kind: Kind, outcome: Outcome, ruling: Ruling) -> Ruled<Step> {
        let ports = self.recorded_ports(kind);
        match ruling {
            Ruling::Leaf(layout::LEAF_ALLOW) | Ruling::Translated => Ok(Step::Allowed(family, kind, outcome, false)),
            Ruling::Leaf(layout::LEAF_REDIRECT) => self.dropped(0, DropReason::NoProxy, ports),
            Ruling::Leaf(layout::LEAF_AUTH) => self.dropped(0, DropReason::AuthRequired, ports),
            Ruling::Leaf(_) if self.switched(config::AUDIT)? => {
                self.consumed = self.counted(0, layout::AUDITED)?;
                Ok(Step::Allowed(family, kind, outcome, true))
            }
            _ => self.dropped(0, DropReason::Policy, ports),
        }
    }

    /// [19] to [21] and [26]: what may pass leaves its trace in the table.
    pub fn allowed(&mut self, family: u8, kind: Kind, outcome: Outcome, audited: bool) -> Ruled<Step> {
        let mut at = 0;
        match outcome {
            Outcome::Untracked => {}
            Outcome::Forward => {
                let mut flags = self.forward_flags();
                if audited {
                    // A live connection is recorded once.
                    let noted = state::AUDITED;
                    let bit = self.machine.terms.cut(self.vars[var::STATE], 32 + noted.trailing_zeros(), 1, 0);
                    if self.is(bit, 0)? && self.switched(config::RECORD_DROPPED)? {
                        let ports = self.recorded_ports(kind);
                        at = self.recorded(0, DropReason::Policy as u8, true, ports)?;
                    }
                    let noted = self.number(noted.into());
                    flags = self.machine.terms.op(OR, flags, noted);
                }
                self.consumed = self.touch(at, family, flags)?;
                return Ok(Step::Pass);
            }
            Outcome::Miss | Outcome::Stale => {
                let (behind, is_taken) = self.taken(family, kind, outcome)?;
                at = behind;
                if !is_taken {
                    self.consumed = at;
                    return Ok(Step::Full(family, kind));
                }
            }
        }
        self.consumed = at;
        Ok(Step::Noted(family, kind, audited))
    }

    /// A first packet is recorded where that is wanted, and passes.
    pub fn noted(&mut self, kind: Kind, audited: bool) -> Ruled<Step> {
        let (here, ports) = (self.number(0) == self.vars[var::ORIGIN], self.recorded_ports(kind));
        let reason = if audited { DropReason::Policy as u8 } else { 0 };
        let mut at = 0;
        if here && self.switched(if audited { config::RECORD_DROPPED } else { config::RECORD_ALLOWED })? {
            at = self.recorded(0, reason, audited, ports)?;
        }
        self.passed(at)
    }

    /// The entry is kept up to date, and the packet counted in it.
    fn touch(&mut self, mut at: usize, family: u8, add: Term) -> Ruled<usize> {
        let (layout, entry) = (layout_of(family), self.vars[var::ENTRY]);
        let (new, is_fresh) = self.touched(add)?;
        if !is_fresh {
            let state = self.machine.terms.plus(entry, layout.state.into());
            let exchange = self.exchange(at)?.filter(|it| it.of == (layout.map, state, self.vars[var::STATE]));
            if exchange.is_none_or(|it| it.new.is_some_and(|it| it != new)) {
                return Err(OTHERWISE);
            }
            at += 1;
        }
        let packets = self.packets(family, entry);
        let Event::Store(map, place, more) = self.event(at)? else { return Err(OTHERWISE) };
        let before = self.machine.terms.plus(more, -1);
        let (of, first) = self.machine.terms.apart(packets);
        let counted = matches!(*self.machine.terms.node(before),
            Node::Leaf(What::Entry(from, ..), base, further, _) if (from, base, further) == (layout.map, of, first));
        if (map, place) != (layout.map, packets) || !counted {
            return Err(OTHERWISE);
        }
        Ok(at + 1)
    }

    /// A word that was exchanged, or was not the old one any more; by the instruction or under the lock of its set, as the target has it.
    /// `None` where the next event is no exchange.
    fn exchange(&mut self, at: usize) -> Ruled<Option<Exchange>> {
        let by = self.machine.image.target.exchange;
        Ok(match (self.event(at)?, by) {
            (Event::Swap(map, place, [old, new, was]), image::Exchange::Instruction) => {
                Some(Exchange { of: (map, place, old), new: Some(new), won: self.equal(was, old) })
            }
            (Event::Locked(map, [number, place, old, new]), image::Exchange::Lock) => {
                if number != self.lock_of(map, place) {
                    return Err(Stop::Wrong("another lock is taken than that of the set"));
                }
                let new = Some(new).filter(|it| *it != Term::NONE);
                Some(Exchange { of: (map, place, old), new, won: Answer::Known(new.is_some()) })
            }
            _ => None,
        })
    }

    /// The number of the lock of the set in which a state word is.
    fn lock_of(&mut self, map: MapRef, place: Term) -> Term {
        let layout = layout_of(if map == layout_of(4).map { 4 } else { 6 });
        let entry = self.machine.terms.plus(place, -i64::from(layout.state));
        let below = layout.entry_log2 + layout::TRACK_WAYS.trailing_zeros();
        self.machine.terms.cut(entry, below, layout::lock::COUNT.trailing_zeros(), 0)
    }

    /// [20]: an entry of the set is taken over, which one is free to choose, but for one that somebody is writing. A race may be lost twice.
    fn taken(&mut self, family: u8, kind: Kind, outcome: Outcome) -> Ruled<(usize, bool)> {
        let (layout, mut at) = (layout_of(family), 0);
        for tried in 0..2 {
            let Some(Exchange { of: (map, place, old), new, won }) = self.exchange(at)? else {
                return if tried > 0 { Ok((at, false)) } else { Err(OTHERWISE) };
            };
            let entry = self.machine.terms.plus(place, -i64::from(layout.state));
            let (busy, live) = self.next_states(old, kind);
            let its_own = tried > 0 || outcome != Outcome::Stale || entry == self.vars[var::ENTRY];
            if map != layout.map
                || !self.is_in_set(family, entry)
                || !self.is_still(old)
                || new.is_some_and(|it| it != busy)
                || !its_own
            {
                return Err(Stop::Wrong("an entry is taken that may not be, or otherwise"));
            }
            at += 1;
            if self.ask(won)? {
                return Ok((self.opened(at, family, entry, live)?, true));
            }
        }
        Ok((at, false))
    }

    /// Key, packets, and behind them the state.
    fn opened(&mut self, mut at: usize, family: u8, entry: Term, live: Term) -> Ruled<usize> {
        let (layout, one) = (layout_of(family), self.number(1));
        let mut expected = Vec::new();
        for word in 0..layout.words {
            let place = self.machine.terms.plus(entry, word as i64 * 8);
            expected.push(Event::Store(layout.map, place, self.vars[var::WORDS + word]));
        }
        let (packets, state) = (self.packets(family, entry), self.machine.terms.plus(entry, layout.state.into()));
        expected.push(Event::Store(layout.map, packets, one));
        // A store suffices where others take the lock: see `image::Exchange`.
        expected.push(match self.machine.image.target.exchange {
            image::Exchange::Instruction => Event::Exchange(layout.map, state, live),
            image::Exchange::Lock => Event::Store(layout.map, state, live),
        });
        for event in expected {
            if self.event(at)? != event {
                return Err(OTHERWISE);
            }
            at += 1;
        }
        Ok(at)
    }
}
