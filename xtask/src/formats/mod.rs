//! `cargo xtask formats`: every format that the program writes, judged by something that is not ours: a published schema, another
//! parser, the program that reads it.
//!
//! The real binary runs on the examples, on what the pages of findings show as failing, and on names that formats have to escape.

mod fixture;
mod judge;
mod pages;
mod table;
mod tools;

use crate::tidy::root;
use judge::Verdict;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use table::Case;
use tools::Tools;

/// What to judge, and where.
#[derive(clap::Args)]
pub struct Arguments {
    /// Keep inputs and outputs in this folder, which has to be empty or absent; a temporary one when none is named
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Judge this binary; the one that is built now when none is named
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Count what a missing program would judge as skipped, not as a failure
    #[arg(long)]
    skip_missing: bool,
    /// Only outputs whose command holds this
    #[arg(value_name = "TEXT")]
    only: Option<String>,
}

/// How many outputs there were, and what was said of them.
#[derive(Debug, Default, PartialEq, Eq)]
struct Score {
    outputs: usize,
    valid: usize,
    invalid: usize,
    skipped: usize,
}

/// Exit code 0 when every output is valid, 1 when one is not or was not judged, 2 when nothing could be run.
pub fn run(arguments: &Arguments) -> ExitCode {
    match judged(arguments) {
        Ok(score) => {
            let Score { outputs, valid, invalid, skipped } = score;
            println!("{outputs} outputs, {valid} valid, {invalid} invalid, {skipped} skipped");
            ExitCode::from(u8::from(invalid > 0 || (skipped > 0 && !arguments.skip_missing)))
        }
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(2)
        }
    }
}

fn judged(arguments: &Arguments) -> Result<Score, String> {
    let kept = match &arguments.out {
        Some(_) => None,
        None => Some(tempfile::tempdir().map_err(|error| format!("cannot make a temporary folder: {error}"))?),
    };
    let out = kept.as_ref().map_or_else(|| arguments.out.clone().unwrap_or_default(), |it| it.path().to_owned());
    let binary = arguments.binary.clone().map_or_else(built, Ok)?;
    let binary = binary.canonicalize().map_err(|error| format!("no binary at {}: {error}", binary.display()))?;
    let work = fixture::make(&out, &binary)?;
    let tools = Tools::new(&out);
    let mut score = Score::default();
    let cases = table::cases().into_iter().chain(pages::cases(&out)?);
    let asked = |case: &Case| arguments.only.as_ref().is_none_or(|it| case.command.contains(it.as_str()));
    for (at, case) in cases.filter(asked).enumerate() {
        let output = written(&case, &binary, &work, &out.join(format!("{at:03}.{}", case.format)));
        let mut worst = None;
        for judge in &case.judges {
            let verdict = match &output {
                Ok(file) => judge.judge(file, &work, &tools),
                Err(why) => Verdict::Invalid(why.clone()),
            };
            println!("{}  {}  {}  {verdict}", case.command, case.format, judge.name());
            worst = worst.max(Some(verdict.rank()));
        }
        score.outputs += 1;
        match worst {
            Some(0) => score.valid += 1,
            Some(1) => score.skipped += 1,
            _ => score.invalid += 1,
        }
    }
    Ok(score)
}

/// Builds the binary and says where it is.
fn built() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build =
        Command::new(cargo).args(["build", "--quiet", "--package", "tidegate-cli"]).current_dir(root()).status();
    match build {
        Ok(status) if status.success() => {}
        Ok(status) => return Err(format!("the binary is not built: cargo ended with {status}")),
        Err(error) => return Err(format!("cargo does not start: {error}")),
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(folder.join("debug/tidegate"))
}

/// The file of a name in which `*` stands for a digest. Errors: there is none.
fn found(work: &Path, name: &str) -> Result<PathBuf, String> {
    let Some((before, ending)) = name.split_once('*') else { return Ok(work.join(name)) };
    let entries = std::fs::read_dir(work.join(before)).map_err(|error| format!("cannot read {before}: {error}"))?;
    let paths = entries.flatten().map(|entry| entry.path());
    let least = paths.filter(|path| path.to_string_lossy().ends_with(ending)).min();
    least.ok_or_else(|| format!("there is no file {name}"))
}

/// Runs one case, and says which file holds its output.
///
/// Errors: how it ended, where neither in 0 nor in 1.
fn written(case: &Case, binary: &Path, work: &Path, file: &Path) -> Result<PathBuf, String> {
    if let Some(made) = &case.made {
        return Ok(made.clone());
    }
    let (words, input) = match case.command.split_once(" < ") {
        Some((words, input)) => (words, Some(input)),
        None => (case.command.as_str(), None),
    };
    let stdin = match input {
        Some(input) => Stdio::from(std::fs::File::open(work.join(input)).map_err(|error| format!("{input}: {error}"))?),
        None => Stdio::null(),
    };
    let mut command = Command::new(binary);
    command.args(words.split(' ').skip(1)).current_dir(work).stdin(stdin);
    let output = command.output().map_err(|error| format!("cannot start {}: {error}", binary.display()))?;
    if !matches!(output.status.code(), Some(0 | 1)) {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("it ends with {}: {}", output.status, said.lines().next().unwrap_or_default()));
    }
    if let Some(name) = case.file {
        return found(work, name);
    }
    std::fs::write(file, output.stdout).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    Ok(file.to_owned())
}
