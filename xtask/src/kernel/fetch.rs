//! Kernels, as Debian packages them: fetched and unpacked, never installed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A kernel of Debian.
pub struct Kernel {
    /// The beginning of its version.
    pub version: &'static str,
    /// The archive that has it: the end of its address, and the suite.
    archive: (&'static str, &'static str),
}

/// What Debian has of the kernels that we support; 5.15 and 6.6 it has not.
pub const KERNELS: [Kernel; 4] = [
    Kernel { version: "5.10", archive: ("debian-security", "bullseye-security") },
    Kernel { version: "6.1", archive: ("debian", "bookworm") },
    Kernel { version: "6.12", archive: ("debian", "trixie") },
    Kernel { version: "6.18", archive: ("debian", "trixie-backports") },
];

/// The kernel of a version. Errors: with those that are known.
pub fn named(version: &str) -> Result<&'static Kernel, String> {
    let known = || KERNELS.map(|it| it.version).join(", ");
    KERNELS.iter().find(|it| it.version == version).ok_or_else(|| format!("no kernel {version}; known: {}", known()))
}

/// A kernel that is there.
pub struct Unpacked {
    /// What is booted.
    pub image: PathBuf,
    /// The folder with its modules.
    pub modules: PathBuf,
}

impl Kernel {
    /// Fetches the newest package into a folder, unless it is there, and unpacks it.
    pub fn fetch(&self, folder: &Path) -> Result<Unpacked, String> {
        if let Some(found) = unpacked(folder) {
            return Ok(found);
        }
        for name in ["lists/partial", "cache/archives/partial"] {
            let made = std::fs::create_dir_all(folder.join(name));
            made.map_err(|error| format!("cannot make {}: {error}", folder.join(name).display()))?;
        }
        let (end, suite) = self.archive;
        let mirror = mirror(end)?;
        // Why trusted: keys of other releases are not on every machine, and what is fetched runs in the emulator alone.
        write(&folder.join("sources.list"), &format!("deb [trusted=yes] {mirror} {suite} main\n"))?;
        apt(folder, "apt-get", &["update", "-qq"])?;
        let names = apt(folder, "apt-cache", &["pkgnames", &format!("linux-image-{}.", self.version)])?;
        let package = newest(&names).ok_or_else(|| format!("{suite} has no kernel {}", self.version))?;
        println!("fetching {package}");
        apt(folder, "apt-get", &["download", "-qq", &package])?;
        let file = file_with(folder, &package, "deb").ok_or_else(|| format!("{package} was not fetched"))?;
        said(Command::new("dpkg-deb").arg("-x").arg(&file).arg(folder.join("root")))?;
        unpacked(folder).ok_or_else(|| format!("{package} holds no kernel"))
    }
}

fn unpacked(folder: &Path) -> Option<Unpacked> {
    let root = folder.join("root");
    let image = file_with(&root.join("boot"), "vmlinuz-", "")?;
    let modules = ["usr/lib/modules", "lib/modules"].map(|it| root.join(it));
    Some(Unpacked { image, modules: modules.into_iter().find(|it| it.is_dir())? })
}

/// The first file of a folder whose name begins and ends so.
fn file_with(folder: &Path, begin: &str, end: &str) -> Option<PathBuf> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.filter_map(|it| Some(it.ok()?.path())).collect();
    names.sort();
    let fits = |it: &PathBuf| {
        let name = it.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with(begin) && name.ends_with(end)
    };
    names.into_iter().find(fits)
}

/// The newest of some packages of a kernel for machines in clouds: it is small. Versions are compared number by number.
fn newest(names: &str) -> Option<String> {
    let numbers = |name: &str| -> Vec<u32> {
        name.split(|c: char| !c.is_ascii_digit()).filter_map(|it| it.parse().ok()).collect()
    };
    let fits = |it: &&str| it.ends_with("-cloud-amd64") || it.ends_with("-cloud-amd64-unsigned");
    names.lines().filter(fits).max_by_key(|it| (numbers(it), !it.ends_with("unsigned"))).map(str::to_owned)
}

/// The archive of this machine whose address ends so.
fn mirror(end: &str) -> Result<String, String> {
    let all = said(Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]))?;
    let found = all.lines().map(|it| it.trim_end_matches('/')).find(|it| it.ends_with(&format!("/{end}")));
    found.map(str::to_owned).ok_or_else(|| format!("apt of this machine knows no archive that ends in /{end}"))
}

/// Runs a program of apt with lists and packages of its own.
fn apt(folder: &Path, program: &str, args: &[&str]) -> Result<String, String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let options = [
        format!("Dir::Etc::sourcelist={}", at("sources.list")),
        "Dir::Etc::sourceparts=-".into(),
        format!("Dir::State::lists={}", at("lists")),
        format!("Dir::Cache={}", at("cache")),
        "APT::Sandbox::User=root".into(),
    ];
    let mut command = Command::new(program);
    command.current_dir(folder);
    command.args(options.iter().flat_map(|it| ["-o", it]));
    said(command.args(args))
}

/// Writes a file. Errors: for people.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|error| format!("cannot write {}: {error}", path.display()))
}

/// What a program prints. Errors: that it is not there, or what it says where it fails.
pub fn said(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("cannot run {name}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn the_newest_small_kernel_is_taken_as_numbers_go() {
        let names = "linux-image-6.12.9+deb13-cloud-amd64\nlinux-image-6.12.117+deb13-cloud-amd64\nlinux-image-6.12.117+deb13-cloud-amd64-unsigned\nlinux-image-6.12.118+deb13-amd64\n";
        assert_eq!(newest(names).as_deref(), Some("linux-image-6.12.117+deb13-cloud-amd64"));
        assert_eq!(newest("linux-image-5.10.0-32-cloud-amd64-dbg\n"), None);
    }
}
