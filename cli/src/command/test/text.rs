//! Results as text.

use super::Test;
use super::report::{CaseResult, CoverageReport, FlowFailure, MutantEntry, MutationReport, TestReport};
use crate::cluster::ClusterEntry;
use crate::command::trace::side_text;
use crate::render::count;
use crate::report::Incomplete;

/// The results for people: failures with what decides them, then counts.
pub(super) fn text(report: &TestReport, command: &Test, colours: bool) -> String {
    let paint = |code: &str, shown: &str| match colours {
        true => format!("\x1b[{code}m{shown}\x1b[0m"),
        false => shown.to_owned(),
    };
    let mut out = String::new();
    for suite in &report.suites {
        for case in suite.cases.iter().filter(|case| !case.passed()) {
            out += &format!("{}  {}\n", paint("1;31", "FAIL"), case.name);
            out += &format!("  {}   {}\n", case.place, suite.dialect);
            out += &failures(case);
            out.push('\n');
        }
    }
    for suite in &report.suites {
        let passed = suite.cases.iter().filter(|case| case.passed()).count();
        let name = if suite.name.is_empty() { String::new() } else { format!(" {}", suite.name) };
        let all = suite.cases.len();
        out += &format!("{}{name}: {passed} of {all} cases hold   {}\n", suite.file, suite.dialect);
        out += &Incomplete::lines(&suite.incomplete);
    }
    out += &ClusterEntry::line(report.cluster.as_ref());
    if let Some(coverage) = &report.coverage {
        out += &self::coverage(coverage, command.coverage_min);
    }
    if let Some(mutation) = &report.mutation {
        out += &self::mutation(mutation, command.mutate_min);
    }
    let summary = &report.summary;
    let word = match (summary.failed, report.unread.len()) {
        (0, 0) => paint("1;32", "ok"),
        (_, 0) => paint("1;31", "failed"),
        (_, n) => paint("1;31", &format!("not everything was asked, because of {}", count(n, "error", "errors"))),
    };
    let flows = count(summary.flows, "flow", "flows");
    out += &format!("{word}: {} passed, {} failed, {flows} asked\n", summary.passed, summary.failed);
    out
}

/// Why a case does not hold.
pub(super) fn failures(case: &CaseResult) -> String {
    case.failures.iter().map(failure).collect()
}

/// What is wrong with a flow, in one line.
pub(super) fn headline(failure: &FlowFailure) -> String {
    let FlowFailure { source, destination, port, expected, found, .. } = failure;
    let request = failure.request.as_ref().map_or(String::new(), |it| format!("  {it}"));
    let what = match &failure.not_by {
        Some(by) => format!("{found} as expected, but not by `{by}`"),
        None => format!("expected {expected}, found {found}"),
    };
    let backend = failure.backend.as_ref().map_or(String::new(), |it| format!(", answered by {it}"));
    format!("{what}: {source} -> {destination}  {port}{request}{backend}")
}

fn failure(failure: &FlowFailure) -> String {
    let mut out = format!("  {}\n", headline(failure));
    for (name, side) in [("egress of", &failure.egress), ("ingress of", &failure.ingress)] {
        out += &format!("    {name} {}: {}\n", side.subject, side.verdict);
        side_text(side).lines().for_each(|line| out += &format!("    {line}\n"));
    }
    out
}

fn wanted(min: Option<u32>, percent: u32) -> String {
    match min {
        Some(min) if percent < min => format!(", less than the {min} % that are wanted"),
        _ => String::new(),
    }
}

fn coverage(coverage: &CoverageReport, min: Option<u32>) -> String {
    let CoverageReport { exercised, total, percent, .. } = coverage;
    let mut out =
        format!("coverage: {exercised} of {total} rules and defaults, {percent} %{}\n", wanted(min, *percent));
    for (what, says) in [("rule", "no case is decided by"), ("default", "no case is denied for want of a rule by")] {
        let missed: Vec<_> = coverage.missed.iter().filter(|it| it.what == what).collect();
        if !missed.is_empty() {
            out += &format!("  {says}\n");
            missed.iter().for_each(|it| out += &format!("    {}\n", it.cause));
        }
    }
    out
}

fn mutation(mutation: &MutationReport, min: Option<u32>) -> String {
    let MutationReport { killed, total, equivalent, percent, .. } = mutation;
    let mut out = format!(
        "mutation score: {killed} of {total} changes noticed, {percent} %{} ({equivalent} equivalent ones left out)\n",
        wanted(min, *percent)
    );
    let survived: Vec<&MutantEntry> = mutation.mutants.iter().filter(|it| it.fate == "survived").collect();
    if !survived.is_empty() {
        out += "  no case notices\n";
        survived.iter().for_each(|it| out += &format!("    {}\n      {}\n", it.cause, it.change));
    }
    out
}
