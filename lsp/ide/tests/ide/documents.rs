//! Every finding belongs to its own document.

use checks::suppress::Rules;
use diag::Diagnostic;
use driver::Database;
use source::Span;

const TEXTS: [&str; 5] = [
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: one}\nspec:\n  podSelecter: {}\n  \
     policyTypes: [Ingres]\n",
    "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: b, namespace: two}\nspec:\n  endpointSelector: {}\n  egress:\n  \
     - toFQDNs: [{matchName: a.example}]\n",
    "# tidegate: ignore[TG0012] so\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: c, namespace: three}\nspec:\n  \
     podSelector: {}\n  ingress:\n  - ports: [{port: 70000}]\n",
    "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: four, labels: {app: x}}\n",
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: d, namespace: four}\nspec:\n  podSelector: {matchLabels: {app: \
     y}}\n  ingress: [{from: [{podSelector: {}}]}, {from: [{podSelector: {}}]}]\n",
];

/// Code, headline and place of each, moved.
fn told(found: &[Diagnostic], by: u32) -> Vec<(String, Span)> {
    let moved = |span: Span| Span::new(span.start + by, span.end + by);
    found.iter().map(|it| (format!("{} {}", it.code, it.headline), moved(it.place().expect("a place").span))).collect()
}

#[test]
fn texts_one_after_another_say_what_each_says_moved() {
    let rules = Rules::default();
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [2, 0, 4, 1, 3]] {
        let mut apart = Database::new();
        let (mut whole, mut wanted) = (String::new(), Vec::new());
        for at in order {
            apart.set_file(&format!("{at}.yaml"), TEXTS[at]);
        }
        for at in order {
            let file = apart.file_at(&format!("{at}.yaml")).expect("it was set");
            whole.push_str("---\n");
            wanted.extend(told(&ide::diagnostics(&apart, file, &rules), whole.len() as u32));
            whole.push_str(TEXTS[at]);
        }
        let mut together = Database::new();
        together.set_file("all.yaml", &whole);
        let file = together.file_at("all.yaml").expect("it was set");
        let mut found = told(&ide::diagnostics(&together, file, &rules), 0);
        found.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        wanted.sort_by(|a, b| (a.1, &a.0).cmp(&(b.1, &b.0)));
        assert_eq!(found, wanted);
        assert!(!found.is_empty());
    }
}

#[test]
fn a_broken_document_says_nothing_of_its_neighbours() {
    let rules = Rules::default();
    let mut db = Database::new();
    db.set_file("a.yaml", &format!("a: [1\n---\n{}", TEXTS[0]));
    db.set_file("b.yaml", TEXTS[0]);
    let of = |path: &str| ide::diagnostics(&db, db.file_at(path).expect("it was set"), &rules);
    let alone: Vec<String> =
        told(&of("b.yaml"), 0).into_iter().map(|it| it.0).filter(|it| !it.contains("TG0046")).collect();
    let after: Vec<String> =
        told(&of("a.yaml"), 0).into_iter().map(|it| it.0).filter(|it| !it.contains("TG0046")).collect();
    assert_eq!(after[1..], alone[..]);
}
