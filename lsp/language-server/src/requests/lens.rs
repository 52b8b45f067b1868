//! `textDocument/codeLens`: lines above policies, and above a document what its unsaved edit changes.

use super::{Ask, command};
use crate::documents::path;
use crate::view::{Refusal, Text, View};
use gen_lsp_types::{CodeLens, CodeLensParams, CodeLensRequest, Command, Uri};
use source::Span;

pub(super) struct Lenses;

impl Ask for Lenses {
    type Message = CodeLensRequest;

    fn answer(view: &View, asked: CodeLensParams) -> Result<Option<Vec<CodeLens>>, Refusal> {
        if !view.settings.code_lens {
            return Ok(None);
        }
        let uri = asked.text_document.uri;
        let text = view.text(&uri)?;
        let found = ide::lenses(&view.db, text.file).into_iter();
        let lenses = found.map(|it| lens(&text, it.span, command::of(it.title, &it.command)));
        Ok(Some(effect(view, &uri, &text).into_iter().chain(lenses).collect()))
    }
}

fn lens(text: &Text, span: Span, command: Command) -> CodeLens {
    CodeLens { range: text.range(span), command: Some(command), data: None }
}

/// What the document decides otherwise than as it was committed last; nothing where nobody knows how that was, or it is the same.
fn effect(view: &View, uri: &Uri, text: &Text) -> Option<CodeLens> {
    let committed = view.world.committed(&path(uri)?)?;
    if *committed == *text.text {
        return None;
    }
    let old = [(text.file.path(&view.db).to_owned(), Some(committed))];
    let effect = ide::effect(&view.db, &old).ok()?;
    let title = format!("since the last commit: {}", effect.brief());
    let shown = Command {
        title,
        tooltip: (!effect.samples.is_empty()).then(|| effect.samples.join("\n")),
        command: String::new(),
        arguments: None,
    };
    Some(lens(text, Span::at(0), shown))
}
