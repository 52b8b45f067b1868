//! A Debian package, by `dpkg-deb`.

use super::pages::Shared;
use super::{Failure, Target, command, copy, write};
use clap_complete::Shell;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Makes `tidegate_0.1.0_amd64.deb`: a static binary, so it depends on nothing.
///
/// Errors: a file that cannot be copied; `dpkg-deb` or `gzip` that cannot be run.
pub fn package(
    root: &Path,
    out: &Path,
    target: Target,
    binary: &Path,
    version: &str,
    shared: &Shared,
) -> Result<(), Failure> {
    let name = format!("tidegate_{version}_{}", target.processor());
    let tree = out.join(&name);
    copy(binary, &tree.join("usr/bin/tidegate"))?;
    std::os::unix::fs::symlink("tidegate", tree.join("usr/bin/kubectl-tidegate"))
        .map_err(|error| format!("cannot link kubectl-tidegate: {error}"))?;
    copy(&root.join("LICENSE"), &tree.join("usr/share/doc/tidegate/copyright"))?;
    copy(&out.join("THIRD-PARTY-LICENCES.md"), &tree.join("usr/share/doc/tidegate/THIRD-PARTY-LICENCES.md"))?;
    for page in &shared.man {
        let at = tree.join("usr/share/man/man1").join(page.file_name().unwrap_or_default());
        copy(page, &at)?;
        command(Command::new("gzip").args(["-9n", "--"]).arg(&at))?;
    }
    for (shell, script) in &shared.completions {
        let at = match shell {
            Shell::Zsh => "usr/share/zsh/vendor-completions/_tidegate",
            Shell::Fish => "usr/share/fish/vendor_completions.d/tidegate.fish",
            _ => "usr/share/bash-completion/completions/tidegate",
        };
        copy(script, &tree.join(at))?;
    }
    let size = kibibytes(&tree);
    let control = format!(
        "Package: tidegate\nVersion: {version}\nArchitecture: {}\nMaintainer: The tidegate authors <maintainers@tidegate.invalid>\n\
         Installed-Size: {size}\nSection: net\nPriority: optional\n\
         Description: compiles network policies into verified eBPF, and says why a packet passes\n \
         Checks, compares and explains Kubernetes and Cilium network policies offline, and\n \
         compiles them into eBPF programs that the kernel verifies.\n",
        target.processor()
    );
    write(&tree.join("DEBIAN/control"), control.as_bytes())?;
    // What the umask of this machine made of folders and texts is nobody's business.
    command(Command::new("chmod").args(["-R", "u=rwX,go=rX"]).arg(&tree))?;
    command(
        Command::new("dpkg-deb")
            .env("SOURCE_DATE_EPOCH", "0")
            // How xz cuts its blocks hangs on how many work on them.
            .env("DPKG_DEB_THREADS_MAX", "1")
            .current_dir(out)
            .args(["--root-owner-group", "-Zxz", "--build", &name])
            .stdout(std::process::Stdio::null()),
    )?;
    fs::remove_dir_all(&tree).map_err(|error| format!("cannot remove {}: {error}", tree.display()))
}

/// What the files of a folder take on a disk, each rounded up; links take nothing.
fn kibibytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(data) if data.is_dir() => kibibytes(&entry.path()),
        Ok(data) if data.is_file() => data.len().div_ceil(1024),
        _ => 0,
    });
    sizes.sum()
}
