//! An HTTP path that does not begin as paths do.

use diag::Diagnostic;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0185_glob_in_http_path::http_rules;
use crate::words::{quoted, replace};

pub const PAGE: Page = page!(186, "http-path-without-slash", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    http_rules(spot).iter().filter_map(|rule| check(spot, &format!("{rule}.path"))).collect()
}

fn check(spot: &Spot<'_>, place: &str) -> Option<Diagnostic> {
    let path = spot.string(place)?;
    let bare = path.trim_start_matches('^');
    if !bare.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        || bare.contains('|')
        || bare.starts_with("http")
    {
        return None;
    }
    let said = spot.say(
        &PAGE,
        format!("the path {} does not begin with `/`", quoted(path)),
        spot.value(place),
        "matches no request",
    );
    let said = said.why("an expression must match the whole request target, and that begins with a slash: every request is refused with status 403");
    let said = said.help(format!("write {}", quoted(&format!("/{bare}"))));
    let node = spot.node(place).filter(|node| spot.is_own_scalar(*node))?;
    let (raw, span) = (spot.tree().raw(node), spot.tree().span(node));
    Some(said.fix(replace(spot.text.id, span, raw.replacen(path, &format!("/{bare}"), 1), "put `/` before it")))
}
