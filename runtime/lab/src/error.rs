//! Failures of the world, each naming the operation and the object.

use std::io;

/// What can go wrong with the machine under a lab.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A namespace could not be made, found, entered or removed. Retry: no; without root it always fails.
    #[error("cannot {operation} network namespace `{name}`: {source}")]
    Namespace {
        /// The verb.
        operation: &'static str,
        /// The namespace.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// A setting of a namespace could not be written, or its state not be read.
    #[error("cannot use `{path}` in network namespace `{name}`: {source}")]
    Setting {
        /// The namespace.
        name: String,
        /// The file: under `/proc/sys/net` when relative.
        path: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The kernel refused a link, address, route or neighbour.
    #[error("cannot add {object} in network namespace `{name}`: {source}")]
    Netlink {
        /// The namespace.
        name: String,
        /// What was to be added.
        object: String,
        /// What the kernel said.
        source: rtnetlink::Error,
    },
    /// A link was set up, or an address added, and still carried nothing after seconds.
    #[error("`{what}` in network namespace `{name}` does not come up")]
    NotReady {
        /// The namespace.
        name: String,
        /// The link or the address.
        what: String,
    },
    /// A socket could not be made or used inside a namespace.
    #[error("cannot {operation} in network namespace `{name}`: {source}")]
    Socket {
        /// The verb and the address.
        operation: String,
        /// The namespace.
        name: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// The caller named a node or pod that the plan does not hold, or one without an address of that family.
    #[error("the lab has no {what}")]
    NoSuchPlace {
        /// What was asked for.
        what: String,
    },
    /// A question or a flow that cannot be asked: its ends speak two families, or a number is out of range. A bug of the
    /// caller.
    #[error("cannot ask for {what}")]
    Question {
        /// What was asked for.
        what: String,
    },
    /// A failure of the work that a caller ran inside a namespace.
    #[error("{0}")]
    Inside(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A thread inside a namespace panicked. This is a bug.
    #[error("a thread in network namespace `{name}` panicked")]
    Panicked {
        /// The namespace.
        name: String,
    },
    /// The lab was asked to stop while it was being made.
    #[error("stopped before the lab was up")]
    Stopped,
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;
