//! In which order Flux applies what belongs to its Kustomizations.

use std::collections::BTreeMap;

use driver::Db;

use crate::place::{Spot, Text};
use crate::traces::{self, Trace};

/// A Kustomization by namespace and name.
type Key = (String, String);

/// Every Kustomization of Flux that the files show.
#[derive(Default)]
pub(super) struct Kustomizations {
    all: BTreeMap<Key, Kustomization>,
}

struct Kustomization {
    /// The folders of its `path`, from the root of the repository.
    folders: Vec<String>,
    waits_for: Vec<Key>,
    /// How many others are applied before it, one after another.
    depth: i64,
}

impl Kustomizations {
    pub fn new(db: &dyn Db) -> Kustomizations {
        let mut all = BTreeMap::new();
        for file in traces::files(db, Trace::Kustomization) {
            let text = Text::new(db, file);
            for spot in text.spots().filter(|spot| is_kustomization(spot)) {
                let namespace = spot.object.object.namespace.to_string();
                let waits_for = spot.items("spec.dependsOn").filter_map(|at| {
                    let there = spot.string(&format!("{at}.namespace")).unwrap_or(&namespace).to_owned();
                    Some((there, spot.string(&format!("{at}.name"))?.to_owned()))
                });
                let folders = folders(spot.string("spec.path").unwrap_or_default());
                let kustomization = Kustomization { folders, waits_for: waits_for.collect(), depth: 0 };
                all.insert((namespace.clone(), spot.object.object.name.to_string()), kustomization);
            }
        }
        let mut found = Kustomizations { all };
        found.sort_out();
        // Why: without any dependency nothing is applied before anything else.
        if found.all.values().all(|it| it.depth == 0) { Kustomizations::default() } else { found }
    }

    /// The longest way to each, over what it waits for. Those that wait for themselves are never applied; they stay where they are.
    fn sort_out(&mut self) {
        for _ in 0..self.all.len() {
            let depths: BTreeMap<Key, i64> = self.all.iter().map(|(key, it)| (key.clone(), it.depth)).collect();
            for it in self.all.values_mut() {
                let before = it.waits_for.iter().filter_map(|key| depths.get(key)).max();
                it.depth = before.map_or(0, |depth| (depth + 1).min(depths.len() as i64));
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// How many are applied before the one that an object belongs to: by its labels, else by the folder that its file is in.
    pub fn depth(&self, spot: &Spot<'_>, path: &str) -> Option<i64> {
        let label = |name: &str| spot.string(&format!("metadata.labels[\"kustomize.toolkit.fluxcd.io/{name}\"]"));
        if let (Some(name), Some(namespace)) = (label("name"), label("namespace")) {
            return self.all.get(&(namespace.to_owned(), name.to_owned())).map(|it| it.depth);
        }
        if is_kustomization(spot) {
            return None;
        }
        let mut here = folders(path);
        here.pop();
        let holds = |it: &&Kustomization| {
            !it.folders.is_empty() && here.windows(it.folders.len()).any(|window| window == it.folders)
        };
        self.all.values().filter(holds).max_by_key(|it| it.folders.len()).map(|it| it.depth)
    }
}

fn is_kustomization(spot: &Spot<'_>) -> bool {
    let version = spot.string("apiVersion").unwrap_or_default();
    spot.object.object.kind == "Kustomization" && version.starts_with("kustomize.toolkit.fluxcd.io/")
}

fn folders(path: &str) -> Vec<String> {
    path.split('/').filter(|it| !it.is_empty() && *it != ".").map(str::to_owned).collect()
}
