use diag::Diagnostic;
use syntax::{Problem, ProblemKind};

use crate::place::Text;
use crate::*;

pub(super) fn render(text: &Text<'_>, problem: &Problem) -> Diagnostic {
    match &problem.kind {
        ProblemKind::DuplicateKey { key } => tg0004_duplicate_key::render(text, problem, key),
        _ => tg0004_duplicate_key::render(text, problem, ""),
    }
}

/// How far the objects of a document can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trust {
    /// The document is sound, or all of it could be read.
    Whole,
    /// Part of it was lost: what is there is there, what is missing may have been lost.
    Parts,
    /// It is not what will be applied.
    Nothing,
}

impl Trust {
    /// Whether a problem of a policy is worth a word.
    pub fn kinds(self, problem: &kinds::Problem) -> bool {
        match self {
            Trust::Whole => true,
            Trust::Parts => !super::kinds::is_absence(&problem.kind),
            Trust::Nothing => false,
        }
    }

    /// Whether problems of facts are.
    pub fn facts(self) -> bool {
        self == Trust::Whole
    }
}

/// How far the objects of a document can be believed.
pub(super) fn trust(text: &Text<'_>, document: usize) -> Trust {
    let Some(document) = text.tree.documents().get(document) else { return Trust::Nothing };
    if document.sound {
        return Trust::Whole;
    }
    let within =
        |problem: &&Problem| document.span.start <= problem.span.start && problem.span.start <= document.span.end;
    let of = |problem: &Problem| match problem.kind {
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
    };
    let all = text.tree.problems().iter().filter(within).map(of);
    all.max_by_key(|trust| *trust as u8).unwrap_or(Trust::Parts)
}
