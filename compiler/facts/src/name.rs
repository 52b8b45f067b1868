//! How objects are called, and the labels they carry.

use std::collections::BTreeMap;
use std::fmt;

/// Labels as users write them, ordered by key.
pub type Labels = BTreeMap<String, String>;

/// The name of an object inside a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The namespace; never empty for an object of a namespaced kind.
    pub namespace: String,
    /// The name inside the namespace.
    pub name: String,
}

impl Name {
    /// The name `namespace/name`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Name {
        Name { namespace: namespace.into(), name: name.into() }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}
