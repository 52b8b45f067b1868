//! The addresses of groups of a cloud, as a file: only the cloud knows whom `toGroups` and `fromGroups` mean.
//!
//! ```yaml
//! apiVersion: tidegate.io/v1alpha1
//! kind: CloudGroups
//! metadata: {name: aws}
//! groups:
//! - group: {aws: {securityGroupsIds: [sg-1]}}   # as the policy writes it
//!   addresses: [198.51.100.0/24, 2001:db8::7]
//! ```

mod decode;

use std::collections::{BTreeMap, BTreeSet};

use flow::Prefix;

pub use decode::decode;

/// Groups and their addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloudGroups {
    /// What a policy writes of a group, as JSON text with sorted keys → its addresses.
    pub groups: BTreeMap<String, BTreeSet<Prefix>>,
}
