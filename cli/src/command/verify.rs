//! `tidegate verify`: proves images again, from their bytes alone.

mod folder;
pub mod report;

use super::Exit;
use crate::args::Outputs;
use crate::files;
use crate::formats::{self, Plain};
use crate::report::API_VERSION;
use clap::Args;
use image::Image;
use report::{FolderEntry, VerifyEntry, VerifyReport};
use std::fs;
use std::path::{Path, PathBuf};
use verify::Certificate;

/// Prove again that images do what their rules say, without root and without the compiler.
///
/// Code and tables are lifted back to functions of peer and port, for every peer and every port, and compared with the rules that the image
/// carries. What surrounds the decisions has to be a known template. A folder that `tidegate build --out-dir` wrote is compared with its
/// index, too: a file that is missing, that is too many, or that is another than it was. Exit code 1 when an image is not proved or a
/// folder is not whole.
#[derive(Debug, Args)]
pub struct Verify {
    /// Image files, or folders that `tidegate build --out-dir` wrote.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Where the report goes.
    #[command(flatten)]
    pub outputs: Outputs,
}

impl Verify {
    /// Reads, proves, prints.
    ///
    /// Errors: a path that cannot be read; the others are proved all the same, and the report says so.
    pub fn run(self) -> Result<Exit, String> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for path in &self.paths {
            images_of(path, &mut files, &mut folders)
                .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        }
        let damaged = folders.iter().any(|it| !it.faults.is_empty());
        if files.is_empty() && !damaged {
            let paths: Vec<String> = self.paths.iter().map(|path| format!("`{}`", path.display())).collect();
            return Err(format!("no image in {}; `tidegate build --out-dir DIR` writes some", paths.join(" and ")));
        }
        let images: Vec<VerifyEntry> = files.iter().map(|file| entry(file)).collect();
        let (proved, refused) =
            (images.iter().filter(|it| it.proved).count(), images.iter().filter(|it| !it.proved).count());
        let unreadable = images.iter().any(|it| it.unreadable);
        let report = VerifyReport {
            api_version: API_VERSION,
            kind: "VerifyReport",
            checker: verify::certificate::CHECKER,
            images,
            folders,
            proved,
            refused,
        };
        formats::write_all(&self.outputs.outputs, |format, _| match format {
            Plain::Json => super::json(&report),
            Plain::Text | Plain::Concise => Ok(report.to_string()),
        })?;
        Ok(match refused {
            _ if unreadable => Exit::Bad,
            0 if !damaged => Exit::Clean,
            _ => Exit::Findings,
        })
    }
}

/// The image files that a path names: itself, or all below a folder, by name; and the folders of builds among them.
fn images_of(path: &Path, files: &mut Vec<PathBuf>, folders: &mut Vec<FolderEntry>) -> std::io::Result<()> {
    if !fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if folder::is_built(path) {
        folders.push(folder::compare(path)?);
    }
    let mut entries: Vec<PathBuf> =
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            images_of(&entry, files, folders)?;
        } else if entry.extension().is_some_and(|ending| ending == "tgi") {
            files.push(entry);
        }
    }
    Ok(())
}

fn entry(file: &Path) -> VerifyEntry {
    let name = file.display().to_string();
    let image = files::bytes(file).and_then(|bytes| Image::from_bytes(&bytes).map_err(|error| error.to_string()));
    match image {
        Err(reason) => VerifyEntry { unreadable: true, ..VerifyEntry::refused(name, String::new(), vec![reason]) },
        Ok(image) if is_misnamed(file, &image) => {
            let reason = format!("its name is the digest of another image; it holds {}", image.digest());
            VerifyEntry::refused(name, image.notes.subject, vec![reason])
        }
        Ok(image) => match verify::certify(&image) {
            Ok(certificate) => proved(name, &image, &certificate),
            Err(refusals) => {
                let reasons = refusals.iter().map(ToString::to_string).collect();
                VerifyEntry::refused(name, image.notes.subject.clone(), reasons)
            }
        },
    }
}

/// Whether a file is named by a digest, as a build names images, and holds an image of another.
fn is_misnamed(file: &Path, image: &Image) -> bool {
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let is_digest = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest && name != image.digest().to_string()
}

fn proved(file: String, image: &Image, certificate: &Certificate) -> VerifyEntry {
    VerifyEntry {
        file,
        subject: image.notes.subject.clone(),
        proved: true,
        unreadable: false,
        digest: Some(certificate.image.to_string()),
        meaning: certificate.meaning.iter().map(ToString::to_string).collect(),
        templates: certificate.programs.iter().map(|it| it.template.to_string()).collect(),
        classes: certificate.programs.iter().map(|it| it.classes).collect(),
        paths: certificate.programs.iter().map(|it| it.paths).sum(),
        reasons: Vec::new(),
    }
}
