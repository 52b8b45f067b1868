//! The part of a text that an edit is about: whole documents, so that what is said there is all that can be another.

/// The documents that differ between two texts of one file: as they were, and as they are.
///
/// Shape: both begin and end where documents do, and what is left out is the same bytes on both sides. Source: YAML 1.2.2, 9.1.2: a line
/// that begins with `---` and goes on with nothing or a space begins a document wherever it stands.
///
/// Cost: comparing what is the same, and looking for markers from the difference on, both ways; not the whole text line by line, which is
/// one of many edits in a large file.
pub(crate) fn part<'t>(old: &'t str, new: &'t str) -> (&'t str, &'t str) {
    let (text, other) = (old.as_bytes(), new.as_bytes());
    let before = same_from_the_start(text, other);
    let most = text.len().min(other.len()) - before;
    let behind = same_from_the_end(&text[text.len() - most..], &other[other.len() - most..]);
    // Why with its line end: what follows a marker on its line may make it none.
    let is_kept = |at: usize| is_marker(text, at) && line_end(text, at) <= before;
    let is_behind = |at: usize| is_marker(text, at) && line_end(text, at) > before;
    let start = lines_up(text, before).find(|&at| is_kept(at)).unwrap_or(0);
    let end = lines_down(text, text.len() - behind).find(|&at| is_behind(at)).unwrap_or(text.len());
    (&old[start..end], &new[start..new.len() - (old.len() - end)])
}

/// How many bytes are compared in one step.
const STEP: usize = 4096;

fn same_from_the_start(one: &[u8], other: &[u8]) -> usize {
    let steps = one.chunks_exact(STEP).zip(other.chunks_exact(STEP));
    let whole = STEP * steps.take_while(|(one, other)| one == other).count();
    whole + one[whole..].iter().zip(&other[whole..]).take_while(|(one, other)| one == other).count()
}

fn same_from_the_end(one: &[u8], other: &[u8]) -> usize {
    let steps = one.rchunks_exact(STEP).zip(other.rchunks_exact(STEP));
    let whole = STEP * steps.take_while(|(one, other)| one == other).count();
    let (one, other) = (&one[..one.len() - whole], &other[..other.len() - whole]);
    whole + one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count()
}

/// Whether a document begins with a marker at the beginning of this line.
fn is_marker(text: &[u8], line: usize) -> bool {
    let rest = text[line..].strip_prefix(b"---");
    rest.is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\t' | b'\r' | b'\n')))
}

/// The beginnings of lines from a byte up, that of its own first.
fn lines_up(text: &[u8], from: usize) -> impl Iterator<Item = usize> + '_ {
    let start = |at: usize| text[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    std::iter::successors(Some(start(from)), move |&line| line.checked_sub(1).map(start))
}

/// The beginnings of lines from a byte down, at the byte itself if one is there.
fn lines_down(text: &[u8], from: usize) -> impl Iterator<Item = usize> + '_ {
    let first = if from == 0 || text[from - 1] == b'\n' { from } else { line_end(text, from) };
    std::iter::successors(Some(first), |&line| (line < text.len()).then(|| line_end(text, line)))
}

fn line_end(text: &[u8], from: usize) -> usize {
    text[from..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |at| from + at + 1)
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

    /// Line by line from the top.
    fn plainly<'t>(old: &'t str, new: &'t str) -> (&'t str, &'t str) {
        let same = |pair: &(u8, u8)| pair.0 == pair.1;
        let before = old.bytes().zip(new.bytes()).take_while(same).count();
        let most = old.len().min(new.len()) - before;
        let behind = old.bytes().rev().zip(new.bytes().rev()).take(most).take_while(same).count();
        let (mut start, mut end, mut at) = (0, old.len(), 0);
        for line in old.split_inclusive('\n') {
            let rest = line.strip_prefix("---");
            if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r', '\n'])) {
                if at + line.len() <= before {
                    start = at;
                } else if at >= old.len() - behind {
                    end = at;
                    break;
                }
            }
            at += line.len();
        }
        (&old[start..end], &new[start..new.len() - (old.len() - end)])
    }

    #[test]
    fn looking_from_the_difference_finds_what_looking_from_the_top_finds() {
        const PIECES: [&str; 9] = ["---\n", "--- x\n", "---x\n", "a: 1\n", "é: 2\n", "\n", "---", "--", "b"];
        let mut state = 7u64;
        let mut below = |end: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % end
        };
        for round in 0..20_000 {
            let mut pieces: Vec<&str> = (0..below(12)).map(|_| PIECES[below(PIECES.len())]).collect();
            // Some texts are longer than a step of the comparison.
            let long = "c: 3\n".repeat(if round % 50 == 0 { 1000 } else { 0 });
            pieces.insert(0, &long);
            pieces.push(&long);
            let old = pieces.concat();
            for _ in 0..=below(3) {
                let at = below(pieces.len());
                pieces[at] = PIECES[below(PIECES.len())];
            }
            let new = pieces.concat();
            assert_eq!(part(&old, &new), plainly(&old, &new), "{old:?} {new:?}");
        }
    }
}
