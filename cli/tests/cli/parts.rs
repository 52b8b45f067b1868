//! `trace` of what has several answers, of what lasts for a time, and of the way out.

use crate::support::{CLUSTER, Folder};
use serde_json::Value;

/// The web pod may ask some ports of the database, and DNS names and a gateway outside.
const POLICY: &str = "\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 8000, endPort: 8079}, {port: 8090}, {port: pg}]
---
apiVersion: v1
kind: Service
metadata: {name: db, namespace: shop}
spec: {selector: {app: db}, clusterIP: 10.96.0.7, ports: [{port: 80, targetPort: pg}, {port: 81, targetPort: 7000}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, clusterIP: 10.96.0.8, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: out, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  egress:
  - toFQDNs: [{matchName: api.example.com}]
  - toEntities: [cluster]
  - toCIDR: [203.0.113.0/24]
---
apiVersion: tidegate.io/v1alpha1
kind: DnsCache
metadata: {name: answers}
names: {api.example.com: [198.51.100.1]}
---
apiVersion: cilium.io/v2
kind: CiliumEgressGatewayPolicy
metadata: {name: partners}
spec:
  selectors: [{podSelector: {matchLabels: {app: web}}}]
  destinationCIDRs: [203.0.113.0/24]
  egressGateway: {nodeSelector: {matchLabels: {gateway: 'yes'}}, egressIP: 192.0.2.9}
";

/// Admin closes the pods of the namespace to each other.
const ADMIN: &str = "\
apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: closed}
spec:
  tier: Admin
  priority: 1
  subject: {namespaces: {}}
  egress: [{action: Deny, to: [{namespaces: {}}]}]
";

fn folder() -> Folder {
    let cluster = CLUSTER.replace("metadata: {name: north}", "metadata: {name: north, labels: {gateway: 'yes'}}");
    Folder::of(&[("cluster.yaml", &cluster), ("policy.yaml", POLICY)])
}

fn trace(folder: &Folder, to: &str, port: &str, more: &[&str], code: i32) -> String {
    folder.run(&[&["trace", "shop/web", to, port, "-f", "."], more].concat()).ended(code)
}

fn parts(said: &str) -> Vec<(String, String)> {
    let told: Value = serde_json::from_str(said).unwrap();
    let word = |part: &Value, field: &str| part[field].as_str().unwrap_or_default().to_owned();
    let parts = told["parts"].as_array().cloned().unwrap_or_default();
    parts.iter().map(|part| (word(part, "port"), word(part, "verdict"))).collect()
}

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn a_range_of_ports_is_split_where_the_verdict_changes() {
    let folder = folder();
    let said = trace(&folder, "shop/db", "8000-9000/TCP", &["-o", "json"], 0);
    let wanted =
        [("tcp/8000-8079", "allow"), ("tcp/8080-8089", "deny"), ("tcp/8090", "allow"), ("tcp/8091-9000", "deny")];
    assert_eq!(parts(&said), pairs(&wanted));
    let said = trace(&folder, "shop/db", "8000-9000/TCP", &["--expect", "allow"], 1);
    insta::assert_snapshot!("trace-range", said);
    // One answer for all of it is no part.
    let whole = trace(&folder, "shop/db", "8000-8079/TCP", &["--expect", "allow"], 0);
    assert!(whole.starts_with("ALLOW  shop/web -> shop/db  tcp/8000-8079"), "{whole}");
    let any = trace(&folder, "shop/db", "any/UDP", &["--expect", "deny"], 0);
    assert!(any.starts_with("DENY"), "{any}");
    let all = trace(&folder, "shop/db", "any", &["-o", "json"], 0);
    assert!(all.contains("\"port\": \"any\""), "{all}");
    let all = parts(&all);
    assert!(all.contains(&("tcp/5432".to_owned(), "allow".to_owned())), "{all:?}");
}

#[test]
fn a_service_is_answered_by_its_backends_at_their_ports() {
    let folder = folder();
    let said = trace(&folder, "service:shop/db", "80/TCP", &["--expect", "allow"], 0);
    assert!(said.starts_with("ALLOW  shop/web -> service shop/db  tcp/80"), "{said}");
    assert!(trace(&folder, "service:shop/db", "81/TCP", &[], 0).starts_with("DENY"));
    let unknown = folder.run(&["trace", "shop/web", "service:shop/db", "82/TCP", "-f", "."]).failed(2);
    assert!(unknown.contains("service shop/db has no port tcp/82; it has tcp/80, tcp/81"), "{unknown}");
    let near = folder.run(&["trace", "shop/web", "service:shop/dbs", "80/TCP", "-f", "."]).failed(2);
    assert!(near.contains("did you mean `service:shop/db`?"), "{near}");
}

#[test]
fn a_name_is_answered_by_its_addresses() {
    let folder = folder();
    let said = trace(&folder, "dns:API.example.com.", "443/TCP", &["--expect", "allow"], 0);
    assert!(said.starts_with("ALLOW  shop/web -> DNS name api.example.com  tcp/443"), "{said}");
    assert!(said.contains("egress[0].toFQDNs[0]"), "{said}");
    folder.write(
        "more.yaml",
        "{apiVersion: tidegate.io/v1alpha1, kind: DnsCache, metadata: {name: more}, names: {two.example.com: [198.51.100.7, 203.0.113.9]}}",
    );
    let two = trace(&folder, "dns:two.example.com", "443/TCP", &["-o", "json"], 0);
    let two: serde_json::Value = serde_json::from_str(&two).unwrap();
    let parts: Vec<(&str, &str)> = two["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["backend"].as_str().unwrap(), it["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(parts, [("198.51.100.7", "deny"), ("203.0.113.9", "allow")]);
    let unknown = trace(&folder, "dns:other.example.com", "443/TCP", &["--expect", "unknown"], 0);
    assert!(unknown.contains("dns-names other.example.com: a DNS answer for a name that matches"), "{unknown}");
    assert!(trace(&folder, "dns:db.shop.svc.cluster.local", "80/TCP", &[], 0).contains("-> service shop/db"));
    let source = folder.run(&["trace", "dns:api.example.com", "shop/db", "80/TCP", "-f", "."]).failed(2);
    assert!(source.contains("not by the DNS name api.example.com"), "{source}");
}

#[test]
fn the_address_of_a_service_is_answered_by_its_backends_and_names_what_is_missing() {
    let folder = folder();
    let said = trace(&folder, "10.96.0.7", "80/TCP", &["--expect", "allow"], 0);
    assert!(said.starts_with("ALLOW  shop/web -> 10.96.0.7  tcp/80"), "{said}");
    assert!(said.contains("ingress of shop/db"), "{said}");
    // Of a range the ports that the service has are translated, whatever becomes of the rest.
    let said = trace(&folder, "10.96.0.7", "79-82/TCP", &["--expect", "allow"], 1);
    assert!(said.starts_with("DIFFERS BY PART"), "{said}");
    for part in ["ALLOW  shop/db tcp/5432", "DENY  shop/db tcp/7000"] {
        assert!(said.contains(part), "{said}");
    }
    folder.write(
        "nobody.yaml",
        "{apiVersion: v1, kind: Service, metadata: {name: none, namespace: shop}, spec: {clusterIP: 10.96.0.99, ports: [{port: 80}]}}",
    );
    for end in ["10.96.0.99", "service:shop/none"] {
        let said = trace(&folder, end, "80/TCP", &["--expect", "unknown"], 0);
        let fact = "service-backends shop/none: the Pods that the Service selects, or its EndpointSlices where it selects none";
        assert!(said.contains(fact), "{end}: {said}");
    }
}

#[test]
fn a_pod_that_reaches_itself_through_a_service_is_asked_in_the_tiers_of_the_cluster_only() {
    let folder = folder();
    folder.write("admin.yaml", ADMIN);
    folder.write(
        "config.yaml",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: cilium-config, namespace: kube-system}, data: {enable-k8s-cluster-network-policy: 'true'}}",
    );
    let ask = |dialect: &str| trace(&folder, "service:shop/web", "80/TCP", &["--dialect", dialect], 0);
    let said = ask("standard");
    assert!(said.starts_with("DENY") && said.contains("ClusterNetworkPolicy closed spec.egress[0]"), "{said}");
    assert!(said.contains("differs under cilium (D9): allow"), "{said}");
    assert!(ask("cilium").starts_with("ALLOW"));
}

#[test]
fn what_is_allowed_by_name_is_said_to_last_for_a_time() {
    let said = trace(&folder(), "198.51.100.1", "443/TCP", &["--facts", "all"], 0);
    insta::assert_snapshot!("trace-name", said);
}

#[test]
fn the_way_out_of_the_cluster_is_shown_with_the_policy_that_says_so() {
    let said = trace(&folder(), "203.0.113.7", "443/TCP", &["--facts", "all"], 0);
    assert!(said.contains("way out of the cluster, to 203.0.113.7: through north as 192.0.2.9"), "{said}");
    assert!(said.contains("CiliumEgressGatewayPolicy partners spec.destinationCIDRs[0]   policy.yaml:"), "{said}");
    let other = trace(&folder(), "198.51.100.1", "443/TCP", &["--facts", "all"], 0);
    assert!(!other.contains("way out"), "{other}");
}

#[test]
fn a_cluster_policy_hangs_on_the_settings_of_an_agent_that_was_not_read() {
    let folder = folder();
    folder.write("admin.yaml", ADMIN);
    let said = trace(&folder, "shop/db", "5432/TCP", &["--dialect", "cilium"], 0);
    assert!(said.starts_with("UNKNOWN") && said.contains("agent-config kube-system/cilium-config"), "{said}");
    folder.write(
        "config.yaml",
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: cilium-config, namespace: kube-system}, data: {enable-policy: default}}",
    );
    assert!(trace(&folder, "shop/db", "5432/TCP", &["--dialect", "cilium"], 0).starts_with("ALLOW"));
}
