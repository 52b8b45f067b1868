//! Which bits of a number are known.

/// A set of 64-bit numbers: bits that are 0 in `mask` are those of `value`, all others may be either. `value & mask` is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bits {
    pub value: u64,
    pub mask: u64,
}

impl Bits {
    /// Every number.
    pub const ANY: Bits = Bits { value: 0, mask: u64::MAX };

    /// One number.
    pub const fn of(value: u64) -> Bits {
        Bits { value, mask: 0 }
    }

    fn masked(value: u64, mask: u64) -> Bits {
        Bits { value: value & !mask, mask }
    }

    /// The least such set that holds all numbers from `min` to `max`.
    pub fn range(min: u64, max: u64) -> Bits {
        let differing = min ^ max;
        // All bits below the first one that differs may be anything.
        let mask = u64::MAX.checked_shr(differing.leading_zeros()).unwrap_or(0);
        Bits::masked(min, mask)
    }

    /// The number, if there is one only.
    pub fn constant(self) -> Option<u64> {
        (self.mask == 0).then_some(self.value)
    }

    pub fn min(self) -> u64 {
        self.value
    }

    pub fn max(self) -> u64 {
        self.value | self.mask
    }

    pub fn add(self, other: Bits) -> Bits {
        let masks = self.mask.wrapping_add(other.mask);
        let values = self.value.wrapping_add(other.value);
        // Where the sum of the greatest differs from the sum of the least, a carry is not known.
        let carries = masks.wrapping_add(values) ^ values;
        Bits::masked(values, carries | self.mask | other.mask)
    }

    pub fn sub(self, other: Bits) -> Bits {
        let values = self.value.wrapping_sub(other.value);
        let (high, low) = (values.wrapping_add(self.mask), values.wrapping_sub(other.mask));
        Bits::masked(values, (high ^ low) | self.mask | other.mask)
    }

    pub fn and(self, other: Bits) -> Bits {
        let value = self.value & other.value;
        Bits { value, mask: self.max() & other.max() & !value }
    }

    pub fn or(self, other: Bits) -> Bits {
        let value = self.value | other.value;
        Bits { value, mask: (self.mask | other.mask) & !value }
    }

    pub fn xor(self, other: Bits) -> Bits {
        Bits::masked(self.value ^ other.value, self.mask | other.mask)
    }

    /// The product, of which trailing zeros alone are kept where a factor is not constant: no kernel knows less.
    pub fn mul(self, other: Bits) -> Bits {
        if let (Some(a), Some(b)) = (self.constant(), other.constant()) {
            return Bits::of(a.wrapping_mul(b));
        }
        let zeros = self.max().trailing_zeros() + other.max().trailing_zeros();
        Bits { value: 0, mask: u64::MAX.checked_shl(zeros).unwrap_or(0) }
    }

    pub fn shl(self, by: u32) -> Bits {
        Bits { value: self.value << by, mask: self.mask << by }
    }

    pub fn shr(self, by: u32) -> Bits {
        Bits { value: self.value >> by, mask: self.mask >> by }
    }

    pub fn sar(self, by: u32) -> Bits {
        Bits { value: (self.value as i64 >> by) as u64, mask: (self.mask as i64 >> by) as u64 }
    }

    /// The low `bytes` in the opposite order, the rest zero.
    pub fn swapped(self, bytes: i64) -> Bits {
        let swap = |word: u64| (word.swap_bytes() >> (64 - bytes * 8)) & low(bytes);
        Bits { value: swap(self.value), mask: swap(self.mask) }
    }

    /// What both sets hold, should they hold anything in common.
    pub fn intersect(self, other: Bits) -> Bits {
        Bits::masked(self.value | other.value, self.mask & other.mask)
    }

    /// The low `bytes`, the rest zero.
    pub fn cast(self, bytes: i64) -> Bits {
        let keep = low(bytes);
        Bits { value: self.value & keep, mask: self.mask & keep }
    }

    /// These high 32 bits, the low 32 of another.
    pub fn with_low32(self, low32: Bits) -> Bits {
        let high = !low(4);
        Bits { value: self.value & high | low32.value & low(4), mask: self.mask & high | low32.mask & low(4) }
    }

    /// Whether this set holds all of another.
    pub fn holds(self, other: Bits) -> bool {
        other.mask & !self.mask == 0 && self.value == other.value & !self.mask
    }

    /// Whether every number is a multiple of `size`, a power of two.
    pub fn is_aligned(self, size: i64) -> bool {
        self.max() & (size as u64 - 1) == 0
    }
}

/// All ones in so many low bytes.
pub(crate) fn low(bytes: i64) -> u64 {
    if bytes >= 8 { u64::MAX } else { (1 << (bytes * 8)) - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every set over four bits, each with its numbers.
    fn sets() -> Vec<(Bits, Vec<u64>)> {
        let all = (0..16u64)
            .flat_map(|mask| (0..16u64).filter(move |value| value & mask == 0).map(move |value| (value, mask)));
        all.map(|(value, mask)| {
            let bits = Bits { value, mask };
            (bits, (0..16).filter(|number| bits.holds(Bits::of(*number))).collect())
        })
        .collect()
    }

    #[test]
    fn every_operation_holds_the_result_of_every_pair_of_numbers() {
        type Operation = (fn(Bits, Bits) -> Bits, fn(u64, u64) -> u64);
        let operations: [Operation; 6] = [
            (Bits::add, u64::wrapping_add),
            (Bits::sub, u64::wrapping_sub),
            (Bits::mul, u64::wrapping_mul),
            (Bits::and, |a, b| a & b),
            (Bits::or, |a, b| a | b),
            (Bits::xor, |a, b| a ^ b),
        ];
        let sets = sets();
        for (known, real) in operations {
            for (a, numbers) in &sets {
                for (b, others) in &sets {
                    let all = known(*a, *b);
                    for (x, y) in numbers.iter().flat_map(|x| others.iter().map(move |y| (*x, *y))) {
                        assert!(all.holds(Bits::of(real(x, y))), "{a:?} {b:?}: {x} {y}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_range_holds_its_numbers_and_shifts_keep_them() {
        for min in 0..16 {
            for max in min..16 {
                let bits = Bits::range(min, max);
                for number in min..=max {
                    assert!(bits.holds(Bits::of(number)) && bits.shl(3).holds(Bits::of(number << 3)));
                    assert!(bits.shr(1).holds(Bits::of(number >> 1)) && bits.sar(1).holds(Bits::of(number >> 1)));
                }
            }
        }
        assert_eq!(Bits::range(0, u64::MAX), Bits::ANY);
        assert_eq!(Bits::of(u64::MAX << 4).sar(2), Bits::of(u64::MAX << 2));
    }
}
