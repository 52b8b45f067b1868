//! `textDocument/hover`

use super::Ask;
use crate::view::{Refusal, View};
use gen_lsp_types::{HoverParams, HoverRequest, MarkupContent, MarkupKind};

pub(super) struct Hover;

impl Ask for Hover {
    type Message = HoverRequest;

    fn answer(view: &View, asked: HoverParams) -> Result<Option<gen_lsp_types::Hover>, Refusal> {
        let (text, at) = view.at(&asked.text_document_position_params)?;
        Ok(ide::hover(&view.db, at).map(|it| gen_lsp_types::Hover {
            contents: MarkupContent {
                kind: if view.client.markdown { MarkupKind::Markdown } else { MarkupKind::PlainText },
                value: it.markdown,
            }
            .into(),
            range: Some(text.range(it.span)),
        }))
    }
}
