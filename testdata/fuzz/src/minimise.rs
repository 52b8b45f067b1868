//! Makes a failing text as small as it can be while it fails in the same way.

/// How many texts are tried at most: each is a process.
const TRIES: usize = 600;

/// A smaller text of which `fails` still holds: documents, then lines, then characters are left out, halves first.
///
/// Shape: the text itself when nothing can be left out.
pub fn minimise(text: &str, fails: &dyn Fn(&str) -> bool) -> String {
    let mut tries = 0;
    let mut best = text.to_owned();
    let splits: [fn(&str) -> Vec<String>; 4] = [documents, lines, words, characters];
    for split in splits {
        let pieces = split(&best);
        // Characters of a long text would take all tries without much effect.
        if pieces.len() > 1 && pieces.len() <= 4000 {
            best = leave_out(pieces, fails, &mut tries).concat();
        }
    }
    best
}

/// Leaves out runs of pieces, long runs first (Zeller's ddmin, complements only).
fn leave_out(mut pieces: Vec<String>, fails: &dyn Fn(&str) -> bool, tries: &mut usize) -> Vec<String> {
    let mut size = pieces.len().div_ceil(2);
    while size > 0 {
        let mut at = 0;
        let mut smaller = false;
        while at < pieces.len() && pieces.len() > 1 {
            if *tries >= TRIES {
                return pieces;
            }
            *tries += 1;
            let end = (at + size).min(pieces.len());
            let rest: String = pieces[..at].iter().chain(&pieces[end..]).map(String::as_str).collect();
            if fails(&rest) {
                pieces.drain(at..end);
                smaller = true;
            } else {
                at = end;
            }
        }
        if !smaller || size > 1 {
            size /= 2;
        }
    }
    pieces
}

fn documents(text: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    for line in text.split_inclusive('\n') {
        let begins = line.trim_end() == "---" && out.last().is_some_and(|last| !last.is_empty());
        if begins {
            out.push(String::new());
        }
        if let Some(last) = out.last_mut() {
            last.push_str(line);
        }
    }
    out
}

fn lines(text: &str) -> Vec<String> {
    text.split_inclusive('\n').map(str::to_owned).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split_inclusive([' ', ',', '\n', '{', '[', '}', ']']).map(str::to_owned).collect()
}

fn characters(text: &str) -> Vec<String> {
    if text.len() > 300 { vec![text.to_owned()] } else { text.chars().map(String::from).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let text = "a: 1\nb: [1, 2]\n---\nc: 3\n---\nd: bad\ne: 5\n";
        assert_eq!(minimise(text, &|text| text.contains("bad")), "bad");
        assert_eq!(minimise("x\ny\n", &|text| text == "x\ny\n"), "x\ny\n");
    }
}
