//! What is known from DNS answers, as a file.
//!
//! ```yaml
//! apiVersion: tidegate.io/v1alpha1
//! kind: DnsCache
//! metadata: {name: answers}
//! names:
//!   api.example.com: [198.51.100.1, "2001:db8::1"]
//! aliases:
//!   api.example.com: edge.cdn.example
//! ```
//! Addresses stand under the name that was asked for, as an agent keeps them, whatever CNAME records stood between; `aliases` says which did.
//! The list that `cilium fqdn cache list -o json` prints says the same: objects with `fqdn` and `ips`.

mod decode;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

pub use decode::{decode, is_list, list};

/// Names and the addresses that answers gave for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsCache {
    /// Lower-case name without final dot → addresses.
    pub names: BTreeMap<String, BTreeSet<IpAddr>>,
    /// Name → the name that its CNAME record gives, both likewise.
    pub aliases: BTreeMap<String, String>,
}

impl DnsCache {
    /// Adds an answer.
    pub fn add(&mut self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        self.names.entry(bare(name)).or_default().extend(addresses);
    }

    /// Adds a CNAME record.
    pub fn add_alias(&mut self, name: &str, target: &str) {
        self.aliases.insert(bare(name), bare(target));
    }
}

/// A name in lower case and without final dot.
fn bare(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    name.strip_suffix('.').map(str::to_owned).unwrap_or(name)
}
