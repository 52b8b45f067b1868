//! A setting of the agent whose text says nothing that the agent knows.

use diag::Diagnostic;
use facts::decode::Problem;

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(207, "unreadable-setting", Warning, "0.1.0", Correctness);

pub fn render(spot: &Spot<'_>, problem: &Problem, found: &str, wanted: &str) -> Diagnostic {
    let headline = format!("{} is nothing that the setting {} can be", quoted(found), quoted(name(&problem.path)));
    let said = spot.say(&PAGE, headline, spot.value(&problem.path), format!("wants {wanted}"));
    said.why("here the default is taken; an agent may take another value, or not start at all").help(format!("write {wanted}"))
}

pub fn render_no_text(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let headline = format!("the setting {} is no text", quoted(name(&problem.path)));
    let said = spot.say(&PAGE, headline, spot.value(&problem.path), "not text");
    said.why("the API server refuses the ConfigMap, so what is set up is what was there before; here the default is taken")
        .help("put the value in quotes")
}

/// The last part of a path: `data["a.b"]` and `data.a`.
fn name(path: &str) -> &str {
    match path.strip_suffix("\"]").and_then(|path| path.split_once("[\"")) {
        Some((_, name)) => name,
        None => path.rsplit('.').next().unwrap_or(path),
    }
}
