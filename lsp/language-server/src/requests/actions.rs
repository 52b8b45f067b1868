//! `textDocument/codeAction`

use super::{Ask, change, command};
use crate::publish;
use crate::view::{Refusal, View};
use gen_lsp_types::{CodeAction, CodeActionKind, CodeActionParams, CodeActionRequest, CodeActionResponse};
use ide::ActionKind;

pub(super) struct Actions;

impl Ask for Actions {
    type Message = CodeActionRequest;

    fn answer(view: &View, asked: CodeActionParams) -> Result<Option<Vec<CodeActionResponse>>, Refusal> {
        let text = view.text(&asked.text_document.uri)?;
        let wanted = |kind: &CodeActionKind| {
            asked.context.only.as_ref().is_none_or(|only| only.iter().any(|it| is_below(kind, it)))
        };
        let range = text.span(asked.range);
        let mut found = ide::actions(&view.db, text.file, range, &view.rules(text.file));
        if wanted(&CodeActionKind::RefactorRewrite) {
            found.extend(ide::rewrites(&view.db, text.file, range));
        }
        let shown = publish::found(view, text.file);
        let mut actions = Vec::new();
        for it in found {
            // A suppression is a comment, and JSON has none.
            if it.kind == ActionKind::Suppress && super::completion::is_json(view, &text) {
                continue;
            }
            let kind = kind(it.kind);
            if !wanted(&kind) {
                continue;
            }
            let edit = if it.edits.is_empty() { None } else { Some(change(view, &it.edits)) };
            // An edit that cannot be told is none that is half told.
            let Some(edit) = edit.map_or(Some(None), |it| it.map(Some)) else { continue };
            let mut command = it.command.as_ref().map(|of| command::of(it.title.clone(), of));
            let mut edit = edit;
            if it.kind == ActionKind::Suppress && view.settings.asks_reasons {
                command = edit.take().map(|edit| command::suppress(it.title.clone(), &edit));
            }
            let solves = it.solves.and_then(|(code, span)| {
                let same = shown
                    .iter()
                    .find(|found| found.code == code && found.place().is_some_and(|label| label.span == span))?;
                Some(vec![publish::diagnostic(view, text.file, same)])
            });
            if !view.client.actions {
                actions.extend(command.map(CodeActionResponse::Command));
                continue;
            }
            let action = CodeAction {
                title: it.title,
                kind: Some(kind),
                diagnostics: solves,
                is_preferred: it.is_preferred.then_some(true),
                edit,
                command,
                ..CodeAction::default()
            };
            actions.push(action.into());
        }
        Ok(Some(actions))
    }
}

fn kind(of: ActionKind) -> CodeActionKind {
    match of {
        ActionKind::Fix | ActionKind::Suppress => CodeActionKind::QuickFix,
        ActionKind::Rewrite => CodeActionKind::RefactorRewrite,
        ActionKind::Show => CodeActionKind::Empty,
    }
}

/// Whether a kind is another or one below it: `refactor.rewrite` is a `refactor`.
fn is_below(kind: &CodeActionKind, asked: &CodeActionKind) -> bool {
    let (kind, asked) = (kind.to_string(), asked.to_string());
    asked.is_empty() || kind == asked || kind.strip_prefix(&asked).is_some_and(|rest| rest.starts_with('.'))
}
