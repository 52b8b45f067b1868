//! An HTTP method in lower case.

use diag::Diagnostic;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0185_glob_in_http_path::http_rules;
use crate::words::{quoted, replace};

pub const PAGE: Page = page!(187, "http-method-case", Warning, "0.1.0", Correctness);

/// Methods with a meaning that everybody knows. Source: RFC 9110 section 9 and RFC 5789.
const METHODS: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE"];

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    http_rules(spot).iter().filter_map(|rule| check(spot, &format!("{rule}.method"))).collect()
}

fn check(spot: &Spot<'_>, place: &str) -> Option<Diagnostic> {
    let method = spot.string(place)?;
    let upper = method.to_ascii_uppercase();
    let known = upper.split('|').all(|word| METHODS.contains(&word.trim_matches(['(', ')', '^', '$'])));
    if !known || upper == method {
        return None;
    }
    let said = spot.say(
        &PAGE,
        format!("the method {} is written in lower case", quoted(method)),
        spot.value(place),
        "matches no request",
    );
    let said = said.why("methods are compared letter by letter and clients send them in capitals: every request is refused with status 403");
    let said = said.help(format!("write {}", quoted(&upper)));
    let node = spot.node(place).filter(|node| spot.is_own_scalar(*node))?;
    let (raw, span) = (spot.tree().raw(node), spot.tree().span(node));
    Some(said.fix(replace(spot.text.id, span, raw.replacen(method, &upper, 1), format!("write `{upper}`"))))
}
