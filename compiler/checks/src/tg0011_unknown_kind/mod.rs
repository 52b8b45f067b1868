//! A kind of a policy API group that does not exist.

use diag::Diagnostic;
use kinds::KINDS;
use kinds::registry::{existing, home};

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{listed, nearest, quoted, replace};

pub const PAGE: Page = page!(11, "unknown-kind", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, api_version: &str, kind: &str) -> Diagnostic {
    let said = PAGE.says(format!("there is no kind {} in {}", quoted(kind), quoted(api_version)));
    let why = "no cluster takes the object, so none of its rules is in force";
    if let Some(right) = home(kind) {
        let span = spot.value("apiVersion");
        let said = spot
            .blame(said, span, format!("{kind} is in `{right}`"))
            .why(why)
            .help(format!("write `apiVersion: {right}`"));
        return match span.slice(spot.tree().text()) == api_version {
            true => said.fix(replace(spot.text.id, span, right.clone(), format!("write `{right}`"))),
            false => said,
        };
    }
    let span = spot.value("kind");
    let said = spot.blame(said, span, "unknown kind").why(why);
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    let names = existing().filter(|(known, _)| *known == group).map(|(_, name)| name);
    match nearest(kind, names) {
        Some(near) if span.slice(spot.tree().text()) == kind => said
            .help(format!("did you mean `{near}`?"))
            .fix(replace(spot.text.id, span, near, format!("write `{near}`"))),
        _ if KINDS.iter().any(|known| known.group == group) => {
            let read = KINDS.iter().filter(|known| known.group == group).map(|known| known.kind);
            said.help(format!("kinds that are read from this group: {}", listed(read, "and")))
        }
        _ => said.help(format!("no policy is read from {}", quoted(api_version))),
    }
}
