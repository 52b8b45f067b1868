//! One edit among ten thousand policies, and what runs again: the log of the queries is the assertion.

use driver::meaning::{self, ClassKey};
use driver::{Database, world};
use facts::{Cluster, Fact, Name, Namespace, Pod};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

const NAMESPACES: usize = 500;
const POLICIES: usize = 20;
/// Each policy selects one of these, so that half of a namespace's policies select each.
const APPS: [&str; 2] = ["web", "db"];

fn file(namespace: usize, policy: usize) -> Arc<str> {
    format!("n{namespace}/p{policy}.yaml").into()
}

fn text(namespace: usize, policy: usize, port: usize) -> Arc<str> {
    let (app, peer) = (APPS[policy % 2], APPS[(policy + 1) % 2]);
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{policy}, namespace: n{namespace}}}\nspec:\n  \
         podSelector: {{matchLabels: {{app: {app}}}}}\n  ingress:\n  - from: [{{podSelector: {{matchLabels: {{app: {peer}}}}}}}]\n    \
         ports: [{{port: {port}}}]\n"
    )
    .into()
}

fn cluster() -> Cluster {
    let mut cluster = Cluster::default();
    for namespace in 0..NAMESPACES {
        let name = format!("n{namespace}");
        cluster.insert(Fact::Namespace(Namespace::new(name.as_str(), Default::default())));
        for (at, app) in APPS.iter().enumerate() {
            let address = Ipv4Addr::from_bits(0x0af4_0000 + (namespace * APPS.len() + at) as u32);
            cluster.insert(Fact::Pod(Pod {
                name: Name::new(name.as_str(), *app),
                labels: [("app".to_owned(), (*app).to_owned())].into(),
                ips: [IpAddr::V4(address)].into(),
                ..Pod::default()
            }));
        }
    }
    cluster
}

/// Computes every class; says how many there are.
fn everything(db: &Database) -> usize {
    let classes = world::classes(db);
    for class in classes.keys() {
        assert!(meaning::diagrams(db, ClassKey::new(db, class.clone())).is_ok());
    }
    classes.len()
}

/// The names of the classes of some pods of a namespace.
fn names(db: &Database, namespace: usize, apps: &[&str]) -> BTreeSet<String> {
    let pods: Vec<String> = apps.iter().map(|app| format!("pod n{namespace}/{app}")).collect();
    let classes = world::classes(db);
    let mine = classes.iter().filter(|(_, subjects)| subjects.iter().any(|it| pods.contains(&it.to_string())));
    mine.map(|(class, _)| meaning::name(class)).collect()
}

#[test]
fn an_edit_among_ten_thousand_policies_reaches_the_classes_that_it_selects_and_no_others() {
    let mut db = Database::new();
    db.listen();
    db.set_cluster(cluster());
    let files = (0..NAMESPACES).flat_map(|n| (0..POLICIES).map(move |p| (file(n, p), text(n, p, 1000 + p))));
    db.set_files(files);
    assert_eq!(everything(&db), NAMESPACES * APPS.len());
    db.take_log();

    let (namespace, policy) = (321, 6);
    db.set_file(&file(namespace, policy), &text(namespace, policy, 4000));
    everything(&db);

    let log = db.take_log();
    let keys = |query: &str| -> BTreeSet<String> {
        log.iter().filter(|ran| ran.query == query).map(|ran| ran.key.clone()).collect()
    };
    let edited = BTreeSet::from([file(namespace, policy).to_string()]);
    let selected = names(&db, namespace, &[APPS[policy % 2]]);
    assert_eq!((selected.len(), keys("parse"), keys("decode")), (1, edited.clone(), edited));
    assert_eq!(keys("lower"), selected);
    assert_eq!(keys("build"), selected);
    // Which policies select a class is asked class by class, so the namespace's others are asked, too, and found as they were.
    assert!(keys("resolve").is_superset(&selected) && keys("resolve").is_subset(&names(&db, namespace, &APPS)));
    let queries: BTreeSet<&str> = log.iter().map(|ran| ran.query).collect();
    assert_eq!(queries, BTreeSet::from(["build", "decode", "index", "lower", "parse", "resolve"]));
}

#[test]
fn a_comment_among_ten_thousand_policies_is_read_and_nothing_else_runs() {
    let mut db = Database::new();
    db.listen();
    db.set_cluster(cluster());
    db.set_files((0..NAMESPACES).flat_map(|n| (0..POLICIES).map(move |p| (file(n, p), text(n, p, 1000 + p)))));
    everything(&db);
    db.take_log();

    db.set_file(&file(7, 3), &format!("# why\n{}", text(7, 3, 1003)));
    everything(&db);

    let log: Vec<(&str, String)> = db.take_log().into_iter().map(|ran| (ran.query, ran.key)).collect();
    let file = file(7, 3).to_string();
    assert_eq!(log, [("decode", file.clone()), ("parse", file)]);
}
