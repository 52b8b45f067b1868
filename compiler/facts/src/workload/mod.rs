//! What makes pods: the workloads of Kubernetes, and those of others that have a pod template in the same place.

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
    /// argoproj.io, of Argo Rollouts.
    Rollout,
    /// apps.openshift.io.
    DeploymentConfig,
}

impl WorkloadKind {
    /// Every kind.
    pub const ALL: [WorkloadKind; 8] = [
        WorkloadKind::Deployment,
        WorkloadKind::StatefulSet,
        WorkloadKind::DaemonSet,
        WorkloadKind::ReplicaSet,
        WorkloadKind::Job,
        WorkloadKind::CronJob,
        WorkloadKind::Rollout,
        WorkloadKind::DeploymentConfig,
    ];

    /// The kind's name in manifests.
    pub fn name(self) -> &'static str {
        match self {
            WorkloadKind::Deployment => "Deployment",
            WorkloadKind::StatefulSet => "StatefulSet",
            WorkloadKind::DaemonSet => "DaemonSet",
            WorkloadKind::ReplicaSet => "ReplicaSet",
            WorkloadKind::Job => "Job",
            WorkloadKind::CronJob => "CronJob",
            WorkloadKind::Rollout => "Rollout",
            WorkloadKind::DeploymentConfig => "DeploymentConfig",
        }
    }

    /// The group and version that manifests name.
    pub fn api_version(self) -> &'static str {
        match self {
            WorkloadKind::Deployment
            | WorkloadKind::StatefulSet
            | WorkloadKind::DaemonSet
            | WorkloadKind::ReplicaSet => "apps/v1",
            WorkloadKind::Job | WorkloadKind::CronJob => "batch/v1",
            WorkloadKind::Rollout => "argoproj.io/v1alpha1",
            WorkloadKind::DeploymentConfig => "apps.openshift.io/v1",
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
