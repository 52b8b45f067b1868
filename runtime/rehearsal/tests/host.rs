//! Policies of nodes in a lab, on the running kernel: nodes, pods and the world, in both families.

use driver::Database;
use enforce::explain;
use hir::subject::Subject;
use image::Target;
use lab::topology::Plan;
use lab::{Outcome, RunId};
use loader::Pins;
use rehearsal::{Answer, Fault, Stage, in_user_space, questions, spec};
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;

const CLUSTER: &str = r"
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {role: edge}}
status: {addresses: [{type: InternalIP, address: 10.9.0.1}, {type: InternalIP, address: 'fd00:9::1'}]}
---
apiVersion: v1
kind: Node
metadata: {name: n2}
status: {addresses: [{type: InternalIP, address: 10.9.0.2}, {type: InternalIP, address: 'fd00:9::2'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {nodeName: n1, containers: [{name: c, ports: [{name: http, containerPort: 8080}]}]}
status: {phase: Running, podIPs: [{ip: 10.8.1.10}, {ip: 'fd00:8:1::10'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: cli, namespace: shop, labels: {app: cli}}
spec: {nodeName: n1, containers: [{name: c}]}
status: {phase: Running, podIPs: [{ip: 10.8.1.11}, {ip: 'fd00:8:1::11'}]}
---
apiVersion: v1
kind: Pod
metadata: {name: far, namespace: shop, labels: {app: cli}}
spec: {nodeName: n2, containers: [{name: c}]}
status: {phase: Running, podIPs: [{ip: 10.8.2.10}, {ip: 'fd00:8:2::10'}]}
";

/// The edge node is reached on port 22 by pods `cli` and by other nodes, and reaches pods `web` and other nodes.
const POLICY: &str = r"
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: edge}
spec:
  nodeSelector: {matchLabels: {role: edge}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: cli, 'k8s:io.kubernetes.pod.namespace': shop}}]
    toPorts: [{ports: [{port: '22', protocol: TCP}]}]
  - fromEntities: [remote-node]
  egress:
  - toEndpoints: [{matchLabels: {app: web, 'k8s:io.kubernetes.pod.namespace': shop}}]
    toPorts: [{ports: [{port: '8080', protocol: TCP}]}]
  - toEntities: [remote-node]
";

/// Whether namespaces and programs can be made here; says so once when not.
fn possible() -> bool {
    let root = std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0);
    if !root || loader::features().is_err() {
        eprintln!("absent (1): tests of nodes need root and bpf(2)");
        return false;
    }
    true
}

/// How the agent is set up.
fn agent(settings: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: cilium-config, namespace: kube-system}}\ndata: {{{settings}}}\n"
    )
}

const GUARDED: &str = "enable-host-firewall: 'true'";
const AUDITED: &str = "enable-host-firewall: 'true', policy-audit-mode: 'true'";

fn database(settings: &str) -> Database {
    let mut db = Database::new();
    db.set_file("agent.yaml", &agent(settings));
    db.set_file("cluster.yaml", CLUSTER);
    db.set_file("policy.yaml", POLICY);
    db
}

fn plan(db: &Database, run: &str) -> Plan {
    Plan::new(spec::spec(&driver::world::cluster(db), RunId::new(run).unwrap(), &BTreeSet::new())).unwrap()
}

fn stage(plan: &Plan, pins: fn() -> Pins) -> Stage {
    Stage::up(plan, &Target::default(), pins, 7, &AtomicBool::new(false)).unwrap()
}

fn ask(db: &Database, plan: &Plan, stage: &Stage) -> Vec<Answer> {
    let (questions, _) = questions(db, plan, 1);
    stage.ask(db, &questions).unwrap()
}

fn told(plan: &Plan, answer: &Answer) -> String {
    let probe = answer.question.probe;
    let (from, to) = (plan.name(probe.from.place), plan.name(probe.to.place));
    format!("{from} -> {to} {} {}: {:?}", probe.to.address, probe.protocol, answer.observed)
}

/// Nothing differs from what the oracle says, and these pairs are among what does not pass.
fn agrees(plan: &Plan, answers: &[Answer], blocked: &[(&str, &str)]) {
    let differ: Vec<String> = answers.iter().filter(|it| !it.agrees()).map(|it| told(plan, it)).collect();
    assert_eq!(differ, Vec::<String>::new());
    for (from, to) in blocked {
        let named = |it: &&Answer| {
            let probe = it.question.probe;
            plan.name(probe.from.place) == *from && plan.name(probe.to.place) == *to
        };
        let outcomes: Vec<Outcome> = answers.iter().filter(named).map(|it| it.observed).collect();
        assert!(outcomes.contains(&Outcome::Blocked), "{from} -> {to}: {outcomes:?}");
    }
}

#[test]
fn nodes_are_guarded_on_every_way_and_what_they_forward_is_not() {
    if !possible() {
        return;
    }
    let mut db = database(GUARDED);
    let plan = plan(&db, "hsta");
    let mut stage = stage(&plan, || Pins::None);
    stage.apply(&db).unwrap();
    let closed = [("shop/web", "n1"), ("n1", "shop/cli"), ("n1", "shop/far"), ("world", "n1"), ("n1", "world")];
    agrees(&plan, &ask(&db, &plan, &stage), &closed);

    let mut explained = Vec::new();
    for (node, enforcer) in stage.enforcers() {
        let records: Vec<_> = enforcer.node().records().unwrap().collect();
        explained.extend(records.iter().map(|record| (node.to_owned(), explain(enforcer, record))));
    }
    let of_node = |(_, it): &&(String, enforce::Explained)| it.subject == Some(Subject::Node("n1".into()));
    let (node, one) = explained.iter().find(of_node).expect("drops of the node are recorded");
    assert_eq!(node, "n1");
    let place = driver::locate::locate(&db, &one.by[0]).expect("a drop leads to text");
    assert_eq!((db.file(place.file).is_some(), one.by[0].object.contains("edge")), (true, true), "{one:?}");

    // What nodes deny is seen and passes in audit mode, and is denied again after it.
    db.set_file("agent.yaml", &agent(AUDITED));
    stage.apply(&db).unwrap();
    let answers = ask(&db, &plan, &stage);
    agrees(&plan, &answers, &[]);
    assert!(answers.iter().all(|it| it.observed == Outcome::Reached));
    let audited = |(_, enforcer): (&str, &mut enforce::Enforcer)| {
        let records: Vec<_> = enforcer.node().records().unwrap().collect();
        records.iter().filter(|record| explain(enforcer, record).audited).count()
    };
    assert!(stage.enforcers().map(audited).sum::<usize>() > 0);
    db.set_file("agent.yaml", &agent(GUARDED));
    stage.apply(&db).unwrap();
    agrees(&plan, &ask(&db, &plan, &stage), &closed);

    // Nobody is locked out of a node by policies of nodes that nobody asked for.
    db.set_file("agent.yaml", &agent(""));
    stage.apply(&db).unwrap();
    let answers = ask(&db, &plan, &stage);
    agrees(&plan, &answers, &[]);
    assert!(answers.iter().all(|it| it.observed == Outcome::Reached));
    stage.down().unwrap();
}

#[test]
fn an_edit_replaces_the_programs_of_the_nodes_that_it_selects() {
    if !possible() {
        return;
    }
    let mut db = database(GUARDED);
    let plan = plan(&db, "hstb");
    let pins = || Pins::At(loader::attach::default_root());
    let mut first = stage(&plan, pins);
    // Two hooks a pod, and two of the node at its one device and at each pod's interface.
    let applied = first.apply(&db).unwrap();
    assert_eq!((applied.attached, applied.replaced), (6 + 2 * (3 + 2), 0));
    first.keep();

    let mut second = Stage::over(lab::Lab::open(&plan).unwrap(), &Target::default(), pins, 8).unwrap();
    let applied = second.apply(&db).unwrap();
    assert_eq!((applied.attached, applied.replaced), (0, 0), "a restart finds what the node enforces");
    db.set_file("policy.yaml", &POLICY.replace("app: cli", "app: web"));
    let applied = second.apply(&db).unwrap();
    assert_eq!((applied.attached, applied.replaced), (0, 6), "both hooks of n1 at its three places");
    agrees(&plan, &ask(&db, &plan, &second), &[("shop/cli", "n1")]);
    db.set_file("agent.yaml", &agent(""));
    second.apply(&db).unwrap();
    let attached = second.enforcers().map(|(_, enforcer)| enforcer.node().attached().count()).sum::<usize>();
    assert_eq!(attached, 6, "nothing of the nodes' is left");
    second.down().unwrap();
    lab::down_all("hstb").unwrap();
}

#[test]
fn programs_in_user_space_answer_for_nodes_as_the_oracle_does() {
    for (settings, audit) in [(GUARDED, false), (AUDITED, true)] {
        let db = database(settings);
        let plan = plan(&db, "hstc");
        let (questions, _) = questions(&db, &plan, 0);
        let answers = in_user_space(&db, &plan, &questions, Fault::None).unwrap();
        let closed: &[_] = if audit { &[] } else { &[("shop/web", "n1"), ("n1", "world"), ("world", "n1")] };
        agrees(&plan, &answers, closed);
    }
}
