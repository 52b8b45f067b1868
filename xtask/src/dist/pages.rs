//! Man pages and completions, from the flags.

use super::Failure;
use clap::CommandFactory;
use clap_complete::Shell;
use cli::args::Args as Tree;
use std::path::{Path, PathBuf};

/// Where the pages stand.
pub struct Shared {
    /// A file for each command: `tidegate.1`, `tidegate-check.1`.
    pub man: Vec<PathBuf>,
    /// A script for each shell.
    pub completions: Vec<(Shell, PathBuf)>,
}

/// Writes all of them below a folder.
///
/// Errors: a file that cannot be written.
pub fn write(folder: &Path) -> Result<Shared, Failure> {
    super::create(folder)?;
    let mut tree = Tree::command();
    tree.build();
    let mut man = Vec::new();
    page(&tree, folder, &mut man)?;
    let mut completions = Vec::new();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Tree::command(), "tidegate", &mut script);
        let path = folder.join(format!("tidegate.{shell}"));
        super::write(&path, &script)?;
        completions.push((shell, path));
    }
    Ok(Shared { man, completions })
}

/// A page as `mandoc` and `groff` take it without a warning.
///
/// Its head has an empty date, so that the same flags make the same bytes; unquoted, the name of the program would be taken for the date.
/// A space needs no breaks around it.
fn sound(name: &str, page: &str) -> String {
    let head = format!(".TH {name} 1 \"\" \"tidegate {}\" \"User Commands\"", env!("CARGO_PKG_VERSION"));
    let line = |line: &str| if line.starts_with(".TH ") { head.clone() } else { line.to_owned() };
    let lines: Vec<String> = page.lines().map(line).collect();
    (lines.join("\n") + "\n").replace("\n.br\n\n.br\n", "\n.sp\n")
}

/// The page of a command and of those below it.
fn page(command: &clap::Command, folder: &Path, written: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let name = command.get_display_name().unwrap_or(command.get_name()).replace(' ', "-");
    let mut text = Vec::new();
    let man = clap_mangen::Man::new(command.clone());
    man.render(&mut text).map_err(|error| format!("cannot write the page of {name}: {error}"))?;
    let path = folder.join(format!("{name}.1"));
    super::write(&path, sound(&name, &String::from_utf8_lossy(&text)).as_bytes())?;
    written.push(path);
    let below = command.get_subcommands().filter(|it| !it.is_hide_set() && it.get_name() != "help");
    for it in below {
        page(it, folder, written)?;
    }
    Ok(())
}
