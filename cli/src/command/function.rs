//! `tidegate fn`: checks the items of a KRM `ResourceList`, as kustomize and kpt run functions.

mod place;

use super::Exit;
use crate::args::Facts;
use crate::cluster::{self, ClusterArgs, Source};
use crate::files;
use crate::output;
use crate::render::say;
use clap::Args;
use diag::{Diagnostic, Severity};
use driver::{Database, Wish};
use facts::read::At;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use syntax::{ScalarStyle, Tree};

/// Check the items of a KRM ResourceList: one on standard input, the same with `results` on standard output.
///
/// The `functionConfig` may be a ConfigMap whose `data` has `dialect`, `cluster` (a snapshot), `facts` (`part` or `all`) and `namespace`.
/// Exit codes: 0 no error among the results, 1 an error, 2 no ResourceList.
#[derive(Debug, Args)]
pub struct Function {
    /// How old the snapshot that `cluster` names may be before a result says so.
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = crate::cluster::age::duration)]
    pub cluster_max_age: Duration,
}

/// What some editors write before a text.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// What the function is told.
struct Told {
    dialect: Wish,
    facts: Facts,
    namespace: String,
    cluster: Option<Source>,
}

impl Function {
    /// Reads, checks, writes.
    pub fn run(self) -> Result<Exit, String> {
        let text = files::input().map_err(|why| format!("cannot read standard input: {why}"))?;
        let tree = syntax::parse(&text, &syntax::Limits::default());
        let root = is_list(&tree).ok_or("standard input is no ResourceList of config.kubernetes.io/v1")?;
        let told = Told::of(&At::root(&tree, root))?;
        let results = self.results(&text, &told)?;
        let errors = results.iter().filter(|it| it["severity"] == "error").count();
        output::write_stdout(&with_results(&tree, root, results)).map_err(|error| error.to_string())?;
        Ok(if errors == 0 { Exit::Clean } else { Exit::Findings })
    }

    fn results(&self, text: &str, told: &Told) -> Result<Vec<Value>, String> {
        let args = ClusterArgs {
            cluster: told.cluster.clone(),
            cluster_max_age: self.cluster_max_age,
            live: Default::default(),
        };
        let known = cluster::known(&args, &told.namespace, false);
        if let Some(it) = known.unreadable.first() {
            return Err(format!("cannot read `{}`: {}", it.path, it.reason));
        }
        let mut db = Database::new();
        db.set_namespace(&told.namespace);
        db.set_files([(Arc::from("-"), Arc::from(text))]);
        db.set_cluster(known.cluster);
        db.set_heeded(known.heeded);
        db.set_knowledge(told.facts.into());
        db.settle_dialect(told.dialect);
        let entry = known.entry.iter().flat_map(|it| it.warnings());
        let mut results: Vec<Value> =
            entry.map(|it| json!({ "message": it.trim_start_matches("warning: "), "severity": "warning" })).collect();
        results.extend(checks::check(&db).iter().map(|it| result(&db, it)));
        Ok(results)
    }
}

impl Told {
    /// What the list's `functionConfig` says.
    ///
    /// Errors: a setting that is not known, or whose value is not.
    fn of(root: &At<'_>) -> Result<Told, String> {
        let mut told = Told { dialect: Wish::Auto, facts: Facts::Part, namespace: "default".into(), cluster: None };
        let data = root.dig(&["functionConfig", "data"]).map(|it| it.entries()).unwrap_or_default();
        for (name, at) in data {
            let value = at.text().ok_or_else(|| format!("functionConfig.data.{name} is no text"))?;
            let wrong = |why: String| format!("functionConfig.data.{name}: {why}");
            match &*name {
                "dialect" => told.dialect = crate::session::dialect(value).map_err(wrong)?,
                "namespace" => value.clone_into(&mut told.namespace),
                "cluster" => told.cluster = Some(value.parse().map_err(wrong)?),
                "facts" => {
                    told.facts = match value {
                        "part" => Facts::Part,
                        "all" => Facts::All,
                        _ => return Err(wrong("`part` or `all` is wanted".into())),
                    }
                }
                _ => return Err(wrong("no such setting; known: cluster, dialect, facts, namespace".into())),
            }
        }
        Ok(told)
    }
}

/// The root of the one document, when it is a ResourceList.
fn is_list(tree: &Tree) -> Option<syntax::NodeId> {
    let root = tree.documents().first()?.root?;
    let at = At::root(tree, root);
    let is = at.text_of("kind") == Some("ResourceList")
        && at.text_of("apiVersion").is_some_and(|it| it.starts_with("config.kubernetes.io/"));
    is.then_some(root)
}

/// One finding as a result.
fn result(db: &Database, finding: &Diagnostic) -> Value {
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Hint => "info",
    };
    let mut message = finding.headline.clone();
    if let Some(help) = &finding.help {
        message += &format!("; {help}");
    }
    let mut result = json!({
        "message": message,
        "severity": severity,
        "tags": { "code": finding.code.to_string(), "slug": finding.slug },
    });
    if let Some(place) = place::of(db, finding) {
        result["resourceRef"] = place.resource;
        if !place.field.is_empty() {
            result["field"] = json!({ "path": place.field });
        }
        if let Some(file) = place.file {
            result["file"] = file;
        }
    }
    result
}

/// The list as it came, with results in place of those that it had. The text stays where that can be done, comments and order included.
fn with_results(tree: &Tree, root: syntax::NodeId, results: Vec<Value>) -> String {
    let alone = tree.documents().iter().filter(|it| it.root.is_some()).count() == 1;
    let before = tree.text()[..tree.span(root).start as usize].rsplit('\n').next().unwrap_or("");
    let is_first = before.is_empty() || before == BYTE_ORDER_MARK;
    if tree.style(root) == ScalarStyle::Block && is_first && alone && tree.problems().is_empty() {
        let (body, rest) = without_results(tree, root);
        let line = if body.ends_with('\n') { "" } else { "\n" };
        let lines: String = results.iter().map(|it| format!("- {it}\n")).collect();
        let list = if lines.is_empty() { "results: []\n".to_owned() } else { format!("results:\n{lines}") };
        // What follows a mapping are comments and the end of the document.
        let rest = rest.trim_start_matches('\n');
        return format!("{body}{line}{list}{rest}");
    }
    let mut list = snapshot::tree::json(&At::root(tree, root));
    list["results"] = Value::Array(results);
    serde_json::to_string_pretty(&list).unwrap_or_else(|error| {
        say(&format!("error: {error}"));
        String::new()
    }) + "\n"
}

/// The text up to the end of the list, and what follows, without the lines of its results.
fn without_results(tree: &Tree, root: syntax::NodeId) -> (String, &str) {
    let (text, end) = (tree.text(), tree.span(root).end as usize);
    let Some(entry) = tree.get(root, "results") else { return (text[..end].to_owned(), &text[end..]) };
    let (from, value_end) = (tree.span(entry.key).start as usize, tree.span(entry.value).end as usize);
    // Why not where the value already ends with its line: the next line is another's.
    let is_whole = text[..value_end].ends_with('\n');
    let to =
        if is_whole { value_end } else { text[value_end..].find('\n').map_or(text.len(), |at| value_end + at + 1) };
    let end = end.max(to);
    (format!("{}{}", &text[..from], &text[to..end]), &text[end..])
}
