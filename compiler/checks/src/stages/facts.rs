use diag::Diagnostic;
use facts::decode::{Problem, ProblemKind};

use crate::place::Spot;
use crate::*;

pub(super) fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    match &problem.kind {
        ProblemKind::NoName => tg0043_cluster_object_without_name::render(spot),
        ProblemKind::NotAnAddress(found) => tg0044_bad_address::render_address(spot, problem, found),
        ProblemKind::NotAPrefix(found) => tg0044_bad_address::render_prefix(spot, problem, found),
        ProblemKind::UnknownProtocol(found) => tg0045_bad_container_port::render_protocol(spot, problem, found),
        ProblemKind::NotAPort(found) => tg0045_bad_container_port::render_number(spot, problem, *found),
        ProblemKind::BadSetting { found, wanted } => tg0207_unreadable_setting::render(spot, problem, found, wanted),
        ProblemKind::SettingNotText => tg0207_unreadable_setting::render_no_text(spot, problem),
    }
}
