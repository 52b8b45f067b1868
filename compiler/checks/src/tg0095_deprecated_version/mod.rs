//! A version of a kind that the API server warns of.

use diag::Diagnostic;
use kinds::checked::Deprecated;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{quoted, replace};

pub const PAGE: Page = page!(95, "deprecated-version", Warning, "0.1.0");

pub fn render(spot: &Spot<'_>, version: &Deprecated) -> Diagnostic {
    let written = format!("{}/{}", version.group, version.version);
    let said = PAGE.says(format!("the version {} of {} is deprecated", quoted(&written), quoted(version.kind)));
    let span = spot.value("apiVersion");
    let said = spot.blame(said, span, "deprecated").why(
        "the API server warns of it at every use, and a later release will not have it: the object is then refused",
    );
    let Some(successor) = version.successor else {
        return said.help("expect its fields to change, and read the notes of the next release before an upgrade");
    };
    let right = format!("{}/{successor}", version.group);
    let said = said.help(format!("write `apiVersion: {right}`; the API server converts what is stored"));
    match span.slice(spot.tree().text()) == written {
        true => said.fix(replace(spot.text.id, span, right.clone(), format!("write `{right}`"))),
        false => said,
    }
}
