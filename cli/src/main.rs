//! The `tidegate` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    let args = cli::plugin::parse(std::env::args_os());
    cli::command::run(args).into()
}
