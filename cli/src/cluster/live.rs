//! The cluster itself: asked for what it is, and told apart from what may not be read.

use super::age;
use crate::files::Manifest;
use crate::render::say;
use serde_json::Value;
use snapshot::{Header, NotRead};
use std::path::PathBuf;
use watch::{Access, Cluster, Outcome, Resource};

/// What a live cluster gave.
#[derive(Debug, Default)]
pub struct Live {
    /// One list a kind, named as if it were a file.
    pub manifests: Vec<Manifest>,
    /// What may exist and could not be read.
    pub not_read: Vec<NotRead>,
    /// The context that was asked.
    pub context: String,
    /// What failed, so that nothing of it is to be trusted, in words.
    pub failed: Vec<String>,
}

impl Live {
    /// What a snapshot of it says of itself: it was taken now.
    pub fn header(&self) -> Header {
        Header {
            taken: age::now().to_string(),
            source: format!("context {}", self.context),
            tidegate: env!("CARGO_PKG_VERSION").into(),
            redacted: false,
            not_read: self.not_read.clone(),
        }
    }
}

/// Which cluster is asked, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub struct LiveArgs {
    /// The kubeconfig; those of `KUBECONFIG`, else ~/.kube/config, else the service account of this pod when absent.
    #[arg(long, value_name = "FILE", help_heading = "Live cluster")]
    pub kubeconfig: Option<PathBuf>,
    /// The context of the kubeconfig; the current one when absent.
    #[arg(long, value_name = "NAME", help_heading = "Live cluster")]
    pub context: Option<String>,
    /// Somebody to act as.
    #[arg(long = "as", value_name = "USER", help_heading = "Live cluster")]
    pub act_as: Option<String>,
}

impl LiveArgs {
    fn access(&self, namespace: Option<&str>) -> Access {
        Access {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            act_as: self.act_as.clone(),
            namespace: namespace.map(str::to_owned),
            ..Access::default()
        }
    }
}

/// What is read: the facts, and the policies where they are asked for.
pub fn resources(policies: bool) -> Vec<Resource> {
    let policies: &[Resource] = if policies { &watch::POLICIES } else { &[] };
    watch::FACTS.iter().chain(policies).copied().collect()
}

/// Reads a cluster. What may not be read of all of it is read of `namespace`.
///
/// Errors: what concerns all of it, such as a server that does not answer.
pub fn read(args: &LiveArgs, namespace: Option<&str>, policies: bool) -> Result<Live, String> {
    let wanted = resources(policies);
    let cluster = Cluster::connect(&args.access(namespace)).map_err(|error| error.to_string())?;
    let outcomes = cluster.read(&wanted).map_err(|error| error.to_string())?;
    let mut live = Live { context: cluster.context().to_owned(), ..Live::default() };
    for (resource, outcome) in wanted.iter().zip(outcomes) {
        take(&mut live, resource, outcome);
    }
    Ok(live)
}

fn take(live: &mut Live, resource: &Resource, outcome: Outcome) {
    let name = resource.name();
    let not_read = |resource: String, because: &str| NotRead { resource, because: because.to_owned() };
    match outcome {
        Outcome::Objects(objects) => live.manifests.extend(manifest(&name, objects)),
        Outcome::Part { namespace, objects } => {
            live.manifests.extend(manifest(&name, objects));
            live.not_read.push(not_read(name, &format!("forbidden outside of namespace {namespace}")));
        }
        Outcome::Absent => {}
        Outcome::Forbidden => live.not_read.push(not_read(name, "forbidden")),
        Outcome::Failed(reason) => live.failed.push(format!("{name}: {reason}")),
    }
}

fn manifest(name: &str, objects: Vec<Value>) -> Option<Manifest> {
    if objects.is_empty() {
        return None;
    }
    let items: Vec<String> = objects
        .into_iter()
        .map(|mut it| {
            prune(&mut it);
            it.to_string()
        })
        .collect();
    let text = format!("{{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[\n{}\n]}}\n", items.join(",\n"));
    Some(Manifest { path: format!("live:{name}"), text })
}

/// Takes out what decides nothing and may be large or secret, before anything else sees it.
fn prune(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
        if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
            annotations.retain(|name, _| name.starts_with("tidegate.io/"));
        }
    }
    for at in ["/spec", "/spec/template/spec", "/spec/jobTemplate/spec/template/spec"] {
        let Some(spec) = object.pointer_mut(at).and_then(Value::as_object_mut) else { continue };
        spec.remove("volumes");
        spec.remove("initContainers");
        let containers = spec.get_mut("containers").and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            container.retain(|name, _| {
                ["name", "image", "ports", "livenessProbe", "readinessProbe", "startupProbe"].contains(&name.as_str())
            });
        }
    }
}

/// Says which rights would let the rest be read.
pub fn say_rights(not_read: &[NotRead]) {
    let all = resources(true);
    let missing: Vec<&Resource> =
        all.iter().filter(|it| not_read.iter().any(|missing| missing.resource == it.name())).collect();
    if missing.is_empty() {
        return;
    }
    say("note: these rules of a ClusterRole let the rest be read (`tidegate snapshot --rbac` prints the whole role):");
    missing.iter().for_each(|it| say(&format!("  - {}", watch::rule(it))));
}

/// Whether a resource holds policies.
pub fn is_policy(resource: &str) -> bool {
    watch::POLICIES.iter().any(|it| it.name() == resource)
}
