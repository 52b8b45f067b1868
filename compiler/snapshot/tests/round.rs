//! What is written reads back.

use facts::read::At;
use facts::{Cluster, decode};
use serde_json::json;
use snapshot::{Header, NotRead, Redaction, header, minimal, write};

/// Every kind with every field that decides something.
const CLUSTER: &str = include_str!("cluster.yaml");

fn read(text: &str) -> Cluster {
    let tree = syntax::parse(text, &syntax::Limits::default());
    assert_eq!(tree.problems(), []);
    let mut cluster = Cluster::default();
    for root in tree.documents().iter().filter_map(|it| it.root) {
        for object in decode::objects(&At::root(&tree, root)) {
            let decoder = decode::decoder(&object.api_version, &object.kind).expect("a fact");
            let decoded = decode::decode_with(decoder, &object.at.as_root());
            assert_eq!(decoded.problems, []);
            cluster.insert(decoded.fact.expect("it has a name"));
        }
    }
    cluster
}

fn head() -> Header {
    Header {
        taken: "2026-11-01T10:00:00Z".into(),
        source: "files".into(),
        tidegate: "0.1.0".into(),
        redacted: false,
        not_read: vec![NotRead { resource: "nodes".into(), because: "forbidden".into() }],
    }
}

#[test]
fn what_is_written_reads_back_as_what_was_meant() {
    let cluster = minimal(&read(CLUSTER));
    let text = write(&head(), &cluster, &[]);
    assert_eq!(read(&text), cluster);
    assert_eq!(write(&head(), &read(&text), &[]), text, "the same bytes for the same cluster");
    let tree = syntax::parse(&text, &syntax::Limits::default());
    assert_eq!(header(&tree), Some(head()));
}

#[test]
fn probes_are_kept_as_ports_that_are_asked() {
    let text = write(&head(), &minimal(&read(CLUSTER)), &[]);
    let asked = |kind, port| facts::Probe { kind, port };
    let (liveness, readiness) = (facts::ProbeKind::Liveness, facts::ProbeKind::Readiness);
    let made = read(&text).workloads.into_values().find(|it| it.name.name == "web").unwrap();
    assert_eq!(made.probes, [asked(liveness, 80), asked(liveness, 82), asked(readiness, 81)].into());
}

#[test]
fn nothing_but_what_decides_is_written() {
    let text = write(&head(), &minimal(&read(CLUSTER)), &[]);
    for word in ["password", "registry.corp", "annotation", "managed-by", "ReplicaSet", "uid", "heartbeat"] {
        assert!(!text.contains(word), "`{word}` in {text}");
    }
    let counted = ["\"Pod\":3", "\"Namespace\":1", "\"Deployment\":1", "\"DnsCache\":1", "\"ConfigMap\":1"];
    counted.iter().for_each(|it| assert!(text.contains(it), "{it} in {text}"));
}

#[test]
fn a_redacted_cluster_tells_no_name_and_is_as_large() {
    let cluster = minimal(&read(CLUSTER));
    let redaction = Redaction::new("salt");
    let redacted = redaction.cluster(&cluster);
    let text = write(&head(), &redacted, &[]);
    for word in ["shop", "north", "\"pg\"", "api.example", "payments", "partners"] {
        assert!(!text.contains(word), "`{word}` in {text}");
    }
    assert_eq!(read(&text), redacted);
    assert_eq!(snapshot::counts(&redacted), snapshot::counts(&cluster));
    assert_eq!(redacted.enforcer(), cluster.enforcer());
    assert_eq!(redacted.cilium_version(), cluster.cilium_version());
    assert_eq!(redacted.kube_apiserver(), cluster.kube_apiserver());
}

#[test]
fn a_policy_keeps_what_it_does_and_the_rest_goes() {
    let policy = json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "status": {"x": 1},
        "metadata": {"name": "a", "namespace": "b", "uid": "1", "annotations": {"note": "n", "tidegate.io/ignore": "TG0012"}},
        "spec": {"podSelector": {}},
    });
    let bare = snapshot::policy::bare(&policy).to_string();
    assert_eq!(
        bare,
        "{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"annotations\":{\"tidegate.io/ignore\":\
         \"TG0012\"},\"name\":\"a\",\"namespace\":\"b\"},\"spec\":{\"podSelector\":{}}}"
    );
}
