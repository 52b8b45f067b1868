//! Runs the programs that judge, and says how those that are not here are installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The Debian package of each program.
const PACKAGES: [(&str, &str); 17] = [
    ("bash", "bash"),
    ("bpftool", "bpftool"),
    ("cmark-gfm", "cmark-gfm"),
    ("dot", "graphviz"),
    ("fish", "fish"),
    ("git", "git"),
    ("groff", "groff"),
    ("jq", "jq"),
    ("mandoc", "mandoc"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("python3", "python3"),
    ("tidy", "tidy"),
    ("vim", "vim"),
    ("xmllint", "libxml2-utils"),
    ("zsh", "zsh"),
    ("python3-yaml", "python3-yaml"),
];

/// Packages of npm, at the versions that were tried.
const MODULES: [&str; 3] = ["mermaid@11.12.0", "jsdom@26.1.0", "@umbrelladocs/rdformat-validator@1.0.1"];

/// Why a judge is not content.
#[derive(Clone, Debug)]
pub enum Said {
    /// It is not here; how it is installed.
    Missing(String),
    /// What it says.
    Wrong(String),
}

/// The programs of this machine, and a folder for modules of node.
pub struct Tools {
    modules: PathBuf,
    installed: OnceLock<Result<(), Said>>,
}

impl Tools {
    /// `out` is where modules are put, once they are needed.
    pub fn new(out: &Path) -> Tools {
        Tools { modules: out.join("node"), installed: OnceLock::new() }
    }

    /// What a program prints, given a file as its last argument.
    ///
    /// Errors: it is missing, or ends in another code than 0; then what it said.
    pub fn run(&self, program: &str, args: &[&str], file: &Path) -> Result<String, Said> {
        let output = start(Command::new(program).args(args).arg(file), program)?;
        ended(&output)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Whether a program ends in 0, given a file as its last argument.
    pub fn quiet(&self, program: &str, args: &[&str], file: &Path) -> Result<(), Said> {
        self.run(program, args, file).map(drop)
    }

    /// The same in a folder.
    pub fn quiet_in(&self, folder: &Path, program: &str, args: &[&str], file: &Path) -> Result<(), Said> {
        let file = std::path::absolute(file).map_err(|error| Said::Wrong(error.to_string()))?;
        let mut command = Command::new(program);
        // Why: below a repository git reads paths from its root, and passes over what is not there.
        command.args(args).arg(file).current_dir(folder).env("GIT_CEILING_DIRECTORIES", folder.join(".."));
        ended(&start(&mut command, program)?)
    }

    /// Whether a program ends in 0 and says nothing at all on standard error.
    pub fn silent(&self, program: &str, args: &[&str], file: &Path) -> Result<(), Said> {
        let output = start(Command::new(program).args(args).arg(file), program)?;
        ended(&output)?;
        if output.stderr.is_empty() { Ok(()) } else { Err(Said::Wrong(head(&output.stderr))) }
    }

    /// Runs a script of node on a file.
    pub fn node(&self, script: &str, file: &Path) -> Result<(), Said> {
        self.installed()?;
        self.quiet_in(&self.modules, "node", &["--input-type=module", "-e", script], file)
    }

    /// Runs a program that a module of node brings.
    pub fn node_program(&self, name: &str, args: &[&str], file: &Path) -> Result<(), Said> {
        self.installed()?;
        let program = self.modules.join("node_modules/.bin").join(name);
        self.quiet(&program.to_string_lossy(), args, file)
    }

    /// Installs the modules, once.
    fn installed(&self) -> Result<(), Said> {
        self.installed.get_or_init(|| self.install()).clone()
    }

    fn install(&self) -> Result<(), Said> {
        std::fs::create_dir_all(&self.modules).map_err(|error| Said::Wrong(error.to_string()))?;
        // A file of its own, so that npm does not look for one in the folders above.
        std::fs::write(self.modules.join("package.json"), "{}").map_err(|error| Said::Wrong(error.to_string()))?;
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--silent"]).args(MODULES).current_dir(&self.modules);
        let output = start(&mut npm, "npm")?;
        ended(&output).map_err(|_| Said::Missing(format!("npm installs none of {}", MODULES.join(", "))))
    }
}

fn start(command: &mut Command, name: &str) -> Result<Output, Said> {
    command.stdin(Stdio::null()).output().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Said::Missing(install(name)),
        _ => Said::Wrong(format!("cannot start {name}: {error}")),
    })
}

/// How a program is installed.
fn install(name: &str) -> String {
    let package = PACKAGES.iter().find(|(program, _)| *program == name).map_or(name, |(_, package)| package);
    format!("`{name}` is missing; on Debian `apt-get install {package}`")
}

fn ended(output: &Output) -> Result<(), Said> {
    if output.status.success() {
        return Ok(());
    }
    let said = head(&[&output.stderr[..], &output.stdout].concat());
    if said.contains("No module named 'yaml'") {
        return Err(Said::Missing(install("python3-yaml")));
    }
    Err(Said::Wrong(if said.is_empty() { output.status.to_string() } else { said }))
}

/// The first lines of what was said.
fn head(said: &[u8]) -> String {
    String::from_utf8_lossy(said).lines().filter(|line| !line.trim().is_empty()).take(4).collect::<Vec<_>>().join("\n")
}
