//! Reads L4 keys and sets as they print, and prints sets of peers.

use std::fmt::{self, Write};

use crate::{L4Key, L4Set, PeerSet, Protocol};

impl fmt::Display for PeerSet {
    /// Numbers and ranges, for example `{3,7-9}`; `{}` for nobody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('{')?;
        let mut peers = self.iter().map(|peer| peer.0).peekable();
        let mut separator = "";
        while let Some(low) = peers.next() {
            let mut high = low;
            while let Some(next) = peers.next_if(|next| next - 1 == high) {
                high = next;
            }
            write!(f, "{separator}{low}")?;
            if high > low {
                write!(f, "-{high}")?;
            }
            separator = ",";
        }
        f.write_char('}')
    }
}

impl L4Key {
    /// Reads `tcp/80`, `47/0` or `icmp/8.0`, the form that keys print in.
    ///
    /// Errors: `None` for anything else.
    pub fn parse(text: &str) -> Option<L4Key> {
        let (protocol, low) = text.split_once('/')?;
        let protocol = Protocol::parse(protocol)?;
        Some(L4Key::new(protocol, low_half(protocol, low)?))
    }
}

impl L4Set {
    /// Reads `any`, `none` or a comma-separated list such as `tcp/80,udp/1000-2000,sctp/*,icmp/8.0-8.255,tcp/9-udp/3`, the
    /// form that sets print in. Order and overlaps mean nothing.
    ///
    /// Errors: `None` for anything else, an interval that ends before it begins included.
    pub fn parse(text: &str) -> Option<L4Set> {
        match text {
            "any" => Some(L4Set::all()),
            "none" => Some(L4Set::default()),
            list => list.split(',').map(interval).collect::<Option<Vec<_>>>().map(L4Set::from_intervals),
        }
    }
}

fn interval(text: &str) -> Option<(L4Key, L4Key)> {
    let (low, high) = match text.split_once('-') {
        None => match text.strip_suffix("/*") {
            Some(protocol) => all(protocol)?,
            None => (L4Key::parse(text)?, L4Key::parse(text)?),
        },
        Some((low, high)) => {
            let low = match low.strip_suffix("/*") {
                Some(protocol) => all(protocol)?.0,
                None => L4Key::parse(low)?,
            };
            let high = match (high.strip_suffix("/*"), high.contains('/')) {
                (Some(protocol), _) => all(protocol)?.1,
                (None, true) => L4Key::parse(high)?,
                (None, false) => L4Key::new(low.protocol(), low_half(low.protocol(), high)?),
            };
            (low, high)
        }
    };
    (low <= high).then_some((low, high))
}

fn all(protocol: &str) -> Option<(L4Key, L4Key)> {
    let protocol = Protocol::parse(protocol)?;
    Some((L4Key::new(protocol, 0), L4Key::new(protocol, 0xffff)))
}

fn low_half(protocol: Protocol, text: &str) -> Option<u16> {
    match protocol {
        Protocol::ICMP | Protocol::ICMPV6 => {
            let (kind, code) = text.split_once('.')?;
            Some(L4Key::icmp(protocol, number(kind)?, number(code)?).low())
        }
        _ => number(text),
    }
}

/// Digits only: the standard parser would let a plus sign through.
fn number<N: std::str::FromStr>(text: &str) -> Option<N> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_read_as_they_print() {
        let texts = [
            "any",
            "none",
            "tcp/80",
            "icmp/8.0-8.255,tcp/80,udp/1000-2000,sctp/*",
            "0/0-icmp/3.4,tcp/9-udp/3,icmpv6/*-sctp/*",
            "tcp/0,tcp/65535,47/*,250/7-255/65535",
        ];
        for text in texts {
            assert_eq!(L4Set::parse(text).map(|set| set.to_string()).as_deref(), Some(text));
        }
        assert_eq!(L4Set::parse("tcp/90,tcp/*-79,tcp/80-90"), L4Set::parse("tcp/0-90"));
    }

    #[test]
    fn peers_print_as_ranges() {
        let set = |peers: &[u32]| PeerSet::from_iter(peers.iter().copied().map(crate::PeerId));
        assert_eq!(set(&[9, 3, 7, 8]).to_string(), "{3,7-9}");
        assert_eq!(set(&[0, 1]).to_string(), "{0-1}");
        assert_eq!(set(&[]).to_string(), "{}");
    }

    #[test]
    fn what_is_not_a_set_is_refused() {
        for text in ["", ",", "tcp", "tcp/", "tcp/65536", "tcp/+1", "icmp/8", "icmp/8.256", "tcp/9-8", "256/1", "*"] {
            assert_eq!(L4Set::parse(text), None, "{text}");
        }
    }
}
