//! What may happen to a flow.

use std::fmt;

/// Which way a flow crosses its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Towards the subject; the peer is the source.
    Ingress,
    /// From the subject; the peer is the destination.
    Egress,
}

impl Direction {
    /// Both directions, ingress first.
    pub const BOTH: [Direction; 2] = [Direction::Ingress, Direction::Egress];
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Ingress => "ingress",
            Direction::Egress => "egress",
        })
    }
}

/// A proxy listener that a redirected flow is handed to.
///
/// Units: an index into the listeners of the rule set. The smaller number wins a tie of priorities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListenerId(pub u16);

/// What is done with a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The flow is dropped.
    Deny,
    /// The flow passes.
    Allow,
    /// The flow passes through a proxy. Without that listener it is dropped, never widened to an allow.
    Redirect(ListenerId),
}

/// Mutual authentication that a flow needs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Auth {
    /// None.
    #[default]
    Disabled,
    /// A valid session between both identities.
    Required,
    /// Never satisfied; for tests of the machinery.
    AlwaysFail,
}

/// The answer for one flow. Origins ride beside it and are no part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Verdict {
    /// What is done.
    pub action: Action,
    /// What must hold first; always [`Auth::Disabled`] beside [`Action::Deny`].
    pub auth: Auth,
}

impl Verdict {
    /// Drop.
    pub const DENY: Verdict = Verdict { action: Action::Deny, auth: Auth::Disabled };
    /// Pass, nothing else needed.
    pub const ALLOW: Verdict = Verdict { action: Action::Allow, auth: Auth::Disabled };

    /// Whether the policy lets the flow through, by a proxy or not.
    pub fn is_allowed(self) -> bool {
        self.action != Action::Deny
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.action {
            Action::Deny => f.write_str("deny")?,
            Action::Allow => f.write_str("allow")?,
            Action::Redirect(ListenerId(n)) => write!(f, "redirect l{n}")?,
        }
        match self.auth {
            Auth::Disabled => Ok(()),
            Auth::Required => f.write_str(" auth required"),
            Auth::AlwaysFail => f.write_str(" auth always-fail"),
        }
    }
}
