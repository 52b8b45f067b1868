//! Rendered objects keep the name of what they were rendered from.

use crate::project;
use findings::context::{Context, Contexts, Origin};

const OBJECT: &str = "apiVersion: v1\nkind: Service\nmetadata: {name: NAME, namespace: shop}\n";

fn contexts(text: &str) -> Vec<Context> {
    let db = project(&[("-", text)]);
    let file = db.file_at("-").unwrap();
    let mut contexts = Contexts::default();
    let names: Vec<usize> = text.match_indices("name: ").map(|(at, _)| at).collect();
    names.into_iter().map(|at| (*contexts.of(&db, file, at as u32)).clone()).collect()
}

fn object(name: &str) -> Option<String> {
    Some(format!("Service shop/{name}"))
}

#[test]
fn helm_names_the_template_above_each_object() {
    let text = ["a", "b", "c"].map(|name| OBJECT.replace("NAME", name));
    let text = format!(
        "---\n# Source: shop/templates/a.yaml\n{}---\n# Source: shop/charts/db/templates/b.yaml\n{}---\n{}",
        text[0], text[1], text[2]
    );
    let from = |path: &str| Some(Origin { path: Some(path.into()), ..Origin::default() });
    assert_eq!(
        contexts(&text),
        [
            Context { object: object("a"), origin: from("shop/templates/a.yaml") },
            Context { object: object("b"), origin: from("shop/charts/db/templates/b.yaml") },
            Context { object: object("c"), origin: None },
        ]
    );
}

#[test]
fn kustomize_says_path_repository_and_what_configures_it() {
    let with = |annotations: &str| {
        OBJECT.replace("namespace: shop}", &format!("namespace: shop, annotations: {{{annotations}}}}}"))
    };
    let said = |annotations: &str| contexts(&with(annotations))[0].origin.clone();
    let origin =
        said("config.kubernetes.io/origin: \"path: base/a.yaml\\nrepo: https://example.org/x\\nref: v1.2\\n\"");
    assert_eq!(
        origin,
        Some(Origin {
            path: Some("base/a.yaml".into()),
            repo: Some("https://example.org/x".into()),
            reference: Some("v1.2".into()),
            configured_in: None
        })
    );
    assert_eq!(origin.unwrap().to_string(), "https://example.org/x@v1.2 base/a.yaml");
    let made = said("config.kubernetes.io/origin: \"configuredIn: kustomization.yaml\\nconfiguredBy: {kind: X}\\n\"");
    assert_eq!(made.unwrap().to_string(), "configured in kustomization.yaml");
    let path = said("internal.config.kubernetes.io/path: base/b.yaml");
    assert_eq!(path.unwrap().to_string(), "base/b.yaml");
    assert_eq!(said("config.kubernetes.io/origin: \"\""), None);
}

#[test]
fn items_of_a_list_are_objects_of_their_own() {
    let item = |name: &str| format!("- {}", OBJECT.replace("NAME", name).trim_end().replace('\n', "\n  "));
    let text = format!("apiVersion: v1\nkind: List\nitems:\n{}\n{}\n", item("a"), item("b"));
    let objects: Vec<_> = contexts(&text).into_iter().map(|it| it.object).collect();
    assert_eq!(objects, [object("a"), object("b")]);
}
