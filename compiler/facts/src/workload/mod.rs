//! What makes pods: Deployment, StatefulSet, DaemonSet, ReplicaSet (apps/v1), Job, CronJob (batch/v1).

mod decode;

use std::collections::BTreeSet;

use crate::{ContainerPort, Labels, Name, Probe};

pub use decode::decode;

/// Something with a pod template. Its pods may not exist yet; lints read it, enforcement reads pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Its kind.
    pub kind: WorkloadKind,
    /// Namespace and name.
    pub name: Name,
    /// Labels of the pods it makes.
    pub labels: Labels,
    /// Named ports of the regular containers of its pods.
    pub ports: Vec<ContainerPort>,
    /// What the kubelet asks its pods.
    pub probes: BTreeSet<Probe>,
    /// Service account of its pods; empty when absent.
    pub service_account: String,
    /// Whether its pods share their node's network.
    pub host_network: bool,
    /// The image of the network agent that its pods run; only read of those labelled `k8s-app=cilium`.
    pub agent_image: Option<String>,
    /// `spec.replicas`, where the kind has it and it is written.
    pub replicas: Option<u32>,
}

/// A kind with a pod template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkloadKind {
    /// apps/v1.
    Deployment,
    /// apps/v1.
    StatefulSet,
    /// apps/v1.
    DaemonSet,
    /// apps/v1.
    ReplicaSet,
    /// batch/v1.
    Job,
    /// batch/v1.
    CronJob,
}

impl WorkloadKind {
    /// The kind's name in manifests.
    pub fn name(self) -> &'static str {
        match self {
            WorkloadKind::Deployment => "Deployment",
            WorkloadKind::StatefulSet => "StatefulSet",
            WorkloadKind::DaemonSet => "DaemonSet",
            WorkloadKind::ReplicaSet => "ReplicaSet",
            WorkloadKind::Job => "Job",
            WorkloadKind::CronJob => "CronJob",
        }
    }

    /// Where its pod template is inside the object.
    pub fn template_path(self) -> &'static [&'static str] {
        match self {
            WorkloadKind::CronJob => &["spec", "jobTemplate", "spec", "template"],
            _ => &["spec", "template"],
        }
    }
}
