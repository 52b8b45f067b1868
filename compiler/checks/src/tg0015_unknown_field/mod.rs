//! A field that the kind does not have.

use diag::{Code, Diagnostic, Severity};
use kinds::Problem;

use crate::Page;
use crate::place::Spot;
use crate::words::{fate, listed, nearest, quoted, replace};

pub const PAGE: Page = Page {
    code: Code(15),
    slug: "unknown-field",
    level: Severity::Error,
    since: "0.1.0",
    text: include_str!("page.md"),
};

pub fn render(spot: &Spot<'_>, problem: &Problem, name: &str, known: &[&'static str]) -> Diagnostic {
    let near = nearest(name, known.iter().copied());
    let holder = holder(&problem.path, name);
    let place = if holder.is_empty() { String::new() } else { format!(" in {}", quoted(holder)) };
    let label = near.map_or_else(|| "not known here".to_owned(), |near| format!("did you mean `{near}`?"));
    let headline = format!("{} has no field {}{place}", spot.object.object.kind, quoted(name));
    let span = spot.key(&problem.path);
    let said = spot.blame(PAGE.says(headline), span, label).why(fate(problem));
    let free =
        |near: &&str| spot.node(&format!("{holder}{}{near}", if holder.is_empty() { "" } else { "." })).is_none();
    match near.filter(free).filter(|_| span.slice(spot.tree().text()) == name) {
        Some(near) => said.help(format!("rename it to `{near}`")).fix(replace(
            spot.text.id,
            span,
            near,
            format!("rename it to `{near}`"),
        )),
        None => said.help(format!("known here: {}", listed(known.iter().copied(), "and"))),
    }
}

/// The path of what holds the field.
fn holder<'p>(path: &'p str, name: &str) -> &'p str {
    let plain = path.strip_suffix(name).map(|rest| rest.strip_suffix('.').unwrap_or(rest));
    plain.or_else(|| path.rfind("[\"").map(|at| &path[..at])).unwrap_or(path)
}
