use super::{Service, ServicePort, TargetPort};
use crate::Fact;
use crate::decode::{Problem, address, name, port, prefix, protocol};
use crate::read::At;

/// Reads a Service.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let name = name(at, problems)?;
    let labels = at.get("metadata").map(|it| it.labels("labels")).unwrap_or_default();
    let mut service = Service { name, labels, kind: "ClusterIP".to_owned(), ..Service::default() };
    let annotations = at.get("metadata").map(|it| it.labels("annotations")).unwrap_or_default();
    let annotation = |name: &str| annotations.get(name).map(String::as_str).unwrap_or_default();
    service.sharing_key = annotation("lbipam.cilium.io/sharing-key").to_owned();
    let namespaces = annotation("lbipam.cilium.io/sharing-cross-namespace").split(',').map(str::trim);
    service.shares_with = namespaces.filter(|it| !it.is_empty()).map(str::to_owned).collect();
    service.ranges_deny = annotation("service.cilium.io/src-ranges-policy") == "deny";
    let ingress = at.dig(&["status", "loadBalancer"]).into_iter().flat_map(|it| it.list("ingress"));
    let taken = ingress.filter(|it| it.text_of("ipMode") != Some("Proxy")).filter_map(|it| it.get("ip"));
    service.load_balancer_ips = taken.filter_map(|it| address(&it, problems)).collect();
    if let Some(spec) = at.get("spec") {
        service.stays_on_node = spec.text_of("externalTrafficPolicy") == Some("Local");
        service.inside_stays_on_node = spec.text_of("internalTrafficPolicy") == Some("Local");
        service.external_ips = spec.list("externalIPs").filter_map(|it| address(&it, problems)).collect();
        service.source_ranges = spec.list("loadBalancerSourceRanges").filter_map(|it| prefix(&it, problems)).collect();
        let told = at.dig(&["status", "loadBalancer"]).is_some_and(|it| it.list("ingress").next().is_some());
        if let Some(asked) = spec.get("loadBalancerIP").filter(|_| !told) {
            service.load_balancer_ips.extend(address(&asked, problems));
        }
        service.selector = spec.labels("selector");
        service.kind = spec.text_of("type").unwrap_or("ClusterIP").to_owned();
        let ips = || spec.get("clusterIP").into_iter().chain(spec.list("clusterIPs"));
        service.no_cluster_ip = ips().any(|it| it.text() == Some("None"));
        let ips = ips().filter(|it| it.text() != Some("None"));
        service.cluster_ips = ips.filter_map(|it| address(&it, problems)).collect();
        service.ports = spec.list("ports").filter_map(|it| service_port(&it, problems)).collect();
    }
    Some(Fact::Service(service))
}

fn service_port(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<ServicePort> {
    let number = port(&at.get("port")?, problems)?;
    let target = match at.get("targetPort") {
        None => TargetPort::Number(number),
        Some(it) => match it.text() {
            Some(name) => TargetPort::Name(name.to_owned()),
            None => TargetPort::Number(port(&it, problems)?),
        },
    };
    Some(ServicePort {
        name: at.text_or_empty("name"),
        protocol: protocol(at, problems)?,
        port: number,
        target,
        node_port: at.get("nodePort").and_then(|it| port(&it, problems)),
    })
}
