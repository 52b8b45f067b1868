//! Connections: find the entry of a tuple, judge it, keep it up to date, make new ones.
//!
//! ```text
//!  tuple ─► key, index ─► 8 ways ─┬─ reply ───────────────────────────► touch ─► pass
//!                                 ├─ forward ─► decide ─ allowed ──────► touch ─► pass
//!                                 └─ miss, stale ─► decide ─ allowed ──► insert ─► pass
//! ```
//! An entry is read as: state word, key, state word again; a change in between makes it somebody else's. It is taken over by a
//! compare-and-exchange of its state word to `BUSY` with the next generation, then the key is written, then the live state.
//! Where kernels have no such instruction, a lock makes one of a comparison and a store (`lock`).
//! A reader on a machine that reorders loads may see a stale key beside a fresh state for one packet; x86-64 does not.

mod insert;
mod key;
mod lock;
mod lookup;
pub(crate) use lookup::Exits;
mod touch;
