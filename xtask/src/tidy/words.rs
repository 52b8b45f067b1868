//! `ir/` does not speak of Kubernetes: its sources hold none of these words, comments included.

use super::{Finding, House};

const WORDS: [&str; 5] = ["pod", "namespace", "yaml", "kube", "salsa"];

pub fn check(house: &House) -> Vec<Finding> {
    let mut out = Vec::new();
    for (path, text) in house.rust().filter(|(path, _)| path.starts_with("ir/")) {
        for (at, line) in text.lines().enumerate() {
            for word in pieces(line) {
                let singular = word.strip_suffix('s').unwrap_or(&word);
                if WORDS.contains(&word.as_str()) || WORDS.contains(&singular) || word.starts_with("kubernetes") {
                    out.push(Finding::error(
                        "words",
                        path,
                        at + 1,
                        format!("`{word}` is no word of `ir/`: say peer, subject or origin"),
                    ));
                }
            }
        }
    }
    out
}

/// The words of a line in lower case; `podSelector` and `POD_SELECTOR` are two words each.
fn pieces(line: &str) -> Vec<String> {
    let (mut out, mut word) = (Vec::new(), String::new());
    let mut before = ' ';
    for letter in line.chars() {
        if !letter.is_alphabetic() || (letter.is_uppercase() && before.is_lowercase()) {
            out.push(std::mem::take(&mut word));
        }
        if letter.is_alphabetic() {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    out.push(word);
    out.retain(|word| !word.is_empty());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(path: &str, text: &str) -> usize {
        check(&House::of([(path, text)])).len()
    }

    #[test]
    fn a_word_of_the_cluster_is_found_in_code_and_comments() {
        for text in
            ["// every pod", "fn pods()", "struct PodSet;", "let kube_name = 1;", "NAMESPACE", "// Kubernetes says"]
        {
            assert_eq!(found("ir/flow/src/a.rs", text), 1, "{text}");
        }
    }

    #[test]
    fn a_word_inside_another_is_another_word() {
        assert_eq!(found("ir/flow/src/a.rs", "// a tripod, podium"), 0);
    }

    #[test]
    fn other_folders_may_speak_of_the_cluster() {
        assert_eq!(found("compiler/facts/src/a.rs", "struct Pod;"), 0);
    }
}
