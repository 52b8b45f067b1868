//! A comparison for people at a terminal, and the words that other formats share.

use super::report::{ChangeEntry, Decision, DiffReport, Total};
use crate::render::count;
use crate::report::{Incomplete, TraceCause};

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
    out + &format!("{}; {}\n", headline(&report.summary), compared(report))
}

fn one(it: &ChangeEntry, colours: bool) -> String {
    let word = word(it);
    let word = match (colours, it.change.as_str()) {
        (false, _) => word,
        (true, "gained") => format!("\x1b[1;31m{word}\x1b[0m"),
        (true, "lost") => format!("\x1b[1;33m{word}\x1b[0m"),
        (true, _) => format!("\x1b[1;36m{word}\x1b[0m"),
    };
    let mut out = format!("{word}  {}  {}\n", who(it), it.ports);
    for (when, decision) in [("was", &it.old), ("now", &it.new)] {
        out += &format!("  {when}  {}\n", says(decision));
        out += &decision.by.iter().map(|it| format!("       {}\n", cause(it))).collect::<String>();
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
    format!("{} of {} {from} {}", it.direction, listed(&it.subjects), listed(&it.peers))
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
    let supposed = "nobody in the files is one of these; policies mention them";
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

/// A rule with its place.
pub fn cause(cause: &TraceCause) -> String {
    let place = cause.place.as_ref().map_or(String::new(), |place| format!("   {place}"));
    let path = if cause.path.is_empty() { String::new() } else { format!(" {}", cause.path) };
    format!("{}{path}{place}", cause.object)
}

/// `2 gained (1 with the world), 1 lost`.
pub fn headline(total: &Total) -> String {
    if !total.any() {
        return "no flow changes".to_owned();
    }
    let world = match total.gained_from_world {
        0 => String::new(),
        n => format!(" ({n} with the world)"),
    };
    let mut parts = Vec::new();
    let mut add = |n: usize, words: String| parts.extend((n > 0).then(|| format!("{n} {words}")));
    add(total.gained, format!("gained{world}"));
    add(total.lost, "lost".to_owned());
    add(total.altered, "altered".to_owned());
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

/// What readers should know beside the changes, a line each.
pub fn notes(report: &DiffReport) -> Vec<String> {
    let mut out = Vec::new();
    for (when, side) in [("before", &report.old), ("after", &report.new)] {
        if !side.refused.is_empty() {
            out.push(format!("refused by a cluster {when}, so without part: {}", listed(&side.refused)));
        }
        if !side.only_here.is_empty() {
            out.push(format!("only {when}: {}", listed(&side.only_here)));
        }
    }
    if !report.not_evaluated.is_empty() {
        out.push(format!("differs and is not evaluated: {}", listed(&report.not_evaluated)));
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
