//! Address families and prefixes.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An IP version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4, RFC 791.
    V4,
    /// IPv6, RFC 8200.
    V6,
}

impl Family {
    /// The family of an address.
    pub fn of(addr: IpAddr) -> Family {
        if addr.is_ipv4() { Family::V4 } else { Family::V6 }
    }

    /// How many bits an address has: 32 or 128.
    pub fn bits(self) -> u8 {
        match self {
            Family::V4 => 32,
            Family::V6 => 128,
        }
    }
}

/// An address prefix (CIDR, RFC 4632). Host bits are always zero; ordered by family, address, then length.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    addr: IpAddr,
    len: u8,
}

impl Prefix {
    /// The prefix of `len` bits that holds `addr`; host bits are cleared.
    ///
    /// Errors: `None` when `len` exceeds the family's bits.
    pub fn new(addr: IpAddr, len: u8) -> Option<Prefix> {
        let bits = Family::of(addr).bits();
        if len > bits {
            return None;
        }
        let addr = match addr {
            IpAddr::V4(a) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
                IpAddr::V4(Ipv4Addr::from_bits(a.to_bits() & mask))
            }
            IpAddr::V6(a) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
                IpAddr::V6(Ipv6Addr::from_bits(a.to_bits() & mask))
            }
        };
        Some(Prefix { addr, len })
    }

    /// The prefix that holds one address only.
    pub fn host(addr: IpAddr) -> Prefix {
        Prefix { addr, len: Family::of(addr).bits() }
    }

    /// Every address of a family.
    pub fn all(family: Family) -> Prefix {
        match family {
            Family::V4 => Prefix { addr: IpAddr::V4(Ipv4Addr::UNSPECIFIED), len: 0 },
            Family::V6 => Prefix { addr: IpAddr::V6(Ipv6Addr::UNSPECIFIED), len: 0 },
        }
    }

    /// The first address.
    pub fn addr(self) -> IpAddr {
        self.addr
    }

    /// The number of fixed bits. A prefix is never empty; length 0 means every address.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(self) -> u8 {
        self.len
    }

    /// The last address.
    pub fn last(self) -> IpAddr {
        let free = self.family().bits() - self.len;
        match self.addr {
            IpAddr::V4(addr) => {
                let ones = u32::MAX.checked_shl(u32::from(free)).map_or(u32::MAX, |ones| !ones);
                IpAddr::V4((addr.to_bits() | ones).into())
            }
            IpAddr::V6(addr) => {
                let ones = u128::MAX.checked_shl(u32::from(free)).map_or(u128::MAX, |ones| !ones);
                IpAddr::V6((addr.to_bits() | ones).into())
            }
        }
    }

    /// The IP version.
    pub fn family(self) -> Family {
        Family::of(self.addr)
    }

    /// Whether the address lies in the prefix; an address of the other family never does.
    pub fn contains(self, addr: IpAddr) -> bool {
        Prefix::new(addr, self.len).is_some_and(|p| p == self)
    }

    /// Whether every address of `other` lies in this prefix.
    pub fn covers(self, other: Prefix) -> bool {
        self.len <= other.len && self.contains(other.addr)
    }

    /// Reads `address/length`; host bits are allowed and cleared.
    ///
    /// Errors: `None` for anything else, a bare address included.
    pub fn parse(text: &str) -> Option<Prefix> {
        let (addr, len) = text.split_once('/')?;
        if len.is_empty() || len.len() > 3 || !len.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        if len.len() > 1 && len.starts_with('0') {
            return None;
        }
        Prefix::new(addr.parse().ok()?, len.parse().ok()?)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_bits_are_cleared() {
        assert_eq!(Prefix::parse("10.1.2.3/8"), Prefix::parse("10.0.0.0/8"));
        assert_eq!(Prefix::parse("2001:db8::7/0"), Some(Prefix::all(Family::V6)));
    }

    #[test]
    fn families_do_not_mix() {
        let any4 = Prefix::all(Family::V4);
        assert!(any4.contains("1.2.3.4".parse().unwrap()));
        assert!(!any4.contains("::1".parse().unwrap()));
    }

    #[test]
    fn what_is_not_a_prefix_is_refused() {
        for text in ["10.0.0.0", "10.0.0.0/33", "10.0.0/8", "::/129", "1.2.3.4/08", "1.2.3.4/-1", "/8"] {
            assert_eq!(Prefix::parse(text), None, "{text}");
        }
    }
}
