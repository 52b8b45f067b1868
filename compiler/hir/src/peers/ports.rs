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
    /// The named ports of a pod. Two ports of one name and protocol both count.
    pub fn of<'p>(ports: impl IntoIterator<Item = &'p ContainerPort>) -> NamedPorts {
        let mut named = NamedPorts::default();
        for port in ports {
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
