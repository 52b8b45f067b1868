//! `tidegate init`: a configuration and a CI file to begin with.

use super::Exit;
use crate::{files, output};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Write a configuration, and on request a CI file, to begin with.
///
/// What is there already is left as it is, and named; the exit code is 1 where it says something else.
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
    /// Writes the files; [`Exit::Findings`] when one was there already and says something else.
    ///
    /// Errors: the first file that cannot be read or written.
    pub fn run(self) -> Result<Exit, String> {
        let configuration = ("tidegate.toml", include_str!("../../../deploy/init/tidegate.toml"));
        let mut files = vec![configuration];
        files.extend(self.ci.iter().map(|ci| ci.file()));
        files.dedup();
        let (mut said, mut exit, mut wrote) = (String::new(), Exit::Clean, false);
        for (name, text) in files {
            let text = text.replace("@VERSION@", env!("CARGO_PKG_VERSION"));
            let path = self.folder.join(name);
            let shown = path.strip_prefix(".").unwrap_or(&path).display();
            match there(&path)? {
                Some(old) if old == text.as_bytes() => said += &format!("{shown} stands already\n"),
                Some(_) if !self.force => {
                    said += &format!(
                        "{shown} is there already and says something else, so it stays as it is; `--force` replaces it\n"
                    );
                    exit = Exit::Findings;
                }
                _ => {
                    write(&path, &text)?;
                    said += &format!("{shown} written\n");
                    wrote = true;
                }
            }
        }
        if wrote && exit == Exit::Clean {
            said += "next: `tidegate check`, then commit these files\n";
        }
        output::write_stdout(&said).map_err(|error| error.to_string())?;
        Ok(exit)
    }
}

/// The bytes of a file, if it is there.
fn there(path: &Path) -> Result<Option<Vec<u8>>, String> {
    if !path.exists() {
        return Ok(None);
    }
    files::bytes(path).map(Some).map_err(|why| format!("cannot read `{}`: {why}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write `{}`: {error}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    output::write_file(path, text.as_bytes()).map_err(failed)
}
