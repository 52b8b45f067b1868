//! `cargo xtask kernel`: our programs and their loader on stock kernels of Debian, each booted in an emulator.
//!
//! The tests that ask the kernel are put into a small root file system as they are; the first process runs them and switches off. What
//! they say of verified instructions is compared with what is recorded: a program that costs the verifier a tenth more is a failure.

mod fetch;
mod guest;
mod judge;
mod machine;

use crate::tidy::root;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which kernels, and where what is fetched is kept.
#[derive(clap::Args)]
pub struct Arguments {
    /// Versions of Debian's kernels, for example 5.10; all that Debian has of those that we support when none is named
    #[arg(value_name = "VERSION")]
    versions: Vec<String>,
    /// Run only tests whose name holds this
    #[arg(long, value_name = "TEXT", default_value = "")]
    only: String,
    /// Write down what programs cost each kernel's verifier, instead of comparing it
    #[arg(long)]
    bless: bool,
    /// Keep kernels in this folder
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
}

/// Exit code 0 when everything passed on every kernel, 1 when something did not, 2 when a kernel could not be run at all.
pub fn run(arguments: &Arguments) -> ExitCode {
    match all(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

fn all(arguments: &Arguments) -> Result<bool, String> {
    machine::possible()?;
    let versions: Vec<&fetch::Kernel> = match arguments.versions.as_slice() {
        [] => fetch::KERNELS.iter().collect(),
        named => named.iter().map(|it| fetch::named(it)).collect::<Result<_, _>>()?,
    };
    let cache = arguments.cache.clone().unwrap_or_else(|| root().join("target/kernels"));
    let tests = guest::tests()?;
    let mut passed = true;
    for kernel in versions {
        let unpacked = kernel.fetch(&cache.join(kernel.version))?;
        let folder = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
        let initramfs = guest::pack(folder.path(), &unpacked, &tests, &arguments.only)?;
        let said = machine::boot(&unpacked.image, &initramfs)?;
        let judged = judge::judge(kernel.version, &said, tests.len(), arguments.bless)?;
        judged.lines.iter().for_each(|line| println!("{line}"));
        passed &= judged.passed;
    }
    Ok(passed)
}
