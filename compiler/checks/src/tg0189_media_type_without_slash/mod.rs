//! A header rule for a media type that is none.

use diag::Diagnostic;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0185_glob_in_http_path::http_rules;
use crate::words::quoted;

pub const PAGE: Page = page!(189, "media-type-without-slash", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for rule in http_rules(spot) {
        for place in spot.items(&format!("{rule}.headers")) {
            let header = spot.string(&place).and_then(|text| text.split_once(' '));
            found.extend(header.and_then(|(name, value)| check(spot, &place, name, value)));
        }
        for item in spot.items(&format!("{rule}.headerMatches")) {
            let place = format!("{item}.value");
            let (name, value) = (spot.string(&format!("{item}.name")), spot.string(&place));
            found.extend(name.zip(value).and_then(|(name, value)| check(spot, &place, name, value)));
        }
    }
    found
}

fn check(spot: &Spot<'_>, place: &str, name: &str, value: &str) -> Option<Diagnostic> {
    let name = name.trim_end_matches(':').to_ascii_lowercase();
    let value = value.trim();
    if name != "content-type" || value.contains('/') || value.is_empty() {
        return None;
    }
    let said =
        spot.say(&PAGE, format!("{} is no media type", quoted(value)), spot.value(place), "no client sends this");
    let said = said.why("the value of a header rule must be equal to what the client sends, and a media type has a slash: every request is refused with status 403");
    let known = ["application", "text", "image", "multipart"]
        .into_iter()
        .find_map(|kind| value.strip_prefix(&format!("{kind}-")).map(|rest| format!("{kind}/{rest}")));
    let meant = known.map_or_else(|| "a type such as `application/json`".to_owned(), |meant| quoted(&meant));
    Some(said.help(format!("write {meant}; clients that add `; charset=utf-8` need a rule of their own")))
}
