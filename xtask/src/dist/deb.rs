//! A Debian package, by `dpkg-deb`.

use super::{Failure, Release, Target, command, copy, write};
use clap_complete::Shell;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Debian has the text of the licence once for all packages.
const COPYRIGHT: &str = "This is tidegate, which compiles and explains network policies.

Copyright: The tidegate authors

License: Apache License, Version 2.0. Its text is in /usr/share/common-licenses/Apache-2.0.

What is linked from others, with its licences, is listed in THIRD-PARTY-LICENCES.md in this folder.
";

/// Makes `tidegate_0.1.0_amd64.deb`: a static binary, so it depends on nothing.
///
/// Errors: a file that cannot be copied; `dpkg-deb` or `gzip` that cannot be run.
pub fn package(release: &Release<'_>, target: Target, binary: &Path) -> Result<(), Failure> {
    let Release { root, out, version, time, shared } = *release;
    let name = format!("tidegate_{version}_{}", target.processor());
    let tree = out.join(&name);
    copy(binary, &tree.join("usr/bin/tidegate"))?;
    let link = |to: &str, at: &str| {
        std::os::unix::fs::symlink(to, tree.join(at)).map_err(|error| format!("cannot link {at}: {error}"))
    };
    link("tidegate", "usr/bin/kubectl-tidegate")?;
    write(&tree.join("usr/share/doc/tidegate/copyright"), COPYRIGHT.as_bytes())?;
    packed(&root.join("CHANGELOG.md"), &tree.join("usr/share/doc/tidegate/changelog"))?;
    copy(&out.join("THIRD-PARTY-LICENCES.md"), &tree.join("usr/share/doc/tidegate/THIRD-PARTY-LICENCES.md"))?;
    for page in &shared.man {
        packed(page, &tree.join("usr/share/man/man1").join(page.file_name().unwrap_or_default()))?;
    }
    link("tidegate.1.gz", "usr/share/man/man1/kubectl-tidegate.1.gz")?;
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
         Checks, compares and explains Kubernetes and Cilium network policies\n \
         offline, and compiles them into eBPF programs that the kernel verifies.\n",
        target.processor()
    );
    write(&tree.join("DEBIAN/control"), control.as_bytes())?;
    // What the umask of this machine made of folders and texts is nobody's business.
    command(Command::new("chmod").args(["-R", "u=rwX,go=rX"]).arg(&tree))?;
    command(
        Command::new("dpkg-deb")
            .env("SOURCE_DATE_EPOCH", time)
            // How xz cuts its blocks hangs on how many work on them.
            .env("DPKG_DEB_THREADS_MAX", "1")
            .current_dir(out)
            .args(["--root-owner-group", "-Zxz", "--build", &name])
            .stdout(std::process::Stdio::null()),
    )?;
    fs::remove_dir_all(&tree).map_err(|error| format!("cannot remove {}: {error}", tree.display()))
}

/// Copies a file and packs the copy, which gets `.gz` behind its name.
fn packed(from: &Path, to: &Path) -> Result<(), Failure> {
    copy(from, to)?;
    command(Command::new("gzip").args(["-9n", "--"]).arg(to))
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
