//! A clause that only a proxy can enforce, on a node that has none.

use diag::Diagnostic;
use hir::{Entry, Parser};

use crate::page::{Page, page};
use crate::place::Spot;

pub const PAGE: Page = page!(130, "needs-proxy", Error, "0.1.0", Reach);

/// What nodes of this build would drop for want of a proxy.
pub fn find(spot: &Spot<'_>, entry: &Entry) -> Option<Diagnostic> {
    let (field, what) = match &entry.l7.as_ref()?.parser {
        Parser::Http => ("rules", "rules for HTTP"),
        Parser::Kafka => ("rules", "rules for Kafka"),
        Parser::Dns => ("rules", "rules for DNS"),
        Parser::Generic(_) => ("rules", "rules of a generic parser"),
        Parser::Tls => ("serverNames", "server names of TLS"),
        Parser::Listener(_) => ("listener", "a listener"),
    };
    let path = format!("{}.{field}", entry.path);
    let said = PAGE.says(format!("{what} need a proxy, and nodes of this build have none"));
    let said = spot
        .blame(said, spot.key(&path), "needs a proxy")
        .why("the allow is compiled as a redirect; without a proxy that takes it, nodes drop what it matches and say `no-proxy`");
    Some(said.help(
        "keep the component that enforces it today on nodes that need it, or allow the ports without these rules",
    ))
}
