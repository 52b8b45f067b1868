//! What a build says to people.

use super::report::{BuildReport, CostEntry, DirectionEntry, ForecastEntry};
use super::{Built, Made, plan, who};
use crate::cluster::ClusterEntry;
use crate::render::count;
use crate::report::Incomplete;
use diag::Diagnostic;
use driver::build::{How, Problem};
use driver::meaning::{self, ClassKey};
use driver::{Database, Db};
use hir::subject::Subject;
use std::collections::BTreeMap;
use std::fmt::Write;

/// How many of the rules behind a decision that is too large are named.
const NAMED: usize = 3;
/// How many digits of a digest are shown.
const SHORT: usize = 12;

/// The report: one line a class, then what it comes to.
pub fn text(report: &BuildReport, explained: &str) -> String {
    let mut out = if explained.is_empty() { concise(report) } else { explained.to_owned() };
    let summary = report.summary;
    let place = report.out_dir.as_ref().map_or(String::new(), |dir| format!(", written to {dir}"));
    let _ = writeln!(
        out,
        "{} for {} in {}, {} bytes{place}; {}",
        count(summary.images, "image", "images"),
        count(summary.subjects, "endpoint", "endpoints"),
        count(summary.classes, "class", "classes"),
        summary.bytes,
        report.dialect
    );
    out += &ClusterEntry::line(report.cluster.as_ref());
    out.extend(report.not_on_node.line().map(|line| line + "\n"));
    out += &Incomplete::lines(&report.incomplete);
    out
}

/// One line a class: digest, how each direction decides, who.
pub fn concise(report: &BuildReport) -> String {
    let mut out = String::new();
    for class in &report.classes {
        let Some(image) = report.images.iter().find(|image| image.digest == class.image) else { continue };
        let who = match class.subjects.as_slice() {
            [one] => one.clone(),
            [one, others @ ..] => format!("{one} and {} more", others.len()),
            [] => "nobody".into(),
        };
        let (ingress, egress) = (shape(&image.ingress), shape(&image.egress));
        let _ = writeln!(out, "{}  ingress {ingress:<12}  egress {egress:<12}  {who}", &class.image[..SHORT]);
    }
    out
}

fn shape(entry: &DirectionEntry) -> String {
    match &entry.verdict {
        Some(verdict) => format!("{verdict} all"),
        None => format!("{}x{} cells", entry.classes, entry.columns),
    }
}

/// How each class decides, and whether that was forecast.
pub fn explain(db: &Database, built: &Built, how: &How<'_>, chosen: &dyn Fn(&Made) -> bool) -> String {
    let mut out = String::new();
    for made in built.classes.iter().filter(|made| chosen(made)) {
        let image = plan::built(built.images.get(&made.digest).unwrap_or(&made.image));
        let _ = writeln!(out, "{}\n  known by {}", made.who(), made.class.labels);
        let _ = writeln!(out, "  image {}, {} bytes", &image.digest[..SHORT], image.bytes);
        let [ingress, egress] = made.forecast(db, how);
        for (name, built, forecast) in [("ingress", &image.ingress, ingress), ("egress", &image.egress, egress)] {
            let _ = writeln!(out, "  {name:<7} {}", facts(built));
            let Some(mut forecast) = forecast else {
                let _ = writeln!(out, "          no forecast");
                continue;
            };
            let priced = forecast.forecast.take();
            let _ = match forecast == *built {
                true => writeln!(out, "          as forecast"),
                false => writeln!(out, "          not as forecast: {}", facts(&forecast)),
            };
            out.extend(priced.map(|priced| prices(&priced)));
        }
        out.push('\n');
    }
    out
}

fn facts(entry: &DirectionEntry) -> String {
    let code = format!("{} instructions, {} calls of kernel functions", entry.instructions, entry.calls);
    match &entry.verdict {
        Some(verdict) => format!("every flow: {verdict}, nothing is asked\n          {code}"),
        None => format!(
            "{} x {} = {} cells; class by {}, column by {}, leaf by {}\n          \
             {} slots, {} pages, {} entries in all tables\n          \
             bytes: decision {}, classes {}, counters {}\n          {code}, {} in each decision",
            count(entry.classes as usize, "class", "classes"),
            count(entry.columns as usize, "column", "columns"),
            u64::from(entry.classes) * u64::from(entry.columns),
            entry.class_shape,
            entry.column_shape,
            entry.leaf_shape,
            entry.slots,
            entry.pages,
            entry.entries,
            entry.table_bytes,
            entry.class_bytes,
            entry.counter_bytes,
            entry.decision,
        ),
    }
}

/// Each step with its price, then the other ways with theirs.
fn prices(priced: &ForecastEntry) -> String {
    let mut out = String::new();
    let mut line = |name: &str, shape: &str, cost: CostEntry| {
        let CostEntry { bytes, entries, instructions, picoseconds } = cost;
        let ns = picoseconds as f64 / 1000.0;
        let _ = writeln!(
            out,
            "          {name:<13} {shape:<16} {bytes:>9} bytes {entries:>8} entries {instructions:>4} instructions {ns:>6.1} ns"
        );
    };
    for it in &priced.steps {
        line(&it.step, &it.shape, it.cost);
    }
    line("all", "", priced.all);
    for it in &priced.others {
        line("or else", &format!("{}, {}", it.column_shape, it.leaf_shape), it.cost);
    }
    out
}

/// Why a class has no image, with the rules that weigh most.
pub fn problem(db: &Database, key: ClassKey<'_>, subjects: &[Subject], problem: &Problem) -> Diagnostic {
    let who = who(subjects);
    let mut diagnostic = match problem {
        Problem::Diagram(problem) => checks::too_large(&who, problem),
        Problem::Compile(problem) => checks::refused(&who, &problem.to_string()),
    };
    let heaviest = heaviest(db, key);
    if !heaviest.is_empty() {
        let why = diagnostic.why.take().map_or(String::new(), |why| why + "\n");
        diagnostic.why = Some(format!("{why}the rules that tell most apart:\n{}", heaviest.join("\n")));
    }
    diagnostic
}

/// The rules with the most distinct stretches of ports and peers, with what each adds.
fn heaviest(db: &dyn Db, key: ClassKey<'_>) -> Vec<String> {
    let mut weights: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for rules in meaning::rule_sets(db, key).iter() {
        for rule in rules.rules() {
            let Some(origin) = rules.origin(rule.origin) else { continue };
            let (stretches, sets) = weights.entry(origin.to_string()).or_default();
            *stretches += rule.l4.intervals().len();
            *sets += 1;
        }
    }
    let mut weights: Vec<(String, (usize, usize))> = weights.into_iter().collect();
    weights.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let line = |(origin, (stretches, sets)): (String, (usize, usize))| {
        let stretches = count(stretches, "stretch of ports", "stretches of ports");
        format!("  {origin}: {stretches} in {}", count(sets, "rule", "rules"))
    };
    weights.into_iter().take(NAMED).map(line).collect()
}
