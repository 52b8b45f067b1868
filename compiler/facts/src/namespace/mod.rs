//! Namespace, core/v1.

mod decode;

use crate::Labels;

pub use decode::decode;

/// A namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// Its name.
    pub name: String,
    /// Its labels, `kubernetes.io/metadata.name` included: the API server adds it, so decoding does too.
    pub labels: Labels,
}

impl Namespace {
    /// A namespace with the label that the API server gives to each.
    pub fn new(name: impl Into<String>, labels: Labels) -> Namespace {
        let name = name.into();
        let mut labels = labels;
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.clone());
        Namespace { name, labels }
    }
}
