//! `cargo xtask bench`: builds the benches with optimisation and runs them.

mod replay;

use crate::tidy::root;
use clap::Args;
use std::process::{Command, ExitCode};

/// What to measure.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Fewer sizes and rounds: ends within 50 seconds once built
    #[arg(long)]
    quick: bool,
    /// Targets, by their names: T1, T4 …, and replay; all but replay when none is named
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// Builds and runs. The exit code is that of the benches; 2 when they cannot be started.
pub fn run(arguments: &Arguments) -> ExitCode {
    if arguments.targets.iter().any(|target| target == "replay") {
        return replay::run(arguments.quick);
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--release", "--package", "tidegate-benches", "--bin", "benches", "--"]);
    if arguments.quick {
        command.arg("--quick");
    }
    command.args(&arguments.targets).current_dir(root());
    match command.status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)),
        Err(error) => {
            eprintln!("cargo does not start: {error}");
            ExitCode::from(2)
        }
    }
}
