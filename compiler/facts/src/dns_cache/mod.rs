//! What is known from DNS answers, as a file.
//!
//! ```yaml
//! apiVersion: tidegate.io/v1alpha1
//! kind: DnsCache
//! metadata: {name: answers}
//! names:
//!   api.example.com: [198.51.100.1, "2001:db8::1"]
//! ```
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
}

impl DnsCache {
    /// Adds an answer.
    pub fn add(&mut self, name: &str, addresses: impl IntoIterator<Item = IpAddr>) {
        let name = name.trim().to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        self.names.entry(name.to_owned()).or_default().extend(addresses);
    }
}
