//! Kernel versions, and where their verifiers differ for programs of ours.

use crate::scalar::Deduction;
use std::fmt;
use std::str::FromStr;

/// A kernel version, mainline's first two numbers. What distributions bring back from later versions is not supposed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kernel {
    major: u8,
    minor: u8,
}

impl Kernel {
    /// The oldest version that this crate knows.
    pub const FIRST: Kernel = Kernel { major: 5, minor: 10 };
    /// The newest version that this crate knows, and the one whose figures it is held to: as 6.18.44 has it.
    pub const LAST: Kernel = Kernel { major: 6, minor: 18 };

    /// Every version that this crate knows, ascending.
    pub fn all() -> Vec<Kernel> {
        let of = |major, minors: std::ops::RangeInclusive<u8>| minors.map(move |minor| Kernel { major, minor });
        of(5, 10..=19).chain(of(6, 0..=18)).collect()
    }

    /// Its two numbers.
    pub const fn numbers(self) -> (u8, u8) {
        (self.major, self.minor)
    }

    const fn is(self, major: u8, minor: u8) -> bool {
        self.major > major || self.major == major && self.minor >= minor
    }

    /// What of the verifier differs.
    pub(crate) fn rules(self) -> Rules {
        Rules {
            deduction: if self.is(6, 8) { Deduction::Wide } else { Deduction::Narrow },
            packet_ends: self.is(5, 11),
            fetches: self.is(5, 12),
            wide_values: self.is(6, 0),
            matched_locks: self.is(6, 2),
            unset_stack: self.is(6, 4),
            narrow_spills: self.is(6, 8),
            open_operands: self.is(6, 11),
            shifted_copies: self.is(6, 12),
            long_history: self.is(6, 13),
            followed_swaps: self.is(6, 18),
            joint_liveness: self.is(6, 18),
        }
    }
}

impl fmt::Display for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for Kernel {
    type Err = String;

    /// Reads `major.minor`, whatever follows a third number aside. Errors: a text of another form, or a version outside of what is known.
    fn from_str(text: &str) -> Result<Kernel, String> {
        let mut numbers = text.split(['.', '-']).map(str::parse::<u8>);
        let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else {
            return Err(format!("`{text}` is no kernel version such as 6.6"));
        };
        let kernel = Kernel { major, minor };
        match Kernel::all().contains(&kernel) {
            true => Ok(kernel),
            false => Err(format!("kernel {kernel} is not known here; known are {} to {}", Kernel::FIRST, Kernel::LAST)),
        }
    }
}

/// Where verifiers differ. Each field that is `false` makes this crate stricter, or blinder, never more lenient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    /// What is concluded from bounds.
    pub deduction: Deduction,
    /// A pointer that was compared with the packet's end once is not compared twice (5.11).
    pub packet_ends: bool,
    /// Atomic operations that give the old value back, and those other than addition (5.12).
    pub fetches: bool,
    /// Arrays whose values exceed 4 MiB (6.0).
    pub wide_values: bool,
    /// Two paths under a lock are alike whatever the numbers of their look-ups (6.2).
    pub matched_locks: bool,
    /// Programs may read bytes of the frame that they never wrote, given the privilege (6.4).
    pub unset_stack: bool,
    /// Immediates and registers of any size and bounds are followed through the frame (6.8).
    pub narrow_spills: bool,
    /// What is known of both sides of a product, of `or` and of `xor` is known of the result (6.11); before, of a constant on the right.
    pub open_operands: bool,
    /// A copy that a constant was added to learns with what it was copied from (6.12).
    pub shifted_copies: bool,
    /// More than 40 noted instructions make a state by themselves (6.13).
    pub long_history: bool,
    /// A swap of bytes swaps what is known of their bits (6.18.44; not 6.12.117).
    pub followed_swaps: bool,
    /// What is read later on is known for all paths of an instruction together (6.18); before, for each kept state.
    pub joint_liveness: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_kernels_write_them() {
        assert_eq!("5.10".parse(), Ok(Kernel::FIRST));
        assert_eq!("6.18.44-amd64".parse(), Ok(Kernel::LAST));
        assert_eq!("six".parse::<Kernel>(), Err("`six` is no kernel version such as 6.6".into()));
        let unknown = "kernel 5.4 is not known here; known are 5.10 to 6.18";
        assert_eq!("5.4.0".parse::<Kernel>(), Err(unknown.into()));
        assert_eq!(Kernel::all().len(), 29);
    }
}
