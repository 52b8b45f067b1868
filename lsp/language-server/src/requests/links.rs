//! `textDocument/documentLink`

use super::Ask;
use crate::view::{Refusal, View};
use gen_lsp_types::{DocumentLink, DocumentLinkParams, DocumentLinkRequest};

pub(super) struct Links;

impl Ask for Links {
    type Message = DocumentLinkRequest;

    fn answer(view: &View, asked: DocumentLinkParams) -> Result<Option<Vec<DocumentLink>>, Refusal> {
        let text = view.text(&asked.text_document.uri)?;
        let links = ide::links(&view.db, text.file).into_iter().map(|it| DocumentLink {
            range: text.range(it.span),
            target: view.world.page(&it.code.to_string()),
            tooltip: Some(it.title),
            data: None,
        });
        Ok(Some(links.collect()))
    }
}
