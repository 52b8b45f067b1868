//! `cargo xtask admission FILE...`: compares what is said of manifests with what an API server answered.

use runner::admission::{Report, read};
use std::path::PathBuf;
use std::process::ExitCode;

/// Which tables.
#[derive(clap::Args)]
pub struct Arguments {
    /// Files of tables (`*.jsonl`, `*.jsonl.gz`)
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// Prints every wrong line and the counts of each kind. Exit code 1 when a line is wrong or of a kind that is not compared, 2 when a file cannot be read or is empty.
pub fn run(arguments: &Arguments) -> ExitCode {
    let mut report = Report::default();
    for file in &arguments.files {
        match read(file) {
            Ok(lines) if !lines.is_empty() => report.add(&lines),
            Ok(_) => {
                eprintln!("error: {} holds no line", file.display());
                return ExitCode::from(2);
            }
            Err(why) => {
                eprintln!("error: {why}");
                return ExitCode::from(2);
            }
        }
    }
    report.lines(usize::MAX).iter().for_each(|line| println!("{line}"));
    if report.wrong.is_empty() && report.absent.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
}
