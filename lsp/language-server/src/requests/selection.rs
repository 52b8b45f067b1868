//! `textDocument/selectionRange`

use super::Ask;
use crate::view::{Refusal, View};
use gen_lsp_types::{Range, SelectionRange, SelectionRangeParams, SelectionRangeRequest};

pub(super) struct Selection;

impl Ask for Selection {
    type Message = SelectionRangeRequest;

    fn answer(view: &View, asked: SelectionRangeParams) -> Result<Option<Vec<SelectionRange>>, Refusal> {
        let text = view.text(&asked.text_document.uri)?;
        let each = asked.positions.into_iter().map(|position| {
            let at = ide::At { file: text.file, offset: text.offset(position) };
            let outer = ide::selections(&view.db, at).into_iter().rev();
            let nested = outer.fold(None, |parent: Option<SelectionRange>, span| {
                Some(SelectionRange { range: text.range(span), parent: parent.map(Box::new) })
            });
            // Why: each position has an answer, also where nothing stands.
            nested.unwrap_or(SelectionRange { range: Range { start: position, end: position }, parent: None })
        });
        Ok(Some(each.collect()))
    }
}
