//! The quick reader gives the parser's tree, or gives up. Whole trees are compared: values, spans, styles, comments, numbers of nodes.

use proptest::prelude::*;
use syntax::{Limits, parse, parse_carefully};

#[track_caller]
fn check(text: &str) {
    let limits = Limits::default();
    let (quick, careful) = (format!("{:#?}", parse(text, &limits)), format!("{:#?}", parse_carefully(text, &limits)));
    if quick != careful {
        let differ = quick.lines().zip(careful.lines()).enumerate().find(|(_, (quick, careful))| quick != careful);
        let near =
            |text: &str, at: usize| text.lines().skip(at.saturating_sub(12)).take(24).collect::<Vec<_>>().join("\n");
        let at = differ.map_or(0, |(at, _)| at);
        panic!("{text:?}\n--- quick\n{}\n--- parser\n{}", near(&quick, at), near(&careful, at));
    }
}

const TEXTS: [&str; 30] = [
    "a: 1\nb:\n  c: d e\n  f: \"g: h\"\ni: 'j # k'\n",
    "a:\n- b\n- c: d\n  e:\n  - f\n  - g: h\n",
    "a:\n  - b\n  - c\nd:\ne: ~\n",
    "---\n# one\na: b # two\n# three\n\nc:\n  # four\n  d: e\n",
    "--- # one\na: b\n",
    "a: {b: c, d: [e, f g, {h: i}], j: {}}\nk: []\n",
    "- - a\n  - b\n- - c\n",
    "- - - a\n    - b\n  - - c\n-   d: e\n    f: g\n",
    "a:\nb:   # nothing\n\nc:\n",
    "a:\n    b:\n        c:\n    d:\n  \ne: f",
    "a: -1\nb: -c\nd: 10.0.0.0/8\ne: k8s:f\ng: http://h/i#j\n",
    "k8s:app: b\n'c': d\n\"e\": f\n$g: h\n",
    "a: b\n  c\n",
    "a: b\n c: d\n",
    "a:\n  b\n",
    "-\n  a: b\n- c\n",
    "a: b: c\n",
    "a: b\n- c\n",
    "- a\nb: c\n",
    "  a: b\nc: d\n",
    "a: b\na: c\n",
    "yes: 1\n010: 2\n~: 3\n<<: {a: b}\n",
    "a: |\n  b\nc: >-\n  d\n",
    "a: &b c\nd: *b\ne: !!str 1\n",
    "a: 'b''c'\nd: \"e\\n\"\nf: 'g\\h'\n",
    "a: [b: c]\n",
    "a: {b, c: }\n",
    "a: [b,]\nc: {d: e,}\n",
    "a: b\n---\nc: d\n...\n---\n- e\n",
    "a: b   \nc: 'd'   # e\nf: [g]   # h\n",
];

#[test]
fn texts_of_all_kinds_read_alike() {
    TEXTS.iter().for_each(|text| check(text));
}

/// Lines of the quick reader's language, and of what it must notice, at any indent.
fn line() -> impl Strategy<Value = String> {
    const PIECES: &[&str] = &[
        "a: b",
        "c:",
        "- d",
        "- e: f",
        "- g:",
        "h",
        "i: [j, k]",
        "l: {m: n, o: [p]}",
        "# q",
        "r: s # t",
        "u: \"v\"",
        "'w': x",
        "- - y",
        "z: -1",
        "-",
        "a: 'b c'",
        "c: d: e",
        "- [f]",
        "- {g: h}",
        "i: j#k",
        "l : m",
        "n: |",
        "---",
        "...",
        "",
        "- # o",
        "p: {q: r}: s",
        "t: #u",
        "v: - w",
        "x: \"y",
        "z: {a: b",
        "c: [d e, f]g",
        "-h: i",
        "- -j",
        "k: ~",
        "~: l",
        "m: n:",
        "[o, p]",
        "{q: r}",
        "\"s\" : t",
        "u: v  w",
        "<<: {a: z}",
        "x: [y, y: z]",
        "a: [{b: c}, d, \"e\", 'f']",
        "g: {\"h\": i, 'j': k}",
    ];
    (0..5_usize, prop::sample::select(PIECES), prop::bool::weighted(0.1))
        .prop_map(|(indent, piece, more)| format!("{}{piece}{}", " ".repeat(indent), if more { "  " } else { "" }))
}

proptest! {
    #![proptest_config(crate::support::random(4000))]

    #[test]
    fn random_lines_read_alike(lines in prop::collection::vec(line(), 0..9), ends in any::<bool>()) {
        check(&(lines.join("\n") + if ends { "\n" } else { "" }));
    }

    #[test]
    fn random_characters_read_alike(text in "[a-c:\\-#,\\[\\]{} '\"\n?&*!|>%@~.0]{0,24}") {
        check(&text);
    }
}

/// Every text of the examples and of the suite.
#[test]
fn the_texts_of_this_repository_read_alike() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders = vec![root.join("examples"), root.join("testdata")];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the entry can be read").path();
            let is_text =
                path.extension().is_some_and(|it| ["yaml", "yml", "json", "md", "txt"].iter().any(|text| it == *text));
            match std::fs::read_to_string(&path) {
                _ if path.is_dir() => folders.push(path),
                // Why: what is long says the same again, and takes its time.
                Ok(text) if is_text && text.len() < 100_000 => {
                    check(&text);
                    count += 1;
                }
                _ => {}
            }
        }
    }
    assert!(count > 20, "only {count} texts");
}
