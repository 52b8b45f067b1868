use diag::Diagnostic;
use facts::decode::Problem;

use crate::place::Spot;
use crate::*;

pub(super) fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    let _ = problem;
    spot.blame(tg0017_wrong_type::PAGE.says("x"), spot.key(""), "")
}
