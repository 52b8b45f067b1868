//! `tidegate init`: a configuration and a CI file to begin with.

use super::Exit;
use crate::output;
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Write a configuration, and on request a CI file, to begin with.
///
/// What is there already is left as it is, and named.
#[derive(Debug, Args)]
pub struct Init {
    /// The folder to write into.
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub folder: PathBuf,
    /// Also write the file that has changes reviewed there. Repeatable.
    #[arg(long, value_name = "WHERE")]
    pub ci: Vec<Ci>,
    /// Replace files that are there.
    #[arg(long)]
    pub force: bool,
}

/// Where changes are reviewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Ci {
    /// GitHub Actions, in pull requests.
    Github,
    /// GitLab CI, in merge requests.
    Gitlab,
    /// pre-commit, before each commit.
    PreCommit,
}

impl Ci {
    /// Path and text of its file.
    fn file(self) -> (&'static str, &'static str) {
        match self {
            Ci::Github => (".github/workflows/tidegate.yml", include_str!("../../../deploy/init/github.yml")),
            Ci::Gitlab => (".gitlab-ci.yml", include_str!("../../../deploy/init/gitlab.yml")),
            Ci::PreCommit => (".pre-commit-config.yaml", include_str!("../../../deploy/init/pre-commit.yaml")),
        }
    }
}

impl Init {
    /// Writes the files; [`Exit::Findings`] when one was there already.
    ///
    /// Errors: the first file that cannot be written.
    pub fn run(self) -> Result<Exit, String> {
        let configuration = ("tidegate.toml", include_str!("../../../deploy/init/tidegate.toml"));
        let mut files = vec![configuration];
        files.extend(self.ci.iter().map(|ci| ci.file()));
        files.dedup();
        let (mut said, mut exit) = (String::new(), Exit::Clean);
        for (name, text) in files {
            let path = self.folder.join(name);
            if path.exists() && !self.force {
                said += &format!("{} is there already and stays as it is; `--force` replaces it\n", path.display());
                exit = Exit::Findings;
                continue;
            }
            write(&path, &text.replace("@VERSION@", env!("CARGO_PKG_VERSION")))?;
            said += &format!("{} written\n", path.display());
        }
        if exit == Exit::Clean {
            said += "next: `tidegate check`, then commit these files\n";
        }
        output::write_stdout(&said).map_err(|error| error.to_string())?;
        Ok(exit)
    }
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write `{}`: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    output::write_file(path, text.as_bytes()).map_err(failed)
}
