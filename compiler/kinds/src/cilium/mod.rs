//! Kinds of cilium.io that decide nothing about which traffic is allowed, or that nobody here enforces yet: known, compared with their
//! definitions, and said to be without effect here.
//!
//! ```text
//!  envoy      what proxies do with traffic          addresses  who gets and who announces which
//!  bgp        what routers are told                 agent      what agents and operators write for each other
//! ```

mod fields;

pub mod addresses;
pub mod agent;
pub mod bgp;
pub mod envoy;
