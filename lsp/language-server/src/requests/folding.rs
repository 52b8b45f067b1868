//! `textDocument/foldingRange`

use super::Ask;
use crate::view::{Refusal, View};
use gen_lsp_types::{FoldingRange, FoldingRangeKind, FoldingRangeParams, FoldingRangeRequest};

pub(super) struct Folding;

impl Ask for Folding {
    type Message = FoldingRangeRequest;

    fn answer(view: &View, asked: FoldingRangeParams) -> Result<Option<Vec<FoldingRange>>, Refusal> {
        let text = view.text(&asked.text_document.uri)?;
        let folds = ide::folds(&view.db, text.file).into_iter().map(|it| {
            let range = text.range(it.span);
            let column = |at: u32| (!view.client.folds_lines).then_some(at);
            FoldingRange {
                start_line: range.start.line,
                start_character: column(range.start.character),
                end_line: range.end.line,
                end_character: column(range.end.character),
                kind: it.is_comment.then_some(FoldingRangeKind::Comment),
                collapsed_text: None,
            }
        });
        Ok(Some(folds.filter(|it| it.start_line < it.end_line).collect()))
    }
}
