//! Why a cluster cannot be asked at all.

/// A failure that concerns every resource.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no kubeconfig, or none that can be used, and this is no pod of a cluster.
    #[error("no cluster to ask: {0}")]
    NoCluster(String),
    /// The kubeconfig names something that cannot be used, such as a certificate that is none.
    #[error("cannot connect to context `{context}`: {reason}")]
    Connect {
        /// The context.
        context: String,
        /// Why.
        reason: String,
    },
    /// The server does not know who is asking.
    #[error("the API server of context `{context}` does not accept these credentials: {reason}")]
    Unauthorized {
        /// The context.
        context: String,
        /// What it said.
        reason: String,
    },
    /// No answer comes back at all.
    #[error("the API server of context `{context}` cannot be reached: {reason}")]
    Unreachable {
        /// The context.
        context: String,
        /// Why.
        reason: String,
    },
    /// The system gives no thread or timer.
    #[error("cannot start: {0}")]
    Start(std::io::Error),
}
