//! The probes of pods and of templates of pods.

use facts::{Name, WorkloadKind};
use source::Span;

use crate::place::Spot;

/// What a kubelet asks a container over the network.
pub(crate) struct Probe {
    /// `liveness probe`.
    pub kind: &'static str,
    /// The pod, or what makes it.
    pub of: Name,
    pub port: u16,
    /// Where its port is written.
    pub span: Span,
}

const KINDS: [(&str, &str); 3] =
    [("livenessProbe", "liveness probe"), ("readinessProbe", "readiness probe"), ("startupProbe", "startup probe")];

const MAKERS: [WorkloadKind; 6] = [
    WorkloadKind::Deployment,
    WorkloadKind::StatefulSet,
    WorkloadKind::DaemonSet,
    WorkloadKind::ReplicaSet,
    WorkloadKind::Job,
    WorkloadKind::CronJob,
];

/// The probes of an object that go to the pod itself, with ports that are known.
pub(crate) fn probes(spot: &Spot<'_>) -> Vec<Probe> {
    let object = &spot.object.object;
    let template = match MAKERS.iter().find(|kind| kind.name() == object.kind) {
        Some(kind) => format!("{}.", kind.template_path().join(".")),
        None if object.kind == "Pod" => String::new(),
        None => return Vec::new(),
    };
    let mut found = Vec::new();
    for container in spot.items(&format!("{template}spec.containers")) {
        for (field, kind) in KINDS {
            for way in ["httpGet", "tcpSocket", "grpc"] {
                let at = format!("{container}.{field}.{way}");
                let Some(port) = port(spot, &container, &format!("{at}.port")) else { continue };
                // Why: a probe with a host of its own goes somewhere else.
                if spot.node(&format!("{at}.host")).is_none() {
                    let of = Name::new(&*object.namespace, &*object.name);
                    found.push(Probe { kind, of, port, span: spot.value(&format!("{at}.port")) });
                }
            }
        }
    }
    found
}

/// A number, or the number of a name among the ports of the container.
fn port(spot: &Spot<'_>, container: &str, path: &str) -> Option<u16> {
    let written = |path: &str| Some(spot.tree().raw(spot.node(path)?).trim_matches(['"', '\'', ' ']).to_owned());
    let said = written(path)?;
    said.parse().ok().or_else(|| {
        let mut ports = spot.items(&format!("{container}.ports"));
        let named = ports.find(|port| written(&format!("{port}.name")).as_deref() == Some(&said))?;
        written(&format!("{named}.containerPort"))?.parse().ok()
    })
}
