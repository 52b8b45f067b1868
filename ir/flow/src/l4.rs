//! The 24-bit L4 key and canonical sets of it.

use std::fmt;

/// An IP protocol number (IANA "Assigned Internet Protocol Numbers").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Protocol(pub u8);

impl Protocol {
    /// ICMP for IPv4, RFC 792.
    pub const ICMP: Protocol = Protocol(1);
    /// TCP, RFC 9293.
    pub const TCP: Protocol = Protocol(6);
    /// UDP, RFC 768.
    pub const UDP: Protocol = Protocol(17);
    /// ICMP for IPv6, RFC 4443.
    pub const ICMPV6: Protocol = Protocol(58);
    /// SCTP, RFC 9260.
    pub const SCTP: Protocol = Protocol(132);

    /// Every key of this protocol.
    pub fn all_ports(self) -> L4Set {
        L4Set::interval(L4Key::new(self, 0), L4Key::new(self, 0xffff))
    }

    /// Reads a protocol from its name, any case, or its number.
    ///
    /// Errors: `None` for a name that the policy language does not know.
    pub fn parse(text: &str) -> Option<Protocol> {
        match text.to_ascii_lowercase().as_str() {
            "tcp" => Some(Self::TCP),
            "udp" => Some(Self::UDP),
            "sctp" => Some(Self::SCTP),
            "icmp" => Some(Self::ICMP),
            "icmpv6" => Some(Self::ICMPV6),
            other => other.parse().ok().map(Protocol),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ICMP => f.write_str("icmp"),
            Self::TCP => f.write_str("tcp"),
            Self::UDP => f.write_str("udp"),
            Self::ICMPV6 => f.write_str("icmpv6"),
            Self::SCTP => f.write_str("sctp"),
            Protocol(n) => write!(f, "{n}"),
        }
    }
}

/// What a rule can tell apart above the network layer.
///
/// Units: `protocol << 16 | destination port`, host order; for ICMP and ICMPv6 the low half is `type << 8 | code`.
/// Source: CORE form of the decision diagram, `docs/dev/architecture.md`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct L4Key(u32);

impl L4Key {
    /// The least key.
    pub const MIN: L4Key = L4Key(0);
    /// The greatest key.
    pub const MAX: L4Key = L4Key(0x00ff_ffff);

    /// The key of a protocol and its 16-bit discriminator (port, or ICMP type and code).
    pub const fn new(protocol: Protocol, low: u16) -> L4Key {
        L4Key((protocol.0 as u32) << 16 | low as u32)
    }

    /// The key of an ICMP or ICMPv6 message.
    pub const fn icmp(protocol: Protocol, kind: u8, code: u8) -> L4Key {
        L4Key::new(protocol, (kind as u16) << 8 | code as u16)
    }

    /// The key with this number, or `None` above 24 bits.
    pub const fn from_raw(raw: u32) -> Option<L4Key> {
        if raw <= Self::MAX.0 { Some(L4Key(raw)) } else { None }
    }

    /// The key as a number below 2^24.
    pub const fn raw(self) -> u32 {
        self.0
    }

    /// The protocol half.
    pub const fn protocol(self) -> Protocol {
        Protocol((self.0 >> 16) as u8)
    }

    /// The discriminator half: port, or ICMP `type << 8 | code`.
    pub const fn low(self) -> u16 {
        self.0 as u16
    }
}

impl fmt::Debug for L4Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for L4Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.protocol() {
            p @ (Protocol::ICMP | Protocol::ICMPV6) => {
                write!(f, "{p}/{}.{}", self.low() >> 8, self.low() & 0xff)
            }
            p => write!(f, "{p}/{}", self.low()),
        }
    }
}

/// A set of L4 keys.
///
/// Shape: intervals with both ends included, ascending, disjoint, never adjacent; may be empty. Equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct L4Set {
    intervals: Vec<(L4Key, L4Key)>,
}

impl L4Set {
    /// The set of every key: all protocols, all ports.
    pub fn all() -> L4Set {
        L4Set::interval(L4Key::MIN, L4Key::MAX)
    }

    /// The keys from `low` to `high`, both included; empty when `low > high`.
    pub fn interval(low: L4Key, high: L4Key) -> L4Set {
        L4Set::from_intervals([(low, high)])
    }

    /// The ports from `low` to `high` of one protocol, both included.
    pub fn ports(protocol: Protocol, low: u16, high: u16) -> L4Set {
        L4Set::interval(L4Key::new(protocol, low), L4Key::new(protocol, high))
    }

    /// All codes of one ICMP type.
    pub fn icmp_type(protocol: Protocol, kind: u8) -> L4Set {
        L4Set::interval(L4Key::icmp(protocol, kind, 0), L4Key::icmp(protocol, kind, 255))
    }

    /// Normalises any intervals into a set; those with `low > high` count as empty.
    pub fn from_intervals(intervals: impl IntoIterator<Item = (L4Key, L4Key)>) -> L4Set {
        let mut raw: Vec<_> = intervals.into_iter().filter(|(low, high)| low <= high).collect();
        raw.sort_unstable();
        let mut merged: Vec<(L4Key, L4Key)> = Vec::with_capacity(raw.len());
        for (low, high) in raw {
            match merged.last_mut() {
                Some(last) if low.0 <= last.1.0.saturating_add(1) => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        L4Set { intervals: merged }
    }

    /// The intervals, ascending.
    pub fn intervals(&self) -> &[(L4Key, L4Key)] {
        &self.intervals
    }

    /// Whether no key is in the set.
    pub fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    /// Whether every key is in the set.
    pub fn is_all(&self) -> bool {
        self.intervals == [(L4Key::MIN, L4Key::MAX)]
    }

    /// Whether `key` is in the set. Cost: logarithmic in the intervals.
    pub fn contains(&self, key: L4Key) -> bool {
        let at = self.intervals.partition_point(|(low, _)| *low <= key);
        at > 0 && self.intervals[at - 1].1 >= key
    }

    /// The keys in either set.
    pub fn union(&self, other: &L4Set) -> L4Set {
        L4Set::from_intervals(self.intervals.iter().chain(&other.intervals).copied())
    }

    /// The keys in both sets.
    pub fn intersect(&self, other: &L4Set) -> L4Set {
        let mut out = Vec::new();
        let (mut i, mut j) = (0, 0);
        while let (Some(a), Some(b)) = (self.intervals.get(i), other.intervals.get(j)) {
            let (low, high) = (a.0.max(b.0), a.1.min(b.1));
            if low <= high {
                out.push((low, high));
            }
            if a.1 < b.1 { i += 1 } else { j += 1 }
        }
        L4Set { intervals: out }
    }

    /// The keys not in the set.
    pub fn complement(&self) -> L4Set {
        let mut out = Vec::with_capacity(self.intervals.len() + 1);
        let mut next = 0;
        for (low, high) in &self.intervals {
            if low.0 > next {
                out.push((L4Key(next), L4Key(low.0 - 1)));
            }
            next = high.0 + 1;
        }
        if next <= L4Key::MAX.0 {
            out.push((L4Key(next), L4Key::MAX));
        }
        L4Set { intervals: out }
    }
}

impl fmt::Display for L4Set {
    /// `any`, `none`, or a comma-separated list such as `tcp/80,udp/1000-2000,sctp/*,icmp/8.0-8.255`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_all() {
            return f.write_str("any");
        }
        if self.is_empty() {
            return f.write_str("none");
        }
        for (i, (low, high)) in self.intervals.iter().enumerate() {
            if i > 0 {
                f.write_str(",")?;
            }
            match (low, high) {
                (l, h) if l == h => write!(f, "{l}")?,
                (l, h) if l.low() == 0 && h.low() == 0xffff => {
                    write!(f, "{}/*", l.protocol())?;
                    if l.protocol() != h.protocol() {
                        write!(f, "-{}/*", h.protocol())?;
                    }
                }
                (l, h) if l.protocol() == h.protocol() => {
                    let high = h.to_string();
                    let tail = high.split_once('/').map_or(high.as_str(), |(_, tail)| tail);
                    write!(f, "{l}-{tail}")?;
                }
                (l, h) => write!(f, "{l}-{h}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(parts: &[(u32, u32)]) -> L4Set {
        L4Set::from_intervals(parts.iter().map(|&(a, b)| (L4Key(a), L4Key(b))))
    }

    #[test]
    fn overlapping_and_adjacent_intervals_become_one() {
        assert_eq!(set(&[(5, 9), (0, 4), (8, 12)]), set(&[(0, 12)]));
    }

    #[test]
    fn algebra_agrees_with_membership() {
        let (a, b) = (set(&[(3, 7), (20, 30)]), set(&[(6, 22), (40, 41)]));
        for raw in 0..50 {
            let key = L4Key(raw);
            assert_eq!(a.union(&b).contains(key), a.contains(key) || b.contains(key));
            assert_eq!(a.intersect(&b).contains(key), a.contains(key) && b.contains(key));
            assert_eq!(a.complement().contains(key), !a.contains(key));
        }
        assert_eq!(a.complement().complement(), a);
        assert!(L4Set::all().complement().is_empty());
    }

    #[test]
    fn sets_print_as_people_write_them() {
        let printed = L4Set::ports(Protocol::TCP, 80, 80)
            .union(&L4Set::ports(Protocol::UDP, 1000, 2000))
            .union(&Protocol::SCTP.all_ports())
            .union(&L4Set::icmp_type(Protocol::ICMP, 8));
        assert_eq!(printed.to_string(), "icmp/8.0-8.255,tcp/80,udp/1000-2000,sctp/*");
    }
}
