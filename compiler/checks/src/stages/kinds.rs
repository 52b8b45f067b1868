use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;

use ::syntax::Limits;
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
/// Cost: problems × depth. Whoever compared each problem with each other would not end on an object of many thousands.
pub(super) fn without_echoes(all: &[Problem]) -> Vec<Problem> {
    let bonds: Vec<Vec<Bond<'_>>> = all.iter().map(causes).collect();
    let known: BTreeSet<Bond<'_>> = bonds.iter().flatten().copied().collect();
    let mut refused: BTreeMap<&str, Stage> = BTreeMap::new();
    for it in all.iter().filter(|it| it.consequence == Consequence::Rejected) {
        let first = refused.entry(&it.path).or_insert(it.stage);
        *first = it.stage.min(*first);
    }
    // A later stage says again what an earlier one has refused at the same place.
    let is_said_twice = |it: &Problem| {
        it.stage != Stage::Reach && refused.get(it.path.as_str()).is_some_and(|earliest| *earliest < it.stage)
    };
    // The first echo of each bond that refuses the object.
    let mut refusing: BTreeMap<Bond<'_>, usize> = BTreeMap::new();
    let mut said = Vec::new();
    for (at, it) in all.iter().enumerate() {
        let mut is_left_out = false;
        for bond in echoes(it).filter(|bond| known.contains(bond)) {
            is_left_out = true;
            if it.consequence == Consequence::Rejected {
                refusing.entry(bond).or_insert(at);
            }
        }
        if !is_left_out && !is_said_twice(it) {
            said.push(at);
        }
    }
    let graver = |at: usize| {
        let it = &all[at];
        let bonds = bonds[at].iter().filter(|_| it.consequence != Consequence::Rejected);
        let worst = bonds.filter_map(|bond| refusing.get(bond)).min().map_or(it, |echo| &all[*echo]);
        Problem { stage: worst.stage, consequence: worst.consequence, ..it.clone() }
    };
    said.into_iter().map(graver).collect()
}

/// What ties an echo to its causes: how, and the path at which they meet. A problem is an echo of those that it shares a bond with.
type Bond<'p> = (Tie, &'p str);

/// How something only seems to be wrong because something else is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tie {
    /// What is missing stands there under a name that is misspelt, or with a value of the wrong type.
    Misspelt,
    /// None of several fields is there. What stands in their place was meant as one of them, whatever its name.
    Unnamed,
    /// What is inside a value of the wrong type has unknown names.
    Inside,
    /// What must not be there need not be right.
    Gone,
    /// A part whose type is unknown has fields that no name is near: the type is nearer to the fault.
    Typeless,
    /// A part whose type is unknown has a field with a misspelt name: the name is nearer to the fault.
    Mistyped,
}

/// Whether a field that is not known was meant as one that is.
fn is_misspelt(name: &str, known: &[&'static str]) -> bool {
    nearest(name, known.iter().copied()).is_some()
}

/// The bonds of a problem with its echoes.
fn causes(problem: &Problem) -> Vec<Bond<'_>> {
    let mut bonds = Vec::new();
    let holder = parent(&problem.path);
    match &problem.kind {
        ProblemKind::UnknownField { name, known } => {
            bonds.extend(holder.map(|holder| (Tie::Unnamed, holder)));
            let misspelt = holder.filter(|_| is_misspelt(name, known)).into_iter();
            bonds.extend(misspelt.flat_map(|holder| [(Tie::Misspelt, holder), (Tie::Mistyped, holder)]));
        }
        ProblemKind::WrongType { .. } => {
            bonds.extend(holder.map(|holder| (Tie::Misspelt, holder)));
            bonds.push((Tie::Inside, &problem.path));
        }
        ProblemKind::TooMany { limit: 0, .. } => bonds.push((Tie::Gone, &problem.path)),
        ProblemKind::UnknownType { .. } => bonds.push((Tie::Typeless, &problem.path)),
        _ => {}
    }
    bonds
}

/// The bonds of a problem with what may be its causes.
fn echoes(problem: &Problem) -> impl Iterator<Item = Bond<'_>> {
    let path = problem.path.as_str();
    let absent = is_absence(&problem.kind).then_some((Tie::Misspelt, path));
    let none = matches!(problem.kind, ProblemKind::NoneOf { .. }).then_some((Tie::Unnamed, path));
    let of_type = match &problem.kind {
        ProblemKind::UnknownField { name, known } if !is_misspelt(name, known) => {
            parent(path).map(|holder| (Tie::Typeless, holder))
        }
        ProblemKind::UnknownType { .. } => Some((Tie::Mistyped, path)),
        _ => None,
    };
    // Texts are not read any deeper; only keys full of dots and brackets would have more.
    let above = successors(parent(path), |path| parent(path)).take(Limits::default().max_depth);
    let is_unknown = matches!(problem.kind, ProblemKind::UnknownField { .. });
    let around = above.flat_map(move |holder| {
        let rest = &path[holder.len()..];
        let inside = (is_unknown && rest.starts_with(['.', '['])).then_some((Tie::Inside, holder));
        inside.into_iter().chain(rest.starts_with('[').then_some((Tie::Gone, holder)))
    });
    absent.into_iter().chain(none).chain(of_type).chain(around)
}

/// The path of what holds the place of a path.
fn parent(path: &str) -> Option<&str> {
    match path.ends_with("\"]") {
        true => path.rfind("[\"").map(|at| &path[..at]),
        false if path.is_empty() => None,
        false => Some(path.rfind(['.', '[']).map_or("", |at| &path[..at])),
    }
}
