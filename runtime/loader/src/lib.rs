//! Installs images into the kernel, atomically, and keeps the last good one.
//!
//! In: [`image::Image`] and what node maps are to hold.  Out: programs at interfaces, connections, counters, records.
//!
//! # Picture
//! ```text
//!  Image ──load──► tables and programs ──attach / replace──► TCX link (or clsact filter) of an endpoint's interface
//!                        │ refused: the verifier's log; what was attached stays
//!  endpoints, addresses, config ──► node maps ◄── programs of all images of the node
//!                                        └──► records, counters, tracked connections
//!  bpffs: tidegate/v1/<node>/{maps, images/<digest>, endpoints/<name>}   outlives the process; the next one adopts it
//! ```
//! # Example
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use image::{Hook, Image, codec::Config};
//! use loader::{Node, Pins};
//!
//! let image = Image::from_bytes(&std::fs::read("db.tgimage")?)?;
//! let mut node = Node::open("node-1", &image.target, Pins::At("/sys/fs/bpf".into()))?;
//! node.set_config(&Config::new(loader::hz()?, 0x5eed));
//! let loaded = node.load(&image)?;
//! loaded.set_class(Hook::ToEndpoint, 17, 2); // peer 17 is of class 2,
//! node.assign(&[(flow::Prefix::parse("10.0.1.4/32").ok_or("prefix")?, Some(17))])?; // and only then has an address
//! for hook in Hook::BOTH {
//!     node.attach("shop/db", hook, 12, &loaded)?;
//! }
//! # Ok(())
//! # }
//! ```
//! # Does not know
//! Rules, diagrams, Kubernetes, how instructions were chosen, which peer has which number and class.
//! # Laws
//! Each packet meets the old or the new program of a hook, never neither (`tests/swap`).
//! On any failure the last good program stays (`tests/swap`). Programs of others are never touched (`tests/pins`).
//! # Reading order
//! [`node`], [`load`], [`attach`], then [`state`], [`mod@features`], [`error`], at last [`sys`].

mod addresses;
pub mod attach;
mod clsact;
pub mod error;
pub mod features;
pub mod load;
mod memlock;
pub mod node;
mod pages;
mod pins;
mod place;
mod relocate;
pub mod state;
pub mod sys;

pub use attach::{Attached, Change, Via};
pub use error::{Error, Operation, Result, Retry};
pub use features::{Features, features, hz};
pub use load::{Holds, Loaded};
pub use node::{Node, Pins};
pub use relocate::relocate;
pub use state::Records;
pub use sys::program::{Context, Run, Stats};
