//! Findings for people, with the lines that they speak of.

use super::{Review, statistics};
use crate::cluster::ClusterEntry;
use crate::command::check::report::Summary;
use crate::render::{self, count};
use crate::report::Incomplete;

/// How many findings are drawn in full; the summary counts all of them, and the other formats list all.
const DRAWN: usize = 500;

pub(super) fn render(review: &Review<'_>, colours: bool) -> String {
    let look = review.look;
    let mut out = if look.statistics { statistics::render(review) } else { drawn(review, colours) };
    if look.quiet {
        return out;
    }
    if look.statistics && !out.is_empty() {
        out.push('\n');
    }
    out += &format!("{}; {}\n", found(&review.summary), review.dialect);
    out += &ClusterEntry::line(review.cluster.as_ref());
    out.extend(fixes(&review.summary));
    out.extend(review.summary.not_on_node.line().filter(|_| !look.listed).map(|line| line + "\n"));
    out + &Incomplete::lines(&review.incomplete)
}

fn drawn(review: &Review<'_>, colours: bool) -> String {
    let mut out = String::new();
    for (diagnostic, finding) in review.found.iter().zip(&review.findings).take(DRAWN) {
        out += &render::graphical(review.db, diagnostic, colours);
        if let Some(origin) = &finding.origin {
            out += &format!("  rendered from {origin}\n");
        }
        out.push('\n');
    }
    if review.found.len() > DRAWN {
        out += &format!("and {} more; `-o concise` lists them all\n\n", review.found.len() - DRAWN);
    }
    out
}

/// `2 errors, 1 warning in 3 files: 4 policies, 9 cluster objects`.
fn found(summary: &Summary) -> String {
    let mut parts = vec![
        count(summary.errors, "error", "errors"),
        count(summary.warnings, "warning", "warnings"),
        count(summary.hints, "hint", "hints"),
    ];
    parts.retain(|part| !part.starts_with("0 "));
    let mut found = if parts.is_empty() { "nothing to report".to_owned() } else { parts.join(", ") };
    let left_out = [(summary.suppressed, "suppressed"), (summary.known, "known before")];
    let left_out: Vec<String> =
        left_out.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if !left_out.is_empty() {
        found += &format!(" ({})", left_out.join(", "));
    }
    let mut read =
        vec![count(summary.policies, "policy", "policies"), count(summary.facts, "cluster object", "cluster objects")];
    if summary.rejected > 0 {
        read.push(format!("{} refused", count(summary.rejected, "policy", "policies")));
    }
    if summary.skipped > 0 {
        read.push(format!("{} of other kinds", count(summary.skipped, "object", "objects")));
    }
    format!("{found} in {}: {}", count(summary.files, "file", "files"), read.join(", "))
}

/// What could be mended, where anything could.
fn fixes(summary: &Summary) -> Option<String> {
    let unsafe_fixes = summary.fixable - summary.safely_fixable;
    let safe = summary.safely_fixable;
    let tail = match (safe, unsafe_fixes) {
        (0, 0) => return None,
        (0, _) => format!("`--unsafe-fixes` applies {unsafe_fixes}, which may change what is enforced"),
        (_, 0) => format!("`--fix` applies {safe}, which change nothing that is enforced"),
        _ => format!(
            "`--fix` applies {safe}, which change nothing that is enforced; `--unsafe-fixes` {unsafe_fixes} more, which may"
        ),
    };
    Some(format!("{} a fix: {tail}; `--diff` shows them\n", count(summary.fixable, "finding has", "findings have")))
}
