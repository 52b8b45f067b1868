//! What stands behind services.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use facts::{Cluster, Name, Service};
use flow::Prefix;

use crate::labels::{LabelSet, NAMESPACE, Operator, Requirement, Selector, Source};
use crate::policy::{Matching, PeerSelector, ServiceSelector, Which};

/// What policies need to know of a service that they speak of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceInfo {
    /// Its labels.
    pub labels: LabelSet,
    /// What stands behind it.
    pub backends: Backends,
}

/// What stands behind a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Backends {
    /// The pods of its namespace that carry these labels, ready or not.
    Pods(Selector),
    /// These addresses, as its EndpointSlices name them; none for a name of the outside.
    Addresses(BTreeSet<IpAddr>),
}

impl Default for Backends {
    fn default() -> Backends {
        Backends::Addresses(BTreeSet::new())
    }
}

impl ServiceInfo {
    /// The same peers, selected without speaking of the service; nothing when nothing stands behind it.
    ///
    /// Addresses are prefixes by identity: one that belongs to a pod or node is not selected. Source: Cilium's `pkg/policy/k8s/service.go`.
    pub fn peers(&self) -> Vec<PeerSelector> {
        match &self.backends {
            Backends::Pods(selector) => vec![PeerSelector::Labels { selector: selector.clone(), everywhere: false }],
            Backends::Addresses(addresses) => {
                let one = |address: &IpAddr| PeerSelector::Cidr {
                    prefix: Prefix::host(*address),
                    except: Vec::new(),
                    matching: Matching::Identity,
                };
                addresses.iter().map(one).collect()
            }
        }
    }
}

impl ServiceSelector {
    /// Whether a service is one of those meant.
    pub fn selects(&self, name: &Name, labels: &LabelSet) -> bool {
        let here = self.namespace.as_ref().is_none_or(|namespace| *namespace == name.namespace);
        here && match &self.which {
            Which::Named(wanted) => *wanted == name.name,
            Which::Labelled(selector) => selector.matches(labels),
        }
    }
}

/// The services of a cluster that some policy speaks of: others stir nothing.
pub(super) fn spoken_of(cluster: &Cluster, selectors: &BTreeSet<ServiceSelector>) -> BTreeMap<Name, ServiceInfo> {
    if selectors.is_empty() {
        return BTreeMap::new();
    }
    let mut found = BTreeMap::new();
    for service in cluster.services.values() {
        let labels = service_labels(service);
        if selectors.iter().any(|selector| selector.selects(&service.name, &labels)) {
            let backends = backends(cluster, service);
            found.insert(service.name.clone(), ServiceInfo { labels, backends });
        }
    }
    found
}

fn backends(cluster: &Cluster, service: &Service) -> Backends {
    if service.kind == "ExternalName" {
        return Backends::default();
    }
    if service.selector.is_empty() {
        let slices = cluster.endpoint_slices.values();
        let mine = slices.filter(|slice| slice.service_name().as_ref() == Some(&service.name));
        let endpoints = mine.flat_map(|slice| &slice.endpoints);
        return Backends::Addresses(endpoints.flat_map(|endpoint| endpoint.addresses.iter().copied()).collect());
    }
    let is = |value: &str| Operator::In(vec![value.to_owned()]);
    let labels = service.selector.iter().map(|(key, value)| Requirement::k8s(key, is(value)));
    let namespace = Requirement::k8s(NAMESPACE, is(&service.name.namespace));
    Backends::Pods(Selector::new(labels.chain([namespace])))
}

/// The labels by which policies select a service.
pub fn service_labels(service: &Service) -> LabelSet {
    let mut set = LabelSet::default();
    for (key, value) in &service.labels {
        set.insert(Source::K8s, key, value);
    }
    set
}
