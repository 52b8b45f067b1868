//! Fingerprints follow what is found, not where.

use crate::project;
use findings::{context::Contexts, fingerprint};

const POLICY: &str = "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a, namespace: shop}\nspec:\n  endpointSelector: {}\n  ingress:\n  - fromCIDR: [10.0.0.1/8]\n";

fn prints(files: &[(&str, &str)]) -> Vec<String> {
    let db = project(files);
    let found = checks::check(&db);
    fingerprint::all(&db, &found, &mut Contexts::default())
}

#[test]
fn lines_above_and_other_objects_change_none() {
    let once = prints(&[("a.yaml", POLICY)]);
    assert_eq!(once.len(), 1);
    let other = POLICY.replace("name: a", "name: b");
    for text in [
        format!("# a comment\n\n{POLICY}"),
        format!("{POLICY}---\n{other}"),
        format!("{other}---\n{POLICY}"),
        POLICY.replace("  - from", "  - fromEntities: [host]\n  - from"),
    ] {
        let now = prints(&[("0.yaml", "# empty\n"), ("a.yaml", &text)]);
        assert!(now.contains(&once[0]), "{text}");
    }
}

#[test]
fn another_text_object_or_file_is_another() {
    let once = prints(&[("a.yaml", POLICY)]);
    let texts = [POLICY.replace("10.0.0.1/8", "11.0.0.1/8"), POLICY.replace("name: a", "name: b")];
    assert!(texts.iter().all(|text| !prints(&[("a.yaml", text)]).contains(&once[0])));
    assert!(!prints(&[("b.yaml", POLICY)]).contains(&once[0]));
}

#[test]
fn what_is_alike_is_counted() {
    let twice = format!("{POLICY}  egress:\n  - toCIDR: [10.0.0.1/8]\n  - toCIDR: [10.0.0.1/8, 10.0.0.1/8]\n");
    let mut all = prints(&[("a.yaml", &twice)]);
    assert!(all.len() > 3, "{all:?}");
    let count = all.len();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), count, "each has its own");
}
