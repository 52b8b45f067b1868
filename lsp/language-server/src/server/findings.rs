//! Diagnostics that the server tells by itself: of open documents after every change, of all others when it is quiet.

use super::{Outcome, Server};
use crate::documents::uri;
use crate::pool::{Ended, ask};
use crate::publish;
use gen_lsp_types::{Diagnostic, MessageType, PublishDiagnosticsNotification, PublishDiagnosticsParams, Uri};
use std::collections::BTreeMap;

/// What was found in some files.
pub(super) enum Found {
    /// In one, by key.
    In(String, Vec<Diagnostic>),
    /// Nothing, by a fault of ours.
    Failed(String),
}

/// What the client was shown last, by key; nothing for files of which nothing is shown.
#[derive(Default)]
pub(super) struct Shown(BTreeMap<String, Vec<Diagnostic>>);

impl Shown {
    /// Notes what is shown now; `false` where that is what was shown.
    pub fn note(&mut self, key: &str, found: &[Diagnostic]) -> bool {
        let before = self.0.get(key).map_or(&[][..], Vec::as_slice);
        if before == found {
            return false;
        }
        match found {
            [] => drop(self.0.remove(key)),
            found => drop(self.0.insert(key.to_owned(), found.to_vec())),
        }
        true
    }

    /// Whatever something is shown of.
    pub fn keys(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// Notes that nothing is shown; `true` where something was.
    pub fn forget(&mut self, key: &str) -> bool {
        self.0.remove(key).is_some()
    }
}

impl Server<'_> {
    /// Looks at open documents, `first` at that one, unless the client asks for itself.
    pub(super) fn look_at_open(&mut self, first: Option<&str>) {
        let mut keys: Vec<String> = self.documents.keys().cloned().collect();
        if self.client.pulls {
            // What was shown of a file before it was opened is the client's to ask for now.
            keys.iter().for_each(|key| self.forget(key));
            return;
        }
        keys.sort_by_key(|key| Some(key.as_str()) != first);
        self.look(keys);
    }

    /// Looks at every file that is not open.
    pub(super) fn look_everywhere(&mut self) {
        let files = self.db.files().map(|it| it.path(&self.db).to_owned());
        let is_asked_for = |it: &String| self.client.pulls && self.rendering.viewed.contains(it);
        let keys = files.filter(|it| !self.documents.contains_key(it) && !is_asked_for(it)).collect();
        self.look(keys);
    }

    fn look(&self, keys: Vec<String>) {
        let (view, outcomes, revision) = (self.view(&self.looked), self.outcomes.clone(), self.revision);
        self.looking.send(Box::new(move || {
            for key in keys {
                let Some(file) = view.db.file_at(&key) else { continue };
                let found = match ask(|| publish::diagnostics(&view, file)) {
                    Ended::Answered(found) => Found::In(key, found),
                    Ended::Failed(said) => Found::Failed(said),
                    // What overtook it looks again.
                    Ended::Overtaken => return,
                };
                if outcomes.send(Outcome::Found(revision, found)).is_err() {
                    return;
                }
            }
        }));
    }

    /// Shows what was found, unless something changed since.
    pub(super) fn found(&mut self, revision: u64, found: Found) {
        match found {
            Found::Failed(said) => self.log(MessageType::Error, &said),
            Found::In(key, found) if revision == self.revision => {
                if self.documents.contains_key(&key) {
                    let took = self.world.now() - self.changed;
                    self.stats.note("edit to diagnostics", took);
                }
                let is_open = self.documents.contains_key(&key);
                if self.shown.note(&key, &found) || is_open {
                    self.publish(&key, found);
                }
            }
            Found::In(..) => {}
        }
    }

    pub(super) fn publish(&self, key: &str, diagnostics: Vec<Diagnostic>) {
        let open = self.documents.get(key);
        let Some(uri) = open.map(|it| it.uri.clone()).or_else(|| uri(key)) else { return };
        self.publish_at(uri, open.map(|it| it.version), diagnostics);
    }

    pub(super) fn publish_at(&self, uri: Uri, version: Option<i32>, diagnostics: Vec<Diagnostic>) {
        let params = PublishDiagnosticsParams { uri, version, diagnostics };
        self.tell::<PublishDiagnosticsNotification>("textDocument/publishDiagnostics", &params);
    }
}
