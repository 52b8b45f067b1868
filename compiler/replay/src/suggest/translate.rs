//! Flows to services, as they are once a node has translated them: policies see those behind, on their own ports.

use super::stable;
use crate::place::{Place, Places};
use crate::record::{End, Point};
use crate::roads::{Leg, Road, Roads};
use crate::tally::{EndId, Group, Seen, Tally};
use facts::service::TargetPort;
use facts::{Cluster, Service};
use flow::L4Key;
use hir::labels::NAMESPACE;
use reason::service::{As, Nobody, Reached, To};
use std::collections::BTreeMap;

/// A tally in which those behind services stand in the place of their addresses.
pub(super) struct Translated {
    pub tally: Tally,
    /// What each group of the original became.
    pub groups: BTreeMap<Group, Vec<Group>>,
    /// Groups that no translation was found for, and why.
    pub untranslated: BTreeMap<Group, String>,
}

/// Puts those behind services in the place of their addresses: one for each kind of pod that may answer. What cannot be translated stays as
/// it is.
pub(super) fn translate(original: &Tally, places: &Places, roads: &Roads, cluster: &Cluster) -> Translated {
    let mut recorded: BTreeMap<&facts::Name, EndId> = BTreeMap::new();
    for (at, place) in places.places.iter().enumerate().take(original.ends.len()) {
        let Place::Pod { name, .. } = place else { continue };
        let known = recorded.entry(name).or_insert(EndId(at as u32));
        // The least by what it is, not by when it was met.
        if original.ends[at] < original.ends[known.0 as usize] {
            *known = EndId(at as u32);
        }
    }
    let (groups, untranslated) = (BTreeMap::new(), BTreeMap::new());
    let mut it = Translating { places, roads, cluster, recorded, own: original.ends.len() };
    let mut out = Translated { tally: original.clone(), groups, untranslated };
    out.tally.groups.clear();
    for (group, seen) in original.sorted() {
        let became = it.group(&group, &seen, &mut out);
        out.groups.insert(group, became);
    }
    out
}

/// What pods that policies cannot tell apart have in common: where they are, the labels that stay, the port.
type Form<'a> = (String, Vec<(&'a str, &'a str)>, L4Key);

struct Translating<'a> {
    places: &'a Places,
    roads: &'a Roads,
    cluster: &'a Cluster,
    /// A recorded end of each pod that has one.
    recorded: BTreeMap<&'a facts::Name, EndId>,
    /// How many ends were recorded.
    own: usize,
}

impl Translating<'_> {
    fn group(&mut self, group: &Group, seen: &Seen, out: &mut Translated) -> Vec<Group> {
        let plain = |out: &mut Translated| {
            out.tally.groups.entry(*group).or_default().merge(seen);
            vec![*group]
        };
        let road = self.roads.of(group).filter(|_| group.point != Point::Behind);
        let Some(Road::Legs(legs)) = road.as_deref() else { return plain(out) };
        let mut became: Vec<Group> =
            self.one_of_each(legs).into_iter().flat_map(|leg| self.leg(group, leg, out)).collect();
        if became.is_empty() {
            match self.by_labels(group, legs, out) {
                Ok(translated) => became.push(translated),
                Err(why) => drop(out.untranslated.insert(*group, why)),
            }
        }
        became.sort();
        became.dedup();
        if became.is_empty() {
            return plain(out);
        }
        for translated in &became {
            out.tally.groups.entry(*translated).or_default().merge(seen);
        }
        became
    }

    /// One leg for each kind of pod that may answer.
    fn one_of_each<'l>(&self, legs: &'l [Leg]) -> Vec<&'l Leg> {
        let mut found: BTreeMap<Form<'_>, &Leg> = BTreeMap::new();
        for leg in legs {
            let Some((backend, key)) = leg.backend else { continue };
            let place = &self.places.places[backend.0 as usize];
            let (pod, name) = match place {
                Place::Pod { name, .. } => (self.cluster.pods.get(name), Some(name)),
                _ => (None, None),
            };
            let stable =
                pod.into_iter().flat_map(|pod| &pod.labels).filter(|(key, value)| stable::is_stable(key, value));
            let stable: Vec<(&str, &str)> = stable.map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let of = match (pod, stable.is_empty()) {
                (Some(pod), false) => pod.name.namespace.clone(),
                _ => format!("{place:?}"),
            };
            let form = (of, stable, key);
            let is_recorded = name.is_some_and(|name| self.recorded.contains_key(name));
            if is_recorded || !found.contains_key(&form) {
                found.insert(form, leg);
            }
        }
        found.into_values().collect()
    }

    /// What a group is to one of those who answer, at either end, in every way that it may be seen there.
    fn leg(&self, group: &Group, leg: &Leg, out: &mut Translated) -> Vec<Group> {
        let Some((backend, key)) = leg.backend else { return Vec::new() };
        let destination = match &self.places.places[backend.0 as usize] {
            Place::Pod { name, .. } if self.recorded.contains_key(name) => self.recorded[name],
            _ => out.tally.end(self.roads.ends[backend.0 as usize - self.own].clone()),
        };
        let behind = Group { destination, key, ..*group };
        let Ok(seen) = leg.translation.seen(&self.cluster.config) else { return vec![behind] };
        let mut groups = vec![behind];
        if seen.egress.contains(&To::Frontend) {
            groups.push(*group);
        }
        if seen.ingress.contains(&As::Node) {
            let labels = vec!["reserved:remote-node".to_owned()];
            groups.push(Group { source: out.tally.end(End { labels, ..End::default() }), ..behind });
        }
        groups
    }

    /// A group with a pod that has the labels that a service asks for, where none is known. Errors: why there can be none, for people.
    fn by_labels(&self, group: &Group, legs: &[Leg], out: &mut Translated) -> Result<Group, String> {
        let translation = legs.first().map(|leg| &leg.translation).ok_or("nobody answers")?;
        match &translation.reached {
            Reached::Nobody(why @ Nobody::NoPort(..)) => return Err(why.to_string()),
            Reached::Backend | Reached::Nobody(_) | Reached::Missing(_) => {}
        }
        let service = &translation.service;
        let service = self.cluster.services.get(service).ok_or_else(|| format!("service {service} was not read"))?;
        let port = port(service, group.key)?;
        let namespace = service.name.namespace.clone();
        let stable = service.selector.iter().filter(|(key, value)| stable::is_stable(key, value));
        let labels = stable.map(|(key, value)| format!("k8s:{key}={value}"));
        let labels = labels.chain([format!("k8s:{NAMESPACE}={namespace}")]).collect();
        let workload = service.name.name.clone();
        let destination = out.tally.end(End { namespace, workload, labels, ..End::default() });
        Ok(Group { destination, key: L4Key::new(group.key.protocol(), port), ..*group })
    }
}

/// The port of the pods behind a service of which none is known. Errors: why there is none, for people.
fn port(service: &Service, key: L4Key) -> Result<u16, String> {
    let asked = service.ports.iter().find(|port| port.protocol == key.protocol() && port.port == key.low());
    let asked = asked.ok_or_else(|| format!("service {} has no port {}", service.name, key.low()))?;
    if service.selector.is_empty() {
        return Err(format!("service {} selects no pods, and no EndpointSlice says who answers", service.name));
    }
    match &asked.target {
        TargetPort::Number(port) => Ok(*port),
        TargetPort::Name(name) => Err(format!("no pod behind service {} names its port `{name}`", service.name)),
    }
}
