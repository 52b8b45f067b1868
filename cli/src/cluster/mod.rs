//! What is known of a cluster beside the manifests that are asked about: `--cluster FILE|live|none`.

pub mod age;
pub mod live;
pub mod packed;
pub mod read;
pub mod report;
pub mod source;

pub use live::is_policy;
pub use read::{Known, known, stands_in};
pub use report::ClusterEntry;
pub use source::{ClusterArgs, Source};
