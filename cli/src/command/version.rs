//! `tidegate version`: what this binary is and what it speaks.

pub mod report;

use super::Exit;
use crate::args::Outputs;
use crate::output::{self, Format};
use clap::Args;
use report::VersionReport;

/// Say which version this is, and which dialects and formats it knows.
#[derive(Debug, Args)]
pub struct Version {
    /// Where the report goes.
    #[command(flatten)]
    pub outputs: Outputs,
}

impl Version {
    /// Prints it.
    pub fn run(self) -> Result<Exit, String> {
        let report = VersionReport::now();
        output::write_all(&self.outputs.outputs, |format, _| match format {
            Format::Json => super::json(&report),
            _ => report.to_string(),
        })
        .map_err(|error| error.to_string())?;
        Ok(Exit::Clean)
    }
}
