//! Edits that take something out of a text and leave all else as it is.

use diag::{Edit, Fix};
use source::Span;
use syntax::{NodeId, ScalarStyle};

use crate::place::Spot;

/// The fix that takes the item at a path such as `spec.ingress[1]` out of its list.
///
/// `None` where no edit is certain: the list would be empty, it is an alias or shared through an anchor, or the item shares its lines with
/// something else.
pub(crate) fn without_item(spot: &Spot<'_>, path: &str, title: impl Into<String>) -> Option<Fix> {
    let (list, at) = path.strip_suffix(']')?.rsplit_once('[')?;
    let (list, at) = (spot.node(list)?, at.parse::<usize>().ok()?);
    let tree = spot.tree();
    let items = tree.items(list);
    if items.len() < 2 || tree.target(list) != list {
        return None;
    }
    let span = match tree.style(list) {
        ScalarStyle::Flow => in_brackets(spot, items, at)?,
        ScalarStyle::Block => on_lines(spot, items, at)?,
        _ => return None,
    };
    Some(Fix { title: title.into(), edits: vec![Edit { file: spot.text.id, span, replacement: String::new() }] })
}

/// An item between commas, with one of them.
fn in_brackets(spot: &Spot<'_>, items: &[NodeId], at: usize) -> Option<Span> {
    let tree = spot.tree();
    let span = |at: usize| items.get(at).map(|item| tree.span(*item));
    let here = span(at)?;
    let cut = match at.checked_sub(1) {
        Some(before) => Span::new(span(before)?.end, here.end),
        None => Span::new(here.start, span(at + 1)?.start),
    };
    // Why: a comment there belongs to one of both, and nobody knows to which.
    let gap = cut.slice(tree.text());
    (!gap.contains(['#', '\n']) && !here.is_empty()).then_some(cut)
}

/// An item on lines of its own, from its dash to its last line.
fn on_lines(spot: &Spot<'_>, items: &[NodeId], at: usize) -> Option<Span> {
    let text = spot.tree().text();
    let here = spot.tree().span(*items.get(at)?);
    let start = text[..here.start as usize].rfind('\n').map_or(0, |it| it + 1);
    if text[start..here.start as usize].trim() != "-" {
        return None;
    }
    let rest = &text[here.end as usize..];
    // A block reaches to the end of its last value, which may be in front of a line break or behind it.
    let end = if text[..here.end as usize].ends_with('\n') {
        here.end as usize
    } else {
        let line = rest.find('\n').map_or(rest.len(), |it| it + 1);
        let after = rest[..line].trim();
        if !after.is_empty() && !after.starts_with('#') {
            return None;
        }
        here.end as usize + line
    };
    Some(Span::new(start as u32, end as u32))
}
