//! `cargo xtask vscode`: builds the extension for Visual Studio Code and tries it: by the protocol's own libraries, and in a real editor.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The editor that is tried, as its package on npm is called, and the node that it wants.
const EDITOR: [&str; 2] = ["code-server@4.139.1", "node@24"];

/// What Debian has of what the editor needs.
const PACKAGES: &str = "chromium libkrb5-dev libsecret-1-dev libx11-dev libxkbfile-dev pkg-config g++ make";

/// What is tried.
#[derive(clap::Args)]
pub struct Arguments {
    /// How many random edits the protocol's libraries make
    #[arg(long, default_value_t = 10_000)]
    edits: u32,
    /// Leave out the real editor, which is half a gigabyte from npm
    #[arg(long)]
    without_editor: bool,
}

/// Builds and tries.
pub fn run(arguments: &Arguments) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."));
    match all(arguments, root) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            println!("vscode: {why}");
            ExitCode::FAILURE
        }
    }
}

fn all(arguments: &Arguments, root: &Path) -> Result<(), String> {
    let folder = root.join("deploy/vscode");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    step(root, &[&cargo, "build", "--package", "tidegate-cli"])?;
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let program = shown(&target.join("debug/tidegate"));
    step(&folder, &["npm", "ci", "--no-audit", "--no-fund"])?;
    step(&folder, &["npm", "run", "package"])?;
    step(&folder, &["node", "test/protocol.mjs", &program, &arguments.edits.to_string()])?;
    step(&folder, &["node", "test/beside.mjs", &program])?;
    if arguments.without_editor {
        return Ok(());
    }
    if !Path::new("/usr/bin/chromium").exists() {
        return Err(format!(
            "the real editor needs packages of Debian: apt-get install {PACKAGES}; `--without-editor` leaves it out"
        ));
    }
    let home = target.join("vscode");
    std::fs::create_dir_all(&home).map_err(|error| format!("`{}` cannot be made: {error}", home.display()))?;
    let (node, server) = (home.join("node_modules/node/bin"), home.join("node_modules/code-server"));
    if !server.join("out/node/entry.js").exists() {
        step(&home, &["npm", "init", "-y"])?;
        step(&home, &["npm", "install", "--no-audit", "--no-fund", EDITOR[1], "playwright-core"])?;
        let path = format!("{}:{}", shown(&node), std::env::var("PATH").unwrap_or_default());
        for line in [
            &["npm", "install", "--no-audit", "--no-fund", EDITOR[0]][..],
            &["npm", "install-scripts", "approve", "code-server", "argon2"],
            &["npm", "rebuild"],
        ] {
            finish(Command::new(line[0]).args(&line[1..]).current_dir(&home).env("PATH", &path), line)?;
        }
    }
    let test = shown(&folder.join("test/editor.mjs"));
    step(&home, &["node", &test, &format!("{}/node {}", shown(&node), shown(&server)), &program])
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn step(folder: &Path, line: &[&str]) -> Result<(), String> {
    finish(Command::new(line[0]).args(&line[1..]).current_dir(folder), line)
}

fn finish(command: &mut Command, line: &[&str]) -> Result<(), String> {
    println!("vscode: {}", line.join(" "));
    let status = command.status().map_err(|error| format!("`{}` cannot be run: {error}", line[0]))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` failed ({status})", line.join(" "))) }
}
