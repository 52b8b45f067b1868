//! What of a cluster can decide anything.

use facts::{Cluster, WorkloadKind};

/// The label by which an EndpointSlice belongs to its service.
pub const SERVICE: &str = "kubernetes.io/service-name";

/// The label that a Deployment gives to the ReplicaSets that it makes.
const MADE_BY_DEPLOYMENT: &str = "pod-template-hash";

/// Leaves out what decides nothing: ReplicaSets whose Deployment says the same, labels of EndpointSlices that name no service, and of the
/// image of an agent all but its version. Pods of other clusters are no objects of this one, so they are left out too.
pub fn minimal(cluster: &Cluster) -> Cluster {
    let mut cluster = cluster.clone();
    cluster.remote_pods.clear();
    cluster.workloads.retain(|(kind, _), workload| {
        *kind != WorkloadKind::ReplicaSet || !workload.labels.contains_key(MADE_BY_DEPLOYMENT)
    });
    for slice in cluster.endpoint_slices.values_mut() {
        slice.labels.retain(|key, _| key == SERVICE);
    }
    let of_pods = cluster.pods.values_mut().map(|pod| &mut pod.agent_image);
    let of_sets = cluster.workloads.values_mut().map(|workload| &mut workload.agent_image);
    for image in of_pods.chain(of_sets).flatten() {
        *image = bare(image);
    }
    cluster
}

/// `quay.io/cilium/cilium:v1.19.3@sha256:…` without registry and digest.
fn bare(image: &str) -> String {
    let (image, _digest) = image.split_once('@').unwrap_or((image, ""));
    image.rsplit('/').next().unwrap_or(image).to_owned()
}

#[cfg(test)]
mod tests {
    use super::bare;

    #[test]
    fn the_version_of_an_image_stays_and_its_registry_goes() {
        assert_eq!(bare("registry.corp:5000/cilium/cilium:v1.19.3@sha256:0"), "cilium:v1.19.3");
        assert_eq!(bare("cilium"), "cilium");
    }
}
