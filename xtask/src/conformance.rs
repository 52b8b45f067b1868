//! `cargo xtask conformance DIR`: asks every engine every case of a folder of scenarios.

use runner::conformance::{Options, run, scenario};
use runner::engine::{Kind, Unavailable};
use std::path::PathBuf;
use std::process::ExitCode;

/// Which folder, and whom.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder with scenarios (`*.json`, `*.json.gz`)
    folder: PathBuf,
    /// Engines to ask
    #[arg(long = "engine", value_delimiter = ',', value_parser = kind, default_value = "oracle,diagram,vm,kernel")]
    engines: Vec<Kind>,
    /// Also compare engines with the oracle on all pairs of each scenario, at about this many boundaries of ports
    #[arg(long, value_name = "BOUNDARIES", num_args = 0..=1, default_missing_value = "32")]
    compare: Option<usize>,
}

fn kind(name: &str) -> Result<Kind, String> {
    let known = Kind::ALL.map(Kind::name).join(", ");
    Kind::named(name).ok_or_else(|| format!("no such engine; known: {known}"))
}

/// Prints every wrong case and the counts of each engine. Exit code 1 when a case is wrong, 2 when something could not be asked at all.
pub fn run_all(arguments: &Arguments) -> ExitCode {
    let scenarios = match scenario::read_folder(&arguments.folder) {
        Ok(scenarios) if !scenarios.is_empty() => scenarios,
        Ok(_) => {
            eprintln!("error: {} holds no scenario", arguments.folder.display());
            return ExitCode::from(2);
        }
        Err(why) => {
            eprintln!("error: {why}");
            return ExitCode::from(2);
        }
    };
    let options = Options { engines: arguments.engines.clone(), compare: arguments.compare };
    let (mut wrong, mut broken) = (false, false);
    for (kind, outcome) in run(&scenarios, &options) {
        match outcome {
            Ok(report) => {
                wrong |= !report.wrong.is_empty();
                report.lines(kind, usize::MAX).iter().for_each(|line| println!("{line}"));
            }
            Err(Unavailable::NotPermitted) => {
                broken |= arguments.engines.len() == 1;
                println!("{kind}: skipped: bpf(2) is not permitted; 0 scenarios, 0 cases asked");
            }
            Err(Unavailable::Broken(why)) => {
                broken = true;
                println!("{kind}: cannot be had: {why}");
            }
        }
    }
    match (wrong, broken) {
        (true, _) => ExitCode::from(1),
        (false, true) => ExitCode::from(2),
        (false, false) => ExitCode::SUCCESS,
    }
}
