//! The files beside the images: what user space fills into the tables of a node, and where origins stand.

use super::folder::{Files, IGNORE, IGNORE_TEXT, INDEX, SOURCES, seal};
use super::report::{
    AddressEntry, BuildIndex, ClassMembers, ClassTables, EndpointEntry, FileEntry, NodeTables, PeerEntry, PeerList,
    SourceEntry, SourceList, TargetEntry,
};
use super::{Built, Made};
use crate::certificate::{CertificateFile, ENDING};
use crate::command::json;
use crate::render;
use crate::report::API_VERSION;
use driver::{Database, Db, locate, meaning, world};
use facts::{CiliumNode, Cluster};
use hir::peers::{HOST, PeerTable};
use hir::subject::Subject;
use image::{Digest, DirectionPlan, Target, layout};
use rules::Origin;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Every file of an output folder, with those of other forms of the images. Errors: as [`json`].
pub fn files(
    db: &Database,
    built: &Built,
    certificates: &BTreeMap<String, CertificateFile>,
    mut files: Files,
) -> Result<Files, String> {
    let mut add = |path: &str, text: String| drop(files.insert(path.to_owned(), text.into_bytes()));
    add("peers.json", json(&peers(&world::peers(db)))?);
    add(SOURCES, json(&sources(db, built))?);
    for tables in nodes(db, built) {
        add(&format!("nodes/{}.json", file_name(&tables.node)), json(&tables)?);
    }
    for (digest, image) in &built.images {
        files.insert(format!("images/{digest}.tgi"), image.to_bytes());
    }
    for (digest, certificate) in certificates {
        files.insert(format!("images/{digest}{ENDING}"), json(certificate)?.into_bytes());
    }
    let mut index = index(db, built, &files);
    index.digest = seal(&json(&index)?, "").to_string();
    files.insert(INDEX.to_owned(), json(&index)?.into_bytes());
    files.insert(IGNORE.to_owned(), IGNORE_TEXT.as_bytes().to_vec());
    Ok(files)
}

fn index(db: &Database, built: &Built, files: &Files) -> BuildIndex {
    let file =
        |(path, bytes): (&String, &Vec<u8>)| FileEntry { path: path.clone(), digest: Digest::of(bytes).to_string() };
    BuildIndex {
        api_version: API_VERSION,
        kind: "BuildIndex",
        dialect: db.dialect().name.to_owned(),
        target: target(&db.project().target(db)),
        images: built.image_entries(),
        classes: built.class_entries(),
        files: files.iter().map(file).collect(),
        digest: String::new(),
    }
}

fn target(target: &Target) -> TargetEntry {
    let ways = u64::from(layout::TRACK_WAYS);
    TargetEntry {
        image_version: image::VERSION,
        byte_order: if target.little_endian { "little" } else { "big" }.to_owned(),
        endpoints: 1 << target.endpoints_log2,
        peers: 1 << target.peers_log2,
        address4_pages: 1 << target.address4_pages_log2,
        address6: 1 << target.address6_log2,
        track4: ways << target.track4_sets_log2,
        track6: ways << target.track6_sets_log2,
        fragments: 1 << target.fragments_log2,
        record_bytes: 1 << target.records_log2,
        kernel: target.since().to_owned(),
    }
}

fn peers(table: &PeerTable) -> PeerList {
    let peer = |(number, info): (flow::PeerId, &hir::PeerInfo)| PeerEntry {
        number: number.0,
        name: info.name.clone(),
        labels: info.key.labels.to_string(),
    };
    let addresses = table.addresses(None).into_iter();
    PeerList {
        api_version: API_VERSION,
        kind: "PeerList",
        peers: table.peers().map(peer).collect(),
        addresses: addresses.map(|(prefix, peer)| AddressEntry { prefix: prefix.to_string(), peer: peer.0 }).collect(),
    }
}

/// One file a node that has subjects, by name; subjects that are on no node come first, under the empty name.
fn nodes(db: &Database, built: &Built) -> Vec<NodeTables> {
    let (cluster, table) = (world::cluster(db), world::peers(db));
    let mut nodes: BTreeMap<String, NodeTables> = BTreeMap::new();
    for made in &built.classes {
        let tables = class_tables(made);
        for subject in &made.subjects {
            let node = node_of(&cluster, subject);
            let entry = nodes.entry(node.clone()).or_insert_with(|| empty(&table, node));
            entry.endpoints.push(EndpointEntry {
                subject: subject.to_string(),
                addresses: addresses(&cluster, subject),
                image: made.digest.clone(),
            });
            // Images of equal digest give every peer of one node the same class, so the first says it for all.
            if !entry.class_tables.iter().any(|known| known.image == made.digest) {
                entry.class_tables.push(tables.clone());
            }
        }
    }
    let mut nodes: Vec<NodeTables> = nodes.into_values().collect();
    for node in &mut nodes {
        node.endpoints.sort_by(|a, b| a.subject.cmp(&b.subject));
        node.class_tables.sort_by(|a, b| a.image.cmp(&b.image));
    }
    nodes
}

fn empty(table: &PeerTable, node: String) -> NodeTables {
    let seen = table.addresses((!node.is_empty()).then_some(node.as_str()));
    let anybody: BTreeSet<_> = table.addresses(None).into_iter().collect();
    let own = seen.into_iter().filter(|it| it.1 == HOST && !anybody.contains(it));
    NodeTables {
        api_version: API_VERSION,
        kind: "NodeTables",
        node,
        host: own.map(|(prefix, _)| prefix.to_string()).collect(),
        endpoints: Vec::new(),
        class_tables: Vec::new(),
    }
}

fn node_of(cluster: &Cluster, subject: &Subject) -> String {
    match subject {
        Subject::Pod(name) => cluster.pods.get(name).and_then(|pod| pod.node.clone()).unwrap_or_default(),
        Subject::Node(name) | Subject::Health(name) | Subject::Ingress(name) => name.clone(),
    }
}

fn addresses(cluster: &Cluster, subject: &Subject) -> Vec<String> {
    match subject {
        Subject::Pod(name) => {
            cluster.pods.get(name).into_iter().flat_map(|pod| pod.own_ips()).map(|ip| ip.to_string()).collect()
        }
        Subject::Node(_) => Vec::new(),
        Subject::Health(name) => special(cluster, name, |node| &node.health),
        Subject::Ingress(name) => special(cluster, name, |node| &node.ingress),
    }
}

fn special(cluster: &Cluster, node: &str, which: fn(&CiliumNode) -> &BTreeSet<IpAddr>) -> Vec<String> {
    let addresses = cluster.cilium_nodes.get(node).into_iter().flat_map(which);
    addresses.map(IpAddr::to_string).collect()
}

fn class_tables(made: &Made) -> ClassTables {
    let [ingress, egress] = &*made.diagrams;
    let members = |plan: &DirectionPlan, diagram| match plan {
        DirectionPlan::Constant(_) => Vec::new(),
        DirectionPlan::Cells(plan) if plan.class_table.is_none() => Vec::new(),
        DirectionPlan::Cells(_) => members(&ebpf::class_table(diagram)),
    };
    ClassTables {
        image: made.digest.clone(),
        ingress: members(&made.image.plan.ingress, ingress),
        egress: members(&made.image.plan.egress, egress),
    }
}

/// The peers of each class but 0, as runs.
fn members(class_of: &[u16]) -> Vec<ClassMembers> {
    let mut classes: BTreeMap<u16, Vec<(u32, u32)>> = BTreeMap::new();
    for (peer, class) in (0..).zip(class_of).filter(|(_, class)| **class != 0) {
        let runs = classes.entry(*class).or_default();
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == peer => *last = peer,
            _ => runs.push((peer, peer)),
        }
    }
    classes.into_iter().map(|(class, peers)| ClassMembers { class, peers }).collect()
}

fn sources(db: &Database, built: &Built) -> SourceList {
    let mut origins: BTreeSet<Origin> = BTreeSet::new();
    for made in &built.classes {
        let rules = meaning::rule_sets(db, meaning::ClassKey::new(db, made.class.clone()));
        origins.extend(rules.iter().flat_map(|set| set.origins.iter().cloned()));
    }
    let source = |origin: Origin| SourceEntry { place: place(db, &origin), object: origin.object, path: origin.path };
    SourceList { api_version: API_VERSION, kind: "SourceList", sources: origins.into_iter().map(source).collect() }
}

/// Where an origin stands.
pub fn place(db: &Database, origin: &Origin) -> Option<crate::report::Place> {
    let place = locate::locate(db, origin)?;
    Some(render::place_of(db, db.file(place.file)?, place.span))
}

/// A file name for a node. Names of nodes are names of hosts; whatever else a manifest says cannot leave the folder.
fn file_name(node: &str) -> String {
    if node.is_empty() {
        return "_unplaced".into();
    }
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let safe = |(at, byte): (usize, u8)| match byte {
        b'.' if at > 0 => ".".to_owned(),
        byte if is_plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    let name: String = node.bytes().enumerate().map(safe).collect();
    // Names of hosts have at most 253 bytes; a longer one is told by its digest.
    if name.len() <= 240 { name } else { format!("%{}", image::Digest::of(node.as_bytes())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_peers_are_listed_by_class() {
        let run = |class, peers: &[(u32, u32)]| ClassMembers { class, peers: peers.to_vec() };
        assert_eq!(members(&[0, 2, 2, 1, 2, 0]), [run(1, &[(3, 3)]), run(2, &[(1, 2), (4, 4)])]);
    }

    #[test]
    fn no_name_of_a_node_leaves_the_folder() {
        assert_eq!(file_name("worker-1.example"), "worker-1.example");
        assert_eq!(file_name("../../etc/x"), "%2E.%2F..%2Fetc%2Fx");
        assert_eq!(file_name(""), "_unplaced");
        assert_eq!(file_name(&"é".repeat(200)).len(), 65);
    }
}
