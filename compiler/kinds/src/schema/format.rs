//! Formats of texts that the API server knows. Source: `validation/strfmt` of k8s.io/kube-openapi.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::problem::Form;

/// What a text must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A prefix, `10.0.0.0/8`. Octets may have leading zeros, which mean nothing.
    Cidr,
    /// An IPv4 address.
    Ipv4,
    /// A moment, as RFC 3339 writes it.
    DateTime,
}

impl Format {
    /// Its name in an OpenAPI document.
    pub fn name(self) -> &'static str {
        match self {
            Format::Cidr => "cidr",
            Format::Ipv4 => "ipv4",
            Format::DateTime => "date-time",
        }
    }

    /// What people call it.
    pub fn form(self) -> Form {
        match self {
            Format::Cidr => Form::Cidr,
            Format::Ipv4 | Format::DateTime => Form::Format(self.name()),
        }
    }

    /// Whether a text has it.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Format::Cidr => sloppy_cidr(text).is_some(),
            Format::Ipv4 => sloppy_ipv4(text).is_some(),
            Format::DateTime => is_date_time(text),
        }
    }
}

/// A prefix as old parsers read it: leading zeros in octets count for nothing, host bits are kept.
///
/// Source: `ParseCIDRSloppy` of k8s.io/utils/net, a copy of Go's `net.ParseCIDR` before 1.17.
pub fn sloppy_cidr(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = text.split_once('/')?;
    let address = sloppy_address(address)?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    // Why: the number is read digit by digit, so leading zeros pass and signs do not.
    let digits = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
    let bits = digits.then(|| bits.trim_start_matches('0'))?;
    let bits: u8 = if bits.is_empty() { 0 } else { bits.parse().ok()? };
    (bits <= most).then_some((address, bits))
}

/// An address as old parsers read it: leading zeros in octets count for nothing; an IPv4 address in IPv6 form stays one of IPv6.
///
/// Source: `ParseIPSloppy` of k8s.io/utils/net.
pub fn sloppy_address(text: &str) -> Option<IpAddr> {
    match text.find(['.', ':']) {
        Some(at) if text.as_bytes()[at] == b'.' => sloppy_ipv4(text).map(IpAddr::V4),
        Some(_) => sloppy_ipv6(text).map(IpAddr::V6),
        None => None,
    }
}

fn sloppy_ipv4(text: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = text.split('.').collect();
    let octet = |part: &&str| -> Option<u8> {
        let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let rest = digits.then(|| part.trim_start_matches('0'))?;
        if rest.is_empty() { Some(0) } else { rest.parse().ok() }
    };
    let octets: Vec<u8> = parts.iter().map(octet).collect::<Option<_>>()?;
    Some(Ipv4Addr::from(<[u8; 4]>::try_from(octets).ok()?))
}

fn sloppy_ipv6(text: &str) -> Option<Ipv6Addr> {
    // Why: only the tail in IPv4 form is read more leniently than the standard library does.
    match text.rfind(':').filter(|at| text[*at..].contains('.')) {
        Some(at) => format!("{}{}", &text[..=at], sloppy_ipv4(&text[at + 1..])?).parse().ok(),
        None => text.parse().ok(),
    }
}

fn is_date_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once(['T', 't']) else { return false };
    let number = |part: &str, len: usize, least: u32, most: u32| {
        part.len() == len
            && part.bytes().all(|b| b.is_ascii_digit())
            && part.parse().is_ok_and(|it: u32| (least..=most).contains(&it))
    };
    let dates: Vec<&str> = date.split('-').collect();
    let dated = matches!(dates[..], [y, m, d] if number(y, 4, 0, 9999) && number(m, 2, 1, 12) && number(d, 2, 1, 31));
    let (clock, zone) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => return false,
    };
    let clock = clock.split_once('.').map_or(clock, |(clock, _)| clock);
    let clocks: Vec<&str> = clock.split(':').collect();
    let timed = matches!(clocks[..], [h, m, s] if number(h, 2, 0, 23) && number(m, 2, 0, 59) && number(s, 2, 0, 60));
    let offset = |zone: &str| zone.split_once(':').is_some_and(|(h, m)| number(h, 2, 0, 23) && number(m, 2, 0, 59));
    dated && timed && (zone.eq_ignore_ascii_case("z") || offset(&zone[1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_parsers_let_leading_zeros_pass() {
        for right in ["010.0.0.0/8", "10.0.0.1/8", "10.0.0.0/08", "::ffff:10.0.0.0/104", "::/0", "2001:db8::/32"] {
            assert!(Format::Cidr.accepts(right), "{right}");
        }
        for wrong in [
            "10.0.0.0",
            "10.0.0.0/33",
            "2001:db8::1/129",
            "10.0.0.0/+8",
            "300.1.1.1/8",
            "10.0.0/8",
            "::1%eth0/64",
            "/",
            "",
        ] {
            assert!(!Format::Cidr.accepts(wrong), "{wrong}");
        }
        assert_eq!(sloppy_address("010.1.1.1"), Some(IpAddr::from([10, 1, 1, 1])));
    }

    #[test]
    fn moments_have_a_date_a_time_and_a_zone() {
        for right in ["2026-01-31T23:59:59Z", "2026-01-31T23:59:59.123+02:00"] {
            assert!(Format::DateTime.accepts(right), "{right}");
        }
        for wrong in ["2026-01-31", "2026-13-01T00:00:00Z", "yesterday", "2026-01-31T23:59:59", ""] {
            assert!(!Format::DateTime.accepts(wrong), "{wrong}");
        }
    }
}
