//! What a path knows: bits, ranges and comparisons that came out one way or the other.

use super::forget::Renamer;
use super::machine::context::LEN;
use super::term::{Node, OR, Slice, Term, Terms, What, XOR};
use std::collections::{BTreeMap, BTreeSet};

/// Bits of terms with their values: ascending, each term once.
type Bits = Vec<(Term, u64, u64)>;

/// What may hold or not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Claim {
    /// All these bits have these values.
    Are(Bits),
    /// A sum without its constant, as a whole number, is no greater.
    AtMost(Term, i128),
    /// A comparison of which nothing else is known, by its opcode; the flag is for 32 bits.
    Holds(u8, bool, Term, Term),
}

/// Whether something holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    Known(bool),
    /// If and only if the claim does, or does not.
    Open(Claim, bool),
}

impl Answer {
    pub fn not(self) -> Answer {
        match self {
            Answer::Known(it) => Answer::Known(!it),
            Answer::Open(claim, way) => Answer::Open(claim, !way),
        }
    }
}

const EQUAL: u8 = 0x10;
const GREATER: u8 = 0x20;
const GREATER_SIGNED: u8 = 0x60;
const ALL: i128 = u64::MAX as i128;

/// What is known.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Facts {
    bits: BTreeMap<Term, (u64, u64)>,
    ranges: BTreeMap<Term, (i128, i128)>,
    /// Of each of these at least one bit differs.
    nots: BTreeSet<Bits>,
    holds: BTreeMap<(u8, bool, Term, Term), bool>,
}

impl Facts {
    /// The known bits of a term: which, and their values.
    fn known(&self, term: Term) -> (u64, u64) {
        self.bits.get(&term).copied().unwrap_or((0, 0))
    }

    /// The least and the greatest that a term, as a whole number, may be.
    pub fn range(&self, terms: &mut Terms, term: Term) -> (i128, i128) {
        let of_bits = |facts: &Facts, of: Term, from: u8, len: u8| {
            let all = if len >= 64 { u64::MAX } else { (1 << len) - 1 };
            let (mask, value) = facts.known(of);
            let (mask, value) = (mask >> from & all, value >> from & all);
            (i128::from(value), i128::from(value | !mask & all))
        };
        let (mut low, mut high) = match terms.node(term).clone() {
            Node::Number(value) => (value.into(), value.into()),
            Node::Leaf(_, _, _, bits) => of_bits(self, term, 0, bits),
            Node::Bits(slices, base) => slices.iter().fold((base.into(), base.into()), |(low, high), it| {
                let mut part = of_bits(self, it.of, it.from, it.len);
                let whole = self.range(terms, it.of);
                if it.from == 0 && whole.0 >= 0 && whole.1 >> it.len == 0 {
                    part = (part.0.max(whole.0), part.1.min(whole.1));
                }
                (low + (part.0 << it.to), high + (part.1 << it.to))
            }),
            Node::Sum(parts, constant) => {
                let mut range = (0, 0);
                for (part, times) in &parts {
                    let (low, high) = self.range(terms, *part);
                    let ends = [low * i128::from(*times), high * i128::from(*times)];
                    range = (range.0 + ends[0].min(ends[1]), range.1 + ends[0].max(ends[1]));
                }
                // Of a sum and its opposite one is stored: that whose first multiple is positive.
                let (mut whole, _) = terms.apart(term);
                let turned = parts.first().is_some_and(|it| it.1 < 0);
                if turned {
                    let zero = terms.number(0);
                    whole = terms.add(zero, whole, -1);
                }
                if let Some(stored) = self.ranges.get(&whole) {
                    let stored = if turned { (-stored.1, -stored.0) } else { *stored };
                    range = (range.0.max(stored.0), range.1.min(stored.1));
                }
                (range.0 + i128::from(constant), range.1 + i128::from(constant))
            }
            Node::Op(..) => of_bits(self, term, 0, 64),
            Node::List(_) => (0, ALL),
        };
        // A packet is no shorter than its linear part.
        if let Node::Leaf(What::Context, _, LEN, _) = terms.node(term) {
            let linear = |it: &Term| matches!(terms.node(*it), Node::Leaf(What::Linear, ..));
            low = self.ranges.iter().filter(|(it, _)| linear(it)).fold(low, |low, (_, range)| low.max(range.0));
        }
        if let Some(stored) = self.ranges.get(&term) {
            (low, high) = (low.max(stored.0), high.min(stored.1));
        }
        (low, high)
    }

    /// Whether a bit of a term is known.
    fn tells(&self, terms: &Terms, term: Term) -> bool {
        match terms.node(term) {
            Node::Number(_) => false,
            Node::Leaf(..) => self.bits.contains_key(&term),
            Node::Bits(slices, _) => slices.iter().any(|it| self.tells(terms, it.of)),
            Node::Sum(parts, _) => parts.iter().any(|it| self.tells(terms, it.0)),
            Node::Op(_, a, b) => self.bits.contains_key(&term) || self.tells(terms, *a) || self.tells(terms, *b),
            Node::List(bytes) => bytes.iter().any(|it| self.tells(terms, *it)),
        }
    }

    /// A term with the bits that are known.
    pub fn settle(&self, terms: &mut Terms, term: Term) -> Term {
        if self.bits.is_empty() || !self.tells(terms, term) {
            return term;
        }
        terms.replace(term, &mut |terms, it| {
            let Some(&(mask, value)) = self.bits.get(&it) else {
                // A leaf keeps its name, whatever is known of what it is relative to.
                return matches!(terms.node(it), Node::Leaf(..)).then_some(it);
            };
            let unknown = Slice { to: 0, of: it, from: 0, len: terms.width(it) };
            let mut kept = Vec::new();
            for bit in (0..unknown.len).filter(|bit| mask >> bit & 1 == 0) {
                kept.push(Slice { to: bit, of: it, from: bit, len: 1 });
            }
            Some(terms.bits(kept, value & mask))
        })
    }

    /// Whether a comparison of the opcode holds of two terms.
    pub fn compare(&self, terms: &mut Terms, op: u8, short: bool, a: Term, b: Term) -> Answer {
        // What stays a comparison is kept with the terms as they are: with what is known in them they would be others later.
        let plain = if short { [terms.cut(a, 0, 32, 0), terms.cut(b, 0, 32, 0)] } else { [a, b] };
        let (mut a, mut b) = (self.settle(terms, a), self.settle(terms, b));
        if short {
            (a, b) = (self.low(terms, a), self.low(terms, b));
        }
        let ab = [(a, plain[0]), (b, plain[1])];
        let ba = [ab[1], ab[0]];
        match op & 0xf0 {
            0x10 => self.equal(terms, plain[0], plain[1]),
            0x50 => self.equal(terms, plain[0], plain[1]).not(),
            0x20 => self.greater(terms, a, b),
            0xb0 => self.greater(terms, a, b).not(),
            0xa0 => self.greater(terms, b, a),
            0x30 => self.greater(terms, b, a).not(),
            0x40 => {
                let both = terms.op(super::term::AND, a, b);
                let zero = terms.number(0);
                self.equal(terms, both, zero).not()
            }
            0x60 => self.greater_signed(terms, short, ab),
            0xd0 => self.greater_signed(terms, short, ab).not(),
            0xc0 => self.greater_signed(terms, short, ba),
            _ => self.greater_signed(terms, short, ba).not(),
        }
    }

    /// The low 32 bits of a term; itself when it has no others.
    pub fn low(&self, terms: &mut Terms, term: Term) -> Term {
        let (low, high) = self.range(terms, term);
        if low >= 0 && high >> 32 == 0 { term } else { terms.cut(term, 0, 32, 0) }
    }

    pub fn equal(&self, terms: &mut Terms, a: Term, b: Term) -> Answer {
        let plain = (a.min(b), a.max(b));
        if let Some(way) = self.holds.get(&(EQUAL, false, plain.0, plain.1)) {
            return Answer::Known(*way);
        }
        let (a, b) = (self.settle(terms, a), self.settle(terms, b));
        let (a, b) = if terms.as_number(a).is_some() { (b, a) } else { (a, b) };
        if a == b {
            return Answer::Known(true);
        }
        let (one, other) = (self.range(terms, a), self.range(terms, b));
        if one.1 < other.0 && one.0 >= 0 && other.1 <= ALL || other.1 < one.0 && other.0 >= 0 && one.1 <= ALL {
            return Answer::Known(false);
        }
        if let Some(number) = terms.as_number(b) {
            let other = |(key, way): (&(u8, bool, Term, Term), &bool)| match *key {
                (EQUAL, _, x, y) if *way && (x == plain.0 || x == plain.1) => Some(y),
                (EQUAL, _, x, y) if *way && (y == plain.0 || y == plain.1) => Some(x),
                _ => None,
            };
            // What is the same as a known number is known.
            let others: Vec<Term> = self.holds.iter().filter_map(other).collect();
            for other in others {
                let other = self.settle(terms, other);
                if let Some(known) = terms.as_number(other) {
                    return Answer::Known(known == number);
                }
            }
            return self.equal_number(terms, a, number);
        }
        self.answer(terms, Claim::Holds(EQUAL, false, plain.0, plain.1), true)
    }

    fn equal_number(&self, terms: &mut Terms, a: Term, number: u64) -> Answer {
        match terms.node(a).clone() {
            Node::Number(value) => Answer::Known(value == number),
            // Both have to be zero.
            Node::Op(OR, x, y) if number == 0 => match self.equal_number(terms, x, 0) {
                Answer::Known(true) => self.equal_number(terms, y, 0),
                other => other,
            },
            Node::Op(XOR, x, y) if number == 0 => self.equal(terms, x, y),
            Node::Sum(parts, constant) => match parts[..] {
                [(part, 1)] => self.equal_number(terms, part, number.wrapping_sub(constant as u64)),
                _ => {
                    let number = terms.number(number);
                    self.answer(terms, Claim::Holds(EQUAL, false, a.min(number), a.max(number)), true)
                }
            },
            _ => {
                let (slices, base) = terms.slices(a);
                let filled = slices.iter().fold(0, |all, it| all | it.mask());
                if (number ^ base) & !filled != 0 {
                    return Answer::Known(false);
                }
                let mut bits: BTreeMap<Term, (u64, u64)> = BTreeMap::new();
                for it in slices {
                    let mask = it.mask() >> it.to << it.from;
                    let value = (number >> it.to << it.from) & mask;
                    let entry = bits.entry(it.of).or_default();
                    if (entry.1 ^ value) & (entry.0 & mask) != 0 {
                        return Answer::Known(false);
                    }
                    *entry = (entry.0 | mask, entry.1 | value);
                }
                let bits = bits.into_iter().map(|(of, (mask, value))| (of, mask, value)).collect();
                self.answer(terms, Claim::Are(bits), true)
            }
        }
    }

    /// Whether one is greater than another; both are whole numbers below 2^64, or nothing is known of them but this.
    fn greater(&self, terms: &mut Terms, a: Term, b: Term) -> Answer {
        let (one, other) = (self.range(terms, a), self.range(terms, b));
        let plain = [one, other].iter().all(|it| it.0 >= 0 && it.1 <= ALL);
        if a == b {
            return Answer::Known(false);
        }
        if !plain {
            return self.answer(terms, Claim::Holds(GREATER, false, a, b), true);
        }
        if one.0 > other.1 || one.1 <= other.0 {
            return Answer::Known(one.0 > other.1);
        }
        let difference = terms.add(a, b, -1);
        self.positive(terms, difference)
    }

    /// Whether a difference, as a whole number, is 1 or more.
    pub fn positive(&self, terms: &mut Terms, difference: Term) -> Answer {
        let (whole, constant) = terms.apart(difference);
        let (parts, _) = terms.parts(whole);
        match parts.first() {
            None => Answer::Known(constant > 0),
            Some((_, times)) if *times < 0 => {
                let zero = terms.number(0);
                let turned = terms.add(zero, whole, -1);
                self.answer(terms, Claim::AtMost(turned, i128::from(constant) - 1), true)
            }
            Some(_) => self.answer(terms, Claim::AtMost(whole, -i128::from(constant)), false),
        }
    }

    fn greater_signed(&self, terms: &mut Terms, short: bool, [(a, left), (b, right)]: [(Term, Term); 2]) -> Answer {
        let sign = if short { 31 } else { 63 };
        let (one, other) = (self.range(terms, a), self.range(terms, b));
        if [one, other].iter().all(|it| it.0 >= 0 && it.1 >> sign == 0) {
            return self.greater(terms, a, b);
        }
        // Greater than -1: not negative.
        if terms.as_number(b) == Some(if short { 0xffff_ffff } else { u64::MAX }) {
            let bit = terms.cut(a, sign, 1, 0);
            return self.equal_number(terms, bit, 0);
        }
        self.answer(terms, Claim::Holds(GREATER_SIGNED, short, left, right), true)
    }

    /// What is known of a claim, or that it is open.
    fn answer(&self, terms: &mut Terms, claim: Claim, way: bool) -> Answer {
        let known = match &claim {
            Claim::Are(bits) => match self.reduced(bits) {
                None => Some(false),
                Some(rest) if rest.is_empty() => Some(true),
                Some(rest) if self.nots.iter().any(|not| implies(&rest, not)) => Some(false),
                Some(rest) => return Answer::Open(Claim::Are(rest), way),
            },
            Claim::AtMost(term, limit) => match self.range(terms, *term) {
                (_, high) if high <= *limit => Some(true),
                (low, _) if low > *limit => Some(false),
                _ => None,
            },
            Claim::Holds(op, short, a, b) => self.holds.get(&(*op, *short, *a, *b)).copied(),
        };
        match known {
            Some(known) => Answer::Known(known == way),
            None => Answer::Open(claim, way),
        }
    }

    /// The bits that are not known yet; `None` where one is known to differ.
    fn reduced(&self, bits: &Bits) -> Option<Bits> {
        let mut rest = Vec::new();
        for (term, mask, value) in bits {
            let (known, is) = self.known(*term);
            if (is ^ value) & known & mask != 0 {
                return None;
            }
            if mask & !known != 0 {
                rest.push((*term, mask & !known, value & !known));
            }
        }
        Some(rest)
    }

    /// Adds that a claim holds, or that it does not. Gives back whether that can be.
    pub fn assume(&mut self, terms: &mut Terms, claim: &Claim, way: bool) -> bool {
        match claim {
            Claim::Are(bits) => {
                let can_be = if way { self.are(bits) } else { self.are_not(bits.clone()) };
                return can_be && self.is_sound(terms, bits) && bits.iter().all(|it| self.tighten(terms, it.0));
            }
            Claim::AtMost(term, limit) => {
                let (mut low, mut high) = self.range(terms, *term);
                if way {
                    high = high.min(*limit);
                } else {
                    low = low.max(limit + 1);
                }
                if low > high {
                    return false;
                }
                self.ranges.insert(*term, (low, high));
                if !self.tighten(terms, *term) {
                    return false;
                }
                let known: Vec<Term> = self.ranges.keys().copied().collect();
                return known.into_iter().all(|it| {
                    let (low, high) = self.range(terms, it);
                    low <= high
                });
            }
            Claim::Holds(op, short, a, b) => {
                self.holds.insert((*op, *short, *a, *b), way);
            }
        }
        true
    }

    /// Takes numbers that a leaf is not from the ends of its range.
    fn tighten(&mut self, terms: &mut Terms, term: Term) -> bool {
        let Node::Leaf(_, _, _, bits) = *terms.node(term) else { return true };
        let mask = if bits == 64 { u64::MAX } else { (1 << bits) - 1 };
        let Some((mut low, mut high)) = self.ranges.get(&term).copied() else { return true };
        let is_not = |facts: &Facts, value: i128| facts.nots.contains(&vec![(term, mask, value as u64)]);
        while low <= high && is_not(self, low) {
            low += 1;
        }
        while low <= high && is_not(self, high) {
            high -= 1;
        }
        self.ranges.insert(term, (low, high));
        low < high || low == high && self.are(&vec![(term, mask, low as u64)])
    }

    /// Whether what is known to be the same, or not, can be so.
    fn is_sound(&self, terms: &mut Terms, changed: &Bits) -> bool {
        self.holds.iter().all(|((op, _, a, b), way)| {
            let made: Vec<Term> = [terms.made_of(*a), terms.made_of(*b)].concat();
            if !changed.iter().any(|it| made.contains(&it.0)) {
                return true;
            }
            let (a, b) = (self.settle(terms, *a), self.settle(terms, *b));
            match (terms.as_number(a), terms.as_number(b)) {
                _ if *op != EQUAL => true,
                _ if a == b => *way,
                (Some(_), Some(_)) => !way,
                (Some(number), _) if *way => self.equal_number(terms, b, number) != Answer::Known(false),
                (_, Some(number)) if *way => self.equal_number(terms, a, number) != Answer::Known(false),
                _ => true,
            }
        })
    }

    fn are(&mut self, bits: &Bits) -> bool {
        for (term, mask, value) in bits {
            let known = self.bits.entry(*term).or_default();
            if (known.1 ^ value) & known.0 & mask != 0 {
                return false;
            }
            *known = (known.0 | mask, known.1 | value);
        }
        let nots = std::mem::take(&mut self.nots);
        nots.into_iter().all(|not| match self.reduced(&not) {
            None => true,
            Some(rest) => self.are_not(rest),
        })
    }

    fn are_not(&mut self, bits: Bits) -> bool {
        match bits[..] {
            [] => false,
            // A bit that is not one thing is the other.
            [(term, mask, value)] if mask.is_power_of_two() => self.are(&vec![(term, mask, !value & mask)]),
            _ => {
                self.nots.insert(bits);
                true
            }
        }
    }

    /// Forgets what was known before, but for what is about terms that are kept.
    pub fn forget(&mut self, before: &Facts, kept: &dyn Fn(Term) -> bool) {
        self.bits.retain(|it, known| before.bits.get(it) != Some(known) || kept(*it));
        self.ranges.retain(|it, range| before.ranges.get(it) != Some(range) || kept(*it));
        self.nots.retain(|bits| !before.nots.contains(bits) || bits.iter().all(|it| kept(it.0)));
        self.holds.retain(|it, way| before.holds.get(it) != Some(way) || kept(it.2) && kept(it.3));
    }

    /// Adds bits that are known.
    pub fn add(&mut self, other: &Facts) {
        for (it, known) in &other.bits {
            self.bits.entry(*it).or_insert(*known);
        }
    }

    /// The same of other terms; what is not about plain terms any more is forgotten.
    pub fn renamed(self, renamer: &mut Renamer) -> Facts {
        let mut out = Facts::default();
        for (term, known) in self.bits {
            let new = renamer.term(term);
            if !matches!(renamer.terms.node(new), Node::Bits(..) | Node::Number(_) | Node::Sum(..)) {
                out.bits.insert(new, known);
            }
        }
        for (term, range) in self.ranges {
            let new = renamer.term(term);
            if renamer.terms.apart(new).1 == 0 && renamer.terms.as_number(new).is_none() {
                // Other names stand in another order: see `range`.
                if renamer.terms.parts(new).0.first().is_some_and(|it| it.1 < 0) {
                    let zero = renamer.terms.number(0);
                    let turned = renamer.terms.add(zero, new, -1);
                    out.ranges.insert(turned, (-range.1, -range.0));
                } else {
                    out.ranges.insert(new, range);
                }
            }
        }
        for bits in self.nots {
            let mut new: Bits = bits.into_iter().map(|(of, mask, value)| (renamer.term(of), mask, value)).collect();
            if new.iter().all(|it| matches!(renamer.terms.node(it.0), Node::Leaf(..) | Node::Op(..))) {
                new.sort_unstable();
                out.nots.insert(new);
            }
        }
        for ((op, short, a, b), way) in self.holds {
            let (mut a, mut b) = (renamer.term(a), renamer.term(b));
            if op == EQUAL {
                (a, b) = (a.min(b), a.max(b));
            }
            out.holds.insert((op, short, a, b), way);
        }
        out
    }

    /// Of what is known, some bits of one term.
    pub fn only(&self, term: Term, mask: u64) -> Facts {
        let mut out = Facts::default();
        let (known, value) = self.known(term);
        if known & mask != 0 {
            out.bits.insert(term, (known & mask, value & mask));
        }
        out
    }

    /// Notes a range.
    pub fn within(&mut self, term: Term, low: i128, high: i128) {
        self.ranges.insert(term, (low, high));
    }

    /// Notes bits that are known.
    pub fn note(&mut self, term: Term, mask: u64, value: u64) {
        self.bits.insert(term, (mask, value));
    }
}

/// Whether some bits being so makes those of the other so.
fn implies(bits: &Bits, other: &Bits) -> bool {
    other.iter().all(|(term, mask, value)| {
        bits.iter().any(|(of, has, is)| of == term && mask & !has == 0 && (is ^ value) & mask == 0)
    })
}
