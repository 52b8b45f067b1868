//! Peerings with routers.

pub mod advertisement;
pub mod cluster_config;
pub mod node_config;
pub mod node_config_override;
pub mod peer_config;
