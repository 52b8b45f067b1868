//! Behaves in user space as the kernel's maps do, for the kinds that our programs use.
//!
//! In: [`image::MapSpec`], [`image::Table`].  Out: maps that `vm` reads and writes, and typed ways to fill and read them.
//!
//! # Picture
//! ```text
//!  image::Target ──NodeMaps::new──►  NodeMaps   one of each kind, shared by all images of a node
//!  image::Image  ──OwnTables::new─►  OwnTables  the tables of one image
//!                                       └─ Map: Array │ Hash │ LruHash │ LpmTrie │ RingBuf, each over one fixed Memory
//! ```
//! A value is named by its offset in the map's [`Memory`], which is allocated once and never moves, so that whoever runs programs
//! may turn the offset into whatever it calls an address.
//!
//! # Does not know
//! Instructions, packets, policies, system calls, time.
//! # Laws
//! Every answer and errno is the kernel's for the same calls in the same order (`map::tests`, `ring::tests`), with two liberties:
//! an update writes a present value in place, and the LRU map evicts exactly the least recently used entry.
//! # Reading order
//! [`memory`], [`map`], [`hash`], [`trie`], [`ring`], then [`node`] and [`own`].

pub mod hash;
pub mod map;
pub mod memory;
pub mod node;
pub mod own;
pub mod ring;
pub mod trie;

pub use map::{Access, Map, MapError};
pub use memory::Memory;
pub use node::NodeMaps;
pub use own::OwnTables;
