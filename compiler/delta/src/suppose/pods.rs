//! Pods of labels that policies mention and nobody carries.

use super::atoms::{Asked, atoms};
use super::{Supposed, peers};
use crate::side::Side;
use crate::ways::{Judge, Way, namespace_of, ways};
use facts::{ContainerPort, Labels, Name, Namespace, Pod};
use flow::Protocol;
use hir::labels::{self, Selector};
use hir::policy::{L4, PeerSelector, Policy, Ports, Subjects};
use hir::subject::endpoint_labels;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many parties are supposed at most.
const MOST: usize = 2000;
/// The first number that stands for a name of a port.
const FIRST_STAND_IN: u16 = 61_001;
/// In how many namespaces they are supposed at most.
const PLACES: usize = 32;

/// What a namespace is called that no policy and no file tells of. No namespace can be called that.
pub(crate) const ELSEWHERE: &str = "other namespaces";

/// A selector, with the namespace of its policy.
type Asking<'p> = (&'p str, &'p Selector);

/// Whom policies select, and on the other side of them.
fn selectors(policies: &[Arc<Policy>]) -> impl Iterator<Item = Asking<'_>> {
    let sections = policies.iter().flat_map(|policy| policy.sections.iter().map(move |section| (policy, section)));
    let subjects = sections.filter_map(|(policy, section)| match &section.subjects {
        Subjects::Endpoints(selector) => Some((policy.object.namespace.as_str(), selector)),
        _ => None,
    });
    let peers = peers(policies).filter_map(|(policy, peer)| match peer {
        PeerSelector::Labels { selector, .. } => Some((policy.object.namespace.as_str(), selector)),
        _ => None,
    });
    subjects.chain(peers)
}

/// Those of some selectors that may select somebody whom the others select: of the same namespace, or of any.
fn near<'p>(some: impl Iterator<Item = Asking<'p>>, others: &BTreeSet<Asking<'_>>) -> BTreeSet<Asking<'p>> {
    let namespaces: BTreeSet<Option<&str>> = others.iter().map(|(_, selector)| namespace_of(selector)).collect();
    let meets =
        |namespace: Option<&str>| namespaces.contains(&None) || namespace.is_none() || namespaces.contains(&namespace);
    some.filter(|(_, selector)| meets(namespace_of(selector))).collect()
}

/// Where pods may be whom selectors select: a namespace by its name or labels, those of changed policies first, each with the namespace of a
/// policy that asks for it; one more than [`PLACES`] at most.
fn places<'p>(changed: &BTreeSet<Asking<'p>>, every: &BTreeSet<Asking<'p>>) -> Vec<(&'p str, Way)> {
    let mut places: Vec<(&str, Way)> = Vec::new();
    for (namespace, selector) in changed.iter().chain(every.difference(changed)) {
        for way in ways(selector) {
            let place: Way = way.into_iter().filter(|(key, _)| is_of_namespace(key)).collect();
            // Why: labels that leave the namespace open are met in namespaces of which no policy speaks, too.
            let elsewhere = (!place.keys().any(|key| key != labels::CLUSTER)).then_some(ELSEWHERE);
            let own = Some(*namespace).filter(|it| elsewhere.is_none() || !it.is_empty());
            for namespace in own.into_iter().chain(elsewhere) {
                let place = (namespace, place.clone());
                if places.len() <= PLACES && !places.contains(&place) {
                    places.push(place);
                }
            }
        }
    }
    places
}

/// Whether a key says which namespace it is, or of what kind, or of which cluster.
fn is_of_namespace(key: &str) -> bool {
    key == labels::NAMESPACE || key == labels::CLUSTER || key.starts_with(labels::NAMESPACE_LABELS)
}

/// How many pods of the files are in a namespace and are selected by the same selectors.
type Known = BTreeMap<(String, Vec<u32>), usize>;

pub(super) struct Maker<'s> {
    pub old: &'s mut Side,
    pub new: &'s mut Side,
    pub supposed: &'s mut Supposed,
}

impl Maker<'_> {
    /// Pods of labels that policies mention and nobody carries.
    pub fn pods(&mut self, policies: &[Arc<Policy>]) {
        // Why of all policies, too: where one that does not change decides for a pod of the files, others of the labels that a changed one
        // asks for may fare otherwise.
        let all: Vec<Arc<Policy>> = self.old.all().chain(self.new.all()).cloned().collect();
        let changed: BTreeSet<Asking<'_>> = selectors(policies).collect();
        let every = near(selectors(&all), &changed);
        let asked: Vec<Asked<'_>> = every.iter().map(|it| (it.1, changed.contains(it))).collect();
        let ports = self.undeclared(policies);
        let judge = Judge::of(every.iter().map(|(_, selector)| *selector));
        let mut known = Known::new();
        let stop = self.new.stop.clone();
        for pod in self.new.cluster.pods.values().filter(|pod| !pod.phase.is_over()) {
            stop.check();
            let mut selected = [&*self.old, &*self.new].map(|side| {
                let pod = side.cluster.pods.get(&pod.name).unwrap_or(pod);
                judge.selected_by(&endpoint_labels(pod, &side.cluster, side.dialect))
            });
            // A template makes many.
            let many = if self.supposed.templates.contains(&pod.name) { 2 } else { 1 };
            selected.sort_unstable();
            let [one, other] = selected;
            if one != other {
                *known.entry((pod.name.namespace.clone(), other)).or_default() += many;
            }
            *known.entry((pod.name.namespace.clone(), one)).or_default() += many;
        }
        // Why first: where there are too many ways, each changed selector is met in the plainest ones at least.
        for (namespace, selector) in &changed {
            stop.check();
            for way in ways(selector) {
                let is_open = !way.keys().any(|key| is_of_namespace(key));
                let namespace = if is_open && namespace.is_empty() { ELSEWHERE } else { namespace };
                self.add(namespace, &way, &ports, &judge, &mut known);
            }
        }
        let places = places(&changed, &every);
        self.supposed.is_cut |= places.len() > PLACES;
        for (namespace, place) in places.into_iter().take(PLACES) {
            stop.check();
            let Some(any) = self.pod(namespace, &place) else { continue };
            let here = endpoint_labels(&any, &self.new.cluster, self.new.dialect);
            let (ways, are_all) = atoms(&here, &asked);
            self.supposed.is_cut |= !are_all;
            for own in ways {
                let way = place.iter().map(|(key, value)| (key.clone(), value.clone())).chain(own).collect();
                self.add(namespace, &way, &ports, &judge, &mut known);
            }
        }
    }

    /// A pod of these labels, where nobody yet is selected by the same selectors there: whoever is shows what becomes of this one. Where
    /// somebody is alone, one more, whom only others meet: what becomes of flows among several, one cannot show.
    fn add(&mut self, namespace: &str, way: &Way, ports: &[ContainerPort], judge: &Judge<'_>, known: &mut Known) {
        let Some(pod) = self.pod(namespace, way) else { return };
        let pod = Pod { ports: ports.to_vec(), ..pod };
        let selected_by = judge.selected_by(&endpoint_labels(&pod, &self.new.cluster, self.new.dialect));
        let like = known.entry((pod.name.namespace.clone(), selected_by)).or_default();
        if *like > 1 {
            return;
        }
        if self.supposed.pods.len() == MOST {
            self.supposed.is_cut = true;
            return;
        }
        if *like == 1 {
            self.supposed.twins.insert(pod.name.clone());
        }
        *like = 2;
        for side in [&mut *self.old, &mut *self.new] {
            side.cluster.pods.insert(pod.name.clone(), pod.clone());
        }
        let account = Some(pod.service_account).filter(|it| !it.is_empty());
        let account = account.map(|it| (labels::SERVICE_ACCOUNT.to_owned(), it));
        self.supposed.labels.insert(pod.name.clone(), pod.labels.into_iter().chain(account).collect());
        self.supposed.pods.insert(pod.name);
    }

    /// Ports of the names that policies mention and nobody declares, each with a number that stands for it: which one it will be, nobody
    /// knows.
    fn undeclared(&mut self, policies: &[Arc<Policy>]) -> Vec<ContainerPort> {
        let mut wanted: BTreeSet<(String, Protocol)> = BTreeSet::new();
        for entry in policies.iter().flat_map(|policy| &policy.sections).flat_map(|section| &section.entries) {
            let L4::Items(items) = &entry.l4 else { continue };
            for item in items {
                if let Ports::Name { protocols, name } = &item.ports {
                    wanted.extend(protocols.iter().map(|protocol| (name.clone(), *protocol)));
                }
            }
        }
        let pods = self.old.cluster.pods.values().chain(self.new.cluster.pods.values());
        let declared: BTreeSet<&String> = pods.flat_map(|pod| &pod.ports).map(|port| &port.name).collect();
        wanted.retain(|(name, _)| !declared.contains(name));
        let names: BTreeSet<String> = wanted.iter().map(|(name, _)| name.clone()).collect();
        self.supposed.port_names = (FIRST_STAND_IN..).zip(names).collect();
        let number =
            |name: &String| self.supposed.port_names.iter().find(|(_, it)| *it == name).map(|(number, _)| *number);
        wanted
            .iter()
            .filter_map(|(name, protocol)| {
                Some(ContainerPort { name: name.clone(), protocol: *protocol, port: number(name)? })
            })
            .collect()
    }

    /// A pod of these labels; `None` where no pod can have them.
    fn pod(&mut self, policy_namespace: &str, way: &Way) -> Option<Pod> {
        let mut pod = Pod::default();
        let (mut namespace, mut of_namespace) = (None, Labels::new());
        for (key, value) in way {
            match key.as_str() {
                labels::NAMESPACE => namespace = Some(value.clone()),
                labels::SERVICE_ACCOUNT => pod.service_account = value.clone(),
                labels::CLUSTER if *value == self.old.cluster.config.cluster_name => (),
                labels::CLUSTER => return None,
                key => match key.strip_prefix(labels::NAMESPACE_LABELS) {
                    Some("kubernetes.io/metadata.name") => namespace = Some(value.clone()),
                    Some(label) => drop(of_namespace.insert(label.to_owned(), value.clone())),
                    None if key.starts_with(labels::RESERVED_PREFIX) => return None,
                    None => drop(pod.labels.insert(key.to_owned(), value.clone())),
                },
            }
        }
        let namespace = self.namespace(namespace, policy_namespace, of_namespace)?;
        let shown: Vec<String> = pod.labels.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mut shown = if shown.is_empty() { String::new() } else { format!(" {}", shown.join(",")) };
        if !pod.service_account.is_empty() {
            shown += &format!(" serviceAccount={}", pod.service_account);
        }
        let is_other = shown.is_empty() && !namespace.contains('=') && namespace != ELSEWHERE;
        let other = if is_other { "other " } else { "" };
        pod.name = Name::new(namespace, format!("{other}pods{shown}"));
        Some(pod)
    }

    /// A namespace of this name and these labels; one is made where there is none. `None` where the one of the name has other labels.
    fn namespace(&mut self, name: Option<String>, of_policy: &str, wanted: Labels) -> Option<String> {
        let known = &self.new.cluster.namespaces;
        let fits = |namespace: &Namespace| wanted.iter().all(|(key, value)| namespace.labels.get(key) == Some(value));
        match name {
            Some(name) => match known.get(&name) {
                Some(namespace) => fits(namespace).then_some(name),
                None if wanted.is_empty() => Some(name),
                None => {
                    self.make(Namespace::new(name.clone(), wanted));
                    Some(name)
                }
            },
            None if of_policy == ELSEWHERE => {
                self.make(Namespace::new(ELSEWHERE.to_owned(), Labels::new()));
                Some(ELSEWHERE.to_owned())
            }
            None if wanted.is_empty() => {
                Some(if of_policy.is_empty() { "default".to_owned() } else { of_policy.to_owned() })
            }
            None => {
                if let Some(found) = known.values().find(|it| fits(it)) {
                    return Some(found.name.clone());
                }
                let shown: Vec<String> = wanted.iter().map(|(key, value)| format!("{key}={value}")).collect();
                let name = format!("namespaces {}", shown.join(","));
                self.make(Namespace { name: name.clone(), labels: wanted });
                Some(name)
            }
        }
    }

    fn make(&mut self, namespace: Namespace) {
        for side in [&mut *self.old, &mut *self.new] {
            side.cluster.namespaces.insert(namespace.name.clone(), namespace.clone());
        }
    }
}
