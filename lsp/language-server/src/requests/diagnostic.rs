//! `textDocument/diagnostic`: what is wrong with a document, for clients that ask.

use super::Ask;
use crate::publish;
use crate::view::{Refusal, View};
use gen_lsp_types::{
    DocumentDiagnosticParams, DocumentDiagnosticReport, DocumentDiagnosticRequest, FullDocumentDiagnosticReport,
    RelatedFullDocumentDiagnosticReport, RelatedUnchangedDocumentDiagnosticReport, UnchangedDocumentDiagnosticReport,
};
use std::hash::{DefaultHasher, Hash, Hasher};

pub(super) struct Pulled;

impl Ask for Pulled {
    type Message = DocumentDiagnosticRequest;

    fn answer(view: &View, asked: DocumentDiagnosticParams) -> Result<DocumentDiagnosticReport, Refusal> {
        let text = view.text(&asked.text_document.uri)?;
        let items = publish::diagnostics(view, text.file);
        let mut hasher = DefaultHasher::new();
        items.hash(&mut hasher);
        let id = format!("{:016x}", hasher.finish());
        if asked.previous_result_id.as_ref() == Some(&id) {
            return Ok(RelatedUnchangedDocumentDiagnosticReport {
                related_documents: None,
                unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport::new(id),
            }
            .into());
        }
        Ok(RelatedFullDocumentDiagnosticReport {
            related_documents: None,
            full_document_diagnostic_report: FullDocumentDiagnosticReport::new(Some(id), items),
        }
        .into())
    }
}
