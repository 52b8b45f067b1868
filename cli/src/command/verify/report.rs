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
    /// One entry for each image file, in order.
    pub images: Vec<VerifyEntry>,
    /// One for each folder of a build, compared with its index.
    pub folders: Vec<FolderEntry>,
    /// How many are proved.
    pub proved: usize,
    /// How many are not.
    pub refused: usize,
}

/// A folder that `build --out-dir` wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FolderEntry {
    /// Its path.
    pub folder: String,
    /// How many files are as its index says.
    pub whole: usize,
    /// What is otherwise, by path.
    pub faults: Vec<FileFault>,
}

/// A file that is not as the index of its folder says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FileFault {
    /// The file.
    pub file: String,
    /// What is wrong.
    pub reason: String,
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
        for folder in &self.folders {
            match folder.faults.len() {
                0 => writeln!(f, "whole    {}  {} files as its index says", folder.folder, folder.whole)?,
                faults => {
                    let (files, are) = if faults == 1 { ("file", "is") } else { ("files", "are") };
                    writeln!(f, "DAMAGED  {}  {faults} {files} {are} not as its index says", folder.folder)?;
                }
            }
            for FileFault { file, reason } in &folder.faults {
                writeln!(f, "         {file}: {reason}")?;
            }
        }
        match self.refused {
            0 if self.images.is_empty() => writeln!(f, "no image to prove"),
            0 => writeln!(f, "every image does what its rules say: {} proved", self.proved),
            refused => writeln!(f, "{} proved, {refused} refused", self.proved),
        }
    }
}
