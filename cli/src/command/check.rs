//! `tidegate check`: every problem of manifests, with its place and a way out.

use super::Exit;
use super::cost::budget;
use crate::args::{Color, Outputs, Paths};
use crate::cluster::ClusterEntry;
use crate::output::{self, Format};
use crate::report::{API_VERSION, CheckReport, DialectEntry, Incomplete, NOT_ENFORCED, NotOnNode, Summary};
use crate::session::{self, Session};
use crate::{output::Destination, render};
use clap::{Args, ValueEnum};
use diag::{Diagnostic, Severity};
use driver::text::{self, Role};

/// How many findings the text report draws in full; the summary counts all of them, and JSON lists all.
const DRAWN: usize = 500;

/// Report every problem of manifests, with its place and a way out.
#[derive(Debug, Args)]
pub struct Check {
    /// Where manifests come from.
    #[command(flatten)]
    pub paths: Paths,
    /// Also report, as errors, every clause and kind that this target cannot enforce; without it they are counted in the summary.
    #[arg(long, value_name = "TARGET")]
    pub target: Option<Target>,
    /// What policies may cost at most: `max-entries=N,max-bytes=N,max-identities=N`, or a file that says so; `cost` explains them.
    #[arg(long, value_name = "FILE|KEY=N,…")]
    pub budget: Option<String>,
    /// Where the report goes.
    #[command(flatten)]
    pub outputs: Outputs,
}

/// Something that enforces policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// Nodes of this build.
    Node,
}

impl Check {
    /// Reads, checks, prints.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        let session = session::open(&self.paths);
        let unreadable = session.unreadable.iter().map(|it| checks::unreadable(&it.path, &it.reason));
        let mut findings: Vec<Diagnostic> = unreadable.chain(checks::check(&session.db)).collect();
        findings.extend(checks::for_node(&session.db));
        let not_on_node = NotOnNode::of(&findings);
        match self.target {
            Some(Target::Node) => findings.sort_by_key(|it| it.place().map(|label| (label.file, label.span.start))),
            None => findings.retain(|it| !is_of_node(it)),
        }
        let summary = Summary { not_on_node, ..summary(&session, &findings) };
        let incomplete = Incomplete::of(&session.db);
        let dialect = DialectEntry::of(&session.choice);
        output::write_all(&self.outputs.outputs, |format, destination| match format {
            Format::Text => {
                let listed = self.target.is_some();
                let mut out = text(&session, &findings, summary, &dialect, color, destination);
                out += &ClusterEntry::line(session.cluster.as_ref());
                out.extend(summary.not_on_node.line().filter(|_| !listed).map(|line| line + "\n"));
                out + &Incomplete::lines(&incomplete)
            }
            Format::Concise => findings.iter().map(|it| render::concise(&session.db, it)).collect(),
            Format::Json => {
                let report = CheckReport {
                    api_version: API_VERSION,
                    kind: "CheckReport",
                    dialect: dialect.clone(),
                    cluster: session.cluster.clone(),
                    incomplete: incomplete.clone(),
                    findings: findings.iter().map(|it| render::finding(&session.db, it)).collect(),
                    summary,
                };
                super::json(&report)
            }
        })
        .map_err(|error| error.to_string())?;
        let over = budget::check(&session, self.budget.as_deref())?;
        over.iter().for_each(|line| render::say(line));
        Ok(match summary {
            _ if session.empty || !session.unreadable.is_empty() => Exit::Bad,
            Summary { errors: 0, warnings: 0, .. } if over.is_empty() => Exit::Clean,
            _ => Exit::Findings,
        })
    }
}

/// Whether a finding only says what nodes of this build cannot enforce.
fn is_of_node(finding: &Diagnostic) -> bool {
    NOT_ENFORCED.contains(&finding.slug) || matches!(finding.slug, "needs-proxy" | "needs-authentication")
}

fn summary(session: &Session, findings: &[Diagnostic]) -> Summary {
    let mut summary = Summary { files: session.db.files().count(), ..Summary::default() };
    for file in session.db.files() {
        for object in text::decoded(&session.db, file).objects.iter() {
            match object.role {
                Role::Policy => summary.policies += 1,
                Role::Rejected => summary.rejected += 1,
                Role::Fact => summary.facts += 1,
                Role::Other => summary.skipped += 1,
            }
        }
    }
    for finding in findings {
        match finding.severity {
            Severity::Error => summary.errors += 1,
            Severity::Warning => summary.warnings += 1,
            Severity::Hint => summary.hints += 1,
        }
    }
    summary
}

fn text(
    session: &Session,
    findings: &[Diagnostic],
    summary: Summary,
    dialect: &DialectEntry,
    color: Color,
    destination: Destination,
) -> String {
    let colours = render::colours(color, destination);
    let mut out: String =
        findings.iter().take(DRAWN).map(|it| render::graphical(&session.db, it, colours) + "\n").collect();
    if findings.len() > DRAWN {
        out += &format!("and {} more; `-o concise` lists them all\n\n", findings.len() - DRAWN);
    }
    let count = |n: usize, one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
    let mut parts = vec![
        count(summary.errors, "error", "errors"),
        count(summary.warnings, "warning", "warnings"),
        count(summary.hints, "hint", "hints"),
    ];
    parts.retain(|part| !part.starts_with("0 "));
    let found = if parts.is_empty() { "nothing to report".to_owned() } else { parts.join(", ") };
    let mut read =
        vec![count(summary.policies, "policy", "policies"), count(summary.facts, "cluster object", "cluster objects")];
    if summary.rejected > 0 {
        read.push(format!("{} refused", count(summary.rejected, "policy", "policies")));
    }
    if summary.skipped > 0 {
        read.push(format!("{} of other kinds", count(summary.skipped, "object", "objects")));
    }
    out += &format!("{found} in {}: {}; {dialect}\n", count(summary.files, "file", "files"), read.join(", "));
    out
}
