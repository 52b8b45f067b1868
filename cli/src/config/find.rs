//! Which configuration holds: the nearest file, what it extends, and what flags say.

use super::{Config, read::read};
use std::path::{Path, PathBuf};

/// The names of configuration files; the first is taken where both stand in one folder.
pub const NAMES: [&str; 2] = ["tidegate.toml", ".tidegate.toml"];
/// How many files extend each other at most.
const DEPTH: usize = 16;

/// What holds for a run.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// The keys.
    pub config: Config,
    /// The file that was found; `None` when there is none or nobody asked.
    pub file: Option<PathBuf>,
    /// That file, and all that it extends.
    pub files: Vec<PathBuf>,
    /// The folder that patterns and paths of the configuration are relative to.
    pub base: PathBuf,
}

impl Loaded {
    /// What faults are said of.
    pub fn name(&self) -> String {
        self.file.as_ref().map_or_else(|| "--config".to_owned(), |file| file.display().to_string())
    }
}

/// Loads what holds for some paths. `overrides` are the values of `--config`, later ones win; `isolated` takes no file that was not named.
///
/// Errors: one line a fault, in all files.
pub fn load(paths: &[String], overrides: &[String], isolated: bool) -> Result<Loaded, Vec<String>> {
    let mut faults = Vec::new();
    let mut loaded = Loaded::default();
    let named = overrides.iter().rev().find(|it| !it.contains('='));
    let file = match named {
        Some(file) => Some(PathBuf::from(file)),
        None if isolated => None,
        None => nearest(&common(paths)),
    };
    if let Some(file) = file {
        match extended(&file, DEPTH, &mut loaded.files) {
            Ok(config) => loaded.config = config,
            Err(said) => faults.extend(said),
        }
        loaded.base = file.parent().map(Path::to_path_buf).unwrap_or_default();
        loaded.file = Some(file);
    }
    for written in overrides.iter().filter(|it| it.contains('=')) {
        match key(written) {
            Ok(config) => loaded.config = config.over(std::mem::take(&mut loaded.config)),
            Err(said) => faults.extend(said),
        }
    }
    if faults.is_empty() { Ok(loaded) } else { Err(faults) }
}

/// Reads `KEY=VALUE`: TOML, or a plain word where the value is no TOML.
fn key(written: &str) -> Result<Config, Vec<String>> {
    let (name, value) = written.split_once('=').unwrap_or((written, ""));
    let is_toml = format!("x={value}").parse::<toml::Table>().is_ok();
    let quoted = || format!("{name} = {}", serde_json::Value::from(value.trim()));
    read("--config", &if is_toml { written.to_owned() } else { quoted() })
}

/// A file with all that it extends.
fn extended(file: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<Config, Vec<String>> {
    let shown = file.display();
    if depth == 0 {
        return Err(vec![format!("{shown}: more than {DEPTH} files extend each other; do they extend themselves?")]);
    }
    let text = crate::files::text(file).map_err(|why| vec![format!("{shown}: cannot be read: {why}")])?;
    files.push(file.to_path_buf());
    let config = read(&shown.to_string(), &text)?;
    let Some(other) = &config.extend else { return Ok(config) };
    let other = file.parent().unwrap_or(Path::new("")).join(other);
    let other = extended(&other, depth - 1, files)
        .map_err(|said| said.into_iter().map(|it| format!("{it} (extended by {shown})")).collect::<Vec<_>>())?;
    Ok(config.over(other))
}

/// The folder that holds all paths; the current one for standard input.
fn common(paths: &[String]) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    let folder = |path: &String| {
        let path = here.join(if path == "-" { "." } else { path.as_str() });
        let path = path.canonicalize().unwrap_or(path);
        if path.is_dir() { path } else { path.parent().map(Path::to_path_buf).unwrap_or_default() }
    };
    let mut folders = paths.iter().map(folder);
    let Some(first) = folders.next() else { return here };
    folders.fold(first, |common, other| {
        common.ancestors().find(|it| other.starts_with(it)).map(Path::to_path_buf).unwrap_or_default()
    })
}

/// The nearest configuration in a folder or above it.
fn nearest(folder: &Path) -> Option<PathBuf> {
    let found = folder.ancestors().flat_map(|folder| NAMES.map(|name| folder.join(name))).find(|it| it.is_file())?;
    // Shown as people would write it.
    let here = std::env::current_dir().and_then(|it| it.canonicalize()).unwrap_or_default();
    Some(found.strip_prefix(&here).map(Path::to_path_buf).unwrap_or(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn at(folder: &tempfile::TempDir, name: &str) -> Vec<String> {
        vec![folder.path().join(name).to_string_lossy().into_owned()]
    }

    #[test]
    fn the_nearest_file_wins_and_extends_another() {
        let files = [
            ("tidegate.toml", "dialect = 'cilium'\nignore = ['TG0012']\n"),
            ("team/.tidegate.toml", "extend = '../tidegate.toml'\nignore = []\n"),
            ("team/a/x.yaml", ""),
            ("alone/tidegate.toml", "fail-on = 'error'\n"),
        ];
        let folder = folder(&files);
        let team = load(&at(&folder, "team/a/x.yaml"), &[], false).unwrap().config;
        assert_eq!((team.dialect.as_deref(), team.ignore), (Some("cilium"), Some(vec![])));
        let alone = load(&at(&folder, "alone"), &[], false).unwrap().config;
        assert_eq!((alone.dialect, alone.fail_on), (None, Some(super::super::FailOn::Error)));
        assert_eq!(load(&at(&folder, "team"), &[], true).unwrap().config, Config::default());
        let both = [at(&folder, "team"), at(&folder, "alone")].concat();
        assert_eq!(load(&both, &[], false).unwrap().config.ignore, Some(vec!["TG0012".into()]));
    }

    #[test]
    fn a_flag_wins_over_a_file() {
        let folder = folder(&[("tidegate.toml", "dialect = 'cilium'\n")]);
        let with = |flags: &[&str]| {
            let flags: Vec<String> = flags.iter().map(|it| (*it).to_owned()).collect();
            load(&at(&folder, "."), &flags, false)
        };
        let config = with(&["dialect=standard", "ignore=['TG0012']", "suppressions.strict=true"]).unwrap().config;
        assert_eq!(config.dialect.as_deref(), Some("standard"));
        assert_eq!(config.suppressions.and_then(|it| it.strict), Some(true));
        assert!(with(&["dialekt=x"]).unwrap_err()[0].contains("is `dialect` meant?"));
    }

    #[test]
    fn a_circle_of_files_is_said() {
        let folder = folder(&[("tidegate.toml", "extend = 'tidegate.toml'\n")]);
        let said = load(&at(&folder, "."), &[], false).unwrap_err();
        assert!(said[0].contains("extend each other"), "{said:?}");
        let said = load(&[], &["absent.toml".into()], false).unwrap_err();
        assert!(said[0].contains("cannot be read"), "{said:?}");
    }
}
