//! `textDocument/completion`

use super::Ask;
use crate::view::{Refusal, Text, View};
use gen_lsp_types::{
    CompletionItem, CompletionItemKind, CompletionItemTag, CompletionList, CompletionParams, CompletionRequest,
    CompletionResponse, InsertTextFormat, InsertTextMode, MarkupContent, MarkupKind, TextEdit,
};
use ide::ItemKind;

/// How many are sent at once; with more the client asks again once another letter is typed.
const MOST: usize = 500;

pub(super) struct Completion;

impl Ask for Completion {
    type Message = CompletionRequest;

    fn answer(view: &View, asked: CompletionParams) -> Result<Option<CompletionResponse>, Refusal> {
        let (text, at) = view.at(&asked.text_document_position_params)?;
        // What is completed is YAML by lines.
        if is_json(view, &text) {
            return Ok(None);
        }
        let found = ide::complete(&view.db, at);
        let is_incomplete = found.len() > MOST;
        let items =
            found.into_iter().take(MOST).map(|it| item(&text, if view.client.snippets { it } else { plain(it) }));
        let items = items.collect();
        Ok(Some(CompletionList { is_incomplete, items, ..CompletionList::default() }.into()))
    }
}

/// The same for a client that does not expand snippets: the words of their places stay, and a place without words is nothing.
fn plain(mut item: ide::Item) -> ide::Item {
    if !item.is_snippet {
        return item;
    }
    let (mut out, mut rest) = (String::new(), item.insert.chars().peekable());
    while let Some(it) = rest.next() {
        match it {
            '\\' => out.extend(rest.next()),
            '$' if rest.peek() == Some(&'{') => {
                match rest.by_ref().find(|it| matches!(it, ':' | '|' | '}')) {
                    Some(':') => out.extend(rest.by_ref().take_while(|it| *it != '}')),
                    // Of several words the first.
                    Some('|') => {
                        let words: String = rest.by_ref().take_while(|it| *it != '}').collect();
                        out.push_str(words.split([',', '|']).next().unwrap_or_default());
                    }
                    _ => {}
                }
            }
            '$' => while rest.next_if(char::is_ascii_digit).is_some() {},
            it => out.push(it),
        }
    }
    (item.insert, item.is_snippet) = (out, false);
    item
}

fn item(text: &Text, found: ide::Item) -> CompletionItem {
    let documentation = MarkupContent { kind: MarkupKind::Markdown, value: found.documentation };
    let edit = TextEdit { range: text.range(found.span), new_text: found.insert };
    CompletionItem {
        kind: Some(kind(found.kind)),
        tags: found.deprecated.then(|| vec![CompletionItemTag::Deprecated]),
        detail: (!found.detail.is_empty()).then_some(found.detail),
        documentation: (!documentation.value.is_empty()).then(|| documentation.into()),
        sort_text: Some(found.sort),
        filter_text: Some(found.label.clone()),
        insert_text_format: Some(if found.is_snippet {
            InsertTextFormat::Snippet
        } else {
            InsertTextFormat::PlainText
        }),
        // Its lines carry their indentation.
        insert_text_mode: Some(InsertTextMode::AsIs),
        text_edit: Some(edit.into()),
        label: found.label,
        ..CompletionItem::default()
    }
}

/// Whether a document is JSON by its name.
pub(super) fn is_json(view: &View, text: &Text) -> bool {
    text.file.path(&view.db).to_ascii_lowercase().ends_with(".json")
}

fn kind(of: ItemKind) -> CompletionItemKind {
    match of {
        ItemKind::Field => CompletionItemKind::Property,
        ItemKind::Word => CompletionItemKind::EnumMember,
        ItemKind::LabelKey => CompletionItemKind::Field,
        ItemKind::LabelValue | ItemKind::Name | ItemKind::Address => CompletionItemKind::Value,
        ItemKind::Namespace => CompletionItemKind::Module,
        ItemKind::Object => CompletionItemKind::Reference,
        ItemKind::Port => CompletionItemKind::Constant,
        ItemKind::Snippet => CompletionItemKind::Snippet,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(snippet: &str, text: &str) {
        let item = ide::Item {
            label: String::new(),
            kind: ItemKind::Snippet,
            detail: String::new(),
            documentation: String::new(),
            span: source::Span::default(),
            insert: snippet.into(),
            is_snippet: true,
            sort: String::new(),
            deprecated: false,
        };
        assert_eq!(plain(item).insert, text);
    }

    #[test]
    fn without_snippets_the_words_of_places_stay() {
        check("name: ${1:web}\n  $2$0", "name: web\n  ");
        check("on: ${1|Ingress,Egress|} ${2:x}", "on: Ingress x");
        check("cost: \\$5 ${3}x\\}", "cost: $5 x}");
    }
}
