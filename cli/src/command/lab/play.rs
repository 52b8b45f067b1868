//! `tidegate lab up|swap|exec|down`: a lab to play with.

use super::{made_of, say};
use crate::args::{Color, Paths};
use crate::command::Exit;
use crate::render;
use crate::report::DialectEntry;
use crate::session::{self, Session};
use clap::Args;
use lab::netns::Namespace;
use lab::topology::Plan;
use lab::{Lab, RunId};
use loader::Pins;
use rehearsal::Stage;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};
use std::sync::atomic::Ordering;

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

/// Reads the files; `None` when they hold what a cluster would not take, which is drawn on standard error.
fn opened(paths: &Paths, run: RunId, color: Color) -> Result<Option<(Session, Plan)>, String> {
    let session = session::open(paths)?;
    if session.refused("nothing was changed", color) {
        return Ok(None);
    }
    let plan = super::plan(&session.db, run)?;
    Ok(Some((session, plan)))
}

fn needs_kernel() -> Result<(), String> {
    super::kernel().map_err(|why| format!("a lab needs the kernel: {why}"))
}

fn is_up(run: &RunId) -> bool {
    Namespace::open(&run.core()).is_ok()
}

impl Up {
    /// Makes it.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        needs_kernel()?;
        let run = self.named.id()?;
        if is_up(&run) {
            return Err(format!(
                "lab `{run}` is up; `tidegate lab swap --run {run}` changes it, `tidegate lab down --run {run}` takes it down"
            ));
        }
        let Some((mut session, plan)) = opened(&self.paths, run.clone(), color)? else { return Ok(Exit::Bad) };
        let target = super::target(&mut session.db)?;
        say(&format!("{}\n", plan.describe()))?;
        let stop = super::stop_flag();
        let made = Stage::up(&plan, &target, pins, super::seed(None), &stop);
        let mut stage = made.map_err(|error| undone(&run, error.to_string()))?;
        let applied = stage.apply(&session.db).map_err(|error| error.to_string()).and_then(|applied| {
            made_of::remember(&plan)?;
            if stop.load(Ordering::SeqCst) { Err("stopped; the lab is taken down".into()) } else { Ok(applied) }
        });
        let applied = match applied {
            Ok(applied) => applied,
            Err(why) => {
                // Whatever cannot be taken down in order is removed by name; what went wrong first is what is told.
                let _ = stage.down();
                return Err(undone(&run, why));
            }
        };
        stage.keep();
        say(&format!(
            "up: {} hooks enforced by {} images; {}\n  tidegate lab exec --run {run} NAMESPACE/POD -- COMMAND\n  \
             tidegate lab swap --run {run} PATH\n  tidegate lab down --run {run}\n",
            applied.attached,
            applied.images,
            DialectEntry::of(&session.choice)
        ))?;
        Ok(Exit::Clean)
    }
}

/// Removes what a lab that did not come up may have left beside its namespaces; gives back why it did not.
fn undone(run: &RunId, why: String) -> String {
    match cleared(run) {
        Ok(()) => why,
        Err(left) => format!("{why}; and {left}"),
    }
}

/// Removes what a lab leaves beside its namespaces: pins, and what it was made of.
fn cleared(run: &RunId) -> Result<(), String> {
    let root = loader::attach::default_root();
    for node in pinned_nodes(&root, run.as_str()) {
        loader::Node::wipe(&node, &root).map_err(|error| error.to_string())?;
        enforce::journal::forget(&node);
    }
    made_of::forget(run)
}

impl Swap {
    /// Compiles and swaps.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        needs_kernel()?;
        let run = self.named.id()?;
        if !is_up(&run) {
            return Err(format!("no lab `{run}` is up; `tidegate lab up --run {run}` makes it"));
        }
        let Some((mut session, plan)) = opened(&self.paths, run.clone(), color)? else { return Ok(Exit::Bad) };
        let target = super::target(&mut session.db)?;
        made_of::compare(&plan)?;
        let lab = Lab::open(&plan).map_err(|error| format!("the lab `{run}` is not whole: {error}"))?;
        let mut stage = Stage::over(lab, &target, pins, super::seed(None)).map_err(|error| error.to_string())?;
        let applied =
            stage.apply(&session.db).map_err(|error| format!("{error}; what was enforced before still is"))?;
        stage.keep();
        say(&format!(
            "swapped: {} hooks replaced, {} new, {} as before; {}\n",
            applied.replaced,
            applied.attached,
            applied.unchanged,
            DialectEntry::of(&session.choice)
        ))?;
        Ok(Exit::Clean)
    }
}

impl Exec {
    /// Runs it; the exit code is that of the program, as a shell has it: 128 and the signal, 127 for a program that is not there.
    pub fn run(self) -> Result<Exit, String> {
        let run = self.named.id()?;
        let name = match self.place.split_once(':') {
            Some(("node", node)) => run.node(node),
            _ if self.place == "world" => run.world(),
            _ => run.pod(&self.place),
        };
        let namespace = Namespace::open(&name)
            .map_err(|error| format!("no `{}` in a lab `{run}` that is up: {error}", self.place))?;
        let (program, arguments) = self.command.split_first().ok_or("a command is missing after `--`")?;
        let ended =
            namespace.run(|| Ok(Command::new(program).args(arguments).status())).map_err(|error| error.to_string())?;
        match ended {
            Ok(status) => Ok(Exit::Code(code(status))),
            Err(error) => {
                render::say(&format!("error: cannot run `{program}`: {error}"));
                Ok(Exit::Code(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }))
            }
        }
    }
}

fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

impl Down {
    /// Takes down.
    pub fn run(self) -> Result<Exit, String> {
        let gone = match &self.run {
            Some(name) => {
                let run = RunId::new(name).map_err(|error| error.to_string())?;
                lab::down(&run).map(Vec::from_iter)
            }
            None => lab::down_all(""),
        };
        let gone = gone.map_err(|error| error.to_string())?;
        for orphan in &gone {
            cleared(&orphan.run)?;
            say(&format!("took down `{}`: {} namespaces\n", orphan.run, orphan.names.len()))?;
        }
        if gone.is_empty() {
            say(&format!(
                "no lab is up{}\n",
                self.run.map_or(String::new(), |run| format!(" under the name `{run}`"))
            ))?;
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
