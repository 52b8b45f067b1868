//! A small cluster in a lab, on the running kernel.

use driver::Database;
use image::Target;
use lab::topology::Plan;
use lab::{Outcome, RunId};
use loader::Pins;
use rehearsal::{Answer, Stage, questions, spec};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

const CLUSTER: &str = r"
apiVersion: v1
kind: Node
metadata: {name: n1}
status: {addresses: [{type: InternalIP, address: 10.9.0.1}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 10.9.0.2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
status: {phase: Running, podIPs: [{ip: 10.8.1.10}, {ip: 'fd00:8:1::10'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {nodeName: n2, containers: [{name: c, ports: [{name: pg, containerPort: 5432}]}]}
status: {phase: Running, podIPs: [{ip: 10.8.2.10}, {ip: 'fd00:8:2::10'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cli, namespace: shop, labels: {app: cli}}
spec: {nodeName: n1, containers: [{name: c}]}
status: {phase: Running, podIPs: [{ip: 10.8.1.11}, {ip: 'fd00:8:1::11'}]}
";

const POLICY: &str = r"
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: pg}]
";

/// Whether namespaces and programs can be made here; says so once when not.
fn possible() -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if !root || loader::features().is_err() {
        eprintln!("absent (1): stage tests need root and bpf(2)");
        return false;
    }
    true
}

/// The target of the running kernel, for which the database builds from now on.
fn target(db: &mut Database) -> Target {
    let target = loader::features().unwrap().target();
    db.set_target(target.clone());
    target
}

fn rehearse(run: &str, work: impl FnOnce(&mut Database, &Plan, &mut Stage)) {
    rehearse_in(run, CLUSTER, work);
}

fn rehearse_in(run: &str, cluster: &str, work: impl FnOnce(&mut Database, &Plan, &mut Stage)) {
    let mut db = Database::new();
    db.set_file("cluster.yaml", cluster);
    db.set_file("policy.yaml", POLICY);
    let cluster = driver::world::cluster(&db);
    let plan = Plan::new(spec::spec(&cluster, RunId::new(run).unwrap(), &BTreeSet::new())).unwrap();
    let target = target(&mut db);
    let mut stage = Stage::up(&plan, &target, || Pins::None, 7, &AtomicBool::new(false)).unwrap();
    work(&mut db, &plan, &mut stage);
    stage.down().unwrap();
}

fn ask(db: &Database, plan: &Plan, stage: &Stage) -> Vec<Answer> {
    let (questions, _) = questions(db, plan, 1);
    stage.ask(db, &questions).unwrap()
}

fn differing(plan: &Plan, answers: &[Answer]) -> Vec<String> {
    let differ = answers.iter().filter(|answer| !answer.agrees());
    differ
        .map(|it| {
            let probe = it.question.probe;
            let (from, to) = (plan.name(probe.from.place), plan.name(probe.to.place));
            format!(
                "{from} -> {to} {} {:?}: expected {}, observed {:?}",
                probe.to.address, probe.protocol, it.expected.reached, it.observed
            )
        })
        .collect()
}

#[test]
fn real_packets_meet_what_the_oracle_expects() {
    if !possible() {
        return;
    }
    rehearse("rhsl", |db, plan, stage| {
        stage.apply(db).unwrap();
        let answers = ask(db, plan, stage);
        assert_eq!(differing(plan, &answers), Vec::<String>::new());
        let reached = answers.iter().filter(|it| it.observed == Outcome::Reached).count();
        assert!(reached > 0 && reached < answers.len(), "{reached} of {}", answers.len());
    });
}

#[test]
fn without_programs_the_comparison_fails() {
    if !possible() {
        return;
    }
    rehearse("rhsn", |db, plan, stage| {
        let differing = differing(plan, &ask(db, plan, stage));
        assert!(differing.iter().any(|it| it.starts_with("shop/cli -> shop/db")), "{differing:?}");
    });
}

#[test]
fn an_edit_takes_effect_at_once() {
    if !possible() {
        return;
    }
    rehearse("rhse", |db, plan, stage| {
        stage.apply(db).unwrap();
        db.set_file("policy.yaml", &POLICY.replace("app: web", "app: cli"));
        let applied = stage.apply(db).unwrap();
        assert_eq!((applied.attached, applied.replaced), (0, 2), "the two hooks of db and no other");
        assert_eq!(differing(plan, &ask(db, plan, stage)), Vec::<String>::new());
    });
}

#[test]
fn a_pod_that_comes_into_a_known_class_is_table_writes_and_no_program() {
    if !possible() {
        return;
    }
    rehearse("rhsc", |db, plan, stage| {
        let loads = |stage: &mut Stage| stage.enforcers().map(|(_, it)| it.node().loads()).collect::<Vec<_>>();
        stage.apply(db).unwrap();
        let before = loads(stage);
        assert!(before.iter().all(|it| *it > 0), "{before:?}");
        // Labels, then a pod that was not there: both are peers that the rules of db tell from others.
        let labels = CLUSTER.replace("labels: {app: cli}", "labels: {app: web}");
        let remote = labels.replace(
            "status: {phase: Running, podIPs: [{ip: 10.8.1.11}",
            "status: {phase: Running, podIPs: [{ip: 10.8.1.12}",
        );
        let more = format!(
            "{labels}---\n{}",
            remote.rsplit("---\n").next().unwrap().replace("name: cli", "name: more").replace("::11", "::12")
        );
        for cluster in [labels.as_str(), more.as_str(), labels.as_str(), CLUSTER] {
            db.set_file("cluster.yaml", cluster);
            let applied = stage.apply(db).unwrap();
            assert_eq!((applied.attached, applied.replaced), (0, 0), "{cluster}");
            assert_eq!(loads(stage), before, "no program was loaded");
            assert_eq!(differing(plan, &ask(db, plan, stage)), Vec::<String>::new());
        }
        // What no image tells from others yet is a program.
        db.set_file("policy.yaml", &POLICY.replace("app: web", "app: cli"));
        stage.apply(db).unwrap();
        assert!(loads(stage) > before);
    });
}

#[test]
fn a_node_alone_loads_no_step_between_where_one_direction_changes() {
    if !possible() {
        return;
    }
    let (first, rest) = CLUSTER.split_once("---\n").unwrap();
    let one_node =
        format!("{first}---\n{}", rest.split_once("---\n").unwrap().1.replace("nodeName: n2", "nodeName: n1"));
    rehearse_in("rhal", &one_node, |db, plan, stage| {
        let loads = |stage: &mut Stage| stage.enforcers().map(|(_, it)| it.node().loads()).sum::<u64>();
        let mut edit = |files: &[(&str, &str)]| {
            let before = loads(stage);
            for (path, text) in files {
                db.set_file(path, text);
            }
            let applied = stage.apply(db).unwrap();
            assert_eq!(differing(plan, &ask(db, plan, stage)), Vec::<String>::new(), "{files:?}");
            (loads(stage) - before, applied.replaced)
        };
        // By number: a port's name is a part of what peers are told apart by.
        let policy = POLICY.replace("port: pg", "port: 5432");
        edit(&[("policy.yaml", &policy)]);
        // Another port: what both allow is nothing, and no image is made of it.
        let other = POLICY.replace("port: pg", "port: 5433");
        assert_eq!(edit(&[("policy.yaml", &other)]), (1, 2));
        // Back again, and the sender may no longer send anything: both directions. One image lies between for the receiver; for the sender it is
        // the new one, so that the second step leaves it.
        let closed = POLICY.replace("name: db", "name: web").replace("app: db", "app: web");
        let closed = format!("{}  policyTypes: [Egress]\n", closed.split("  ingress:").next().unwrap());
        assert_eq!(edit(&[("policy.yaml", &policy), ("web.yaml", &closed)]), (3, 2));
        // Nothing that decides.
        assert_eq!(edit(&[("web.yaml", &format!("# one more line\n{closed}"))]), (0, 0));
        // A prefix that splits the world beside it is another matter: one hook may judge an address by the old peer, another by the new.
        let split = "  - from: [{ipBlock: {cidr: 203.0.113.0/25}}]\n";
        assert_eq!(edit(&[("policy.yaml", &format!("{other}{split}"))]), (2, 2));
    });
}

#[test]
fn a_pod_that_the_database_forgot_leaves_the_table_of_its_class_as_the_others_have_it() {
    if !possible() {
        return;
    }
    // Two replicas of the receiver, and the one that is forgotten before and after the one that stays.
    for forgotten in ["a-db", "z-db"] {
        let receiver = CLUSTER.split("---\n").find(|it| it.contains("{name: db,")).unwrap();
        let other = receiver
            .replace("{name: db,", &format!("{{name: {forgotten},"))
            .replace(".10}", ".20}")
            .replace("::10'", "::20'");
        let all = format!("{CLUSTER}---\n{other}");
        rehearse_in(&format!("rh{}fo", &forgotten[..1]), &all, |db, plan, stage| {
            stage.apply(db).unwrap();
            // A peer of a kind that nobody was before, which the policy lets in.
            let changed = CLUSTER.replace("labels: {app: cli}", "labels: {app: web, extra: new}");
            db.set_file("cluster.yaml", &changed);
            for again in 0..3 {
                db.set_file("policy.yaml", &format!("# {again}\n{POLICY}"));
                stage.apply(db).unwrap();
                let differ = differing(plan, &ask(db, plan, stage));
                let to_db: Vec<&String> = differ.iter().filter(|it| it.starts_with("shop/cli -> shop/db ")).collect();
                assert!(to_db.is_empty(), "{forgotten}, {again}: {differ:?}");
            }
            // Known again, it is judged as everybody else.
            db.set_file("cluster.yaml", &format!("{changed}---\n{other}"));
            stage.apply(db).unwrap();
            assert_eq!(differing(plan, &ask(db, plan, stage)), Vec::<String>::new(), "{forgotten}");
        });
    }
}

#[test]
fn a_restart_goes_on_where_the_last_process_stopped() {
    if !possible() {
        return;
    }
    let mut db = Database::new();
    db.set_file("cluster.yaml", CLUSTER);
    db.set_file("policy.yaml", POLICY);
    let spec = spec::spec(&driver::world::cluster(&db), RunId::new("rhsr").unwrap(), &BTreeSet::new());
    let plan = Plan::new(spec).unwrap();
    let pins = || Pins::At(loader::attach::default_root());
    let target = target(&mut db);
    let mut first = Stage::up(&plan, &target, pins, 7, &AtomicBool::new(false)).unwrap();
    first.apply(&db).unwrap();
    let seeds: Vec<u32> = first.enforcers().map(|(_, enforcer)| enforcer.node().config().seed).collect();
    // What tells the next process how to go on is there after the next change, whatever became of it.
    let journal = |node: &str| enforce::journal::path(&format!("rhsr-{node}"));
    std::fs::remove_file(journal("n1")).unwrap();
    std::fs::write(journal("n2"), "cut").unwrap();
    first.apply(&db).unwrap();
    first.keep();

    let lab = lab::Lab::open(&plan).unwrap();
    let mut second = Stage::over(lab, &target, pins, 8).unwrap();
    let held: Vec<u32> = second.enforcers().map(|(_, enforcer)| enforcer.node().config().seed).collect();
    assert_eq!(held, seeds, "connections are found by the seed");
    // A peer of a new kind comes first in the order of keys, so that every number of the database moves.
    db.set_file("cluster.yaml", &CLUSTER.replace("labels: {app: cli}", "labels: {aaa: new, app: cli}"));
    let applied = second.apply(&db).unwrap();
    assert_eq!((applied.attached, applied.replaced), (0, 0), "no image changed");
    assert_eq!(differing(&plan, &ask(&db, &plan, &second)), Vec::<String>::new());
    db.set_file("policy.yaml", &POLICY.replace("app: web", "app: cli"));
    let applied = second.apply(&db).unwrap();
    assert_eq!((applied.attached, applied.replaced), (0, 2));
    assert_eq!(differing(&plan, &ask(&db, &plan, &second)), Vec::<String>::new());
    second.down().unwrap();
    lab::down_all("rhsr").unwrap();
}
