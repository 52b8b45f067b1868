//! `tidegate completion`: a completion script for a shell.

use super::Exit;
use crate::args::Args as Tree;
use crate::output;
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a completion script for a shell.
#[derive(Debug, Args)]
pub struct Completion {
    /// The shell.
    pub shell: Shell,
}

impl Completion {
    /// Prints the script.
    pub fn run(self) -> Result<Exit, String> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Tree::command(), "tidegate", &mut script);
        output::write_stdout(&String::from_utf8_lossy(&script)).map_err(|error| error.to_string())?;
        Ok(Exit::Clean)
    }
}
