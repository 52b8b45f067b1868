//! `benches [--quick] [TARGET…]`: prints one line a measurement.

use benches::{clock, datapath};
use clap::Parser;
use std::process::ExitCode;

/// Measures targets of the design; all of them when none is named
#[derive(Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// Fewer sizes and rounds: ends within 50 seconds
    #[arg(long)]
    quick: bool,
    /// Targets, by their names: T1, T4 …
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let wanted = |target: &str| arguments.targets.is_empty() || arguments.targets.iter().any(|name| name == target);
    clock::pin();
    match datapath::run(&wanted, arguments.quick, &mut |line| println!("{line}")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}
