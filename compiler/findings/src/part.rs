//! The part of a text that an edit is about: whole documents, so that what is said there is all that can be another.

/// The documents that differ between two texts of one file: as they were, and as they are.
///
/// Shape: both begin and end where documents do, and what is left out is the same bytes on both sides. Source: YAML 1.2.2, 9.1.2: a line
/// that begins with `---` and goes on with nothing or a space begins a document wherever it stands.
pub(crate) fn part<'t>(old: &'t str, new: &'t str) -> (&'t str, &'t str) {
    let same = |pair: &(u8, u8)| pair.0 == pair.1;
    let before = old.bytes().zip(new.bytes()).take_while(same).count();
    let most = old.len().min(new.len()) - before;
    let behind = old.bytes().rev().zip(new.bytes().rev()).take(most).take_while(same).count();
    let (mut start, mut end) = (0, old.len());
    for marker in markers(old) {
        // Why with its line end: what follows a marker on its line may make it none.
        if line_end(old, marker) <= before {
            start = marker;
        } else if marker >= old.len() - behind {
            end = marker;
            break;
        }
    }
    (&old[start..end], &new[start..new.len() - (old.len() - end)])
}

/// Where documents begin with a marker.
fn markers(text: &str) -> impl Iterator<Item = usize> + '_ {
    let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
    lines.filter(|at| {
        let rest = text[*at..].strip_prefix("---");
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n']))
    })
}

fn line_end(text: &str, from: usize) -> usize {
    text[from..].find('\n').map_or(text.len(), |at| from + at + 1)
}

#[cfg(test)]
mod tests {
    use super::part;

    #[test]
    fn whole_documents_are_taken_and_the_rest_is_left() {
        for (old, new, parts) in [
            ("a: 1\n", "a: 2\n", ("a: 1\n", "a: 2\n")),
            ("a: 1\n---\nb: 1\n---\nc: 1\n", "a: 1\n---\nb: 22\n---\nc: 1\n", ("---\nb: 1\n", "---\nb: 22\n")),
            ("a: 1\n---\nb: 1\n", "a: 1\n---\nb: 2\n", ("---\nb: 1\n", "---\nb: 2\n")),
            ("a: 1\n---\nb: 1\n", "a: 3\n---\nb: 2\n", ("a: 1\n---\nb: 1\n", "a: 3\n---\nb: 2\n")),
            // A document that goes, a marker that becomes none, and a text in which dashes begin no document.
            ("a: 1\n---\nb: 1\n---\nc: 1\n", "a: 1\n---\nc: 1\n", ("---\nb: 1\n---\nc: 1\n", "---\nc: 1\n")),
            ("a: 1\n---\nb: 1\n", "a: 1\n---b: 1\n", ("a: 1\n---\nb: 1\n", "a: 1\n---b: 1\n")),
            ("a: |\n  ---\n  x\n", "a: |\n  ---\n  y\n", ("a: |\n  ---\n  x\n", "a: |\n  ---\n  y\n")),
            ("", "a: 1\n", ("", "a: 1\n")),
        ] {
            let found = part(old, new);
            assert_eq!(found, parts, "{old} {new}");
        }
    }
}
