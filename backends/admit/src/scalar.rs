//! A number that is not known: which bits are, and between which bounds it lies.

use crate::bits::{Bits, low};
use crate::insn::op;

/// How much a kernel concludes from one kind of bounds about another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Deduction {
    /// What every kernel concludes: 64-bit bounds from each other and from bits. Bounds of 32 bits come from bits alone.
    Narrow,
    /// What kernels conclude from 6.8 on: bounds of 32 and 64 bits from each other, and both sides of a comparison.
    Wide,
}

/// A set of numbers, as the least box around them in four readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub bits: Bits,
    pub smin: i64,
    pub smax: i64,
    pub umin: u64,
    pub umax: u64,
    pub s32min: i32,
    pub s32max: i32,
    pub u32min: u32,
    pub u32max: u32,
}

impl Scalar {
    /// Every number.
    pub const ANY: Scalar = Scalar {
        bits: Bits::ANY,
        smin: i64::MIN,
        smax: i64::MAX,
        umin: 0,
        umax: u64::MAX,
        s32min: i32::MIN,
        s32max: i32::MAX,
        u32min: 0,
        u32max: u32::MAX,
    };

    /// One number.
    pub const fn of(value: u64) -> Scalar {
        Scalar {
            bits: Bits::of(value),
            smin: value as i64,
            smax: value as i64,
            umin: value,
            umax: value,
            s32min: value as i32,
            s32max: value as i32,
            u32min: value as u32,
            u32max: value as u32,
        }
    }

    /// The number, if there is one only.
    pub fn constant(&self) -> Option<u64> {
        self.bits.constant()
    }

    /// Whether bounds and bits agree that there is one number.
    pub fn is_settled(&self) -> bool {
        self.constant().is_some() && self.smin == self.smax && self.umin == self.umax
    }

    /// Whether bounds contradict each other: what a path has that no packet takes.
    pub fn is_empty(&self) -> bool {
        self.smin > self.smax || self.umin > self.umax
    }

    /// How many low bits the greatest number has.
    pub fn width(&self) -> u32 {
        u64::BITS - self.umax.leading_zeros()
    }

    /// Whether this set holds all of another, reading by reading.
    pub fn holds(&self, other: &Scalar) -> bool {
        self.umin <= other.umin
            && self.umax >= other.umax
            && self.smin <= other.smin
            && self.smax >= other.smax
            && self.u32min <= other.u32min
            && self.u32max >= other.u32max
            && self.s32min <= other.s32min
            && self.s32max >= other.s32max
            && self.bits.holds(other.bits)
    }

    /// The low bytes, as a load of fewer than eight leaves them.
    pub fn cast(&self, bytes: i64, deduction: Deduction) -> Scalar {
        let mask = low(bytes);
        let (umin, umax) = match self.umin & !mask == self.umax & !mask {
            true => (self.umin & mask, self.umax & mask),
            false => (0, mask),
        };
        let mut out = Scalar { bits: self.bits.cast(bytes), umin, umax, ..Scalar::ANY };
        (out.smin, out.smax) = if bytes < 8 { (umin as i64, umax as i64) } else { (self.smin, self.smax) };
        if bytes >= 4 {
            (out.s32min, out.s32max, out.u32min, out.u32max) = (self.s32min, self.s32max, self.u32min, self.u32max);
        }
        out.settle(deduction);
        out
    }

    /// Makes the readings agree as far as a kernel does.
    pub fn settle(&mut self, deduction: Deduction) {
        self.learn_from_bits();
        match deduction {
            Deduction::Narrow => self.signs64(),
            Deduction::Wide => {
                for _ in 0..3 {
                    self.down();
                    self.signs32();
                    self.signs64();
                    self.up();
                }
            }
        }
        let all = self.bits.intersect(Bits::range(self.umin, self.umax));
        let low32 = Bits { value: all.value & low(4), mask: all.mask & low(4) };
        let low32 = match deduction {
            Deduction::Narrow => low32,
            Deduction::Wide => low32.intersect(Bits::range(self.u32min.into(), self.u32max.into())),
        };
        self.bits = all.with_low32(low32);
        self.learn_from_bits();
    }

    fn learn_from_bits(&mut self) {
        let (sign, rest) = (i64::MIN as u64, i64::MAX as u64);
        self.smin = self.smin.max((self.bits.value | self.bits.mask & sign) as i64);
        self.smax = self.smax.min((self.bits.value | self.bits.mask & rest) as i64);
        self.umin = self.umin.max(self.bits.min());
        self.umax = self.umax.min(self.bits.max());
        let (value, mask) = (self.bits.value as u32, self.bits.mask as u32);
        self.s32min = self.s32min.max((value | mask & 1 << 31) as i32);
        self.s32max = self.s32max.min((value | mask & (i32::MAX as u32)) as i32);
        self.u32min = self.u32min.max(value);
        self.u32max = self.u32max.min(value | mask);
    }

    /// Signed from unsigned bounds and back, where neither crosses the place where their orders differ.
    fn signs64(&mut self) {
        if self.umin as i64 <= self.umax as i64 {
            self.smin = self.smin.max(self.umin as i64);
            self.smax = self.smax.min(self.umax as i64);
        }
        if self.smin as u64 <= self.smax as u64 {
            self.umin = self.umin.max(self.smin as u64);
            self.umax = self.umax.min(self.smax as u64);
        }
    }

    fn signs32(&mut self) {
        if self.u32min as i32 <= self.u32max as i32 {
            self.s32min = self.s32min.max(self.u32min as i32);
            self.s32max = self.s32max.min(self.u32max as i32);
        }
        if self.s32min as u32 <= self.s32max as u32 {
            self.u32min = self.u32min.max(self.s32min as u32);
            self.u32max = self.u32max.min(self.s32max as u32);
        }
    }

    /// Bounds of 32 bits from those of 64, where the high halves of both ends are the same.
    fn down(&mut self) {
        let ends = [(self.umin, self.umax), (self.smin as u64, self.smax as u64)];
        for (min, max) in ends {
            if min >> 32 != max >> 32 {
                continue;
            }
            if min as u32 <= max as u32 {
                self.u32min = self.u32min.max(min as u32);
                self.u32max = self.u32max.min(max as u32);
            }
            if min as i32 <= max as i32 {
                self.s32min = self.s32min.max(min as i32);
                self.s32max = self.s32max.min(max as i32);
            }
        }
    }

    /// Bounds of 64 bits from those of 32: the low half of each end.
    fn up(&mut self) {
        let high = !low(4);
        let (min, max) = (u64::from(self.u32min), u64::from(self.u32max));
        self.umin = self.umin.max(self.umin & high | min);
        self.umax = self.umax.min(self.umax & high | max);
        self.smin = self.smin.max((self.smin as u64 & high | min) as i64);
        self.smax = self.smax.min((self.smax as u64 & high | max) as i64);
        // Numbers of 32 bits with their sign: both halves are one number then.
        if self.s32min >= 0 && self.smin >= i64::from(i32::MIN) && self.smax <= i64::from(i32::MAX) {
            (self.smin, self.smax) = (self.s32min.into(), self.s32max.into());
            (self.umin, self.umax) = (self.s32min as u64, self.s32max as u64);
            self.bits = self.bits.intersect(Bits::range(self.umin, self.umax));
        }
    }

    /// The result of 64-bit arithmetic with another number.
    pub fn apply(&self, operation: u8, other: &Scalar, deduction: Deduction) -> Scalar {
        let mut out = match operation {
            op::ADD => self.add(other),
            op::SUB => self.sub(other),
            op::MUL => self.mul(other),
            op::AND => self.bitwise(self.bits.and(other.bits), 0, self.umax.min(other.umax)),
            op::OR => self.bitwise(self.bits.or(other.bits), self.umin.max(other.umin), u64::MAX),
            op::XOR => self.bitwise(self.bits.xor(other.bits), 0, u64::MAX),
            op::SHL | op::SHR | op::SAR => match other.constant() {
                Some(by) if by < 64 && other.is_settled() => self.shift(operation, by as u32),
                _ => return Scalar::ANY,
            },
            _ => return Scalar::ANY,
        };
        out.settle(deduction);
        out
    }

    fn add(&self, other: &Scalar) -> Scalar {
        let mut out = Scalar { bits: self.bits.add(other.bits), ..Scalar::ANY };
        if let (Some(min), Some(max)) = (self.smin.checked_add(other.smin), self.smax.checked_add(other.smax)) {
            (out.smin, out.smax) = (min, max);
        }
        if let (Some(min), Some(max)) = (self.umin.checked_add(other.umin), self.umax.checked_add(other.umax)) {
            (out.umin, out.umax) = (min, max);
        }
        out
    }

    fn sub(&self, other: &Scalar) -> Scalar {
        let mut out = Scalar { bits: self.bits.sub(other.bits), ..Scalar::ANY };
        if let (Some(min), Some(max)) = (self.smin.checked_sub(other.smax), self.smax.checked_sub(other.smin)) {
            (out.smin, out.smax) = (min, max);
        }
        if let (Some(min), Some(max)) = (self.umin.checked_sub(other.umax), self.umax.checked_sub(other.umin)) {
            (out.umin, out.umax) = (min, max);
        }
        out
    }

    /// Kernels before 6.14 keep the bounds of a product only where no factor may be negative or above 32 bits; so does this.
    fn mul(&self, other: &Scalar) -> Scalar {
        let mut out = Scalar { bits: self.bits.mul(other.bits), ..Scalar::ANY };
        let small = self.umax.max(other.umax) <= u64::from(u32::MAX);
        if self.smin >= 0 && other.smin >= 0 && small {
            (out.umin, out.umax) = (self.umin * other.umin, self.umax * other.umax);
        }
        out
    }

    fn bitwise(&self, bits: Bits, umin: u64, umax: u64) -> Scalar {
        Scalar { bits, umin: umin.max(bits.min()), umax: umax.min(bits.max()), ..Scalar::ANY }
    }

    fn shift(&self, operation: u8, by: u32) -> Scalar {
        match operation {
            op::SHL => {
                let mut out = Scalar { bits: self.bits.shl(by), ..Scalar::ANY };
                if self.umax.leading_zeros() >= by {
                    (out.umin, out.umax) = (self.umin << by, self.umax << by);
                }
                out
            }
            op::SHR => Scalar { bits: self.bits.shr(by), umin: self.umin >> by, umax: self.umax >> by, ..Scalar::ANY },
            _ => Scalar { bits: self.bits.sar(by), smin: self.smin >> by, smax: self.smax >> by, ..Scalar::ANY },
        }
    }
}
