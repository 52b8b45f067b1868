//! `textDocument/semanticTokens/full`

use super::Ask;
use crate::view::{Refusal, Text, View};
use gen_lsp_types::{Position, SemanticToken, SemanticTokens, SemanticTokensParams, SemanticTokensRequest};
use ide::TokenKind;
use source::Span;

/// What tokens are called, by [`number`]: types of the protocol, so that themes colour them.
pub(crate) const TYPES: [&str; 9] =
    ["property", "class", "variable", "enumMember", "parameter", "string", "number", "macro", "namespace"];

pub(super) struct Tokens;

impl Ask for Tokens {
    type Message = SemanticTokensRequest;

    fn answer(view: &View, asked: SemanticTokensParams) -> Result<Option<SemanticTokens>, Refusal> {
        let text = view.text(&asked.text_document.uri)?;
        let found = ide::tokens(&view.db, text.file);
        Ok(Some(SemanticTokens { result_id: None, data: relative(&text, &found) }))
    }
}

/// Each as a step from the one before. One that spans lines is left out: few clients draw those.
fn relative(text: &Text, found: &[(Span, TokenKind)]) -> Vec<SemanticToken> {
    let (mut last, mut data) = (Position::default(), Vec::with_capacity(found.len()));
    for (span, kind) in found {
        let range = text.range(*span);
        if range.start.line != range.end.line || range.start < last {
            continue;
        }
        let same = range.start.line == last.line;
        data.push(SemanticToken {
            delta_line: range.start.line - last.line,
            delta_start: if same { range.start.character - last.character } else { range.start.character },
            length: range.end.character - range.start.character,
            token_type: number(*kind),
            token_modifiers_bitset: 0,
        });
        last = range.start;
    }
    data
}

fn number(kind: TokenKind) -> u32 {
    match kind {
        TokenKind::Field => 0,
        TokenKind::ObjectKind => 1,
        TokenKind::Name => 2,
        TokenKind::Word => 3,
        TokenKind::LabelKey => 4,
        TokenKind::LabelValue => 5,
        TokenKind::Address => 6,
        TokenKind::Port => 7,
        TokenKind::Host => 8,
    }
}
