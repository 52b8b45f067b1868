//! What a client can do.

use crate::positions::Encoding;
use gen_lsp_types::{ClientCapabilities, InitializeParams, MarkupKind, Uri, WorkspaceFolders};
use std::path::PathBuf;

/// What of a client's abilities matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one ability of the protocol")]
pub(crate) struct Client {
    /// In what both count columns.
    pub encoding: Encoding,
    /// Asks for diagnostics of open documents itself.
    pub pulls: bool,
    /// Asks again when it is told to.
    pub refreshes_diagnostics: bool,
    /// Likewise for lenses.
    pub refreshes_lenses: bool,
    /// Likewise for inlay hints.
    pub refreshes_inlays: bool,
    /// Shows further places of a diagnostic.
    pub related: bool,
    /// Shows tags of a diagnostic.
    pub tags: bool,
    /// Expands snippets.
    pub snippets: bool,
    /// Links with an origin.
    pub links: bool,
    /// Draws Markdown in hovers.
    pub markdown: bool,
    /// Shows symbols as a tree.
    pub tree: bool,
    /// Takes actions, and not commands alone.
    pub actions: bool,
    /// Takes edits of several documents with their versions.
    pub versioned_edits: bool,
    /// Answers what it is configured as.
    pub configuration: bool,
    /// Watches files for us.
    pub watches: bool,
    /// Shows progress.
    pub progress: bool,
    /// Shows documents that are ours.
    pub contents: bool,
    /// Folds whole lines only.
    pub folds_lines: bool,
}

impl Client {
    /// Reads the abilities that a client declares.
    pub fn of(declared: &ClientCapabilities) -> Client {
        let yes = |it: Option<bool>| it.unwrap_or(false);
        let text = declared.text_document.clone().unwrap_or_default();
        let workspace = declared.workspace.clone().unwrap_or_default();
        let window = declared.window.unwrap_or_default();
        let general = declared.general.clone().unwrap_or_default();
        let published = text.publish_diagnostics.unwrap_or_default();
        let hover = text.hover.unwrap_or_default().content_format.unwrap_or_default();
        let item = text.completion.unwrap_or_default().completion_item.unwrap_or_default();
        let watched = workspace.did_change_watched_files.unwrap_or_default();
        let pulled = text.diagnostic.clone().unwrap_or_default().diagnostics_capabilities;
        Client {
            encoding: Encoding::agreed(&general.position_encodings.unwrap_or_default()),
            pulls: text.diagnostic.is_some(),
            refreshes_diagnostics: yes(workspace.diagnostics.unwrap_or_default().refresh_support),
            refreshes_lenses: yes(workspace.code_lens.unwrap_or_default().refresh_support),
            refreshes_inlays: yes(workspace.inlay_hint.unwrap_or_default().refresh_support),
            related: yes(published.diagnostics_capabilities.related_information) || yes(pulled.related_information),
            tags: published.diagnostics_capabilities.tag_support.is_some() || pulled.tag_support.is_some(),
            snippets: yes(item.snippet_support),
            links: yes(text.definition.unwrap_or_default().link_support),
            markdown: hover.is_empty() || hover.contains(&MarkupKind::Markdown),
            tree: yes(text.document_symbol.unwrap_or_default().hierarchical_document_symbol_support),
            actions: text.code_action.unwrap_or_default().code_action_literal_support.is_some(),
            versioned_edits: yes(workspace.workspace_edit.unwrap_or_default().document_changes),
            configuration: yes(workspace.configuration),
            watches: yes(watched.dynamic_registration),
            progress: yes(window.work_done_progress),
            contents: workspace.text_document_content.is_some(),
            folds_lines: yes(text.folding_range.unwrap_or_default().line_folding_only),
        }
    }
}

/// The folders that a client has open, in its order.
#[allow(deprecated, reason = "older clients name one folder by the older fields")]
pub(crate) fn roots(params: &InitializeParams) -> Vec<PathBuf> {
    let path = |uri: &Uri| crate::documents::path(uri);
    if let Some(WorkspaceFolders::WorkspaceFolderList(folders)) =
        &params.workspace_folders_initialize_params.workspace_folders
    {
        return folders.iter().filter_map(|it| path(&it.uri)).collect();
    }
    let one = params.root_uri.as_ref().and_then(path);
    let named = match &params.root_path {
        Some(gen_lsp_types::RootPath::String(it)) => Some(PathBuf::from(it)),
        _ => None,
    };
    one.or(named).into_iter().collect()
}
