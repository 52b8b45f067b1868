//! A kind that exists and that nothing here enforces.

use diag::{Diagnostic, Severity};
use kinds::Role;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(13, "kind-not-enforced-yet", Error, "0.1.0", Reach);

pub fn render(spot: &Spot<'_>, role: Role, api_version: &str, kind: &str) -> Diagnostic {
    let headline = format!("{} is not enforced by tidegate", quoted(kind));
    let level = match role {
        Role::Steers => Severity::Error,
        Role::Arranges | Role::Records => Severity::Hint,
    };
    let said = spot.blame(PAGE.says_as(level, headline), spot.value("kind"), "not enforced");
    match role {
        Role::Steers => said
            .why(format!(
                "objects of {} may allow, deny or redirect traffic; what is said here leaves them out",
                quoted(api_version)
            ))
            .help("keep the component that enforces it today, or say the same with NetworkPolicy or CiliumNetworkPolicy"),
        Role::Arranges | Role::Records => said
            .why("it arranges addresses, routes or settings, which tidegate does not do; its fields are checked, and no verdict depends on it")
            .help("keep the component that acts on it"),
    }
}
