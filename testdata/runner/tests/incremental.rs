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

/// A database of all files whose edits are expected, before anything else is asked of it.
fn attended() -> Database {
    let mut db = Database::new();
    db.listen();
    db.set_cluster(cluster());
    db.set_files((0..NAMESPACES).flat_map(|n| (0..POLICIES).map(move |p| (file(n, p), text(n, p, 1000 + p)))));
    db.expect_edits();
    everything(&db);
    db.take_log();
    db
}

#[test]
fn where_edits_are_expected_they_reach_the_classes_that_they_select_and_no_others() {
    let mut db = attended();
    let (namespace, policy) = (321, 6);
    let reached = |db: &mut Database, policy: usize, port: usize| -> BTreeSet<(&str, String)> {
        db.set_file(&file(namespace, policy), &text(namespace, policy, port));
        everything(db);
        let meant = ["lower", "build"];
        db.take_log().into_iter().filter(|ran| meant.contains(&ran.query)).map(|ran| (ran.query, ran.key)).collect()
    };
    let of = |db: &Database, apps: &[&str]| -> BTreeSet<(&str, String)> {
        names(db, namespace, apps).into_iter().flat_map(|it| [("build", it.clone()), ("lower", it)]).collect()
    };
    // The first edit of a namespace runs all its classes: from then on they are held ready for more.
    assert_eq!(reached(&mut db, policy, 4000), of(&db, &APPS));
    assert_eq!(reached(&mut db, policy, 4001), of(&db, &[APPS[policy % 2]]));
    assert_eq!(reached(&mut db, policy + 1, 4002), of(&db, &[APPS[(policy + 1) % 2]]));
    assert_eq!(reached(&mut db, policy + 1, 4002), BTreeSet::new());
}

#[test]
fn where_edits_are_expected_a_comment_is_read_and_nothing_else_runs() {
    let mut db = attended();
    for comment in ["# why", "# why not"] {
        db.set_file(&file(7, 3), &format!("{comment}\n{}", text(7, 3, 1003)));
        everything(&db);
        let log: Vec<(&str, String)> = db.take_log().into_iter().map(|ran| (ran.query, ran.key)).collect();
        let file = file(7, 3).to_string();
        assert_eq!(log, [("decode", file.clone()), ("parse", file)]);
    }
}

/// What every class means, as text.
fn meant(db: &Database) -> Vec<String> {
    let keys = meaning::keys(db).iter();
    keys.map(|key| format!("{:?} {:?}", key.class(db), meaning::rule_sets(db, *key))).collect()
}

/// Something that happens to a database.
type Change<'c> = &'c dyn Fn(&mut Database);

#[test]
fn where_edits_are_expected_every_change_is_seen_that_a_new_database_sees() {
    let (everywhere, named) = ("everywhere.yaml", "other.yaml");
    let clusterwide = "apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\nmetadata: {name: all}\nspec:\n  endpointSelector: {}\n  \
                       ingress: [{fromCIDR: [192.0.2.0/24]}]\n";
    let elsewhere = text(1, 0, 77).replace("n1}", "new}");
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: new, labels: {app: web}}\nstatus: {podIPs: [{ip: 10.9.9.9}]}\n";
    let changes: [(&str, Change<'_>); 7] = [
        ("a policy of the whole cluster", &|db| {
            db.set_file(everywhere, clusterwide);
        }),
        ("a pod of a namespace that is not there yet", &|db| {
            db.set_file("pod.yaml", pod);
        }),
        ("a policy of that namespace", &|db| {
            db.set_file(named, &elsewhere);
        }),
        ("the pod's policy is gone", &|db| db.remove_file(named)),
        ("another reading", &|db| db.set_dialect(&hir::Dialect::CILIUM_1_20)),
        ("the cluster's policy is gone", &|db| db.remove_file(everywhere)),
        ("another cluster", &|db| db.set_cluster(Cluster::default())),
    ];
    let (mut attended, mut plain) = (Database::new(), Database::new());
    for db in [&mut attended, &mut plain] {
        db.set_cluster(cluster());
        db.set_files((0..3).flat_map(|n| (0..POLICIES).map(move |p| (file(n, p), text(n, p, 1000 + p)))));
    }
    attended.expect_edits();
    assert!(meant(&attended) == meant(&plain));
    for (what, change) in changes {
        let before = meant(&attended);
        change(&mut attended);
        change(&mut plain);
        assert!(meant(&attended) == meant(&plain), "{what}");
        assert!(meant(&attended) != before, "{what} changes something");
    }
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
