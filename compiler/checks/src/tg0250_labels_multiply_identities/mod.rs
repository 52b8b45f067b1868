//! Labels that multiply identities and that no policy selects by.

use std::collections::{BTreeMap, BTreeSet};

use diag::Diagnostic;
use hir::identities::{keys, needless, pattern, used};
use hir::{LabelSet, Source};

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::{listed, quoted};

pub const PAGE: Page = page!(250, "labels-multiply-identities", Hint, "0.1.0", Cost);

/// Below this many identities nobody notices them.
const NOTICED: usize = 32;

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let object = &spot.object.object;
    let is_config = object.kind == "ConfigMap" && object.name == "cilium-config";
    if !is_config || finder.dialect.all_labels_selectable {
        return Vec::new();
    }
    check(spot, finder).into_iter().collect()
}

fn check(spot: &Spot<'_>, finder: &Finder) -> Option<Diagnostic> {
    let own = finder.cluster.pods.values().filter(|pod| !pod.host_network && !pod.phase.is_over());
    let pods: Vec<(String, LabelSet)> = own
        .map(|pod| (pod.name.to_string(), hir::subject::endpoint_labels(pod, &finder.cluster, finder.dialect)))
        .collect();
    let identities: BTreeSet<&LabelSet> = pods.iter().map(|(_, labels)| labels).collect();
    let policies = finder.others.policies.values().flat_map(|policies| policies.iter());
    let used = used(policies);
    if identities.len() < NOTICED || used.is_empty() {
        return None;
    }
    let costs = keys(&identities);
    let (gone, after) = needless(&identities, &costs, &used);
    if after * 2 > identities.len() {
        return None;
    }
    let names: Vec<&str> = costs.iter().map(|it| it.key.as_str()).filter(|it| gone.contains(it)).collect();
    let most: Vec<&str> = names.iter().take(3).copied().collect();
    let headline = format!(
        "labels that no policy selects by make {} identities of {after}: {}",
        identities.len(),
        listed(most, "and")
    );
    let place = if spot.node("data.labels").is_some() { "data.labels" } else { "metadata.name" };
    let said = spot.say(&PAGE, headline, spot.value(place), "lets them take part in identities");
    let twins = twins(&pods, &gone).unwrap_or_default();
    let why = format!(
        "each identity is a peer in the tables of every pod that may talk to it, and each new one is announced to all nodes{twins}"
    );
    let filter: Vec<String> = names.iter().map(|it| format!("!{}", pattern(it))).collect();
    Some(said.why(why).help(format!(
        "add `{}` to the setting `labels`; `tidegate suggest labels` proves that no verdict changes",
        filter.join(" ")
    )))
}

/// Labels that stay: source, key, value.
type Rest<'l> = Vec<(&'l Source, &'l str, &'l str)>;

/// Two pods that only such labels tell apart, in words.
fn twins(pods: &[(String, LabelSet)], gone: &BTreeSet<&str>) -> Option<String> {
    let mut seen: BTreeMap<Rest<'_>, (&str, &LabelSet)> = BTreeMap::new();
    for (name, labels) in pods {
        let rest = labels.iter().filter(|label| !gone.contains(label.key.as_str()));
        let rest = rest.map(|label| (&label.source, label.key.as_str(), label.value.as_str())).collect();
        let (other, its) = seen.entry(rest).or_insert((name, labels));
        if *its != labels {
            let first = labels.iter().find(|label| !its.iter().any(|it| it == *label))?;
            return Some(format!(
                ": policies cannot tell pod {} from pod {}, and {} does",
                quoted(other),
                quoted(name),
                quoted(&first.key)
            ));
        }
    }
    None
}
