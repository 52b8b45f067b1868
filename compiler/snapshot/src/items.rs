//! Each kind as it is written: the least object that decodes to the same fact.

use crate::settings;
use facts::endpoint_slice::{Endpoint, EndpointPort, EndpointSlice, Takes};
use facts::node_config::{NodeCondition, NodeConfig};
use facts::service::{Service, ServicePort, TargetPort};
use facts::{
    CidrGroup, CiliumNode, Cluster, ContainerPort, Labels, Name, Namespace, Node, Phase, Pod, Probe, ProbeKind,
    Workload, config_map,
};
use flow::{Prefix, Protocol};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// Every object, kind by kind, ascending by name.
pub fn of(cluster: &Cluster) -> Vec<Value> {
    let Cluster {
        config,
        namespaces,
        nodes,
        cilium_nodes,
        pods,
        // Why left out: no object of this cluster tells them.
        remote_pods: _,
        services,
        endpoint_slices,
        workloads,
        cidr_groups,
        node_configs,
        cloud_groups,
        dns,
        aliases,
    } = cluster;
    let mut out: Vec<Value> = namespaces.values().map(namespace).collect();
    out.extend(nodes.values().map(node));
    out.extend(cilium_nodes.values().map(cilium_node));
    out.extend(pods.values().map(pod));
    out.extend(workloads.values().map(workload));
    out.extend(services.values().map(service));
    out.extend(endpoint_slices.values().map(endpoint_slice));
    out.extend(cidr_groups.values().map(cidr_group));
    out.extend(node_configs.values().map(node_config));
    out.extend(settings::of(config).map(|data| {
        let name = Name::new("kube-system", config_map::NAME);
        object("v1", "ConfigMap", metadata(Some(&name.namespace), &name.name, &Labels::new()), [("data", data)])
    }));
    if !cloud_groups.is_empty() {
        let group = |(group, prefixes): (&String, &BTreeSet<Prefix>)| {
            // Cannot fail: it was made of JSON. What is none would be a text.
            let written = serde_json::from_str(group).unwrap_or_else(|_| json!(group));
            let addresses = list(prefixes.iter().map(|it| json!(it.to_string())).collect());
            fields([("addresses", addresses), ("group", written)])
        };
        let groups = list(cloud_groups.iter().map(group).collect());
        let metadata = metadata(None, "groups", &Labels::new());
        out.push(object("tidegate.io/v1alpha1", "CloudGroups", metadata, [("groups", groups)]));
    }
    if !dns.is_empty() || !aliases.is_empty() {
        let names: Map<String, Value> = dns.iter().map(|(name, ips)| (name.clone(), texts(ips))).collect();
        let metadata = metadata(None, "answers", &Labels::new());
        let said = [("aliases", mapping(aliases)), ("names", Value::Object(names))];
        out.push(object("tidegate.io/v1alpha1", "DnsCache", metadata, said));
    }
    out
}

fn namespace(it: &Namespace) -> Value {
    let Namespace { name, labels } = it;
    let mut labels = labels.clone();
    // The API server adds it and so does decoding.
    labels.remove("kubernetes.io/metadata.name");
    object("v1", "Namespace", metadata(None, name, &labels), [])
}

fn node(it: &Node) -> Value {
    let Node { name, labels, ips, pod_cidrs } = it;
    let addresses: Vec<Value> = ips.iter().map(|ip| json!({ "type": "InternalIP", "address": ip })).collect();
    let spec = fields([("podCIDRs", list(pod_cidrs.iter().map(|it| json!(it.to_string())).collect()))]);
    let status = fields([("addresses", list(addresses))]);
    object("v1", "Node", metadata(None, name, labels), [("spec", spec), ("status", status)])
}

fn cilium_node(it: &CiliumNode) -> Value {
    let CiliumNode { name, labels, ips, health, ingress, pod_cidrs } = it;
    let addresses = ips.iter().map(|ip| json!({ "ip": ip })).collect();
    let ranges = pod_cidrs.iter().map(|it| json!(it.to_string())).collect();
    let spec = fields([
        ("addresses", list(addresses)),
        ("health", families(health)),
        ("ingress", families(ingress)),
        ("ipam", fields([("podCIDRs", list(ranges))])),
    ]);
    object("cilium.io/v2", "CiliumNode", metadata(None, name, labels), [("spec", spec)])
}

fn pod(it: &Pod) -> Value {
    let Pod {
        name,
        labels,
        ips,
        ports,
        probes,
        service_account,
        host_network,
        node,
        phase,
        deleting,
        agent_image,
        // Why left out: it is told of pods of other clusters alone.
        cluster: _,
    } = it;
    let mut head = metadata(Some(&name.namespace), &name.name, labels);
    if *deleting {
        // Its time decides nothing; that there is one does.
        head["deletionTimestamp"] = json!("set");
    }
    let mut spec = pod_spec(ports, probes, service_account, *host_network, agent_image.as_deref());
    if let Some(node) = node {
        insert(&mut spec, "nodeName", json!(node));
    }
    let word = match phase {
        Phase::Running => Value::Null,
        Phase::Pending => json!("Pending"),
        Phase::Succeeded => json!("Succeeded"),
        Phase::Failed => json!("Failed"),
        Phase::Unknown => json!("Unknown"),
    };
    let status = fields([("phase", word), ("podIPs", list(ips.iter().map(|ip| json!({ "ip": ip })).collect()))]);
    object("v1", "Pod", head, [("spec", spec), ("status", status)])
}

fn workload(it: &Workload) -> Value {
    let Workload { kind, name, labels, ports, probes, service_account, host_network, agent_image, replicas } = it;
    let spec = pod_spec(ports, probes, service_account, *host_network, agent_image.as_deref());
    let head = fields([("labels", mapping(labels))]);
    let mut inner = fields([("metadata", head), ("spec", spec)]);
    for name in kind.template_path().iter().rev().take(kind.template_path().len() - 1) {
        inner = fields([(*name, inner)]);
    }
    if let Some(replicas) = replicas {
        insert(&mut inner, "replicas", json!(replicas));
    }
    object(
        kind.api_version(),
        kind.name(),
        metadata(Some(&name.namespace), &name.name, &Labels::new()),
        [("spec", inner)],
    )
}

fn pod_spec(
    ports: &[ContainerPort],
    probes: &BTreeSet<Probe>,
    account: &str,
    host_network: bool,
    image: Option<&str>,
) -> Value {
    let port = |it: &ContainerPort| {
        fields([("name", json!(it.name)), ("containerPort", json!(it.port)), ("protocol", protocol(it.protocol))])
    };
    let head =
        [("image", image.map_or(Value::Null, |it| json!(it))), ("ports", list(ports.iter().map(port).collect()))];
    // Why: a container has one probe of a kind, so that more of them take more containers; which it is decides nothing.
    let of_kind = |kind, at| probes.iter().filter(|it| it.kind == kind).nth(at);
    let asked = |at: usize| {
        ProbeKind::FIELDS
            .into_iter()
            .filter_map(move |(field, kind)| Some((field, json!({ "tcpSocket": { "port": of_kind(kind, at)?.port } }))))
    };
    let first = fields(head.into_iter().chain(asked(0)));
    let more = (1..).map(|at| fields(asked(at))).take_while(|it| !it.is_null());
    let containers: Vec<Value> = [first].into_iter().filter(|it| !it.is_null()).chain(more).collect();
    fields([
        ("containers", list(containers)),
        ("hostNetwork", if host_network { json!(true) } else { Value::Null }),
        ("serviceAccountName", if account.is_empty() { Value::Null } else { json!(account) }),
    ])
}

fn service(it: &Service) -> Value {
    let Service {
        name,
        labels,
        selector,
        cluster_ips,
        no_cluster_ip,
        ports,
        kind,
        sharing_key,
        shares_with,
        stays_on_node,
        inside_stays_on_node,
        external_ips,
        load_balancer_ips,
        source_ranges,
        ranges_deny,
    } = it;
    let with: Vec<&str> = shares_with.iter().map(String::as_str).collect();
    let text = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
    let annotations = fields([
        ("lbipam.cilium.io/sharing-key", text(sharing_key)),
        ("lbipam.cilium.io/sharing-cross-namespace", text(&with.join(","))),
        ("service.cilium.io/src-ranges-policy", text(if *ranges_deny { "deny" } else { "" })),
    ]);
    let local = |local: bool| if local { json!("Local") } else { Value::Null };
    let ranges = source_ranges.iter().map(|it| json!(it.to_string())).collect();
    let spec = fields([
        ("externalIPs", texts(external_ips)),
        ("externalTrafficPolicy", local(*stays_on_node)),
        ("internalTrafficPolicy", local(*inside_stays_on_node)),
        ("loadBalancerSourceRanges", list(ranges)),
        ("clusterIP", if *no_cluster_ip { json!("None") } else { Value::Null }),
        ("clusterIPs", texts(cluster_ips)),
        ("ports", list(ports.iter().map(service_port).collect())),
        ("selector", mapping(selector)),
        ("type", if kind == "ClusterIP" { Value::Null } else { json!(kind) }),
    ]);
    let mut head = metadata(Some(&name.namespace), &name.name, labels);
    if !annotations.is_null() {
        insert(&mut head, "annotations", annotations);
    }
    let ingress = load_balancer_ips.iter().map(|ip| json!({ "ip": ip })).collect();
    let status = fields([("loadBalancer", fields([("ingress", list(ingress))]))]);
    object("v1", "Service", head, [("spec", spec), ("status", status)])
}

fn service_port(it: &ServicePort) -> Value {
    let ServicePort { name, protocol: spoken, port, target, node_port } = it;
    let target = match target {
        TargetPort::Number(number) if number == port => Value::Null,
        TargetPort::Number(number) => json!(number),
        TargetPort::Name(name) => json!(name),
    };
    fields([
        ("name", if name.is_empty() { Value::Null } else { json!(name) }),
        ("nodePort", node_port.map_or(Value::Null, |it| json!(it))),
        ("port", json!(port)),
        ("protocol", protocol(*spoken)),
        ("targetPort", target),
    ])
}

fn endpoint_slice(it: &EndpointSlice) -> Value {
    let EndpointSlice { name, labels, endpoints, ports } = it;
    let endpoint = |it: &Endpoint| {
        let Endpoint { addresses, takes, node } = it;
        let conditions = match takes {
            Takes::Always => Value::Null,
            Takes::Last => json!({ "ready": false, "terminating": true }),
            Takes::Never => json!({ "ready": false }),
        };
        json!(Map::from_iter(
            [
                ("addresses", texts(addresses)),
                ("conditions", conditions),
                ("nodeName", node.as_ref().map_or(Value::Null, |it| json!(it))),
            ]
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.to_owned(), value))
        ))
    };
    let port = |it: &EndpointPort| {
        let EndpointPort { name, protocol: spoken, port } = it;
        json!({ "name": name, "protocol": spoken.to_string().to_ascii_uppercase(), "port": port })
    };
    let endpoints = list(endpoints.iter().map(endpoint).collect());
    let ports = list(ports.iter().map(port).collect());
    let head = metadata(Some(&name.namespace), &name.name, labels);
    object("discovery.k8s.io/v1", "EndpointSlice", head, [("endpoints", endpoints), ("ports", ports)])
}

fn cidr_group(it: &CidrGroup) -> Value {
    let CidrGroup { name, labels, prefixes } = it;
    let prefixes = list(prefixes.iter().map(|it| json!(it.to_string())).collect());
    let spec = fields([("externalCIDRs", prefixes)]);
    object("cilium.io/v2", "CiliumCIDRGroup", metadata(None, name, labels), [("spec", spec)])
}

fn node_config(it: &NodeConfig) -> Value {
    let NodeConfig { name, nodes, data } = it;
    let condition = |it: &NodeCondition| {
        let operator = match (it.wanted, it.values.is_empty()) {
            (true, true) => "Exists",
            (true, false) => "In",
            (false, true) => "DoesNotExist",
            (false, false) => "NotIn",
        };
        let values = list(it.values.iter().map(|it| json!(it)).collect());
        fields([("key", json!(it.key)), ("operator", json!(operator)), ("values", values)])
    };
    let selector = json!({ "matchExpressions": nodes.iter().map(condition).collect::<Vec<_>>() });
    let spec = fields([("defaults", json!(data)), ("nodeSelector", selector)]);
    let head = metadata(Some(&name.namespace), &name.name, &Labels::new());
    object("cilium.io/v2", "CiliumNodeConfig", head, [("spec", spec)])
}

fn object<const N: usize>(version: &str, kind: &str, metadata: Value, rest: [(&str, Value); N]) -> Value {
    let head = [("apiVersion", json!(version)), ("kind", json!(kind)), ("metadata", metadata)];
    fields(head.into_iter().chain(rest))
}

fn metadata(namespace: Option<&str>, name: &str, labels: &Labels) -> Value {
    let namespace = namespace.map_or(Value::Null, |it| json!(it));
    fields([("labels", mapping(labels)), ("name", json!(name)), ("namespace", namespace)])
}

/// An object of the fields that say something; null when none does.
fn fields<'a>(all: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    let said = all.into_iter().filter(|(_, value)| !value.is_null());
    let said: Map<String, Value> = said.map(|(name, value)| (name.to_owned(), value)).collect();
    if said.is_empty() { Value::Null } else { Value::Object(said) }
}

fn insert(value: &mut Value, name: &str, field: Value) {
    match value {
        Value::Object(fields) => drop(fields.insert(name.to_owned(), field)),
        _ => *value = json!({ name: field }),
    }
}

fn list(all: Vec<Value>) -> Value {
    if all.is_empty() { Value::Null } else { Value::Array(all) }
}

fn texts(ips: &BTreeSet<IpAddr>) -> Value {
    list(ips.iter().map(|ip| json!(ip)).collect())
}

fn mapping(labels: &Labels) -> Value {
    if labels.is_empty() { Value::Null } else { json!(labels) }
}

fn families(ips: &BTreeSet<IpAddr>) -> Value {
    fields(ips.iter().map(|ip| (if ip.is_ipv4() { "ipv4" } else { "ipv6" }, json!(ip))))
}

/// The protocol of a port; nothing for TCP, which is meant where none is written.
fn protocol(protocol: Protocol) -> Value {
    if protocol == Protocol::TCP { Value::Null } else { json!(protocol.to_string().to_ascii_uppercase()) }
}
