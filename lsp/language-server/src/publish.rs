//! Findings as the diagnostics of the protocol.

use crate::view::View;
use diag::Severity;
use driver::SourceFile;
use gen_lsp_types::{
    Code, CodeDescription, Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag,
};

/// Findings about YAML that another server of YAML tells as well.
const OF_YAML: [&str; 3] = ["not-yaml", "tab-indentation", "duplicate-key"];
/// Findings about what could go without changing anything.
const UNNECESSARY: [&str; 5] =
    ["rule-twice", "block-within-block", "entity-within-entity", "unused-suppression", "redundant-rule"];
/// Findings about what is on its way out.
const DEPRECATED: [&str; 2] = ["deprecated-version", "removed-kind"];

/// What is found in a file and asked for, in the order of its places.
pub(crate) fn found(view: &View, file: SourceFile) -> Vec<diag::Diagnostic> {
    let mut found = ide::diagnostics(&view.db, file, &view.rules(file));
    // A document of which nothing is an object of Kubernetes is somebody else's.
    if found.iter().all(|it| it.slug == "not-an-object") {
        found.clear();
    }
    let beside = view.settings.beside_yaml_language_server;
    found.retain(|it| !(beside && OF_YAML.contains(&it.slug)) && (view.keep)(&view.db, it));
    found
}

/// The same as diagnostics.
pub(crate) fn diagnostics(view: &View, file: SourceFile) -> Vec<Diagnostic> {
    found(view, file).iter().map(|it| diagnostic(view, file, it)).collect()
}

/// One as a diagnostic.
pub(crate) fn diagnostic(view: &View, file: SourceFile, found: &diag::Diagnostic) -> Diagnostic {
    let id = file.id(&view.db);
    let blamed = found.place().filter(|label| label.file == id);
    let range = view.text_of(file).range(blamed.map(|label| label.span).unwrap_or_default());
    let more = found.labels.iter().filter(|label| blamed.is_none_or(|it| it != *label));
    let related = more.filter_map(|label| {
        let message = if label.text.is_empty() { found.headline.clone() } else { label.text.clone() };
        Some(DiagnosticRelatedInformation { location: view.location(label.file, label.span)?, message })
    });
    let tags = [(&UNNECESSARY[..], DiagnosticTag::Unnecessary), (&DEPRECATED[..], DiagnosticTag::Deprecated)];
    let tags: Vec<DiagnosticTag> =
        tags.into_iter().filter(|(slugs, _)| slugs.contains(&found.slug)).map(|(_, tag)| tag).collect();
    Diagnostic {
        range,
        severity: Some(match found.severity {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
            Severity::Hint => DiagnosticSeverity::Hint,
        }),
        code: Some(Code::String(found.code.to_string())),
        code_description: view.world.page(&found.code.to_string()).map(|href| CodeDescription { href }),
        source: Some("tidegate".into()),
        message: message(found, blamed.map_or("", |it| &it.text)).into(),
        tags: (view.client.tags && !tags.is_empty()).then_some(tags),
        related_information: view.client.related.then(|| related.collect::<Vec<_>>()).filter(|it| !it.is_empty()),
        data: None,
    }
}

/// The headline, and a line each for what is said beside the place, why it matters and what to do.
fn message(found: &diag::Diagnostic, beside: &str) -> String {
    let beside = (!beside.is_empty()).then_some(beside);
    let lines = [Some(found.headline.as_str()), beside, found.why.as_deref(), found.help.as_deref()];
    lines.into_iter().flatten().collect::<Vec<_>>().join("\n")
}
