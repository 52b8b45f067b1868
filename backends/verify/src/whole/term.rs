//! Numbers of 64 bits that nobody knows, in a normal form: equal terms are equal numbers of the store, so that comparing is cheap.
//!
//! Whatever moves bits (shifts, masks, swaps, loads of bytes) gives [`Node::Bits`]; additions give [`Node::Sum`]; the rest stays an
//! operation. What is not normalised is only taken for different: a proof may fail by it, and none can succeed.

use image::MapRef;
use rustc_hash::FxHashMap;

/// A number of the store. [`Term::NONE`] stands for what is not known to be anything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Term(u32);

impl Term {
    /// Never written.
    pub const NONE: Term = Term(0);
}

/// Where an unknown number comes from.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum What {
    /// A byte of the packet.
    Packet,
    /// A field of the context.
    Context,
    /// How many bytes of the packet are linear, after so many pulls.
    Linear,
    /// A byte of a map that nobody changes meanwhile.
    Map(MapRef),
    /// Whether a map has a key: a list of bytes.
    Has(MapRef),
    /// A byte of the value that it has for the key.
    Found(MapRef),
    /// Where the value is that a map has for the key.
    Address(MapRef),
    /// A word of a connection, as an instruction read it: others may change it at any time.
    Entry(MapRef, u32),
    /// What a call or an exchange gave, by instruction.
    Answer(u32),
    /// A variable of the rules, renamed at a step.
    Variable(u8),
    /// What stands somewhere, whatever it is.
    Place(u8, bool),
}

/// A slice of another term's bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slice {
    pub to: u8,
    pub of: Term,
    pub from: u8,
    pub len: u8,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Node {
    Number(u64),
    /// Unknown: whence, relative to what, how far, how many bits.
    Leaf(What, Term, i64, u8),
    /// Slices beside each other, ascending, and constant bits between them.
    Bits(Box<[Slice]>, u64),
    /// Multiples and a constant, modulo 2^64.
    Sum(Box<[(Term, i64)]>, i64),
    /// An operation, by bits 4 to 7 of its opcode.
    Op(u8, Term, Term),
    /// Bytes of a key or a value.
    List(Box<[Term]>),
}

pub const OR: u8 = 0x40;
pub const AND: u8 = 0x50;
pub const XOR: u8 = 0xa0;
pub const MUL: u8 = 0x20;
pub const SAR: u8 = 0xc0;

/// All terms of one proof.
pub struct Terms {
    nodes: Vec<Node>,
    known: FxHashMap<Node, Term>,
}

fn ones(bits: u32) -> u64 {
    1u64.checked_shl(bits).map_or(u64::MAX, |it| it - 1)
}

impl Slice {
    /// The bits that it fills.
    pub fn mask(self) -> u64 {
        ones(self.len.into()) << self.to
    }
}

impl Terms {
    pub fn new() -> Terms {
        // The first one is none.
        Terms { nodes: vec![Node::List(Box::new([]))], known: FxHashMap::default() }
    }

    pub fn node(&self, term: Term) -> &Node {
        &self.nodes[term.0 as usize]
    }

    fn intern(&mut self, node: Node) -> Term {
        let next = Term(self.nodes.len() as u32);
        let term = *self.known.entry(node.clone()).or_insert(next);
        if term == next {
            self.nodes.push(node);
        }
        term
    }

    pub fn number(&mut self, value: u64) -> Term {
        self.intern(Node::Number(value))
    }

    pub fn leaf(&mut self, what: What, of: Term, at: i64, bits: u8) -> Term {
        self.intern(Node::Leaf(what, of, at, bits))
    }

    pub fn list(&mut self, bytes: Vec<Term>) -> Term {
        self.intern(Node::List(bytes.into()))
    }

    /// The bytes of a list; none of anything else.
    pub fn bytes_of(&self, term: Term) -> Vec<Term> {
        match self.node(term) {
            Node::List(bytes) => bytes.to_vec(),
            _ => Vec::new(),
        }
    }

    pub fn as_number(&self, term: Term) -> Option<u64> {
        match self.node(term) {
            Node::Number(value) => Some(*value),
            _ => None,
        }
    }

    /// The slices of a term, and its constant bits.
    pub fn slices(&self, term: Term) -> (Vec<Slice>, u64) {
        match self.node(term) {
            Node::Number(value) => (Vec::new(), *value),
            Node::Bits(slices, base) => (slices.to_vec(), *base),
            _ => (vec![Slice { to: 0, of: term, from: 0, len: self.width(term) }], 0),
        }
    }

    /// The bits that a term may have, without looking at facts.
    pub fn width(&self, term: Term) -> u8 {
        match self.node(term) {
            Node::Leaf(_, _, _, bits) => *bits,
            _ => 64,
        }
    }

    /// A term of slices that do not overlap.
    pub fn bits(&mut self, mut slices: Vec<Slice>, base: u64) -> Term {
        slices.retain(|it| it.len > 0);
        slices.sort_by_key(|it| it.to);
        let mut joined: Vec<Slice> = Vec::with_capacity(slices.len());
        for next in slices {
            match joined.last_mut() {
                Some(last)
                    if last.of == next.of && last.to + last.len == next.to && last.from + last.len == next.from =>
                {
                    last.len += next.len;
                }
                _ => joined.push(next),
            }
        }
        match joined[..] {
            [] => self.number(base),
            [Slice { to: 0, of, from: 0, len }] if base == 0 && len == self.width(of) => of,
            _ => self.intern(Node::Bits(joined.into(), base)),
        }
    }

    /// The bits of a term from one on, so many, moved to another place.
    pub fn cut(&mut self, term: Term, from: u32, len: u32, to: u32) -> Term {
        let mut slices = Vec::new();
        let base = self.moved(term, [from, len, to], &mut slices);
        self.bits(slices, base)
    }

    /// Likewise, added to slices; gives back the constant bits.
    fn moved(&self, term: Term, [from, len, to]: [u32; 3], out: &mut Vec<Slice>) -> u64 {
        let mut add = |it: &Slice| {
            let (start, end) = (u32::from(it.to).max(from), u32::from(it.to + it.len).min(from + len));
            if start < end {
                let (to, shift, len) =
                    ((start - from + to) as u8, (start - u32::from(it.to)) as u8, (end - start) as u8);
                out.push(Slice { to, of: it.of, from: it.from + shift, len });
            }
        };
        let base = match self.node(term) {
            Node::Number(value) => *value,
            Node::Bits(slices, base) => {
                slices.iter().for_each(add);
                *base
            }
            _ => {
                add(&Slice { to: 0, of: term, from: 0, len: self.width(term) });
                0
            }
        };
        (base >> from & ones(len)) << to
    }

    pub fn shift_left(&mut self, term: Term, by: u32) -> Term {
        if let Node::Sum(parts, constant) = self.node(term).clone() {
            let factor = 1i64 << by;
            let parts = parts.iter().map(|(it, times)| (*it, times.wrapping_mul(factor))).collect();
            return self.sum(parts, constant.wrapping_mul(factor));
        }
        self.cut(term, 0, 64 - by, by)
    }

    pub fn shift_right(&mut self, term: Term, by: u32) -> Term {
        self.cut(term, by, 64 - by, 0)
    }

    /// The bits of a mask.
    pub fn mask(&mut self, term: Term, mask: u64) -> Term {
        if let Node::Op(op @ (OR | AND | XOR), a, b) = *self.node(term) {
            let (a, b) = (self.mask(a, mask), self.mask(b, mask));
            return self.op(op, a, b);
        }
        let (slices, base) = self.slices(term);
        let mut kept = Vec::new();
        for it in slices {
            for bit in 0..it.len {
                if mask >> (it.to + bit) & 1 == 1 {
                    kept.push(Slice { to: it.to + bit, of: it.of, from: it.from + bit, len: 1 });
                }
            }
        }
        self.bits(kept, base & mask)
    }

    /// From network order to the order of the machine, or back; the rest becomes zero.
    pub fn swap(&mut self, term: Term, bits: u32, little_endian: bool) -> Term {
        if !little_endian {
            return self.cut(term, 0, bits, 0);
        }
        let bytes: Vec<Term> = (0..bits / 8).rev().map(|at| self.cut(term, at * 8, 8, 0)).collect();
        self.join(&bytes, true)
    }

    /// The number that bytes are in memory.
    pub fn join(&mut self, bytes: &[Term], little_endian: bool) -> Term {
        let (mut slices, mut base) = (Vec::new(), 0);
        for (at, byte) in bytes.iter().enumerate() {
            let shift = 8 * if little_endian { at } else { bytes.len() - 1 - at } as u8;
            let (of_byte, constant) = self.slices(*byte);
            slices.extend(of_byte.into_iter().map(|it| Slice { to: it.to + shift, ..it }));
            base |= constant << shift;
        }
        self.bits(slices, base)
    }

    /// The bytes that a number is in memory.
    pub fn split(&mut self, term: Term, bytes: u32, little_endian: bool) -> Vec<Term> {
        let place = |at| if little_endian { at } else { bytes - 1 - at };
        (0..bytes).map(|at| self.cut(term, place(at) * 8, 8, 0)).collect()
    }

    fn sum(&mut self, mut parts: Vec<(Term, i64)>, constant: i64) -> Term {
        parts.sort_unstable();
        let mut merged: Vec<(Term, i64)> = Vec::with_capacity(parts.len());
        for (term, times) in parts {
            match merged.last_mut() {
                Some(last) if last.0 == term => last.1 = last.1.wrapping_add(times),
                _ => merged.push((term, times)),
            }
        }
        merged.retain(|it| it.1 != 0);
        match merged[..] {
            [] => self.number(constant as u64),
            [(only, 1)] if constant == 0 => only,
            _ => self.intern(Node::Sum(merged.into(), constant)),
        }
    }

    /// The multiples of a term and its constant.
    pub fn parts(&self, term: Term) -> (Vec<(Term, i64)>, i64) {
        match self.node(term) {
            Node::Number(value) => (Vec::new(), *value as i64),
            Node::Sum(parts, constant) => (parts.to_vec(), *constant),
            _ => (vec![(term, 1)], 0),
        }
    }

    /// A term without its constant, and the constant.
    pub fn apart(&mut self, term: Term) -> (Term, i64) {
        let (parts, constant) = self.parts(term);
        (self.sum(parts, 0), constant)
    }

    /// `a + times * b`.
    pub fn add(&mut self, a: Term, b: Term, times: i64) -> Term {
        let ((mut parts, left), (others, right)) = (self.parts(a), self.parts(b));
        parts.extend(others.into_iter().map(|(it, factor)| (it, factor.wrapping_mul(times))));
        self.sum(parts, left.wrapping_add(right.wrapping_mul(times)))
    }

    pub fn plus(&mut self, a: Term, number: i64) -> Term {
        let (parts, constant) = self.parts(a);
        self.sum(parts, constant.wrapping_add(number))
    }

    /// Arithmetic of 64 bits by bits 4 to 7 of its opcode; shifts by numbers only.
    pub fn op(&mut self, op: u8, a: Term, b: Term) -> Term {
        let (left, right) = (self.as_number(a), self.as_number(b));
        if let (Some(left), Some(right)) = (left, right)
            && let Some(result) = crate::dd::alu(op, left, right)
        {
            return self.number(result);
        }
        match (op, left, right) {
            (0x00, ..) => return self.add(a, b, 1),
            (0x10, ..) => return self.add(a, b, -1),
            (0x60, _, Some(by)) if by < 64 => return self.shift_left(a, by as u32),
            (0x70, _, Some(by)) if by < 64 => return self.shift_right(a, by as u32),
            (AND | OR | XOR | MUL, Some(_), None) => return self.op(op, b, a),
            (AND, _, Some(mask)) => return self.mask(a, mask),
            (OR | XOR, _, Some(0)) | (MUL, _, Some(1)) => return a,
            (MUL, _, Some(0)) => return b,
            (MUL, _, Some(factor)) if factor.is_power_of_two() => return self.shift_left(a, factor.trailing_zeros()),
            (AND | OR, ..) if a == b => return a,
            (XOR, ..) if a == b => return self.number(0),
            _ => {}
        }
        if op == OR
            && let Some(beside) = self.beside(a, b)
        {
            return beside;
        }
        if op == XOR {
            // What is turned twice is as it was.
            match (self.node(a).clone(), self.node(b).clone()) {
                (Node::Op(XOR, x, y), _) if x == b => return y,
                (Node::Op(XOR, x, y), _) if y == b => return x,
                (_, Node::Op(XOR, x, y)) if x == a => return y,
                (_, Node::Op(XOR, x, y)) if y == a => return x,
                (Node::Op(XOR, x, y), Node::Number(_)) if self.as_number(y).is_some() => {
                    let turned = self.op(XOR, y, b);
                    return self.op(XOR, x, turned);
                }
                _ => {}
            }
        }
        let (a, b) = if matches!(op, AND | OR | XOR | MUL) && right.is_none() && b < a { (b, a) } else { (a, b) };
        self.intern(Node::Op(op, a, b))
    }

    /// Two terms whose bits stand beside each other, or of which one is a number.
    fn beside(&mut self, a: Term, b: Term) -> Option<Term> {
        let ((mut left, base), (right, other)) = (self.slices(a), self.slices(b));
        if right.is_empty() {
            let (bits, _) = (self.mask(a, !other), ());
            (left, _) = self.slices(bits);
        }
        let filled = |slices: &[Slice]| slices.iter().fold(0, |all, it| all | it.mask());
        let (of_left, of_right) = (filled(&left), filled(&right));
        if of_left & (of_right | other) != 0 || of_right & base != 0 {
            return None;
        }
        left.extend(right);
        Some(self.bits(left, base | other))
    }

    /// A term with others in the place of some; what a leaf is relative to is replaced, too.
    pub fn replace(&mut self, term: Term, by: &mut dyn FnMut(&mut Terms, Term) -> Option<Term>) -> Term {
        self.replace_with(term, by, &mut FxHashMap::default())
    }

    pub fn replace_with(
        &mut self,
        term: Term,
        by: &mut dyn FnMut(&mut Terms, Term) -> Option<Term>,
        done: &mut FxHashMap<Term, Term>,
    ) -> Term {
        if let Some(done) = done.get(&term) {
            return *done;
        }
        let out = match by(self, term) {
            Some(other) => other,
            None => match self.node(term).clone() {
                Node::Number(_) => term,
                Node::Leaf(what, of, at, bits) => {
                    let of = self.replace_with(of, by, done);
                    let (of, further) = if matches!(self.node(of), Node::List(_)) { (of, 0) } else { self.apart(of) };
                    self.leaf(what, of, at + further, bits)
                }
                Node::Bits(slices, base) => {
                    let (mut moved, mut base) = (Vec::with_capacity(slices.len()), base);
                    for it in slices {
                        let of = self.replace_with(it.of, by, done);
                        base |= self.moved(of, [it.from, it.len, it.to].map(u32::from), &mut moved);
                    }
                    self.bits(moved, base)
                }
                Node::Sum(parts, constant) => {
                    let mut out = self.number(constant as u64);
                    for (part, times) in parts {
                        let part = self.replace_with(part, by, done);
                        out = self.add(out, part, times);
                    }
                    out
                }
                Node::Op(op, a, b) => {
                    let (a, b) = (self.replace_with(a, by, done), self.replace_with(b, by, done));
                    self.op(op, a, b)
                }
                Node::List(bytes) => {
                    let bytes = bytes.iter().map(|it| self.replace_with(*it, by, done)).collect();
                    self.list(bytes)
                }
            },
        };
        done.insert(term, out);
        out
    }

    /// What a term is made of, without what that depends on.
    pub fn made_of(&self, term: Term) -> Vec<Term> {
        match self.node(term) {
            Node::Number(_) => Vec::new(),
            Node::Bits(slices, _) => slices.iter().map(|it| it.of).collect(),
            _ => vec![term],
        }
    }

    /// Every leaf of a term, those that leaves are relative to included.
    pub fn leaves(&self, term: Term, seen: &mut dyn FnMut(Term)) {
        match self.node(term) {
            Node::Number(_) => {}
            Node::Leaf(_, of, ..) => {
                seen(term);
                self.leaves(*of, seen);
            }
            Node::Bits(slices, _) => slices.iter().for_each(|it| self.leaves(it.of, seen)),
            Node::Sum(parts, _) => parts.iter().for_each(|it| self.leaves(it.0, seen)),
            Node::Op(_, a, b) => {
                self.leaves(*a, seen);
                self.leaves(*b, seen);
            }
            Node::List(bytes) => bytes.iter().for_each(|it| self.leaves(*it, seen)),
        }
    }
}
