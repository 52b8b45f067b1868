use diag::Diagnostic;
use kinds::{Problem, ProblemKind};

use crate::place::Spot;
use crate::*;

pub(super) fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    match &problem.kind {
        ProblemKind::UnknownField { name, known } => tg0015_unknown_field::render(spot, problem, name, known),
        ProblemKind::WrongType { wanted, found } => tg0017_wrong_type::render(spot, problem, wanted, found),
        _ => tg0017_wrong_type::render(spot, problem, "", ""),
    }
}

/// Whether a problem says that something is missing, which a broken text says of everything after the break.
pub(super) fn is_absence(_kind: &ProblemKind) -> bool {
    false
}
