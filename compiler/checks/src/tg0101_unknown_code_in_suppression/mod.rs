//! A suppression of a code that does not exist.

use diag::Diagnostic;

use crate::REGISTRY;
use crate::page::{Page, page};
use crate::suppress::{Name, Suppression};
use crate::words::{quoted, replace};

pub const PAGE: Page = page!(101, "unknown-code-in-suppression", Warning, "0.1.0", Correctness);

pub(crate) fn render(it: &Suppression, name: &Name) -> Diagnostic {
    let near = crate::near(&name.text).into_iter().next();
    let said = PAGE.says(format!("there is no code {}", quoted(&name.text)));
    let said = said.blame(it.file, name.span, "neither a code nor a name");
    let said = said.why("the suppression hides nothing, whatever was meant");
    match near {
        Some(page) => {
            // Why as it was begun: a name stays a name, a code a code.
            let is_code = name.text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("tg"));
            let word = if is_code { page.code.to_string() } else { page.slug.to_owned() };
            let said = said.help(format!("write {}, if that is meant ({} {})", quoted(&word), page.code, page.slug));
            said.fix(replace(it.file, name.span, word.clone(), format!("write `{word}`")))
        }
        None => said.help(format!("`tidegate explain` lists all {} codes with their names", REGISTRY.len())),
    }
}
