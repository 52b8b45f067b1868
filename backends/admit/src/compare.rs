//! Comparisons of numbers: whether one is decided already, and what each outcome teaches.

use crate::bits::{Bits, low};
use crate::scalar::{Deduction, Scalar};

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Compare {
    Eq,
    Ne,
    /// Have common bits.
    Set,
    /// Have none.
    Clear,
    Lt,
    Le,
    Gt,
    Ge,
    Slt,
    Sle,
    Sgt,
    Sge,
}

/// How many bits a comparison reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Low32,
    All,
}

impl Compare {
    /// The comparison of a conditional jump.
    pub fn of(operation: u8) -> Compare {
        match operation {
            0x10 => Compare::Eq,
            0x20 => Compare::Gt,
            0x30 => Compare::Ge,
            0x40 => Compare::Set,
            0x50 => Compare::Ne,
            0x60 => Compare::Sgt,
            0x70 => Compare::Sge,
            0xa0 => Compare::Lt,
            0xb0 => Compare::Le,
            0xc0 => Compare::Slt,
            _ => Compare::Sle,
        }
    }

    /// What holds when this does not.
    pub fn negated(self) -> Compare {
        match self {
            Compare::Eq => Compare::Ne,
            Compare::Ne => Compare::Eq,
            Compare::Set => Compare::Clear,
            Compare::Clear => Compare::Set,
            Compare::Lt => Compare::Ge,
            Compare::Ge => Compare::Lt,
            Compare::Le => Compare::Gt,
            Compare::Gt => Compare::Le,
            Compare::Slt => Compare::Sge,
            Compare::Sge => Compare::Slt,
            Compare::Sle => Compare::Sgt,
            Compare::Sgt => Compare::Sle,
        }
    }

    /// The same with its sides exchanged.
    pub fn flipped(self) -> Compare {
        match self {
            Compare::Lt => Compare::Gt,
            Compare::Gt => Compare::Lt,
            Compare::Le => Compare::Ge,
            Compare::Ge => Compare::Le,
            Compare::Slt => Compare::Sgt,
            Compare::Sgt => Compare::Slt,
            Compare::Sle => Compare::Sge,
            Compare::Sge => Compare::Sle,
            same => same,
        }
    }

    /// Whether the comparison always holds, never does, or is open (`None`).
    pub fn decided(self, a: &Scalar, b: &Scalar, width: Width, deduction: Deduction) -> Option<bool> {
        match (width, deduction) {
            (Width::Low32, Deduction::Narrow) => None,
            // What a kernel before 6.8 knows of a comparison is what it knows of a constant on the right.
            (Width::All, Deduction::Narrow) if b.constant().is_none() => None,
            (Width::Low32, Deduction::Wide) => self.outcome(&Ends::low32(a), &Ends::low32(b)),
            (Width::All, _) => self.outcome(&Ends::all(a), &Ends::all(b)).or_else(|| match (self, deduction) {
                (Compare::Eq | Compare::Ne, Deduction::Wide) if Ends::low32(a).apart(&Ends::low32(b)) => {
                    Some(self == Compare::Ne)
                }
                _ => None,
            }),
        }
    }

    fn outcome(self, a: &Ends, b: &Ends) -> Option<bool> {
        let unless = |yes: bool, no: bool| if yes { Some(true) } else { no.then_some(false) };
        match self {
            Compare::Eq => match (a.bits.constant(), b.bits.constant()) {
                (Some(a), Some(b)) => Some(a == b),
                _ => a.apart(b).then_some(false),
            },
            Compare::Ne => Compare::Eq.outcome(a, b).map(|holds| !holds),
            Compare::Set => {
                let (known, constant) = match (a.bits.constant(), b.bits.constant()) {
                    (_, Some(constant)) => (a.bits, constant),
                    (Some(constant), None) => (b.bits, constant),
                    (None, None) => return None,
                };
                unless(known.value & constant != 0, known.max() & constant == 0)
            }
            Compare::Clear => Compare::Set.outcome(a, b).map(|holds| !holds),
            Compare::Gt => unless(a.umin > b.umax, a.umax <= b.umin),
            Compare::Ge => unless(a.umin >= b.umax, a.umax < b.umin),
            Compare::Sgt => unless(a.smin > b.smax, a.smax <= b.smin),
            Compare::Sge => unless(a.smin >= b.smax, a.smax < b.smin),
            Compare::Lt | Compare::Le | Compare::Slt | Compare::Sle => self.flipped().outcome(b, a),
        }
    }

    /// Narrows both sides to what they are where the comparison holds.
    pub fn learn(self, a: &mut Scalar, b: &mut Scalar, width: Width, deduction: Deduction) {
        match (width, deduction) {
            (Width::Low32, Deduction::Narrow) => return,
            (Width::All, Deduction::Narrow) => {
                // The right side is a constant in what every kernel learns from, and stays one.
                if b.constant().is_none() || matches!(self, Compare::Ne | Compare::Set | Compare::Clear) {
                    return;
                }
                let mut constant = *b;
                self.refine64(a, &mut constant);
            }
            (Width::Low32, Deduction::Wide) => self.refine32(a, b),
            (Width::All, Deduction::Wide) => self.refine64(a, b),
        }
        for side in [a, b] {
            side.settle(deduction);
            // No packet comes here; a kernel gives the bounds up, too.
            if side.is_empty() {
                *side = Scalar { bits: side.bits, ..Scalar::ANY };
            }
        }
    }

    fn refine64(self, a: &mut Scalar, b: &mut Scalar) {
        match self {
            Compare::Eq => {
                (a.umin, a.umax) = (a.umin.max(b.umin), a.umax.min(b.umax));
                (a.smin, a.smax) = (a.smin.max(b.smin), a.smax.min(b.smax));
                a.bits = a.bits.intersect(b.bits);
                (b.umin, b.umax, b.smin, b.smax, b.bits) = (a.umin, a.umax, a.smin, a.smax, a.bits);
            }
            Compare::Ne => {
                let (a, value) = match (a.constant(), b.constant()) {
                    (_, Some(value)) => (a, value),
                    (Some(value), None) => (b, value),
                    _ => return,
                };
                a.umin = a.umin.saturating_add(u64::from(a.umin == value));
                a.umax = a.umax.saturating_sub(u64::from(a.umax == value));
                a.smin = a.smin.saturating_add(i64::from(a.smin == value as i64));
                a.smax = a.smax.saturating_sub(i64::from(a.smax == value as i64));
            }
            Compare::Set | Compare::Clear => {
                let (a, value) = match (a.constant(), b.constant()) {
                    (_, Some(value)) => (a, value),
                    (Some(value), None) => (b, value),
                    _ => return,
                };
                a.bits = match self {
                    Compare::Clear => a.bits.and(Bits::of(!value)),
                    _ if value.is_power_of_two() => a.bits.or(Bits::of(value)),
                    _ => a.bits,
                };
            }
            Compare::Le => (a.umax, b.umin) = (a.umax.min(b.umax), a.umin.max(b.umin)),
            Compare::Lt => {
                (a.umax, b.umin) = (a.umax.min(b.umax.saturating_sub(1)), a.umin.saturating_add(1).max(b.umin));
            }
            Compare::Sle => (a.smax, b.smin) = (a.smax.min(b.smax), a.smin.max(b.smin)),
            Compare::Slt => {
                (a.smax, b.smin) = (a.smax.min(b.smax.saturating_sub(1)), a.smin.saturating_add(1).max(b.smin));
            }
            Compare::Gt | Compare::Ge | Compare::Sgt | Compare::Sge => self.flipped().refine64(b, a),
        }
    }

    fn refine32(self, a: &mut Scalar, b: &mut Scalar) {
        match self {
            Compare::Eq => {
                (a.u32min, a.u32max) = (a.u32min.max(b.u32min), a.u32max.min(b.u32max));
                (a.s32min, a.s32max) = (a.s32min.max(b.s32min), a.s32max.min(b.s32max));
                let both = a.bits.cast(4).intersect(b.bits.cast(4));
                (a.bits, b.bits) = (a.bits.with_low32(both), b.bits.with_low32(both));
                (b.u32min, b.u32max, b.s32min, b.s32max) = (a.u32min, a.u32max, a.s32min, a.s32max);
            }
            // Programs of ours compare 32 bits by order alone; of the others nothing is learnt.
            Compare::Ne | Compare::Set | Compare::Clear => {}
            Compare::Le => (a.u32max, b.u32min) = (a.u32max.min(b.u32max), a.u32min.max(b.u32min)),
            Compare::Lt => {
                (a.u32max, b.u32min) =
                    (a.u32max.min(b.u32max.saturating_sub(1)), a.u32min.saturating_add(1).max(b.u32min));
            }
            Compare::Sle => (a.s32max, b.s32min) = (a.s32max.min(b.s32max), a.s32min.max(b.s32min)),
            Compare::Slt => {
                (a.s32max, b.s32min) =
                    (a.s32max.min(b.s32max.saturating_sub(1)), a.s32min.saturating_add(1).max(b.s32min));
            }
            Compare::Gt | Compare::Ge | Compare::Sgt | Compare::Sge => self.flipped().refine32(b, a),
        }
    }
}

/// The bounds that a comparison reads, in one width.
struct Ends {
    bits: Bits,
    umin: u64,
    umax: u64,
    smin: i64,
    smax: i64,
}

impl Ends {
    fn all(it: &Scalar) -> Ends {
        Ends { bits: it.bits, umin: it.umin, umax: it.umax, smin: it.smin, smax: it.smax }
    }

    fn low32(it: &Scalar) -> Ends {
        let bits = Bits { value: it.bits.value & low(4), mask: it.bits.mask & low(4) };
        Ends { bits, umin: it.u32min.into(), umax: it.u32max.into(), smin: it.s32min.into(), smax: it.s32max.into() }
    }

    /// Whether no number lies in both.
    fn apart(&self, other: &Ends) -> bool {
        self.umin > other.umax || self.umax < other.umin || self.smin > other.smax || self.smax < other.smin
    }
}
