//! What there is to read, and under which paths of the API.

/// A kind of objects as the API serves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// The API group; empty for core.
    pub group: &'static str,
    /// Versions that can be read, the most wanted first.
    pub versions: &'static [&'static str],
    /// The kind of its objects.
    pub kind: &'static str,
    /// The name in paths and roles.
    pub plural: &'static str,
    /// Whether its objects stand in namespaces.
    pub namespaced: bool,
    /// The one object that is wanted, as (namespace, name); all when `None`.
    pub only: Option<(&'static str, &'static str)>,
}

impl Resource {
    const fn core(kind: &'static str, plural: &'static str, namespaced: bool) -> Resource {
        Resource { group: "", versions: &["v1"], kind, plural, namespaced, only: None }
    }

    const fn of(
        group: &'static str,
        versions: &'static [&'static str],
        kind: &'static str,
        plural: &'static str,
        namespaced: bool,
    ) -> Resource {
        Resource { group, versions, kind, plural, namespaced, only: None }
    }

    /// The resource with its group, as errors of an API server name it: `pods`, `deployments.apps`.
    pub fn name(&self) -> String {
        match self.group {
            "" => self.plural.to_owned(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// Whether every cluster serves it, so that its absence is something wrong. The others come with a CustomResourceDefinition.
    pub fn is_built_in(&self) -> bool {
        !self.group.contains("cilium") && self.group != "policy.networking.k8s.io"
    }

    /// The path of all its objects, or of those of a namespace, under one of its versions.
    pub(crate) fn path(&self, version: &str, namespace: Option<&str>) -> String {
        let root = match self.group {
            "" => format!("/api/{version}"),
            group => format!("/apis/{group}/{version}"),
        };
        let plural = self.plural;
        match (self.only, namespace) {
            (Some((namespace, name)), _) => format!("{root}/namespaces/{namespace}/{plural}/{name}"),
            (None, Some(namespace)) => format!("{root}/namespaces/{namespace}/{plural}"),
            (None, None) => format!("{root}/{plural}"),
        }
    }
}

/// The agent's own settings: the one ConfigMap that says how a cluster enforces.
const AGENT: Resource =
    Resource { only: Some(("kube-system", "cilium-config")), ..Resource::core("ConfigMap", "configmaps", true) };

/// What says what a cluster is.
pub const FACTS: [Resource; 14] = [
    Resource::core("Namespace", "namespaces", false),
    Resource::core("Node", "nodes", false),
    Resource::core("Pod", "pods", true),
    Resource::core("Service", "services", true),
    Resource::of("discovery.k8s.io", &["v1"], "EndpointSlice", "endpointslices", true),
    Resource::of("apps", &["v1"], "Deployment", "deployments", true),
    Resource::of("apps", &["v1"], "StatefulSet", "statefulsets", true),
    Resource::of("apps", &["v1"], "DaemonSet", "daemonsets", true),
    Resource::of("apps", &["v1"], "ReplicaSet", "replicasets", true),
    Resource::of("batch", &["v1"], "Job", "jobs", true),
    Resource::of("batch", &["v1"], "CronJob", "cronjobs", true),
    Resource::of("cilium.io", &["v2"], "CiliumNode", "ciliumnodes", false),
    Resource::of("cilium.io", &["v2", "v2alpha1"], "CiliumCIDRGroup", "ciliumcidrgroups", false),
    AGENT,
];

/// What says who may talk to whom.
pub const POLICIES: [Resource; 6] = [
    Resource::of("networking.k8s.io", &["v1"], "NetworkPolicy", "networkpolicies", true),
    Resource::of("cilium.io", &["v2"], "CiliumNetworkPolicy", "ciliumnetworkpolicies", true),
    Resource::of("cilium.io", &["v2"], "CiliumClusterwideNetworkPolicy", "ciliumclusterwidenetworkpolicies", false),
    Resource::of("policy.networking.k8s.io", &["v1alpha2"], "ClusterNetworkPolicy", "clusternetworkpolicies", false),
    Resource::of("policy.networking.k8s.io", &["v1alpha1"], "AdminNetworkPolicy", "adminnetworkpolicies", false),
    Resource::of(
        "policy.networking.k8s.io",
        &["v1alpha1"],
        "BaselineAdminNetworkPolicy",
        "baselineadminnetworkpolicies",
        false,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_api() {
        let path = |kind: &str, namespace: Option<&str>| {
            let resource = FACTS.iter().chain(&POLICIES).find(|it| it.kind == kind).unwrap();
            resource.path(resource.versions[0], namespace)
        };
        assert_eq!(path("Pod", None), "/api/v1/pods");
        assert_eq!(path("Pod", Some("shop")), "/api/v1/namespaces/shop/pods");
        assert_eq!(path("Deployment", None), "/apis/apps/v1/deployments");
        assert_eq!(path("ConfigMap", None), "/api/v1/namespaces/kube-system/configmaps/cilium-config");
    }
}
