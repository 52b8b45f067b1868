//! Archives for people who unpack, and the sums of everything.

use super::{Failure, Release, Target, command, copy};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Packs binary, licence, pages and completions: `tidegate-0.1.0-linux-amd64.tar.gz`, the same bytes from the same sources.
///
/// Errors: a file that cannot be copied; `tar` that cannot be run.
pub fn archive(release: &Release<'_>, target: Target, binary: &Path) -> Result<(), Failure> {
    let Release { root, out, version, time, shared } = *release;
    let name = format!("tidegate-{version}-linux-{}", target.processor());
    let folder = out.join(&name);
    copy(binary, &folder.join("tidegate"))?;
    copy(&root.join("LICENSE"), &folder.join("LICENSE"))?;
    copy(&root.join("README.md"), &folder.join("README.md"))?;
    copy(&out.join("THIRD-PARTY-LICENCES.md"), &folder.join("THIRD-PARTY-LICENCES.md"))?;
    for page in &shared.man {
        copy(page, &folder.join("man").join(page.file_name().unwrap_or_default()))?;
    }
    for (_, script) in &shared.completions {
        copy(script, &folder.join("completions").join(script.file_name().unwrap_or_default()))?;
    }
    command(
        Command::new("tar")
            .current_dir(out)
            .args([
                "--sort=name",
                &format!("--mtime=@{time}"),
                "--owner=0",
                "--group=0",
                "--numeric-owner",
                "--mode=go=rX,u+rw",
            ])
            .args(["--use-compress-program=gzip -9n", "-cf", &format!("{name}.tar.gz"), &name]),
    )?;
    fs::remove_dir_all(&folder).map_err(|error| format!("cannot remove {}: {error}", folder.display()))
}

/// The SHA-256 sum of every file of a folder, by name; without the list of sums itself.
///
/// Errors: a file that cannot be read; `sha256sum` that cannot be run.
pub fn checksums(folder: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let failed = |error: std::io::Error| format!("cannot sum the files of {}: {error}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.path().is_file() && entry.file_name() != "SHA256SUMS" {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    let output = Command::new("sha256sum").current_dir(folder).arg("--").args(&names).output().map_err(failed)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let sums: BTreeMap<String, String> = text
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(sum, name)| (name.to_owned(), sum.to_owned()))
        .collect();
    if sums.len() == names.len() { Ok(sums) } else { Err("`sha256sum` did not sum every file".to_owned()) }
}
