//! `tidegate diff`: which flows two sets of manifests decide differently, and because of which rules.

mod absent;
pub mod format;
mod left_out;
mod markdown;
pub mod report;
mod sarif;
mod sides;
mod text;

use self::format::Format;
use self::report::{AuditMode, DiffReport};
use super::Exit;
use crate::args::{Color, Facts};
use crate::cluster::ClusterArgs;
use crate::config::ConfigArgs;
use crate::format::Root;
use crate::formats::{self, To};
use crate::render::{self, say};
use clap::{Args, ValueEnum};
use driver::Wish;

/// Say which flows two sets of manifests decide differently, and because of which rules.
///
/// OLD and NEW are files, folders, `-` for standard input, or `REVISION:PATH` of the git repository of the current folder; PATH is
/// relative to the current folder, as everywhere. The exit code is that of `kubectl diff`: 0 when nothing changes, 1 when something
/// does, 2 when it cannot be said.
#[derive(Debug, Args)]
pub struct Diff {
    /// What was: a file, a folder, `-`, or `REVISION:PATH`.
    #[arg(value_name = "OLD")]
    pub old: String,
    /// What is to be; the same as OLD where only the reading changes.
    #[arg(value_name = "NEW")]
    pub new: String,
    /// Files or folders with facts of the cluster that both sides share. Repeatable.
    #[arg(long, value_name = "PATH")]
    pub facts_from: Vec<String>,
    /// The namespace of objects that name none: `default`, unless the configuration says another.
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The reading of both sides, as `check --help` lists them.
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = crate::session::dialect)]
    pub dialect: Wish,
    /// The reading of OLD, where it is another.
    #[arg(long, value_name = "NAME", value_parser = crate::session::dialect)]
    pub old_dialect: Option<Wish>,
    /// The reading of NEW, where it is another: what an upgrade changes.
    #[arg(long, value_name = "NAME", value_parser = crate::session::dialect)]
    pub new_dialect: Option<Wish>,
    /// Whether the files hold a part of a cluster, so that policies may be about pods that are not there, or all of it.
    #[arg(long, value_name = "WHAT", default_value = "part")]
    pub facts: Facts,
    /// Which changes make the exit code 1.
    #[arg(long, value_name = "WHICH", default_value = "any")]
    pub fail_on: FailOn,
    /// Format of the report (text, json, markdown, sarif), and its file when it is not for standard output. Repeatable.
    #[arg(short = 'o', long = "output", value_name = "FORMAT[=FILE]")]
    pub outputs: Vec<To<Format>>,
    /// Which configuration holds: of `tidegate.toml` counts what says how manifests are read.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What is known of the cluster beside both sides.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// Which changes make the exit code 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Any change, at one end or from end to end.
    Any,
    /// A flow that begins to pass, or of which a proxy admits other requests.
    Gained,
    /// A flow that no longer passes, or of which a proxy refuses other requests.
    Lost,
    /// Likewise, of flows with addresses outside the cluster.
    World,
    /// A change that hangs on what was not read, is excluded or is not evaluated.
    Unknown,
    /// None: the report is all that is asked for.
    None,
}

impl FailOn {
    fn fails(self, report: &DiffReport) -> bool {
        let (total, audit) = (&report.summary, report.audit_mode);
        match self {
            // Why: what policies deny passes, from the world too.
            FailOn::Gained | FailOn::World if audit == Some(AuditMode::TurnedOn) => true,
            FailOn::Lost if audit == Some(AuditMode::TurnedOff) => true,
            FailOn::Any => total.any(),
            // What a proxy asks of flows that are altered may be less than it was, so they count as gained; and more, so they count as lost.
            FailOn::Gained => total.gained + total.widened + total.altered > 0,
            FailOn::Lost => total.lost + total.tightened + total.altered > 0,
            FailOn::World => total.gained_from_world + total.widened_with_world + total.altered_with_world > 0,
            FailOn::Unknown => total.unknown > 0,
            FailOn::None => false,
        }
    }
}

impl Diff {
    /// Reads both sides, compares, prints.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        let read = sides::open(&self)?;
        let [old, new] = &read.sides;
        let delta = delta::diff(&old.db, &new.db).map_err(|error| format!("the comparison is too large: {error}"))?;
        let report = DiffReport::of(&read, &delta);
        text::by_configuration(&report).into_iter().for_each(|it| say(&format!("note: {it}")));
        let exit = match self.fail_on.fails(&report) {
            _ if !report.unread.is_empty() => Exit::Bad,
            true => Exit::Findings,
            false => Exit::Clean,
        };
        formats::write_all(&self.outputs, |format, destination| {
            Ok(match format {
                Format::Text => text::render(&report, render::colours(color, destination)),
                Format::Json => super::json(&report)?,
                Format::Markdown => markdown::render(&report),
                Format::Sarif => sarif::render(&report, &Root::here(), exit.code())?,
            })
        })?;
        Ok(exit)
    }
}
