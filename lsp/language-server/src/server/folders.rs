//! The workspace: its folders, its configuration, and what changes on the disk.

use super::{Asked, Server};
use crate::documents::path;
use crate::settings::Settings;
use crate::world::RENDERED;
use gen_lsp_types::{
    DidChangeConfigurationNotification, DidChangeWatchedFilesNotification, DidChangeWorkspaceFoldersNotification,
    FileChangeType,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// What decides which files are read, and how.
const CONFIGURATION: [&str; 4] = ["tidegate.toml", ".tidegate.toml", ".ignore", ".tidegateignore"];

impl Server<'_> {
    pub(super) fn of_workspace(&mut self, it: lsp_server::Notification) {
        match it.method.as_str() {
            "workspace/didChangeWatchedFiles" => {
                self.with::<DidChangeWatchedFilesNotification>(it, |server, changed| {
                    let paths = changed.changes.iter().filter_map(|it| Some((path(&it.uri)?, it.kind)));
                    let (mut again, mut touched, mut changed) = (false, false, false);
                    for (path, kind) in paths.collect::<Vec<_>>() {
                        again |= path.file_name().is_some_and(|name| CONFIGURATION.iter().any(|it| name == *it));
                        touched |= server.on_disk(&path, kind);
                        changed |= server.is_below_roots(&path);
                    }
                    if changed {
                        server.render_after_change();
                    }
                    if again {
                        server.read_workspace();
                    } else if touched {
                        server.settle();
                        server.touch(None);
                        server.refresh();
                    }
                })
            }
            "workspace/didChangeConfiguration" => self.with::<DidChangeConfigurationNotification>(it, |server, it| {
                if server.client.configuration {
                    server.ask_settings();
                } else {
                    server.configure(&it.settings);
                    server.read_workspace();
                }
            }),
            "workspace/didChangeWorkspaceFolders" => {
                self.with::<DidChangeWorkspaceFoldersNotification>(it, |server, it| {
                    let gone: BTreeSet<_> = it.event.removed.iter().filter_map(|it| path(&it.uri)).collect();
                    server.roots.retain(|it| !gone.contains(it));
                    server.roots.extend(it.event.added.iter().filter_map(|it| path(&it.uri)));
                    server.read_workspace();
                });
            }
            _ => {}
        }
    }

    /// Takes over one file; says whether anything is another.
    fn on_disk(&mut self, path: &Path, kind: FileChangeType) -> bool {
        let key = path.to_string_lossy().into_owned();
        if kind == FileChangeType::Deleted {
            // A folder goes with all that is below it.
            let below = format!("{key}/");
            let known = self.db.files().map(|it| it.path(&self.db).to_owned());
            let gone: Vec<String> =
                known.filter(|it| it.starts_with(&below) && !self.documents.contains_key(it)).collect();
            for it in &gone {
                self.inputs().remove_file(it);
                self.forget(it);
            }
            if !gone.is_empty() {
                return true;
            }
        }
        if self.documents.contains_key(&key) || !self.is_below_roots(path) {
            return false;
        }
        let text = (kind != FileChangeType::Deleted && self.world.takes(path)).then(|| self.world.read(path)).flatten();
        match text {
            Some(text) => drop(self.inputs().set_file(&key, &text)),
            None if self.db.file_at(&key).is_some() => {
                self.inputs().remove_file(&key);
                self.forget(&key);
            }
            None => return false,
        }
        true
    }

    pub(super) fn is_below_roots(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| path.starts_with(root))
    }

    /// Reads all folders anew; open documents that are not left out keep their own texts.
    pub(super) fn read_workspace(&mut self) {
        let shown = self.begin("reading the workspace", false);
        let opened = self.world.open(&self.roots);
        self.sort_open();
        let mut texts: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        let mut here = BTreeSet::new();
        for (path, text) in &opened.manifests {
            here.insert(path.clone());
            if !self.documents.contains_key(path) {
                texts.push((Arc::from(path.as_str()), Arc::from(text.as_str())));
            }
        }
        let known = self.db.files().map(|it| it.path(&self.db).to_owned());
        let is_ours = |it: &String| self.documents.contains_key(it) || it.starts_with(RENDERED);
        let gone = known.filter(|it| !here.contains(it) && !is_ours(it));
        for key in gone.collect::<Vec<_>>() {
            self.inputs().remove_file(&key);
            self.forget(&key);
        }
        self.inputs().set_namespace(&opened.namespace);
        self.inputs().set_files(texts);
        self.inputs().set_cluster(opened.cluster);
        self.inputs().set_heeded(opened.heeded);
        self.inputs().set_knowledge(opened.knowledge);
        (self.keep, self.rules, self.wish) = (opened.keep, opened.rules, opened.wish);
        self.settle();
        self.inputs().expect_edits();
        // What was mended may be told again.
        self.said.retain(|it| opened.faults.contains(it));
        opened.faults.iter().for_each(|it| self.show(it));
        self.changed = self.world.now();
        self.touch(None);
        self.refresh();
        self.end(shown.as_ref());
        self.render();
    }

    /// Takes over settings; what cannot be read is told.
    pub(super) fn configure(&mut self, sent: &Value) {
        let read = Settings::read(sent).unwrap_or_else(|why| {
            self.show(&why);
            Settings::default()
        });
        self.settings = Arc::new(read);
        if !self.settings.workspace_diagnostics {
            let closed = self.shown.keys().into_iter().filter(|it| !self.documents.contains_key(it));
            closed.collect::<Vec<_>>().iter().for_each(|it| self.forget(it));
        }
    }

    pub(super) fn ask_settings(&mut self) {
        if self.client.configuration {
            self.ask("workspace/configuration", json!({ "items": [{ "section": "tidegate" }] }), Asked::Settings);
        }
    }

    /// Has the client tell when manifests and configuration change on the disk.
    pub(super) fn watch(&mut self) {
        if !self.client.watches {
            return;
        }
        let globs = ["**/*.{yaml,yml,json,tpl,gotmpl}", "**/{tidegate.toml,.tidegate.toml,.ignore,.tidegateignore}"];
        let watchers: Vec<Value> = globs.iter().map(|it| json!({ "globPattern": it })).collect();
        let one = json!({
            "id": "tidegate.files",
            "method": "workspace/didChangeWatchedFiles",
            "registerOptions": { "watchers": watchers },
        });
        self.ask("client/registerCapability", json!({ "registrations": [one] }), Asked::Nothing);
    }

    /// Has the client ask again for what it asked of documents that did not change.
    pub(super) fn refresh(&mut self) {
        let asks = [
            (self.client.refreshes_diagnostics && self.client.pulls, "workspace/diagnostic/refresh"),
            (self.client.refreshes_lenses, "workspace/codeLens/refresh"),
            (self.client.refreshes_inlays, "workspace/inlayHint/refresh"),
        ];
        for (_, method) in asks.into_iter().filter(|(can, _)| *can) {
            self.ask(method, Value::Null, Asked::Nothing);
        }
    }

    /// Forgets what was shown of a file that is gone.
    pub(super) fn forget(&mut self, key: &str) {
        if self.shown.forget(key) {
            self.publish(key, Vec::new());
        }
    }
}
