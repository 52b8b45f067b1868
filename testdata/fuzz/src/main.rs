//! `fuzz run …`, and the two forms in which it starts itself: `fuzz worker …`, `fuzz one …`.

use clap::{Parser, Subcommand};
use fuzz::{Options, Target};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Parser)]
#[command(name = "cargo xtask fuzz")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs targets and minimises what does not hold
    Run(Run),
    /// Runs cases, printing each number
    #[command(hide = true)]
    Worker { target: String, seed: u64, from: u64, count: u64 },
    /// Checks the text of standard input
    One { target: String },
    /// Prints the text of a case
    Case { target: String, seed: u64, number: u64 },
}

/// How long and what.
#[derive(clap::Args)]
struct Run {
    /// A target; all when none is named
    #[arg(long)]
    target: Vec<String>,
    /// Minutes for each target
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Chooses the cases
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where minimised texts are kept
    #[arg(long, default_value = "testdata/regressions")]
    keep: PathBuf,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run(run) => all(&run),
        Command::Worker { target, seed, from, count } => {
            named(&target).map_or_else(|exit| exit, |target| fuzz::worker::cases(target, seed, from, count))
        }
        Command::One { target } => named(&target).map_or_else(|exit| exit, fuzz::worker::one),
        Command::Case { target, seed, number } => named(&target).map_or_else(
            |exit| exit,
            |target| {
                print!("{}", target.generate(seed, number));
                ExitCode::SUCCESS
            },
        ),
    }
}

fn named(name: &str) -> Result<Target, ExitCode> {
    Target::named(name).ok_or_else(|| {
        let names: Vec<&str> = Target::ALL.iter().map(|target| target.name()).collect();
        eprintln!("error: there is no target `{name}`, only {}", names.join(", "));
        ExitCode::from(2)
    })
}

fn all(run: &Run) -> ExitCode {
    let targets: Result<Vec<Target>, ExitCode> = run.target.iter().map(|name| named(name)).collect();
    let targets = match targets {
        Ok(targets) if targets.is_empty() => Target::ALL.to_vec(),
        Ok(targets) => targets,
        Err(exit) => return exit,
    };
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let options = Options {
        program,
        targets,
        time: Some(Duration::from_secs_f64(run.minutes * 60.0)),
        cases: u64::MAX,
        seed: run.seed,
        patience: Duration::from_secs(20),
        keep: Some(run.keep.clone()),
    };
    match fuzz::run(&options, &mut |line| println!("{line}")) {
        Ok(summaries) if summaries.iter().all(|summary| summary.failures.is_empty()) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
