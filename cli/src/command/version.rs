//! `tidegate version`: what this binary is and what it speaks.

pub mod report;

use super::Exit;
use crate::args::Outputs;
use crate::formats::{self, Plain};
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
        formats::write_all(&self.outputs.outputs, |format, _| match format {
            Plain::Json => super::json(&report),
            Plain::Text | Plain::Concise => Ok(report.to_string()),
        })?;
        Ok(Exit::Clean)
    }
}
