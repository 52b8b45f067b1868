//! Documents that are opened, changed and closed.

use super::Server;
use crate::documents::{Document, LeftOut, apply, key, path};
use crate::world::RENDERED;
use gen_lsp_types::{
    DidChangeTextDocumentNotification, DidCloseTextDocumentNotification, DidOpenTextDocumentNotification, MessageType,
};
use std::sync::Arc;

/// What documents of the workspace are called: files, and texts that were not saved yet.
const OURS: [&str; 2] = ["file", "untitled"];

impl Server<'_> {
    pub(super) fn edit(&mut self, it: lsp_server::Notification) {
        // Why here: what an edit waits for is a part of how long it takes.
        self.changed = self.world.now();
        match it.method.as_str() {
            "textDocument/didOpen" => self.with::<DidOpenTextDocumentNotification>(it, |server, opened| {
                let it = opened.text_document;
                if it.uri.to_string().starts_with(RENDERED) {
                    return server.view_rendered(key(&it.uri));
                }
                // An older version that stands beside the document, as in a view of differences, is no part of the workspace.
                if !OURS.contains(&it.uri.scheme()) {
                    return;
                }
                let key = key(&it.uri);
                let document = Document { uri: it.uri, version: it.version };
                // What is left out counts for nothing, whoever looks at it.
                if server.is_left_out(&document) {
                    Arc::make_mut(&mut server.left_out).insert(key, LeftOut { document, text: it.text });
                    return;
                }
                // Why: the client may write the address otherwise than we do.
                server.forget(&key);
                server.inputs().set_file(&key, &it.text);
                server.documents.insert(key.clone(), document);
                server.settle();
                server.touch(Some(&key));
            }),
            "textDocument/didChange" => self.with::<DidChangeTextDocumentNotification>(it, |server, changed| {
                let of = changed.text_document;
                let key = key(&of.text_document_identifier.uri);
                let encoding = server.client.encoding;
                if key.starts_with(RENDERED) {
                    return;
                }
                if server.left_out.contains_key(&key) {
                    if let Some(it) = Arc::make_mut(&mut server.left_out).get_mut(&key) {
                        it.document.version = of.version;
                        it.text = apply(&it.text, changed.content_changes, encoding);
                    }
                    return;
                }
                let Some(document) = server.documents.get_mut(&key) else {
                    server.log(MessageType::Warning, &format!("`{key}` was changed and is not open"));
                    return;
                };
                document.version = of.version;
                let before = server.db.file_at(&key).and_then(|it| it.text(&server.db)).unwrap_or_default();
                server.inputs().set_file(&key, &apply(&before, changed.content_changes, encoding));
                server.settle();
                server.touch(Some(&key));
            }),
            "textDocument/didClose" => self.with::<DidCloseTextDocumentNotification>(it, |server, closed| {
                let uri = closed.text_document.uri;
                let key = key(&uri);
                if server.rendering.viewed.remove(&key) {
                    return server.touch(None);
                }
                if server.left_out.contains_key(&key) {
                    Arc::make_mut(&mut server.left_out).remove(&key);
                    return;
                }
                server.documents.remove(&key);
                let kept = path(&uri).filter(|it| server.is_below_roots(it) && server.world.takes(it));
                match kept.and_then(|it| server.world.read(&it)) {
                    Some(text) => {
                        server.inputs().set_file(&key, &text);
                        if !server.settings.workspace_diagnostics {
                            server.shown.note(&key, &[]);
                            server.publish_at(uri, None, Vec::new());
                        }
                    }
                    None => {
                        server.inputs().remove_file(&key);
                        server.forget(&key);
                    }
                }
                server.settle();
                server.touch(None);
            }),
            // What changed is known; what commands print of it is not.
            "textDocument/didSave" => self.render(),
            _ => {}
        }
    }

    /// Somebody looks at what a command printed: a client that asks for diagnostics asks for those, too.
    fn view_rendered(&mut self, key: String) {
        if self.client.pulls {
            self.forget(&key);
        }
        self.rendering.viewed.insert(key);
    }

    fn is_left_out(&self, document: &Document) -> bool {
        path(&document.uri).is_some_and(|it| self.is_below_roots(&it) && self.world.leaves_out(&it))
    }

    /// Sorts the open documents anew into those that count and those that are left out, as the configuration says now.
    pub(super) fn sort_open(&mut self) {
        let is_in = |it: &&LeftOut| !self.is_left_out(&it.document);
        let in_again = self.left_out.iter().filter(|(_, it)| is_in(it)).map(|(key, _)| key.clone());
        let in_again: Vec<String> = in_again.collect();
        let out = self.documents.iter().filter(|(_, it)| self.is_left_out(it)).map(|(key, _)| key.clone());
        for key in out.collect::<Vec<_>>() {
            // Why first: it is told under the address that the client gave.
            self.forget(&key);
            let text = self.db.file_at(&key).and_then(|it| it.text(&self.db)).unwrap_or_default().to_string();
            self.inputs().remove_file(&key);
            if let Some(document) = self.documents.remove(&key) {
                Arc::make_mut(&mut self.left_out).insert(key, LeftOut { document, text });
            }
        }
        for key in in_again {
            if let Some(LeftOut { document, text }) = Arc::make_mut(&mut self.left_out).remove(&key) {
                self.inputs().set_file(&key, &text);
                self.documents.insert(key, document);
            }
        }
    }

    /// The reading that fits what is known now.
    pub(super) fn settle(&mut self) {
        self.db.settle_dialect(self.wish);
    }
}
