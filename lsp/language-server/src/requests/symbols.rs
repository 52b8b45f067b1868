//! `textDocument/documentSymbol` and `workspace/symbol`

use super::Ask;
use crate::view::{Refusal, Text, View};
use gen_lsp_types::{
    BaseSymbolInformation, DocumentSymbol, DocumentSymbolParams, DocumentSymbolRequest, DocumentSymbolResponse,
    Location, SymbolInformation, SymbolKind, WorkspaceSymbol, WorkspaceSymbolParams, WorkspaceSymbolRequest,
    WorkspaceSymbolResponse,
};

/// How many symbols of a workspace are sent at once: a longer query names fewer.
const MOST: usize = 500;

pub(super) struct Document;

impl Ask for Document {
    type Message = DocumentSymbolRequest;

    fn answer(view: &View, asked: DocumentSymbolParams) -> Result<Option<DocumentSymbolResponse>, Refusal> {
        let text = view.text(&asked.text_document.uri)?;
        let found = ide::symbols(&view.db, text.file);
        if view.client.tree {
            let tree: Vec<DocumentSymbol> = found.iter().map(|it| symbol(&text, it)).collect();
            return Ok(Some(tree.into()));
        }
        let flat = found.iter().map(|it| {
            let location = Location { uri: asked.text_document.uri.clone(), range: text.range(it.full) };
            SymbolInformation::new(None, location, base(it))
        });
        Ok(Some(flat.collect::<Vec<_>>().into()))
    }
}

pub(super) struct Workspace;

impl Ask for Workspace {
    type Message = WorkspaceSymbolRequest;

    fn answer(view: &View, asked: WorkspaceSymbolParams) -> Result<Option<WorkspaceSymbolResponse>, Refusal> {
        let found = ide::workspace_symbols(&view.db, &asked.query);
        let found = found.iter().take(MOST).filter_map(|(it, file)| {
            let location = view.location(*file, it.focus)?;
            Some(WorkspaceSymbol { location: location.into(), data: None, base_symbol_information: base(it) })
        });
        Ok(Some(found.collect::<Vec<_>>().into()))
    }
}

fn symbol(text: &Text, of: &ide::Symbol) -> DocumentSymbol {
    let children: Vec<DocumentSymbol> = of.children.iter().map(|it| symbol(text, it)).collect();
    DocumentSymbol {
        name: of.name.clone(),
        detail: (!of.detail.is_empty()).then(|| of.detail.clone()),
        kind: kind(of.kind),
        range: text.range(of.full),
        selection_range: text.range(of.focus),
        children: (!children.is_empty()).then_some(children),
        tags: None,
        #[allow(deprecated, reason = "the field is part of the type")]
        deprecated: None,
    }
}

fn base(of: &ide::Symbol) -> BaseSymbolInformation {
    let container_name = (!of.detail.is_empty()).then(|| of.detail.clone());
    BaseSymbolInformation { name: of.name.clone(), kind: kind(of.kind), tags: None, container_name }
}

fn kind(of: ide::SymbolKind) -> SymbolKind {
    match of {
        ide::SymbolKind::Policy => SymbolKind::Class,
        ide::SymbolKind::Object => SymbolKind::Object,
        ide::SymbolKind::Rule => SymbolKind::Method,
    }
}
