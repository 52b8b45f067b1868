//! `tidegate check`: every problem of manifests, with its place and a way out.

pub mod baseline;
mod judge;
mod mend;
pub mod report;
pub(in crate::command) mod settings;
mod watch;

use super::Exit;
use crate::args::{Color, Paths};
use crate::config::{FailOn, Order};
use crate::format::{self, Format, Look, Review, Root};
use crate::formats::{self, To};
use crate::listed::Listed;
use crate::output::Destination;
use crate::render;
use crate::report::{DialectEntry, Incomplete};
use crate::session::{self, Session};
use clap::{Args, ValueEnum};
use report::Summary;
use settings::Settings;
use std::path::PathBuf;

/// Report every problem of manifests, with its place and a way out.
#[derive(Clone, Debug, Args)]
pub struct Check {
    /// Where manifests come from.
    #[command(flatten)]
    pub paths: Paths,
    /// What standard input is called in reports.
    #[arg(long, value_name = "PATH")]
    pub stdin_filename: Option<String>,
    /// Leave files and folders out, by a pattern as in `.gitignore`. Repeatable.
    #[arg(long, value_name = "PATTERN")]
    pub exclude: Vec<String>,
    /// Also report, as errors, every clause and kind that this target cannot enforce; without it they are counted in the summary.
    #[arg(long, value_name = "TARGET")]
    pub target: Option<Target>,
    /// What policies may cost at most: `max-entries=N,max-bytes=N,max-identities=N`, or a file that says so; `cost` explains them.
    #[arg(long, value_name = "FILE|KEY=N,…")]
    pub budget: Option<String>,

    /// Report these findings alone: codes, beginnings of codes, names, `group:NAME`, `all`.
    #[arg(long, value_name = "CODE,…", value_delimiter = ',', help_heading = "Which findings")]
    pub select: Vec<String>,
    /// Do not report these; between two that name a finding the closer one wins.
    #[arg(long, value_name = "CODE,…", value_delimiter = ',', help_heading = "Which findings")]
    pub ignore: Vec<String>,
    /// Report these besides what is selected.
    #[arg(long, value_name = "CODE,…", value_delimiter = ',', help_heading = "Which findings")]
    pub extend_select: Vec<String>,
    /// Report what this baseline does not hold; entries that nothing answers to are findings (TG0105).
    #[arg(long, value_name = "FILE", help_heading = "Which findings")]
    pub baseline: Option<PathBuf>,
    /// Write the baseline as things stand now.
    #[arg(long, help_heading = "Which findings")]
    pub update_baseline: bool,
    /// Report what this git revision does not have.
    #[arg(long, value_name = "REV", help_heading = "Which findings")]
    pub diff_base: Option<String>,

    /// The order in which manifests are applied, in which no flow may be cut between two steps (TG0240) [default: declared]
    #[arg(long, value_name = "ORDER", help_heading = "Which findings", hide_possible_values = false)]
    pub order: Option<Order>,

    /// Which objects findings are listed of.
    #[command(flatten)]
    pub listed: Listed,

    /// Apply fixes that are proved to change nothing that is enforced.
    #[arg(long, help_heading = "Fixes")]
    pub fix: bool,
    /// Apply fixes that may change what is enforced, too.
    #[arg(long, help_heading = "Fixes")]
    pub unsafe_fixes: bool,
    /// Print what the fixes would change, and change nothing; ends in 1 when it prints anything, whatever `--unsafe-fixes` would add.
    #[arg(long, help_heading = "Fixes")]
    pub diff: bool,

    /// Format of the report, and its file when it is not for standard output: text, concise, json, jsonl, sarif, junit, github,
    /// gitlab, azure, rdjson, markdown. Repeatable.
    #[arg(short = 'o', long = "output", value_name = "FORMAT[=FILE]", help_heading = "Report")]
    pub outputs: Vec<To<Format>>,
    /// Count findings by code instead of showing them.
    #[arg(long, help_heading = "Report")]
    pub statistics: bool,
    /// Show findings and nothing else.
    #[arg(short, long, help_heading = "Report")]
    pub quiet: bool,
    /// The mildest level that ends in 1 [default: warning]
    #[arg(long, value_name = "LEVEL", help_heading = "Report", hide_possible_values = false)]
    pub fail_on: Option<FailOn>,
    /// End in 0 whatever is found.
    #[arg(long, help_heading = "Report")]
    pub exit_zero: bool,
    /// Check again whenever a file changes.
    #[arg(long, help_heading = "Report", conflicts_with_all = ["fix", "unsafe_fixes", "diff", "update_baseline"])]
    pub watch: bool,
}

/// Something that enforces policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Target {
    /// Nodes of this build.
    Node,
}

impl Check {
    /// A run over some paths without any flag.
    pub fn of(paths: Paths) -> Check {
        Check {
            paths,
            stdin_filename: None,
            exclude: Vec::new(),
            target: None,
            budget: None,
            select: Vec::new(),
            ignore: Vec::new(),
            extend_select: Vec::new(),
            baseline: None,
            update_baseline: false,
            diff_base: None,
            order: None,
            listed: Listed::default(),
            fix: false,
            unsafe_fixes: false,
            diff: false,
            outputs: Vec::new(),
            statistics: false,
            quiet: false,
            fail_on: None,
            exit_zero: false,
            watch: false,
        }
    }

    /// Reads, checks, prints; with `--watch` again and again.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        let settings = Settings::of(&self)?;
        if self.watch {
            return watch::run(&self, settings, color);
        }
        let mut session = session::open_with(&settings.paths, &settings.take);
        // Why here: before anything is mended.
        formats::apart(&self.outputs)?;
        if self.diff {
            return mend::show(&self, &mut session, &settings);
        }
        if self.fix || self.unsafe_fixes {
            mend::apply(&self, &mut session, &settings)?;
        }
        self.report(&mut session, &settings, color)
    }

    /// Checks what was read, and prints.
    fn report(&self, session: &mut Session, settings: &Settings, color: Color) -> Result<Exit, String> {
        let judge::Judged { found, findings, summary } = judge::judge(self, session, settings)?;
        let exit = self.exit(session, settings, &summary);
        let review = Review {
            db: &session.db,
            found: &found,
            findings,
            summary,
            dialect: DialectEntry::of(&session.choice),
            cluster: session.cluster.clone(),
            incomplete: Incomplete::of(&session.db),
            files: session.db.files().map(|file| file.path(&session.db).to_owned()).collect(),
            root: Root::here(),
            exit: exit.code(),
            look: Look {
                colours: render::colours(color, Destination::Stdout),
                quiet: self.quiet,
                statistics: self.statistics,
                listed: self.target.is_some(),
            },
        };
        formats::write_all(&self.outputs, |format, destination| format::render(&review, format, destination))?;
        Ok(exit)
    }

    fn exit(&self, session: &Session, settings: &Settings, summary: &Summary) -> Exit {
        let counted = match settings.fail_on {
            FailOn::Error => summary.errors,
            FailOn::Warning => summary.errors + summary.warnings,
            FailOn::Hint => summary.errors + summary.warnings + summary.hints,
            FailOn::Never => 0,
        };
        match counted {
            _ if !session.unread().is_empty() => Exit::Bad,
            0 => Exit::Clean,
            _ if self.exit_zero => Exit::Clean,
            _ => Exit::Findings,
        }
    }
}
