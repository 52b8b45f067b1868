//! `cargo xtask dist`: what is published of a version: static binaries, man pages, completions, a Debian package, licences, a bill of
//! materials, checksums and a krew manifest.
//!
//! Everything is written to one folder, whole or not at all. Nothing is uploaded.

mod binary;
mod bom;
mod crates;
mod deb;
mod krew;
mod licences;
mod pack;
pub(crate) mod pages;

use binary::Target;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What to make.
#[derive(clap::Args)]
pub struct Arguments {
    /// Targets to build for; both when none is named
    #[arg(long = "target", value_name = "TRIPLE", value_enum)]
    targets: Vec<Target>,
    /// Where everything is written; replaced as a whole
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/dist"))]
    out: PathBuf,
    /// Write the address that released files are downloaded from into the krew manifest
    #[arg(long, value_name = "URL", default_value = "https://github.com/tidegate/tidegate/releases/download")]
    url: String,
    /// Write the address of the project into the krew manifest
    #[arg(long, value_name = "URL", default_value = "https://github.com/tidegate/tidegate")]
    homepage: String,
    /// The repository
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    root: PathBuf,
}

/// The scripts that pipelines download: where each stands below deploy, and its name among the released files.
const SCRIPTS: [(&str, &str); 3] =
    [("install.sh", "install.sh"), ("review.sh", "review.sh"), ("gitlab/comment.sh", "gitlab-comment.sh")];

/// A failure of the world: what was tried, of what, and why it failed.
pub type Failure = String;

/// Makes everything. Exit code 2 when a step fails; then the last folder stays as it was.
pub fn run(arguments: &Arguments) -> ExitCode {
    match make(arguments) {
        Ok(written) => {
            written.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(2)
        }
    }
}

/// A version while it is made.
struct Release<'a> {
    root: &'a Path,
    out: &'a Path,
    version: &'a str,
    /// The time of everything in archives, in seconds since 1970.
    time: &'a str,
    shared: &'a pages::Shared,
}

/// The time of the sources: that of the last commit, or what `SOURCE_DATE_EPOCH` says.
fn time(root: &Path) -> Result<String, Failure> {
    if let Ok(time) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(time);
    }
    let mut git = std::process::Command::new("git");
    let output = git.current_dir(root).args(["log", "-1", "--format=%ct"]).output();
    match output.map(|it| String::from_utf8_lossy(&it.stdout).trim().to_owned()) {
        Ok(time) if !time.is_empty() => Ok(time),
        _ => Err("git does not say when the last commit was made; set SOURCE_DATE_EPOCH".to_owned()),
    }
}

fn make(arguments: &Arguments) -> Result<Vec<String>, Failure> {
    let root = arguments
        .root
        .canonicalize()
        .map_err(|error| format!("no repository at {}: {error}", arguments.root.display()))?;
    let targets = if arguments.targets.is_empty() { Target::ALL.to_vec() } else { arguments.targets.clone() };
    let staging = arguments.out.with_extension("new");
    if staging.exists() {
        fs::remove_dir_all(&staging).map_err(|error| format!("cannot clear {}: {error}", staging.display()))?;
    }
    create(&staging)?;
    let crates = crates::of(&root)?;
    let version = crates.version.clone();
    let binaries = targets.iter().map(|target| binary::build(&root, *target)).collect::<Result<Vec<_>, _>>()?;
    write(&staging.join("tidegate.cdx.json"), bom::of(&crates).as_bytes())?;
    write(&staging.join("THIRD-PARTY-LICENCES.md"), licences::of(&crates).as_bytes())?;
    for (from, name) in SCRIPTS {
        copy(&root.join("deploy").join(from), &staging.join(name))?;
    }
    let shared = pages::write(&staging.join("share"))?;
    let release = Release { root: &root, out: &staging, version: &version, time: &time(&root)?, shared: &shared };
    for (target, binary) in targets.iter().zip(&binaries) {
        pack::archive(&release, *target, binary)?;
        deb::package(&release, *target, binary)?;
    }
    fs::remove_dir_all(staging.join("share")).map_err(|error| format!("cannot remove the pages' folder: {error}"))?;
    let sums = pack::checksums(&staging)?;
    let manifest = krew::manifest(&version, &arguments.url, &arguments.homepage, &targets, &sums);
    write(&staging.join(krew::FILE), manifest.as_bytes())?;
    let sums = pack::checksums(&staging)?;
    let list: String = sums.iter().map(|(name, sum)| format!("{sum}  {name}\n")).collect();
    write(&staging.join("SHA256SUMS"), list.as_bytes())?;
    replace(&staging, &arguments.out)?;
    Ok(sums.into_iter().map(|(name, sum)| format!("{sum}  {}", arguments.out.join(name).display())).collect())
}

/// Puts a finished folder in the place of the last one.
fn replace(new: &Path, place: &Path) -> Result<(), Failure> {
    if place.exists() {
        fs::remove_dir_all(place).map_err(|error| format!("cannot replace {}: {error}", place.display()))?;
    }
    fs::rename(new, place).map_err(|error| format!("cannot move {} into place: {error}", new.display()))
}

fn create(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| format!("cannot create {}: {error}", folder.display()))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    path.parent().map_or(Ok(()), create)?;
    fs::write(path, bytes).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    to.parent().map_or(Ok(()), create)?;
    fs::copy(from, to).map(drop).map_err(|error| format!("cannot copy {} to {}: {error}", from.display(), to.display()))
}

/// Runs a program to its end; what it prints goes where ours does.
fn command(command: &mut std::process::Command) -> Result<(), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{name}` ended with {status}")),
        Err(error) => Err(format!("cannot start `{name}`: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pipelines_download_is_released() {
        let deploy = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy"));
        let template = fs::read_to_string(deploy.join("gitlab/review.yml")).unwrap();
        let names = SCRIPTS.map(|(_, name)| name).join(" ");
        assert!(template.contains(&format!("for script in {names}; do")), "{template}");
        assert!(SCRIPTS.iter().all(|(from, _)| deploy.join(from).exists()));
    }
}
