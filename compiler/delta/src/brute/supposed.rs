//! Whoever there may be: what a comparison says of those whom it supposes is what enumeration says of every pod that there can be.

use super::pool::{Random, pool};
use super::{side, with};
use crate::diff::compare;
use crate::rows::{Change, Kind};
use crate::side::Side;
use facts::{ContainerPort, Labels, Name, Namespace, Pod};
use flow::Protocol;
use hir::{Dialect, Policy};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Every pod that selectors of the pool can tell apart, each of them twice: two applications and another in
/// two tiers and another, in both namespaces that policies
/// name and in one of which none speaks.
fn everybody(side: &Side) -> Side {
    let mut side = Side { partial: false, ..side.clone() };
    side.cluster.namespaces.insert("c".into(), Namespace::new("c".to_owned(), Labels::new()));
    for namespace in ["a", "b", "c"] {
        let pairs = ["web", "db", "any", ""].into_iter().flat_map(|app| ["back", "any", ""].map(|tier| (app, tier)));
        for (app, tier) in pairs {
            for number in 0..2 {
                let labels = [("app", app), ("tier", tier)].into_iter().filter(|(_, value)| !value.is_empty());
                let labels = labels.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
                let name = Name::new(namespace, format!("{app}-{tier}-made-{number}"));
                let port = ContainerPort { name: "http".into(), protocol: Protocol::TCP, port: 8080 };
                let ports = vec![port].into_iter().filter(|_| number == 0).collect();
                side.cluster.pods.insert(name.clone(), Pod { name, labels, ports, ..Pod::default() });
            }
        }
    }
    side
}

/// How flows among pods change from end to end.
fn kinds(changes: &[Change]) -> BTreeSet<Kind> {
    changes.iter().filter(|it| it.end_to_end).map(|it| it.kind).collect()
}

#[test]
fn whatever_changes_for_somebody_changes_for_somebody_supposed() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let mut differing = 0;
    for dialect in [&Dialect::STANDARD, &Dialect::CILIUM_1_20] {
        let pool = pool(&mut random, dialect);
        let bare = side(&[], dialect);
        for number in 0..400 {
            let set: Vec<Arc<Policy>> =
                (0..1 + random.below(3)).map(|_| pool[random.below(pool.len())].clone()).collect();
            let mut other = set.clone();
            other.swap_remove(random.below(set.len()));
            if random.below(3) > 0 {
                other.push(pool[random.below(pool.len())].clone());
            }
            // Some pods of each kind are in the files, or none.
            let mut partial = Side { partial: true, ..bare.clone() };
            let kept = number % 3;
            partial.cluster.pods.retain(|name, _| kept == 2 || kept == 1 && name.name == "web");
            let told = |set: &[Arc<Policy>]| with(&partial, set);
            let all = |set: &[Arc<Policy>]| with(&everybody(&partial), set);
            let supposed = kinds(&compare(told(&set), told(&other)).unwrap().1);
            let enumerated = kinds(&compare(all(&set), all(&other)).unwrap().1);
            differing += usize::from(!enumerated.is_empty());
            let texts: Vec<String> = set.iter().chain(&other).map(|it| it.object.to_string()).collect();
            assert_eq!(supposed, enumerated, "{} {number}: {texts:?}\n{set:#?}\n{other:#?}", dialect.name);
        }
    }
    assert!(differing > 300, "{differing} pairs differ");
}
