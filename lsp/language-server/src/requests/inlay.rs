//! `textDocument/inlayHint`

use super::Ask;
use crate::view::{Refusal, View};
use gen_lsp_types::{InlayHint, InlayHintParams, InlayHintRequest, MarkupContent, MarkupKind};

pub(super) struct Inlays;

impl Ask for Inlays {
    type Message = InlayHintRequest;

    fn answer(view: &View, asked: InlayHintParams) -> Result<Option<Vec<InlayHint>>, Refusal> {
        if !view.settings.inlay_hints {
            return Ok(None);
        }
        let text = view.text(&asked.text_document.uri)?;
        let found = ide::inlays(&view.db, text.file, text.span(asked.range));
        let hints = found.into_iter().map(|it| InlayHint {
            position: text.position(it.offset),
            label: it.text.into(),
            kind: None,
            text_edits: None,
            tooltip: (!it.tooltip.is_empty())
                .then(|| MarkupContent { kind: MarkupKind::Markdown, value: it.tooltip }.into()),
            padding_left: Some(true),
            padding_right: None,
            data: None,
        });
        Ok(Some(hints.collect()))
    }
}
