//! The rules about connections, and what becomes of a packet: [14] to [21], [26], [27], and the layouts of `image`.

use super::facts::Answer;
use super::machine::{Event, context};
use super::place::{Kind, Outcome, Ruling, Step, var};
use super::rules::{Ruled, Rules, Stop, subject_number};
use super::term::{AND, Node, OR, SAR, Term, What, XOR};
use image::address::{PAGE_ENTRIES, ROOT_ENTRIES};
use image::layout::{self, config, peer, state, track4, track6};
use image::{DirectionPlan, DropReason, MapRef, NodeMap};

/// Odd constants of the mixing steps. All programs of a node have to find the same set, so they are part of the layout.
const MIX: [u64; 3] = [0x9e37_79b9_7f4a_7c15, 0xb504_f333_f9de_6485, 0xbb67_ae85_84ca_a73b];
/// Bits of the state word, where its flags begin.
const FLAGS: u32 = 32;

/// Where the connections of a family are, and what they look like.
pub struct Layout {
    pub map: MapRef,
    pub words: usize,
    pub entry_log2: u32,
    pub state: u32,
    packets: u32,
}

pub fn layout_of(family: u8) -> Layout {
    match family {
        4 => Layout {
            map: MapRef::Node(NodeMap::Track4),
            words: track4::STATE as usize / 8,
            entry_log2: track4::SIZE.trailing_zeros(),
            state: track4::STATE,
            packets: track4::PACKETS,
        },
        _ => Layout {
            map: MapRef::Node(NodeMap::Track6),
            words: track6::STATE as usize / 8,
            entry_log2: track6::SIZE.trailing_zeros(),
            state: track6::STATE,
            packets: track6::PACKETS,
        },
    }
}

impl Rules<'_, '_> {
    fn op(&mut self, op: u8, a: Term, b: Term) -> Term {
        self.machine.terms.op(op, a, b)
    }

    /// [29], then the key of the connection and the set that it belongs to, once the program has asked for the time.
    pub fn flow(&mut self, family: u8, kind: Kind) -> Ruled<Step> {
        let destination = self.vars[var::PORTS + 1];
        let tunnel =
            self.settings.tunnel.filter(|_| self.is_from_endpoint() && matches!(kind, Kind::Tcp | Kind::Plain));
        if let Some(port) = tunnel {
            let port_there = self.ordered(destination, 2);
            if self.is(self.vars[var::PROTOCOL], 17)?
                && self.is(port_there, port.into())?
                && self.is_own(family, var::DESTINATION)?
            {
                return Ok(Step::Drop(DropReason::Encapsulation));
            }
        }
        if self.state.now.is_none() {
            return Err(Stop::Wait);
        }
        let (source, to) = (self.address(family, var::TUPLE), self.address(family, var::TUPLE + 2));
        let [from_port, to_port] = [0, 1].map(|at| self.split(self.vars[var::PORTS + at], 2));
        let (first, second) = if self.is_swapped(family)? {
            ((to, to_port), (source, from_port))
        } else {
            ((source, from_port), (to, to_port))
        };
        let (zero, subject) = (self.number(0), subject_number(self));
        let subject = self.machine.terms.cut(subject, 0, 16, 0);
        let mut bytes: Vec<Term> = [first.0, second.0, first.1, second.1].concat();
        bytes.extend([self.vars[var::PROTOCOL], zero]);
        bytes.extend(self.split(subject, 2));
        let little = self.machine.little();
        for (at, word) in bytes.chunks(8).enumerate() {
            self.vars[var::WORDS + at] = self.machine.terms.join(word, little);
        }
        self.vars[var::HOME] = self.home(family);
        Ok(Step::Way(family, kind, 0))
    }

    /// Whether the receiver is the lesser side, compared as the numbers that address and port are in the packet.
    fn is_swapped(&mut self, family: u8) -> Ruled<bool> {
        let ports = [0, 1].map(|at| self.ordered(self.vars[var::PORTS + at], 2));
        if family == 4 {
            let sides = [0, 1].map(|at| {
                let address = self.ordered(self.vars[var::TUPLE + 2 * at], 4);
                let shifted = self.machine.terms.shift_left(address, 16);
                self.op(OR, shifted, ports[at])
            });
            return self.greater(sides[0], sides[1]);
        }
        for half in [0, 1] {
            let sides = [0, 2].map(|at| self.ordered(self.vars[var::TUPLE + at + half], 8));
            if self.greater(sides[0], sides[1])? {
                return Ok(true);
            }
            if !self.same(sides[0], sides[1])? {
                return Ok(false);
            }
        }
        self.greater(ports[0], ports[1])
    }

    /// Where the set of a key begins to be looked through: a seeded hash of its words.
    fn home(&mut self, family: u8) -> Term {
        let (zero, layout, target) = (self.number(0), layout_of(family), &self.machine.image.target);
        let sets = u32::from(if family == 4 { target.track4_sets_log2 } else { target.track6_sets_log2 });
        let mut hash = self.map(NodeMap::Config, zero, config::SEED, 4);
        let mix = |rules: &mut Self, hash: Term, at: usize| {
            let by = rules.number(MIX[at % MIX.len()]);
            rules.op(super::term::MUL, hash, by)
        };
        hash = mix(self, hash, 0);
        for at in 0..layout.words {
            hash = self.op(XOR, hash, self.vars[var::WORDS + at]);
            hash = mix(self, hash, at + 1);
            let high = self.machine.terms.shift_right(hash, 32);
            hash = self.op(XOR, hash, high);
        }
        hash = mix(self, hash, 0);
        let ways = layout::TRACK_WAYS.trailing_zeros();
        let index = self.machine.terms.shift_right(hash, 64 - sets - ways);
        self.machine.terms.shift_left(index, layout.entry_log2)
    }

    /// Whether an offset is that of an entry of the set.
    pub fn is_in_set(&self, family: u8, at: Term) -> bool {
        let terms = &self.machine.terms;
        let (base, by) = match *terms.node(at) {
            Node::Op(XOR, base, by) => (base, terms.as_number(by)),
            _ => (at, Some(0)),
        };
        let whole = by.is_some_and(|by| {
            let log2 = layout_of(family).entry_log2;
            by >> log2 << log2 == by && by >> log2 < layout::TRACK_WAYS.into()
        });
        let zero = terms.node(base) == &Node::Number(0);
        let known = base == self.vars[var::HOME] || base == self.vars[var::ENTRY];
        whole && !zero && (known || matches!(terms.node(base), Node::Leaf(What::Place(_, true), ..)))
    }

    /// [16]: whether this entry of the set has the key. Its state is read before and behind it: a change in between makes it another's.
    pub fn way(&mut self, family: u8, kind: Kind, way: u8) -> Ruled<Step> {
        let layout = layout_of(family);
        let by = self.number(u64::from(way) << layout.entry_log2);
        let entry = self.op(XOR, self.vars[var::HOME], by);
        let at_state = self.machine.terms.plus(entry, layout.state.into());
        let mut words = Vec::new();
        for word in 0..layout.words {
            words.push(self.machine.terms.plus(entry, word as i64 * 8));
        }
        let reads = &self.state.reads;
        let read = |at: Term| reads.iter().find(|it| (it.0, it.1) == (layout.map, at)).map(|it| it.2);
        let found: Vec<(usize, Term)> =
            words.iter().enumerate().filter_map(|(word, at)| Some((word, read(*at)?))).collect();
        // The state is what was read first and last, with all words between.
        let states = [reads.first(), reads.last()].map(|it| it.filter(|it| (it.0, it.1) == (layout.map, at_state)));
        let whole = found.len() == words.len() && reads.len() == words.len() + 2;
        let states = states[0].zip(states[1]).filter(|_| whole).map(|(before, behind)| (before.2, behind.2));
        let mut same: Vec<Answer> =
            found.into_iter().map(|(word, found)| self.equal(found, self.vars[var::WORDS + word])).collect();
        same.extend(states.map(|(before, behind)| self.equal(behind, before)));
        if self.all(same)? {
            let (before, _) = states.ok_or(Stop::Wait)?;
            (self.vars[var::ENTRY], self.vars[var::STATE]) = (entry, before);
            return Ok(Step::Found(family, kind));
        }
        if u32::from(way) + 1 < layout::TRACK_WAYS {
            return Ok(Step::Way(family, kind, way + 1));
        }
        self.vars[var::ENTRY] = self.vars[var::HOME];
        Ok(Self::without(family, kind, Outcome::Miss))
    }

    /// No entry: what never opens a connection is not tracked.
    fn without(family: u8, kind: Kind, outcome: Outcome) -> Step {
        let opens = !matches!(kind, Kind::Reply | Kind::Related);
        Step::Judge(family, kind, if opens { outcome } else { Outcome::Untracked })
    }

    fn flag(&mut self, flag: u32) -> Answer {
        let bit = self.machine.terms.cut(self.vars[var::STATE], FLAGS + flag.trailing_zeros(), 1, 0);
        self.equals(bit, 1)
    }

    fn has_flag(&mut self, flag: u32) -> Ruled<bool> {
        let answer = self.flag(flag);
        self.ask(answer)
    }

    /// [14], and [16] to [18].
    pub fn found(&mut self, family: u8, kind: Kind) -> Ruled<Step> {
        let (word, zero) = (self.vars[var::STATE], self.number(0));
        let live = self.machine.terms.cut(word, FLAGS, 2, 0);
        if !self.is(live, state::LIVE.into())? {
            return Ok(Self::without(family, kind, Outcome::Miss));
        }
        let fins = vec![self.flag(state::FIN_OPENER), self.flag(state::FIN_OTHER)];
        let reset = self.flag(state::RESET);
        let known = [&fins[0], &fins[1]].iter().all(|it| **it == Answer::Known(true));
        let closing = known || self.ask(reset)? || self.all(fins)?;
        let lifetime = if closing {
            config::TCP_CLOSING
        } else if !self.has_flag(state::TCP)? {
            config::OTHER
        } else if self.has_flag(state::ANSWERED)? {
            config::TCP_ESTABLISHED
        } else {
            config::TCP_SYN
        };
        let lifetime = self.map(NodeMap::Config, zero, lifetime, 4);
        let now = self.state.now.unwrap_or(zero);
        let age = self.machine.terms.add(now, word, -1);
        let over = self.state.facts.compare(&mut self.machine.terms, 0x60, true, age, lifetime);
        let mut stale = self.ask(over)?;
        if !stale && closing {
            const SYN: u64 = 0x02;
            const ACK: u64 = 0x10;
            let opens = self.machine.terms.mask(self.vars[var::FLAGS], SYN | ACK);
            stale = self.is(opens, SYN)?;
        }
        if stale {
            return Ok(Self::without(family, kind, Outcome::Stale));
        }
        if kind == Kind::Related {
            return Ok(Step::Pass);
        }
        let opener = self.has_flag(state::OPENED_BY_ENDPOINT)? == self.hook().is_egress();
        Ok(match (opener, kind) {
            (true, Kind::Reply) | (false, Kind::Request) => Step::Judge(family, kind, Outcome::Untracked),
            (true, _) => Step::Judge(family, kind, Outcome::Forward),
            (false, _) => Step::Answered(family, kind),
        })
    }

    /// Whom the policy is asked about. Where every packet is allowed, those of a connection are not asked about.
    pub fn judge(&mut self, family: u8, kind: Kind, outcome: Outcome) -> Ruled<Step> {
        let zero = self.number(0);
        if outcome == Outcome::Forward && *self.plan() == DirectionPlan::Constant(layout::LEAF_ALLOW) {
            return Ok(Step::Decided(family, kind, outcome, Ruling::Leaf(layout::LEAF_ALLOW)));
        }
        if self.vars[var::ORIGIN] != zero {
            self.vars[var::PEER] = zero;
            return Ok(Step::Decided(family, kind, outcome, Ruling::Translated));
        }
        let at = if self.hook().is_egress() { var::DESTINATION } else { var::SOURCE };
        let mut found = if family == 4 { self.peer4(at)? } else { self.peer6(at)? };
        // A packet that was not made on this node and claims to be from it is from the world.
        if !self.hook().is_egress() && self.is(found, peer::HOST.into())? {
            let from = self.machine.context(context::INGRESS_IFINDEX);
            if !self.is(from, 0)? {
                let world = if family == 4 { peer::WORLD4 } else { peer::WORLD6 };
                found = self.number(world.into());
            }
        }
        self.vars[var::PEER] = found;
        Ok(Step::Decide(family, kind, outcome))
    }

    /// The table of IPv4 addresses: three levels of pages behind a root.
    fn peer4(&mut self, at: usize) -> Ruled<Term> {
        let address = self.ordered(self.vars[at], 4);
        let root = self.machine.terms.shift_right(address, 16);
        let root = self.machine.terms.shift_left(root, 2);
        let mut entry = self.map(NodeMap::Address4, root, 0, 4);
        let pages = (1 << self.machine.image.target.address4_pages_log2) - 1;
        for shift in [8, 0] {
            let is_page = self.machine.terms.cut(entry, 31, 1, 0);
            if self.is(is_page, 0)? {
                break;
            }
            let page = self.machine.terms.mask(entry, pages);
            let page = self.machine.terms.shift_left(page, PAGE_ENTRIES.trailing_zeros());
            let byte = self.machine.terms.cut(address, shift, 8, 0);
            let slot = self.machine.terms.add(page, byte, 1);
            let slot = self.machine.terms.shift_left(slot, 2);
            entry = self.map(NodeMap::Address4, slot, ROOT_ENTRIES * 4, 4);
        }
        Ok(entry)
    }

    /// The tables of IPv6 addresses: exactly, by the longest prefix, else the node's default.
    fn peer6(&mut self, at: usize) -> Ruled<Term> {
        let (zero, address, whole) = (self.number(0), self.address(6, at), self.number(128));
        let mut prefix = self.split(whole, 4);
        prefix.extend(&address);
        for (map, key) in [(NodeMap::Address6Exact, address), (NodeMap::Address6Prefix, prefix)] {
            if self.has(map, key.clone())? {
                let key = self.machine.terms.list(key);
                return Ok(self.machine.elements(MapRef::Node(map), key, 0, 4));
            }
        }
        Ok(self.map(NodeMap::Config, zero, config::DEFAULT_PEER6, 4))
    }

    /// The decision itself is proved by lifting it.
    pub fn decide(&mut self, family: u8, kind: Kind, outcome: Outcome) -> Ruled<Step> {
        let ruling = match (self.plan(), self.state.ruled) {
            (DirectionPlan::Constant(leaf), _) => {
                let leaf = *leaf;
                self.vars[var::LEAF] = self.number(0);
                Ruling::Leaf(leaf)
            }
            (_, Some(Some(leaf))) => Ruling::Leaf(leaf),
            (_, Some(None)) => Ruling::Broken,
            (_, None) => return Err(Stop::Wait),
        };
        // Where nothing passes, whatever the node's switches are, what tracking found is not asked again.
        let passes = matches!(ruling, Ruling::Leaf(layout::LEAF_ALLOW | layout::LEAF_DENY));
        Ok(Step::Decided(family, kind, if passes { outcome } else { Outcome::Untracked }, ruling))
    }

    /// The flags that a packet adds, FIN being noted for its side.
    fn flags(&mut self, fin: u32) -> Term {
        let mut out = self.number(0);
        for (bit, flag) in [(0, fin), (2, state::RESET)] {
            let bit = self.machine.terms.cut(self.vars[var::FLAGS], bit, 1, flag.trailing_zeros());
            out = self.op(OR, out, bit);
        }
        out
    }

    fn now(&mut self) -> Term {
        let zero = self.number(0);
        let now = self.state.now.unwrap_or(zero);
        self.machine.terms.cut(now, 0, 32, 0)
    }

    fn in_state(&mut self, flags: Term) -> Term {
        self.machine.terms.shift_left(flags, FLAGS)
    }

    /// What a live entry becomes with more flags; and whether a program may leave it as it is: nothing is new, and its time is less than
    /// a 64th of the lifetime of other flows old.
    pub fn touched(&mut self, add: Term) -> Ruled<(Term, bool)> {
        let (zero, word) = (self.number(0), self.vars[var::STATE]);
        let flags = self.machine.terms.shift_right(word, FLAGS);
        let more = self.op(OR, add, flags);
        let new = self.in_state(more);
        let now = self.now();
        let new = self.op(OR, now, new);
        if !self.same(more, flags)? {
            return Ok((new, false));
        }
        let lifetime = self.map(NodeMap::Config, zero, config::OTHER, 4);
        let limit = self.machine.terms.shift_right(lifetime, 6);
        let age = self.machine.terms.add(self.state.now.unwrap_or(zero), word, -1);
        let (age, by) = (self.machine.terms.shift_left(age, 32), self.number(32));
        let age = self.op(SAR, age, by);
        let fresh = self.state.facts.compare(&mut self.machine.terms, 0x60, false, limit, age);
        Ok((new, self.ask(fresh)?))
    }

    pub fn forward_flags(&mut self) -> Term {
        self.flags(state::FIN_OPENER)
    }

    pub fn reply_flags(&mut self) -> Term {
        let (flags, answered) = (self.flags(state::FIN_OTHER), self.number(state::ANSWERED.into()));
        self.op(OR, flags, answered)
    }

    /// What an entry is marked with while it is taken over, and what it becomes: the next generation of a state word.
    pub fn next_states(&mut self, old: Term, kind: Kind) -> (Term, Term) {
        let shift = FLAGS + state::GENERATION_SHIFT;
        let generation = self.machine.terms.shift_right(old, shift);
        let generation = self.machine.terms.plus(generation, 1);
        let generation = self.machine.terms.shift_left(generation, shift);
        let busy = self.number(u64::from(state::BUSY) << FLAGS);
        let busy = self.op(OR, busy, generation);
        let opener = if self.hook().is_egress() { state::OPENED_BY_ENDPOINT } else { 0 };
        let tcp = if kind == Kind::Tcp { state::TCP } else { 0 };
        let (flags, fixed) = (self.forward_flags(), self.number((state::LIVE | opener | tcp).into()));
        let flags = self.op(OR, flags, fixed);
        let flags = self.in_state(flags);
        let live = self.op(OR, generation, flags);
        let now = self.now();
        (busy, self.op(OR, live, now))
    }

    /// Whether a state word is that of an entry that nobody is writing: known for sure.
    pub fn is_still(&mut self, word: Term) -> bool {
        let bit = self.machine.terms.cut(word, FLAGS + state::BUSY.trailing_zeros(), 1, 0);
        self.equals(bit, 0) == Answer::Known(true)
    }

    /// Where the packets of an entry are counted.
    pub fn packets(&mut self, family: u8, entry: Term) -> Term {
        self.machine.terms.plus(entry, layout_of(family).packets.into())
    }

    /// A switch of the node.
    pub fn switched(&mut self, flag: u32) -> Ruled<bool> {
        let (zero, flag) = (self.number(0), self.number(flag.into()));
        let flags = self.map(NodeMap::Config, zero, config::FLAGS, 4);
        let set = self.op(AND, flags, flag);
        Ok(!self.is(set, 0)?)
    }

    /// What was done to the outside, in its order.
    pub fn event(&self, at: usize) -> Ruled<Event> {
        self.state.events.get(at).cloned().ok_or(Stop::Wait)
    }
}
