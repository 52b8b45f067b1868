//! Proxies.

pub mod clusterwide_config;
pub mod config;
