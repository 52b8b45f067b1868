//! `tidegate suggest`: policies from recorded flows, and advice about labels.

pub mod labels;
pub mod report;

use super::Exit;
use super::replay::flows::FlowFiles;
use super::replay::forms::{Form, Forms};
use crate::args::{Color, Paths, Reading};
use crate::formats;
use crate::render::{count, say};
use crate::report::Incomplete;
use crate::session;
use clap::{Args, Subcommand, ValueEnum};
use driver::{Db, world};
use replay::Tally;
use replay::suggest::{self, Kind, Options};
use report::SuggestReport;

/// Suggest policies that allow what was recorded, or say which labels are worth their identities.
///
/// The manifests go to standard output, what they leave out to standard error. Every flow is decided under the suggested policies before
/// they are printed: the exit code is 0 when they allow all of the input, 1 when some of it cannot be said.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Suggest {
    /// What else can be suggested.
    #[command(subcommand)]
    pub other: Option<Other>,
    /// Where the flows are.
    #[command(flatten)]
    pub flows: FlowFiles,
    /// Facts of the cluster, so that services are translated and selectors tell neighbours apart: files or folders. Repeatable.
    #[arg(short = 'f', long = "facts-from", alias = "filename", value_name = "PATH")]
    pub files: Vec<String>,
    /// The namespace of objects that name none: `default`, unless the configuration says another.
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The kind of the suggested policies.
    #[arg(long, value_name = "KIND", default_value = "networkpolicy")]
    pub kind: PolicyKind,
    /// Also allow what was recorded as dropped.
    #[arg(long)]
    pub include_dropped: bool,
    /// The reading of the policy language.
    #[command(flatten)]
    pub reading: Reading,
    /// Where the report goes; as text it is the manifests.
    #[command(flatten)]
    pub outputs: Forms,
}

/// What else can be suggested.
#[derive(Debug, Subcommand)]
pub enum Other {
    /// Say which labels policies use, which multiply identities, and what may be left out.
    Labels(labels::Labels),
}

/// A kind of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum PolicyKind {
    /// NetworkPolicy, which every network plugin reads.
    #[value(name = "networkpolicy", alias = "netpol", alias = "NetworkPolicy")]
    NetworkPolicy,
    /// CiliumNetworkPolicy, which can also speak of names, nodes and ICMP.
    #[value(name = "cnp", alias = "ciliumnetworkpolicy", alias = "CiliumNetworkPolicy")]
    Cilium,
}

impl Suggest {
    /// Reads, suggests, checks, prints.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        if let Some(Other::Labels(labels)) = self.other {
            return labels.run(color);
        }
        let empty = self.files.is_empty() && self.reading.cluster.cluster.is_none() && self.reading.rendered.is_empty();
        // Why an empty file where a cluster alone is named: no path at all means the current folder.
        let nothing = tempfile::NamedTempFile::with_suffix(".yaml").map_err(|error| error.to_string())?;
        let mut files = self.files.clone();
        if files.is_empty() && self.reading.rendered.is_empty() {
            files.push(nothing.path().to_string_lossy().into_owned());
        }
        let mut known = None;
        let (mut unsound, mut incomplete) = (false, Vec::new());
        let (mut wish, mut knowledge) = (self.reading.dialect, self.reading.facts.into());
        let meant = if self.files.is_empty() { vec![".".to_owned()] } else { self.files.clone() };
        let cluster = match empty {
            true => facts::Cluster::default(),
            false => {
                let asked = Paths {
                    paths: files,
                    filenames: Vec::new(),
                    namespace: self.namespace.clone(),
                    reading: self.reading.clone(),
                };
                let session = session::open_for(&asked, &meant)?;
                (wish, knowledge) = (session.wish, session.db.project().knowledge(&session.db));
                unsound = session.report_unsound();
                incomplete = Incomplete::of(&session.db);
                known = session.cluster.clone();
                (*world::cluster(&session.db)).clone()
            }
        };
        let mut tally = Tally::default();
        let read = self.flows.read(&mut |part: Tally| tally.merge(part));
        read.unreadable.iter().for_each(|it| say(&format!("error: cannot read {it}")));
        let kind = match self.kind {
            PolicyKind::NetworkPolicy => Kind::NetworkPolicy,
            PolicyKind::Cilium => Kind::CiliumNetworkPolicy,
        };
        let options = Options { kind, include_dropped: self.include_dropped, knowledge, wish };
        let suggestion = suggest::suggest(&tally, &cluster, options);
        let report = SuggestReport { cluster: known, incomplete, ..SuggestReport::of(&suggestion, &tally, kind) };
        formats::write_all(&self.outputs.outputs, |form, _| {
            Ok(match form {
                Form::Text => report.manifests(),
                Form::Concise => report.concise(),
                Form::Json => super::json(&report)?,
                Form::Jsonl => report.jsonl(),
                Form::Csv => report.csv(),
            })
        })?;
        report.notes().iter().for_each(|line| say(line));
        for broken in &tally.broken {
            say(&format!("warning: {}:{}: {}", broken.file, broken.line, broken.why));
        }
        if tally.broken_lines > 0 {
            say(&format!("warning: {} could not be read", count(tally.broken_lines as usize, "line", "lines")));
        }
        let nothing = tally.seen.records == 0;
        Ok(match suggestion.left.is_empty() {
            _ if unsound || !read.unreadable.is_empty() || nothing => Exit::Bad,
            true => Exit::Clean,
            false => Exit::Findings,
        })
    }
}
