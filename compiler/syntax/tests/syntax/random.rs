//! Random text: nothing panics, spans hold, values re-read.

use proptest::prelude::*;
use syntax::{Limits, NodeId, ScalarStyle, Tree, Value, parse};

use crate::support::json;

/// What holds of every tree of every text.
fn check_laws(text: &str) {
    let tree = parse(text, &Limits::default());
    let fits = |span: source::Span| text.get(span.start as usize..span.end as usize).is_some();
    assert_eq!(tree.text(), text);
    for id in tree.nodes() {
        assert!(fits(tree.span(id)), "span of {id:?}");
        let kind = tree.value(id).kind();
        assert!(!kind.is_empty());
        if let Some(parent) = tree.parent(id) {
            assert!(parent < id && tree.span(parent).covers(tree.span(id)));
        }
    }
    assert!(tree.comments().iter().all(|c| fits(c.span)));
    assert!(tree.comments().iter().all(|c| c.span.slice(text).starts_with('#')));
    for problem in tree.problems() {
        assert!(fits(problem.span), "{problem:?}");
        assert!(problem.related.is_none_or(fits), "{problem:?}");
        let document = tree.document_at(problem.span.start);
        assert!(document.is_some_and(|d| !d.sound), "{problem:?}");
    }
    let mut at = 0;
    for document in tree.documents() {
        assert!(fits(document.span) && document.span.start >= at);
        at = document.span.end;
        let inside = |p: &syntax::Problem| document.span.contains(p.span.start);
        if document.sound && !document.span.is_empty() {
            assert!(!tree.problems().iter().any(inside), "{document:?}");
        }
    }
    let unsound = tree.documents().iter().any(|d| !d.sound);
    assert_eq!(unsound, !tree.problems().is_empty());
    if tree.problems().is_empty() {
        tree.nodes().for_each(|id| check_raw(&tree, id));
    }
}

/// A scalar's source text alone reads as the same value.
fn check_raw(tree: &Tree, id: NodeId) {
    let style = tree.style(id);
    let collection = matches!(tree.value(id), Value::Mapping(_) | Value::Sequence(_));
    let raw = tree.raw(id);
    // Why: tags and explicit indents stand for more than the span shows; `a:` alone is a mapping.
    let header: String = raw.chars().take_while(|c| !c.is_whitespace()).collect();
    let indented =
        matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) && header.contains(|c: char| c.is_ascii_digit());
    let key_like = raw.ends_with(':');
    if collection || indented || key_like || style == ScalarStyle::Alias || tree.text().contains('!') {
        return;
    }
    let again = parse(&format!(" {raw}"), &Limits::default());
    let root = again.documents().first().and_then(|d| d.root);
    let value = root.map_or("null".to_owned(), |root| json(&again, root));
    assert_eq!(value, json(tree, id), "{raw:?} of {:?}", tree.text());
}

const SAMPLE: &str = "# head\napiVersion: v1\nkind: \"List\"\nitems:\n- &a\n  metadata: {name: 'ä', labels: {app: x}}\n  spec:\n    text: |\n      one\n       two\n    fold: >-\n      a\n      b\n    ports: [80, 0x50, yes, ~]\n- *a\n- <<: *a\n  more: \"\\u00e9\\n\" # end\n---\nsecond: !!str 5\n";

/// Pieces that YAML gives a meaning to, so that random text is often nearly valid.
fn fragment() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "a", "b: ", ": ", "- ", "\n", "\n  ", "\n    ", "? ", "|", ">-", "[", "]", "{", "}", ", ", "#c", " # c", "'",
        "\"", "\\", "&x ", "*x", "!!str ", "---\n", "...\n", "\t", "\r\n", "é", "😀", "{{", "}}", "<<: ", "%", "@",
        "\u{feff}", "1", "0x1", "yes", "~", "\u{85}", "\u{2028}",
    ];
    prop::collection::vec(prop::sample::select(PIECES), 0..40).prop_map(|v| v.concat())
}

/// The sample with some of its text replaced.
fn edited() -> impl Strategy<Value = String> {
    let edit = (any::<prop::sample::Index>(), 0..8_usize, fragment());
    prop::collection::vec(edit, 1..4).prop_map(|edits| {
        let mut chars: Vec<char> = SAMPLE.chars().collect();
        for (index, removed, added) in edits {
            let at = index.index(chars.len() + 1);
            let end = (at + removed).min(chars.len());
            chars.splice(at..end, added.chars().take(6));
        }
        chars.into_iter().collect()
    })
}

proptest! {
    #![proptest_config(crate::support::random(2000))]

    #[test]
    fn random_bytes_keep_the_laws(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_laws(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn random_fragments_keep_the_laws(text in fragment()) {
        check_laws(&text);
    }

    #[test]
    fn random_edits_keep_the_laws(text in edited()) {
        check_laws(&text);
    }
}

#[test]
fn the_sample_keeps_the_laws() {
    check_laws(SAMPLE);
    assert!(parse(SAMPLE, &Limits::default()).problems().is_empty());
}
