//! What records are decided by is what a node's programs read: the tables of an image answer as the diagrams that they were made of.

use crate::support::Random;
use driver::meaning::{self, ClassKey};
use driver::{Database, Knowledge, build, world};
use flow::{Direction, L4Key, PeerId, Protocol};
use std::fmt::Write;

const APPS: usize = 4;
const PORTS: [u16; 6] = [1, 53, 80, 443, 8080, 65_535];

/// Two namespaces of four pods each, and up to six policies about them.
fn world(random: &mut Random) -> String {
    let mut text = String::new();
    for namespace in ["a", "b"] {
        let labels = format!("{{team: {namespace}}}");
        let _ =
            writeln!(text, "---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: {namespace}, labels: {labels}}}");
        for app in 0..APPS {
            let ip = format!("10.{}.0.{}", u8::from(namespace == "b"), app + 1);
            let _ = writeln!(
                text,
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{name: p{app}, namespace: {namespace}, labels: {{app: w{app}}}}}\n\
                 spec: {{containers: [{{name: main, image: none}}]}}\nstatus: {{phase: Running, podIP: {ip}, podIPs: [{{ip: {ip}}}]}}"
            );
        }
    }
    for number in 0..1 + random.below(6) {
        let namespace = ["a", "b"][random.below(2)];
        let _ = writeln!(
            text,
            "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: n{number}, namespace: {namespace}}}\n\
             spec:\n  podSelector: {}\n  policyTypes: [Ingress, Egress]\n  ingress: [{}]\n  egress: [{}]",
            selector(random),
            rule(random, "from"),
            rule(random, "to"),
        );
    }
    text
}

fn selector(random: &mut Random) -> String {
    match random.below(3) {
        0 => "{}".to_owned(),
        _ => format!("{{matchLabels: {{app: w{}}}}}", random.below(APPS)),
    }
}

fn rule(random: &mut Random, side: &str) -> String {
    let peer = match random.below(5) {
        0 => format!("{{podSelector: {}}}", selector(random)),
        1 => format!("{{namespaceSelector: {{}}, podSelector: {}}}", selector(random)),
        2 => format!("{{namespaceSelector: {{matchLabels: {{team: {}}}}}}}", ["a", "b"][random.below(2)]),
        3 => format!("{{ipBlock: {{cidr: 10.0.0.0/8, except: [10.{}.0.0/16]}}}}", random.below(3)),
        _ => format!("{{ipBlock: {{cidr: 203.0.{}.0/24}}}}", random.below(3)),
    };
    let port = PORTS[random.below(PORTS.len())];
    let ports = match random.below(4) {
        0 => String::new(),
        1 => format!(", ports: [{{port: {port}, endPort: {}}}]", port.saturating_add(700)),
        2 => format!(", ports: [{{port: {port}}}, {{protocol: UDP, port: 53}}]"),
        _ => format!(", ports: [{{port: {port}}}]"),
    };
    if random.below(6) == 0 { String::new() } else { format!("{{{side}: [{peer}]{ports}}}") }
}

/// Ports of policies with those beside them, and others.
fn keys(random: &mut Random) -> Vec<L4Key> {
    let near = PORTS.into_iter().flat_map(|port| [port.saturating_sub(1), port, port.saturating_add(1)]);
    let ports: Vec<u16> = near.chain((0..10).map(|_| random.below(1 << 16) as u16)).collect();
    let protocols = [Protocol::TCP, Protocol::UDP, Protocol::SCTP, Protocol::ICMP];
    protocols.into_iter().flat_map(|protocol| ports.iter().map(move |port| L4Key::new(protocol, *port))).collect()
}

#[test]
fn tables_answer_as_diagrams_do_under_random_policies() {
    let (mut random, mut answers) = (Random(8), [0usize; 4]);
    for _ in 0..40 {
        let text = world(&mut random);
        let mut db = Database::new();
        db.set_knowledge(Knowledge::Complete);
        db.set_file("world.yaml", &text);
        let keys = keys(&mut random);
        for class in world::classes(&db).keys() {
            let key = ClassKey::new(&db, class.clone());
            let diagrams = meaning::diagrams(&db, key).unwrap();
            let image = build::image(&db, key).unwrap();
            for direction in Direction::BOTH {
                let diagram = &diagrams[meaning::slot(direction)];
                let classes = ebpf::class_table(diagram);
                let plan = match direction {
                    Direction::Ingress => &image.plan.ingress,
                    Direction::Egress => &image.plan.egress,
                };
                // One beyond the last, whom nobody knows.
                for peer in 0..=diagram.peers() {
                    for key in &keys {
                        let expected = ebpf::leaf(diagram.eval(PeerId(peer), *key));
                        let found = vm::tables::decide(&image, plan, &classes, peer, key.raw()).byte;
                        assert_eq!(found, expected, "{direction:?}, peer {peer}, {key} in\n{text}");
                        answers[usize::from(found)] += 1;
                    }
                }
            }
        }
    }
    assert!(answers[0] > 10_000 && answers[1] > 10_000, "both answers are met: {answers:?}");
}
