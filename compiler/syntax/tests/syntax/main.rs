//! Tests of the tree at its boundary: text in, text out.

mod limits;
mod oracle;
mod quick;
mod random;
mod recovery;
mod scalars;
mod structure;
mod support;
