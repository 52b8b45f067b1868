//! The `tidegate` binary.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = cli::args::Args::parse();
    cli::command::run(args).into()
}
