//! `BPF_MAP_TYPE_RINGBUF`: records in the order of their reservation, readable up to the first that is still being written.
//!
//! ```text
//!  consumed ──► submitted │ discarded │ reserved │ submitted ◄── produced
//!               readable    skipped     ╰─ hides all behind it
//! ```
//! Source: Linux, `kernel/bpf/ringbuf.c`.

use std::collections::VecDeque;

/// Bytes of the header that precedes each record in the buffer.
const HEADER: u64 = 8;
/// The greatest length that a header can say.
const MAX_RECORD: u64 = (u32::MAX >> 2) as u64;

/// A ring buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ring {
    size: u64,
    used: u64,
    records: VecDeque<Slot>,
    /// How many records were ever taken out at the front; makes reservation numbers stable.
    taken: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Slot {
    state: State,
    data: Vec<u8>,
    room: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reserved,
    Submitted,
    Discarded,
}

/// A record that is being written. Each is submitted or discarded once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reservation(u64);

impl Ring {
    /// An empty ring of `size` bytes, a power of two.
    pub fn new(size: u32) -> Ring {
        Ring { size: u64::from(size), used: 0, records: VecDeque::new(), taken: 0 }
    }

    /// Room for a record, or `None` when the ring is full. The room holds whatever was there; here zeros.
    pub fn reserve(&mut self, len: u64) -> Option<Reservation> {
        if len > MAX_RECORD {
            return None;
        }
        let room = (len + HEADER).next_multiple_of(8);
        // Kernel: `new_prod_pos - cons_pos > rb->mask` refuses, so the last byte is never filled.
        if room > self.size || self.used + room > self.size.saturating_sub(1) {
            return None;
        }
        self.used += room;
        self.records.push_back(Slot { state: State::Reserved, data: vec![0; len as usize], room });
        Some(Reservation(self.taken + self.records.len() as u64 - 1))
    }

    /// The bytes of a record that is being written; `None` once it is not.
    pub fn data_mut(&mut self, reservation: Reservation) -> Option<&mut [u8]> {
        self.open(reservation).map(|slot| &mut slot.data[..])
    }

    /// The bytes of a record that is being written; `None` once it is not.
    pub fn data(&self, reservation: Reservation) -> Option<&[u8]> {
        let index = usize::try_from(reservation.0.checked_sub(self.taken)?).ok()?;
        self.records.get(index).filter(|slot| slot.state == State::Reserved).map(|slot| &slot.data[..])
    }

    /// Makes a record readable. Errors: `None` when it is not being written.
    pub fn submit(&mut self, reservation: Reservation) -> Option<()> {
        self.open(reservation)?.state = State::Submitted;
        Some(())
    }

    /// Gives a record up. Errors: `None` when it is not being written.
    pub fn discard(&mut self, reservation: Reservation) -> Option<()> {
        self.open(reservation)?.state = State::Discarded;
        Some(())
    }

    /// Reserves, copies and submits. Errors: `None` when the ring is full.
    pub fn output(&mut self, data: &[u8]) -> Option<()> {
        let reservation = self.reserve(data.len() as u64)?;
        self.data_mut(reservation)?.copy_from_slice(data);
        self.submit(reservation)
    }

    /// Takes the oldest readable record.
    pub fn consume(&mut self) -> Option<Vec<u8>> {
        loop {
            if self.records.front()?.state == State::Reserved {
                return None;
            }
            let slot = self.records.pop_front()?;
            self.taken += 1;
            self.used -= slot.room;
            if slot.state == State::Submitted {
                return Some(slot.data);
            }
        }
    }

    fn open(&mut self, reservation: Reservation) -> Option<&mut Slot> {
        let index = usize::try_from(reservation.0.checked_sub(self.taken)?).ok()?;
        self.records.get_mut(index).filter(|slot| slot.state == State::Reserved)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_in_the_order_of_reservation() {
        let mut ring = Ring::new(4096);
        let first = ring.reserve(2).unwrap();
        ring.output(b"second").unwrap();
        assert_eq!(ring.consume(), None);
        ring.data_mut(first).unwrap().copy_from_slice(b"1s");
        ring.submit(first).unwrap();
        assert_eq!(ring.submit(first), None);
        assert_eq!(ring.data_mut(first), None);
        assert_eq!(ring.consume().as_deref(), Some(&b"1s"[..]));
        assert_eq!(ring.consume().as_deref(), Some(&b"second"[..]));
        assert_eq!(ring.consume(), None);
    }

    #[test]
    fn a_discarded_record_is_never_read() {
        let mut ring = Ring::new(4096);
        let gone = ring.reserve(8).unwrap();
        ring.discard(gone).unwrap();
        assert_eq!(ring.consume(), None);
        assert_eq!(ring.discard(gone), None);
    }

    #[test]
    fn a_full_ring_refuses_until_it_is_read() {
        let mut ring = Ring::new(64);
        // 16 bytes with the header; the ring keeps one byte free, so the fourth does not fit.
        let taken = (0..5).filter(|_| ring.output(b"12345678").is_some()).count();
        assert_eq!(taken, 3);
        ring.consume();
        assert!(ring.output(b"12345678").is_some());
        assert!(ring.reserve(1 << 40).is_none());
    }
}
