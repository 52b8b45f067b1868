//! `cargo xtask soak NAME`: long runs, each with a short version among the tests.

use lab::RunId;
use rehearsal::Fault;
use rehearsal::soak::{Options, run};
use std::process::{Command, ExitCode};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// How often a run is made again when sockets or backlogs lost packets, so that missing does not mean denied.
const TRIES: u32 = 3;

/// Which run.
#[derive(clap::Args)]
pub struct Arguments {
    #[command(subcommand)]
    name: Name,
}

#[derive(clap::Subcommand)]
enum Name {
    /// Swaps policies under traffic and accounts for every packet; needs root
    Swap(Swap),
}

/// How long and how hard.
#[derive(clap::Args)]
struct Swap {
    /// One node instead of two, where one end of flows changes at a time
    #[arg(long)]
    alone: bool,
    /// How many changes of policy
    #[arg(long, default_value_t = 10_000)]
    swaps: u32,
    /// How many of them are edits never seen before, compiled and loaded afresh; the others go back to known states
    #[arg(long, default_value_t = 1000)]
    fresh: u32,
    /// Packets per second over all flows
    #[arg(long, default_value_t = 54_000)]
    rate: u32,
    /// Spread the swaps over at least so many seconds
    #[arg(long, default_value_t = 0)]
    seconds: u64,
    /// Chooses the rules and the order of the changes
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs it, as an optimised build. Exit code 1 when a packet is unexplained or a connection died, 2 when it could not be run.
pub fn run_one(arguments: &Arguments) -> ExitCode {
    if cfg!(debug_assertions) {
        return optimised();
    }
    let Name::Swap(swap) = &arguments.name;
    swap_all(swap)
}

/// The same command line, from a release build: a debug build would measure itself.
fn optimised() -> ExitCode {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["run", "--quiet", "--release", "--package", "tidegate-xtask", "--"])
        .args(std::env::args_os().skip(1));
    match command.status() {
        Ok(status) => status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::from(2), ExitCode::from),
        Err(error) => {
            eprintln!("error: cargo cannot be run: {error}");
            ExitCode::from(2)
        }
    }
}

fn swap_all(swap: &Swap) -> ExitCode {
    for attempt in 1..=TRIES {
        let Ok(run_id) = RunId::new(&format!("soak{}", std::process::id() % 10_000_000)) else {
            eprintln!("error: no name for the lab");
            return ExitCode::from(2);
        };
        let options = Options {
            run: run_id,
            alone: swap.alone,
            swaps: swap.swaps,
            fresh: swap.fresh,
            rate: swap.rate,
            at_least: Duration::from_secs(swap.seconds),
            seed: swap.seed,
            patience: Duration::from_secs(10),
            fault: Fault::None,
        };
        let alone = if swap.alone { "--alone " } else { "" };
        println!(
            "soak swap {alone}--swaps {} --fresh {} --rate {} --seed {}",
            swap.swaps, swap.fresh, swap.rate, swap.seed
        );
        match run(&options, &AtomicBool::new(false)) {
            Ok(outcome) => {
                println!("{outcome}");
                if outcome.is_conclusive() {
                    return if outcome.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(1) };
                }
                println!("attempt {attempt} of {TRIES} says nothing: packets were lost outside the programs");
            }
            Err(error) => {
                eprintln!("error: {error}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::from(2)
}
