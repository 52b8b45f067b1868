//! An HTTP path that is written as a glob or as a URL, and read as a regular expression.

use diag::Diagnostic;
use hir::Parser;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{quoted, replace};

pub const PAGE: Page = page!(185, "glob-in-http-path", Warning, "0.1.0", Correctness);

/// The paths of the HTTP rules of a policy.
pub(crate) fn http_rules(spot: &Spot<'_>) -> Vec<String> {
    let http = |entry: &&hir::Entry| entry.l7.as_ref().is_some_and(|l7| l7.parser == Parser::Http);
    let entries = spot.rules().map(|(_, entry)| entry).filter(http);
    entries.flat_map(|entry| spot.items(&format!("{}.rules.http", entry.path)).collect::<Vec<_>>()).collect()
}

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    http_rules(spot).iter().filter_map(|rule| check(spot, &format!("{rule}.path"))).collect()
}

/// A sign that a regular expression was not meant: where it is, what it says, and what was likely meant.
struct Sign {
    at: usize,
    says: &'static str,
    meant: &'static str,
    help: &'static str,
}

fn sign(path: &str) -> Option<Sign> {
    let bytes = path.as_bytes();
    let plain = |at: usize| at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || b"/-_".contains(&bytes[at - 1]));
    for at in (0..bytes.len()).filter(|at| plain(*at)) {
        let next = bytes.get(at + 1);
        if bytes[at] == b'*' && matches!(next, None | Some(b'/')) {
            let says = if bytes[at - 1] == b'/' {
                "means any number of slashes"
            } else {
                "means any number of the letter before it"
            };
            let help =
                "a path is a regular expression and must match whole; write `.*` for anything, `[^/]*` for one segment";
            return Some(Sign { at, says, meant: ".*", help });
        }
        let is_query =
            bytes[at] == b'?' && bytes[at + 1..].iter().position(|b| *b == b'=').is_some_and(|equals| equals > 0);
        if is_query && next.is_some_and(u8::is_ascii_alphabetic) {
            let help = "a path is a regular expression; write `[?]` for a question mark";
            return Some(Sign { at, says: "makes the letter before it optional", meant: "[?]", help });
        }
    }
    None
}

fn check(spot: &Spot<'_>, place: &str) -> Option<Diagnostic> {
    let path = spot.string(place)?;
    let Sign { at, says, meant, help } = sign(path)?;
    let character = &path[at..=at];
    let headline = format!("{} in the path {} {says}", quoted(character), quoted(path));
    let said = spot.say(&PAGE, headline, spot.value(place), "read as a regular expression");
    let said = said.why("requests that the rule seems to allow are refused with status 403");
    let said = said.help(help);
    let node = spot.node(place).filter(|node| spot.is_own_scalar(*node))?;
    let (raw, span) = (spot.tree().raw(node), spot.tree().span(node));
    let fixed = format!("{}{meant}{}", &path[..at], &path[at + 1..]);
    Some(match raw.contains(path) {
        true => said.fix(replace(spot.text.id, span, raw.replace(path, &fixed), format!("write `{fixed}`"))),
        false => said,
    })
}
