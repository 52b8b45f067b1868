//! What a register of a decision may hold.

use crate::dd::{Dd, KEYS, Op, Store, Term};
use image::MapRef;

/// The content of a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// What this register held when the decision began.
    Kept(u8),
    /// The peer's number, shifted left.
    Peer(u32),
    /// The key, shifted right.
    Key(u32),
    /// A number below 2^24, less the key: negative exactly for greater keys.
    Less(u64),
    /// The key, shifted right, with the bits of a number turned: zero exactly for the keys that begin with it.
    Turned(u32, u64),
    /// That, less one: negative exactly for those keys.
    TurnedLess(u32, u64),
    /// A function of the key.
    Of(Dd),
    /// The class of the peer, not less than a number.
    Class(u32),
    /// The number of packets in a segmented one.
    Segments,
    /// An address in the value of a map: a constant, plus a function.
    Pointer(MapRef, u64, Option<Dd>),
    /// The address of the class of the peer.
    ClassOfPeer,
}

impl Value {
    /// The result of an arithmetic instruction of 64 bits. Errors: `None` for one that no decision needs.
    pub fn alu(
        self,
        op: u8,
        right: Value,
        is_class_table: &dyn Fn(MapRef) -> bool,
        store: &mut Store,
    ) -> Option<Value> {
        let constant = |value: Value, store: &Store| match value {
            Value::Of(dd) => match store.as_leaf(dd) {
                Some(Term::Value(value)) => Some(value),
                _ => None,
            },
            _ => None,
        };
        let number = constant(right, store);
        match (op & 0xf0, self, right) {
            (0xb0, _, right) => Some(right),
            (0x60, Value::Peer(shift), _) => Some(Value::Peer(shift + u32::try_from(number?).ok()?)),
            (0x70, Value::Key(shift), _) => Some(Value::Key(shift + u32::try_from(number?).ok()?)),
            (0x10, left, Value::Key(0)) => {
                let number = constant(left, store)?;
                (number < KEYS).then_some(Value::Less(number))
            }
            (0xa0, Value::Key(shift), _) => {
                let number = number?;
                (number < KEYS).then_some(Value::Turned(shift, number))
            }
            (0x00, Value::Turned(shift, by), _) if number == Some(u64::MAX) => Some(Value::TurnedLess(shift, by)),
            // The sign bit of a number that is not negative is 0, of another one 1.
            (0x70, Value::Less(than), _) if number == Some(63) => {
                Some(Value::Of(store.stretch([than + 1, KEYS], [0, 1, 0])))
            }
            (0x70, Value::TurnedLess(shift, by), _) if number == Some(63) && shift < 24 => {
                Some(Value::Of(store.stretch([by << shift, (by + 1) << shift], [0, 1, 0])))
            }
            (0x50, Value::Key(shift), _) => Some(Value::Of(store.bits(shift, number?)?)),
            (0x00, Value::Pointer(map, 0, None), Value::Peer(1)) if is_class_table(map) => Some(Value::ClassOfPeer),
            (0x00, Value::Pointer(map, at, dd), Value::Of(add)) => {
                let dd = match dd {
                    Some(dd) => store.apply(Op::Alu(0), dd, add),
                    None => add,
                };
                Some(Value::Pointer(map, at, Some(dd)))
            }
            (op, Value::Of(left), Value::Of(right)) => Some(Value::Of(store.apply(Op::Alu(op), left, right))),
            _ => None,
        }
    }
}
