//! What the server can do.

use crate::client::Client;
use crate::requests::{COMMANDS, tokens};
use crate::world::RENDERED;
use gen_lsp_types::{
    ChangeNotifications, CodeActionKind, CodeActionOptions, CodeLensOptions, CompletionOptions, DiagnosticOptions,
    DocumentLinkOptions, ExecuteCommandOptions, Full, RenameOptions, SemanticTokensLegend, SemanticTokensOptions,
    ServerCapabilities, TextDocumentContentOptions, TextDocumentSyncKind, TextDocumentSyncOptions,
    WorkDoneProgressOptions, WorkspaceFoldersServerCapabilities, WorkspaceOptions,
};

/// After these, completion is asked for without a key.
const TRIGGERS: [&str; 5] = [":", "-", "/", "\"", " "];

/// What the server can do for a client.
pub(crate) fn capabilities(client: &Client) -> ServerCapabilities {
    let shown = WorkDoneProgressOptions { work_done_progress: Some(true) };
    let sync = TextDocumentSyncOptions {
        open_close: Some(true),
        change: Some(TextDocumentSyncKind::Incremental),
        save: Some(true.into()),
        ..TextDocumentSyncOptions::default()
    };
    let diagnostics = DiagnosticOptions {
        identifier: Some("tidegate".into()),
        inter_file_dependencies: true,
        ..DiagnosticOptions::default()
    };
    let tokens = SemanticTokensOptions {
        legend: SemanticTokensLegend {
            token_types: tokens::TYPES.iter().map(|it| (*it).to_owned()).collect(),
            token_modifiers: Vec::new(),
        },
        full: Some(Full::Bool(true)),
        ..SemanticTokensOptions::default()
    };
    let actions = CodeActionOptions {
        code_action_kinds: Some(vec![CodeActionKind::QuickFix, CodeActionKind::RefactorRewrite]),
        work_done_progress_options: shown,
        ..CodeActionOptions::default()
    };
    let schemes = vec![RENDERED.trim_end_matches(':').to_owned()];
    let rename = RenameOptions { prepare_provider: Some(true), work_done_progress_options: shown };
    let folders = WorkspaceFoldersServerCapabilities {
        supported: Some(true),
        change_notifications: Some(ChangeNotifications::Bool(true)),
    };
    let completion = CompletionOptions {
        trigger_characters: Some(TRIGGERS.iter().map(|it| (*it).to_owned()).collect()),
        ..CompletionOptions::default()
    };
    ServerCapabilities {
        position_encoding: Some(client.encoding.kind()),
        text_document_sync: Some(sync.into()),
        completion_provider: Some(completion),
        hover_provider: Some(true.into()),
        definition_provider: Some(true.into()),
        references_provider: Some(true.into()),
        document_symbol_provider: Some(true.into()),
        workspace_symbol_provider: Some(true.into()),
        code_action_provider: Some(actions.into()),
        code_lens_provider: Some(CodeLensOptions { work_done_progress_options: shown, ..CodeLensOptions::default() }),
        document_link_provider: Some(DocumentLinkOptions::default()),
        rename_provider: Some(rename.into()),
        folding_range_provider: Some(true.into()),
        selection_range_provider: Some(true.into()),
        inlay_hint_provider: Some(true.into()),
        semantic_tokens_provider: Some(tokens.into()),
        diagnostic_provider: client.pulls.then(|| diagnostics.into()),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: COMMANDS.iter().map(|it| (*it).to_owned()).collect(),
            work_done_progress_options: shown,
        }),
        workspace: Some(WorkspaceOptions {
            workspace_folders: Some(folders),
            text_document_content: Some(TextDocumentContentOptions { schemes }.into()),
            ..WorkspaceOptions::default()
        }),
        ..ServerCapabilities::default()
    }
}
