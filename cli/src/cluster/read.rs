//! Reads cluster facts from where a flag says.

use super::age;
use super::live::{self, Live};
use super::report::ClusterEntry;
use super::source::{ClusterArgs, Source};
use crate::files::{self, Manifest, Unreadable};
use driver::text::{self, Role};
use driver::{Database, Heeded, world};
use facts::Cluster;
use facts::read::At;
use snapshot::Header;
use std::path::Path;
use std::sync::Arc;

/// What is known of a cluster.
#[derive(Debug, Default)]
pub struct Known {
    /// Its facts; those of manifests are put over them.
    pub cluster: Cluster,
    /// Which facts of manifests count.
    pub heeded: Heeded,
    /// Its policies, one a manifest, where the snapshot holds them.
    pub policies: Vec<Manifest>,
    /// What reports say of it; `None` where nothing was asked for.
    pub entry: Option<ClusterEntry>,
    /// What could not be read.
    pub unreadable: Vec<Unreadable>,
}

/// Reads what the flags ask for. `namespace` is what is read of a live cluster that may not be read whole; `policies` asks for its
/// policies too.
pub fn known(args: &ClusterArgs, namespace: &str, policies: bool) -> Known {
    match &args.cluster {
        None => Known::default(),
        Some(Source::None) => {
            let entry = ClusterEntry::of("none", None, Default::default(), age::now(), args.cluster_max_age);
            Known { heeded: Heeded::Declared, entry: Some(entry), ..Known::default() }
        }
        Some(Source::File(path)) => from_files(path, args),
        Some(Source::Live) => match live::read(&args.live, Some(namespace), policies) {
            Ok(found) => from_live(found, args),
            Err(reason) => {
                let unreadable = vec![Unreadable { path: files::LIVE.into(), reason }];
                Known { unreadable, ..Known::default() }
            }
        },
    }
}

/// What a live cluster gave, as facts and policies.
fn from_live(found: Live, args: &ClusterArgs) -> Known {
    live::say_rights(&found.not_read);
    let failed = found.failed.iter().map(|reason| Unreadable { path: files::LIVE.into(), reason: reason.clone() });
    let mut unreadable: Vec<Unreadable> = failed.collect();
    let header = found.header();
    let db = database(found.manifests);
    unreadable.extend(broken(&db));
    let cluster = Cluster::clone(&world::cluster(&db));
    let counts = snapshot::counts(&cluster);
    let entry = ClusterEntry::of("live", Some(&header), counts, age::now(), args.cluster_max_age);
    Known { cluster, policies: policies(&db), entry: Some(entry), unreadable, ..Known::default() }
}

fn from_files(path: &Path, args: &ClusterArgs) -> Known {
    let shown = path.display().to_string();
    let files::Gathered { manifests, mut unreadable, empty } = files::read(std::slice::from_ref(&shown));
    unreadable.extend(empty.into_iter().map(|reason| Unreadable { path: shown.clone(), reason }));
    let header = oldest_of(&manifests);
    let db = database(manifests);
    unreadable.extend(broken(&db));
    let cluster = Cluster::clone(&world::cluster(&db));
    if unreadable.is_empty() && cluster == Cluster::default() {
        let reason = "it holds nothing of a cluster; wanted: a snapshot, or what `kubectl get -o yaml` prints";
        unreadable.push(Unreadable { path: shown.clone(), reason: reason.into() });
    }
    let counts = snapshot::counts(&cluster);
    let entry = ClusterEntry::of(&shown, header.as_ref(), counts, age::now(), args.cluster_max_age);
    let policies = if header.is_none() { Vec::new() } else { policies(&db) };
    Known { cluster, policies, entry: Some(entry), unreadable, ..Known::default() }
}

/// A database of manifests of a cluster.
pub fn database(manifests: Vec<Manifest>) -> Database {
    let mut db = Database::new();
    db.set_files(manifests.into_iter().map(|it| (Arc::from(it.path), Arc::from(it.text))));
    db
}

/// Files of a cluster that are no sound text: half of a cluster would be taken for all of it.
pub fn broken(db: &Database) -> Vec<Unreadable> {
    let of = |file: driver::SourceFile| {
        let tree = text::tree(db, file);
        let problem = tree.problems().first()?.clone();
        let path = file.path(db).to_owned();
        let line = file.text(db)?.get(..problem.span.start as usize)?.matches('\n').count() + 1;
        Some(Unreadable { path, reason: format!("line {line} is no sound YAML; `tidegate check` draws the place") })
    };
    db.files().filter_map(of).collect()
}

/// What the snapshot in a text says of itself, without reading its objects where they stand as we write them.
pub fn header(text: &str) -> Option<Header> {
    let about = |text: &str| snapshot::header(&syntax::parse(text, &syntax::Limits::default()));
    let start: String = text.chars().take(400).collect();
    if !start.contains("Snapshot") {
        return None;
    }
    match text.split_once("\n\"items\": [") {
        Some((head, _)) => about(&format!("{head}\n\"items\": []}}")),
        None => about(text),
    }
}

/// What the snapshots among manifests say of themselves, as one.
pub fn oldest_of(manifests: &[Manifest]) -> Option<Header> {
    oldest(&manifests.iter().filter_map(|it| header(&it.text)).collect::<Vec<_>>())
}

/// Several snapshots are as old as the oldest, and what none of them read is not read.
fn oldest(headers: &[Header]) -> Option<Header> {
    let mut oldest = headers.iter().min_by_key(|it| age::timestamp(&it.taken))?.clone();
    oldest.not_read = headers.iter().flat_map(|it| it.not_read.iter().cloned()).collect();
    oldest.not_read.sort();
    oldest.not_read.dedup();
    oldest.redacted = headers.iter().any(|it| it.redacted);
    Some(oldest)
}

/// The snapshots that stand among manifests, as one entry; `None` where there is none.
pub fn stands_in(manifests: &[Manifest], args: &ClusterArgs) -> Option<ClusterEntry> {
    let found = manifests.iter().filter_map(|it| Some((it.path.as_str(), header(&it.text)?)));
    let (paths, headers): (Vec<&str>, Vec<Header>) = found.unzip();
    let header = oldest(&headers)?;
    let counted = manifests.iter().filter(|it| paths.contains(&it.path.as_str())).cloned().collect();
    let counts = snapshot::counts(&world::cluster(&database(counted)));
    Some(ClusterEntry::of(&paths.join(", "), Some(&header), counts, age::now(), args.cluster_max_age))
}

/// The policies of a database, one a manifest, as people would write them.
pub fn policies(db: &Database) -> Vec<Manifest> {
    let mut out = Vec::new();
    for file in db.files() {
        let tree = text::tree(db, file);
        let decoded = text::decoded(db, file);
        let wanted = decoded.objects.iter().filter(|it| matches!(it.role, Role::Policy | Role::Rejected));
        for object in wanted {
            let root = tree.documents().get(object.document).and_then(|it| it.root);
            let Some(root) = root.map(|root| At::root(&tree, root)) else { continue };
            let found = facts::decode::objects(&root).into_iter().find(|it| it.at.path() == object.at);
            let Some(found) = found else { continue };
            let mut value = snapshot::policy::bare(&snapshot::tree::json(&found.at));
            // Members of a typed list may leave them to the list.
            value["apiVersion"] = found.api_version.into();
            value["kind"] = found.kind.into();
            let text = serde_json::to_string_pretty(&value).unwrap_or_default();
            out.push(Manifest { path: format!("cluster:{}", object.object), text });
        }
    }
    out.sort_by(|a, b| a.path.cmp(&b.path));
    out.dedup_by(|a, b| a.path == b.path);
    out
}
