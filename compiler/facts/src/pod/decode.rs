use super::{ContainerPort, PROBE_WAYS, Phase, Pod, Probe, ProbeKind};
use crate::Fact;
use crate::decode::{Problem, address, name, port, protocol};
use crate::read::At;

/// Reads a Pod.
pub fn decode(at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let name = name(at, problems)?;
    let mut pod = Pod { name, ..template(at, problems) };
    pod.node = at.dig(&["spec", "nodeName"]).and_then(|it| it.text()).filter(|it| !it.is_empty()).map(str::to_owned);
    pod.deleting = at.dig(&["metadata", "deletionTimestamp"]).is_some();
    if let Some(status) = at.get("status") {
        pod.phase = match status.text_of("phase") {
            Some("Pending") => Phase::Pending,
            Some("Succeeded") => Phase::Succeeded,
            Some("Failed") => Phase::Failed,
            Some("Unknown") => Phase::Unknown,
            _ => Phase::Running,
        };
        let one = status.get("podIP");
        let all = status.list("podIPs").filter_map(|it| it.get("ip"));
        pod.ips = one.into_iter().chain(all).filter_map(|it| address(&it, problems)).collect();
    }
    Some(Fact::Pod(pod))
}

/// Reads what a pod and a pod template share: labels, named ports, probes, service account, host network.
pub(crate) fn template(at: &At<'_>, problems: &mut Vec<Problem>) -> Pod {
    let labels = at.get("metadata").map(|it| it.labels("labels")).unwrap_or_default();
    let Some(spec) = at.get("spec") else { return Pod { labels, ..Pod::default() } };
    let mut ports = Vec::new();
    for written in spec.list("containers").flat_map(|container| container.list("ports")) {
        let name = written.text_or_empty("name").to_ascii_lowercase();
        let number = written.get("containerPort").and_then(|it| port(&it, problems));
        let protocol = protocol(&written, problems);
        if let (false, Some(port), Some(protocol)) = (name.is_empty(), number, protocol) {
            let port = ContainerPort { name, protocol, port };
            // Why: a port that is written again is the last of its name.
            ports.retain(|known| *known != port);
            ports.push(port);
        }
    }
    let is_agent = labels.get("k8s-app").is_some_and(|app| app == "cilium");
    let mut images = spec.list("containers").filter_map(|container| container.text_of("image").map(str::to_owned));
    let agent_image = images.find(|_| is_agent);
    let account = spec.text_of("serviceAccountName").or(spec.text_of("serviceAccount")).unwrap_or_default();
    Pod {
        labels,
        ports,
        probes: spec.list("containers").flat_map(|container| probes(&container)).collect(),
        agent_image,
        service_account: account.to_owned(),
        host_network: spec.get("hostNetwork").and_then(|it| it.flag()).unwrap_or(false),
        ..Pod::default()
    }
}

/// The probes of a container. A port that cannot be read is no problem of policies, and its probe is left out.
fn probes(container: &At<'_>) -> Vec<Probe> {
    let mut found = Vec::new();
    for (field, kind) in ProbeKind::FIELDS {
        for way in PROBE_WAYS {
            let asked = container.dig(&[field, way]);
            // Why: a probe with a host of its own goes somewhere else.
            let asked = asked.filter(|it| it.get("host").is_none());
            let port = asked.and_then(|it| probed(container, &it.get("port")?));
            found.extend(port.map(|port| Probe { kind, port }));
        }
    }
    found
}

/// A number, or the number of a name among the ports of the container.
fn probed(container: &At<'_>, written: &At<'_>) -> Option<u16> {
    let number = |it: &At<'_>| {
        let whole = it.whole().or_else(|| it.text()?.parse().ok())?;
        u16::try_from(whole).ok().filter(|port| *port > 0)
    };
    number(written).or_else(|| {
        let name = written.text()?;
        let named = container.list("ports").find(|port| port.text_of("name") == Some(name))?;
        number(&named.get("containerPort")?)
    })
}
