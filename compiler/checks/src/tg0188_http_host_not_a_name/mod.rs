//! An HTTP host written as a name or a glob, and read as a regular expression.

use diag::{Diagnostic, Severity};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0185_glob_in_http_path::http_rules;
use crate::words::{quoted, replace};

pub const PAGE: Page = page!(188, "http-host-not-a-name", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    http_rules(spot).iter().filter_map(|rule| check(spot, &format!("{rule}.host"))).collect()
}

fn check(spot: &Spot<'_>, place: &str) -> Option<Diagnostic> {
    let host = spot.string(place)?;
    let (name, is_glob) = host.strip_prefix("*.").map_or((host, false), |name| (name, true));
    let is_name = name.contains('.') && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
    if !is_name {
        return None;
    }
    let escaped = name.replace('.', "[.]");
    let (said, fixed) = match is_glob {
        true => {
            let said = PAGE.says(format!("the host {} is no regular expression", quoted(host)));
            let said = said.why("a `*` repeats what stands before it, and nothing does: the proxy cannot use the rule and refuses every request");
            (said, format!("[^.]*[.]{escaped}"))
        }
        false => {
            let other = name.replacen('.', "x", 1);
            let said =
                PAGE.says_as(Severity::Hint, format!("a dot of the host {} stands for any character", quoted(host)));
            (said.why(format!("the host is a regular expression, so {} matches, too", quoted(&other))), escaped)
        }
    };
    let said =
        spot.blame(said, spot.value(place), "read as a regular expression").help(format!("write {}", quoted(&fixed)));
    let node = spot.node(place).filter(|node| spot.is_own_scalar(*node))?;
    let (raw, span) = (spot.tree().raw(node), spot.tree().span(node));
    Some(match raw.trim_matches(['"', '\'']) == host {
        true => said.fix(replace(spot.text.id, span, format!("\"{fixed}\""), format!("write `{fixed}`"))),
        false => said,
    })
}
