//! `tidegate.toml`: what a repository wants, so that every run says the same.
//!
//! The nearest file wins; `extend` names another whose keys hold where the nearer has none.

mod find;
mod read;
mod reading;

pub use find::{Loaded, NAMES, load};
pub use reading::{globs, reading};

use clap::Args;
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The keys of `tidegate.toml`. All are optional; flags win over them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Another configuration file, relative to this one: its keys hold where this file has none.
    pub extend: Option<String>,
    /// The reading of the policy language: `auto`, `standard`, `cilium`, `cilium-1.19`, `cilium-1.20`, or one of Cilium with `+exact`.
    pub dialect: Option<String>,
    /// Whether the files hold a part of a cluster (`part`) or all of it (`all`).
    pub facts: Option<FactsKey>,
    /// What is known of the cluster: a snapshot or a folder of what `kubectl get -o yaml` printed, relative to this file, `live` or `none`.
    pub cluster: Option<String>,
    /// The namespace of objects that name none.
    pub namespace: Option<String>,
    /// Which findings are reported: codes, beginnings of codes, names, `group:NAME`, `all`.
    pub select: Option<Vec<String>>,
    /// Findings that are reported besides `select`.
    pub extend_select: Option<Vec<String>>,
    /// Findings that are not reported.
    pub ignore: Option<Vec<String>>,
    /// Findings that are not reported of some files: a pattern as in `.gitignore`, relative to this file, and codes.
    pub per_file_ignores: Option<BTreeMap<String, Vec<String>>>,
    /// The mildest level that makes the run end in 1.
    pub fail_on: Option<FailOn>,
    /// Files and folders that are not read: patterns as in `.gitignore`, relative to this file.
    pub exclude: Option<Vec<String>>,
    /// The greatest file that is read, in MiB.
    #[serde(rename = "max-file-mib")]
    #[schemars(range(min = 1, max = 1024))]
    pub max_file_mib: Option<u64>,
    /// A baseline of accepted findings, relative to this file.
    pub baseline: Option<String>,
    /// How suppressions in the text are judged.
    pub suppressions: Option<Suppressions>,
    /// The order in which manifests are applied, where a flow that it cuts is a finding (TG0240).
    pub order: Option<Order>,
    /// Flows to nodes that no policy may cut, such as SSH from a bastion (TG0230).
    pub essential_flows: Option<Vec<EssentialFlow>>,
}

/// Which configuration holds.
#[derive(Clone, Debug, Default, Args)]
pub struct ConfigArgs {
    /// A configuration file in the place of the nearest `tidegate.toml`, or one of its keys. Repeatable.
    #[arg(long, value_name = "FILE|KEY=VALUE", help_heading = "Configuration")]
    pub config: Vec<String>,
    /// Take no configuration file that is not named.
    #[arg(long, help_heading = "Configuration")]
    pub isolated: bool,
}

/// In which order manifests are applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// As annotations of Argo CD and Helm and Kustomizations of Flux say.
    #[default]
    Declared,
    /// Document after document, as `kubectl apply` does.
    Documents,
}

/// A flow to every node that no policy may cut.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct EssentialFlow {
    /// What it is called in findings.
    pub name: String,
    /// The port at the node.
    pub port: u16,
    /// `tcp`, `udp` or `sctp`; tcp when absent.
    pub protocol: Option<String>,
    /// The addresses that it comes from; any address outside the cluster when absent.
    pub from: Option<String>,
}

/// How suppressions in the text are judged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Suppressions {
    /// Whether each needs a reason; one without is a finding (TG0103).
    pub strict: Option<bool>,
}

/// How much of a cluster the files hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FactsKey {
    /// What was not read may exist.
    Part,
    /// What was not read does not exist.
    All,
}

/// The mildest level that makes a run end in 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum FailOn {
    /// Errors alone.
    Error,
    /// Errors and warnings.
    #[default]
    Warning,
    /// Every finding.
    Hint,
    /// Nothing that is found.
    Never,
}

impl Config {
    /// The same with the keys of another where it has none.
    fn over(self, other: Config) -> Config {
        Config {
            extend: None,
            dialect: self.dialect.or(other.dialect),
            facts: self.facts.or(other.facts),
            cluster: self.cluster.or(other.cluster),
            namespace: self.namespace.or(other.namespace),
            select: self.select.or(other.select),
            extend_select: self.extend_select.or(other.extend_select),
            ignore: self.ignore.or(other.ignore),
            per_file_ignores: self.per_file_ignores.or(other.per_file_ignores),
            fail_on: self.fail_on.or(other.fail_on),
            exclude: self.exclude.or(other.exclude),
            max_file_mib: self.max_file_mib.or(other.max_file_mib),
            baseline: self.baseline.or(other.baseline),
            suppressions: self.suppressions.or(other.suppressions),
            order: self.order.or(other.order),
            essential_flows: self.essential_flows.or(other.essential_flows),
        }
    }
}
