//! The keys that say what is read and how: every command that reads manifests heeds them, below its flags.

use super::{FactsKey, Loaded};
use crate::args::{Facts, Paths};
use crate::cluster::Source;
use crate::files::{MAX_BYTES, Take};
use driver::Wish;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::path::Path;

/// The paths of a command with what the configuration says of them, and what is taken of them. `exclude` are patterns of a flag.
///
/// Errors: one line a fault is added to `faults`.
pub fn reading(paths: &Paths, loaded: &Loaded, exclude: &[String], faults: &mut Vec<String>) -> (Paths, Take) {
    let (mut paths, config, from) = (paths.clone(), &loaded.config, loaded.name());
    let reading = &mut paths.reading;
    if let (Wish::Auto, Some(name)) = (reading.dialect, &config.dialect) {
        match crate::session::dialect(name) {
            Ok(wish) => reading.dialect = wish,
            Err(why) => faults.push(format!("{from}: `dialect` is `{name}`: {why}")),
        }
    }
    if let (Facts::Part, Some(FactsKey::All)) = (reading.facts, config.facts) {
        reading.facts = Facts::All;
    }
    if let (None, Some(cluster)) = (&reading.cluster.cluster, &config.cluster) {
        match cluster.parse() {
            Ok(Source::File(path)) => reading.cluster.cluster = Some(Source::File(loaded.base.join(path))),
            Ok(other) => reading.cluster.cluster = Some(other),
            Err(why) => faults.push(format!("{from}: `cluster` is `{cluster}`: {why}")),
        }
    }
    paths.namespace = paths.namespace.or_else(|| config.namespace.clone());
    let patterns: Vec<String> = config.exclude.iter().flatten().chain(exclude).cloned().collect();
    let exclude = globs(&loaded.base, &patterns).unwrap_or_else(|why| {
        faults.push(format!("{from}: exclude: {why}"));
        Gitignore::empty()
    });
    let most = match config.max_file_mib {
        Some(mib) if !(1..=MAX_BYTES >> 20).contains(&mib) => {
            faults.push(format!("{from}: `max-file-mib` is {mib}; it is from 1 to {}", MAX_BYTES >> 20));
            MAX_BYTES
        }
        mib => mib.map_or(MAX_BYTES, |mib| mib << 20),
    };
    (paths, Take { exclude, most, configuration: loaded.files.clone(), ..Take::default() })
}

/// Patterns relative to a folder.
pub fn globs(base: &Path, patterns: &[String]) -> Result<Gitignore, String> {
    let base = std::path::absolute(if base == Path::new("") { Path::new(".") } else { base });
    let mut builder = GitignoreBuilder::new(base.map_err(|error| error.to_string())?);
    for pattern in patterns {
        builder.add_line(None, pattern).map_err(|error| error.to_string())?;
    }
    builder.build().map_err(|error| error.to_string())
}
