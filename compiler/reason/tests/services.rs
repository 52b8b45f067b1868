//! Who answers for a service, and whom policies see: the rows of `docs/dev/meaning/services.md`.

use driver::{Database, Knowledge, Wish, world};
use facts::Name;
use flow::{L4Key, Protocol};
use hir::Dialect;
use reason::service::{Client, Frontends, Kind, Whence};
use reason::trace::Outcome;
use reason::{Party, Stand, Wanted, parts, party};

const NODES: &str = "
{apiVersion: v1, kind: Node, metadata: {name: n1}, spec: {podCIDRs: [10.1.0.0/24]}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, spec: {podCIDRs: [10.2.0.0/24]}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: a}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a, labels: {app: web}}, spec: {nodeName: n1, containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}, status: {podIPs: [{ip: 10.1.0.4}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web2, namespace: a, labels: {app: web}}, spec: {nodeName: n2, containers: [{name: c, image: i, ports: [{name: http, containerPort: 9090}]}]}, status: {podIPs: [{ip: 10.2.0.4}, {ip: \"fd00:2::4\"}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: cli, namespace: a, labels: {app: cli}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIPs: [{ip: 10.1.0.5}]}}
";

/// A service of every kind of frontend; `more` stands in its spec.
fn service(more: &str) -> String {
    format!(
        "{NODES}---\n{{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: a}}, spec: {{type: LoadBalancer, clusterIPs: [10.96.0.10, \"fd00:96::10\"], externalIPs: [198.51.100.9], selector: {{app: web}}, ports: [{{port: 80, targetPort: http, nodePort: 30080}}]{more}}}, status: {{loadBalancer: {{ingress: [{{ip: 198.51.100.8}}, {{ip: 198.51.100.7, ipMode: Proxy}}]}}}}}}\n"
    )
}

fn database(text: &str, knowledge: Knowledge) -> Database {
    let mut db = Database::new();
    db.set_file("all.yaml", text);
    db.set_knowledge(knowledge);
    db.settle_dialect(Wish::Named(&Dialect::CILIUM_1_20));
    db
}

/// Who answers, on which port, and how that ends; or why nobody does.
fn answers(db: &Database, from: &str, to: &str, port: &str) -> Vec<String> {
    let cluster = world::cluster(db);
    let end = |word| party::party(&cluster, "a", word).unwrap();
    let wanted =
        Wanted { source: end(from), destination: end(to), keys: party::keys(port, None).unwrap(), request: None };
    let found = parts(db, &wanted).unwrap().into_iter().map(|part| {
        let missing: Vec<String> = part.trace.missing().iter().map(ToString::to_string).collect();
        let why = match &part.trace.ingress.stand {
            Stand::Nobody(why) => why.to_string(),
            _ => missing.join(", "),
        };
        let backend = part.backend.unwrap_or_default();
        format!("{backend} {} {:?} {why}", part.keys, part.trace.outcome()).trim().to_owned()
    });
    found.collect()
}

#[test]
fn each_kind_of_frontend_leads_to_every_backend_at_its_own_port() {
    let db = database(&service(""), Knowledge::Complete);
    let both = ["a/web tcp/8080 Allow", "a/web2 tcp/9090 Allow"];
    for (to, port) in [
        ("service:web", "80"),
        ("dns:web.a.svc", "80"),
        ("10.96.0.10", "80"),
        ("198.51.100.8", "80"),
        ("198.51.100.9", "80"),
        ("192.168.0.2", "30080"),
        ("node:n1", "30080"),
    ] {
        assert_eq!(answers(&db, "a/cli", to, port), both, "{to} {port}");
    }
    // One family has one backend only, and what a proxy in front answers is nobody's here.
    assert_eq!(answers(&db, "a/cli", "fd00:96::10", "80"), ["a/web2 tcp/9090 Allow"]);
    assert_eq!(answers(&db, "a/cli", "198.51.100.7", "80"), ["tcp/80 Allow"]);
    // A node answers on all of its other ports, and so does whoever has an external address.
    assert_eq!(answers(&db, "a/cli", "192.168.0.2", "80"), ["tcp/80 Allow"]);
    assert_eq!(answers(&db, "a/cli", "198.51.100.9", "81"), ["tcp/81 Allow"]);
    let nobody = "nobody answers: service a/web has no such port; it has tcp/80";
    for to in ["10.96.0.10", "198.51.100.8"] {
        assert_eq!(answers(&db, "a/cli", to, "81"), [format!("tcp/81 Deny {nobody}")], "{to}");
        let range = [format!("tcp/79 Deny {nobody}"), both[0].into(), both[1].into(), format!("tcp/81 Deny {nobody}")];
        assert_eq!(answers(&db, "a/cli", to, "79-81"), range, "{to}");
    }
}

#[test]
fn a_headless_service_and_a_name_for_something_else_have_no_frontends() {
    for (was, is) in [
        (
            "metadata: {name: web, namespace: a}, spec: {type",
            "metadata: {name: web, namespace: a, labels: {service.kubernetes.io/headless: ''}}, spec: {type",
        ),
        ("type: LoadBalancer", "type: ExternalName"),
    ] {
        let text = service("").replace(was, is);
        let db = database(&text, Knowledge::Complete);
        let frontends = Frontends::of(&db);
        assert!(!frontends.has("10.96.0.10".parse().unwrap()), "{is}");
        assert_eq!(frontends.at("10.96.0.10".parse().unwrap(), L4Key::new(Protocol::TCP, 80)), None, "{is}");
    }
}

#[test]
fn traffic_that_stays_on_its_node_has_the_backends_of_that_node() {
    let inside = database(&service(", internalTrafficPolicy: Local"), Knowledge::Complete);
    assert_eq!(answers(&inside, "a/cli", "10.96.0.10", "80"), ["a/web tcp/8080 Allow"]);
    assert_eq!(answers(&inside, "node:n2", "10.96.0.10", "80"), ["a/web2 tcp/9090 Allow"]);
    assert_eq!(answers(&inside, "203.0.113.7", "192.168.0.1", "30080").len(), 2, "what comes from outside may go on");
    let outside = database(&service(", externalTrafficPolicy: Local"), Knowledge::Complete);
    assert_eq!(answers(&outside, "a/cli", "192.168.0.1", "30080").len(), 2, "what comes from inside may go on");
    assert_eq!(answers(&outside, "203.0.113.7", "192.168.0.1", "30080"), ["a/web tcp/8080 Allow"]);
    assert_eq!(answers(&outside, "203.0.113.7", "node:n2", "30080"), ["a/web2 tcp/9090 Allow"]);
    assert_eq!(answers(&outside, "203.0.113.7", "198.51.100.8", "80").len(), 2, "any node may get it");
    let alone = service(", externalTrafficPolicy: Local").replace("nodeName: n2, ", "nodeName: n1, ");
    let alone = database(&alone, Knowledge::Complete);
    let nobody = "nobody answers: service a/web keeps traffic on node n2, and none of its backends is there";
    assert_eq!(answers(&alone, "203.0.113.7", "192.168.0.2", "30080"), [format!("tcp/30080 Deny {nobody}")]);
}

#[test]
fn whom_a_backend_sees_matters_where_its_policies_tell_them_apart() {
    let only = |from: &str| {
        format!(
            "---\n{{apiVersion: cilium.io/v2, kind: CiliumNetworkPolicy, metadata: {{name: p, namespace: a}}, spec: {{endpointSelector: {{matchLabels: {{app: web}}}}, ingress: [{from}]}}}}\n"
        )
    };
    let config = |replaces: bool, routing: &str| {
        format!(
            "---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: cilium-config, namespace: kube-system}}, data: {{kube-proxy-replacement: '{replaces}', routing-mode: {routing}}}}}\n"
        )
    };
    let world = "{fromCIDR: [203.0.113.0/24]}";
    let (pod, node) = ("{fromEndpoints: [{matchLabels: {app: cli}}]}", "{fromEntities: [remote-node, host]}");
    let ask = |more: &str, from: &str, to: &str, port: &str| {
        let db = database(&(service("") + more), Knowledge::Complete);
        let mut found: Vec<String> = answers(&db, from, to, port);
        found.iter_mut().for_each(|it| *it = it.split(' ').nth(2).unwrap_or_default().to_owned());
        found.dedup();
        found.join(" ")
    };
    // The client's own address is always that of a flow to the cluster address from inside.
    assert_eq!(ask(&only(pod), "a/cli", "10.96.0.10", "80"), "Allow");
    assert_eq!(ask(&only(pod), "a/cli", "198.51.100.8", "80"), "Unknown");
    assert_eq!(ask(&(only(pod) + &config(true, "native")), "a/cli", "198.51.100.8", "80"), "Allow");
    assert_eq!(ask(&(only(pod) + &config(true, "native")), "a/cli", "192.168.0.2", "30080"), "Allow");
    assert_eq!(ask(&(only(pod) + &config(false, "native")), "a/cli", "192.168.0.2", "30080"), "Unknown");
    assert_eq!(ask(&(only(pod) + &config(true, "native")), "a/cli", "198.51.100.9", "80"), "Unknown");
    for (to, port) in [("198.51.100.8", "80"), ("198.51.100.9", "80"), ("192.168.0.2", "30080")] {
        assert_eq!(ask(&only(world), "203.0.113.7", to, port), "Unknown", "{to}");
        // kube-proxy may put the address of the backend's own node there, which always reaches it.
        assert_eq!(ask(&only(world), "192.0.2.7", to, port), "Unknown", "{to}");
        assert_eq!(ask(&(only(world) + &config(true, "native")), "192.0.2.7", to, port), "Deny", "{to}");
        let also = format!("{}{}", only(world), only(node).replace("name: p", "name: q"));
        assert_eq!(ask(&(also.clone() + &config(true, "native")), "203.0.113.7", to, port), "Allow", "{to}");
        // Through a tunnel the client is the world, whatever its address.
        assert_eq!(ask(&(also + &config(true, "tunnel")), "203.0.113.7", to, port), "Unknown", "{to}");
    }
    assert_eq!(ask(&config(true, "native"), "203.0.113.7", "10.96.0.10", "80"), "Deny", "not reached from outside");
}

#[test]
fn ranges_are_of_load_balancers_and_of_clients_outside() {
    let db = database(&service(", loadBalancerSourceRanges: [203.0.113.0/24]"), Knowledge::Complete);
    let out = "nobody answers: the loadBalancerSourceRanges of service a/web leave the client out";
    assert_eq!(answers(&db, "203.0.113.7", "198.51.100.8", "80").len(), 2);
    assert_eq!(answers(&db, "192.0.2.7", "198.51.100.8", "80"), [format!("tcp/80 Deny {out}")]);
    assert_eq!(answers(&db, "192.0.2.7", "192.168.0.1", "30080").len(), 2);
    assert_eq!(answers(&db, "a/cli", "198.51.100.8", "80").len(), 2);
    assert_eq!(answers(&db, "world", "198.51.100.8", "80"), ["tcp/80 Unknown which-address the client"]);
}

#[test]
fn where_no_pod_was_read_its_workload_answers_and_else_the_fact_is_missing() {
    let text = "
{apiVersion: v1, kind: Pod, metadata: {name: cli, namespace: a}, spec: {containers: [{name: c, image: i}]}, status: {podIPs: [{ip: 10.1.0.5}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: web, namespace: a}, spec: {clusterIP: 10.96.0.10, selector: {app: web}, ports: [{port: 80, targetPort: http}]}}
";
    let missing = ["tcp/80 Unknown service-backends a/web"];
    assert_eq!(answers(&database(text, Knowledge::Partial), "a/cli", "10.96.0.10", "80"), missing);
    let nobody = ["tcp/80 Deny nobody answers: nothing stands behind service a/web"];
    assert_eq!(answers(&database(text, Knowledge::Complete), "a/cli", "10.96.0.10", "80"), nobody);
    let workload = format!(
        "{text}---\n{{apiVersion: apps/v1, kind: Deployment, metadata: {{name: web, namespace: a}}, spec: {{selector: {{matchLabels: {{app: web}}}}, template: {{metadata: {{labels: {{app: web}}}}, spec: {{containers: [{{name: c, image: i, ports: [{{name: http, containerPort: 8080}}]}}]}}}}}}}}\n"
    );
    let found = ["Deployment a/web tcp/8080 Allow"];
    assert_eq!(answers(&database(&workload, Knowledge::Partial), "a/cli", "10.96.0.10", "80"), found);
    let db = database(text, Knowledge::Partial);
    let client = Client { from: Whence::Inside, address: None, on: None };
    let frontends = Frontends::of(&db);
    let key = L4Key::new(Protocol::TCP, 80);
    let frontend = frontends.at("10.96.0.10".parse().unwrap(), key).unwrap();
    assert_eq!((frontend.kind, &frontend.service.name), (Kind::ClusterIp, &Name::new("a", "web")));
    let asked = Party::Address("10.96.0.10".parse().unwrap());
    assert_eq!(frontends.answers(frontend, &asked, key, &client)[0].backend, None);
}

#[test]
fn backends_of_a_slice_are_joined_by_the_names_of_ports() {
    let text = "
{apiVersion: v1, kind: Pod, metadata: {name: cli, namespace: a}, spec: {containers: [{name: c, image: i}]}, status: {podIPs: [{ip: 10.1.0.5}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: ext, namespace: a}, spec: {clusterIP: 10.96.0.20, ports: [{name: p1, port: 80}, {name: p2, port: 81}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s1, namespace: a, labels: {kubernetes.io/service-name: ext}}, addressType: IPv4, endpoints: [{addresses: [192.0.2.7]}], ports: [{name: p1, port: 8080}]}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s2, namespace: a, labels: {kubernetes.io/service-name: ext}}, addressType: IPv4, endpoints: [{addresses: [192.0.2.8]}], ports: [{name: p2, port: 9090}]}
";
    let db = database(text, Knowledge::Complete);
    assert_eq!(answers(&db, "a/cli", "10.96.0.20", "80"), ["192.0.2.7 tcp/8080 Allow"]);
    assert_eq!(answers(&db, "a/cli", "10.96.0.20", "81"), ["192.0.2.8 tcp/9090 Allow"]);
    let outcome = reason::parts::outcome;
    let cluster = world::cluster(&db);
    let wanted = Wanted {
        source: party::party(&cluster, "a", "cli").unwrap(),
        destination: party::party(&cluster, "a", "10.96.0.20").unwrap(),
        keys: party::keys("80-81", None).unwrap(),
        request: None,
    };
    assert_eq!(outcome(&parts(&db, &wanted).unwrap()), Some(Outcome::Allow));
}

/// A service without an address, and who may ask its pod on one port only.
const HEADLESS: &str = "
{apiVersion: v1, kind: Service, metadata: {name: hl, namespace: a}, spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a, labels: {app: web}}, spec: {containers: [{name: c, image: i, ports: [{name: http, containerPort: 8080}]}]}, status: {podIPs: [{ip: 10.1.0.4}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: cli, namespace: a, labels: {app: cli}}, spec: {containers: [{name: c, image: i}]}, status: {podIPs: [{ip: 10.1.0.5}]}}
---
{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web, namespace: a}, spec: {podSelector: {matchLabels: {app: web}}, ingress: [{ports: [{port: 8080}]}]}}
";

#[test]
fn nothing_translates_the_port_of_a_headless_service() {
    let db = database(HEADLESS, Knowledge::Complete);
    for to in ["service:hl", "dns:hl.a.svc.cluster.local"] {
        assert_eq!(answers(&db, "a/cli", to, "80"), ["a/web tcp/80 Deny"], "{to}");
        assert_eq!(answers(&db, "a/cli", to, "8080"), ["a/web tcp/8080 Allow"], "it need not be a port of the service");
        let range = ["a/web tcp/8079 Deny", "a/web tcp/8080 Allow", "a/web tcp/8081 Deny"];
        assert_eq!(answers(&db, "a/cli", to, "8079-8081"), range, "{to}");
    }
    // A pod that reaches its own address never leaves its network.
    assert_eq!(answers(&db, "a/web", "service:hl", "80"), ["a/web tcp/80 Allow"]);
    let alone = HEADLESS.replace("selector: {app: web}, ports", "selector: {app: none}, ports");
    let nobody = ["tcp/80 Deny nobody answers: nothing stands behind service a/hl"];
    assert_eq!(answers(&database(&alone, Knowledge::Complete), "a/cli", "service:hl", "80"), nobody);
    let missing = ["tcp/80 Unknown service-backends a/hl"];
    assert_eq!(answers(&database(&alone, Knowledge::Partial), "a/cli", "service:hl", "80"), missing);
    let slice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s, namespace: a, labels: {kubernetes.io/service-name: hl}}, addressType: IPv4, endpoints: [{addresses: [10.1.0.4]}], ports: [{port: 8080}]}";
    let by_hand = format!("{}---\n{slice}\n", HEADLESS.replace("selector: {app: web}, ports", "ports"));
    assert_eq!(
        answers(&database(&by_hand, Knowledge::Complete), "a/cli", "service:hl", "80"),
        ["10.1.0.4 tcp/80 Deny"]
    );
}

#[test]
fn an_endpoint_that_ends_is_asked_only_where_none_is_ready() {
    let ask = |first: &str, second: &str, knowledge: Knowledge| {
        let slice = |name: &str, address: &str, conditions: &str| {
            format!(
                "---\n{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: {name}, namespace: a, labels: {{kubernetes.io/service-name: ext}}}}, addressType: IPv4, endpoints: [{{addresses: [{address}], conditions: {{{conditions}}}}}], ports: [{{port: 8080}}]}}\n"
            )
        };
        let service = "---\n{apiVersion: v1, kind: Service, metadata: {name: ext, namespace: a}, spec: {clusterIP: 10.96.0.20, ports: [{port: 80}]}}\n";
        let slices = slice("s1", "192.0.2.7", first) + &slice("s2", "192.0.2.8", second);
        answers(&database(&format!("{NODES}{service}{slices}"), knowledge), "a/cli", "10.96.0.20", "80")
    };
    let (one, two) = ("192.0.2.7 tcp/8080 Allow", "192.0.2.8 tcp/8080 Allow");
    let (ends, gone) = ("ready: false, terminating: true", "ready: false, serving: false, terminating: true");
    let all = Knowledge::Complete;
    assert_eq!(ask("", "ready: true, terminating: true", all), [one, two]);
    assert_eq!(ask("", ends, all), [one]);
    assert_eq!(ask("", gone, all), [one]);
    assert_eq!(ask("", "ready: false", all), [one]);
    assert_eq!(ask(ends, gone, all), [one]);
    assert_eq!(ask(gone, gone, all), ["tcp/80 Deny nobody answers: nothing stands behind service a/ext"]);
    assert_eq!(ask(gone, gone, Knowledge::Partial), ["tcp/80 Unknown service-backends a/ext"]);
    let twice = "---\n{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s3, namespace: a, labels: {kubernetes.io/service-name: ext}}, addressType: IPv4, endpoints: [{addresses: [192.0.2.7], conditions: {ready: true}}, {addresses: [192.0.2.7], conditions: {ready: false}}], ports: [{port: 8080}]}\n---\n{apiVersion: v1, kind: Service, metadata: {name: ext, namespace: a}, spec: {clusterIP: 10.96.0.20, ports: [{port: 80}]}}\n";
    assert_eq!(answers(&database(&format!("{NODES}{twice}"), all), "a/cli", "10.96.0.20", "80"), [one], "ready wins");
}

#[test]
fn a_protocol_of_a_family_that_an_end_does_not_have_is_no_missing_fact() {
    for knowledge in [Knowledge::Partial, Knowledge::Complete] {
        let db = database(NODES, knowledge);
        let said = answers(&db, "a/cli", "a/web", "any");
        assert_eq!(said.len(), 4, "ICMPv6 is left out: {said:?}");
        assert!(said.iter().all(|it| it.contains("Allow") && !it.contains("icmpv6")), "{said:?}");
        let nobody = |end: &str| vec![format!("icmpv6/128.0 Deny nobody answers: {end} has no IPv6 address")];
        assert_eq!(answers(&db, "a/cli", "a/web", "ICMPv6"), nobody("a/cli"));
        assert_eq!(answers(&db, "a/web2", "a/web", "ICMPv6"), nobody("a/web"));
        assert_eq!(answers(&db, "a/cli", "203.0.113.7", "any").len(), 4, "nor can an address have the other family");
        assert_eq!(answers(&db, "a/web2", "a/web2", "any").len(), 5);
    }
}
