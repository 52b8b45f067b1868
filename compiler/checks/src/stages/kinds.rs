use diag::Diagnostic;
use kinds::{Consequence, Form, Problem, ProblemKind, Stage};

use crate::place::Spot;
use crate::words::nearest;
use crate::*;

pub(super) fn render(spot: &Spot<'_>, problem: &Problem) -> Diagnostic {
    match &problem.kind {
        ProblemKind::NotAnObject => tg0010_not_an_object::render(spot),
        ProblemKind::UnknownKind { api_version, kind } => tg0011_unknown_kind::render(spot, api_version, kind),
        ProblemKind::KindNotYet { role, api_version, kind } => {
            tg0013_kind_not_enforced_yet::render(spot, *role, api_version, kind)
        }
        ProblemKind::DeprecatedVersion(version) => tg0095_deprecated_version::render(spot, version),
        ProblemKind::RemovedKind(removed) => tg0091_removed_kind::render(spot, removed),
        ProblemKind::Foreign { engine } => tg0090_foreign_policy::render(spot, *engine),
        ProblemKind::NoName => tg0014_object_without_name::render(spot, problem),
        ProblemKind::UnknownField { name, known } => tg0015_unknown_field::render(spot, problem, name, known),
        ProblemKind::Missing { name } => tg0016_missing_field::render(spot, problem, name),
        ProblemKind::WrongType { wanted, found } => tg0017_wrong_type::render(spot, problem, wanted, found),
        ProblemKind::NotOneOf { found, allowed } => tg0018_unknown_word::render(spot, problem, found, allowed),
        ProblemKind::OutOfRange { found, least, greatest } => {
            tg0019_number_out_of_range::render(spot, problem, *found, *least, *greatest)
        }
        ProblemKind::TooMany { limit: 0, .. } => tg0036_requires_not_empty::render(spot, problem),
        ProblemKind::TooMany { found, limit } => tg0020_list_too_long::render(spot, problem, *found, *limit),
        ProblemKind::TooFew { found, limit } => tg0054_list_too_short::render(spot, problem, *found, *limit),
        ProblemKind::TooLong { found, limit } => tg0055_text_length::render_long(spot, problem, *found, *limit),
        ProblemKind::TooShort { found, limit } => tg0055_text_length::render_short(spot, problem, *found, *limit),
        ProblemKind::TooFewFields { found, limit } => {
            tg0056_wrong_number_of_fields::render_few(spot, problem, *found, *limit)
        }
        ProblemKind::TooManyFields { found, limit } => {
            tg0056_wrong_number_of_fields::render_many(spot, problem, *found, *limit)
        }
        ProblemKind::Duplicate => tg0057_duplicate_member::render(spot, problem),
        ProblemKind::RuleBroken { name, says } => tg0058_rule_broken::render(spot, problem, name, says),
        ProblemKind::BadExpression { found, why } => tg0064_bad_expression::render(spot, problem, found, why),
        ProblemKind::Forbidden { beside } => tg0060_field_not_allowed_here::render(spot, problem, beside),
        ProblemKind::AddressesDiffer => tg0061_addresses_do_not_fit::render(spot, problem),
        ProblemKind::BadForm { found, wanted } => render_form(spot, problem, found, *wanted),
        ProblemKind::ReservedWithValue => tg0022_bad_label::render_reserved(spot, problem),
        ProblemKind::ValuesNeeded => tg0025_values_do_not_fit_operator::render_needed(spot, problem),
        ProblemKind::ValuesForbidden => tg0025_values_do_not_fit_operator::render_forbidden(spot, problem),
        ProblemKind::ExceptOutside { except, block } => {
            tg0026_except_outside_block::render(spot, problem, *except, *block)
        }
        ProblemKind::EndPortWithoutPort => tg0027_bad_port_range::render_without_port(spot, problem),
        ProblemKind::EndPortWithName => tg0027_bad_port_range::render_with_name(spot, problem),
        ProblemKind::EndPortBelowPort => tg0027_bad_port_range::render_below(spot, problem),
        ProblemKind::EmptyPeer => tg0028_empty_peer::render(spot, problem),
        ProblemKind::BlockBesideSelector => tg0029_block_beside_selector::render(spot, problem),
        ProblemKind::CombinedPeers { first, second } => tg0030_combined_peers::render(spot, problem, first, second),
        ProblemKind::NodeSelectorInNamespace => tg0032_node_selector_in_namespace::render(spot, problem),
        ProblemKind::NoRules => tg0033_no_rules::render(spot, problem),
        ProblemKind::IcmpBesidePorts => tg0034_icmp_beside_ports::render(spot, problem),
        ProblemKind::UnknownIcmpType { found } => tg0035_unknown_icmp_type::render(spot, problem, found),
        ProblemKind::NamespaceReplaced => tg0053_namespace_replaced::render(spot, problem),
        ProblemKind::NotExactlyOne { of } => render_choice(spot, problem, of),
        ProblemKind::NoneOf { of } => render_none(spot, problem, of),
        ProblemKind::DnsOnIngress => tg0038_proxy_rule_in_wrong_place::render_dns(spot, problem),
        ProblemKind::L7OnHost => tg0038_proxy_rule_in_wrong_place::render_host(spot, problem),
        ProblemKind::ListenerOnIngress => tg0038_proxy_rule_in_wrong_place::render_listener(spot, problem),
        ProblemKind::L7NeedsTcp => tg0039_proxy_rule_on_wrong_port::render_tcp(spot, problem),
        ProblemKind::L7OnPortZero => tg0039_proxy_rule_on_wrong_port::render_zero(spot, problem),
        ProblemKind::DnsNeedsPort => tg0039_proxy_rule_on_wrong_port::render_dns(spot, problem),
        ProblemKind::SeveralL7 => tg0040_conflicting_proxy_rules::render_several(spot, problem),
        ProblemKind::L7WithoutProtocol => tg0040_conflicting_proxy_rules::render_no_protocol(spot, problem),
        ProblemKind::ServerNamesNeedTls => tg0040_conflicting_proxy_rules::render_server_names(spot, problem),
        ProblemKind::ListenerBesideL7 => tg0040_conflicting_proxy_rules::render_listener(spot, problem),
        ProblemKind::PortOfPortlessProtocol => tg0041_port_of_portless_protocol::render(spot, problem),
        ProblemKind::UnknownType { names } => tg0093_unknown_type::render(spot, problem, names),
        ProblemKind::NamesInDeny => tg0094_names_in_deny::render(spot, problem),
        ProblemKind::KindIgnored => tg0092_kind_ignored_by_cilium::render(spot),
        ProblemKind::NotYet => tg0042_not_enforced_yet::render(spot, problem),
    }
}

/// Fields that exclude each other have a page of their own where there is more to say of them.
fn render_choice(spot: &Spot<'_>, problem: &Problem, of: &[&'static str]) -> Diagnostic {
    match of.first() {
        Some(&"endpointSelector") => tg0031_not_one_subject::render_two(spot, problem),
        Some(&"http") => tg0040_conflicting_proxy_rules::render_several(spot, problem),
        _ => tg0037_not_exactly_one::render(spot, problem, of),
    }
}

fn render_none(spot: &Spot<'_>, problem: &Problem, of: &[&'static str]) -> Diagnostic {
    match of.first() {
        Some(&"endpointSelector") => tg0031_not_one_subject::render_none(spot, problem),
        Some(&"ingress") => tg0033_no_rules::render(spot, problem),
        _ => tg0037_not_exactly_one::render(spot, problem, of),
    }
}

fn render_form(spot: &Spot<'_>, problem: &Problem, found: &str, wanted: Form) -> Diagnostic {
    match wanted {
        Form::Cidr => tg0021_bad_address_block::render(spot, problem, found),
        Form::LabelKey => tg0022_bad_label::render_key(spot, problem, found),
        Form::LabelValue => tg0022_bad_label::render_value(spot, problem, found),
        Form::PortName => tg0023_bad_port::render_name(spot, problem, found),
        Form::PortText => tg0023_bad_port::render_text(spot, problem, found),
        Form::DnsName => tg0024_bad_dns_name::render_name(spot, problem, found),
        Form::DnsPattern => tg0024_bad_dns_name::render_pattern(spot, problem, found),
        Form::DnsLabel | Form::FullDnsName => tg0024_bad_dns_name::render_other(spot, problem, found, wanted),
        Form::IcmpType => tg0035_unknown_icmp_type::render(spot, problem, found),
        Form::ExactCidr => tg0062_ambiguous_address_block::render(spot, problem, found),
        Form::Address => tg0063_bad_address_field::render(spot, problem, found),
        Form::PublicAddress => tg0063_bad_address_field::render_special(spot, problem, found),
        Form::Pattern(pattern) => tg0059_text_does_not_match::render_pattern(spot, problem, found, pattern),
        Form::Format(format) => tg0059_text_does_not_match::render_format(spot, problem, found, format),
    }
}

/// Whether a problem says that something is missing, which holds of everything after the place where a text breaks off.
pub(super) fn is_absence(kind: &ProblemKind) -> bool {
    matches!(
        kind,
        ProblemKind::NotAnObject
            | ProblemKind::NoName
            | ProblemKind::Missing { .. }
            | ProblemKind::WrongType { found: "null", .. }
            | ProblemKind::ValuesNeeded
            | ProblemKind::EndPortWithoutPort
            | ProblemKind::EmptyPeer
            | ProblemKind::NoneOf { .. }
            | ProblemKind::TooFew { .. }
            | ProblemKind::TooFewFields { .. }
            | ProblemKind::RuleBroken { .. }
            | ProblemKind::NoRules
            | ProblemKind::NotExactlyOne { .. }
            | ProblemKind::L7NeedsTcp
            | ProblemKind::DnsNeedsPort
            | ProblemKind::L7WithoutProtocol
            | ProblemKind::ServerNamesNeedTls
    ) || matches!(kind, ProblemKind::BadForm { found, .. } if found.is_empty())
}

/// The problems that are worth words, in order: without the echoes of others.
///
/// Where an echo refuses the object, its cause is taken to refuse it: a field that is dropped because its name is misspelt may leave
/// a peer that says nothing.
pub(super) fn without_echoes(all: &[Problem]) -> Vec<Problem> {
    let said = all.iter().filter(|it| !all.iter().any(|cause| is_echo(it, cause)));
    let graver = |it: &Problem| {
        let mut echoes = all.iter().filter(|echo| is_echo(echo, it));
        let refuses =
            echoes.find(|echo| echo.consequence == Consequence::Rejected && it.consequence != Consequence::Rejected);
        let (stage, consequence) = refuses.map_or((it.stage, it.consequence), |echo| (echo.stage, echo.consequence));
        Problem { stage, consequence, ..it.clone() }
    };
    said.map(graver).collect()
}

/// Whether a problem only repeats another, or follows from it.
fn is_echo(problem: &Problem, cause: &Problem) -> bool {
    is_said_twice(problem, cause) || is_left_out(problem, cause) || is_of_unknown_type(problem, cause)
}

/// Whether a later stage says again what an earlier one has refused at the same place.
fn is_said_twice(problem: &Problem, cause: &Problem) -> bool {
    let refused = cause.consequence == Consequence::Rejected && cause.stage < problem.stage;
    let refused = refused && problem.stage != Stage::Reach;
    refused && cause.path == problem.path
}

/// Whether something only seems to be missing because its name is misspelt or its value is of the wrong type.
fn is_left_out(problem: &Problem, cause: &Problem) -> bool {
    let is_cause = match &cause.kind {
        // Why: what stands in the place of one of several fields was meant as one of them, whatever its name.
        ProblemKind::UnknownField { .. } if matches!(problem.kind, ProblemKind::NoneOf { .. }) => true,
        ProblemKind::UnknownField { name, known } => nearest(name, known.iter().copied()).is_some(),
        ProblemKind::WrongType { .. } => true,
        _ => false,
    };
    let inside = matches!(cause.kind, ProblemKind::WrongType { .. })
        && matches!(problem.kind, ProblemKind::UnknownField { .. })
        && problem.path.strip_prefix(&cause.path).is_some_and(|rest| rest.starts_with(['.', '[']));
    // Why: what must not be there need not be right.
    let in_it = problem.path.strip_prefix(&cause.path).is_some_and(|rest| rest.starts_with('['));
    let gone = matches!(cause.kind, ProblemKind::TooMany { limit: 0, .. }) && in_it;
    gone || inside || is_cause && is_absence(&problem.kind) && parent(&cause.path) == Some(&problem.path)
}

/// Whether a part of an unknown type is said of its field, or a misspelt field of the part: the nearer to the fault stands.
fn is_of_unknown_type(problem: &Problem, cause: &Problem) -> bool {
    match (&problem.kind, &cause.kind) {
        (ProblemKind::UnknownField { name, known }, ProblemKind::UnknownType { .. }) => {
            nearest(name, known.iter().copied()).is_none() && parent(&problem.path) == Some(&cause.path)
        }
        (ProblemKind::UnknownType { .. }, ProblemKind::UnknownField { name, known }) => {
            nearest(name, known.iter().copied()).is_some() && parent(&cause.path) == Some(&problem.path)
        }
        _ => false,
    }
}

/// The path of what holds the place of a path.
fn parent(path: &str) -> Option<&str> {
    match path.ends_with("\"]") {
        true => path.rfind("[\"").map(|at| &path[..at]),
        false if path.is_empty() => None,
        false => Some(path.rfind(['.', '[']).map_or("", |at| &path[..at])),
    }
}
