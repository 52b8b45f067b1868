//! Says what a cluster is: its namespaces, pods, nodes, services and workloads, as plain values.
//!
//! In: one `syntax` tree a file (decoding), or values built by hand.  Out: [`Cluster`].
//!
//! # Picture
//! ```text
//!  tree ─decode→ Fact ─insert→ Cluster ──► hir (peers, subjects)
//!                                 ▲
//!                  built by hand: fixtures, tables
//! ```
//! # Does not know
//! Policies, labels of identities, byte offsets, files, time.
//! # Laws
//! Every map is ordered by name, so equal clusters are equal values whatever the order of insertion (`cluster::tests`).
//! # Reading order
//! [`name`], [`cluster`], [`mod@decode`], then one folder per kind; [`bandwidth`] stands alone.

pub mod name;

pub mod cluster;

pub mod decode;
pub mod json;
pub mod read;

pub mod bandwidth;
pub mod cidr_group;
pub mod cilium_node;
pub mod cloud_groups;
pub mod config_map;
pub mod dns_cache;
pub mod endpoint_slice;
pub mod namespace;
pub mod node;
pub mod node_config;
pub mod pod;
pub mod service;
pub mod workload;

pub use cidr_group::CidrGroup;
pub use cilium_node::CiliumNode;
pub use cloud_groups::CloudGroups;
pub use cluster::{Cluster, Config, Enforcement, Enforcer, Fact, LabelFilter, LabelPattern};
pub use config_map::AgentConfig;
pub use dns_cache::DnsCache;
pub use endpoint_slice::EndpointSlice;
pub use name::{Labels, Name};
pub use namespace::Namespace;
pub use node::Node;
pub use node_config::NodeConfig;
pub use pod::{ContainerPort, PROBE_WAYS, Phase, Pod, Probe, ProbeKind};
pub use service::Service;
pub use workload::{Workload, WorkloadKind};
