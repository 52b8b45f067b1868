//! The emulator.

use super::fetch::{Make, said};
use std::path::Path;
use std::process::{Command, Stdio};

/// How long one kernel may take. Units: seconds; an emulated verifier is up to twenty times slower than a real one.
const LIMIT: &str = "1500";

/// The emulator of a make of machines, and the packages that have it.
fn emulator(make: Make) -> (&'static str, &'static str) {
    match make {
        Make::Amd64 => ("qemu-system-x86_64", "qemu-system-x86 seabios"),
        Make::Arm64 => ("qemu-system-aarch64", "qemu-system-arm bpftool"),
    }
}

/// Whether machines of a make can be booted here. Errors: what is missing, with the packages that have it.
pub fn possible(make: Make) -> Result<(), String> {
    let (emulator, packages) = emulator(make);
    let asked = [(emulator, "--version"), ("cpio", "--version"), ("xz", "--version"), ("dpkg-deb", "--version")];
    let missing = |(name, flag): &&(&str, &str)| said(Command::new(name).arg(flag)).is_err();
    let missing: Vec<&str> = asked.iter().filter(missing).map(|(name, _)| *name).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "missing: {}; on Debian: apt-get install {packages} busybox-static cpio xz-utils iproute2",
            missing.join(", ")
        )),
    }
}

/// Boots a kernel with a root file system, and waits until it switches off. What came over its serial line.
///
/// Why without cx16: the emulator miscompiles a compare-and-exchange of 16 bytes now and then.
pub fn boot(make: Make, kernel: &Path, initramfs: &Path) -> Result<String, String> {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", LIMIT, emulator(make).0, "-accel", "tcg"]);
    let (machine, console): (&[&str], &str) = match make {
        Make::Amd64 => (&["-cpu", "max,cx16=off"], "ttyS0"),
        // Why `impdef`: the emulator computes the architecture's own authentication of pointers, slowly.
        Make::Arm64 => (&["-machine", "virt", "-cpu", "max,pauth-impdef=on"], "ttyAMA0"),
    };
    command.args(machine);
    command.args(["-m", "2048", "-smp", "2", "-nographic", "-no-reboot", "-nic", "none"]);
    command.arg("-kernel").arg(kernel).arg("-initrd").arg(initramfs);
    command.args(["-append", &format!("console={console} quiet panic=-1 mitigations=off")]).stdin(Stdio::null());
    let said = said(&mut command).map_err(|why| format!("{}: {why}", kernel.display()))?;
    Ok(said.replace('\r', ""))
}
