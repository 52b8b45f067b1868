//! From a plain description of a cluster to everything that will be made, as values.
//!
//! ```text
//!   pod ns          node ns                core ns                node ns         pod ns
//!  ┌──────┐      ┌────────────┐        ┌────────────┐          ┌───────────┐     ┌──────┐
//!  │ eth0 ├──────┤ p0    eth0 ├────────┤ n0      n1 ├──────────┤ eth0   p1 ├─────┤ eth0 │
//!  │ /32  │      │ p2 …       │        │   world    │          └───────────┘     │ /128 │
//!  └──────┘      └────────────┘        └─────┬──────┘                            └──────┘
//!                programs go here            │ eth0
//!                (host ends p0, p2, …)   ┌───┴───┐
//!                                        │ world │  the outside addresses
//!                                        └───────┘
//! ```
//!
//! Every hop is a router with permanent neighbours: no ARP or neighbour discovery is needed for a packet to arrive.

pub mod names;
pub mod plan;
pub mod spec;

pub(crate) mod build;
mod describe;

pub(crate) use build::UPLINK;
pub use names::RunId;
pub use plan::{HostEnd, Mac, NamespacePlan, Neighbour, Place, Plan, Route, VethPlan};
pub use spec::{NodeSpec, PodSpec, PortSpec, Spec, SpecError, Transport};
