//! `cargo xtask fuzz`: builds the fuzzer with optimisation and with its assertions, and runs it.

use crate::tidy::root;
use clap::Args;
use std::process::{Command, ExitCode};

/// What to fuzz.
#[derive(Args, Debug)]
pub struct Arguments {
    /// A target: parser, decoder, compiler or laws; each of them when none is named
    #[arg(long)]
    target: Vec<String>,
    /// Minutes for each target
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Chooses the cases: the same seed gives the same ones
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Builds and runs. The exit code is 1 when a case does not hold, 2 when nothing can be run.
pub fn run(arguments: &Arguments) -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["run", "--quiet", "--profile", "fuzz", "--package", "tidegate-fuzz", "--bin", "fuzz", "--", "run"]);
    command.args(["--minutes", &arguments.minutes.to_string(), "--seed", &arguments.seed.to_string()]);
    for target in &arguments.target {
        command.args(["--target", target]);
    }
    match command.current_dir(root()).status() {
        Ok(status) => ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(2)),
        Err(error) => {
            eprintln!("cargo does not start: {error}");
            ExitCode::from(2)
        }
    }
}
