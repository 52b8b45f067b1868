//! What `tidegate verify` reports: the certificates of images, or why there is none.

use schemars::JsonSchema;
use serde::Serialize;

/// The report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// `VerifyReport`.
    pub kind: &'static str,
    /// The version of the checker.
    pub checker: u32,
    /// One entry for each file, in order.
    pub images: Vec<VerifyEntry>,
    /// How many are proved.
    pub proved: usize,
    /// How many are not.
    pub refused: usize,
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyEntry {
    /// The file.
    pub file: String,
    /// The class of endpoints, for people.
    pub subject: String,
    /// Whether the image does what its rules say.
    pub proved: bool,
    /// Whether the file holds no image that this build reads.
    pub unreadable: bool,
    /// The digest of the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Digests of what both directions mean, ingress first.
    pub meaning: Vec<String>,
    /// Digests of the templates that surround the decisions, likewise.
    pub templates: Vec<String>,
    /// Classes of peers, likewise.
    pub classes: Vec<usize>,
    /// Paths that were followed to their end.
    pub paths: usize,
    /// Why it is not proved.
    pub reasons: Vec<String>,
}

impl VerifyEntry {
    /// An image that is not proved.
    pub fn refused(file: String, subject: String, reasons: Vec<String>) -> VerifyEntry {
        VerifyEntry {
            file,
            subject,
            proved: false,
            unreadable: false,
            digest: None,
            meaning: Vec::new(),
            templates: Vec::new(),
            classes: Vec::new(),
            paths: 0,
            reasons,
        }
    }
}

impl std::fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for image in &self.images {
            match image.proved {
                true => writeln!(f, "proved   {}  {} ({} paths)", image.file, image.subject, image.paths)?,
                false => writeln!(f, "REFUSED  {}  {}", image.file, image.subject)?,
            }
            for reason in &image.reasons {
                writeln!(f, "         {reason}")?;
            }
        }
        match self.refused {
            0 => writeln!(f, "every image does what its rules say: {} proved", self.proved),
            refused => writeln!(f, "{} proved, {refused} refused", self.proved),
        }
    }
}
