//! The subcommands, one file each.

pub mod build;
pub mod check;
pub mod completion;
pub mod cost;
pub mod demo;
pub mod diff;
pub mod explain;
pub mod function;
pub mod graph;
pub mod init;
pub mod lab;
pub mod lsp;
pub mod replay;
pub mod snapshot;
pub mod suggest;
pub mod test;
pub mod trace;
pub mod verify;
pub mod version;

use crate::args::{Args, Command};
use crate::render::say;
use std::process::ExitCode;

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing to report.
    Clean,
    /// There are findings, or an expectation was not met.
    Findings,
    /// Input that cannot be used, an output that cannot be written, or a fault of our own.
    Bad,
    /// As a program that was run for the user ended.
    Code(u8),
}

impl Exit {
    /// As a number.
    pub fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Bad => 2,
            Exit::Code(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

/// Runs one command. A panic is reported as a fault of ours and ends in [`Exit::Bad`], never as findings.
pub fn run(args: Args) -> Exit {
    let color = args.color;
    let outcome = std::panic::catch_unwind(move || match args.command {
        Command::Build(command) => command.run(color),
        Command::Verify(command) => command.run(),
        Command::Check(command) => command.run(color),
        Command::Diff(command) => command.run(color),
        Command::Explain(command) => command.run(),
        Command::Trace(command) => command.run(color),
        Command::Test(command) => command.run(color),
        Command::Graph(command) => command.run(color),
        Command::Replay(command) => command.run(color),
        Command::Suggest(command) => command.run(color),
        Command::Cost(command) => command.run(color),
        Command::Demo(command) => command.run(color),
        Command::Lab(command) => command.run(color),
        Command::Lsp(command) => command.run(),
        Command::Init(command) => command.run(),
        Command::Fn(command) => command.run(),
        Command::Snapshot(command) => command.run(),
        Command::Completion(command) => command.run(),
        Command::Version(command) => command.run(),
    });
    match outcome {
        Ok(Ok(exit)) => exit,
        Ok(Err(message)) => {
            say(&format!("error: {message}"));
            Exit::Bad
        }
        Err(_) => {
            say("error[TG9999]: this is a fault of tidegate, not of your files; nothing was changed");
            say("  please report it with the lines above and the files that you can share");
            Exit::Bad
        }
    }
}

/// A report as JSON, for people and programs.
///
/// Errors: a report that is no JSON, as one with keys that are no text would be; for people.
pub(crate) fn json<T: serde::Serialize>(report: &T) -> Result<String, String> {
    let text = serde_json::to_string_pretty(report).map_err(|error| format!("the report is no JSON: {error}"))?;
    Ok(text + "\n")
}
