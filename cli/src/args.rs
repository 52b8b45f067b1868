//! The command tree and the flags that commands share.

use crate::cluster::ClusterArgs;
use crate::command;
use crate::config::ConfigArgs;
use crate::formats::{Plain, To};
use crate::rendered::RenderArgs;
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use driver::{Knowledge, Wish};

const HELP: &str = "\
{about}

{usage-heading} {usage}

Review
  check       Report every problem of manifests, with its place and a way out
  diff        Say which flows two sets of manifests decide differently
  trace       Say whether one flow passes, and which lines decide it
  graph       Say who reaches whom, and because of which rules
  test        Say whether policies do what their tests say
  replay      Hold recorded flows against policies, and list every verdict that changes
  suggest     Suggest policies from recorded flows, or labels worth their identities
  cost        Say what policies cost before they are applied, and which rules
  explain     Print the page of a code, offline

Try
  demo        Show the whole of it on this machine: programs, packets, a swap
  lab         Run the pods of a cluster file as namespaces with real traffic

Build
  build       Compile policies into eBPF images
  verify      Prove again that images do what their rules say

Cluster
  snapshot    Write what a cluster is into one small file

Run as
  lsp         Serve an editor: diagnostics, completion, hovers, who can reach a pod after an edit
  fn          Check the items of a KRM ResourceList, for kustomize and kpt

Self
  init        Write a configuration and a CI file to begin with
  completion  Print a completion script for a shell
  version     Say which version this is, and what it knows
  help        Print help of a command

Options:
{options}

Exit codes: 0 clean, 1 findings, 2 bad input or usage.
";

/// Compiles Kubernetes and Cilium network policies into verified eBPF, and says why a packet passes or not.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, help_template = HELP, subcommand_required = true, arg_required_else_help = true)]
#[command(disable_help_subcommand = false)]
pub struct Args {
    /// When to use colours; `NO_COLOR` turns them off too.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The subcommands, one file each in [`command`].
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Compile policies into eBPF images.
    Build(command::build::Build),
    /// Prove again that images do what their rules say.
    Verify(command::verify::Verify),
    /// Report every problem of manifests, with its place and a way out.
    Check(Box<command::check::Check>),
    /// Say which flows two sets of manifests decide differently, and because of which rules.
    Diff(Box<command::diff::Diff>),
    /// Print the page of a code, offline.
    Explain(command::explain::Explain),
    /// Say whether one flow passes, and which lines decide it.
    Trace(Box<command::trace::Trace>),
    /// Say who reaches whom, and because of which rules.
    Graph(command::graph::Graph),
    /// Say whether policies do what their tests say.
    Test(command::test::Test),
    /// Hold recorded flows against policies, and list every verdict that changes.
    Replay(Box<command::replay::Replay>),
    /// Suggest policies that allow what was recorded, or say which labels are worth their identities.
    Suggest(Box<command::suggest::Suggest>),
    /// Say what policies cost before they are applied: entries, bytes, instructions, identities, and which rules make them.
    Cost(Box<command::cost::Cost>),
    /// Show the whole of it on this machine: programs, packets, a swap under traffic, a drop explained.
    Demo(command::demo::Demo),
    /// Run the pods of a cluster file as namespaces with real traffic.
    Lab(command::lab::Lab),
    /// Serve an editor over standard input and output, in the Language Server Protocol.
    Lsp(Box<command::lsp::Lsp>),
    /// Check the items of a KRM ResourceList, as kustomize and kpt run functions.
    Fn(command::function::Function),
    /// Write what a cluster is into one small file that every command takes as `--cluster FILE`.
    Snapshot(command::snapshot::Snapshot),
    /// Write a configuration, and on request a CI file, to begin with.
    Init(command::init::Init),
    /// Say which version this is, and which dialects and formats it knows.
    Version(command::version::Version),
    /// Print a completion script for a shell.
    Completion(command::completion::Completion),
}

/// The namespace of objects that name none, where nothing says another.
pub const NAMESPACE: &str = "default";

/// Where manifests come from.
#[derive(Clone, Debug, ClapArgs)]
pub struct Paths {
    /// Files, folders, or `-` for standard input.
    #[arg(value_name = "PATH")]
    pub paths: Vec<String>,
    /// Another way to name a PATH, as kubectl has it.
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    pub filenames: Vec<String>,
    /// The namespace of objects that name none: `default`, unless the configuration says another.
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The reading of the policy language.
    #[command(flatten)]
    pub reading: Reading,
}

/// How policies are read.
#[derive(Clone, Debug, ClapArgs)]
pub struct Reading {
    /// The reading of the policy language: standard, cilium, cilium-1.19, cilium-1.20, each Cilium one also with `+exact` for its
    /// acknowledged bugs; auto takes cilium where the cluster objects show that Cilium enforces, else standard.
    #[arg(long, value_name = "NAME", default_value = "auto", value_parser = crate::session::dialect)]
    pub dialect: Wish,
    /// Whether the files hold a part of a cluster, so that what is not there may exist and verdicts may be unknown, or all of it.
    #[arg(long, value_name = "WHAT", default_value = "part")]
    pub facts: Facts,
    /// Which configuration holds.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What other programs render.
    #[command(flatten)]
    pub rendered: RenderArgs,
    /// What is known of the cluster beside the files.
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// How much of a cluster the files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Facts {
    /// What was not read may exist.
    Part,
    /// What was not read does not exist.
    All,
}

impl From<Facts> for Knowledge {
    fn from(facts: Facts) -> Knowledge {
        match facts {
            Facts::Part => Knowledge::Partial,
            Facts::All => Knowledge::Complete,
        }
    }
}

impl Paths {
    /// Whether no path was given.
    pub fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.filenames.is_empty() && self.reading.rendered.is_empty()
    }

    /// The namespace of objects that name none.
    pub fn namespace(&self) -> &str {
        self.namespace.as_deref().unwrap_or(NAMESPACE)
    }

    /// All paths in the order given; the current folder when there is none.
    pub fn all(&self) -> Vec<String> {
        let all: Vec<String> = self.paths.iter().chain(&self.filenames).cloned().collect();
        if self.is_empty() { vec![".".into()] } else { all }
    }
}

/// Where reports go.
#[derive(Clone, Debug, ClapArgs)]
pub struct Outputs {
    /// Format of the report, and its file when it is not for standard output. Repeatable.
    #[arg(short = 'o', long = "output", value_name = "FORMAT[=FILE]")]
    pub outputs: Vec<To<Plain>>,
}
