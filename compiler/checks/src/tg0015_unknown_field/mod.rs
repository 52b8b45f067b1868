//! A field that the kind does not have.

use diag::Diagnostic;
use kinds::schema::{Field, Shape};
use kinds::{KINDS, Problem};

use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{fate, listed, nearest, quoted, replace};

pub const PAGE: Page = page!(15, "unknown-field", Error, "0.1.0");

pub fn render(spot: &Spot<'_>, problem: &Problem, name: &str, known: &[&'static str]) -> Diagnostic {
    let near = nearest(name, known.iter().copied());
    let holder = holder(&problem.path, name);
    let place = if holder.is_empty() { String::new() } else { format!(" in {}", quoted(holder)) };
    let label = near.map_or_else(|| "not known here".to_owned(), |near| format!("did you mean `{near}`?"));
    let headline = format!("{} has no field {}{place}", spot.object.object.kind, quoted(name));
    let span = spot.key(&problem.path);
    let said = spot.blame(PAGE.says(headline), span, label).why(fate(spot, problem));
    let free =
        |near: &&str| spot.node(&format!("{holder}{}{near}", if holder.is_empty() { "" } else { "." })).is_none();
    match near.filter(free).filter(|_| span.slice(spot.tree().text()) == name) {
        Some(near) => said.help(format!("rename it to `{near}`")).fix(replace(
            spot.text.id,
            span,
            near,
            format!("rename it to `{near}`"),
        )),
        None => match home(&spot.object.object.kind, name) {
            Some((home, _)) if same_place(&home, holder) => {
                said.help("the API has this field no more; only older versions of the kind have it")
            }
            Some((home, true)) => said.help(format!("it was a field of {}, which the API has no more", quoted(&home))),
            Some((home, _)) => said.help(format!("it belongs in {}; check the depth of the line", quoted(&home))),
            None => said.help(format!("known here: {}", listed(known.iter().copied(), "and"))),
        },
    }
}

/// The path of what holds the field.
fn holder<'p>(path: &'p str, name: &str) -> &'p str {
    let plain = path.strip_suffix(name).map(|rest| rest.strip_suffix('.').unwrap_or(rest));
    plain.or_else(|| path.rfind("[\"").map(|at| &path[..at])).unwrap_or(path)
}

/// Where a kind has a field of this name: the path of what holds it, the shortest one, and whether only older versions of the API have
/// it. Items of lists are written `[]`.
fn home(kind: &str, name: &str) -> Option<(String, bool)> {
    let kind = KINDS.iter().find(|known| known.kind == kind)?;
    let mut level: Vec<(String, &'static [Field])> = vec![(String::new(), kind.schema.fields)];
    while !level.is_empty() {
        let has = |(holder, fields): &(String, &'static [Field])| {
            fields.iter().find(|field| field.name == name).map(|field| (holder.clone(), field.removed))
        };
        if let Some(found) = level.iter().find_map(has) {
            return Some(found).filter(|(holder, _)| !holder.is_empty());
        }
        level =
            level.iter().flat_map(|(holder, fields)| fields.iter().filter_map(move |it| below(holder, it))).collect();
    }
    None
}

/// Whether a path with numbers is one of a schema, without.
fn same_place(schema: &str, path: &str) -> bool {
    let plain: String = path.chars().filter(|c| !c.is_ascii_digit()).collect();
    plain == schema
}

/// The fields inside a field, with its path.
fn below(holder: &str, field: &Field) -> Option<(String, &'static [Field])> {
    let dot = if holder.is_empty() { "" } else { "." };
    let mut path = format!("{holder}{dot}{}", field.name);
    let mut shape = field.shape;
    while let Shape::List(list) = shape {
        path.push_str("[]");
        shape = *list.of;
    }
    match shape {
        Shape::Object(object) => Some((path, object.fields)),
        _ => None,
    }
}
