//! From a decision to tables, and the code that reads them.

pub mod blob;
pub mod leaves;
pub mod matrix;
mod peer;
mod table;
pub(crate) use table::Audited;

/// What bound checks compare with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Different protocol slots of the table.
    pub slots: u32,
    /// Different pages of column numbers.
    pub pages: u32,
}
