//! A field of an object of the cluster that is misspelt, so that what it says is not read.

mod fields;

use diag::Diagnostic;
use driver::text::Role;
use syntax::NodeId;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{nearest, quoted, replace};
use fields::Shape;

pub const PAGE: Page = page!(209, "misspelt-fact-field", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    if spot.object.role != Role::Fact {
        return Vec::new();
    }
    let (Some(root), Some(shape)) = (spot.root, fields::of(&spot.object.object.kind)) else { return Vec::new() };
    let mut found = Vec::new();
    walk(spot, root, shape, "", &mut found);
    found
}

fn walk(spot: &Spot<'_>, node: NodeId, shape: &Shape, path: &str, found: &mut Vec<Diagnostic>) {
    let tree = spot.tree();
    for entry in tree.entries(node) {
        let key = tree.key(entry.key);
        let below = shape.inside.iter().find(|(name, _)| *name == key);
        let here = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
        if let Some((_, inner)) = below {
            for item in tree.items(entry.value) {
                walk(spot, *item, inner, &here, found);
            }
            walk(spot, entry.value, inner, &here, found);
        }
        if shape.read.contains(&&*key) || shape.others.contains(&&*key) {
            continue;
        }
        // Why: a name that is near to one that nobody here reads changes nothing.
        let near = nearest(&key, shape.read.iter().chain(shape.others).copied());
        let free = |near: &&str| tree.get(node, near).is_none();
        let Some(near) = near.filter(|near| shape.read.contains(near)).filter(free) else { continue };
        let holder = if path.is_empty() { "the object".to_owned() } else { quoted(path) };
        let span = tree.span(entry.key);
        let headline = format!("{} is no field of {holder}", quoted(&key));
        let said = spot.say(&PAGE, headline, span, format!("did you mean `{near}`?"));
        let said = said.why(format!(
            "it is not read, so {} is taken to have no `{near}`; an API server drops the field or refuses the object",
            quoted(&spot.object.object.to_string())
        ));
        let said = said.help(format!("rename it to `{near}`"));
        found.push(match span.slice(tree.text()) == key {
            true => said.fix(replace(spot.text.id, span, near, format!("rename it to `{near}`"))),
            false => said,
        });
    }
}
