//! Manifests that another program makes, when somebody asks for it: `-k DIR` and `--helm CHART`.

use crate::files::{Manifest, Unreadable};
use clap::Args;
use std::process::{Command, Output, Stdio};

/// What is rendered before it is read.
#[derive(Clone, Debug, Default, Args)]
pub struct RenderArgs {
    /// A folder with a kustomization, which `kustomize build` renders, else `kubectl kustomize`; the variable TIDEGATE_KUSTOMIZE names another
    /// command. Repeatable.
    #[arg(short = 'k', long = "kustomize", value_name = "DIR")]
    pub kustomize: Vec<String>,
    /// A chart, which `helm template` renders with its default values; the variable TIDEGATE_HELM names another command, such as `helm
    /// template --values prod.yaml`. Repeatable.
    #[arg(long, value_name = "CHART")]
    pub helm: Vec<String>,
}

impl RenderArgs {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.kustomize.is_empty() && self.helm.is_empty()
    }

    /// Runs what is asked for.
    ///
    /// Shape: one manifest a folder or chart, in the order given. Errors: collected; a program that is absent or fails says so.
    pub fn read(&self) -> (Vec<Manifest>, Vec<Unreadable>) {
        let (mut manifests, mut unreadable) = (Vec::new(), Vec::new());
        let kustomize = self.kustomize.iter().map(|dir| ("kustomize", dir, commands("TIDEGATE_KUSTOMIZE", &KUSTOMIZE)));
        let helm = self.helm.iter().map(|chart| ("helm", chart, commands("TIDEGATE_HELM", &HELM)));
        for (name, what, commands) in kustomize.chain(helm) {
            let path = format!("{name}:{what}");
            match run(&commands, what) {
                Ok(text) => manifests.push(Manifest { path, text }),
                Err(reason) => unreadable.push(Unreadable { path, reason }),
            }
        }
        (manifests, unreadable)
    }
}

const KUSTOMIZE: [&str; 2] = ["kustomize build", "kubectl kustomize"];
const HELM: [&str; 1] = ["helm template"];

/// The commands to try: the one that a variable names, else the usual ones.
fn commands(variable: &str, usual: &[&str]) -> Vec<String> {
    match std::env::var(variable) {
        Ok(command) if !command.trim().is_empty() => vec![command],
        _ => usual.iter().map(|it| (*it).to_owned()).collect(),
    }
}

/// What a command prints, which messages call `shown`; `None` where there is no such program.
///
/// Errors: for people: it cannot be run, it fails, or what it prints is no text.
fn printed(command: &mut Command, shown: &str) -> Result<Option<String>, String> {
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(format!("`{shown}` cannot be run: {error}")),
    };
    text_of(output, shown).map(Some)
}

/// What a command printed that ended. Errors: for people: it failed, or that is no text.
pub(crate) fn text_of(output: Output, shown: &str) -> Result<String, String> {
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim().lines().last().unwrap_or("it said nothing").to_owned();
        return Err(format!("`{shown}` failed ({}): {said}", output.status));
    }
    String::from_utf8(output.stdout).map_err(|_| format!("`{shown}` printed no UTF-8 text"))
}

/// What the first of the commands that exists prints.
fn run(commands: &[String], what: &str) -> Result<String, String> {
    for command in commands {
        let mut words = command.split_whitespace();
        let Some(program) = words.next() else { continue };
        if let Some(text) = printed(Command::new(program).args(words).arg(what), &format!("{command} {what}"))? {
            return Ok(text);
        }
    }
    let tried: Vec<String> = commands.iter().map(|it| format!("`{it}`")).collect();
    Err(format!(
        "nothing renders it: {} is not installed; pipe what another machine rendered in with `-f -`",
        tried.join(" or ")
    ))
}
