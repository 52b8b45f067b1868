//! `tidegate test`: whether policies do what their tests say.

mod gather;
mod github;
mod junit;
pub mod report;
mod run;
mod text;
mod written;

use super::Exit;
use crate::args::{Color, Facts, Paths, Reading};
use crate::cluster::ClusterArgs;
use crate::config::ConfigArgs;
use crate::files::Take;
use crate::formats::{self, Formats, To};
use crate::output;
use crate::render::{self, say};
use crate::rendered::RenderArgs;
use crate::report::API_VERSION;
use crate::session;
use crate::visible::visible;
use crate::watch::Watch;
use clap::Args;
use driver::Wish;
use gather::Found;
use report::TestReport;
pub use written::PolicyTest;

/// Say whether policies do what their tests say.
///
/// A test is a YAML document of kind `PolicyTest`: cases that say who may open which connection, and why. The exit code is 0 when every
/// case holds, 1 when one does not, 2 when a test cannot be read, or stands beside policies of other engines, which are not evaluated.
#[derive(Debug, Args)]
pub struct Test {
    /// Files with tests, or folders that hold some.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<String>,
    /// Manifests beside those that tests name. Repeatable.
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    pub filenames: Vec<String>,
    /// The reading under which tests are run that name none.
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = crate::session::dialect)]
    pub dialect: Wish,
    /// Whether manifests hold a part of a cluster or all of it, instead of what tests say of that.
    #[arg(long, value_name = "WHAT")]
    pub facts: Option<Facts>,
    /// Run only cases whose name holds this.
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// List the cases with their places, and run none. Names are after the test's, as `NAME: CASE`.
    #[arg(long, conflicts_with_all = ["watch", "coverage", "coverage_min", "mutate", "mutate_min", "outputs"])]
    pub list: bool,
    /// Run again whenever a test or a manifest changes, until it is stopped.
    #[arg(long)]
    pub watch: bool,
    /// List the rules and defaults that no case exercises.
    #[arg(long)]
    pub coverage: bool,
    /// Fail when less than this part of rules and defaults is exercised.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub coverage_min: Option<u32>,
    /// Change policies in small ways, one at a time, and list the changes that no case notices.
    #[arg(long)]
    pub mutate: bool,
    /// Fail when less than this part of the changes is noticed.
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub mutate_min: Option<u32>,
    /// Format of the report (text, json, junit, github), and its file when it is not for standard output. Repeatable.
    #[arg(short = 'o', long = "output", value_name = "FORMAT[=FILE]")]
    pub outputs: Vec<To<Format>>,
    /// Which configuration holds: of `tidegate.toml` counts what says how manifests are read.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What is known of the cluster beside the manifests.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// How the results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object.
    Json,
    /// JUnit XML, as CI systems read it.
    Junit,
    /// Workflow commands that mark lines of a pull request.
    Github,
}

impl Formats for Format {
    const ALL: &'static [Format] = &[Format::Text, Format::Json, Format::Junit, Format::Github];

    fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Junit => "junit",
            Format::Github => "github",
        }
    }

    fn is_shown(self) -> bool {
        self == Format::Text
    }
}

impl Test {
    /// Reads, asks, prints; again and again with `--watch`.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        let (command, take) = self.configured()?;
        command.again(color, &take)
    }

    /// The command with what the configuration of its tests says of how manifests are read, and what is taken of them.
    fn configured(self) -> Result<(Test, Take), String> {
        let (dialect, facts) = (self.dialect, self.facts.unwrap_or(Facts::Part));
        let (config, cluster, rendered) = (self.config.clone(), self.cluster.clone(), RenderArgs::default());
        let reading = Reading { dialect, facts, config, rendered, cluster };
        let paths = Paths { paths: Vec::new(), filenames: Vec::new(), namespace: None, reading };
        let (Paths { reading, .. }, take) = session::configured(&paths, &self.files)?;
        // Why: tests say themselves how much of a cluster they tell, and a configuration says it of manifests that stand for a whole one.
        let facts = self.facts.or((reading.facts == Facts::All).then_some(Facts::All));
        Ok((Test { dialect: reading.dialect, facts, cluster: reading.cluster, ..self }, take))
    }

    fn again(self, color: Color, take: &Take) -> Result<Exit, String> {
        if self.list {
            return self.listed(&gather::tests(&self.files, take));
        }
        if !self.watch {
            return self.once(color, &gather::tests(&self.files, take), take);
        }
        let mut watch = Watch::new()?;
        loop {
            // Before the tests are read, so that no change falls between.
            watch.add(self.files.iter().chain(&self.filenames).cloned())?;
            let found = gather::tests(&self.files, take);
            watch.add(found.tests.iter().flat_map(gather::TestFile::manifests))?;
            if let Err(error) = self.once(color, &found, take) {
                say(&format!("error: {error}"));
            }
            say("watching; Ctrl-C ends");
            if !watch.changed() {
                return Ok(Exit::Clean);
            }
        }
    }

    fn once(&self, color: Color, Found { tests, problems }: &Found, take: &Take) -> Result<Exit, String> {
        let outcome = run::run(self, tests, take);
        let unconfirmed = run::unconfirmed(&outcome.suites);
        let unread: Vec<String> = problems.iter().chain(&outcome.problems).chain(&unconfirmed).cloned().collect();
        unread.iter().for_each(|it| say(&format!("error: {it}")));
        let bad = !unread.is_empty();
        let mut report = TestReport {
            api_version: API_VERSION,
            kind: "TestReport",
            cluster: outcome.cluster,
            unread,
            summary: report::Summary::default(),
            suites: outcome.suites,
            coverage: (self.coverage || self.coverage_min.is_some()).then(|| outcome.coverage.report()),
            mutation: (self.mutate || self.mutate_min.is_some()).then(|| outcome.mutation.report()),
        };
        report.summary = report::Summary::of(&report.suites);
        if report.summary.cases == 0 && !bad {
            return Err(self.nothing(outcome.filtered));
        }
        formats::write_all(&self.outputs, |format, destination| match format {
            Format::Text => Ok(text::text(&report, self, render::colours(color, destination))),
            Format::Json => super::json(&report),
            Format::Junit => junit::junit(&report),
            Format::Github => Ok(github::github(&report)),
        })?;
        let short = |wanted: Option<u32>, found: Option<u32>| wanted.zip(found).is_some_and(|(min, it)| it < min);
        let below = short(self.coverage_min, report.coverage.as_ref().map(|it| it.percent))
            || short(self.mutate_min, report.mutation.as_ref().map(|it| it.percent));
        Ok(match report.summary.failed > 0 || below {
            _ if bad => Exit::Bad,
            true => Exit::Findings,
            false => Exit::Clean,
        })
    }

    /// The cases, a line each.
    fn listed(&self, Found { tests, problems }: &Found) -> Result<Exit, String> {
        problems.iter().for_each(|it| say(&format!("error: {it}")));
        let (all, wanted): (Vec<usize>, Vec<String>) =
            tests.iter().map(|it| it.listed(self.filter.as_deref().unwrap_or_default())).unzip();
        let lines = wanted.concat();
        if lines.is_empty() && problems.is_empty() {
            return Err(self.nothing(all.iter().sum()));
        }
        output::write_stdout(&visible(&lines)).map_err(|error| error.to_string())?;
        Ok(if problems.is_empty() { Exit::Clean } else { Exit::Bad })
    }

    /// Why nothing was run.
    fn nothing(&self, filtered: usize) -> String {
        match &self.filter {
            Some(filter) if filtered > 0 => {
                format!("no name of the {filtered} cases holds `{filter}`, so none was run")
            }
            _ => format!("no document of kind PolicyTest in `{}`", self.files.join("`, `")),
        }
    }
}
