//! `tidegate suggest labels`: which labels policies use, which multiply identities, what may be left out.

use crate::args::{Color, Paths};
use crate::cluster::ClusterEntry;
use crate::command::Exit;
use crate::command::replay::forms::{Form, Forms};
use crate::formats;
use crate::render::count;
use crate::report::{API_VERSION, DialectEntry};
use crate::session;
use clap::Args;
use driver::Wish;
use hir::Dialect;
use replay::suggest::labels::{self as advisor, Advice, Key};
use schemars::JsonSchema;
use serde::Serialize;

/// Say which labels policies use, which multiply identities, and what may be left out.
///
/// The suggested filter is checked: with it and without, every pod decides alike about every peer. The exit code is 0 when no label need
/// be left out, 1 when one should.
#[derive(Debug, Args)]
pub struct Labels {
    /// Where policies and facts come from.
    #[command(flatten)]
    pub paths: Paths,
    /// Where the report goes.
    #[command(flatten)]
    pub outputs: Forms,
}

/// Which labels are worth their identities.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelsReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `LabelsReport`.
    pub kind: &'static str,
    /// The reading of the language that was used.
    pub dialect: DialectEntry,
    /// The cluster facts behind it; absent where neither `--cluster` nor a snapshot among the paths gave any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// Identities of pods now.
    pub identities: u64,
    /// Identities of pods with the filter.
    pub identities_with_filter: u64,
    /// The setting `labels` of the agent; empty where nothing need be left out.
    pub filter: String,
    /// Pairs of a pod and a peer whose verdicts were compared.
    pub compared: u64,
    /// A pair whose verdicts the filter would change; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differs: Option<String>,
    /// Every key, most costly first.
    pub keys: Vec<LabelKey>,
}

/// One key of labels.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LabelKey {
    /// The key.
    pub key: String,
    /// Different values.
    pub values: u64,
    /// Identities that there would be fewer without it.
    pub costs: u64,
    /// Policies that select by it.
    pub used_by: Vec<String>,
    /// Its values look made by a program.
    pub generated: bool,
    /// The filter leaves it out.
    pub left_out: bool,
}

impl Labels {
    /// Reads, counts, compares, prints.
    pub fn run(self, _color: Color) -> Result<Exit, String> {
        let mut session = session::open(&self.paths)?;
        let unsound = session.report_unsound();
        // Why: only where Cilium enforces do labels make identities.
        let mut entry = DialectEntry::of(&session.choice);
        if session.wish == Wish::Auto && session.choice.dialect.all_labels_selectable {
            session.db.set_dialect(&Dialect::CILIUM_1_20);
            entry.name = Dialect::CILIUM_1_20.name.to_owned();
            entry.because = "only there do labels make identities".to_owned();
        }
        let advice = advisor::advise(&session.db, session.db.dialect()).map_err(|error| error.to_string())?;
        let report = LabelsReport { cluster: session.cluster.clone(), ..LabelsReport::of(entry, &advice) };
        formats::write_all(&self.outputs.outputs, |form, _| {
            Ok(match form {
                Form::Text => report.text(),
                Form::Concise => format!("{}\n", report.headline()),
                Form::Json => crate::command::json(&report)?,
                Form::Jsonl => {
                    report.keys.iter().map(|key| format!("{}\n", serde_json::json!({ "key": key }))).collect()
                }
                Form::Csv => report.csv(),
            })
        })?;
        Ok(match advice.differs {
            _ if unsound => Exit::Bad,
            None if advice.filter.is_empty() => Exit::Clean,
            _ => Exit::Findings,
        })
    }
}

impl LabelsReport {
    fn of(dialect: DialectEntry, advice: &Advice) -> LabelsReport {
        let key = |it: &Key| LabelKey {
            key: it.key.clone(),
            values: it.values as u64,
            costs: it.costs as u64,
            used_by: it.used_by.iter().cloned().collect(),
            generated: it.generated,
            left_out: it.left_out,
        };
        LabelsReport {
            api_version: API_VERSION,
            kind: "LabelsReport",
            dialect,
            cluster: None,
            identities: advice.before as u64,
            identities_with_filter: advice.after as u64,
            filter: if advice.differs.is_some() { String::new() } else { advice.filter.clone() },
            compared: advice.compared,
            differs: advice.differs.clone(),
            keys: advice.keys.iter().map(key).collect(),
        }
    }

    fn headline(&self) -> String {
        let now = count(self.identities as usize, "identity", "identities");
        match (&self.differs, self.filter.is_empty()) {
            (Some(pair), _) => format!("{now}; no filter is suggested, because verdicts between {pair} would change"),
            (None, true) => format!("{now}; no label that policies do not use makes any more"),
            (None, false) => format!("{now}, {} with the filter", self.identities_with_filter),
        }
    }

    fn text(&self) -> String {
        let mut out = format!("{}   {}\n", self.headline(), self.dialect);
        out += &ClusterEntry::line(self.cluster.as_ref());
        if !self.filter.is_empty() {
            out += &format!(
                "\nlabels: '{}'   # in the ConfigMap cilium-config\n  every verdict stays: {} compared, for all ports\n",
                self.filter.replace('\'', "''"),
                count(self.compared as usize, "pair of a pod and a peer was", "pairs of a pod and a peer were")
            );
        }
        if self.keys.is_empty() {
            return out + "\nno pod with labels was read\n";
        }
        out += "\n   costs  values  key\n";
        for it in &self.keys {
            let used = match it.used_by.as_slice() {
                [] => "used by no policy".to_owned(),
                [one] => format!("used by {one}"),
                [one, more @ ..] => format!("used by {one} and {} more", more.len()),
            };
            let generated = if it.generated { ", its values look made by a program" } else { "" };
            let left_out = if it.left_out { ", left out" } else { "" };
            out += &format!("{:>8}{:>8}  {}   {used}{generated}{left_out}\n", it.costs, it.values, it.key);
        }
        out
    }

    fn csv(&self) -> String {
        let mut out = "key,values,costs,used_by,generated,left_out\n".to_owned();
        for it in &self.keys {
            let used = it.used_by.len();
            out += &format!("\"{}\",{},{},{used},{},{}\n", it.key, it.values, it.costs, it.generated, it.left_out);
        }
        out
    }
}
