//! Names of the workspace: namespaces, services, groups of addresses, ports, names of DNS.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use checks::{Candidate, Population};
use driver::world;
use hir::{L3, PeerSelector};
use kinds::schema::Shape;

use super::population::{namespaces, selected};
use super::{Item, ItemKind, Site};
use crate::cursor::{Step, spell};
use crate::shape::Known;

/// Names for the value at the cursor; none where the schema tells more.
pub(super) fn items(site: &Site<'_>, known: Known) -> Vec<Item> {
    let population = Population::of(site.db);
    let cluster = &population.cluster;
    match (known.field.map_or("", |field| field.name), site.cursor.path.as_slice()) {
        ("namespace", [.., Step::Key(_)]) => {
            let all = namespaces(&population).into_iter();
            all.map(|name| site.word(name, ItemKind::Namespace, "namespace")).collect()
        }
        ("serviceName", _) => {
            let there = site.cursor.beside("namespace");
            let fits = |namespace: &str| there.is_none_or(|there| there.is_empty() || there == namespace);
            let services = cluster.services.values().filter(|it| fits(&it.name.namespace));
            services.map(|it| site.word(&it.name.name, ItemKind::Object, format!("Service {}", it.name))).collect()
        }
        ("cidrGroupRef", _) => {
            let all = cluster.cidr_groups.values();
            all.map(|it| site.word(&it.name, ItemKind::Object, format!("{} blocks", it.prefixes.len()))).collect()
        }
        ("matchName" | "matchPattern", _) => {
            dns_names(site, &population).iter().map(|name| site.word(name, ItemKind::Name, "name of DNS")).collect()
        }
        ("port", [.., Step::Key(ports), Step::Item(_), Step::Key(_)]) if ports == "ports" => {
            ports_of(site, &population, known)
        }
        _ => Vec::new(),
    }
}

/// Names that DNS answered for, and those that policies allow.
fn dns_names(site: &Site<'_>, population: &Population) -> BTreeSet<String> {
    let mut found: BTreeSet<String> = population.cluster.dns.keys().cloned().collect();
    for policy in world::index(site.db).values().flat_map(|policies| policies.iter()) {
        for entry in policy.sections.iter().flat_map(|section| &section.entries) {
            let L3::Any(peers) = &entry.l3 else { continue };
            found.extend(peers.iter().filter_map(|peer| match &peer.selector {
                PeerSelector::Fqdn(name) if !name.contains('*') => Some(name.clone()),
                _ => None,
            }));
        }
    }
    found
}

/// The ports of those at the far end of a rule: of the subjects for ingress, of the peers for egress.
fn ports_of(site: &Site<'_>, population: &Arc<Population>, known: Known) -> Vec<Item> {
    let mut found: BTreeMap<(u16, String), usize> = BTreeMap::new();
    for pod in destinations(site, population) {
        for port in &pod.pod.ports {
            *found.entry((port.port, port.name.clone())).or_default() += 1;
        }
    }
    let mut items = Vec::new();
    for ((number, name), many) in found {
        let detail = format!("{many} pod{}", if many == 1 { "" } else { "s" });
        let mut item = site.word(&number.to_string(), ItemKind::Port, detail.clone());
        if matches!(known.shape, Shape::WholeOrText(_)) && !site.cursor.quoted {
            item.insert = format!("{}{number}", site.cursor.glue);
        }
        item.sort = format!("3{number:05}");
        items.push(item);
        if !name.is_empty() {
            let item = site.word(&name, ItemKind::Port, format!("{number}, {detail}"));
            items.push(Item { sort: format!("2{name}"), ..item });
        }
    }
    items
}

fn destinations(site: &Site<'_>, population: &Arc<Population>) -> Vec<Candidate> {
    let path = &site.cursor.path;
    let is = |step: &Step, names: &[&str]| matches!(step, Step::Key(key) if names.contains(&key.as_str()));
    let key = |name: &str| Step::Key(name.into());
    if let Some(at) = path.iter().position(|step| is(step, &["ingress", "ingressDeny"])) {
        let subjects = ["podSelector", "endpointSelector"].map(|field| [&path[..at], &[key(field)]].concat());
        return subjects
            .iter()
            .filter(|it| site.cursor.has(&spell(it)))
            .flat_map(|it| selected(site, population, it))
            .collect();
    }
    let Some(at) = path.iter().position(|step| is(step, &["egress", "egressDeny"])) else { return Vec::new() };
    let Some(rule) = path.get(..at + 2) else { return Vec::new() };
    let mut found = Vec::new();
    for (list, field) in [("to", Some("podSelector")), ("toEndpoints", None)] {
        let list = [rule, &[key(list)]].concat();
        for item in 0.. {
            let peer = [&list[..], &[Step::Item(item)]].concat();
            if !site.cursor.has(&spell(&peer)) {
                break;
            }
            let selector = field.map_or(peer.clone(), |field| [&peer[..], &[key(field)]].concat());
            found.extend(selected(site, population, &selector));
        }
    }
    found
}
