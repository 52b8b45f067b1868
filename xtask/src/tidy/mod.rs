//! `cargo xtask tidy`: the rules of the house, each a function from the [`House`] to its findings.
//!
//! A rule sees texts only, so its tests plant a violation in a house of two or three made-up files.

pub mod house;
pub mod tokens;

// The outer form, then who knows what, then what nobody would miss, then documents.
mod shape;

mod layers;

mod versions;

mod words;

mod effects;

mod hazards;

mod serialise;

mod orphans;

mod snapshots;

mod maps;

mod pages;

mod paths;

mod table;

pub use house::House;

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// One thing that is not as the house wants it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, relative to the root, with `/`.
    pub path: String,
    /// From 1; 0 when the finding concerns the file as a whole.
    pub line: usize,
    /// The name of the rule.
    pub rule: &'static str,
    /// What is wrong, and what to do.
    pub text: String,
    /// Whether tidy fails.
    pub weight: Weight,
}

/// Whether a finding fails tidy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It does.
    Error,
    /// It is only reported.
    Warning,
}

impl Finding {
    /// A finding that fails tidy.
    fn error(rule: &'static str, path: &str, line: usize, text: impl Into<String>) -> Finding {
        Finding { path: path.into(), line, rule, text: text.into(), weight: Weight::Error }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Error => "",
            Weight::Warning => "warning: ",
        };
        match self.line {
            0 => write!(f, "{}: {weight}{}: {}", self.path, self.rule, self.text),
            line => write!(f, "{}:{line}: {weight}{}: {}", self.path, self.rule, self.text),
        }
    }
}

/// Every rule, in the order in which a reader meets them in the architecture page.
const RULES: &[fn(&House) -> Vec<Finding>] = &[
    shape::check,
    layers::check,
    versions::check,
    words::check,
    effects::check,
    hazards::check,
    serialise::check,
    orphans::check,
    snapshots::check,
    maps::check,
    pages::check,
    paths::check,
    table::check,
];

/// All findings of all rules, sorted by place, without duplicates.
pub fn findings(house: &House) -> Vec<Finding> {
    let mut all: Vec<Finding> = RULES.iter().flat_map(|rule| rule(house)).collect();
    all.sort();
    all.dedup();
    all
}

/// The arguments of `cargo xtask tidy`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Rewrites what is generated (the crate table of docs/dev/architecture.md) before checking
    #[arg(long)]
    bless: bool,
    /// The root of the repository
    #[arg(long, default_value_os_t = root())]
    root: PathBuf,
}

/// The root of the repository that this program was built from.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Runs the subcommand. Exit code: 0 clean, 1 findings, 2 the repository could not be read or written.
pub fn run(arguments: &Arguments) -> ExitCode {
    match tidy(arguments) {
        Ok(found) => {
            for finding in &found {
                println!("{finding}");
            }
            let errors = found.iter().filter(|finding| finding.weight == Weight::Error).count();
            println!("tidy: {errors} errors, {} warnings", found.len() - errors);
            ExitCode::from(u8::from(errors > 0))
        }
        Err(error) => {
            eprintln!("tidy: {}: {error}", arguments.root.display());
            ExitCode::from(2)
        }
    }
}

fn tidy(arguments: &Arguments) -> std::io::Result<Vec<Finding>> {
    let house = House::read(&arguments.root)?;
    if !arguments.bless {
        return Ok(findings(&house));
    }
    if let Some(text) = table::blessed(&house) {
        std::fs::write(arguments.root.join(table::PAGE), text)?;
    }
    Ok(findings(&House::read(&arguments.root)?))
}
