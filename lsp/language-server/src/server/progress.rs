//! Tells that something takes long: under the name that the client gives, else under one of our own.

use super::{Asked, Server};
use serde_json::{Value, json};

/// What requests that may take long do, by their methods.
const TITLES: [(&str, &str); 4] = [
    ("textDocument/codeLens", "comparing with the last commit"),
    ("textDocument/codeAction", "proving what fixes change"),
    ("textDocument/rename", "renaming"),
    ("workspace/executeCommand", "drawing"),
];

impl Server<'_> {
    /// Begins to tell of a request; says under which name. Of one that gave no name only where somebody waits for a drawing.
    pub(super) fn begin_request(&mut self, request: &lsp_server::Request) -> Option<Value> {
        let (method, title) = TITLES.into_iter().find(|(method, _)| *method == request.method)?;
        match request.params.get("workDoneToken").filter(|it| !it.is_null()) {
            Some(token) => {
                self.progress(token, &json!({ "kind": "begin", "title": title, "cancellable": true }));
                Some(token.clone())
            }
            None if method == "workspace/executeCommand" => self.begin(title, true),
            None => None,
        }
    }

    /// Begins to tell of something under a name of our own; nothing where the client does not show such things.
    pub(super) fn begin(&mut self, title: &str, cancellable: bool) -> Option<Value> {
        if !self.client.progress {
            return None;
        }
        let token = json!(format!("tidegate/{}", self.numbers + 1));
        self.ask("window/workDoneProgress/create", json!({ "token": token }), Asked::Nothing);
        self.progress(&token, &json!({ "kind": "begin", "title": title, "cancellable": cancellable }));
        Some(token)
    }

    /// Says that it is done.
    pub(super) fn end(&self, token: Option<&Value>) {
        if let Some(token) = token {
            self.progress(token, &json!({ "kind": "end" }));
        }
    }

    fn progress(&self, token: &Value, value: &Value) {
        let params = json!({ "token": token, "value": value });
        self.send(lsp_server::Notification { method: "$/progress".into(), params }.into());
    }

    /// Ends what is told of under a name.
    pub(super) fn cancel_shown(&mut self, token: &Value) {
        if let Some(pending) = self.pending.values_mut().find(|it| it.shown.as_ref() == Some(token)) {
            pending.cancel();
        }
    }
}
