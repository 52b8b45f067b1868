use super::{Workload, WorkloadKind};
use crate::Fact;
use crate::decode::{Problem, name};
use crate::pod::template;
use crate::read::At;

/// Reads a kind with a pod template.
pub fn decode(kind: WorkloadKind, at: &At<'_>, problems: &mut Vec<Problem>) -> Option<Fact> {
    let name = name(at, problems)?;
    let written = at.dig(kind.template_path());
    // Why: what has its template elsewhere, as a Rollout with `workloadRef`, makes no pods of its own.
    if written.is_none() && matches!(kind, WorkloadKind::Rollout | WorkloadKind::DeploymentConfig) {
        return None;
    }
    let pod = written.map(|it| template(&it, problems)).unwrap_or_default();
    let replicas = at.dig(&["spec", "replicas"]).and_then(|it| it.whole());
    Some(Fact::Workload(Workload {
        kind,
        name,
        labels: pod.labels,
        ports: pod.ports,
        probes: pod.probes,
        service_account: pod.service_account,
        host_network: pod.host_network,
        agent_image: pod.agent_image,
        replicas: replicas.and_then(|it| u32::try_from(it).ok()),
    }))
}
