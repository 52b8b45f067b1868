//! The `tidegate` binary.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args = cli::plugin::parse(std::env::args_os());
    cli::command::run(args).into()
}
