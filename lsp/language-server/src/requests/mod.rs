//! The requests, one file each.

mod actions;
mod command;
mod completion;
mod content;
mod definition;
mod diagnostic;
mod folding;
mod hover;
mod inlay;
mod lens;
mod links;
mod references;
mod rename;
mod selection;
mod symbols;
pub(crate) mod tokens;

pub(crate) use command::COMMANDS;

use crate::view::{Refusal, View};
use gen_lsp_types::{LspRequestMethod, Request, TextDocumentEdit, TextEdit, WorkspaceEdit};
use serde_json::Value;
use source::FileId;
use std::collections::{BTreeMap, HashMap};

/// One request of the protocol.
trait Ask {
    /// Its messages.
    type Message: Request;

    /// Answers it.
    fn answer(
        view: &View,
        asked: <Self::Message as Request>::Params,
    ) -> Result<<Self::Message as Request>::Result, Refusal>;
}

macro_rules! requests {
    ($($ask:path,)*) => {
        /// Answers a request. Errors: also for a method that is not known.
        pub(crate) fn answer(view: &View, method: &str, params: Value) -> Result<Value, Refusal> {
            let asked = LspRequestMethod::from(method);
            $(if asked == <$ask as Ask>::Message::METHOD {
                return one::<$ask>(view, params);
            })*
            Err(Refusal::Unknown(format!("`{method}` is not answered here")))
        }
    };
}

requests! {
    completion::Completion,
    hover::Hover,
    definition::Definition,
    references::References,
    rename::Prepare,
    rename::Rename,
    symbols::Document,
    symbols::Workspace,
    folding::Folding,
    selection::Selection,
    tokens::Tokens,
    links::Links,
    lens::Lenses,
    inlay::Inlays,
    actions::Actions,
    command::Execute,
    content::Content,
    diagnostic::Pulled,
}

/// The answer of which nothing is to be said.
pub(crate) fn nothing(method: &str) -> Value {
    match method {
        "textDocument/diagnostic" => serde_json::json!({ "kind": "full", "items": [] }),
        _ => Value::Null,
    }
}

fn one<A: Ask>(view: &View, params: Value) -> Result<Value, Refusal> {
    let params =
        serde_json::from_value(params).map_err(|error| Refusal::Wrong(format!("it cannot be read: {error}")))?;
    let answer = A::answer(view, params)?;
    serde_json::to_value(answer).map_err(|error| Refusal::Failed(format!("the answer is no JSON: {error}")))
}

/// Edits of texts as one change of the workspace. `None` where a file has no address, or was printed by a command.
fn change(view: &View, edits: &[diag::Edit]) -> Option<WorkspaceEdit> {
    let mut files: BTreeMap<FileId, Vec<TextEdit>> = BTreeMap::new();
    for edit in edits {
        let text = view.text_of(view.db.file(edit.file)?);
        let edit_ = TextEdit { range: text.range(edit.span), new_text: edit.replacement.clone() };
        files.entry(edit.file).or_default().push(edit_);
    }
    let mut by_uri = HashMap::new();
    for (file, edits) in files {
        let file = view.db.file(file)?;
        // What a command printed is nobody's to change.
        if file.path(&view.db).starts_with(crate::world::RENDERED) {
            return None;
        }
        by_uri.insert(view.uri(file)?, (file.path(&view.db).to_owned(), edits));
    }
    if !view.client.versioned_edits {
        let changes = by_uri.into_iter().map(|(uri, (_, edits))| (uri, edits)).collect();
        return Some(WorkspaceEdit { changes: Some(changes), ..WorkspaceEdit::default() });
    }
    let documents = by_uri.into_iter().map(|(uri, (key, edits))| {
        let text_document = gen_lsp_types::OptionalVersionedTextDocumentIdentifier {
            version: view.versions.get(&key).copied(),
            text_document_identifier: gen_lsp_types::TextDocumentIdentifier { uri },
        };
        TextDocumentEdit { text_document, edits: edits.into_iter().map(Into::into).collect() }.into()
    });
    Some(WorkspaceEdit { document_changes: Some(documents.collect()), ..WorkspaceEdit::default() })
}
