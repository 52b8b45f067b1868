//! Small parts of sentences.

use diag::{Edit, Fix};
use hir::{Operator, Requirement};
use kinds::registry::{Class, classify};
use kinds::{Consequence, Problem, Stage};
use source::{FileId, Span};

use crate::place::Spot;

/// The user's text in backticks, on one line, no longer than a reader bears.
pub(crate) fn quoted(text: &str) -> String {
    const MOST: usize = 60;
    let plain = |c: char| match c {
        '`' => '\'',
        c if c.is_control() => ' ',
        c => c,
    };
    let mut short: String = text.chars().map(plain).take(MOST).collect();
    if text.chars().count() > MOST {
        short.push('…');
    }
    format!("`{short}`")
}

/// A path in backticks, on one line and whole: names of images are longer than words of texts.
pub(crate) fn path(text: &str) -> String {
    let plain = |c: char| if c.is_control() || c == '`' { ' ' } else { c };
    format!("`{}`", text.chars().map(plain).collect::<String>())
}

/// Words of others on one line, without the stop at their end.
pub(crate) fn line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain.trim().trim_end_matches('.').to_owned()
}

/// `` `a`, `b` and `c` ``.
pub(crate) fn listed<'t>(words: impl IntoIterator<Item = &'t str>, last: &str) -> String {
    let words: Vec<String> = words.into_iter().map(quoted).collect();
    match words.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
    }
}

/// `1 pod`, `2 pods`.
pub(crate) fn counted(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A type with its article, as people say it.
pub(crate) fn typed(kind: &str) -> &'static str {
    match kind {
        "null" => "nothing",
        "boolean" => "a boolean",
        "integer" => "an integer",
        "number" => "a number",
        "string" => "a string",
        "mapping" => "a mapping",
        "sequence" => "a list",
        "integer or string" => "an integer or a string",
        _ => "another type",
    }
}

/// The one word that is near: `None` when none is, or when two are equally near, or when the word is longer than any name is.
///
/// Cost: bounded for each known word, whatever is written.
pub(crate) fn nearest<'w>(word: &str, known: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    // Comparing costs the product of both lengths, and nobody misspells a name into one of this many bytes.
    const LONGEST: usize = 64;
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let long = word.chars().count();
    let most = (long / 3).clamp(1, 3);
    // Words whose lengths differ by more are not near.
    let comparable = known.into_iter().filter(|it| it.chars().count().abs_diff(long) <= most);
    let ranked = comparable.map(|it| (strsim::osa_distance(&word, &it.to_lowercase()), it));
    let mut near: Vec<(usize, &str)> = ranked.filter(|(distance, _)| *distance <= most).collect();
    near.sort_unstable();
    near.dedup();
    match near.as_slice() {
        [(_, only)] => Some(only),
        [(first, best), (second, _), ..] if first < second => Some(best),
        _ => None,
    }
}

/// A fix that replaces some bytes.
pub(crate) fn replace(file: FileId, span: Span, replacement: impl Into<String>, title: impl Into<String>) -> Fix {
    Fix { title: title.into(), edits: vec![Edit { file, span, replacement: replacement.into() }] }
}

/// A condition as people write it on the command line.
pub fn condition(requirement: &Requirement) -> String {
    let key = &requirement.key;
    match &requirement.operator {
        Operator::In(values) if values.len() == 1 => format!("{key}={}", values[0]),
        Operator::In(values) => format!("{key} in ({})", values.join(", ")),
        Operator::NotIn(values) => format!("{key} not in ({})", values.join(", ")),
        Operator::Exists => key.clone(),
        Operator::DoesNotExist => format!("no {key}"),
    }
}

/// What becomes of the object in a cluster.
pub(crate) fn fate(spot: &Spot<'_>, problem: &Problem) -> &'static str {
    let api_version = spot.string("apiVersion").unwrap_or_default();
    match classify(api_version, &spot.object.object.kind) {
        Class::Fact(_) | Class::Checked(_) => fate_of_object(problem),
        _ => fate_of_policy(problem),
    }
}

/// What becomes of an object that has no rules.
fn fate_of_object(problem: &Problem) -> &'static str {
    match (problem.consequence, problem.stage) {
        (Consequence::Rejected, Stage::Sanitize) => {
            "the API server stores the object and whoever acts on it refuses it: `kubectl apply` succeeds, and nothing of \
             it has any effect"
        }
        (Consequence::Rejected, _) => {
            "the API server refuses the whole object: nothing of it has any effect, and what a cluster had before stays"
        }
        (Consequence::Closed, _) => "the rest of the object is used, and this part has no effect",
        (Consequence::Dropped, _) => {
            "the API server drops the field and keeps the rest, which then says other than the text"
        }
        (Consequence::Kept, _) => "the object is taken as it is written",
    }
}

fn fate_of_policy(problem: &Problem) -> &'static str {
    match (problem.consequence, problem.stage) {
        (Consequence::Rejected, Stage::Decode | Stage::Schema | Stage::KubernetesApi) => {
            "the API server refuses the whole object, so none of its rules is in force and pods that only it would \
             isolate stay open"
        }
        (Consequence::Rejected, Stage::Sanitize) => {
            "the API server stores the object and the policy agent refuses it: `kubectl apply` succeeds, none of its \
             rules is in force, and pods that only it would isolate stay open"
        }
        (Consequence::Rejected, Stage::Reach) => {
            "the whole object is left out, so none of its rules is in force and pods that only it would isolate stay \
             open"
        }
        (Consequence::Closed, _) => {
            "the rest of the object is enforced and this part stays closed: an allow here lets nothing through, a \
             deny here drops whatever it could mean"
        }
        (Consequence::Dropped, _) => {
            "the API server drops the field and keeps the rest, which then may allow more, or less, than the text says"
        }
        (Consequence::Kept, _) => "the object is enforced as it is written",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_suggested_only_when_one_is_near() {
        assert_eq!(nearest("podSelecter", ["podSelector", "namespaceSelector"]), Some("podSelector"));
        assert_eq!(nearest("PODSELECTOR", ["podSelector"]), Some("podSelector"));
        assert_eq!(nearest("toPort", ["toPorts", "toPods"]), Some("toPorts"));
        assert_eq!(nearest("ax", ["ay", "az"]), None);
        assert_eq!(nearest("colour", ["podSelector"]), None);
    }

    #[test]
    fn no_word_is_near_one_longer_than_names_are() {
        let [long, other] = ["x", "y"].map(|end| format!("{}{end}", "n".repeat(63)));
        assert_eq!(nearest(&long, [other.as_str()]), Some(other.as_str()));
        let longer = format!("{long}x");
        assert_eq!(nearest(&longer, [long.as_str()]), None);
    }

    #[test]
    fn quoted_text_stays_on_one_line_and_short() {
        assert_eq!(quoted("a\nb`c"), "`a b'c`");
        assert_eq!(quoted(&"x".repeat(100)).chars().count(), 63);
    }

    #[test]
    fn lists_are_joined_as_people_do() {
        assert_eq!(listed(["a"], "and"), "`a`");
        assert_eq!(listed(["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}
