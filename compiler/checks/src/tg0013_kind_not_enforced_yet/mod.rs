//! A policy kind that exists and is not enforced.

use diag::Diagnostic;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(13, "kind-not-enforced-yet", Error, "0.1.0", Reach);

pub fn render(spot: &Spot<'_>, api_version: &str, kind: &str) -> Diagnostic {
    spot.blame(PAGE.says(format!("{} is not enforced by tidegate", quoted(kind))), spot.value("kind"), "not enforced")
        .why(format!(
            "objects of {} may allow, deny or redirect traffic; what is said here leaves them out",
            quoted(api_version)
        ))
        .help("keep the component that enforces it today, or say the same with NetworkPolicy or CiliumNetworkPolicy")
}
