//! Settings and records of agents.

pub mod datapath_plugin;
pub mod endpoint;
pub mod endpoint_slice;
pub mod gateway_class_config;
pub mod identity;
pub mod node;
pub mod node_config;
