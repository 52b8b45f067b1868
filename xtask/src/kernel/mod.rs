//! `cargo xtask kernel`: our programs and their loader on stock kernels of Debian, each booted in an emulator.
//!
//! The tests that ask the kernel are put into a small root file system as they are; the first process runs them and switches off. What
//! they say of verified instructions is compared with what is recorded: a program that costs the verifier a tenth more is a failure. On
//! machines of other makes, for which tests are not built, objects of images are loaded by bpftool and asked about packets.

mod fetch;
mod foreign;
mod guest;
mod judge;
mod machine;

use crate::tidy::root;
use fetch::Make;
use std::path::PathBuf;
use std::process::ExitCode;

/// Which kernels, and where what is fetched is kept.
#[derive(clap::Args)]
pub struct Arguments {
    /// Versions of Debian's kernels, for example 6.1 or 6.12-arm64; all that Debian has of those that we support when none is named
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
    let versions: Vec<&fetch::Kernel> = match arguments.versions.as_slice() {
        [] => fetch::KERNELS.iter().collect(),
        named => named.iter().map(|it| fetch::named(it)).collect::<Result<_, _>>()?,
    };
    versions.iter().try_for_each(|it| machine::possible(it.make))?;
    let cache = arguments.cache.clone().unwrap_or_else(|| root().join("target/kernels"));
    let tests = guest::tests()?;
    let mut passed = true;
    for kernel in versions {
        let unpacked = kernel.fetch(&cache.join(kernel.name))?;
        let folder = tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?;
        let judged = match kernel.make {
            Make::Amd64 => {
                let initramfs = guest::pack(folder.path(), &unpacked, &tests, &arguments.only)?;
                let said = machine::boot(kernel.make, &unpacked.image, &initramfs)?;
                judge::judge(kernel.name, &said, tests.len(), arguments.bless)?
            }
            Make::Arm64 => {
                let cases = foreign::cases(&folder.path().join("cases"))?;
                let initramfs = foreign::pack(folder.path(), &unpacked, &cases)?;
                foreign::judge(kernel.name, &machine::boot(kernel.make, &unpacked.image, &initramfs)?, &cases)?
            }
        };
        judged.lines.iter().for_each(|line| println!("{line}"));
        passed &= judged.passed;
    }
    Ok(passed)
}
