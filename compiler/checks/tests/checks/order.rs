//! Output depends on what the files say and on nothing else.

use crate::{codes, lines, marked, project, said_of};
use driver::Db;

/// Ten faults of ten kinds in one object or beside it.
const TEN: &str = r#"apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a}
spec:
  podSelecter: {}
  policyTypes: [Ingres]
  ingress:
  - from:
    - {}
    - ipBlock: {cidr: 10.0.0.1}
    - ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/8]}
    - podSelector: {matchExpressions: [{key: a, operator: In}]}
    ports:
    - port: 70000
    - port: "80"
    - {port: 90, endPort: 80}
    - port: [80]
"#;

#[test]
fn ten_faults_are_reported_in_one_run() {
    let found = said_of(TEN);
    let mut all = codes(&found);
    all.sort_unstable();
    assert_eq!(all, [15, 17, 18, 19, 21, 23, 25, 26, 27, 28], "{:#?}", lines(&found));
    assert!(found.windows(2).all(|pair| pair[0].place() <= pair[1].place()), "in order of reading");
}

#[test]
fn a_broken_document_does_not_hide_the_faults_of_the_next() {
    let found = said_of(&format!("a: [1\n---\n{TEN}"));
    assert_eq!(found.len(), 11, "{:#?}", lines(&found));
    assert_eq!(found[0].code.0, 2);
}

#[test]
fn what_a_broken_text_lost_is_not_reported_as_missing() {
    let text =
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec:\n  endpointSelector: [\n";
    assert_eq!(codes(&said_of(text)), [2]);
}

#[test]
fn a_comment_moves_places_and_changes_no_words() {
    let moved = TEN.replace("spec:\n", "# why\n\nspec: # here\n");
    let (before, after) = (said_of(TEN), said_of(&moved));
    assert_eq!(lines(&before), lines(&after));
    for (before, after) in before.iter().zip(&after) {
        assert_eq!(marked(before, TEN), marked(after, &moved));
        assert_ne!(before.labels, after.labels);
    }
}

#[test]
fn the_order_in_which_files_come_does_not_matter() {
    let forth = project(&[("a.yaml", TEN), ("b.yaml", "x: 1\n"), ("c.yaml", TEN)]);
    let back = project(&[("c.yaml", TEN), ("b.yaml", "x: 1\n"), ("a.yaml", TEN)]);
    assert_eq!(lines(&checks::check(&forth)), lines(&checks::check(&back)));
}

#[test]
fn files_one_by_one_say_what_all_say_together() {
    let db = project(&[("a.yaml", TEN), ("b.yaml", "x: 1\n"), ("c.yaml", TEN)]);
    let each: Vec<_> = db.files().flat_map(|file| checks::check_file(&db, file)).collect();
    assert_eq!(checks::check(&db as &dyn Db), each);
}
