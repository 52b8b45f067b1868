//! The fields of objects of the cluster: those that are read here, and all others that exist beside them.

/// The fields of one mapping, or of the members of one list.
pub(super) struct Shape {
    /// Those that are read here.
    pub read: &'static [&'static str],
    /// All others.
    pub others: &'static [&'static str],
    /// What is inside some of them.
    pub inside: &'static [(&'static str, &'static Shape)],
}

/// The fields of a kind; `None` for kinds that are compared with a schema, or whose fields are not known here.
pub(super) fn of(kind: &str) -> Option<&'static Shape> {
    Some(match kind {
        "Pod" => &POD,
        "Node" => &NODE,
        "Namespace" => &NAMESPACE,
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => &WORKLOAD,
        "CronJob" => &CRON_JOB,
        _ => return None,
    })
}

const ENVELOPE: &[&str] = &["apiVersion", "kind", "metadata", "spec", "status"];

const POD: Shape = Shape {
    read: ENVELOPE,
    others: &[],
    inside: &[("metadata", &METADATA), ("spec", &POD_SPEC), ("status", &POD_STATUS)],
};

const NODE: Shape = Shape {
    read: ENVELOPE,
    others: &[],
    inside: &[("metadata", &METADATA), ("spec", &NODE_SPEC), ("status", &NODE_STATUS)],
};

const NAMESPACE: Shape = Shape { read: ENVELOPE, others: &[], inside: &[("metadata", &METADATA)] };

const WORKLOAD: Shape =
    Shape { read: ENVELOPE, others: &[], inside: &[("metadata", &METADATA), ("spec", &WORKLOAD_SPEC)] };

const CRON_JOB: Shape =
    Shape { read: ENVELOPE, others: &[], inside: &[("metadata", &METADATA), ("spec", &CRON_JOB_SPEC)] };

const METADATA: Shape = Shape {
    read: &["name", "namespace", "labels", "annotations", "deletionTimestamp"],
    others: &[
        "generateName",
        "selfLink",
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "ownerReferences",
        "finalizers",
        "managedFields",
    ],
    inside: &[],
};

const POD_SPEC: Shape = Shape {
    read: &["containers", "nodeName", "hostNetwork", "serviceAccountName", "serviceAccount"],
    others: &[
        "volumes",
        "initContainers",
        "ephemeralContainers",
        "restartPolicy",
        "terminationGracePeriodSeconds",
        "activeDeadlineSeconds",
        "dnsPolicy",
        "nodeSelector",
        "automountServiceAccountToken",
        "hostPID",
        "hostIPC",
        "shareProcessNamespace",
        "securityContext",
        "imagePullSecrets",
        "hostname",
        "subdomain",
        "affinity",
        "schedulerName",
        "tolerations",
        "hostAliases",
        "priorityClassName",
        "priority",
        "dnsConfig",
        "readinessGates",
        "runtimeClassName",
        "enableServiceLinks",
        "preemptionPolicy",
        "overhead",
        "topologySpreadConstraints",
        "setHostnameAsFQDN",
        "os",
        "hostUsers",
        "schedulingGates",
        "resourceClaims",
        "resources",
        "hostnameOverride",
        "workloadRef",
    ],
    inside: &[("containers", &CONTAINER)],
};

const CONTAINER: Shape = Shape {
    read: &["name", "image", "ports"],
    others: &[
        "command",
        "args",
        "workingDir",
        "envFrom",
        "env",
        "resources",
        "resizePolicy",
        "restartPolicy",
        "restartPolicyRules",
        "volumeMounts",
        "volumeDevices",
        "livenessProbe",
        "readinessProbe",
        "startupProbe",
        "lifecycle",
        "terminationMessagePath",
        "terminationMessagePolicy",
        "imagePullPolicy",
        "securityContext",
        "stdin",
        "stdinOnce",
        "tty",
    ],
    inside: &[("ports", &CONTAINER_PORT)],
};

const CONTAINER_PORT: Shape =
    Shape { read: &["name", "containerPort", "protocol"], others: &["hostPort", "hostIP"], inside: &[] };

const POD_STATUS: Shape = Shape {
    read: &["phase", "podIP", "podIPs"],
    others: &[
        "observedGeneration",
        "conditions",
        "message",
        "reason",
        "nominatedNodeName",
        "hostIP",
        "hostIPs",
        "startTime",
        "initContainerStatuses",
        "containerStatuses",
        "qosClass",
        "ephemeralContainerStatuses",
        "resize",
        "resourceClaimStatuses",
        "extendedResourceClaimStatus",
        "allocatedResources",
        "resources",
    ],
    inside: &[],
};

const NODE_SPEC: Shape = Shape {
    read: &["podCIDR", "podCIDRs"],
    others: &["providerID", "unschedulable", "taints", "configSource", "externalID"],
    inside: &[],
};

const NODE_STATUS: Shape = Shape {
    read: &["addresses"],
    others: &[
        "capacity",
        "allocatable",
        "phase",
        "conditions",
        "daemonEndpoints",
        "nodeInfo",
        "images",
        "volumesInUse",
        "volumesAttached",
        "config",
        "runtimeHandlers",
        "features",
        "declaredFeatures",
    ],
    inside: &[],
};

const TEMPLATE: Shape = Shape {
    read: &["metadata", "spec"],
    others: &[],
    inside: &[("metadata", &METADATA), ("spec", &POD_SPEC)],
};

/// What the kinds with a pod template have beside it.
const BESIDE_TEMPLATE: &[&str] = &[
    "selector",
    "strategy",
    "updateStrategy",
    "minReadySeconds",
    "revisionHistoryLimit",
    "paused",
    "progressDeadlineSeconds",
    "serviceName",
    "volumeClaimTemplates",
    "podManagementPolicy",
    "persistentVolumeClaimRetentionPolicy",
    "ordinals",
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "podFailurePolicy",
    "successPolicy",
    "backoffLimit",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
    "manualSelector",
    "ttlSecondsAfterFinished",
    "completionMode",
    "suspend",
    "podReplacementPolicy",
    "managedBy",
];

const WORKLOAD_SPEC: Shape =
    Shape { read: &["replicas", "template"], others: BESIDE_TEMPLATE, inside: &[("template", &TEMPLATE)] };

const CRON_JOB_SPEC: Shape = Shape {
    read: &["jobTemplate"],
    others: &[
        "schedule",
        "timeZone",
        "startingDeadlineSeconds",
        "concurrencyPolicy",
        "suspend",
        "successfulJobsHistoryLimit",
        "failedJobsHistoryLimit",
    ],
    inside: &[("jobTemplate", &JOB_TEMPLATE)],
};

const JOB_TEMPLATE: Shape =
    Shape { read: &["spec"], others: &["metadata"], inside: &[("spec", &WORKLOAD_SPEC)] };
