use diag::Diagnostic;
use syntax::{Problem, ProblemKind};

use crate::place::Text;
use crate::*;

pub(super) fn render(text: &Text, problem: &Problem) -> Diagnostic {
    match &problem.kind {
        ProblemKind::Syntax { message } => tg0002_not_yaml::render(text, problem, message),
        ProblemKind::ControlCharacter { character } => tg0002_not_yaml::render_character(text, problem, *character),
        ProblemKind::Tab => tg0003_tab_indentation::render(text, problem),
        ProblemKind::DuplicateKey { key } => tg0004_duplicate_key::render(text, problem, key),
        ProblemKind::NonStringKey => tg0005_key_not_text::render(text, problem),
        ProblemKind::UnknownAnchor { name } => tg0006_broken_reference::render_unknown(text, problem, name),
        ProblemKind::RecursiveAlias => tg0006_broken_reference::render_recursive(text, problem),
        ProblemKind::BadMerge => tg0006_broken_reference::render_merge(text, problem),
        ProblemKind::TagMismatch { tag } => tg0007_value_not_json::render_tag(text, problem, tag),
        ProblemKind::NotJson => tg0007_value_not_json::render_number(text, problem),
        ProblemKind::UnrenderedTemplate => tg0008_unrendered_template::render(text, problem),
        ProblemKind::TooLarge { limit } => tg0009_yaml_limit::render_bytes(text, problem, *limit),
        ProblemKind::TooDeep { limit } => tg0009_yaml_limit::render_depth(text, problem, *limit),
        ProblemKind::TooManyNodes { limit } => tg0009_yaml_limit::render_nodes(text, problem, *limit),
        ProblemKind::AliasBomb { limit } => tg0009_yaml_limit::render_aliases(text, problem, *limit),
    }
}

/// How far the objects of a document can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// All of it could be read.
    Whole,
    /// Part of it was lost: what is there is there, what is missing may have been lost.
    Parts,
    /// It is not what will be applied.
    Nothing,
}

impl Trust {
    /// Whether a problem of a policy is worth a word.
    pub fn in_policy(self, problem: &::kinds::Problem) -> bool {
        match self {
            Trust::Whole => true,
            Trust::Parts => !super::kinds::is_absence(&problem.kind),
            Trust::Nothing => false,
        }
    }
}

/// How far the objects of a document can be believed.
pub(crate) fn trust(text: &Text, document: usize) -> Trust {
    let Some(document) = text.tree.documents().get(document) else { return Trust::Nothing };
    if document.sound {
        return Trust::Whole;
    }
    let inside =
        |problem: &&Problem| document.span.start <= problem.span.start && problem.span.start <= document.span.end;
    let lost = text.tree.problems().iter().filter(inside).map(|problem| left(&problem.kind));
    lost.max().unwrap_or(Trust::Parts)
}

/// What one fault leaves to believe.
fn left(kind: &ProblemKind) -> Trust {
    match kind {
        ProblemKind::UnrenderedTemplate => Trust::Nothing,
        ProblemKind::DuplicateKey { .. }
        | ProblemKind::NonStringKey
        | ProblemKind::TagMismatch { .. }
        | ProblemKind::NotJson => Trust::Whole,
        ProblemKind::Syntax { .. }
        | ProblemKind::Tab
        | ProblemKind::ControlCharacter { .. }
        | ProblemKind::UnknownAnchor { .. }
        | ProblemKind::RecursiveAlias
        | ProblemKind::BadMerge
        | ProblemKind::TooLarge { .. }
        | ProblemKind::TooDeep { .. }
        | ProblemKind::TooManyNodes { .. }
        | ProblemKind::AliasBomb { .. } => Trust::Parts,
    }
}
