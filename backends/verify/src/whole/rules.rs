//! The rules of `ir/packet`, written a second time: which bytes are looked at, and what follows from them.
//!
//! They read as a program does: a question that the path does not answer stops them, and they begin the step again when more is known.
//! At the end of a path whatever is still open is tried both ways. Numbers in brackets are those of the rules in `ir/packet`.

use super::ends::NEXT;
use super::facts::{Answer, Claim};
use super::machine::{Machine, PULLED, State, context};
use super::place::{Part, Place, Settings, Step, var};
use super::term::{Term, What};
use image::layout::{endpoint, own, record};
use image::{DirectionPlan, DropReason, Hook, MapRef, NodeMap};

/// Why the rules do not go on.
pub enum Stop {
    /// This has to be known.
    Open(Claim),
    /// The program has to do something first.
    Wait,
    /// It did something else.
    Wrong(&'static str),
}

pub type Ruled<T> = Result<T, Stop>;

/// The rules at work on one path.
pub struct Rules<'m, 'i> {
    pub machine: &'m mut Machine<'i>,
    pub state: &'m State,
    pub settings: Settings,
    /// What the program returned, at the end of the path.
    pub returned: Option<Term>,
    /// How many events the step took off.
    pub consumed: usize,
    pub vars: [Term; var::COUNT],
}

impl Rules<'_, '_> {
    /// Goes on from where the path is, by one step.
    pub fn go_on(&mut self) -> Ruled<Place> {
        let step = match self.state.place.step {
            Step::Start if self.hook().is_host() => self.of_host(),
            Step::Start => self.of_endpoint(),
            Step::Frame => self.frame(),
            Step::Header(walked, part) => self.header(walked, part),
            Step::Upper(family) => self.ports_of(family),
            Step::Flow(family, kind) => self.flow(family, kind),
            Step::Way(family, kind, way) => self.way(family, kind, way),
            Step::Found(family, kind) => self.found(family, kind),
            Step::Judge(family, kind, outcome) => self.judge(family, kind, outcome),
            Step::Decide(family, kind, outcome) => self.decide(family, kind, outcome),
            Step::Decided(family, kind, outcome, ruling) => self.decided(family, kind, outcome, ruling),
            Step::Allowed(family, kind, outcome, audited) => self.allowed(family, kind, outcome, audited),
            Step::Noted(_, kind, audited) => self.noted(kind, audited),
            Step::Full(_, kind) => {
                let ports = self.recorded_ports(kind);
                self.dropped(0, DropReason::TrackingFull, ports)
            }
            Step::Answered(family, kind) => self.answered(family, kind),
            Step::Drop(reason) => {
                let none = self.number(0);
                self.dropped(0, reason, [none; 2])
            }
            Step::Pass => self.passed(0),
            Step::Skip => self.ended(0, NEXT),
            Step::Done => Err(Stop::Wait),
        }?;
        Ok(Place { step, vars: self.vars })
    }

    pub fn hook(&self) -> Hook {
        self.machine.program.hook
    }

    pub fn is_from_endpoint(&self) -> bool {
        self.hook() == Hook::FromEndpoint
    }

    pub fn plan(&self) -> &DirectionPlan {
        let plan = &self.machine.image.plan;
        if self.hook().is_egress() { &plan.egress } else { &plan.ingress }
    }

    /// Whether something holds.
    pub fn ask(&mut self, answer: Answer) -> Ruled<bool> {
        match answer {
            Answer::Known(it) => Ok(it),
            Answer::Open(claim, _) => Err(Stop::Open(claim)),
        }
    }

    /// Whether all of some hold: one that does not is enough to know.
    pub fn all(&mut self, answers: Vec<Answer>) -> Ruled<bool> {
        if answers.contains(&Answer::Known(false)) {
            return Ok(false);
        }
        for answer in answers {
            self.ask(answer)?;
        }
        Ok(true)
    }

    pub fn equal(&mut self, a: Term, b: Term) -> Answer {
        self.state.facts.equal(&mut self.machine.terms, a, b)
    }

    pub fn number(&mut self, value: u64) -> Term {
        self.machine.terms.number(value)
    }

    pub fn equals(&mut self, a: Term, number: u64) -> Answer {
        let number = self.number(number);
        self.equal(a, number)
    }

    pub fn is(&mut self, a: Term, number: u64) -> Ruled<bool> {
        let answer = self.equals(a, number);
        self.ask(answer)
    }

    pub fn same(&mut self, a: Term, b: Term) -> Ruled<bool> {
        let answer = self.equal(a, b);
        self.ask(answer)
    }

    pub fn greater(&mut self, a: Term, b: Term) -> Ruled<bool> {
        let answer = self.state.facts.compare(&mut self.machine.terms, 0x20, false, a, b);
        self.ask(answer)
    }

    pub fn less(&mut self, a: Term, number: u64) -> Ruled<bool> {
        let number = self.number(number);
        self.greater(number, a)
    }

    /// What is known of a term already, in it.
    fn settled(&mut self, term: Term) -> Term {
        self.state.facts.settle(&mut self.machine.terms, term)
    }

    /// Bytes of the packet as memory has them.
    pub fn packet(&mut self, at: Term, further: i64, bytes: u32) -> Term {
        let at = self.settled(at);
        let at = self.machine.terms.plus(at, further);
        self.machine.bytes(What::Packet, at, bytes)
    }

    /// A number of the packet, from network order.
    pub fn field(&mut self, at: Term, further: i64, bytes: u32) -> Term {
        let raw = self.packet(at, further, bytes);
        self.ordered(raw, bytes)
    }

    /// A number that stands in memory in network order.
    pub fn ordered(&mut self, raw: Term, bytes: u32) -> Term {
        let little = self.machine.little();
        self.machine.terms.swap(raw, bytes * 8, little)
    }

    /// A number of a map that user space fills.
    pub fn map(&mut self, map: NodeMap, at: Term, further: u32, bytes: u32) -> Term {
        let at = self.machine.terms.plus(at, further.into());
        self.machine.bytes(What::Map(MapRef::Node(map)), at, bytes)
    }

    /// Whether the frame's bytes can be read up to `end`: choices at the head of `ebpf` say how far into a packet programs look.
    fn readable(&mut self, end: Term) -> Ruled<bool> {
        let linear = self.state.linear;
        if !self.greater(end, linear)? {
            return Ok(true);
        }
        // A pull that failed may be tried again, so what cannot be read is known behind the last one; whose a frame is, behind the first.
        let last = self.state.place.step == Step::Start || self.state.at > self.machine.looks;
        if last && is_pulled(self.machine, self.state) { Ok(false) } else { Err(Stop::Wait) }
    }

    /// Whether so many bytes follow, of the packet by its own words and readable.
    pub fn there(&mut self, bytes: Term) -> Ruled<bool> {
        let (rest, cursor) = (self.vars[var::REST], self.vars[var::CURSOR]);
        let end = self.machine.terms.add(cursor, bytes, 1);
        Ok(!self.greater(bytes, rest)? && self.readable(end)?)
    }

    pub fn follow(&mut self, bytes: u64) -> Ruled<bool> {
        let bytes = self.number(bytes);
        self.there(bytes)
    }

    fn frame_has(&mut self, bytes: u64) -> Ruled<bool> {
        let end = self.number(bytes);
        self.readable(end)
    }

    /// The bytes of a term, in memory.
    pub fn split(&mut self, term: Term, bytes: u32) -> Vec<Term> {
        let little = self.machine.little();
        self.machine.terms.split(term, bytes, little)
    }

    /// The bytes of an address that stands in two words.
    pub fn address(&mut self, family: u8, at: usize) -> Vec<Term> {
        match family {
            4 => self.split(self.vars[at], 4),
            _ => [self.vars[at], self.vars[at + 1]].into_iter().flat_map(|word| self.split(word, 8)).collect(),
        }
    }

    pub fn zeros(&mut self, count: usize) -> Vec<Term> {
        vec![self.number(0); count]
    }

    /// Whether a map has a key.
    pub fn has(&mut self, map: NodeMap, key: Vec<Term>) -> Ruled<bool> {
        let key = self.machine.terms.list(key);
        let has = self.machine.terms.leaf(What::Has(MapRef::Node(map)), key, 0, 1);
        self.is(has, 1)
    }

    /// Whether an address is one of the node's.
    pub fn is_own(&mut self, family: u8, at: usize) -> Ruled<bool> {
        let mut key = self.address(family, at);
        if family == 4 {
            // ::ffff:0:0/96, RFC 4291 section 2.5.5.2.
            let (mut mapped, ones) = (self.zeros(10), self.number(0xff));
            mapped.extend([ones, ones]);
            mapped.append(&mut key);
            key = mapped;
        }
        debug_assert!(key.len() == own::KEY_SIZE as usize);
        self.has(NodeMap::Own, key)
    }

    /// The slot of the endpoint of an interface.
    fn slot(&mut self, ifindex: Term) -> Ruled<Option<Term>> {
        for probe in 0..endpoint::PROBES {
            let mask = (1 << self.machine.image.target.endpoints_log2) - 1;
            let tried = self.machine.terms.plus(ifindex, probe.into());
            let masked = self.machine.terms.mask(tried, mask);
            let slot = self.machine.terms.shift_left(masked, endpoint::SIZE.trailing_zeros());
            let here = self.map(NodeMap::Endpoints, slot, endpoint::IFINDEX, 4);
            if self.same(here, ifindex)? {
                return Ok(Some(slot));
            }
        }
        Ok(None)
    }

    fn of_endpoint(&mut self) -> Ruled<Step> {
        let ifindex = self.machine.context(context::IFINDEX);
        match self.slot(ifindex)? {
            Some(slot) => {
                self.vars[var::SLOT] = slot;
                Ok(Step::Frame)
            }
            None => Ok(Step::Drop(DropReason::NoEndpoint)),
        }
    }

    /// [22], [23] and [26]: what is the node's own.
    fn of_host(&mut self) -> Ruled<Step> {
        let (present, tci) = (self.machine.context(context::VLAN_PRESENT), self.machine.context(context::VLAN_TCI));
        let number = self.machine.terms.mask(tci, 0x0fff);
        if !self.is(present, 0)? && !self.is(number, 0)? {
            return Ok(Step::Skip);
        }
        if self.hook() == Hook::FromHost {
            let from = self.machine.context(context::INGRESS_IFINDEX);
            if !self.is(from, 0)? {
                if self.slot(from)?.is_none() {
                    return Ok(Step::Skip);
                }
                self.vars[var::ORIGIN] = self.number(1);
            }
        }
        let zero = self.number(0);
        let (at4, at6) = if self.hook().is_egress() { (26, 22) } else { (30, 38) };
        let mut own = None;
        if self.frame_has(14)? {
            let kind = self.field(zero, 12, 2);
            if self.is(kind, 0x0800)? {
                if self.frame_has(34)? {
                    self.vars[var::TUPLE] = self.packet(zero, at4, 4);
                    own = Some(self.is_own(4, var::TUPLE)?);
                }
            } else if self.is(kind, 0x86dd)? && self.frame_has(54)? {
                self.vars[var::TUPLE] = self.packet(zero, at6, 8);
                self.vars[var::TUPLE + 1] = self.packet(zero, at6 + 8, 8);
                own = Some(self.is_own(6, var::TUPLE)?);
            }
        }
        (self.vars[var::TUPLE], self.vars[var::TUPLE + 1]) = (zero, zero);
        let here = self.vars[var::ORIGIN] == zero;
        Ok(if own.unwrap_or(here) { Step::Frame } else { Step::Skip })
    }

    /// [1] to [3]; a tag at the node's interfaces carries no number.
    fn frame(&mut self) -> Ruled<Step> {
        let (present, zero) = (self.machine.context(context::VLAN_PRESENT), self.number(0));
        if !self.hook().is_host() && !self.is(present, 0)? {
            return Ok(Step::Drop(DropReason::Vlan));
        }
        if !self.frame_has(14)? {
            return Ok(Step::Drop(DropReason::Truncated));
        }
        let kind = self.field(zero, 12, 2);
        if self.is(kind, 0x0800)? {
            return self.header4();
        }
        if self.is(kind, 0x86dd)? {
            return self.header6();
        }
        if self.is(kind, 0x0806)? {
            return self.arp();
        }
        let tagged = self.is(kind, 0x8100)? || self.is(kind, 0x88a8)?;
        Ok(Step::Drop(if tagged { DropReason::Vlan } else { DropReason::UnknownEtherType }))
    }

    /// [2].
    fn arp(&mut self) -> Ruled<Step> {
        if !self.is_from_endpoint() {
            return Ok(Step::Pass);
        }
        if !self.frame_has(14 + 28)? {
            return Ok(Step::Drop(DropReason::Truncated));
        }
        let zero = self.number(0);
        for (at, value) in [(14, 1), (16, 0x0800), (18, 0x0604)] {
            let field = self.field(zero, at, 2);
            if !self.is(field, value)? {
                return Ok(Step::Drop(DropReason::MalformedHeader));
            }
        }
        let slot = self.vars[var::SLOT];
        let [high, low] =
            [(endpoint::MAC, 4), (endpoint::MAC + 4, 2)].map(|(at, len)| self.map(NodeMap::Endpoints, slot, at, len));
        if !(self.is(high, 0)? && self.is(low, 0)?) {
            let (first, last) = (self.packet(zero, 22, 4), self.packet(zero, 26, 2));
            if !(self.same(first, high)? && self.same(last, low)?) {
                return Ok(Step::Drop(DropReason::ForbiddenNeighbour));
            }
        }
        let (sender, mine) = (self.packet(zero, 28, 4), self.map(NodeMap::Endpoints, slot, endpoint::ADDRESS4, 4));
        let fine = self.is(sender, 0)? || self.same(sender, mine)?;
        Ok(if fine { Step::Pass } else { Step::Drop(DropReason::ForbiddenNeighbour) })
    }

    /// [4] and [5] for IPv4.
    fn header4(&mut self) -> Ruled<Step> {
        let (zero, malformed, truncated) =
            (self.number(0), Step::Drop(DropReason::MalformedHeader), Step::Drop(DropReason::Truncated));
        if !self.frame_has(14 + 20)? {
            return Ok(truncated);
        }
        let first = self.packet(zero, 14, 1);
        let (version, words) = (self.machine.terms.shift_right(first, 4), self.machine.terms.mask(first, 15));
        if !self.is(version, 4)? {
            return Ok(malformed);
        }
        let header = self.machine.terms.shift_left(words, 2);
        if self.less(header, 20)? {
            return Ok(malformed);
        }
        let have = self.machine.terms.plus(self.machine.len, -14);
        if self.greater(header, have)? {
            return Ok(truncated);
        }
        let mut total = self.field(zero, 16, 2);
        if self.is(total, 0)? {
            if self.less(have, 0x1_0000)? {
                return Ok(malformed);
            }
            total = have;
        }
        if self.greater(total, have)? {
            return Ok(truncated);
        }
        if self.greater(header, total)? {
            return Ok(malformed);
        }
        self.vars[var::FAMILY] = self.number(4);
        self.vars[var::SOURCE] = self.packet(zero, 26, 4);
        self.vars[var::DESTINATION] = self.packet(zero, 30, 4);
        if self.is_from_endpoint() {
            let mine = self.map(NodeMap::Endpoints, self.vars[var::SLOT], endpoint::ADDRESS4, 4);
            if !self.same(self.vars[var::SOURCE], mine)? || self.is(mine, 0)? {
                return Ok(Step::Drop(DropReason::InvalidSource));
            }
        }
        self.vars[var::PROTOCOL] = self.packet(zero, 23, 1);
        self.vars[var::CURSOR] = self.machine.terms.plus(header, 14);
        self.vars[var::REST] = self.machine.terms.add(total, header, -1);
        let word = self.field(zero, 20, 2);
        self.vars[var::IDENTIFICATION] = self.packet(zero, 18, 2);
        let (part, offset) = (self.machine.terms.mask(word, 0x3fff), self.machine.terms.mask(word, 0x1fff));
        if self.is(part, 0)? {
            self.ports_of(4)
        } else if self.is(offset, 0)? {
            self.first_fragment(4)
        } else {
            self.later_fragment(4, offset)
        }
    }

    /// [4] and [5] for IPv6.
    fn header6(&mut self) -> Ruled<Step> {
        let zero = self.number(0);
        if !self.frame_has(14 + 40)? {
            return Ok(Step::Drop(DropReason::Truncated));
        }
        let first = self.packet(zero, 14, 1);
        let version = self.machine.terms.shift_right(first, 4);
        if !self.is(version, 6)? {
            return Ok(Step::Drop(DropReason::MalformedHeader));
        }
        let have = self.machine.terms.plus(self.machine.len, -54);
        let mut rest = self.field(zero, 18, 2);
        if self.is(rest, 0)? && !self.less(have, 0x1_0000)? {
            rest = have;
        }
        if self.greater(rest, have)? {
            return Ok(Step::Drop(DropReason::Truncated));
        }
        self.vars[var::FAMILY] = self.number(6);
        for (to, at) in [(var::SOURCE, 22), (var::SOURCE + 1, 30), (var::DESTINATION, 38), (var::DESTINATION + 1, 46)] {
            self.vars[to] = self.packet(zero, at, 8);
        }
        if self.is_from_endpoint() && !self.is_mine6(var::SOURCE)? {
            if !self.is_zero6()? && !self.is_link_local(zero, 22)? {
                return Ok(Step::Drop(DropReason::InvalidSource));
            }
            self.vars[var::ON_LINK] = self.number(1);
        }
        self.vars[var::PROTOCOL] = self.packet(zero, 20, 1);
        self.vars[var::HOP_LIMIT] = self.packet(zero, 21, 1);
        self.vars[var::CURSOR] = self.number(54);
        self.vars[var::REST] = rest;
        self.header(0, Part::None)
    }

    /// Whether two words are the endpoint's IPv6 address, and it has one.
    pub fn is_mine6(&mut self, at: usize) -> Ruled<bool> {
        let slot = self.vars[var::SLOT];
        let mine = [0, 8].map(|half| self.map(NodeMap::Endpoints, slot, endpoint::ADDRESS6 + half, 8));
        let answers = vec![self.equal(self.vars[at], mine[0]), self.equal(self.vars[at + 1], mine[1])];
        if !self.all(answers)? {
            return Ok(false);
        }
        let any = self.machine.terms.op(super::term::OR, mine[0], mine[1]);
        Ok(!self.is(any, 0)?)
    }

    /// Whether the source is unspecified.
    pub fn is_zero6(&mut self) -> Ruled<bool> {
        let answers = vec![self.equals(self.vars[var::SOURCE], 0), self.equals(self.vars[var::SOURCE + 1], 0)];
        self.all(answers)
    }

    pub fn is_link_local(&mut self, at: Term, further: i64) -> Ruled<bool> {
        let word = self.field(at, further, 2);
        let prefix = self.machine.terms.mask(word, 0xffc0);
        self.is(prefix, 0xfe80)
    }

    /// [6]: the headers between that of IPv6 and the one above.
    fn header(&mut self, walked: u8, part: Part) -> Ruled<Step> {
        const WALKED: u8 = 8;
        let (kind, cursor) = (self.vars[var::PROTOCOL], self.vars[var::CURSOR]);
        let (mut is_one, mut found) = (false, 0);
        for number in [0, 43, 60, 51, 44] {
            if self.is(kind, number)? {
                (is_one, found) = (true, number);
                break;
            }
        }
        if !is_one {
            return if part == Part::First { self.first_fragment(6) } else { self.ports_of(6) };
        }
        let refused = Step::Drop(DropReason::Ipv6Headers);
        if walked == WALKED {
            return Ok(refused);
        }
        if !self.follow(8)? {
            return Ok(Step::Drop(DropReason::Truncated));
        }
        let (size, segments) = (self.packet(cursor, 1, 1), self.packet(cursor, 3, 1));
        if found == 43 && !self.is(segments, 0)? || found == 44 && part != Part::None {
            return Ok(refused);
        }
        let len = match found {
            44 => self.number(8),
            51 => {
                let more = self.machine.terms.plus(size, 2);
                self.machine.terms.shift_left(more, 2)
            }
            _ => {
                let more = self.machine.terms.plus(size, 1);
                self.machine.terms.shift_left(more, 3)
            }
        };
        if self.greater(len, self.vars[var::REST])? {
            return Ok(Step::Drop(DropReason::Truncated));
        }
        let mut next = part;
        self.vars[var::PROTOCOL] = self.packet(cursor, 0, 1);
        if found == 44 {
            let word = self.field(cursor, 2, 2);
            let (any, offset) = (self.machine.terms.mask(word, 0xfff9), self.machine.terms.mask(word, 0xfff8));
            next = Part::Whole;
            self.vars[var::FIELD] = any;
            if !self.is(any, 0)? {
                self.vars[var::IDENTIFICATION] = self.packet(cursor, 4, 4);
                if !self.is(offset, 0)? {
                    let offset = self.machine.terms.shift_right(offset, 3);
                    return self.later_fragment(6, offset);
                }
                next = Part::First;
            }
        }
        self.vars[var::CURSOR] = self.machine.terms.add(cursor, len, 1);
        self.vars[var::REST] = self.machine.terms.add(self.vars[var::REST], len, -1);
        Ok(Step::Header(walked + 1, next))
    }
}

/// Whether as much of the packet is linear as ever will be looked at.
pub fn is_pulled(machine: &mut Machine, state: &State) -> bool {
    let (linear, len) = (state.linear, machine.len);
    state.pulled
        || state.facts.range(&mut machine.terms, linear).0 >= PULLED
        || state.facts.compare(&mut machine.terms, 0x30, false, linear, len) == Answer::Known(true)
}

/// The number of the subject among endpoints.
pub fn subject_number(rules: &mut Rules) -> Term {
    if rules.hook().is_host() {
        return rules.number(endpoint::NODE.into());
    }
    rules.map(NodeMap::Endpoints, rules.vars[var::SLOT], endpoint::ID, 4)
}

/// Where the record begins in the frame; decisions are lifted with the same place.
pub const RECORD: i64 = -(record::SIZE as i64);
