//! Traffic of a fixed rate that can be reconciled packet by packet while policies change under it.
//!
//! ```text
//!  caller        start ───────── swap ─── swap ─── swap ───────── stop
//!  sender        1 2 3 4 5 6 7 8 9 …  every packet numbered, its time of sending kept          (one thread)
//!  receiver        1 2 3   5 6 7   9 …  its time of arrival kept, by number                    (one thread)
//!  report        flow 0: sent 9, received 7, missing 4 and 8, each with the span of time in which it was decided
//! ```
//!
//! A packet that is missing was dropped by a program, or by something that is counted and reported with it
//! ([`Losses`]): a full socket buffer, a wrong checksum, a full backlog. Where those are zero, missing means denied.

pub mod connections;
pub mod epochs;
pub mod report;

mod run;
mod sockets;

pub use connections::Connections;
pub use epochs::{Swap, possible};
pub use report::{FlowReport, Gap, Losses, Packet, Report};
pub use run::Traffic;

use std::time::{SystemTime, UNIX_EPOCH};

use crate::probe::End;

/// A moment in nanoseconds since 1970 of the kernel's realtime clock, which also stamps packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nanos(pub u64);

impl Nanos {
    /// This moment.
    pub fn now() -> Nanos {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        // Saturates in the year 2554.
        Nanos(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
    }
}

/// Numbered UDP packets one way. The reverse of a flow (ends and ports exchanged) uses the same two sockets, so that the
/// pair is one connection to a program that tracks connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Who sends.
    pub from: End,
    /// The source port, host order.
    pub from_port: u16,
    /// Who receives; of the same family.
    pub to: End,
    /// The destination port, host order.
    pub to_port: u16,
    /// Packets per second.
    pub rate: u32,
    /// Bytes of UDP payload, at least [`HEADER_BYTES`].
    pub payload_bytes: u16,
}

impl Flow {
    /// The same pair of sockets, the other way.
    pub fn reversed(self) -> Flow {
        Flow { from: self.to, from_port: self.to_port, to: self.from, to_port: self.from_port, ..self }
    }
}

/// The least payload: which run, which flow, which number.
pub const HEADER_BYTES: u16 = 16;
