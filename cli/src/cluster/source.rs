//! The flags that say where cluster facts come from.

use super::age;
use super::live::LiveArgs;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// Where cluster facts come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A snapshot, or files and folders of what `kubectl get -o yaml` printed.
    File(PathBuf),
    /// The cluster itself, read now.
    Live,
    /// Nowhere: what only a running cluster tells does not count, even where a PATH holds it.
    None,
}

impl std::str::FromStr for Source {
    type Err = String;

    fn from_str(text: &str) -> Result<Source, String> {
        match text {
            "" => Err("a file, `live` or `none` is wanted".into()),
            "live" => Ok(Source::Live),
            "none" => Ok(Source::None),
            file => Ok(Source::File(file.into())),
        }
    }
}

/// Where cluster facts come from, and how old they may be.
#[derive(Clone, Debug, Args)]
pub struct ClusterArgs {
    /// Where cluster facts come from: a snapshot or a folder of `kubectl get -o yaml`, `live` for the cluster itself, `none` for what
    /// manifests declare and nothing else; what the PATHs hold when absent.
    #[arg(long, value_name = "FILE|live|none")]
    pub cluster: Option<Source>,
    /// Warn when the snapshot is older, for example 90m, 24h, 7d.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = age::duration)]
    pub cluster_max_age: Duration,
    /// Which cluster `live` is.
    #[command(flatten)]
    pub live: LiveArgs,
}
