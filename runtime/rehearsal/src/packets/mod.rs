//! Captured packets through the programs of the endpoints that they belong to, in user space.
//!
//! ```text
//!  frame ─┬─► Talk: who asks whom, which port, question or answer          (the same for all policies)
//!         └─► owner of the source ─► its egress program ─► owner of the destination ─► its ingress program ─► Crossings
//! ```
//! The programs and their maps judge every packet; rules are looked up only to say why.

mod player;
mod talk;

pub use player::{Crossing, Player, Reasoned};
pub use talk::{Conversations, Talk, addresses};
