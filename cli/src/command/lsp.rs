//! `tidegate lsp`: a language server on standard input and output.

mod disk;
mod folders;
mod forms;
mod render;

use super::Exit;
use crate::args::Reading;
use crate::render::say;
use clap::Args;
use disk::Disk;
use language_server::serve;
use std::sync::Arc;

/// Serve an editor: diagnostics, completion, hovers, and who can reach a pod after an edit.
///
/// The editor starts it, names the folders and says what is typed. Flags are as those of `check`; `tidegate.toml` holds as it does
/// there.
#[derive(Clone, Debug, Args)]
pub struct Lsp {
    /// The namespace of objects that name none: `default`, unless the configuration says another.
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The reading of the policy language.
    #[command(flatten)]
    pub reading: Reading,
    /// Print on standard error, when the editor is gone, how long answers took and how much memory was used.
    #[arg(long)]
    pub stats: bool,
    /// Standard input and output, which is all that there is; editors name it.
    #[arg(long, hide = true)]
    pub stdio: bool,
}

impl Lsp {
    /// Serves until the editor says `exit`.
    pub fn run(self) -> Result<Exit, String> {
        let (connection, threads) = lsp_server::Connection::stdio();
        let stats = self.stats;
        let disk = Arc::new(Disk::new(self));
        let served = serve(&connection, disk.clone());
        disk.running.end();
        // Why before the threads: the one that writes ends with the last sender.
        drop(connection);
        let taken = served.map_err(|failure| failure.to_string())?;
        if stats {
            let memory = disk::most_memory().map_or(String::new(), |kib| format!("{} MiB at most\n", kib >> 10));
            say(format!("{taken}{memory}").trim_end());
        }
        threads.join().map_err(|error| format!("the last messages could not be sent: {error}"))?;
        Ok(Exit::Clean)
    }
}
