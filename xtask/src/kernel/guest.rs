//! The root file system of the machine: tests, what they need, and a first process that runs them.

use super::fetch::{Unpacked, said, write};
use crate::tidy::root;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The tests that ask the kernel: package and name.
const TESTS: [(&str, &str); 8] = [
    ("tidegate-ebpf", "verified"),
    ("tidegate-loader", "load"),
    ("tidegate-loader", "state"),
    ("tidegate-loader", "swap"),
    ("tidegate-loader", "packet_counter"),
    ("tidegate-ebpf", "packets"),
    ("tidegate-ebpf", "host"),
    ("tidegate-ebpf", "state"),
];

/// Modules of a stock kernel that its tests need, in the order of their needs.
const MODULES: [&str; 3] = ["veth", "sch_ingress", "cls_bpf"];

/// A test, built.
pub struct Test {
    /// Package and name, for people.
    pub name: String,
    file: PathBuf,
}

/// Builds the tests. Errors: what cargo says.
pub fn tests() -> Result<Vec<Test>, String> {
    let mut cargo = Command::new("cargo");
    // Why the whole workspace: what is built is what `cargo test` builds.
    cargo.current_dir(root()).args(["test", "--workspace", "--no-run", "--message-format", "json"]);
    let names: BTreeSet<&str> = TESTS.iter().map(|(_, name)| *name).collect();
    cargo.args(names.iter().flat_map(|name| ["--test", name]));
    let said = said(cargo.stderr(Stdio::inherit()))?;
    let read = |line: &str| serde_json::from_str::<serde_json::Value>(line).ok();
    let built: Vec<serde_json::Value> =
        said.lines().filter_map(read).filter(|it| it["executable"].is_string()).collect();
    let find = |(package, name): &(&str, &str)| {
        let of = |it: &&serde_json::Value| {
            let id = it["package_id"].as_str().unwrap_or_default();
            let folder = package.strip_prefix("tidegate-").unwrap_or(package);
            it["target"]["name"] == *name && id.contains(&format!("/{folder}#"))
        };
        let file = built.iter().find(of).and_then(|it| it["executable"].as_str());
        let file = file.ok_or_else(|| format!("cargo built no test {name} of {package}"))?;
        Ok(Test { name: format!("{package} {name}"), file: PathBuf::from(file) })
    };
    TESTS.iter().map(find).collect()
}

/// Packs an initramfs into a folder; its path.
pub fn pack(folder: &Path, kernel: &Unpacked, tests: &[Test], only: &str) -> Result<PathBuf, String> {
    let inside = folder.join("root");
    for name in ["bin", "dev", "modules", "proc", "sys", "tmp", "tests"] {
        let made = std::fs::create_dir_all(inside.join(name));
        made.map_err(|error| format!("cannot make {}: {error}", inside.join(name).display()))?;
    }
    let busybox = program("busybox")?;
    copy(&busybox, &inside.join("bin/busybox"))?;
    let ip = program("ip")?;
    copy_with_libraries(&ip, &inside, "bin/ip")?;
    for (at, test) in tests.iter().enumerate() {
        copy_with_libraries(&test.file, &inside, &format!("tests/{at}"))?;
    }
    for module in MODULES {
        unpack_module(&kernel.modules, module, &inside.join(format!("modules/{module}.ko")))?;
    }
    archive(folder, &inside, &init(tests, only))
}

/// Packs what is inside, with a first process, into an initramfs; its path.
pub fn archive(folder: &Path, inside: &Path, init: &str) -> Result<PathBuf, String> {
    write(&inside.join("init"), init)?;
    said(Command::new("chmod").arg("755").arg(inside.join("init")))?;
    let archive = folder.join("initramfs");
    let script = format!("find . | cpio --quiet -o -H newc >'{}'", archive.display());
    said(Command::new("sh").current_dir(inside).args(["-c", &script]))?;
    Ok(archive)
}

/// The first process: it runs each test and says how it ended.
fn init(tests: &[Test], only: &str) -> String {
    let mut script = String::from(
        "#!/bin/busybox sh\n/bin/busybox --install -s /bin\nexport PATH=/bin RUST_BACKTRACE=0 TIDEGATE_COUNTS=1\n\
         mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t tmpfs tmp /tmp\n\
         mkdir -p /sys/fs/bpf; mount -t bpf bpf /sys/fs/bpf\necho; echo \"kernel $(uname -r)\"\nip link set lo up\n",
    );
    MODULES.iter().for_each(|it| script += &format!("insmod /modules/{it}.ko\n"));
    for (at, test) in tests.iter().enumerate() {
        script += &format!(
            "echo 'begin {}'; /tests/{at} {only} --test-threads 1 --nocapture 2>&1; echo \"end {} $?\"\n",
            test.name, test.name
        );
    }
    script + "echo done; poweroff -f\n"
}

fn unpack_module(modules: &Path, name: &str, to: &Path) -> Result<(), String> {
    let found = said(Command::new("find").arg(modules).args(["-name", &format!("{name}.ko*")]))?;
    // Why none is no failure: it may be a part of the kernel itself.
    let Some(file) = found.lines().next() else { return Ok(()) };
    let script = match file.rsplit('.').next() {
        Some("xz") => "xz -dc \"$1\" >\"$2\"",
        Some("zst") => "zstd -qdc \"$1\" >\"$2\"",
        _ => "cp \"$1\" \"$2\"",
    };
    said(Command::new("sh").args(["-c", script, "sh", file]).arg(to)).map(drop)
}

/// Where a program stands, also where only root looks.
fn program(name: &str) -> Result<PathBuf, String> {
    let folders = ["/bin", "/usr/bin", "/sbin", "/usr/sbin"].map(|it| Path::new(it).join(name));
    folders.into_iter().find(|it| it.exists()).ok_or_else(|| format!("{name} is not installed"))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let folder = to.parent().unwrap_or(Path::new("/"));
    let copied = std::fs::create_dir_all(folder).and_then(|()| std::fs::copy(from, to));
    copied.map(drop).map_err(|error| format!("cannot copy {}: {error}", from.display()))
}

/// Copies a program and the libraries that it is linked with, which keep their paths.
fn copy_with_libraries(file: &Path, inside: &Path, to: &str) -> Result<(), String> {
    copy(file, &inside.join(to))?;
    let linked = said(Command::new("ldd").arg(file))?;
    for word in linked.split_whitespace().filter(|it| it.starts_with('/')) {
        let library = Path::new(word);
        copy(library, &inside.join(library.strip_prefix("/").unwrap_or(library)))?;
    }
    Ok(())
}
