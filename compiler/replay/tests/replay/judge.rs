//! What is decided of records is what `trace` says of the same ends.

use crate::support::{database, tally};
use driver::{Knowledge, Wish, world};
use facts::Name;
use flow::{L4Key, Protocol};
use reason::trace::Outcome as Traced;
use reason::{Party, Question, Stand, Wanted};
use replay::record::End;
use replay::{Judge, Outcome};
use std::collections::BTreeMap;
use std::net::IpAddr;

const SHOP: [&str; 4] = [
    "examples/shop/cluster.yaml",
    "examples/shop/pods.yaml",
    "examples/shop/services.yaml",
    "examples/shop/policies.yaml",
];

const PORTS: [(Protocol, u16); 5] =
    [(Protocol::TCP, 80), (Protocol::TCP, 5432), (Protocol::TCP, 8080), (Protocol::UDP, 53), (Protocol::TCP, 9090)];

fn ends() -> (Vec<Name>, Vec<IpAddr>) {
    let db = database(&SHOP, Knowledge::Complete);
    let pods = world::cluster(&db).pods.keys().cloned().collect();
    (pods, vec!["203.0.113.7".parse().unwrap(), "2001:db8::7".parse().unwrap()])
}

/// Whether each of some flows passes both ends, as the judge says; `None` where that cannot be known.
fn judged(lines: &[String], knowledge: Knowledge, wish: Wish) -> BTreeMap<String, Option<bool>> {
    let mut judge = Judge::new(database(&SHOP, knowledge), None, wish);
    let tally = tally(&format!("source,destination,protocol,port,verdict\n{}\n", lines.join("\n")));
    let name = |end: &End| match end.address {
        Some(address) => address.to_string(),
        None => format!("{}/{}", end.namespace, end.pod),
    };
    let found = judge.allows(&tally).into_iter().map(|(group, passes)| {
        let [source, destination] = [group.source, group.destination].map(|id| name(&tally.ends[id.0 as usize]));
        let key = group.key;
        (format!("{source},{destination},{},{},allow", key.protocol(), key.low()), passes)
    });
    found.collect()
}

#[test]
fn every_pair_is_decided_as_a_trace_decides_it() {
    let (pods, addresses) = ends();
    let (mut allowed, mut denied, mut unknown) = (0, 0, 0);
    for knowledge in [Knowledge::Complete, Knowledge::Partial] {
        for wish in [Wish::Auto, Wish::Named(&hir::Dialect::CILIUM_1_20)] {
            let mut db = database(&SHOP, knowledge);
            db.settle_dialect(wish);
            let mut questions = Vec::new();
            let outside = addresses.iter().map(|it| Party::Address(*it));
            for destination in pods.iter().map(|it| Party::Pod(it.clone())).chain(outside) {
                for source in &pods {
                    for (protocol, port) in PORTS {
                        let (source, destination) = (Party::Pod(source.clone()), destination.clone());
                        let key = L4Key::new(protocol, port);
                        questions.push(Question {
                            source,
                            destination,
                            key,
                            request: None,
                            road: reason::service::Road::Straight,
                        });
                    }
                }
            }
            let line = |it: &Question| {
                format!("{},{},{},{},allow", it.source, it.destination, it.key.protocol(), it.key.low())
            };
            let found = judged(&questions.iter().map(line).collect::<Vec<_>>(), knowledge, wish);
            assert_eq!(found.len(), questions.len());
            for question in questions {
                let trace = reason::trace(&db, &question);
                let passes = found[&line(&question)];
                let agrees = match (passes, trace.outcome()) {
                    (Some(passes), Traced::Allow | Traced::Depends) => passes,
                    (Some(passes), Traced::Deny) => !passes,
                    (None, Traced::Unknown) => true,
                    // A trace asks both families of a pod; a record is of one.
                    (Some(_), Traced::Unknown) => trace.missing().iter().all(|it| it.fact.name() == "which-address"),
                    (None, _) => false,
                };
                assert!(agrees, "{}: {passes:?}, but a trace says {:?}", line(&question), trace.outcome());
                match passes {
                    Some(true) => allowed += 1,
                    Some(false) => denied += 1,
                    None => unknown += 1,
                }
            }
        }
    }
    assert!(allowed > 100 && denied > 100, "{allowed} allowed, {denied} denied, {unknown} unknown");
}

#[test]
fn flows_to_services_are_decided_as_a_trace_decides_them() {
    let (pods, _) = ends();
    let mut seen = [0; 3];
    for knowledge in [Knowledge::Complete, Knowledge::Partial] {
        for wish in [Wish::Named(&hir::Dialect::STANDARD), Wish::Named(&hir::Dialect::CILIUM_1_20)] {
            let mut db = database(&SHOP, knowledge);
            db.settle_dialect(wish);
            let cluster = world::cluster(&db);
            let addresses = || cluster.services.values().flat_map(|it| it.cluster_ips.iter().copied());
            let mut all = Vec::new();
            for destination in addresses().map(Party::Address) {
                for source in pods.iter().map(|it| Party::Pod(it.clone())) {
                    for (protocol, port) in PORTS {
                        let (destination, key) = (destination.clone(), L4Key::new(protocol, port));
                        all.push(Wanted { source: source.clone(), destination, keys: vec![(key, key)], request: None });
                    }
                }
            }
            let line = |it: &Wanted| {
                let key = it.keys[0].0;
                format!("{},{},{},{},allow", it.source, it.destination, key.protocol(), key.low())
            };
            let found = judged(&all.iter().map(line).collect::<Vec<_>>(), knowledge, wish);
            for wanted in &all {
                let parts = reason::parts(&db, wanted).unwrap();
                let nobody = parts.iter().any(|part| matches!(part.trace.ingress.stand, Stand::Nobody(_)));
                let passes = found[&line(wanted)];
                let expected = match reason::parts::outcome(&parts) {
                    // A policy at the client may deny what nobody answers, too.
                    _ if nobody => {
                        parts[0].trace.egress.outcome() == Traced::Deny && passes == Some(false) || passes.is_none()
                    }
                    Some(Traced::Allow | Traced::Depends) => passes == Some(true),
                    Some(Traced::Deny) => passes == Some(false),
                    // A trace asks both families of a pod; a record is of one.
                    Some(Traced::Unknown) | None => true,
                };
                assert!(expected, "{}: {passes:?}, but a trace says {parts:#?}", line(wanted));
                seen[passes.map_or(2, usize::from)] += 1;
            }
        }
    }
    assert!(seen.iter().all(|it| *it > 20), "{seen:?} denied, allowed, undecidable");
}

#[test]
fn labels_stand_for_a_pod_that_the_facts_do_not_know() {
    let record = |labels: &str| {
        let text = format!(
            "source,destination,protocol,port,verdict,direction,source_labels\nshop/gone-x,shop/db,tcp,5432,deny,ingress,{labels}\n"
        );
        let mut judge = Judge::new(database(&SHOP, Knowledge::Partial), None, Wish::Auto);
        let mut outcome = Outcome::default();
        judge.fold(&tally(&text), &mut outcome);
        (outcome.decided.records, outcome.passing, outcome.undecided.keys().map(|it| it.name()).collect::<Vec<_>>())
    };
    assert_eq!(record("app=api"), (1, 1, vec![]));
    assert_eq!(record("app=other"), (1, 0, vec![]));
    let (decided, _, why) = record("");
    assert_eq!((decided, why), (0, vec!["address-owner"]), "nothing tells who it is");
}

#[test]
fn a_change_names_the_rule_before_and_the_rule_after() {
    let old = database(&["examples/replay/old/db.yaml", "examples/replay/cluster.yaml"], Knowledge::Partial);
    let new = database(&["examples/replay/new/db.yaml"], Knowledge::Partial);
    let mut judge = Judge::new(new, Some(old), Wish::Auto);
    let mut outcome = Outcome::default();
    judge.fold(&tally(&crate::support::text("examples/replay/flows.jsonl")), &mut outcome);
    let changes: Vec<String> = outcome
        .changes
        .iter()
        .map(|(it, seen)| {
            let path = |step: &replay::outcome::Step| format!("{} {}", step.said, step.by[0].path);
            format!("{} {} => {} ({})", it.source, path(&it.old), path(&it.new), seen.records)
        })
        .collect();
    assert_eq!(
        changes,
        [
            "backup/dump deny spec.ingress => allow spec.ingress[1].from[0] (1)",
            "shop/report allow spec.ingress[0].from[0] => deny spec.ingress (2)",
        ]
    );
}
