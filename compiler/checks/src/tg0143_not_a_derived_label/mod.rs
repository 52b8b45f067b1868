//! A selector on a label that pods would get from their namespace, and do not get by this name.

use diag::Diagnostic;
use hir::labels::{CLUSTER, NAMESPACE, NAMESPACE_LABELS, RESERVED_PREFIX, SERVICE_ACCOUNT};
use hir::{Entity, Requirement, Source};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::{Spot, Written};
use crate::words::quoted;

pub const PAGE: Page = page!(143, "not-a-derived-label", Error, "0.1.0", Correctness);

/// Where labels come from, beside those that selectors have types for.
const SOURCES: [&str; 9] = ["cidr", "cidrgroup", "node", "container", "cni", "unspec", "any", "directory", "ingress"];

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    if !spot.is_policy_of(&["CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"]) {
        return Vec::new();
    }
    let mut found = Vec::new();
    for written in spot.selectors() {
        if spot.string(&format!("{}.nodeSelector", written.path)).is_some() || written.path.ends_with("nodeSelector") {
            continue;
        }
        for requirement in written.selector.requirements() {
            found.extend(advice(requirement).map(|(what, help)| render(spot, &written, requirement, what, &help)));
        }
    }
    found
}

/// What a key is instead of a label of pods, and what to write; `None` when a pod may have it.
pub(crate) fn advice(requirement: &Requirement) -> Option<(&'static str, String)> {
    let key = requirement.key.as_str();
    match &requirement.source {
        Some(Source::Other(source)) if !SOURCES.contains(&source.as_str()) => {
            return Some(("names a source that no label has", format!("write `k8s:{key}`, or {} alone", quoted(key))));
        }
        Some(Source::Reserved) if Entity::named(key).is_none() && key != "overlay-to-encrypt" => {
            let known = "known are host, remote-node, kube-apiserver, world, health, ingress, init and unmanaged";
            return Some(("is no reserved label", known.to_owned()));
        }
        None | Some(Source::K8s) => {}
        Some(_) => return None,
    }
    let pod = |label: &str| format!("write `k8s:{label}`");
    if key == "kubernetes.io/metadata.name" {
        return Some(("is a label of namespaces, which no pod carries", pod(NAMESPACE)));
    }
    if let Some(rest) = key.strip_prefix("k8s.io.") {
        return Some(("begins with `k8s.` instead of `k8s:`", format!("write `k8s:io.{rest}`")));
    }
    if let Some(label) = key.strip_prefix("io.kubernetes.pod.namespace.labels.") {
        return Some(("is no label of pods", pod(&format!("{NAMESPACE_LABELS}{label}"))));
    }
    if key.starts_with("io.kubernetes.") && key != NAMESPACE {
        return Some(("is no label that identities of pods hold", pod(NAMESPACE)));
    }
    let derived = key.starts_with(NAMESPACE_LABELS) || [CLUSTER, SERVICE_ACCOUNT].contains(&key);
    if key.starts_with(RESERVED_PREFIX) && !derived {
        let known = format!("derived labels are `{NAMESPACE_LABELS}<key>`, `{CLUSTER}` and `{SERVICE_ACCOUNT}`");
        return Some(("is no label that pods get, and they cannot bring it", known));
    }
    None
}

fn render(spot: &Spot<'_>, written: &Written<'_>, requirement: &Requirement, what: &str, help: &str) -> Diagnostic {
    let source = requirement.source.as_ref().map_or(String::new(), |source| format!("{source}:"));
    let headline = format!("{} {what}", quoted(&format!("{source}{}", requirement.key)));
    let said = spot.say(&PAGE, headline, spot.condition(&written.path, &requirement.key), "no pod has this label");
    let said = said.why(
        "a condition on a label that no pod can have is never met, and a negative one always: the selector does not select \
         what it names",
    );
    said.help(help)
}
