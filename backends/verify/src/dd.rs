//! Diagrams from a key to a number: what a register holds as a function of the packet's protocol and port.
//!
//! A key is three bytes: protocol, high and low byte of the port. A diagram tests them in this order; each node lists intervals of
//! its byte. Nodes are stored once, so that equal functions are equal numbers and every operation is done once.

use rustc_hash::FxHashMap;

/// How many keys there are.
pub const KEYS: u64 = 1 << 24;

/// What a function may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Term {
    /// A number.
    Value(u64),
    /// What a read outside its table would give.
    Poison,
    /// Nothing: the path is not taken with this key.
    Elsewhere,
}

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Dd(u32);

/// Intervals of a byte by their first value, ascending from 0.
type Intervals = Box<[(u8, Dd)]>;

#[derive(Clone, PartialEq, Eq, Hash)]
enum Node {
    Leaf(Term),
    /// A byte of the key, 0 to 2, and its intervals; neighbours differ.
    Test(u8, Intervals),
}

/// An operation on two functions, point by point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Arithmetic, by bits 4 to 7 of its opcode; 64 bits.
    Alu(u8),
    /// A comparison, by bits 4 to 7 of its opcode; gives 0 or 1. The flag asks for the low 32 bits.
    Compare(u8, bool),
    /// The left where the right is not 0, else elsewhere.
    Where,
    /// The left where the right is 0, else elsewhere.
    Unless,
}

/// All functions of one proof.
#[derive(Default)]
pub struct Store {
    nodes: Vec<Node>,
    known: FxHashMap<Node, Dd>,
    done: FxHashMap<(Op, Dd, Dd), Dd>,
    loads: FxHashMap<(u64, usize, Dd), Dd>,
}

impl Store {
    fn intern(&mut self, node: Node) -> Dd {
        if let Some(known) = self.known.get(&node) {
            return *known;
        }
        let new = Dd(self.nodes.len() as u32);
        self.nodes.push(node.clone());
        self.known.insert(node, new);
        new
    }

    /// The same term for every key.
    pub fn leaf(&mut self, term: Term) -> Dd {
        self.intern(Node::Leaf(term))
    }

    /// The same number for every key.
    pub fn constant(&mut self, value: u64) -> Dd {
        self.leaf(Term::Value(value))
    }

    fn test(&mut self, byte: u8, intervals: impl IntoIterator<Item = (u8, Dd)>) -> Dd {
        let mut kept: Vec<(u8, Dd)> = Vec::new();
        for (start, next) in intervals {
            if kept.last().is_none_or(|(_, last)| *last != next) {
                kept.push((start, next));
            }
        }
        match kept[..] {
            [(_, only)] => only,
            _ => self.intern(Node::Test(byte, kept.into())),
        }
    }

    /// Some bits of the key, shifted down. Errors: `None` when they are of all three bytes, which would be a function of 2^24 values.
    pub fn bits(&mut self, shift: u32, mask: u64) -> Option<Dd> {
        let wanted = (mask << shift.min(63)) & 0xff_ffff;
        let bytes = [16u32, 8, 0].map(|at| (wanted >> at & 255) as u8);
        if shift >= 24 || wanted == 0 {
            return Some(self.constant(0));
        }
        if bytes.iter().all(|byte| *byte != 0) {
            return None;
        }
        Some(self.bits_from(0, bytes, 0, shift))
    }

    fn bits_from(&mut self, byte: u8, wanted: [u8; 3], above: u64, shift: u32) -> Dd {
        let Some(mask) = wanted.get(usize::from(byte)) else { return self.constant(above >> shift) };
        let place = 16 - 8 * u32::from(byte);
        if *mask == 0 {
            return self.bits_from(byte + 1, wanted, above, shift);
        }
        let nexts: Vec<(u8, Dd)> = (0..=255u8)
            .map(|value| (value, self.bits_from(byte + 1, wanted, above | u64::from(value & mask) << place, shift)))
            .collect();
        self.test(byte, nexts)
    }

    /// A function by its pieces: first keys, ascending from 0, each with its number.
    pub fn pieces(&mut self, pieces: &[(u32, u64)]) -> Dd {
        self.pieces_of(0, 0, pieces)
    }

    /// A function by three pieces: from 0, from `from` and from `to` on; what begins beyond the last key is no piece of it.
    pub fn stretch(&mut self, [from, to]: [u64; 2], [below, inside, above]: [u64; 3]) -> Dd {
        let mut pieces: Vec<(u32, u64)> = Vec::new();
        for (start, value) in [(0, below), (from, inside), (to, above)].into_iter().filter(|(start, _)| *start < KEYS) {
            let start = start as u32;
            pieces.pop_if(|(known, _)| *known == start);
            pieces.push((start, value));
        }
        self.pieces(&pieces)
    }

    /// The pieces of one subtree, whose keys begin at `first`; the first piece covers it.
    fn pieces_of(&mut self, byte: u8, first: u32, pieces: &[(u32, u64)]) -> Dd {
        if let [(_, value)] = pieces {
            return self.constant(*value);
        }
        let size = 1u32 << (16 - 8 * u32::from(byte));
        let mut nexts = Vec::new();
        let mut at = 0;
        for value in 0..=255u8 {
            let begin = first + u32::from(value) * size;
            // The last piece that begins at or before `begin`, up to those that begin inside.
            while at + 1 < pieces.len() && pieces[at + 1].0 <= begin {
                at += 1;
            }
            let end = at + 1 + pieces[at + 1..].iter().take_while(|(start, _)| *start < begin + size).count();
            let inside = &pieces[at..end];
            nexts.push((
                value,
                if byte == 2 { self.constant(inside[0].1) } else { self.pieces_of(byte + 1, begin, inside) },
            ));
        }
        self.test(byte, nexts)
    }

    /// `op` of two functions.
    pub fn apply(&mut self, op: Op, left: Dd, right: Dd) -> Dd {
        if let Some(done) = self.done.get(&(op, left, right)) {
            return *done;
        }
        let out = match (&self.nodes[left.0 as usize], &self.nodes[right.0 as usize]) {
            (Node::Leaf(a), Node::Leaf(b)) => {
                let term = combine(op, *a, *b);
                self.leaf(term)
            }
            (a, b) => {
                let byte = byte_of(a).min(byte_of(b));
                let (a, b) = (children(a, byte, left), children(b, byte, right));
                let pairs = merged(&a, &b);
                let nexts: Vec<(u8, Dd)> = pairs.into_iter().map(|(at, a, b)| (at, self.apply(op, a, b))).collect();
                self.test(byte, nexts)
            }
        };
        self.done.insert((op, left, right), out);
        out
    }

    /// The elements of the one table of this proof, of so many bytes, from `base` on, at what another function gives. Each is read once: a
    /// decision reads the same for every class until it comes to the leaves.
    pub fn load(&mut self, base: u64, width: usize, at: Dd, element: &dyn Fn(u64) -> Term) -> Dd {
        if let Some(done) = self.loads.get(&(base, width, at)) {
            return *done;
        }
        let out = self.map(at, element);
        self.loads.insert((base, width, at), out);
        out
    }

    /// The function of what another function gives.
    pub fn map(&mut self, of: Dd, f: &dyn Fn(u64) -> Term) -> Dd {
        self.map_with(of, f, &mut FxHashMap::default())
    }

    fn map_with(&mut self, of: Dd, f: &dyn Fn(u64) -> Term, done: &mut FxHashMap<Dd, Dd>) -> Dd {
        if let Some(done) = done.get(&of) {
            return *done;
        }
        let out = match self.nodes[of.0 as usize].clone() {
            Node::Leaf(Term::Value(value)) => self.leaf(f(value)),
            Node::Leaf(_) => of,
            Node::Test(byte, nexts) => {
                let nexts: Vec<(u8, Dd)> =
                    nexts.iter().map(|(at, next)| (*at, self.map_with(*next, f, done))).collect();
                self.test(byte, nexts)
            }
        };
        done.insert(of, out);
        out
    }

    /// The first key whose term is `wanted`, if there is one.
    pub fn find(&self, of: Dd, wanted: &dyn Fn(Term) -> bool) -> Option<(u32, Term)> {
        self.find_with(of, wanted, &mut FxHashMap::default())
    }

    fn find_with(
        &self,
        of: Dd,
        wanted: &dyn Fn(Term) -> bool,
        done: &mut FxHashMap<Dd, Option<(u32, Term)>>,
    ) -> Option<(u32, Term)> {
        if let Some(done) = done.get(&of) {
            return *done;
        }
        let found = match &self.nodes[of.0 as usize] {
            Node::Leaf(term) => wanted(*term).then_some((0, *term)),
            Node::Test(byte, nexts) => nexts.iter().find_map(|(at, next)| {
                let (key, term) = self.find_with(*next, wanted, done)?;
                Some((key | u32::from(*at) << (16 - 8 * u32::from(*byte)), term))
            }),
        };
        done.insert(of, found);
        found
    }

    /// The one term of a function that does not depend on the key.
    pub fn as_leaf(&self, of: Dd) -> Option<Term> {
        match &self.nodes[of.0 as usize] {
            Node::Leaf(term) => Some(*term),
            Node::Test(..) => None,
        }
    }
}

/// The byte that a node tests; beyond all of them for a leaf.
fn byte_of(node: &Node) -> u8 {
    match node {
        Node::Leaf(_) => u8::MAX,
        Node::Test(byte, _) => *byte,
    }
}

/// What a node leads to by the values of `byte`; itself when it does not test that one.
fn children(node: &Node, byte: u8, itself: Dd) -> Intervals {
    match node {
        Node::Test(tested, nexts) if *tested == byte => nexts.clone(),
        _ => Box::new([(0, itself)]),
    }
}

/// Two lists of intervals cut at the places of both.
fn merged(a: &[(u8, Dd)], b: &[(u8, Dd)]) -> Vec<(u8, Dd, Dd)> {
    let (mut i, mut j, mut out) = (0, 0, Vec::with_capacity(a.len() + b.len()));
    loop {
        out.push((a[i].0.max(b[j].0), a[i].1, b[j].1));
        match (a.get(i + 1), b.get(j + 1)) {
            (Some((x, _)), Some((y, _))) if x == y => (i, j) = (i + 1, j + 1),
            (Some((x, _)), Some((y, _))) if x < y => i += 1,
            (Some(_), None) => i += 1,
            (_, Some(_)) => j += 1,
            (None, None) => return out,
        }
    }
}

fn combine(op: Op, left: Term, right: Term) -> Term {
    use Term::{Elsewhere, Poison, Value};
    match (op, left, right) {
        (_, Elsewhere, _) | (_, _, Elsewhere) => Elsewhere,
        (_, _, Poison) => Poison,
        (Op::Where, left, Value(right)) => {
            if right == 0 {
                Elsewhere
            } else {
                left
            }
        }
        (Op::Unless, left, Value(right)) => {
            if right == 0 {
                left
            } else {
                Elsewhere
            }
        }
        (_, Poison, _) => Poison,
        (Op::Alu(op), Value(left), Value(right)) => alu(op, left, right).map_or(Poison, Value),
        (Op::Compare(op, short), Value(left), Value(right)) => {
            compare(op, short, left, right).map_or(Poison, |it| Value(it.into()))
        }
    }
}

/// Arithmetic of 64 bits. Errors: `None` for an operation that decisions do not use.
pub fn alu(op: u8, left: u64, right: u64) -> Option<u64> {
    Some(match op >> 4 {
        0x0 => left.wrapping_add(right),
        0x1 => left.wrapping_sub(right),
        0x2 => left.wrapping_mul(right),
        0x4 => left | right,
        0x5 => left & right,
        0x6 => left.wrapping_shl(right as u32),
        0x7 => left.wrapping_shr(right as u32),
        0xa => left ^ right,
        0xb => right,
        _ => return None,
    })
}

/// A comparison. Errors: `None` for one that does not exist.
pub fn compare(op: u8, short: bool, left: u64, right: u64) -> Option<bool> {
    let (left, right) = if short { (left & 0xffff_ffff, right & 0xffff_ffff) } else { (left, right) };
    let signed = |it: u64| if short { i64::from(it as u32 as i32) } else { it as i64 };
    Some(match op >> 4 {
        0x1 => left == right,
        0x2 => left > right,
        0x3 => left >= right,
        0x4 => left & right != 0,
        0x5 => left != right,
        0x6 => signed(left) > signed(right),
        0x7 => signed(left) >= signed(right),
        0xa => left < right,
        0xb => left <= right,
        0xc => signed(left) < signed(right),
        0xd => signed(left) <= signed(right),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eval(store: &Store, of: Dd, key: u32) -> Term {
        match &store.nodes[of.0 as usize] {
            Node::Leaf(term) => *term,
            Node::Test(byte, nexts) => {
                let value = (key >> (16 - 8 * u32::from(*byte)) & 255) as u8;
                let at = nexts.partition_point(|(start, _)| *start <= value) - 1;
                eval(store, nexts[at].1, key)
            }
        }
    }

    #[test]
    fn pieces_and_bits_give_back_what_they_are_made_of() {
        let mut store = Store::default();
        let pieces = [(0, 7), (0x06_0050, 1), (0x06_0051, 7), (0x11_0000, 2), (0x11_ff00, 9), (0xff_ffff, 3)];
        let function = store.pieces(&pieces);
        for key in [
            0, 1, 0x06_004f, 0x06_0050, 0x06_0051, 0x10_ffff, 0x11_0000, 0x11_feff, 0x11_ff00, 0x12_0000, 0xff_fffe,
            0xff_ffff,
        ] {
            let expected = pieces.iter().rev().find(|(start, _)| *start <= key).unwrap().1;
            assert_eq!(eval(&store, function, key), Term::Value(expected), "{key:x}");
        }
        for (from, to) in [(0, 1 << 24), (0, 7), (0x06_0050, 0x06_0051), (0x11_0000, 1 << 24), (9, 1 << 25)] {
            let function = store.stretch([from, to], [6, 5, 6]);
            for key in [0u32, 6, 7, 9, 0x06_004f, 0x06_0050, 0x06_0051, 0x11_0000, 0xff_ffff] {
                let inside = (from..to).contains(&u64::from(key));
                assert_eq!(eval(&store, function, key), Term::Value(if inside { 5 } else { 6 }), "{key:x} {from:x}");
            }
        }
        let middle = store.bits(8, 0xff).unwrap();
        assert_eq!(eval(&store, middle, 0x12_3456), Term::Value(0x34));
        let port = store.bits(0, 0xffff).unwrap();
        assert_eq!(eval(&store, port, 0x12_3456), Term::Value(0x3456));
        assert_eq!(store.bits(0, 0xff_ffff), None);
    }

    #[test]
    fn equal_functions_are_equal_numbers() {
        let mut store = Store::default();
        let (low, one) = (store.bits(0, 0xff).unwrap(), store.constant(1));
        let shifted = store.apply(Op::Alu(0x60), low, one);
        let doubled = store.apply(Op::Alu(0x00), low, low);
        assert_eq!(shifted, doubled);
        let other = store.pieces(&[(0, 5)]);
        assert_eq!(other, store.constant(5));
    }

    #[test]
    fn a_path_keeps_only_its_keys() {
        let mut store = Store::default();
        let (low, four) = (store.bits(0, 0xff).unwrap(), store.constant(4));
        let below = store.apply(Op::Compare(0xa0, false), low, four);
        let kept = store.apply(Op::Where, low, below);
        assert_eq!(eval(&store, kept, 3), Term::Value(3));
        assert_eq!(eval(&store, kept, 4), Term::Elsewhere);
        assert_eq!(store.find(kept, &|term| term == Term::Value(2)), Some((2, Term::Value(2))));
        assert_eq!(store.find(kept, &|term| term == Term::Value(4)), None);
    }
}
