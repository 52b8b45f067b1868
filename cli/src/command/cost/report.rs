//! What `cost` reports, as JSON.

use super::budget::Budget;
use crate::cluster::ClusterEntry;
use crate::command::build::plan;
use crate::command::build::report::DirectionEntry;
use crate::render;
use crate::report::{API_VERSION, DialectEntry, Incomplete, TraceCause};
use cost::RuleCost;
use driver::meaning::{self, ClassKey};
use driver::{Choice, Database, Db, locate, world};
use hir::subject::{Subject, SubjectKind};
use image::Hook;
use rules::Origin;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A database with the pods that its workloads would make, for a cost is known before anything runs.
pub fn planned(of: &Database) -> Database {
    let mut db = Database::new().with_stop(of.stop().clone());
    db.set_namespace(of.project().namespace(of));
    let text = |file: driver::SourceFile| Some((Arc::from(file.path(of)), file.text(of)?));
    db.set_files(of.files().filter_map(text));
    db.set_heeded(of.project().heeded(of));
    db.set_knowledge(of.project().knowledge(of));
    db.set_dialect(of.dialect());
    db.set_cluster(reason::party::planned(&world::cluster(of)));
    // Why: whoever wants no answer any more does not wait until every file was read.
    for file in db.files() {
        db.stop().check();
        driver::text::decoded(&db, file);
    }
    db
}

/// What policies cost.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `CostReport`.
    pub kind: &'static str,
    /// The reading of the language that was used.
    pub dialect: DialectEntry,
    /// Policies of other engines, which are not evaluated; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
    /// What could not be read, so that it may cost more; absent when everything was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// The cluster facts behind it; absent where neither `--cluster` nor a snapshot among the paths gave any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// Identities of endpoints in these files.
    pub identities: u64,
    /// Entries that a policy map of Cilium holds by default.
    pub cilium_default_entries: u64,
    /// By labels.
    pub classes: Vec<CostClass>,
    /// Most entries first.
    pub rules: Vec<CostRule>,
    /// What exceeds a budget.
    pub breaches: Vec<Breach>,
}

/// What one class of endpoints costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostClass {
    /// Its endpoints, for people.
    pub who: String,
    /// How many endpoints.
    pub endpoints: u64,
    /// Entries that a policy map of Cilium would need for each of them.
    pub entries: u64,
    /// Bytes of all our tables, which all of them share on a node.
    pub bytes: u64,
    /// Instructions of both programs.
    pub instructions: u64,
    /// Peers that our class tables name, both directions.
    pub peers: u64,
    /// What is forecast for packets towards them; absent where no table can hold the decision.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ingress: Option<DirectionEntry>,
    /// What is forecast for packets from them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub egress: Option<DirectionEntry>,
    /// Which rules are about them.
    #[serde(skip)]
    pub rules: Vec<(String, String)>,
}

/// What one rule costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CostRule {
    /// Where it is.
    #[serde(flatten)]
    pub cause: TraceCause,
    /// Identities that it selects; one for a rule about everybody.
    pub identities: u64,
    /// Entries that it makes in the policy map of one endpoint.
    pub entries: u64,
    /// Classes of endpoints that it is about.
    pub classes: u64,
    /// Endpoints of those.
    pub endpoints: u64,
}

/// A budget that is exceeded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Breach {
    /// `max-entries`, `max-bytes` or `max-identities`.
    pub budget: String,
    /// The budget.
    pub limit: u64,
    /// What is spent.
    pub value: u64,
    /// By whom.
    pub of: String,
    /// The rules that cost the most there.
    pub rules: Vec<CostRule>,
}

impl CostRule {
    /// What tells it from other rules.
    pub fn number(&self) -> (String, String) {
        (self.cause.object.clone(), self.cause.path.clone())
    }

    /// What it costs, for people.
    pub fn costs(&self) -> String {
        let entries = render::count(self.entries as usize, "entry", "entries");
        format!("{entries} by {}", render::count(self.identities as usize, "identity", "identities"))
    }

    fn of(db: &Database, rule: &RuleCost) -> CostRule {
        let Origin { object, path } = &rule.origin;
        let place =
            locate::locate(db, &rule.origin).and_then(|it| Some(render::place_of(db, db.file(it.file)?, it.span)));
        CostRule {
            cause: TraceCause { object: object.clone(), path: path.clone(), place },
            identities: rule.identities as u64,
            entries: rule.entries as u64,
            classes: rule.classes as u64,
            endpoints: rule.endpoints as u64,
        }
    }
}

impl std::fmt::Display for CostRule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = self.cause.place.as_ref().map_or(String::new(), |place| format!("   {place}"));
        let path = if self.cause.path.is_empty() { String::new() } else { format!(" {}", self.cause.path) };
        write!(f, "{}: {}{path}{place}", self.costs(), self.cause.object)
    }
}

impl CostReport {
    /// What the policies of a database cost, held against a budget.
    pub fn of(db: &Database, choice: &Choice, budget: &Budget) -> CostReport {
        let costs = cost::costs(db);
        let target = db.project().target(db);
        let mut classes = Vec::new();
        for class in &costs.classes {
            let key = ClassKey::new(db, class.class.clone());
            let hooks = if class.class.kind == SubjectKind::Host { Hook::HOST } else { Hook::BOTH };
            let forecast = |at: usize| {
                let diagrams = meaning::diagrams(db, key).ok()?;
                plan::forecast(hooks[at], &diagrams[at], &target)
            };
            let sets = meaning::rule_sets(db, key);
            let rules = sets.iter().flat_map(|set| &set.origins).map(|it| (it.object.clone(), it.path.clone()));
            let both = [forecast(0), forecast(1)];
            let sum = |of: fn(&DirectionEntry) -> u64| both.iter().flatten().map(of).sum();
            classes.push(CostClass {
                who: who(&class.subjects),
                endpoints: class.subjects.len() as u64,
                entries: class.entries as u64,
                bytes: sum(|it| it.table_bytes + it.class_bytes + it.counter_bytes),
                instructions: sum(|it| u64::from(it.instructions)),
                peers: class.peers.map_or(0, |both| both.iter().sum::<usize>() as u64),
                rules: rules.collect(),
                ingress: both[0].clone(),
                egress: both[1].clone(),
            });
        }
        let mut report = CostReport {
            api_version: API_VERSION,
            kind: "CostReport",
            dialect: DialectEntry::of(choice),
            incomplete: Incomplete::of(db),
            unread: Vec::new(),
            cluster: None,
            identities: costs.identities as u64,
            cilium_default_entries: cost::CILIUM_MAP as u64,
            classes,
            rules: costs.rules.iter().map(|rule| CostRule::of(db, rule)).collect(),
            breaches: Vec::new(),
        };
        report.breaches = budget.breaches(&report);
        report
    }

    /// Bytes of all tables over all classes.
    pub fn bytes(&self) -> u64 {
        self.classes.iter().map(|class| class.bytes).sum()
    }

    /// How many classes need the same number of entries, for the summary: entries → classes.
    pub fn spread(&self) -> BTreeMap<u64, usize> {
        let mut spread = BTreeMap::new();
        for class in &self.classes {
            *spread.entry(class.entries).or_default() += 1;
        }
        spread
    }
}

fn who(subjects: &[Subject]) -> String {
    match subjects {
        [] => "nobody".into(),
        [one] => one.to_string(),
        [one, others @ ..] => format!("{one} and {} more", others.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_forecast_of_the_examples_is_what_is_built() {
        let mut db = Database::new();
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");
        for folder in ["shop", "replay/new"] {
            for entry in std::fs::read_dir(format!("{root}/{folder}")).unwrap() {
                let path = entry.unwrap().path();
                if path.extension().is_some_and(|ending| ending == "yaml") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    db.set_file(&path.to_string_lossy(), &text);
                }
            }
        }
        let choice = db.settle_dialect(driver::Wish::Auto);
        let report = CostReport::of(&db, &choice, &Budget::default());
        let mut compared = 0;
        for (at, (class, image)) in driver::build::images(&db).into_iter().enumerate() {
            let (image, cost) = (image.unwrap(), &report.classes[at]);
            let built = plan::built(&image);
            assert_eq!((cost.ingress.as_ref(), cost.egress.as_ref()), (Some(&built.ingress), Some(&built.egress)));
            let bytes: u64 = image
                .tables
                .iter()
                .filter(|it| it.fill != image::Fill::Digest)
                .map(|it| u64::from(it.value_size(1 << image.target.peers_log2)))
                .sum();
            assert_eq!(cost.bytes, bytes, "{class:?}");
            let diagrams = meaning::diagrams(&db, ClassKey::new(&db, class)).unwrap();
            let filled = |at: usize| ebpf::class_table(&diagrams[at]).iter().filter(|it| **it != 0).count() as u64;
            assert_eq!(cost.peers, filled(0) + filled(1));
            compared += 1;
        }
        assert_eq!((compared, report.classes.len()), (6, 6));
    }
}
