//! From a record of the kernel to the rules behind it.

use crate::change::Enforcer;
use flow::{Direction, L4Key, PeerId};
use hir::subject::Subject;
use image::DropReason;
use image::codec::Record;
use rules::Origin;

/// A record in words that need no table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// Whose policy was asked; `None` before the endpoint was known.
    pub subject: Option<Subject>,
    /// Which way the packet went.
    pub direction: Direction,
    /// The other side, in the numbers of the database that the policy in force was compiled from.
    pub peer: Option<PeerId>,
    /// Protocol and port.
    pub key: Option<L4Key>,
    /// Why it was dropped; `None` when it was allowed.
    pub reason: Option<DropReason>,
    /// Whether it passed all the same, because of audit mode.
    pub audited: bool,
    /// The rules that decided, or what isolates the subject; empty when the policy was not asked.
    pub by: Vec<Origin>,
}

/// Explains a record by what is in force now. A record of an image that has been replaced is explained by its successor's rules.
pub fn explain(enforcer: &Enforcer, record: &Record) -> Explained {
    let direction = if record.from_endpoint { Direction::Egress } else { Direction::Ingress };
    let key = L4Key::from_raw(record.l4_key);
    let reason = DropReason::from_number(record.reason);
    let audited = record.audited;
    let Some((subject, state)) = enforcer.subject(record.endpoint) else {
        return Explained { subject: None, direction, peer: None, key, reason, audited, by: Vec::new() };
    };
    let peer = state.view.numbering.of_node.get(record.peer as usize).copied().flatten();
    let rules = &state.rules[usize::from(record.from_endpoint)];
    let by = match (record.leaf, peer, key) {
        (Some(_), Some(peer), Some(key)) => {
            let decision = oracle::decide(rules, peer, key);
            decision.by.iter().filter_map(|id| rules.origin(*id).cloned()).collect()
        }
        _ => Vec::new(),
    };
    Explained { subject: Some(subject), direction, peer, key, reason, audited, by }
}
