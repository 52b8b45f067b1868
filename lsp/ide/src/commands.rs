//! What an editor can be asked to do beside editing: named here, done by whoever shows it.

use diag::Code;

/// One such thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Show who reaches whom, for the subjects of a policy.
    WhoReaches {
        /// The policy, `NetworkPolicy shop/db`.
        policy: String,
        /// The first of its subjects, `shop/db-0`; empty where it has none.
        subjects: Vec<String>,
    },
    /// Show what a policy costs.
    ShowCost {
        /// The policy.
        policy: String,
    },
    /// Show the page of a code.
    Explain(Code),
}
