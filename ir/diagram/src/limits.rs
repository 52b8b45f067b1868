//! What is refused before it is built.

use std::fmt;

/// How large a result may become.
///
/// The defaults hold every set of rules that a table of a kernel could hold, with room; they are there so that a hostile or
/// mistaken input ends in an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Cells of [`crate::Columns`]: cuts times classes. Default 4,000,000 (about 24 MB).
    pub cells: u64,
    /// Intervals over all L4 maps of a diagram. Default 16,000,000 (about 192 MB).
    pub intervals: u64,
    /// Rules that name a peer, summed over the signatures that occur. Default 64,000,000 (256 MB).
    pub memberships: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { cells: 4_000_000, intervals: 16_000_000, memberships: 64_000_000 }
    }
}

/// A result would exceed its limit; nothing was built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge {
    /// Which field of [`Limits`]: `cells`, `intervals` or `memberships`.
    pub what: &'static str,
    /// How much it would be, or how much it was when building stopped.
    pub needed: u64,
    /// How much may be.
    pub limit: u64,
}

impl TooLarge {
    /// Refuses `needed` above `limit`.
    pub(crate) fn check(what: &'static str, needed: u64, limit: u64) -> Result<(), TooLarge> {
        if needed > limit { Err(TooLarge { what, needed, limit }) } else { Ok(()) }
    }
}

impl fmt::Display for TooLarge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} are more than the limit of {}", self.needed, self.what, self.limit)
    }
}

impl std::error::Error for TooLarge {}
