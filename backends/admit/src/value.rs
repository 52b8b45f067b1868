//! What a register or a place in the frame holds.

use crate::scalar::Scalar;

/// What kind of thing a register holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing was written yet.
    Unset,
    /// A number.
    Number,
    /// The context of the packet.
    Context,
    /// An address in the frame.
    Frame,
    /// An address in the packet.
    Packet,
    /// The end of the packet.
    PacketEnd,
    /// An address in a value of a map, by the map's number.
    Value(usize),
    /// The same, or null.
    ValueOrNull(usize),
    /// A map itself.
    Map(usize),
}

/// What is known of the end of the packet beyond a packet pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// The packet ends before the byte in front of it.
    Beyond,
    /// The packet ends at it or before.
    AtEnd,
    /// So many bytes of the packet follow the place that its variable part leads to.
    Bytes(i64),
}

/// One register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub kind: Kind,
    /// The number, or the variable part of an address.
    pub number: Scalar,
    /// The constant part of an address; of a number that a constant was added to since it was copied, that constant.
    pub offset: i64,
    /// For packet pointers.
    pub reach: Reach,
    /// Registers with the same number here hold copies of one value; 0 for none.
    pub id: u32,
    /// A number that a constant was added to since it was copied.
    pub shifted: bool,
    /// That exactly this number was supposed further on, in a state that is kept.
    pub precise: bool,
}

impl Value {
    pub const UNSET: Value = Value {
        kind: Kind::Unset,
        number: Scalar::of(0),
        offset: 0,
        reach: Reach::Bytes(0),
        id: 0,
        shifted: false,
        precise: false,
    };

    /// A pointer to the start of something.
    pub const fn pointer(kind: Kind) -> Value {
        Value { kind, ..Value::UNSET }
    }

    pub const fn number(number: Scalar) -> Value {
        Value { kind: Kind::Number, number, ..Value::UNSET }
    }

    pub const ANY: Value = Value::number(Scalar::ANY);

    pub const fn constant(value: u64) -> Value {
        Value::number(Scalar::of(value))
    }

    pub fn is_number(&self) -> bool {
        self.kind == Kind::Number
    }

    /// The number, if it is one and known.
    pub fn as_constant(&self) -> Option<u64> {
        if self.is_number() { self.number.constant() } else { None }
    }

    pub fn is_packet(&self) -> bool {
        matches!(self.kind, Kind::Packet | Kind::PacketEnd)
    }
}
