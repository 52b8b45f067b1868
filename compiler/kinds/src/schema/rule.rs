//! Rules of kinds that no shape can state: our own equivalents of the expressions in published definitions.

use std::net::IpAddr;

use facts::read::At;

/// One rule. It is asked only of an object whose shapes are right.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Its name, for people and for tests.
    pub name: &'static str,
    /// Where it applies: field names joined by dots, `[]` for each member; empty for the whole object. Absent places are passed over.
    pub at: &'static [&'static str],
    /// Whether it holds of what stands there.
    pub holds: fn(&At<'_>) -> bool,
    /// What it asks for, as the rest of a sentence: "`start` must be below `end`".
    pub says: &'static str,
}

impl std::fmt::Debug for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Every place of an object that a path of a rule names.
pub(crate) fn places<'t>(root: &At<'t>, path: &str) -> Vec<At<'t>> {
    let mut found = vec![root.clone()];
    for step in path.split('.').filter(|step| !step.is_empty()) {
        let name = step.trim_end_matches("[]");
        found = found.iter().filter_map(|at| at.get(name)).collect();
        for _ in 0..(step.len() - name.len()) / 2 {
            found = found.iter().flat_map(|at| at.items()).collect();
        }
    }
    found
}

/// Whether a text is an address: what the expression `isIP(text)` asks.
///
/// Source: the IP library of k8s.io/apiserver: `netip.ParseAddr`, without zones and without IPv4 addresses in IPv6 form.
pub fn is_ip(text: &str) -> bool {
    match text.parse() {
        Ok(IpAddr::V4(_)) => true,
        Ok(IpAddr::V6(address)) => address.to_ipv4_mapped().is_none(),
        Err(_) => false,
    }
}

/// Whether a text is a prefix: what the expression `isCIDR(text)` asks. Host bits may be set.
///
/// Source: the CIDR library of k8s.io/apiserver: `netip.ParsePrefix`, without zones and without IPv4 addresses in IPv6 form.
pub fn is_cidr(text: &str) -> bool {
    let Some((address, bits)) = text.split_once('/') else { return false };
    let most = if address.contains(':') { 128 } else { 32 };
    let digits = !bits.is_empty() && bits.bytes().all(|b| b.is_ascii_digit());
    let short = bits.len() == 1 || !bits.starts_with('0');
    is_ip(address) && digits && short && bits.parse::<u16>().is_ok_and(|bits| bits <= most)
}
