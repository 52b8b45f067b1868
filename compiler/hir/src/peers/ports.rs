//! Ports by name.

use std::collections::{BTreeMap, BTreeSet};

use facts::ContainerPort;
use flow::Protocol;

/// Port numbers by name and protocol. Shape: no empty set of numbers; names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamedPorts {
    ports: BTreeMap<(String, Protocol), BTreeSet<u16>>,
}

impl NamedPorts {
    /// The named ports of a pod, in their order. Of two ports of one name and protocol both count, or with `last_counts` the later.
    pub fn of<'p>(ports: impl IntoIterator<Item = &'p ContainerPort>, last_counts: bool) -> NamedPorts {
        let mut named = NamedPorts::default();
        for port in ports {
            if last_counts {
                named.ports.remove(&(port.name.to_ascii_lowercase(), port.protocol));
            }
            named.insert(&port.name, port.protocol, port.port);
        }
        named
    }

    /// Those of some names only: ports that no policy names tell nobody apart.
    pub fn only(&self, names: &BTreeSet<String>) -> NamedPorts {
        let known = self.ports.iter().filter(|((name, _), _)| names.contains(name));
        NamedPorts { ports: known.map(|(key, numbers)| (key.clone(), numbers.clone())).collect() }
    }

    /// Adds a number.
    pub fn insert(&mut self, name: &str, protocol: Protocol, port: u16) {
        self.ports.entry((name.to_ascii_lowercase(), protocol)).or_default().insert(port);
    }

    /// Adds all numbers of another.
    pub fn extend(&mut self, other: &NamedPorts) {
        for ((name, protocol), numbers) in &other.ports {
            self.ports.entry((name.clone(), *protocol)).or_default().extend(numbers);
        }
    }

    /// The numbers of a name; none when it is unknown.
    pub fn get(&self, name: &str, protocol: Protocol) -> impl Iterator<Item = u16> + '_ {
        self.ports.get(&(name.to_owned(), protocol)).into_iter().flatten().copied()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ports.is_empty()
    }
}
