//! One flow to a service has one answer, whatever command is asked and in whatever form.

use crate::support::{CLUSTER, Folder};
use serde_json::Value;

/// Who asks for what of two services: one inside the cluster, one that is asked from outside, too.
const SERVICES: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: pg}]
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, clusterIP: 10.96.0.7, ports: [{name: a, port: 80, targetPort: pg}, {name: b, port: 81, targetPort: 7000}]}
---
apiVersion: v1
kind: Service
metadata: {name: edge, namespace: shop}
spec:
  type: LoadBalancer
  selector: {app: web}
  clusterIP: 10.96.0.8
  externalIPs: [198.51.100.90]
  ports: [{port: 80, targetPort: 8080, nodePort: 30080}]
status: {loadBalancer: {ingress: [{ip: 198.51.100.80}]}}
---
apiVersion: v1
kind: Service
metadata: {name: none, namespace: shop}
spec: {selector: {app: none}, clusterIP: 10.96.0.9, ports: [{port: 80}]}
";

fn folder() -> Folder {
    Folder::of(&[("cluster.yaml", CLUSTER), ("services.yaml", SERVICES)])
}

/// The verdict of `trace`; `mixed` where parts differ.
fn trace(folder: &Folder, from: &str, to: &str, port: &str, more: &[&str]) -> Value {
    let args = [&["trace", from, to, port, "-f", ".", "-o", "json"], more].concat();
    serde_json::from_str(&folder.run(&args).ended(0)).unwrap()
}

fn verdict(folder: &Folder, from: &str, to: &str, port: &str) -> String {
    trace(folder, from, to, port, &[])["verdict"].as_str().unwrap().to_owned()
}

/// What `replay` says of one recorded flow: decided as allowed, as denied, or undecidable because of this.
fn replay(folder: &Folder, from: &str, to: &str, port: &str) -> String {
    replay_as(folder, from, to, port, "allow")
}

/// What `replay` says of one flow that was recorded with this verdict.
fn replay_as(folder: &Folder, from: &str, to: &str, port: &str, verdict: &str) -> String {
    let flows = format!("source,destination,protocol,port,verdict\n{from},{to},tcp,{port},{verdict}\n");
    let ran = folder.run_with_input(&["replay", "-", "-f", ".", "-o", "json"], &flows);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
    let coverage = &report["coverage"];
    match (coverage["decided"].as_u64(), coverage["passing"].as_u64()) {
        (Some(1), Some(1)) => "allow".to_owned(),
        (Some(1), _) => "deny".to_owned(),
        _ => coverage["undecidable"][0]["reason"].as_str().unwrap().to_owned(),
    }
}

/// Whether a test that expects this holds.
fn holds(folder: &Folder, from: &str, to: &str, port: &str, expect: &str) -> bool {
    let test = format!(
        "apiVersion: tidegate.io/v1alpha1\nkind: PolicyTest\nnamespace: shop\npolicies: [cluster.yaml, services.yaml]\ncases:\n- {{from: {from}, to: '{to}', port: {port}, expect: {expect}}}\n"
    );
    folder.write("case.test", &test);
    let ran = folder.run(&["test", "case.test"]);
    assert!(ran.code < 2, "{ran:?}");
    ran.code == 0
}

#[test]
fn every_command_answers_a_flow_to_a_service_alike() {
    let folder = folder();
    for (port, wanted) in [("80", "allow"), ("81", "deny")] {
        let forms = ["10.96.0.7", "service:shop/db", "dns:db.shop.svc.cluster.local"];
        for form in forms {
            assert_eq!(verdict(&folder, "shop/web", form, port), wanted, "trace {form} {port}");
            assert!(holds(&folder, "shop/web", form, port, wanted), "test {form} {port}");
        }
        let target = if port == "80" { "5432" } else { "7000" };
        assert_eq!(verdict(&folder, "shop/web", "shop/db", target), wanted);
        assert_eq!(replay(&folder, "shop/web", "10.96.0.7", port), wanted, "replay {port}");
        assert_eq!(replay(&folder, "shop/web", "shop/db", target), wanted);
    }
}

#[test]
fn what_is_suggested_for_flows_to_services_loses_none_of_them() {
    let folder = Folder::of(&[("cluster.yaml", CLUSTER)]);
    folder.write("services.yaml", SERVICES.split_once("---\n").unwrap().1);
    let to = [
        "10.96.0.7,tcp,80",
        "10.96.0.7,tcp,81",
        "10.96.0.8,tcp,80",
        "198.51.100.80,tcp,80",
        "198.51.100.90,tcp,80",
        "192.168.0.1,tcp,30080",
    ];
    let rows: Vec<String> = to.iter().map(|to| format!("shop/db,{to},allow\nshop/web,{to},allow\n")).collect();
    folder.write("flows.csv", &format!("source,destination,protocol,port,verdict\n{}", rows.concat()));
    for kind in ["networkpolicy", "cnp"] {
        let said =
            folder.run(&["suggest", "flows.csv", "-f", "cluster.yaml", "-f", "services.yaml", "--kind", kind]).ended(0);
        folder.write("suggested.yaml", &said);
        let args = ["replay", "flows.csv", "-f", "suggested.yaml", "-f", "cluster.yaml", "-f", "services.yaml"];
        let told = folder.run(&args).ended(0);
        assert!(told.starts_with("nothing changes") && told.contains("12 decided, 0 not"), "{told}\n{said}");
    }
}

#[test]
fn a_service_without_known_backends_is_undecidable_and_says_what_is_missing() {
    let folder = folder();
    assert_eq!(verdict(&folder, "shop/web", "10.96.0.9", "80"), "unknown");
    assert!(holds(&folder, "shop/web", "10.96.0.9", "80", "unknown"));
    assert_eq!(replay(&folder, "shop/web", "10.96.0.9", "80"), "service-backends");
    // Where nothing was left out nobody answers: no verdict of a policy.
    let all = trace(&folder, "shop/web", "10.96.0.9", "80", &["--facts", "all"]);
    assert_eq!(all["verdict"], "deny");
    assert!(all["ingress"]["unmanaged"].as_str().unwrap().contains("nothing stands behind service shop/none"), "{all}");
}

/// A record of Hubble from the web pod to an address that it takes for the world's.
fn record(address: &str, port: u16, more: &str) -> String {
    format!(
        "{{\"flow\":{{\"time\":\"2026-03-01T12:00:00Z\",\"verdict\":\"FORWARDED\",\"IP\":{{\"source\":\"10.1.0.4\",\"destination\":\"{address}\"}},\
         \"l4\":{{\"TCP\":{{\"source_port\":40000,\"destination_port\":{port},\"flags\":{{\"SYN\":true}}}}}},\
         \"source\":{{\"namespace\":\"shop\",\"pod_name\":\"web\",\"labels\":[\"k8s:app=web\"]}},\
         \"destination\":{{\"identity\":2,\"labels\":[\"reserved:world\"]}},\"traffic_direction\":\"EGRESS\"{more}}}}}\n"
    )
}

#[test]
fn a_record_tells_where_it_was_made_and_of_which_service() {
    let folder = folder();
    folder.write(
        "out.yaml",
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: out, namespace: shop}\nspec:\n  endpointSelector: {matchLabels: {app: web}}\n  egress: [{toEndpoints: [{matchLabels: {app: db}}]}]\n",
    );
    let said = |records: &str| {
        let ran = folder.run_with_input(&["replay", "-", "-f", ".", "-o", "json"], records);
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
        let of = |it: &Value| (it["reason"].as_str().unwrap().to_owned(), it["of"].clone());
        let undecidable: Vec<(String, Value)> =
            report["coverage"]["undecidable"].as_array().unwrap().iter().map(of).collect();
        (report["coverage"]["passing"].as_u64().unwrap(), report["summary"]["lost"].as_u64().unwrap(), undecidable)
    };
    let before = ",\"trace_observation_point\":\"FROM_ENDPOINT\"";
    assert_eq!(said(&record("10.96.0.7", 80, before)), (1, 0, vec![]), "translated to the pod that may be asked");
    assert_eq!(said(&record("10.96.0.7", 80, "")), (1, 0, vec![]));
    // What left the node as it was recorded was never translated: its policies saw the world.
    let behind = ",\"trace_observation_point\":\"TO_NETWORK\"";
    assert_eq!(said(&record("10.96.0.7", 80, behind)), (0, 1, vec![]));
    // A service that was not read is no world.
    let named = ",\"destination_service\":{\"name\":\"cache\",\"namespace\":\"shop\"}";
    assert_eq!(
        said(&record("10.96.0.44", 6379, named)),
        (0, 0, vec![("service".to_owned(), serde_json::json!(["shop/cache"]))])
    );
    assert_eq!(
        said(&record("10.96.0.9", 80, "")),
        (0, 0, vec![("service-backends".to_owned(), serde_json::json!(["shop/none"]))])
    );
}

#[test]
fn a_port_that_a_service_does_not_have_is_the_worlds_to_the_client_and_reaches_nobody() {
    let folder = folder();
    folder.write(
        "out.yaml",
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: out, namespace: shop}\nspec:\n  endpointSelector: {matchLabels: {app: web}}\n  egress: [{toEntities: [world]}]\n",
    );
    let said = trace(&folder, "shop/web", "10.96.0.7", "82", &["--dialect", "cilium"]);
    assert_eq!((said["egress"]["verdict"].as_str(), said["verdict"].as_str()), (Some("allow"), Some("deny")), "{said}");
    let why = said["ingress"]["unmanaged"].as_str().unwrap();
    assert_eq!(why, "nobody answers: service shop/db has no such port; it has tcp/80, tcp/81");
    // At a port that it has the client's policy sees the pod, which is not the world.
    assert_eq!(trace(&folder, "shop/web", "10.96.0.7", "80", &["--dialect", "cilium"])["egress"]["verdict"], "deny");
    // A record that passed shows that the facts were others then; any other is decided as a trace decides it.
    assert_eq!(replay(&folder, "shop/web", "10.96.0.7", "82"), "service-port");
    assert_eq!(replay_as(&folder, "shop/web", "10.96.0.7", "82", "deny"), "deny");
    assert_eq!(
        replay_as(&folder, "shop/web", "10.96.0.9", "80", "deny"),
        "service-backends",
        "who answers is not known"
    );
    assert!(holds(&folder, "shop/web", "10.96.0.7", "82", "deny"));
}

#[test]
fn a_test_of_a_service_names_the_backend_that_differs() {
    let folder = folder();
    folder.write(
        "other.yaml",
        "{apiVersion: v1, kind: Pod, metadata: {name: other, namespace: shop, labels: {app: db}}, spec: {nodeName: north, containers: [{name: c, image: i, ports: [{name: pg, containerPort: 5433}]}]}, status: {podIPs: [{ip: 10.1.0.10}]}}",
    );
    folder.write("services.yaml", &SERVICES.replace("[{port: pg}]", "[{port: 5432}]"));
    let test = "apiVersion: tidegate.io/v1alpha1\nkind: PolicyTest\nnamespace: shop\npolicies: [cluster.yaml, services.yaml, other.yaml]\ncases:\n- {from: web, to: 'service:db', port: 80, expect: allow}\n";
    folder.write("case.test", test);
    let said = folder.run(&["test", "case.test"]).ended(1);
    let line = "expected allow, found deny: shop/web -> service shop/db  tcp/80, answered by shop/other tcp/5433";
    assert!(said.contains(line) && !said.contains("answered by shop/db "), "{said}");
    folder.write("case.test", &test.replace("port: 80", "port: 99"));
    let said = folder.run(&["test", "case.test"]).failed(2);
    assert!(said.contains("service shop/db has no port tcp/99; it has tcp/80, tcp/81"), "{said}");
}

/// Cilium does what kube-proxy would.
const SETTINGS: &str = "{apiVersion: v1, kind: ConfigMap, metadata: {name: cilium-config, namespace: kube-system}, data: {kube-proxy-replacement: 'true'}}";

/// A policy that lets in only who is named.
fn only(from: &str) -> String {
    format!(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: edge, namespace: shop}}\nspec:\n  endpointSelector: {{matchLabels: {{app: web}}}}\n  ingress: [{from}]\n"
    )
}

#[test]
fn addresses_for_the_outside_lead_to_backends_too() {
    let folder = folder();
    let forms = [("198.51.100.80", "80"), ("198.51.100.90", "80"), ("192.168.0.1", "30080"), ("node:north", "30080")];
    folder.write("edge.yaml", &only("{fromEntities: [health]}"));
    assert_eq!(
        verdict(&folder, "203.0.113.7", "198.51.100.80", "80"),
        "unknown",
        "kube-proxy may hide it behind the own node"
    );
    folder.write("config.yaml", SETTINGS);
    for (to, port) in forms {
        for from in ["shop/db", "203.0.113.7"] {
            assert_eq!(verdict(&folder, from, to, port), "deny", "{from} {to}");
        }
    }
    for to in ["198.51.100.80", "198.51.100.90"] {
        assert_eq!(replay(&folder, "203.0.113.7", to, "80"), "deny", "{to}");
    }
    // Whether the backend sees the client or a node is not known, and here it matters.
    folder.write("edge.yaml", &only("{fromCIDR: [203.0.113.0/24]}"));
    for (to, port) in forms {
        let said = trace(&folder, "203.0.113.7", to, port, &[]);
        assert_eq!(said["verdict"], "unknown", "{to}: {said}");
        assert_eq!(said["missing"][0]["fact"], "service-translation", "{to}: {said}");
    }
    assert_eq!(replay(&folder, "203.0.113.7", "198.51.100.80", "80"), "service-translation");
    // Traffic that stays on its node keeps its client.
    folder.write(
        "services.yaml",
        &SERVICES.replace("type: LoadBalancer", "type: LoadBalancer\n  externalTrafficPolicy: Local"),
    );
    for (to, port) in forms {
        assert_eq!(verdict(&folder, "203.0.113.7", to, port), "allow", "{to}");
        assert_eq!(verdict(&folder, "192.0.2.7", to, port), "deny", "{to}");
    }
    assert_eq!(replay(&folder, "203.0.113.7", "198.51.100.80", "80"), "allow");
}

#[test]
fn pods_that_ask_an_address_for_the_outside_see_its_backends_where_cilium_replaces_kube_proxy() {
    let folder = folder();
    folder.write("edge.yaml", &only("{fromEndpoints: [{matchLabels: {app: db}}]}"));
    assert_eq!(verdict(&folder, "shop/db", "198.51.100.80", "80"), "unknown", "kube-proxy may hide the client");
    folder.write("config.yaml", SETTINGS);
    for (to, port) in [("198.51.100.80", "80"), ("192.168.0.1", "30080")] {
        assert_eq!(verdict(&folder, "shop/db", to, port), "allow", "{to}");
    }
    // An external address is left alone at the socket.
    assert_eq!(verdict(&folder, "shop/db", "198.51.100.90", "80"), "unknown");
    // Its own address is not reached from outside.
    let said = trace(&folder, "203.0.113.7", "10.96.0.8", "80", &[]);
    assert_eq!(said["verdict"], "deny");
    assert!(said["ingress"]["unmanaged"].as_str().unwrap().contains("not reached from outside"), "{said}");
}

#[test]
fn ranges_and_nodes_leave_clients_out() {
    let folder = folder();
    let local = "type: LoadBalancer\n  externalTrafficPolicy: Local\n  internalTrafficPolicy: Local\n  loadBalancerSourceRanges: [203.0.113.0/24]";
    folder.write("services.yaml", &SERVICES.replace("type: LoadBalancer", local));
    assert_eq!(verdict(&folder, "203.0.113.7", "198.51.100.80", "80"), "allow");
    assert_eq!(verdict(&folder, "192.0.2.7", "198.51.100.80", "80"), "deny");
    assert_eq!(verdict(&folder, "192.0.2.7", "192.168.0.1", "30080"), "allow", "only the load balancer has ranges");
    // A node without a backend drops what stays on it.
    folder.write(
        "south.yaml",
        "{apiVersion: v1, kind: Node, metadata: {name: south}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}",
    );
    let said = trace(&folder, "203.0.113.7", "192.168.0.2", "30080", &[]);
    assert_eq!(said["verdict"], "deny", "{said}");
    assert!(said["ingress"]["unmanaged"].as_str().unwrap().contains("keeps traffic on node south"), "{said}");
    folder.write(
        "far.yaml",
        "{apiVersion: v1, kind: Pod, metadata: {name: far, namespace: shop}, spec: {nodeName: south, containers: [{name: c, image: i}]}, status: {podIPs: [{ip: 10.1.0.77}]}}",
    );
    assert_eq!(verdict(&folder, "shop/far", "10.96.0.8", "80"), "deny");
    assert_eq!(verdict(&folder, "shop/db", "10.96.0.8", "80"), "allow");
}

#[test]
fn a_headless_service_is_its_pods_on_the_port_that_is_asked() {
    let folder = folder();
    folder.write("services.yaml", &SERVICES.replace("clusterIP: 10.96.0.7", "clusterIP: None"));
    for (port, wanted) in [("80", "deny"), ("5432", "allow")] {
        for form in ["service:shop/db", "dns:db.shop.svc.cluster.local"] {
            assert_eq!(verdict(&folder, "shop/web", form, port), wanted, "trace {form} {port}");
            assert!(holds(&folder, "shop/web", form, port, wanted), "test {form} {port}");
        }
        assert_eq!(replay(&folder, "shop/web", "shop/db", port), wanted, "replay {port}");
    }
    // Hubble names the service beside an address: whoever has it answers, on the port of the record.
    let said = |address: &str, port: u16| {
        let named = ",\"destination_service\":{\"name\":\"db\",\"namespace\":\"shop\"}";
        let text = record(address, port, named).replace("\"traffic_direction\":\"EGRESS\"", "\"is_reply\":false");
        let text = text.replace("\"destination\":{\"identity\":2,\"labels\":[\"reserved:world\"]},", "");
        let ran = folder.run_with_input(&["replay", "-", "-f", ".", "-o", "json"], &text);
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
        let coverage = &report["coverage"];
        (coverage["passing"].as_u64(), coverage["undecidable"][0]["reason"].as_str().map(str::to_owned))
    };
    assert_eq!(said("10.1.0.9", 5432), (Some(1), None));
    assert_eq!(said("10.1.0.9", 80), (Some(0), None));
    assert_eq!(said("10.1.0.99", 5432), (Some(0), Some("service-backends".to_owned())), "nobody has the address");
}
