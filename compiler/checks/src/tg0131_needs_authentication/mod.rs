//! A clause that needs mutual authentication, on a node that has no sessions.

use diag::Diagnostic;
use flow::Auth;
use hir::Entry;

use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(131, "needs-authentication", Error, "0.1.0", Reach);

/// What nodes of this build would drop for want of a session.
pub fn find(spot: &Spot<'_>, entry: &Entry) -> Option<Diagnostic> {
    entry.auth.filter(|auth| *auth != Auth::Disabled)?;
    let rule = entry.path.find("gress").and_then(|at| entry.path[at..].find(']').map(|end| at + end + 1));
    let path = format!("{}.authentication", &entry.path[..rule.unwrap_or(entry.path.len())]);
    let said = PAGE.says("mutual authentication needs sessions, and nodes of this build make none");
    let said = spot
        .blame(said, spot.key(&path), "needs authentication")
        .why("without a session between both ends, nodes drop what the rule matches and say `auth-required`");
    Some(said.help("take `authentication` out, or keep the component that authenticates today"))
}
