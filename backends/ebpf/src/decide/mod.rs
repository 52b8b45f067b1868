//! From a decision to its shapes, and the tables and the code of each.

pub mod blob;
mod cell;
pub mod choose;
pub mod leaves;
pub mod matrix;
mod peer;
pub mod price;
pub mod sum;
mod table;
pub mod tree;
pub(crate) use table::Audited;
