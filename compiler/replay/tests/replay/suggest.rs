//! Suggested policies allow what was recorded, and pass our own lints.

use crate::support::{Random, database, tally, text};
use driver::{Database, Knowledge, Wish, world};
use facts::Cluster;
use replay::suggest::{Kind, Options, Suggestion, suggest, text as manifests};

const CORPORA: [&str; 3] = ["examples/replay/flows.jsonl", "testdata/flows/mixed.jsonl", "testdata/flows/table.csv"];
const FACTS: &str = "testdata/flows/cluster.yaml";

fn facts() -> Cluster {
    (*world::cluster(&database(&[FACTS], Knowledge::Partial))).clone()
}

fn of(corpus: &str, kind: Kind, include_dropped: bool) -> Suggestion {
    let options = Options { kind, include_dropped, knowledge: Knowledge::Partial, wish: Wish::Auto };
    suggest(&tally(corpus), &facts(), options)
}

#[test]
fn everything_recorded_is_allowed_and_no_lint_finds_anything() {
    for corpus in CORPORA {
        for kind in [Kind::NetworkPolicy, Kind::CiliumNetworkPolicy] {
            let suggestion = of(&text(corpus), kind, false);
            let words: Vec<_> = suggestion.left.iter().filter(|it| !it.why.starts_with("NetworkPolicy")).collect();
            assert!(words.is_empty(), "{corpus} {kind:?}: {words:#?}\n{}", manifests(&suggestion.policies));
            let cannot: u64 = suggestion.left.iter().map(|it| it.records).sum();
            assert_eq!(suggestion.covered + cannot, suggestion.wanted, "{corpus} {kind:?}");
            assert!(kind == Kind::NetworkPolicy || cannot == 0, "{corpus}: {:#?}", suggestion.left);
            let mut db = database(&[FACTS], Knowledge::Partial);
            db.set_file("suggested.yaml", &manifests(&suggestion.policies));
            db.settle_dialect(Wish::Named(&hir::Dialect::CILIUM_1_20));
            let found: Vec<String> =
                checks::check(&db).iter().map(|it| format!("{} {}", it.code, it.headline)).collect();
            assert_eq!(found, Vec::<String>::new(), "{corpus} {kind:?}\n{}", manifests(&suggestion.policies));
        }
    }
}

#[test]
fn what_was_dropped_is_left_out_unless_it_is_asked_for() {
    let corpus = text("examples/replay/flows.jsonl");
    let (without, with) = (of(&corpus, Kind::NetworkPolicy, false), of(&corpus, Kind::NetworkPolicy, true));
    assert_eq!((without.dropped, with.dropped), (1, 0));
    assert!(!manifests(&without.policies).contains("backup"));
    assert!(manifests(&with.policies).contains("kubernetes.io/metadata.name: backup"));
}

#[test]
fn the_order_of_records_changes_nothing() {
    let corpus = text("testdata/flows/mixed.jsonl");
    let mut lines: Vec<&str> = corpus.lines().collect();
    let expected = manifests(&of(&corpus, Kind::CiliumNetworkPolicy, false).policies);
    let mut random = Random(3);
    for at in (1..lines.len()).rev() {
        lines.swap(at, random.below(at + 1));
    }
    assert_eq!(manifests(&of(&lines.join("\n"), Kind::CiliumNetworkPolicy, false).policies), expected);
}

#[test]
fn ports_are_those_of_pods_and_labels_are_those_that_stay() {
    let corpus = "source,destination,protocol,port,verdict,source_labels\nshop/web-7d4b9c6f5b-x2x4z,10.96.0.20,tcp,15432,allow,app=web;pod-template-hash=7d4b9c6f5b\n";
    let all = manifests(&of(corpus, Kind::NetworkPolicy, false).policies);
    assert!(all.contains("{protocol: TCP, port: 5432}"), "the service's 15432 is the pod's 5432\n{all}");
    assert!(!all.contains("15432") && !all.contains("pod-template-hash"), "{all}");
}

/// Nodes look names up, ask metrics and probe; pods look names up.
const OF_NODES: &str = "\
source,destination,protocol,port,verdict,source_labels,destination_labels
10.0.9.9,kube-system/coredns-x2x4z,udp,53,allow,reserved:remote-node,k8s-app=kube-dns
10.0.9.9,kube-system/coredns-x2x4z,tcp,9153,allow,reserved:remote-node,k8s-app=kube-dns
10.0.9.8,kube-system/coredns-x2x4z,tcp,8080,allow,reserved:host,k8s-app=kube-dns
10.0.9.7,kube-system/coredns-x2x4z,tcp,8181,allow,reserved:health,k8s-app=kube-dns
shop/web-1,kube-system/coredns-x2x4z,udp,53,allow,app=web,k8s-app=kube-dns
kube-system/coredns-x2x4z,10.0.9.1,tcp,6443,allow,k8s-app=kube-dns,reserved:kube-apiserver
";

#[test]
fn what_nodes_ask_of_those_who_answer_dns_stays_allowed() {
    for wish in [Wish::Auto, Wish::Named(&hir::Dialect::STANDARD), Wish::Named(&hir::Dialect::CILIUM_1_20)] {
        for kind in [Kind::NetworkPolicy, Kind::CiliumNetworkPolicy] {
            let options = Options { kind, include_dropped: false, knowledge: Knowledge::Partial, wish };
            for cluster in [facts(), Cluster::default()] {
                let suggestion = suggest(&tally(OF_NODES), &cluster, options);
                let all = manifests(&suggestion.policies);
                assert_eq!((&suggestion.left[..], suggestion.covered), (&[][..], 6), "{kind:?} {wish:?}\n{all}");
                let names_dns = all.split("---\n").any(|it| it.contains("name: kube-dns") && it.contains("ingress:"));
                assert!(names_dns, "the pods that answer DNS are isolated all the same\n{all}");
            }
        }
    }
}

#[test]
fn who_cannot_be_named_opens_a_port_and_nothing_is_said_twice() {
    let wish = Wish::Named(&hir::Dialect::CILIUM_1_20);
    let options = Options { kind: Kind::NetworkPolicy, include_dropped: false, knowledge: Knowledge::Partial, wish };
    let all = manifests(&suggest(&tally(OF_NODES), &facts(), options).policies);
    let dns = all.split("---\n").find(|it| it.contains("name: kube-dns")).unwrap();
    assert!(dns.contains("everybody, because NetworkPolicy has no word for remote-node"), "{dns}");
    assert_eq!(dns.matches("port: 53}").count(), 2, "UDP and TCP, once each\n{dns}");
    assert!(!dns.contains("namespaceSelector: {}"), "{dns}");
}

#[test]
fn the_own_node_is_host_and_others_are_remote() {
    let mut db = Database::new();
    db.set_file(
        "facts.yaml",
        "{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 10.0.0.2}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: cli, namespace: a, labels: {app: cli}}, spec: {nodeName: n1, containers: [{name: c, image: x}]}, status: {podIPs: [{ip: 10.244.1.11}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: hn, namespace: a, labels: {app: hn}}, spec: {nodeName: n1, hostNetwork: true, containers: [{name: c, image: x}]}, status: {podIPs: [{ip: 10.0.0.1}]}}
",
    );
    let cluster = (*world::cluster(&db)).clone();
    let wish = Wish::Named(&hir::Dialect::CILIUM_1_20);
    let (knowledge, include_dropped) = (Knowledge::Partial, false);
    let options = Options { kind: Kind::CiliumNetworkPolicy, include_dropped, knowledge, wish };
    for (to, entity) in [("10.0.0.1", "host"), ("a/hn", "host"), ("10.0.0.2", "remote-node")] {
        let corpus = format!("source,destination,protocol,port,verdict\na/cli,{to},TCP,22,allow\n");
        let suggestion = suggest(&tally(&corpus), &cluster, options);
        let all = manifests(&suggestion.policies);
        assert!(suggestion.left.is_empty() && all.contains(&format!("- {entity} # 1 flow")), "{to}: {all}");
    }
}

#[test]
fn port_0_is_no_port_that_a_rule_can_name() {
    let corpus = "source,destination,protocol,port,verdict,source_labels\nshop/web-1,shop/db-0,TCP,0,allow,app=web\nshop/web-1,shop/db-0,TCP,5432,allow,app=web\n";
    for kind in [Kind::NetworkPolicy, Kind::CiliumNetworkPolicy] {
        for (corpus, covered) in [(corpus, 1), (corpus.rsplit_once("shop/web").unwrap().0, 0)] {
            let suggestion = of(corpus, kind, false);
            let all = manifests(&suggestion.policies);
            let left: Vec<(&str, &str)> =
                suggestion.left.iter().map(|it| (it.port.as_str(), it.why.as_str())).collect();
            assert_eq!((left, suggestion.covered), (vec![("tcp/0", "no rule can name port 0")], covered), "{all}");
            assert!(!all.contains("port: 0") && !all.contains("port: \"0\""), "{all}");
        }
    }
}
