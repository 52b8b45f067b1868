//! CiliumCIDRGroup, cilium.io/v2 and v2alpha1.

mod decode;

use std::collections::BTreeSet;

use flow::Prefix;

use crate::Labels;

pub use decode::decode;

/// A named set of address prefixes that policies may speak of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CidrGroup {
    /// Its name.
    pub name: String,
    /// Its labels, which `cidrGroupSelector` reads.
    pub labels: Labels,
    /// `spec.externalCIDRs`.
    pub prefixes: BTreeSet<Prefix>,
}
