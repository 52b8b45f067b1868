//! A comparison as a comment of a pull request: short, the worst first, found again by its first line.

use super::report::{AuditMode, ChangeEntry, Decision, DiffReport};
use super::text::{compared, headline, listed, notes, parties, word};

/// By this line a later run finds the comment that it replaces.
const MARK: &str = "<!-- tidegate diff -->";
/// How many lines a comment has at most.
const LINES: usize = 40;

/// The report as Markdown, of at most 40 lines.
pub fn render(report: &DiffReport) -> String {
    let mut lines = vec![MARK.to_owned(), format!("### Network policies: {}", headline(report)), String::new()];
    lines.push(sense(report).to_owned());
    let mut end: Vec<String> = notes(report).into_iter().map(|it| format!("- {}", escaped(&it))).collect();
    end.truncate(8);
    if !end.is_empty() {
        end.insert(0, String::new());
    }
    end.push(String::new());
    end.push(format!("<sub>{}</sub>", escaped(&compared(report))));
    if !report.changes.is_empty() {
        lines.push(String::new());
        lines.push("| | flows | ports | before | after |".to_owned());
        lines.push("|---|---|---|---|---|".to_owned());
        // One line is for `and N more`.
        let room = LINES - lines.len() - end.len() - 2;
        lines.extend(report.changes.iter().take(room).map(row));
        if report.changes.len() > room {
            lines.push(String::new());
            lines.push(format!("and {} more", report.changes.len() - room));
        }
    }
    lines.extend(end);
    lines.join("\n") + "\n"
}

/// The whole in a sentence.
fn sense(report: &DiffReport) -> &'static str {
    let total = &report.summary;
    let (opens, closes) = (total.gained + total.widened > 0, total.lost + total.tightened > 0);
    match (opens, closes) {
        _ if report.audit_mode.is_some() => report.audit_mode.map_or("", AuditMode::sentence),
        _ if total.gained_from_world + total.widened_with_world > 0 => {
            "This change opens flows between the cluster and the world."
        }
        (true, true) => "This change opens flows and closes others.",
        (true, false) if total.altered > 0 => "This change opens flows, and alters others.",
        (false, true) if total.altered > 0 => "This change closes flows, and alters others.",
        (true, false) if total.unknown > 0 => "This change opens flows; whether others change is not known.",
        (false, true) if total.unknown > 0 => "This change closes flows; whether others change is not known.",
        _ if !report.unread.is_empty() => "Whether flows change is not known: not everything was read.",
        (true, false) => "This change opens flows and closes none.",
        (false, true) => "This change closes flows and opens none.",
        (false, false) if total.altered > 0 => "The same flows pass, and some of them in another way.",
        (false, false) if !report.left_out.is_empty() => {
            "Whether flows change is not known: manifests that `exclude` or an ignore file leaves out differ."
        }
        (false, false) if total.unknown > 0 => "Whether a flow changes hangs on what was not read or is not evaluated.",
        (false, false) if total.one_end > 0 => "No flow changes from end to end: the other ends stay closed.",
        (false, false) if report.configuration.is_some() => {
            "The same flows pass as before, as far as the configuration lets them be compared, and it changes too."
        }
        (false, false) => "The same flows pass as before.",
    }
}

fn row(it: &ChangeEntry) -> String {
    let from = if it.direction == "ingress" { "from" } else { "to" };
    let mut note = String::new();
    if !it.end_to_end {
        note += "<br>closed at the other end";
    }
    if !it.missing.is_empty() {
        note += &format!("<br>hangs on {}", code(&listed(&it.missing)));
    }
    if it.supposed {
        note += "<br>nobody yet";
    }
    let world = if it.world && matches!(it.change.as_str(), "gained" | "widened") { ", world" } else { "" };
    let who = format!("{} of {} {from} {}", it.direction, code(&parties(&it.subjects)), code(&parties(&it.peers)));
    let ports = code(&it.ports);
    format!("| **{}**{world} | {who}{note} | {ports} | {} | {} |", word(it), cell(&it.old), cell(&it.new))
}

/// What decides, in a cell.
fn cell(decision: &Decision) -> String {
    let says = match (decision.because.as_str(), decision.verdict.as_str()) {
        ("default-allow", _) => return "not isolated".to_owned(),
        ("default-deny", _) => "isolated by".to_owned(),
        (_, "deny") => "denied by".to_owned(),
        _ => match &decision.proxied {
            Some(it) if it.asks.is_empty() => format!("allowed through {} by", escaped(&it.proxy)),
            Some(it) => format!("allowed through {} for {} by", escaped(&it.proxy), code(&it.asks.join("; "))),
            None => "allowed by".to_owned(),
        },
    };
    let by = decision.by.first().map_or(String::new(), |it| {
        let place = it.place.as_ref().map_or(String::new(), |place| format!("<br>{}", escaped(&place.to_string())));
        format!(" {}{place}", code(format!("{} {}", it.object, it.path).trim_end()))
    });
    let more = match decision.by.len() {
        0 | 1 => String::new(),
        n => format!(" and {} more", n - 1),
    };
    format!("{says}{by}{more}")
}

/// Text in a code span; nothing in it ends the span or the cell.
fn code(text: &str) -> String {
    let text = text.replace('\n', " ").replace('|', "\\|").replace('`', "'");
    format!("`{text}`")
}

/// Text outside code spans, without a meaning of its own.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '\n' => out.push(' '),
            '<' => out += "&lt;",
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            other => out.push(other),
        }
    }
    out
}
