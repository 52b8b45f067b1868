//! What `tidegate verify` reports: what was proved of images, whether their certificates say the same, and what is wrong.

use super::kernels::KernelEntry;
use diag::Diagnostic;
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
    /// How many images are proved.
    pub proved: usize,
    /// How many are not.
    pub refused: usize,
    /// How many of those that are proved have no certificate that says so.
    pub uncertified: usize,
    /// How many of those that are proved have an ELF object that is not theirs.
    pub other_objects: usize,
    /// How many an index names that are not there.
    pub missing: usize,
    /// How many a kernel that was asked for would refuse.
    pub untaken: usize,
}

/// A folder that `build --out-dir` wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FolderEntry {
    /// Its path.
    pub folder: String,
    /// How many files are as its index says.
    pub whole: usize,
    /// How many images its index names that are not there.
    pub missing: usize,
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
    /// As a finding.
    pub said: Said,
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
    /// With `--whole`, states in which paths of its programs met, from their first instructions on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub states: Option<usize>,
    /// With `--whole`, for nodes of which settings each program is right, ingress first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<String>,
    /// What its certificate is: `agrees`, `otherChecker`, `missing`, `unreadable` or `differs`. Absent for an image that is not proved, and for
    /// one under a name of somebody's own without a certificate beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Whether its certificate agrees, is by another checker and of this image, or is none that anybody expects.
    pub certified: bool,
    /// What the ELF object is that `build --elf` wrote of it: `agrees` or `differs`; absent where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    /// What is wrong, and what is worth saying.
    pub said: Vec<Said>,
    /// What the kernels that were asked for would say of its programs, by version.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kernels: Vec<KernelEntry>,
}

/// Something that is said of an image, a certificate or a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Said {
    /// For example `TG0073`.
    pub code: String,
    /// `error`, `warning` or `hint`.
    pub level: String,
    /// In one line.
    pub message: String,
    /// Why, or why it matters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

impl Said {
    /// A diagnostic without the places that it has not.
    pub fn of(it: &Diagnostic) -> Said {
        Said {
            code: it.code.to_string(),
            level: it.severity.to_string(),
            message: it.headline.clone(),
            why: it.why.clone(),
            help: it.help.clone(),
        }
    }
}

impl VerifyEntry {
    /// An image that is not proved.
    pub fn refused(file: String, subject: String, reasons: Vec<String>) -> VerifyEntry {
        VerifyEntry {
            said: vec![Said::of(&checks::built::not_proved(&file, &reasons))],
            file,
            subject,
            proved: false,
            unreadable: false,
            digest: None,
            meaning: Vec::new(),
            templates: Vec::new(),
            classes: Vec::new(),
            paths: 0,
            states: None,
            nodes: Vec::new(),
            certificate: None,
            certified: false,
            object: None,
            kernels: Vec::new(),
        }
    }
}

impl VerifyReport {
    /// Counts what was found.
    pub fn of(images: Vec<VerifyEntry>, folders: Vec<FolderEntry>) -> VerifyReport {
        let proved = images.iter().filter(|it| it.proved).count();
        VerifyReport {
            api_version: crate::report::API_VERSION,
            kind: "VerifyReport",
            checker: verify::certificate::CHECKER,
            proved,
            refused: images.len() - proved,
            uncertified: images.iter().filter(|it| it.proved && !it.certified).count(),
            other_objects: images.iter().filter(|it| it.object.as_deref() == Some("differs")).count(),
            missing: folders.iter().map(|it| it.missing).sum(),
            untaken: images.iter().filter(|image| image.kernels.iter().any(|it| !it.taken)).count(),
            images,
            folders,
        }
    }

    /// Whether all that should be there is there, is proved, and is as it was built.
    pub fn is_clean(&self) -> bool {
        self.wanting() == 0 && self.folders.iter().all(|it| it.faults.is_empty())
    }

    /// How much is wrong about images.
    fn wanting(&self) -> usize {
        self.refused + self.uncertified + self.other_objects + self.missing + self.untaken
    }
}

impl std::fmt::Display for Said {
    /// Lines that stand below what they are about.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "         {}[{}]: {}", self.level, self.code, self.message)?;
        for line in self.why.iter().flat_map(|why| why.lines()) {
            writeln!(f, "           {line}")?;
        }
        self.help.iter().try_for_each(|help| writeln!(f, "           help: {help}"))
    }
}

impl std::fmt::Display for VerifyReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for image in &self.images {
            let paths = match image.states {
                Some(states) => format!("{} paths of decisions, {states} states of whole programs", image.paths),
                None => format!("{} paths", image.paths),
            };
            match image.proved {
                true => writeln!(f, "proved   {}  {} ({paths})", image.file, image.subject)?,
                false => writeln!(f, "REFUSED  {}  {}", image.file, image.subject)?,
            }
            if let [ingress, egress] = &image.nodes[..] {
                writeln!(f, "         for nodes with {ingress} at ingress, and {egress} at egress")?;
            }
            image.said.iter().try_for_each(|said| write!(f, "{said}"))?;
            image.kernels.iter().try_for_each(|kernel| writeln!(f, "         {kernel}"))?;
        }
        for folder in &self.folders {
            match folder.faults.len() {
                0 => writeln!(f, "whole    {}  {} files as its index says", folder.folder, folder.whole)?,
                faults => {
                    let (files, are) = if faults == 1 { ("file", "is") } else { ("files", "are") };
                    writeln!(f, "DAMAGED  {}  {faults} {files} {are} not as its index says", folder.folder)?;
                }
            }
            folder.faults.iter().try_for_each(|fault| write!(f, "{}", fault.said))?;
        }
        match (self.wanting(), self.proved) {
            (0, 0) => return writeln!(f, "no image to prove"),
            (0, proved) => return writeln!(f, "every image does what its rules say: {proved} proved"),
            (_, proved) => write!(f, "{proved} proved")?,
        }
        for (count, what) in [
            (self.refused, "refused"),
            (self.uncertified, "without their certificate"),
            (self.other_objects, "with another ELF object"),
            (self.missing, "missing"),
            (self.untaken, "refused by a kernel"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        writeln!(f)
    }
}
