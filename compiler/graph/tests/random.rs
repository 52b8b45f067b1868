//! The same law as `agrees.rs`, over clusters that nobody thought of: seeded, so that every run asks the same.

use driver::{Database, Knowledge};
use flow::{L4Key, Protocol};
use graph::{Level, Wanted, connect};
use hir::Dialect;
use reason::trace::Outcome;
use reason::{Fact, Ground, Party, Question};

/// Marsaglia's xorshift with 64 bits.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len() as u64) as usize]
    }
}

const PODS: [(&str, &str, &str); 5] = [
    ("a", "web", "nodeName: n1, "),
    ("a", "db", "nodeName: n2, "),
    ("a", "new", ""),
    ("b", "web", "nodeName: n1, "),
    ("c", "probe", "nodeName: n9, "),
];

/// Pods with and without address and node, namespaces that were read and one that was not, a workload without pods.
fn cluster(dice: &mut Dice) -> String {
    let mut text = String::from(
        "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: x}}}\n---\n\
         {apiVersion: v1, kind: Namespace, metadata: {name: b}}\n---\n\
         {apiVersion: apps/v1, kind: Deployment, metadata: {name: batch, namespace: a}, spec: {selector: {matchLabels: {app: batch}}, template: {metadata: {labels: {app: batch}}, spec: {containers: [{name: c, image: i}]}}}}\n---\n",
    );
    for node in 1..=2 {
        let ranges = if dice.below(4) == 0 { String::new() } else { format!("podCIDRs: [10.1.{node}.0/24]") };
        text += &format!(
            "{{apiVersion: v1, kind: Node, metadata: {{name: n{node}}}, spec: {{{ranges}}}, status: {{addresses: [{{type: InternalIP, address: 192.168.0.{node}}}]}}}}\n---\n"
        );
    }
    for (at, (namespace, name, node)) in PODS.iter().enumerate() {
        let status =
            if *name == "new" { String::new() } else { format!(", status: {{podIPs: [{{ip: 10.1.1.{}}}]}}", at + 4) };
        text += &format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}, spec: {{{node}containers: [{{name: c, image: i, ports: [{{name: http, containerPort: 80}}]}}]}}{status}}}\n---\n"
        );
    }
    for at in 0..1 + dice.below(4) {
        text += &policy(dice, at);
    }
    text
}

fn policy(dice: &mut Dice, at: u64) -> String {
    let namespace = dice.of(&["a", "a", "b", "c"]);
    let labels = dice.of(&[
        "{}",
        "{matchLabels: {app: web}}",
        "{matchLabels: {app: db}}",
        "{matchExpressions: [{key: app, operator: Exists}]}",
    ]);
    if dice.below(2) == 0 {
        let mut rules = |key: &str| -> String {
            let rule = |dice: &mut Dice| {
                let peer = dice.of(&[
                    "[{podSelector: {matchLabels: {app: web}}}]",
                    "[{namespaceSelector: {matchLabels: {team: x}}}]",
                    "[{namespaceSelector: {}, podSelector: {matchLabels: {app: batch}}}]",
                    "[{ipBlock: {cidr: 10.1.1.0/24, except: [10.1.1.4/32]}}]",
                    "[{ipBlock: {cidr: 203.0.113.0/24}}, {ipBlock: {cidr: 192.168.7.0/24}}]",
                    "[]",
                ]);
                let ports = dice.of(&[
                    "[]",
                    "[{port: 80}]",
                    "[{port: http}, {port: 53, protocol: UDP}]",
                    "[{port: 1000, endPort: 2000}]",
                ]);
                format!("{{{key}: {peer}, ports: {ports}}}")
            };
            let rules: Vec<String> = (0..dice.below(3)).map(|_| rule(dice)).collect();
            rules.join(", ")
        };
        let (ingress, egress) = (rules("from"), rules("to"));
        let types = dice.of(&["[Ingress]", "[Egress]", "[Ingress, Egress]"]);
        return format!(
            "{{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {{name: p{at}, namespace: {namespace}}}, spec: {{podSelector: {labels}, policyTypes: {types}, ingress: [{ingress}], egress: [{egress}]}}}}\n---\n"
        );
    }
    let rule = |dice: &mut Dice, to: &str| {
        let peer = match dice.below(5) {
            0 => format!("{to}Endpoints: [{{matchLabels: {{app: web}}}}]"),
            1 => format!("{to}Endpoints: [{{matchLabels: {{\"k8s:io.cilium.k8s.namespace.labels.team\": x}}}}]"),
            2 => format!(
                "{to}Entities: [{}]",
                dice.of(&["world", "cluster", "host", "remote-node", "kube-apiserver", "all"])
            ),
            3 => format!("{to}CIDR: [203.0.113.0/24]"),
            _ if to == "to" => "toFQDNs: [{matchName: example.com}]".to_owned(),
            _ => format!("{to}CIDRSet: [{{cidrGroupRef: missing}}]"),
        };
        let ports = dice.of(&[
            "",
            ", toPorts: [{ports: [{port: \"80\", protocol: TCP}]}]",
            ", toPorts: [{ports: [{port: http}]}]",
        ]);
        format!("{{{peer}{ports}}}")
    };
    let (way, to) = if dice.below(2) == 0 { ("ingress", "from") } else { ("egress", "to") };
    let rules: Vec<String> = (0..1 + dice.below(2)).map(|_| rule(dice, to)).collect();
    format!(
        "{{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {{name: p{at}, namespace: {namespace}}}, spec: {{endpointSelector: {labels}, {way}: [{}]}}}}\n---\n",
        rules.join(", ")
    )
}

/// Everybody who is asked: the name of a member of the vertex, and the party.
fn parties(db: &Database) -> Vec<(String, Party)> {
    let cluster = driver::world::cluster(db);
    let mut all: Vec<(String, Party)> =
        cluster.pods.keys().map(|name| (name.to_string(), Party::Pod(name.clone()))).collect();
    let batch = cluster.workloads.values().next().expect("there is a workload");
    all.push((format!("{} {}", batch.kind.name(), batch.name), Party::Workload(batch.kind, batch.name.clone())));
    all.push(("world".into(), Party::Address("198.51.100.1".parse().unwrap())));
    all.push(("world 203.0.113.0/24".into(), Party::Address("203.0.113.7".parse().unwrap())));
    // Nobody knows whether it is a pod's, where no range of pods was read.
    all.push(("world 192.168.7.0/24".into(), Party::Address("192.168.7.0".parse().unwrap())));
    all
}

#[test]
fn what_is_drawn_is_what_a_trace_says() {
    let keys =
        [(Protocol::TCP, 79), (Protocol::TCP, 80), (Protocol::TCP, 1500), (Protocol::UDP, 53), (Protocol::UDP, 80)];
    let mut dice = Dice(0x5eed_1234_abcd_0001);
    let (mut asked, mut unknown) = (0, 0);
    for round in 0..24 {
        let text = cluster(&mut dice);
        let mut db = Database::new();
        db.set_files([("c.yaml".into(), text.as_str().into())]);
        db.set_dialect(if round % 2 == 0 { &Dialect::STANDARD } else { &Dialect::CILIUM_1_20 });
        db.set_knowledge(if round % 3 == 0 { Knowledge::Complete } else { Knowledge::Partial });
        let drawn = connect(&db, &Wanted { level: Level::Pod, ..Wanted::default() }).unwrap();
        let ground = Ground::of(&db);
        let named = |member: &str| drawn.vertices.iter().position(|it| it.members.iter().any(|it| it == member));
        // A prefix that no policy mentions is part of the world.
        let at = |member: &str| named(member).or_else(|| named("world").filter(|_| member.starts_with("world")));
        for (from, source) in parties(&db) {
            for (to, destination) in parties(&db) {
                // What stands outside the cluster has no edge to its like, and one that says nothing may have none at all.
                if from == to || from.starts_with("world") && to.starts_with("world") {
                    continue;
                }
                // A private address that no policy mentions is no vertex: nobody knows whether it is the world's.
                if [&from, &to].iter().any(|it| it.contains("192.168") && named(it).is_none()) {
                    continue;
                }
                let edge = at(&from)
                    .zip(at(&to))
                    .and_then(|ends| drawn.edges.iter().find(|edge| (edge.from, edge.to) == ends));
                for (protocol, port) in keys {
                    let key = L4Key::new(protocol, port);
                    let question = Question {
                        source: source.clone(),
                        destination: destination.clone(),
                        key,
                        request: None,
                        road: reason::service::Road::Straight,
                    };
                    let trace = ground.trace(&question);
                    let said = trace.outcome();
                    if said == Outcome::Unknown && trace.missing().iter().all(|it| it.fact == Fact::WhichAddress) {
                        continue;
                    }
                    let shown = match edge {
                        Some(edge) if edge.unknown.contains(key) => Outcome::Unknown,
                        Some(edge) if edge.ports.contains(key) => Outcome::Allow,
                        _ => Outcome::Deny,
                    };
                    unknown += usize::from(said == Outcome::Unknown);
                    assert_eq!(shown, said, "round {round} {from} -> {to} {key}\n{edge:#?}\n{text}");
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 5_000 && unknown > 50, "{asked} verdicts compared, {unknown} of them unknown");
}
