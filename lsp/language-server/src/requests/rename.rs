//! `textDocument/prepareRename` and `textDocument/rename`

use super::{Ask, change};
use crate::view::{Refusal, View};
use gen_lsp_types::{
    PrepareRenameParams, PrepareRenamePlaceholder, PrepareRenameRequest, PrepareRenameResult, RenameParams,
    RenameRequest, WorkspaceEdit,
};

pub(super) struct Prepare;

impl Ask for Prepare {
    type Message = PrepareRenameRequest;

    fn answer(view: &View, asked: PrepareRenameParams) -> Result<Option<PrepareRenameResult>, Refusal> {
        let (text, at) = view.at(&asked.text_document_position_params)?;
        let (span, placeholder) = ide::prepare_rename(&view.db, at).map_err(Refusal::Failed)?;
        Ok(Some(PrepareRenamePlaceholder { range: text.range(span), placeholder }.into()))
    }
}

pub(super) struct Rename;

impl Ask for Rename {
    type Message = RenameRequest;

    fn answer(view: &View, asked: RenameParams) -> Result<Option<WorkspaceEdit>, Refusal> {
        let (_, at) = view.at(&asked.text_document_position_params)?;
        let edits = ide::rename(&view.db, at, &asked.new_name).map_err(Refusal::Failed)?;
        change(view, &edits).map(Some).ok_or_else(|| {
            Refusal::Failed(
                "some of it was printed by a command of `tidegate.render`; change what it is made of".into(),
            )
        })
    }
}
