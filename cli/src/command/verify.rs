//! `tidegate verify`: proves images again, from their bytes alone.

mod certified;
mod folder;
mod kernels;
pub mod report;

use super::Exit;
use super::build::objects;
use crate::args::Outputs;
use crate::files;
use crate::formats::{self, Plain};
use admit::Kernel;
use clap::Args;
use image::Image;
use kernels::Kernels;
use report::{FolderEntry, Said, VerifyEntry, VerifyReport};
use std::fs;
use std::path::{Path, PathBuf};
use verify::Certificate;
use verify::whole::Proofs;

/// Prove again that images do what their rules say, without root and without the compiler.
///
/// Code and tables are lifted back to functions of peer and port, for every peer and every port, and compared with the rules that the image
/// carries. What surrounds the decisions has to be a known template; with `--whole` it is proved again, too, on every path from the first
/// instruction on. What is proved is compared with the certificate that a build wrote
/// beside the image, and an ELF object with what is made of the image. A folder that `tidegate build --out-dir` wrote is compared with its
/// index, too: a file that is missing, that is too many, or that is another than it was. With `--kernel`, each program is followed as the
/// verifier of that kernel would follow it. Exit code 1 when an image is not proved, a certificate is missing or of something else, a
/// folder is not whole, or a kernel would refuse a program.
#[derive(Debug, Args)]
pub struct Verify {
    /// Image files, or folders that `tidegate build --out-dir` wrote.
    #[arg(value_name = "PATH", required = true)]
    pub paths: Vec<PathBuf>,
    /// Say whether the verifier of a kernel takes the programs, and how many of its million instructions that costs; `all` is 5.10 to 6.18.
    ///
    /// Versions are those of kernel.org; what a distribution brings back to an older one is not supposed. Figures are exact for 6.18, and
    /// estimates for others.
    #[arg(long = "kernel", value_name = "VERSION", value_delimiter = ',')]
    pub kernels: Vec<Kernels>,
    /// Prove programs on every path from their first instruction on, instead of by the list of templates: some seconds a template.
    #[arg(long)]
    pub whole: bool,
    /// Where the report goes.
    #[command(flatten)]
    pub outputs: Outputs,
}

impl Verify {
    /// Reads, proves, compares, prints.
    ///
    /// Errors: a path that cannot be read; the others are proved all the same, and the report says so.
    pub fn run(self) -> Result<Exit, String> {
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for path in &self.paths {
            images_of(path, &mut files, &mut folders)
                .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        }
        if files.is_empty() && folders.iter().all(|it| it.faults.is_empty()) {
            let paths: Vec<String> = self.paths.iter().map(|path| format!("`{}`", path.display())).collect();
            return Err(format!("no image in {}; `tidegate build --out-dir DIR` writes some", paths.join(" and ")));
        }
        let kernels = kernels::asked(&self.kernels);
        let mut proofs = self.whole.then(Proofs::default);
        let entries = files.iter().map(|file| entry(file, &kernels, proofs.as_mut())).collect();
        let report = VerifyReport::of(entries, folders);
        formats::write_all(&self.outputs.outputs, |format, _| match format {
            Plain::Json => super::json(&report),
            Plain::Text | Plain::Concise => Ok(report.to_string()),
        })?;
        Ok(match report.images.iter().any(|it| it.unreadable) {
            true => Exit::Bad,
            false if report.is_clean() => Exit::Clean,
            false => Exit::Findings,
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

fn entry(file: &Path, kernels: &[Kernel], proofs: Option<&mut Proofs>) -> VerifyEntry {
    let name = file.display().to_string();
    let image = match files::bytes(file).and_then(|bytes| Image::from_bytes(&bytes).map_err(|error| error.to_string()))
    {
        Err(reason) => {
            return VerifyEntry { unreadable: true, ..VerifyEntry::refused(name, String::new(), vec![reason]) };
        }
        Ok(image) => image,
    };
    let proof = match proofs {
        Some(proofs) => verify::certify_whole(&image, proofs).map(|(proof, whole)| (proof, Some(whole))),
        None => verify::certify(&image).map(|proof| (proof, None)),
    };
    let entry = match proof {
        _ if is_digest(file) && stem(file) != image.digest().to_string() => {
            let reason = format!("its name is the digest of another image; it holds {}", image.digest());
            VerifyEntry::refused(name, image.notes.subject.clone(), vec![reason])
        }
        Ok((proof, whole)) => {
            let states = whole.map(|it| it.iter().map(|it| it.states).sum());
            let nodes = whole.iter().flatten().map(|it| it.settings.to_string()).collect();
            VerifyEntry { states, nodes, ..proved(file, &image, &proof) }
        }
        Err(refusals) => {
            let reasons = refusals.iter().map(ToString::to_string).collect();
            VerifyEntry::refused(name, image.notes.subject.clone(), reasons)
        }
    };
    VerifyEntry { kernels: kernels::answers(&image, kernels), ..entry }
}

fn stem(file: &Path) -> &str {
    file.file_stem().and_then(|name| name.to_str()).unwrap_or_default()
}

/// Whether a file is named by a digest, as a build names images. Then it has a certificate; under another name it is somebody's own copy.
fn is_digest(file: &Path) -> bool {
    let name = stem(file);
    name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The ELF object of an image, where a build wrote one, and whether it is what is made of the image today.
fn object(file: &Path, image: &Image) -> Option<(PathBuf, bool)> {
    let path = file.parent()?.parent()?.join(objects::FOLDER).join(format!("{}{}", stem(file), objects::ENDING));
    fs::symlink_metadata(&path).ok()?;
    let same = files::bytes(&path).is_ok_and(|bytes| elf::object(image).is_ok_and(|made| made == bytes));
    Some((path, same))
}

fn proved(file: &Path, image: &Image, proof: &Certificate) -> VerifyEntry {
    let (state, said) = certified::compare(file, proof);
    let expected = is_digest(file) || state != certified::State::Missing;
    let object = object(file, image);
    let other = object.as_ref().filter(|(_, same)| !same);
    let other = other.map(|(path, _)| checks::built::object_differs(&path.display().to_string()));
    VerifyEntry {
        file: file.display().to_string(),
        subject: image.notes.subject.clone(),
        proved: true,
        unreadable: false,
        digest: Some(proof.image.to_string()),
        meaning: proof.meaning.iter().map(ToString::to_string).collect(),
        templates: proof.programs.iter().map(|it| it.template.to_string()).collect(),
        classes: proof.programs.iter().map(|it| it.classes).collect(),
        states: None,
        nodes: Vec::new(),
        paths: proof.programs.iter().flat_map(|it| &it.decisions).map(|it| it.paths).sum(),
        certificate: expected.then(|| state.word().to_owned()),
        certified: !expected || state.is_good(),
        object: object.map(|(_, same)| if same { "agrees" } else { "differs" }.to_owned()),
        said: said.filter(|_| expected).iter().chain(&other).map(Said::of).collect(),
        kernels: Vec::new(),
    }
}
