//! An independent reader, `serde_yaml` (of libyaml's family), agrees wherever YAML 1.1 and 1.2 do.
//!
//! Where they differ we follow the API server's reader, and `scalars` tests that: `yes`/`no`/`on`/
//! `off`/`y`/`n` are strings to `serde_yaml`, `010` is a string, `0o10` and `0x` agree, `_` between
//! digits, `80.0` and merges (`<<`) are kept as written there.

use proptest::prelude::*;
use serde_yaml::Value as Other;
use syntax::{Limits, NodeId, Tree, Value, parse};

fn other(tree: &Tree, id: NodeId) -> Other {
    match tree.value(id) {
        Value::Null => Other::Null,
        Value::Bool(value) => value.into(),
        Value::Int(value) => value.into(),
        Value::UInt(value) => value.into(),
        Value::Float(value) => value.into(),
        Value::Str(text) => text.into(),
        Value::Sequence(items) => items.iter().map(|id| other(tree, *id)).collect(),
        Value::Mapping(entries) => {
            let pair = |e: &syntax::Entry| (other(tree, e.key), other(tree, e.value));
            Other::Mapping(entries.iter().map(pair).collect())
        }
    }
}

#[track_caller]
fn check(text: &str) {
    let tree = parse(text, &Limits::default());
    assert_eq!(tree.problems(), [], "problems of {text:?}");
    let ours = tree.documents().iter().filter_map(|d| d.root);
    let ours: Vec<Other> = ours.map(|root| other(&tree, root)).collect();
    let theirs: Result<Vec<Other>, _> =
        serde_yaml::Deserializer::from_str(text).map(serde::Deserialize::deserialize).collect();
    assert_eq!(ours, theirs.expect("the other reader reads it"), "{text:?}");
}

/// Words that both readers take alike.
fn word() -> impl Strategy<Value = String> {
    let shape = "[a-zA-Z ,:#'\"\\[\\]{}&*!|>%@`.\n\té😀-]{0,12}";
    shape.prop_filter("booleans of YAML 1.1 and merges differ", |word| {
        let words = ["y", "n", "yes", "no", "on", "off", "<<"];
        !words.contains(&word.to_ascii_lowercase().as_str())
    })
}

fn value() -> impl Strategy<Value = Other> {
    let leaf = prop_oneof![
        Just(Other::Null),
        any::<bool>().prop_map(Other::from),
        any::<i64>().prop_map(Other::from),
        word().prop_map(Other::from),
    ];
    leaf.prop_recursive(5, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Other::Sequence),
            prop::collection::vec((word().prop_map(Other::from), inner), 0..6)
                .prop_map(|pairs| Other::Mapping(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(crate::support::random(1000))]

    #[test]
    fn what_the_other_writes_we_read_alike(value in value()) {
        check(&serde_yaml::to_string(&value).expect("it writes its own values"));
    }
}

#[test]
fn hand_written_text_reads_alike() {
    for text in [
        "a: 1\nb: [x, {w: z}, 'q']\n",
        "- |\n  a\n   b\n\n- >\n  c\n  d\n\n  e\n- >-\n  f\n",
        "|+\n  keep\n\n",
        "plain text\n  over lines\n\n  and more\n",
        "\"folded\n  text\\\n  joined\"\n",
        "? a\n: c\n",
        "a: !!str 1\nb: &x [1]\nc: *x\n",
        "---\na\n---\nb\n...\n---\nc\n",
        "{\"a\": [1, 2.5, true, null, \"x\\ty\"]}",
        "a:\n- b\n-\n  c: d\n- - e\n",
        "0x1F: a\n",
    ] {
        check(text);
    }
}
