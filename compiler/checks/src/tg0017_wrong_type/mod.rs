//! A value of the wrong type.

use diag::{Diagnostic, Fix};
use kinds::Problem;
use syntax::ScalarStyle;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, quoted, replace, typed};

pub const PAGE: Page = page!(17, "wrong-type", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, wanted: &str, found: &str) -> Diagnostic {
    let place = if problem.path.is_empty() { "the object".to_owned() } else { quoted(&problem.path) };
    let said = PAGE.says(format!("{place} must be {}, not {}", typed(wanted), typed(found)));
    let said = spot.blame(said, spot.value(&problem.path), format!("this is {}", typed(found))).why(fate(spot, problem));
    match fix(spot, &problem.path, wanted) {
        Some(fix) => said.help(fix.title.clone()).fix(fix),
        None => said.help(format!("write {} here", typed(wanted))),
    }
}

/// The edit that makes the value what is wanted without changing what it says.
fn fix(spot: &Spot<'_>, path: &str, wanted: &str) -> Option<Fix> {
    let node = spot.node(path).filter(|node| spot.is_own_scalar(*node))?;
    let (raw, style, span) = (spot.tree().raw(node), spot.tree().style(node), spot.tree().span(node));
    let bare = raw.trim_matches(['"', '\'']);
    let edit = |text: String, title: &str| Some(replace(spot.text.id, span, text, title));
    match (wanted, style) {
        ("string", ScalarStyle::Plain) => edit(format!("\"{raw}\""), "quote the value"),
        ("integer", ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) => {
            bare.parse::<i64>().is_ok().then(|| edit(bare.to_owned(), "take the quotes away"))?
        }
        ("boolean", ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) => {
            matches!(bare, "true" | "false").then(|| edit(bare.to_owned(), "take the quotes away"))?
        }
        ("sequence", ScalarStyle::Plain) => edit(format!("[{raw}]"), "make it a list of one"),
        _ => None,
    }
}
