//! Policies of other engines are counted, and nothing else is.

use driver::{Database, foreign};

fn counts(db: &Database) -> Vec<String> {
    foreign(db).iter().map(|(engine, count)| format!("{engine} {count}")).collect()
}

fn object(api_version: &str, kind: &str, name: &str) -> String {
    format!("---\n{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: {name}, namespace: a}}, spec: {{}}}}\n")
}

#[test]
fn every_engine_is_counted_apart_and_an_object_that_stands_twice_once() {
    let mut db = Database::new();
    assert_eq!(counts(&db), [""; 0]);
    let calico = |name: &str| object("projectcalico.org/v3", "NetworkPolicy", name);
    db.set_file("a.yaml", &[calico("one"), calico("two")].concat());
    db.set_file("b.yaml", &[calico("two"), object("security.istio.io/v1", "AuthorizationPolicy", "x")].concat());
    assert_eq!(counts(&db), ["Calico 2", "Istio 1"]);
    db.set_file("b.yaml", &object("networking.k8s.io/v1", "NetworkPolicy", "x"));
    db.remove_file("a.yaml");
    assert_eq!(counts(&db), [""; 0]);
}
