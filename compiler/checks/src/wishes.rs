//! What a repository says of its intent beside its manifests.

use flow::{L4Key, Prefix};

/// What is meant and stands in no manifest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Flows to nodes that no policy may cut.
    pub essential: Vec<EssentialFlow>,
    /// Documents are applied one after another, as they stand in their files.
    pub documents: bool,
}

/// A flow to every node that no policy may cut, such as SSH from a bastion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EssentialFlow {
    /// What people call it.
    pub name: String,
    /// Protocol and port.
    pub key: L4Key,
    /// From where; `None` for anywhere outside the cluster.
    pub from: Option<Prefix>,
}
