//! Objects of the cluster, from text to facts.

use facts::decode::{decode_with, decoder, objects};
use facts::endpoint_slice::Takes;
use facts::read::At;
use facts::{Cluster, Name, Phase, WorkloadKind};

/// Decodes every object of a text; gives the cluster and the problems, each with its path.
fn read(text: &str) -> (Cluster, Vec<String>) {
    let tree = syntax::parse(text, &syntax::Limits::default());
    assert!(tree.problems().is_empty(), "{:?}", tree.problems());
    let (mut cluster, mut problems) = (Cluster::default(), Vec::new());
    for root in tree.documents().iter().filter_map(|document| document.root) {
        for object in objects(&At::root(&tree, root)) {
            let Some(decoder) = decoder(&object.api_version, &object.kind) else { continue };
            let decoded = decode_with(decoder, &object.at);
            problems.extend(decoded.problems.iter().map(|problem| format!("{}: {:?}", problem.path, problem.kind)));
            decoded.fact.into_iter().for_each(|fact| cluster.insert(fact));
        }
    }
    (cluster, problems)
}

#[test]
fn a_pod_has_labels_both_families_and_the_named_ports_of_regular_containers() {
    let (cluster, problems) = read(
        "
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec:
  nodeName: n1
  serviceAccountName: web-sa
  initContainers: [{ports: [{name: setup, containerPort: 1}]}]
  containers:
  - ports: [{name: http, containerPort: 8080}, {containerPort: 9}, {name: dns, containerPort: 53, protocol: UDP}]
status: {phase: Running, podIP: 10.0.0.4, podIPs: [{ip: 10.0.0.4}, {ip: 'fd00::4'}]}
",
    );
    assert_eq!(problems, Vec::<String>::new());
    let pod = &cluster.pods[&Name::new("shop", "web")];
    let ports: Vec<String> = pod.ports.iter().map(|it| format!("{}={}/{}", it.name, it.port, it.protocol)).collect();
    assert_eq!(ports, ["http=8080/tcp", "dns=53/udp"]);
    assert_eq!(pod.ips.len(), 2);
    assert_eq!((pod.node.as_deref(), pod.service_account.as_str()), (Some("n1"), "web-sa"));
    assert_eq!(pod.own_ips().count(), 2);
}

#[test]
fn finished_and_host_network_pods_own_no_address() {
    let (cluster, _) = read(
        "
{apiVersion: v1, kind: Pod, metadata: {name: job}, status: {phase: Succeeded, podIP: 10.0.0.4}}
---
{apiVersion: v1, kind: Pod, metadata: {name: agent}, spec: {hostNetwork: true}, status: {podIP: 10.0.0.1}}
",
    );
    assert_eq!(cluster.pods[&Name::new("default", "job")].phase, Phase::Succeeded);
    assert!(cluster.pods.values().all(|pod| pod.own_ips().next().is_none()));
}

#[test]
fn lists_of_any_kind_are_unwrapped() {
    let item = |name: &str| format!("{{metadata: {{name: {name}, namespace: a}}}}");
    let whole = |name: &str| format!("{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, namespace: a}}}}");
    let text = format!(
        "{{apiVersion: v1, kind: PodList, items: [{}]}}\n---\n{{apiVersion: v1, kind: List, items: [{}, {{apiVersion: v1, kind: List, items: [{}]}}]}}\n",
        item("one"),
        whole("two"),
        whole("three")
    );
    let names: Vec<String> = read(&text).0.pods.keys().map(Name::to_string).collect();
    assert_eq!(names, ["a/one", "a/three", "a/two"]);
}

#[test]
fn every_kind_with_a_pod_template_is_a_workload() {
    let template = "metadata: {labels: {app: x}}, spec: {containers: [{ports: [{name: http, containerPort: 80}]}]}";
    for (api_version, kind, spec) in [
        ("apps/v1", "Deployment", format!("{{replicas: 3, template: {{{template}}}}}")),
        ("apps/v1", "StatefulSet", format!("{{template: {{{template}}}}}")),
        ("apps/v1", "DaemonSet", format!("{{template: {{{template}}}}}")),
        ("apps/v1", "ReplicaSet", format!("{{template: {{{template}}}}}")),
        ("batch/v1", "Job", format!("{{template: {{{template}}}}}")),
        ("batch/v1", "CronJob", format!("{{jobTemplate: {{spec: {{template: {{{template}}}}}}}}}")),
        ("argoproj.io/v1alpha1", "Rollout", format!("{{template: {{{template}}}}}")),
        ("apps.openshift.io/v1", "DeploymentConfig", format!("{{template: {{{template}}}}}")),
    ] {
        let (cluster, _) =
            read(&format!("{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: x}}, spec: {spec}}}"));
        let workload = cluster.workloads.values().next().unwrap();
        assert_eq!((workload.kind.name(), workload.kind.api_version()), (kind, api_version));
        assert_eq!((workload.labels["app"].as_str(), workload.ports.len()), ("x", 1), "{kind}");
        assert_eq!(workload.replicas, (workload.kind == WorkloadKind::Deployment).then_some(3));
    }
}

#[test]
fn what_has_its_template_elsewhere_makes_no_pods() {
    let (cluster, problems) = read(
        "{apiVersion: argoproj.io/v1alpha1, kind: Rollout, metadata: {name: x}, spec: {workloadRef: {apiVersion: apps/v1, kind: Deployment, name: x}}}",
    );
    assert!(cluster.workloads.is_empty() && problems.is_empty(), "{problems:?}");
}

#[test]
fn the_api_server_is_where_its_slices_say() {
    let (cluster, _) = read(
        "
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: kubernetes, namespace: default, labels: {kubernetes.io/service-name: kubernetes}}
addressType: IPv4
endpoints: [{addresses: [10.0.0.9]}]
ports: [{name: https, port: 6443}]
",
    );
    assert_eq!(cluster.kube_apiserver(), ["10.0.0.9".parse().unwrap()].into());
}

#[test]
fn nodes_name_their_addresses_and_pod_ranges() {
    let (cluster, _) = read(
        "
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {role: worker}}
spec: {podCIDR: 10.244.0.0/24, podCIDRs: [10.244.0.0/24, 'fd00:1::/64']}
status: {addresses: [{type: InternalIP, address: 10.0.0.1}, {type: Hostname, address: n1}]}
",
    );
    let node = &cluster.nodes["n1"];
    assert_eq!((node.ips.len(), node.pod_cidrs.len(), cluster.ranges().len()), (1, 2, 2));
}

#[test]
fn a_namespace_carries_its_name_as_a_label() {
    let (cluster, _) = read("{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {team: red}}}");
    let labels: Vec<&str> = cluster.namespaces["shop"].labels.keys().map(String::as_str).collect();
    assert_eq!(labels, ["kubernetes.io/metadata.name", "team"]);
}

#[test]
fn a_service_has_its_selector_and_target_ports() {
    let (cluster, _) = read(
        "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {selector: {app: web}, clusterIP: None, ports: [{port: 80, targetPort: http}, {port: 81}]}}",
    );
    let service = &cluster.services[&Name::new("default", "web")];
    let targets: Vec<String> = service.ports.iter().map(|port| format!("{:?}", port.target)).collect();
    assert_eq!(targets, ["Name(\"http\")", "Number(81)"]);
    assert!(service.cluster_ips.is_empty() && service.is_headless());
    let (cluster, _) = read("{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}");
    assert!(!cluster.services[&Name::new("default", "web")].is_headless(), "its address was not given yet");
}

#[test]
fn an_endpoint_takes_connections_as_its_conditions_say() {
    for (conditions, wanted) in [
        ("{}", Takes::Always),
        ("{ready: true, terminating: true}", Takes::Always),
        ("{ready: false}", Takes::Never),
        ("{ready: false, terminating: true}", Takes::Last),
        ("{ready: false, serving: true, terminating: true}", Takes::Last),
        ("{ready: false, serving: false, terminating: true}", Takes::Never),
        ("{ready: false, serving: true}", Takes::Never),
    ] {
        let (cluster, _) = read(&format!(
            "{{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {{name: s}}, endpoints: [{{addresses: [192.0.2.1], conditions: {conditions}}}]}}"
        ));
        assert_eq!(cluster.endpoint_slices[&Name::new("default", "s")].endpoints[0].takes, wanted, "{conditions}");
    }
}

#[test]
fn a_service_has_its_addresses_for_the_outside_and_who_may_ask_there() {
    let text = |status: &str| {
        format!(
            "{{apiVersion: v1, kind: Service, metadata: {{name: web}}, spec: {{type: LoadBalancer, externalIPs: [198.51.100.9, x], \
             loadBalancerIP: 198.51.100.1, loadBalancerSourceRanges: [203.0.113.0/24], externalTrafficPolicy: Local, \
             internalTrafficPolicy: Local, ports: [{{port: 80, nodePort: 30080}}]}}{status}}}"
        )
    };
    let told = ", status: {loadBalancer: {ingress: [{ip: 198.51.100.2}, {ip: 198.51.100.3, ipMode: Proxy}, {hostname: lb.example}]}}";
    for (status, wanted) in [("", "198.51.100.1"), (told, "198.51.100.2")] {
        let (cluster, problems) = read(&text(status));
        let service = &cluster.services[&Name::new("default", "web")];
        let of_balancer: Vec<String> = service.load_balancer_ips.iter().map(ToString::to_string).collect();
        assert_eq!(of_balancer, [wanted]);
        let external: Vec<String> = service.external_ips.iter().map(ToString::to_string).collect();
        assert_eq!(external, ["198.51.100.9"]);
        assert_eq!(problems, ["spec.externalIPs[1]: NotAnAddress(\"x\")"]);
        let ranges: Vec<String> = service.source_ranges.iter().map(ToString::to_string).collect();
        assert_eq!(
            (ranges, service.stays_on_node, service.inside_stays_on_node),
            (vec!["203.0.113.0/24".into()], true, true)
        );
        assert!(service.has_addresses());
    }
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let (cluster, problems) = read(
        "
{apiVersion: v1, kind: Pod, metadata: {}}
---
{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{ports: [{name: a, containerPort: 99999}]}]}, status: {podIP: nonsense}}
---
{apiVersion: cilium.io/v2, kind: CiliumCIDRGroup, metadata: {name: x}, spec: {externalCIDRs: [10.0.0.0/8, ten]}}
",
    );
    assert_eq!(
        problems,
        [
            ": NoName",
            "spec.containers[0].ports[0].containerPort: NotAPort(99999)",
            "status.podIP: NotAnAddress(\"nonsense\")",
            "spec.externalCIDRs[1]: NotAPrefix(\"ten\")",
        ]
    );
    assert_eq!(cluster.cidr_groups["x"].prefixes.len(), 1);
}

#[test]
fn the_agents_of_a_cluster_tell_its_configuration_and_what_nodes_have() {
    let (cluster, problems) = read(
        "
apiVersion: v1
kind: ConfigMap
metadata: {name: cilium-config, namespace: kube-system}
data: {cluster-name: west, enable-ipv6: 'false', cluster-pool-ipv4-cidr: 10.244.0.0/16}
---
apiVersion: cilium.io/v2
kind: CiliumNode
metadata: {name: n1, labels: {zone: x}}
spec:
  addresses: [{type: InternalIP, ip: 10.0.0.1}, {type: CiliumInternalIP, ip: 10.244.1.1}]
  health: {ipv4: 10.244.1.98}
  ingress: {ipv4: 10.244.1.97}
  ipam: {podCIDRs: [10.244.1.0/24]}
",
    );
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!((cluster.config.cluster_name.as_str(), cluster.config.ipv6), ("west", false));
    assert_eq!(cluster.enforcer(), Some(facts::Enforcer::Cilium));
    assert_eq!(cluster.ranges().len(), 2);
    let node = &cluster.cilium_nodes["n1"];
    assert_eq!((node.ips.len(), node.health.len(), node.ingress.len()), (2, 1, 1));
    assert_eq!(cluster.node_ips()["n1"], node.ips);
    assert!(cluster.node_labels("n1").is_some_and(|labels| labels["zone"] == "x"));
}

#[test]
fn any_value_anywhere_is_survived() {
    for kind in facts::decode::KINDS {
        for spec in ["1", "[]", "{containers: 1}", "{ports: [1, {}]}", "{template: []}", "null"] {
            let version = if kind.0.is_empty() { "v1".to_owned() } else { format!("{}/v1", kind.0) };
            let text = format!(
                "{{apiVersion: {version}, kind: {}, metadata: {{name: x}}, spec: {spec}, status: {spec}}}",
                kind.1
            );
            let (cluster, _) = read(&text);
            // A ConfigMap of another name than the agent's, and answers or groups without any, say nothing.
            let says = !matches!(kind.1, "ConfigMap" | "DnsCache" | "CloudGroups");
            // Their templates may stand elsewhere.
            let says = says && (!matches!(kind.1, "Rollout" | "DeploymentConfig") || spec.contains("template"));
            assert_eq!(cluster != Cluster::default(), says, "{text}");
        }
    }
}
