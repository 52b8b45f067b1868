//! `textDocument/references`

use super::Ask;
use crate::view::{Refusal, View};
use gen_lsp_types::{Location, ReferenceParams, ReferencesRequest};

pub(super) struct References;

impl Ask for References {
    type Message = ReferencesRequest;

    fn answer(view: &View, asked: ReferenceParams) -> Result<Option<Vec<Location>>, Refusal> {
        let (_, at) = view.at(&asked.text_document_position_params)?;
        let found = ide::references(&view.db, at, asked.context.include_declaration);
        Ok(Some(found.into_iter().filter_map(|it| view.location(it.file, it.span)).collect()))
    }
}
