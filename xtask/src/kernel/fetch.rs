//! Kernels, as Debian packages them: fetched and unpacked, never installed.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A kernel of Debian.
pub struct Kernel {
    /// By what it is asked for: the beginning of its version, and its make where it is another than this machine's.
    pub name: &'static str,
    /// The beginning of its version.
    version: &'static str,
    /// For which processors.
    pub make: Make,
    /// The archive that has it: the end of its address, and the suite.
    archive: (&'static str, &'static str),
}

/// Processors, as Debian calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Make {
    /// x86-64: tests run there as they are.
    Amd64,
    /// AArch64: objects are loaded there by Debian's bpftool.
    Arm64,
}

impl Make {
    fn name(self) -> &'static str {
        match self {
            Make::Amd64 => "amd64",
            Make::Arm64 => "arm64",
        }
    }
}

const fn amd64(version: &'static str, archive: (&'static str, &'static str)) -> Kernel {
    Kernel { name: version, version, make: Make::Amd64, archive }
}

/// What Debian has of the kernels that we support; 5.15 and 6.6 it has not.
pub const KERNELS: [Kernel; 5] = [
    amd64("5.10", ("debian-security", "bullseye-security")),
    amd64("6.1", ("debian", "bookworm")),
    amd64("6.12", ("debian", "trixie")),
    amd64("6.18", ("debian", "trixie-backports")),
    Kernel { name: "6.12-arm64", version: "6.12", make: Make::Arm64, archive: ("debian", "trixie") },
];

/// The kernel of a name. Errors: with those that are known.
pub fn named(name: &str) -> Result<&'static Kernel, String> {
    let known = || KERNELS.map(|it| it.name).join(", ");
    KERNELS.iter().find(|it| it.name == name).ok_or_else(|| format!("no kernel {name}; known: {}", known()))
}

/// What machines of other makes need to load objects: their own builds of it.
const PROGRAMS: [&str; 2] = ["bpftool", "busybox-static"];

/// A kernel that is there.
pub struct Unpacked {
    /// What is booted.
    pub image: PathBuf,
    /// The folder with its modules.
    pub modules: PathBuf,
    /// The root of everything that was unpacked.
    pub root: PathBuf,
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
        let (mirror, make) = (mirror(end)?, self.make.name());
        // Why trusted: keys of other releases are not on every machine, and what is fetched runs in the emulator alone.
        write(&folder.join("sources.list"), &format!("deb [trusted=yes arch={make}] {mirror} {suite} main\n"))?;
        // Nothing is installed there, so that a package comes with all that it needs.
        write(&folder.join("status"), "")?;
        let apt = |program: &str, args: &[&str]| apt(folder, make, program, args);
        apt("apt-get", &["update", "-qq"])?;
        let names = apt("apt-cache", &["pkgnames", &format!("linux-image-{}.", self.version)])?;
        let package = newest(&names, make).ok_or_else(|| format!("{suite} has no kernel {}", self.version))?;
        println!("fetching {package}");
        apt("apt-get", &["download", "-qq", &package])?;
        let mut files = vec![file_with(folder, &package, "deb").ok_or_else(|| format!("{package} was not fetched"))?];
        if self.make != Make::Amd64 {
            let programs = ["install", "-qq", "-y", "--download-only", "--no-install-recommends"];
            apt("apt-get", &[&programs[..], &PROGRAMS].concat())?;
            files.extend(files_with(&folder.join("cache/archives"), "", "deb"));
        }
        for file in files {
            said(Command::new("dpkg-deb").arg("-x").arg(&file).arg(folder.join("root")))?;
        }
        unpacked(folder).ok_or_else(|| format!("{package} holds no kernel"))
    }
}

fn unpacked(folder: &Path) -> Option<Unpacked> {
    let root = folder.join("root");
    let image = file_with(&root.join("boot"), "vmlinuz-", "")?;
    let modules = ["usr/lib/modules", "lib/modules"].map(|it| root.join(it));
    Some(Unpacked { image, modules: modules.into_iter().find(|it| it.is_dir())?, root })
}

/// The first file of a folder whose name begins and ends so.
fn file_with(folder: &Path, begin: &str, end: &str) -> Option<PathBuf> {
    files_with(folder, begin, end).into_iter().next()
}

/// Every file of a folder whose name begins and ends so.
fn files_with(folder: &Path, begin: &str, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<PathBuf> = entries.filter_map(|it| Some(it.ok()?.path())).collect();
    names.sort();
    let fits = |it: &PathBuf| {
        let name = it.file_name().unwrap_or_default().to_string_lossy().into_owned();
        name.starts_with(begin) && name.ends_with(end)
    };
    names.retain(fits);
    names
}

/// The newest of some packages of a kernel for machines in clouds: it is small. Versions are compared number by number.
fn newest(names: &str, make: &str) -> Option<String> {
    let numbers = |name: &str| -> Vec<u32> {
        name.split(|c: char| !c.is_ascii_digit()).filter_map(|it| it.parse().ok()).collect()
    };
    let ends = [format!("-cloud-{make}"), format!("-cloud-{make}-unsigned")];
    let fits = |it: &&str| ends.iter().any(|end| it.ends_with(end.as_str()));
    names.lines().filter(fits).max_by_key(|it| (numbers(it), !it.ends_with("unsigned"))).map(str::to_owned)
}

/// The archive of this machine whose address ends so.
fn mirror(end: &str) -> Result<String, String> {
    let all = said(Command::new("apt-get").args(["indextargets", "--format", "$(REPO_URI)"]))?;
    let found = all.lines().map(|it| it.trim_end_matches('/')).find(|it| it.ends_with(&format!("/{end}")));
    found.map(str::to_owned).ok_or_else(|| format!("apt of this machine knows no archive that ends in /{end}"))
}

/// Runs a program of apt with lists and packages of its own.
fn apt(folder: &Path, make: &str, program: &str, args: &[&str]) -> Result<String, String> {
    let at = |name: &str| folder.join(name).display().to_string();
    let options = [
        format!("Dir::Etc::sourcelist={}", at("sources.list")),
        "Dir::Etc::sourceparts=-".into(),
        format!("Dir::State::lists={}", at("lists")),
        format!("Dir::Cache={}", at("cache")),
        format!("Dir::State::status={}", at("status")),
        format!("APT::Architecture={make}"),
        format!("APT::Architectures={make}"),
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
        assert_eq!(newest(names, "amd64").as_deref(), Some("linux-image-6.12.117+deb13-cloud-amd64"));
        assert_eq!(newest(names, "arm64"), None);
        assert_eq!(newest("linux-image-5.10.0-32-cloud-amd64-dbg\n", "amd64"), None);
    }
}
