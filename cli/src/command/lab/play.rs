//! `tidegate lab up|swap|exec|down`: a lab to play with.

use crate::args::Paths;
use crate::command::Exit;
use crate::session;
use clap::Args;
use driver::Database;
use image::Target;
use lab::topology::Plan;
use lab::{Lab, RunId};
use loader::Pins;
use rehearsal::Stage;
use std::process::Command;

/// The name of a lab that is left up.
#[derive(Clone, Debug, Args)]
pub struct Named {
    /// The lab's name: 1 to 12 lower-case letters or digits.
    #[arg(long, value_name = "NAME", default_value = "lab")]
    pub run: String,
}

impl Named {
    fn id(&self) -> Result<RunId, String> {
        RunId::new(&self.run).map_err(|error| error.to_string())
    }
}

/// Make the lab and leave it up.
#[derive(Debug, Args)]
pub struct Up {
    /// Where manifests come from.
    #[command(flatten)]
    pub paths: Paths,
    /// Which lab.
    #[command(flatten)]
    pub named: Named,
}

/// Compile changed files and swap them into a lab that is up.
///
/// Pods, nodes and addresses must be those that the lab was made of; policies and labels may differ.
#[derive(Debug, Args)]
pub struct Swap {
    /// Where manifests come from.
    #[command(flatten)]
    pub paths: Paths,
    /// Which lab.
    #[command(flatten)]
    pub named: Named,
}

/// Run a program inside a pod, a node or the world of a lab that is up.
#[derive(Debug, Args)]
pub struct Exec {
    /// Which lab.
    #[command(flatten)]
    pub named: Named,
    /// `namespace/pod`, `node:NAME` or `world`.
    #[arg(value_name = "PLACE")]
    pub place: String,
    /// The program and its arguments, after `--`.
    #[arg(value_name = "COMMAND", last = true, required = true)]
    pub command: Vec<String>,
}

/// Take labs down: one by name, or all that no process owns.
#[derive(Debug, Args)]
pub struct Down {
    /// Which lab; without it, every lab that no process owns.
    #[arg(long, value_name = "NAME")]
    pub run: Option<String>,
}

fn pins() -> Pins {
    Pins::At(loader::attach::default_root())
}

fn opened(paths: &Paths, named: &Named) -> Result<(Database, Plan), String> {
    super::kernel().map_err(|why| format!("a lab needs the kernel: {why}"))?;
    let session = session::open(paths);
    if session.report_unsound() {
        return Err("nothing was changed".into());
    }
    let plan = super::plan(&session.db, named.id()?)?;
    Ok((session.db, plan))
}

impl Up {
    /// Makes it.
    pub fn run(self) -> Result<Exit, String> {
        let (db, plan) = opened(&self.paths, &self.named)?;
        println!("{}", plan.describe());
        let stop = super::stop_flag();
        let mut stage =
            Stage::up(&plan, &Target::default(), pins, super::seed(None), &stop).map_err(|error| error.to_string())?;
        let applied = stage.apply(&db).map_err(|error| error.to_string())?;
        stage.keep();
        let name = &self.named.run;
        println!("up: {} hooks enforced by {} images", applied.attached, applied.images);
        println!("  tidegate lab exec --run {name} NAMESPACE/POD -- COMMAND");
        println!("  tidegate lab swap --run {name} PATH");
        println!("  tidegate lab down --run {name}");
        Ok(Exit::Clean)
    }
}

impl Swap {
    /// Compiles and swaps.
    pub fn run(self) -> Result<Exit, String> {
        let (db, plan) = opened(&self.paths, &self.named)?;
        let lab =
            Lab::open(&plan).map_err(|error| format!("no lab `{}` of these pods is up: {error}", self.named.run))?;
        let mut stage =
            Stage::over(lab, &Target::default(), pins, super::seed(None)).map_err(|error| error.to_string())?;
        let applied = stage.apply(&db).map_err(|error| format!("{error}; what was enforced before still is"))?;
        stage.keep();
        println!(
            "swapped: {} hooks replaced, {} new, {} as before",
            applied.replaced, applied.attached, applied.unchanged
        );
        Ok(Exit::Clean)
    }
}

impl Exec {
    /// Runs it; the exit code is that of the program.
    pub fn run(self) -> Result<Exit, String> {
        let run = self.named.id()?;
        let name = match self.place.split_once(':') {
            Some(("node", node)) => run.node(node),
            _ if self.place == "world" => run.world(),
            _ => run.pod(&self.place),
        };
        let namespace = lab::netns::Namespace::open(&name)
            .map_err(|error| format!("no `{}` in a lab `{}` that is up: {error}", self.place, self.named.run))?;
        let (program, arguments) = self.command.split_first().ok_or("a command is missing after `--`")?;
        let status = namespace
            .run(|| Command::new(program).args(arguments).status().map_err(|error| lab::Error::Inside(error.into())))
            .map_err(|error| format!("cannot run `{program}`: {error}"))?;
        match status.code() {
            Some(0) => Ok(Exit::Clean),
            Some(1) => Ok(Exit::Findings),
            Some(code) => Err(format!("`{program}` ended with {code}")),
            None => Err(format!("`{program}` was ended by a signal")),
        }
    }
}

impl Down {
    /// Takes down.
    pub fn run(self) -> Result<Exit, String> {
        let prefix = self.run.clone().unwrap_or_default();
        let gone = lab::down_all(&prefix).map_err(|error| error.to_string())?;
        let root = loader::attach::default_root();
        for orphan in &gone {
            let run = orphan.run.as_str();
            println!("took down `{run}`: {} namespaces", orphan.names.len());
            for node in pinned_nodes(&root, run) {
                loader::Node::wipe(&node, &root).map_err(|error| error.to_string())?;
            }
        }
        if gone.is_empty() {
            println!("no lab is up{}", self.run.map_or(String::new(), |run| format!(" under the name `{run}`")));
        }
        Ok(Exit::Clean)
    }
}

/// The folders of pins that a run left.
fn pinned_nodes(root: &std::path::Path, run: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root.join("tidegate").join("v1")).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name.strip_prefix(run).is_some_and(|rest| rest.starts_with('-'))).collect()
}
