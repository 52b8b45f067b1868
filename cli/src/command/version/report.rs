//! What `tidegate version` reports.

use crate::report::API_VERSION;
use hir::Dialect;
use schemars::JsonSchema;
use serde::Serialize;

/// What a binary is and what it speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionReport {
    /// `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// `VersionReport`.
    pub kind: &'static str,
    /// For example `0.1.0`.
    pub version: &'static str,
    /// The names of the dialects that it knows.
    pub dialects: Vec<&'static str>,
    /// The version of image files that it writes and reads.
    pub image_version: u32,
    /// How many codes findings can have.
    pub codes: usize,
}

impl VersionReport {
    /// This binary.
    pub fn now() -> VersionReport {
        VersionReport {
            api_version: API_VERSION,
            kind: "VersionReport",
            version: env!("CARGO_PKG_VERSION"),
            dialects: Dialect::ALL.iter().map(|dialect| dialect.name).collect(),
            image_version: image::VERSION,
            codes: checks::REGISTRY.len(),
        }
    }
}

impl std::fmt::Display for VersionReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "tidegate {}", self.version)?;
        writeln!(f, "dialects  {}", self.dialects.join(", "))?;
        writeln!(f, "images    version {}", self.image_version)?;
        writeln!(f, "reports   {}", self.api_version)?;
        writeln!(f, "codes     {}", self.codes)
    }
}
