//! The rules behind the network header: ports, fragments, ICMP.

use super::machine::Event;
use super::place::{Kind, Outcome, Step, var};
use super::rules::{Ruled, Rules, Stop};
use super::term::{Term, What};
use image::layout::endpoint;
use image::{DropReason, Hook, MapRef, NodeMap};

const TCP: u64 = 6;
const UDP: u64 = 17;
const SCTP: u64 = 132;

/// The ICMP of a family, its echo request and its reply.
fn icmp(family: u8) -> (u64, u64, u64) {
    if family == 4 { (1, 8, 0) } else { (58, 128, 129) }
}

impl Rules<'_, '_> {
    fn is_tcp(&mut self) -> Ruled<bool> {
        self.is(self.vars[var::PROTOCOL], TCP)
    }

    /// [7]: which header follows: whether it has ports; `None` for a protocol that policies do not decide about.
    fn has_ports(&mut self, family: u8) -> Ruled<Option<bool>> {
        for protocol in [TCP, UDP, SCTP] {
            if self.is(self.vars[var::PROTOCOL], protocol)? {
                return Ok(Some(true));
            }
        }
        Ok(self.is(self.vars[var::PROTOCOL], icmp(family).0)?.then_some(false))
    }

    /// [5] for what is no neighbour discovery.
    fn owned(&mut self) -> Option<Step> {
        let zero = self.number(0);
        (self.vars[var::ON_LINK] != zero).then_some(Step::Drop(DropReason::InvalidSource))
    }

    /// [9]: the fragments that there may be. Errors: how the packet ends.
    fn fragment(&mut self, family: u8) -> Ruled<Option<Step>> {
        Ok(match self.has_ports(family)? {
            Some(true) => None,
            Some(false) => Some(Step::Drop(DropReason::IcmpFragment)),
            None => Some(Step::Drop(DropReason::UnknownProtocol)),
        })
    }

    fn fragment_key(&mut self, family: u8) -> Term {
        let mut key = self.address(family, var::SOURCE);
        key.extend(self.zeros(16 - key.len()));
        key.extend(self.address(family, var::DESTINATION));
        key.extend(self.zeros(32 - key.len()));
        key.extend(self.split(self.vars[var::IDENTIFICATION], if family == 4 { 2 } else { 4 }));
        key.extend(self.zeros(36 - key.len()));
        let family = self.number(family.into());
        key.extend([self.vars[var::PROTOCOL], family]);
        key.extend(self.zeros(2));
        self.machine.terms.list(key)
    }

    fn follows_fragments(&self, family: u8) -> bool {
        if family == 4 { self.settings.fragments4 } else { self.settings.fragments6 }
    }

    /// [10] and [11] for a first fragment. Its flags may still turn out not to be linear: that is the step after this.
    pub fn first_fragment(&mut self, family: u8) -> Ruled<Step> {
        if let Some(end) = self.fragment(family)? {
            return Ok(end);
        }
        let short = Step::Drop(DropReason::FragmentShort);
        if !self.follow(8)? || self.is_tcp()? && self.less(self.vars[var::REST], 14)? {
            return Ok(short);
        }
        if let Some(end) = self.owned() {
            return Ok(end);
        }
        if !self.follows_fragments(family) {
            return self.ports_of(family);
        }
        let key = self.fragment_key(family);
        let ports = self.packet(self.vars[var::CURSOR], 0, 4);
        let ports = self.split(ports, 4);
        let value = self.machine.terms.list(ports);
        match &self.state.events[..] {
            [] => Err(Stop::Wait),
            [Event::Update(MapRef::Node(NodeMap::Fragments), to, ports), ..] if (*to, *ports) == (key, value) => {
                self.consumed = 1;
                Ok(Step::Upper(family))
            }
            _ => Err(Stop::Wrong("the ports of a first fragment are kept otherwise")),
        }
    }

    /// [10], [11] and [28] for a later one, which begins so many times eight bytes into its packet.
    pub fn later_fragment(&mut self, family: u8, offset: Term) -> Ruled<Step> {
        if let Some(end) = self.fragment(family)? {
            return Ok(end);
        }
        if self.is(offset, 1)? && self.is_tcp()? {
            return Ok(Step::Drop(DropReason::FragmentShort));
        }
        if let Some(end) = self.owned() {
            return Ok(end);
        }
        let zero = self.number(0);
        let mut ports = [zero; 2];
        if self.follows_fragments(family) {
            let key = self.fragment_key(family);
            let has = self.machine.terms.leaf(What::Has(MapRef::Node(NodeMap::Fragments)), key, 0, 1);
            if !self.is(has, 1)? {
                return Ok(Step::Drop(DropReason::FragmentUnknown));
            }
            ports = [0, 2].map(|at| self.machine.elements(MapRef::Node(NodeMap::Fragments), key, at, 2));
        }
        self.vars[var::FLAGS] = zero;
        Ok(self.flow_of(family, Kind::Plain, ports))
    }

    /// What has ports, whole or the first part of it; or ICMP.
    pub fn ports_of(&mut self, family: u8) -> Ruled<Step> {
        let (truncated, cursor) = (Step::Drop(DropReason::Truncated), self.vars[var::CURSOR]);
        match self.has_ports(family)? {
            None => return Ok(Step::Drop(DropReason::UnknownProtocol)),
            Some(false) => return self.message(family),
            Some(true) => {}
        }
        let kind = if self.is_tcp()? { Kind::Tcp } else { Kind::Plain };
        if !self.follow(if kind == Kind::Tcp { 14 } else { 8 })? {
            return Ok(truncated);
        }
        if let Some(end) = self.owned() {
            return Ok(end);
        }
        self.vars[var::FLAGS] = if kind == Kind::Tcp { self.packet(cursor, 13, 1) } else { self.number(0) };
        let ports = [0, 2].map(|at| self.packet(cursor, at, 2));
        Ok(self.flow_of(family, kind, ports))
    }

    /// The flow of a packet with ports, which are also what the policy is asked about.
    fn flow_of(&mut self, family: u8, kind: Kind, ports: [Term; 2]) -> Step {
        let (to, protocol) = (self.ordered(ports[1], 2), self.vars[var::PROTOCOL]);
        let shifted = self.machine.terms.shift_left(protocol, 16);
        self.vars[var::KEY] = self.machine.terms.op(super::term::OR, to, shifted);
        self.tuple(ports);
        Step::Flow(family, kind)
    }

    /// The tuple of the packet itself.
    fn tuple(&mut self, ports: [Term; 2]) {
        let outer: [Term; 4] = std::array::from_fn(|at| self.vars[var::SOURCE + at]);
        self.vars[var::TUPLE..var::TUPLE + 4].copy_from_slice(&outer);
        self.vars[var::PORTS..var::PORTS + 2].copy_from_slice(&ports);
    }

    /// [8] and [12] to [15].
    fn message(&mut self, family: u8) -> Ruled<Step> {
        let cursor = self.vars[var::CURSOR];
        if !self.follow(8)? {
            return Ok(Step::Drop(DropReason::Truncated));
        }
        let (kind, code) = (self.packet(cursor, 0, 1), self.packet(cursor, 1, 1));
        let (protocol, request, reply) = icmp(family);
        let shifted = self.machine.terms.shift_left(kind, 8);
        let key = self.machine.terms.op(super::term::OR, shifted, code);
        let protocol = self.number(protocol << 16);
        self.vars[var::KEY] = self.machine.terms.op(super::term::OR, key, protocol);
        if family == 6 && !self.less(kind, 133)? && self.less(kind, 138)? {
            return self.neighbour(kind, code);
        }
        if let Some(end) = self.owned() {
            return Ok(end);
        }
        let judged = Step::Judge(family, Kind::Plain, Outcome::Untracked);
        let zero = self.number(0);
        self.vars[var::FLAGS] = zero;
        let identifier = self.packet(cursor, 4, 2);
        for (number, flow, ports) in
            [(request, Kind::Request, [identifier, zero]), (reply, Kind::Reply, [zero, identifier])]
        {
            if self.is(kind, number)? {
                if !self.is(code, 0)? {
                    return Ok(judged);
                }
                self.tuple(ports);
                return Ok(Step::Flow(family, flow));
            }
        }
        let error = if family == 4 {
            self.is(kind, 3)? || self.is(kind, 11)? || self.is(kind, 12)?
        } else {
            self.less(kind, 5)? && !self.is(kind, 0)?
        };
        if !error {
            return Ok(judged);
        }
        if family == 4 && self.is(kind, 3)? && self.is(code, 4)? {
            return Ok(Step::Pass);
        }
        Ok(self.inner(family)?.unwrap_or(judged))
    }

    /// [13] and [25]: the packet inside an error. `None` where it belongs to nobody.
    fn inner(&mut self, family: u8) -> Ruled<Option<Step>> {
        let cursor = self.vars[var::CURSOR];
        let fixed = if family == 4 { 20 } else { 40 };
        if !self.follow(8 + fixed)? {
            return Ok(None);
        }
        let first = self.packet(cursor, 8, 1);
        let version = self.machine.terms.shift_right(first, 4);
        if !self.is(version, family.into())? {
            return Ok(None);
        }
        let words: &[(i64, u32)] =
            if family == 4 { &[(20, 4), (24, 4)] } else { &[(16, 8), (24, 8), (32, 8), (40, 8)] };
        let read: Vec<Term> = words.iter().map(|(at, len)| self.packet(cursor, *at, *len)).collect();
        let mut start = self.number(8 + fixed);
        if family == 4 {
            let words = self.machine.terms.mask(first, 15);
            let header = self.machine.terms.shift_left(words, 2);
            if self.less(header, 20)? {
                return Ok(None);
            }
            let offset = self.field(cursor, 8 + 6, 2);
            let offset = self.machine.terms.mask(offset, 0x1fff);
            if !self.is(offset, 0)? {
                return Ok(None);
            }
            start = self.machine.terms.plus(header, 8);
        }
        let (from, to) = read.split_at(read.len() / 2);
        let mut fits: Vec<_> =
            (0..from.len()).map(|at| self.equal(from[at], self.vars[var::DESTINATION + at])).collect();
        let about: Vec<_> = (0..to.len()).map(|at| self.equal(to[at], self.vars[var::SOURCE + at])).collect();
        if self.is_from_endpoint() {
            fits.extend(about.clone());
        }
        if !self.all(fits)? {
            return Ok(None);
        }
        let protocol = self.packet(cursor, if family == 4 { 8 + 9 } else { 8 + 6 }, 1);
        let end = self.machine.terms.plus(start, 8);
        if !self.there(end)? {
            return Ok(None);
        }
        let inside = self.machine.terms.add(cursor, start, 1);
        let Some(ports) = self.inner_ports(family, protocol, inside)? else { return Ok(None) };
        if self.hook() == Hook::FromHost && !self.all(about)? {
            return Ok(Some(Step::Skip));
        }
        // Its sender is whom the error goes to: the same address, read at either place.
        let from = if family == 4 { from.to_vec() } else { self.vars[var::DESTINATION..var::DESTINATION + 2].to_vec() };
        for (at, word) in from.iter().chain(to).enumerate() {
            let place = if family == 4 { at * 2 } else { at };
            self.vars[var::TUPLE + place] = *word;
        }
        self.vars[var::PORTS..var::PORTS + 2].copy_from_slice(&ports);
        self.vars[var::PROTOCOL] = protocol;
        Ok(Some(Step::Flow(family, Kind::Related)))
    }

    /// The ports, or the identifier and nothing, of the packet inside an error.
    fn inner_ports(&mut self, family: u8, protocol: Term, at: Term) -> Ruled<Option<[Term; 2]>> {
        for number in [TCP, UDP, SCTP] {
            if self.is(protocol, number)? {
                return Ok(Some([0, 2].map(|further| self.packet(at, further, 2))));
            }
        }
        let (number, request, reply) = icmp(family);
        let (kind, code) = (self.packet(at, 0, 1), self.packet(at, 1, 1));
        if !self.is(protocol, number)? || !self.is(code, 0)? {
            return Ok(None);
        }
        let (zero, identifier) = (self.number(0), self.packet(at, 4, 2));
        Ok(if self.is(kind, request)? {
            Some([identifier, zero])
        } else if self.is(kind, reply)? {
            Some([zero, identifier])
        } else {
            None
        })
    }

    /// [8] and [24].
    fn neighbour(&mut self, kind: Term, code: Term) -> Ruled<Step> {
        let (forbidden, cursor) = (Step::Drop(DropReason::ForbiddenNeighbour), self.vars[var::CURSOR]);
        if !self.less(kind, 135)? && !self.follow(24)? {
            return Ok(Step::Drop(DropReason::Truncated));
        }
        if !self.is(code, 0)? || !self.is(self.vars[var::HOP_LIMIT], 255)? {
            return Ok(forbidden);
        }
        if !self.is_from_endpoint() || self.is(kind, 133)? {
            return Ok(Step::Pass);
        }
        if self.is(kind, 134)? || self.is(kind, 137)? {
            return Ok(forbidden);
        }
        if self.is(kind, 135)? && !self.is_zero6()? {
            return Ok(Step::Pass);
        }
        let slot = self.vars[var::SLOT];
        let mine = [0, 8].map(|half| self.map(NodeMap::Endpoints, slot, endpoint::ADDRESS6 + half, 8));
        let target = [8, 16].map(|at| self.packet(cursor, at, 8));
        let answers = vec![self.equal(target[0], mine[0]), self.equal(target[1], mine[1])];
        // An endpoint without an IPv6 address has that of nobody, and may not claim it.
        let nobody = vec![self.equals(mine[0], 0), self.equals(mine[1], 0)];
        let is_own = self.all(answers)? && !self.all(nobody)?;
        let fine = is_own || self.is_link_local(cursor, 8)?;
        Ok(if fine { Step::Pass } else { forbidden })
    }
}
