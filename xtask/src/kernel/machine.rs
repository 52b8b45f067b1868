//! The emulator.

use super::fetch::said;
use std::path::Path;
use std::process::{Command, Stdio};

/// How long one kernel may take. Units: seconds; an emulated verifier is up to twenty times slower than a real one.
const LIMIT: &str = "1500";

/// Whether machines can be booted here. Errors: what is missing, with the packages that have it.
pub fn possible() -> Result<(), String> {
    let asked =
        [("qemu-system-x86_64", "--version"), ("cpio", "--version"), ("xz", "--version"), ("dpkg-deb", "--version")];
    let missing = |(name, flag): &&(&str, &str)| said(Command::new(name).arg(flag)).is_err();
    let missing: Vec<&str> = asked.iter().filter(missing).map(|(name, _)| *name).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "missing: {}; on Debian: apt-get install qemu-system-x86 seabios busybox-static cpio xz-utils iproute2",
            missing.join(", ")
        )),
    }
}

/// Boots a kernel with a root file system, and waits until it switches off. What came over its serial line.
///
/// Why without cx16: the emulator miscompiles a compare-and-exchange of 16 bytes now and then.
pub fn boot(kernel: &Path, initramfs: &Path) -> Result<String, String> {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", LIMIT, "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max,cx16=off"]);
    command.args(["-m", "2048", "-smp", "2", "-nographic", "-no-reboot", "-nic", "none"]);
    command.arg("-kernel").arg(kernel).arg("-initrd").arg(initramfs);
    command.args(["-append", "console=ttyS0 quiet panic=-1 mitigations=off"]).stdin(Stdio::null());
    let said = said(&mut command).map_err(|why| format!("{}: {why}", kernel.display()))?;
    Ok(said.replace('\r', ""))
}
