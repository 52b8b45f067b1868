//! A static binary for one target.

use super::{Failure, command};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A target that binaries are published for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Target {
    /// 64-bit x86.
    #[value(name = "x86_64-unknown-linux-musl")]
    X86,
    /// 64-bit Arm.
    #[value(name = "aarch64-unknown-linux-musl")]
    Arm,
}

impl Target {
    /// Every target.
    pub const ALL: [Target; 2] = [Target::X86, Target::Arm];

    /// As the toolchain calls it.
    pub fn triple(self) -> &'static str {
        match self {
            Target::X86 => "x86_64-unknown-linux-musl",
            Target::Arm => "aarch64-unknown-linux-musl",
        }
    }

    /// As Debian and Kubernetes call its processor.
    pub fn processor(self) -> &'static str {
        match self {
            Target::X86 => "amd64",
            Target::Arm => "arm64",
        }
    }

    /// A compiler for the C and assembly parts of dependencies; on the target's own kind of machine plain `cc`.
    fn c_compiler(self) -> &'static str {
        match self {
            Target::X86 if cfg!(target_arch = "x86_64") => "cc",
            Target::X86 => "x86_64-linux-gnu-gcc",
            Target::Arm if cfg!(target_arch = "aarch64") => "cc",
            Target::Arm => "aarch64-linux-gnu-gcc",
        }
    }
}

/// Builds the binary and says where it is.
///
/// Errors: a target or a compiler that is not installed, with the command that installs it; a failed build; a binary that needs a loader.
pub fn build(root: &Path, target: Target) -> Result<PathBuf, Failure> {
    installed(root, target)?;
    let variable = |name: &str| format!("{name}_{}", target.triple().replace('-', "_"));
    let upper = target.triple().replace('-', "_").to_uppercase();
    let flags = format!("-Clink-self-contained=yes -Ctarget-feature=+crt-static -Cstrip=symbols {}", remapped(root));
    command(
        Command::new("cargo")
            .current_dir(root)
            .args(["build", "--locked", "--profile", "dist", "--package", "tidegate-cli", "--target", target.triple()])
            // The toolchain's own linker and C library, so that nothing of this machine gets into the binary.
            .env(format!("CARGO_TARGET_{upper}_LINKER"), "rust-lld")
            .env(format!("CARGO_TARGET_{upper}_RUSTFLAGS"), flags)
            .env(variable("CC"), target.c_compiler()),
    )?;
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let binary = folder.join(target.triple()).join("dist/tidegate");
    let bytes = std::fs::read(&binary).map_err(|error| format!("cannot read {}: {error}", binary.display()))?;
    if needs_loader(&bytes) {
        return Err(format!("{} names a loader, so it would not run on every Linux", binary.display()));
    }
    Ok(binary)
}

/// Flags under which messages name sources as on every machine: the folder of the repository and that of dependencies are left out.
fn remapped(root: &Path) -> String {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cargo")));
    let flag = |folder: &Path, name: &str| format!("--remap-path-prefix={}={name}", folder.display());
    let mut flags = vec![flag(root, "tidegate")];
    flags.extend(home.map(|home| flag(&home, "cargo")));
    flags.join(" ")
}

fn installed(root: &Path, target: Target) -> Result<(), Failure> {
    let listed = Command::new("rustup").current_dir(root).args(["target", "list", "--installed"]).output();
    let listed = listed.map_err(|error| format!("cannot start `rustup`: {error}"))?;
    if !String::from_utf8_lossy(&listed.stdout).lines().any(|line| line == target.triple()) {
        return Err(format!("target {0} is not installed; run `rustup target add {0}`", target.triple()));
    }
    let compiler = target.c_compiler();
    if Command::new(compiler).arg("--version").output().is_err() {
        return Err(format!(
            "`{compiler}` is not installed; on Debian run `apt-get install gcc-{}`",
            compiler.trim_end_matches("-gcc")
        ));
    }
    Ok(())
}

/// Whether an ELF file has a program header of type `PT_INTERP`, that is, is not static.
///
/// Shape: little-endian 64-bit ELF; anything else counts as one that needs a loader. Source: System V ABI, "Program Header".
fn needs_loader(elf: &[u8]) -> bool {
    let word = |at: usize, len: usize| -> Option<u64> {
        let bytes = elf.get(at..at + len)?;
        Some(bytes.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)))
    };
    let headers = || -> Option<bool> {
        elf.starts_with(b"\x7fELF\x02\x01").then_some(())?;
        let (table, size, many) = (word(32, 8)? as usize, word(54, 2)? as usize, word(56, 2)? as usize);
        let kinds = (0..many).map(|at| word(table + at * size, 4)).collect::<Option<Vec<u64>>>()?;
        const PT_INTERP: u64 = 3;
        Some(kinds.contains(&PT_INTERP))
    };
    headers().unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_names_a_loader_is_told_from_one_that_does_not() {
        let elf = |kind: u8| {
            let mut bytes = vec![0; 64 + 56];
            bytes[..6].copy_from_slice(b"\x7fELF\x02\x01");
            (bytes[32], bytes[54], bytes[56], bytes[64]) = (64, 56, 1, kind);
            bytes
        };
        assert!(needs_loader(&elf(3)));
        assert!(!needs_loader(&elf(1)));
        assert!(needs_loader(b"#!/bin/sh"));
    }
}
