//! `trace` of requests: what a proxy asks, what it says, and how that ends.

use crate::support::{CLUSTER, Folder};

/// The web pod may read from the database's HTTP port, nothing else.
const PROXIED: &str = "\
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: db}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: web}}]
    toPorts:
    - ports: [{port: \"80\", protocol: TCP}]
      rules:
        http:
        - {method: GET, path: \"/api(/.*)?\"}
        - {method: GET, headers: [\"X-Key: 7\"]}
";

fn folder() -> Folder {
    Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", PROXIED)])
}

fn trace(more: &[&str], code: i32) -> String {
    folder().run(&[&["trace", "shop/web", "shop/db", "80/TCP", "-f", "."], more].concat()).ended(code)
}

#[test]
fn a_trace_without_a_request_says_that_the_verdict_depends_on_one_and_what_stops() {
    let said = trace(&["--expect", "depends"], 0);
    assert!(said.starts_with("DEPENDS on the request  shop/web -> shop/db"), "{said}");
    trace(&["--expect", "allow"], 1);
    trace(&["--expect", "deny"], 1);
    for words in [
        "the verdict depends on the request",
        "method GET path \"/api(/.*)?\"",
        "rules.http[1]",
        "no longer works on this port: anything that is not plain HTTP; CONNECT tunnels; gRPC",
    ] {
        assert!(said.contains(words), "{words}\n{said}");
    }
}

#[test]
fn a_request_is_allowed_by_a_line_or_refused_as_its_protocol_refuses() {
    let allowed = trace(&["--http", "GET /api/v1", "--expect", "allow"], 0);
    assert!(allowed.starts_with("ALLOW") && allowed.contains("rules.http[0]   policy.yaml:12:11"), "{allowed}");
    let header = trace(&["--http", "GET /x", "--header", "x-key: 7"], 0);
    assert!(header.contains("rules.http[1]   policy.yaml:13:11"), "{header}");
    let refused = trace(&["--http", "POST /api", "--expect", "allow"], 1);
    assert!(refused.starts_with("DENY") && refused.contains("http POST /api is refused with HTTP 403"), "{refused}");
    let inside = trace(&["--http", "GET /api", "--sni", "db.shop", "--expect", "deny"], 0);
    assert!(inside.contains("a connection reset"), "{inside}");
}

#[test]
fn an_open_rule_does_not_let_through_what_the_proxy_cannot_read() {
    let open = format!("{PROXIED}  - fromEndpoints: [{{matchLabels: {{app: web}}}}]\n");
    let folder = Folder::of(&[("cluster.yaml", CLUSTER), ("policy.yaml", &open)]);
    let ask =
        |more: &[&str]| folder.run(&[&["trace", "shop/web", "shop/db", "80/TCP", "-f", "."], more].concat()).ended(0);
    assert!(ask(&["--http", "POST /"]).starts_with("ALLOW"));
    for (asked, end) in
        [(["--dns", "shop.example"], "a closed connection"), (["--sni", "shop.example"], "a connection reset")]
    {
        let said = ask(&[&asked[..], &["--expect", "deny"]].concat());
        let words =
            format!("is not what the proxy reads, and ends with {end} whatever is allowed; it reads because of");
        assert!(
            said.starts_with("DENY") && said.contains(&words) && said.contains("rules.http   policy.yaml:"),
            "{said}"
        );
    }
    let json: serde_json::Value = serde_json::from_str(&ask(&["--dns", "shop.example", "-o", "json"])).unwrap();
    assert_eq!(json["ingress"]["rows"][0]["proxied"]["answer"]["unread"], true);
}

#[test]
fn a_request_that_is_none_is_said_so() {
    let unread = folder().run(&["trace", "shop/web", "shop/db", "80/TCP", "-f", ".", "--kafka", "shout"]).failed(2);
    assert!(unread.contains("`shout` is no Kafka request"), "{unread}");
}
