//! `workspace/textDocumentContent`: what a command printed, for whoever opens it.

use super::Ask;
use crate::view::{Refusal, View};
use gen_lsp_types::{TextDocumentContentParams, TextDocumentContentRequest, TextDocumentContentResult};

pub(super) struct Content;

impl Ask for Content {
    type Message = TextDocumentContentRequest;

    fn answer(view: &View, asked: TextDocumentContentParams) -> Result<TextDocumentContentResult, Refusal> {
        let text = view.text(&asked.uri)?;
        Ok(TextDocumentContentResult { text: text.text.to_string() })
    }
}
