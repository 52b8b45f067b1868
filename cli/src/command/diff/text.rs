//! A comparison for people at a terminal, and the words that other formats share.

use super::report::{ChangeEntry, Decision, DiffReport, Total};
use crate::render::count;
use crate::report::Incomplete;
use std::collections::BTreeMap;

/// How many changes are listed; JSON lists all.
const LISTED: usize = 200;

/// The report as text.
pub fn render(report: &DiffReport, colours: bool) -> String {
    let mut out = String::new();
    for it in report.changes.iter().take(LISTED) {
        out += &one(it, colours);
        out.push('\n');
    }
    if report.changes.len() > LISTED {
        out += &format!("and {} more; `-o json` lists them all\n\n", report.changes.len() - LISTED);
    }
    out += &notes(report).into_iter().map(|it| it + "\n").collect::<String>();
    out + &format!("{}; {}\n", headline(report), compared(report))
}

fn one(it: &ChangeEntry, colours: bool) -> String {
    let word = word(it);
    let word = match (colours, it.change.as_str()) {
        (false, _) => word,
        (true, "gained" | "widened") => format!("\x1b[1;31m{word}\x1b[0m"),
        (true, "lost") => format!("\x1b[1;33m{word}\x1b[0m"),
        (true, _) => format!("\x1b[1;36m{word}\x1b[0m"),
    };
    let mut out = format!("{word}  {}  {}\n", who(it), it.ports);
    for (when, decision) in [("was", &it.old), ("now", &it.new)] {
        out += &format!("  {when}  {}\n", says(decision));
        out += &decision.by.iter().map(|it| format!("       {it}\n")).collect::<String>();
    }
    if let Some(note) = note(it) {
        out += &format!("  {note}\n");
    }
    out + &format!("  for example {}\n", it.sample)
}

/// `gained`, or `perhaps lost`.
pub fn word(it: &ChangeEntry) -> String {
    let sure = if it.missing.is_empty() { "" } else { "perhaps " };
    format!("{sure}{}", it.change)
}

/// `ingress of shop/db from shop/web`.
pub fn who(it: &ChangeEntry) -> String {
    let from = if it.direction == "ingress" { "from" } else { "to" };
    format!("{} of {} {from} {}", it.direction, parties(&it.subjects), parties(&it.peers))
}

/// Who is at one end: where many are of one namespace, how many before the first of them.
pub fn parties(names: &[String]) -> String {
    const FEW: usize = 4;
    const SHOWN: usize = 6;
    let mut by_namespace: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (namespace, name) in names.iter().filter_map(|name| plain(name)) {
        by_namespace.entry(namespace).or_default().push(name);
    }
    by_namespace.retain(|_, names| names.len() > FEW);
    let many = by_namespace.iter().map(|(namespace, names)| {
        let first = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
        let more = names.len().checked_sub(SHOWN).filter(|more| *more > 0);
        let more = more.map_or(String::new(), |more| format!(" and {more} more"));
        format!("{} workloads of namespace {namespace}: {first}{more}", names.len())
    });
    let is_single = |name: &&String| plain(name).is_none_or(|(namespace, _)| !by_namespace.contains_key(namespace));
    let singles: Vec<String> = names.iter().filter(is_single).cloned().collect();
    let singles = (!singles.is_empty()).then(|| listed(&singles));
    many.chain(singles).collect::<Vec<_>>().join("; ")
}

/// The namespace and the name of a workload or pod; `None` for whoever has none, such as a block of addresses.
fn plain(name: &str) -> Option<(&str, &str)> {
    let (namespace, rest) = name.split_once('/')?;
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let is_block = namespace.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') || namespace.contains(':');
    (!is_block && namespace.bytes().chain(rest.bytes()).all(of_name)).then_some((namespace, rest))
}

/// Names in a line: the first of many.
pub fn listed(names: &[String]) -> String {
    const SHOWN: usize = 6;
    match names.len().checked_sub(SHOWN) {
        Some(more) if more > 1 => format!("{} and {more} more", names[..SHOWN].join(", ")),
        _ => names.join(", "),
    }
}

/// What keeps a change from being one, or from being certain.
pub fn note(it: &ChangeEntry) -> Option<String> {
    let supposed = "nobody in the files is one of these; they are supposed, as a cluster may have them";
    match () {
        () if !it.missing.is_empty() => Some(format!("it hangs on what was not read: {}", it.missing.join(", "))),
        () if !it.end_to_end => Some("the other end keeps it closed, before and after".to_owned()),
        () if it.supposed => Some(supposed.to_owned()),
        () => None,
    }
}

/// What decides, without the places.
pub fn says(decision: &Decision) -> String {
    let auth = match decision.authentication.as_deref() {
        Some(auth) => format!(", authentication {auth}"),
        None => String::new(),
    };
    let says = match (decision.because.as_str(), decision.verdict.as_str()) {
        ("default-allow", _) => "allowed: nothing isolates it".to_owned(),
        ("default-deny", _) => "denied: no rule allows it, and it is isolated by".to_owned(),
        (_, "deny") => "denied by".to_owned(),
        _ => match &decision.proxied {
            Some(it) if it.asks.is_empty() => format!("allowed through the proxy {} for every request by", it.proxy),
            Some(it) => format!("allowed through the proxy {} for {} by", it.proxy, it.asks.join("; ")),
            None => "allowed by".to_owned(),
        },
    };
    says + &auth
}

/// `2 gained (1 with the world), 1 lost`; what was not read comes first.
pub fn headline(report: &DiffReport) -> String {
    match report.unread.is_empty() {
        true => counts(&report.summary),
        false => format!("not everything was read; among the rest {}", counts(&report.summary)),
    }
}

fn counts(total: &Total) -> String {
    if !total.any() {
        return "no flow changes".to_owned();
    }
    let world = |n: usize| if n == 0 { String::new() } else { format!(" ({n} with the world)") };
    let mut parts = Vec::new();
    let mut add = |n: usize, words: String| parts.extend((n > 0).then(|| format!("{n} {words}")));
    add(total.gained, format!("gained{}", world(total.gained_from_world)));
    add(total.widened, format!("widened{}", world(total.widened_with_world)));
    add(total.lost, "lost".to_owned());
    add(total.altered, "altered".to_owned());
    add(total.tightened, "tightened".to_owned());
    add(total.one_end, "at one end only".to_owned());
    add(total.unknown, "unknown".to_owned());
    parts.join(", ")
}

/// What was compared.
pub fn compared(report: &DiffReport) -> String {
    let (old, new) = (&report.old, &report.new);
    let policies = |n| count(n, "policy", "policies");
    let dialect = match old.dialect == new.dialect {
        true => old.dialect.to_string(),
        false => format!("{} before, {} after", old.dialect, new.dialect),
    };
    format!("{} before, {} after; {dialect}", policies(old.policies), policies(new.policies))
}

/// What settings say of all flows at once, and what the configuration keeps from being compared, a line each.
pub fn by_configuration(report: &DiffReport) -> Vec<String> {
    let mut out: Vec<String> =
        report.audit_mode.iter().map(|it| it.sentence().trim_end_matches('.').to_owned()).collect();
    let (old, new) = (report.old.excluded, report.new.excluded);
    if old + new > 0 {
        out.push(format!(
            "`exclude` and ignore files leave out {} before, {new} after",
            count(old, "manifest", "manifests")
        ));
    }
    if !report.left_out.is_empty() {
        let all = listed(&report.left_out);
        out.push(format!("excluded and different, so flows may change that are not listed: {all}"));
    }
    out.extend(
        report.configuration.iter().map(|it| format!("{it}, and the configuration of now holds for both sides")),
    );
    out
}

/// What is said where not every pod was asked about that there may be.
const MORE_WAYS: &str = "not every pod that there may be was asked about: selectors can meet in more ways than are compared; a snapshot \
    (`--cluster`) with `--facts all` asks about those that there are";

/// What readers should know beside the changes, a line each.
pub fn notes(report: &DiffReport) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    if !report.unread.is_empty() {
        out.push(format!("could not be read, so flows may change that are not listed: {}", listed(&report.unread)));
    }
    out.extend(by_configuration(report));
    for (when, side) in [("before", &report.old), ("after", &report.new)] {
        if !side.refused.is_empty() {
            out.push(format!("refused by a cluster {when}, so without part: {}", listed(&side.refused)));
        }
        if !side.only_here.is_empty() {
            out.push(format!("only {when}: {}", listed(&side.only_here)));
        }
    }
    if !report.not_evaluated.is_empty() {
        let all = listed(&report.not_evaluated);
        out.push(format!("incomplete: differs and is not evaluated, so flows may change that are not listed: {all}"));
    }
    if report.more_ways {
        out.push(MORE_WAYS.to_owned());
    }
    if !report.routes.is_empty() {
        out.push(format!("routes are not compared: {}", listed(&report.routes)));
    }
    let of = |all: &[Incomplete]| Incomplete::lines(all);
    let (old, new) = (of(&report.old.incomplete), of(&report.new.incomplete));
    if old == new {
        out.extend(new.lines().map(str::to_owned));
    } else {
        out.extend(old.lines().map(|it| format!("{it} before")));
        out.extend(new.lines().map(|it| format!("{it} after")));
    }
    out.extend(report.cluster.as_ref().map(ToString::to_string));
    out
}
