//! What a bench says of its answers: who is who, and which lines made it so.

use super::bench::{Answer, Bench};
use crate::outcome::{Cause, Step};
use crate::place::{self, Place};
use crate::record::End;
use crate::roads::Road;
use crate::tally::{EndId, Group};
use driver::locate;
use driver::meaning;
use std::collections::BTreeSet;

impl Bench<'_> {
    /// The lines behind an answer.
    pub(super) fn step(&self, answer: &Answer) -> Step {
        let mut by: BTreeSet<Cause> = BTreeSet::new();
        let mut by_default = true;
        for side in &answer.sides {
            let Some((direction, class, peer, key, request)) = &side.by else { continue };
            let rules = &self.classes[*class].rules[meaning::slot(*direction)];
            let decision = oracle::decide(rules, *peer, *key);
            by_default &= !matches!(decision.because, oracle::Because::Rule { .. });
            let origins: Vec<rules::Origin> = match request {
                Some(request) => oracle::decide_request(rules, *peer, *key, request).by,
                None => Vec::new(),
            };
            let origins = match origins.is_empty() {
                true => decision.by.iter().filter_map(|id| rules.origin(*id)).cloned().collect(),
                false => origins,
            };
            by.extend(origins.into_iter().map(|origin| self.cause(&origin)));
        }
        Step { said: answer.said, by_default, by: by.into_iter().collect() }
    }

    fn cause(&self, origin: &rules::Origin) -> Cause {
        let place = locate::locate(self.db, origin).and_then(|place| {
            let file = self.db.file(place.file)?;
            let position = locate::position(self.db, file, place.span);
            Some((file.path(self.db).to_owned(), position.line, position.column))
        });
        Cause { object: origin.object.clone(), path: origin.path.clone(), place }
    }

    /// What the destination of a group is called: the service that has the address, where one has.
    pub(super) fn destination(&self, group: &Group) -> String {
        match self.laid.roads.of(group).as_deref() {
            Some(Road::Legs(legs)) if !legs.is_empty() => format!("service {}", legs[0].translation.service),
            _ => self.name(group.destination),
        }
    }

    /// What an end is called: the workload of a pod, else what it is to everybody.
    pub fn name(&self, end: EndId) -> String {
        let it = self.end(end);
        match &self.laid.places[end.0 as usize] {
            Place::Pod { name, .. } => match it.workload.as_str() {
                "" => {
                    let base = name.name.split('~').next().unwrap_or(&name.name);
                    let base = match (it.pod.is_empty(), app(it)) {
                        (true, Some(app)) if base == "pod" => app,
                        _ => place::of_pod(base),
                    };
                    format!("{}/{base}", name.namespace)
                }
                workload => format!("{}/{workload}", name.namespace),
            },
            Place::Node(name, _) if name.is_empty() => "node".to_owned(),
            Place::Node(name, _) => format!("node {name}"),
            Place::Reserved(_, entity) => reason::party::entity_name(*entity).to_owned(),
            Place::Outside(address) | Place::Address(address) => match it.names.first() {
                Some(name) => format!("world {name}"),
                None => match self.peers.peer(self.peers.lookup(None, *address)) {
                    Some(info) if info.key.region.is_some() => info.name.clone(),
                    _ if it.is_outside() => "world".to_owned(),
                    _ => address.to_string(),
                },
            },
            Place::Nobody => match (it.namespace.is_empty(), it.pod.is_empty()) {
                (false, false) => format!("{}/{}", it.namespace, it.pod),
                _ => "nobody".to_owned(),
            },
        }
    }
}
/// The name of an application by its usual labels.
fn app(end: &End) -> Option<&str> {
    ["app.kubernetes.io/name", "app", "k8s-app"].iter().find_map(|key| end.label(key))
}
