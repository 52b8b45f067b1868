//! The report of `cost` for people, and one line a rule for programs.

use super::By;
use super::report::{CostClass, CostReport, CostRule};
use crate::cluster::ClusterEntry;
use crate::render::count;
use crate::report::Incomplete;
use comfy_table::{CellAlignment, Table, presets};

/// The whole report, its largest parts first.
pub fn text(report: &CostReport, by: By, limit: usize) -> String {
    let mut out = Incomplete::lines(&report.incomplete) + &ClusterEntry::line(report.cluster.as_ref());
    if !report.unread.is_empty() {
        let errors = count(report.unread.len(), "error", "errors");
        out += &format!("not everything was read, because of {errors}, so it may cost more\n");
    }
    if report.classes.is_empty() && !report.unread.is_empty() {
        return out + &format!("what was read holds no pod that policies apply to   {}\n", report.dialect);
    }
    if report.classes.is_empty() {
        return out
            + &format!(
                "nothing costs anything: these files hold no pod that policies apply to   {}\n",
                report.dialect
            );
    }
    let most = report.spread().last_key_value().map_or(0, |(entries, _)| *entries);
    let share = most * 100 / report.cilium_default_entries.max(1);
    out += &format!(
        "{}, {}, {} of tables; the fullest policy map in Cilium would hold {} of {} entries ({share} %)   {}\n\n",
        count(report.classes.len(), "class of endpoints", "classes of endpoints"),
        count(report.identities as usize, "identity", "identities"),
        bytes(report.bytes()),
        most,
        report.cilium_default_entries,
        report.dialect
    );
    let (rules, classes) = (rules(report, by, limit), classes(report, by, limit));
    out += &match by {
        By::Rules | By::Identities => format!("{rules}\n{classes}"),
        By::Entries | By::Endpoints => format!("{classes}\n{rules}"),
    };
    out
}

/// One line a rule or a class.
pub fn concise(report: &CostReport, by: By) -> String {
    match by {
        By::Rules | By::Identities => sorted_rules(report, by).iter().map(|rule| format!("{rule}\n")).collect(),
        By::Entries | By::Endpoints => {
            let line = |it: &&CostClass| format!("{} entries, {} bytes: {}\n", it.entries, it.bytes, it.who);
            sorted_classes(report, by).iter().map(line).collect()
        }
    }
}

/// Each class and each rule as a JSON object.
pub fn jsonl(report: &CostReport) -> String {
    let classes = report.classes.iter().map(|it| serde_json::json!({ "class": it }));
    let rules = report.rules.iter().map(|it| serde_json::json!({ "rule": it }));
    classes.chain(rules).map(|value| format!("{value}\n")).collect()
}

/// A table of the rules.
pub fn csv(report: &CostReport) -> String {
    let mut out = "entries,identities,classes,endpoints,object,path,place\n".to_owned();
    for it in &report.rules {
        let place = it.cause.place.as_ref().map_or(String::new(), ToString::to_string);
        let names = [&it.cause.object, &it.cause.path, &place].map(|text| format!("\"{}\"", text.replace('"', "\"\"")));
        let numbers = [it.entries, it.identities, it.classes, it.endpoints].map(|number| number.to_string());
        out += &format!("{},{}\n", numbers.join(","), names.join(","));
    }
    out
}

fn sorted_rules(report: &CostReport, by: By) -> Vec<&CostRule> {
    let mut rules: Vec<&CostRule> = report.rules.iter().collect();
    if by == By::Identities {
        rules.sort_by_key(|it| (u64::MAX - it.identities, u64::MAX - it.entries));
    }
    rules
}

fn sorted_classes(report: &CostReport, by: By) -> Vec<&CostClass> {
    let mut classes: Vec<&CostClass> = report.classes.iter().collect();
    match by {
        By::Endpoints => classes.sort_by_key(|it| (u64::MAX - it.bytes, u64::MAX - it.endpoints)),
        _ => classes.sort_by_key(|it| (u64::MAX - it.entries, u64::MAX - it.bytes)),
    }
    classes
}

fn rules(report: &CostReport, by: By, limit: usize) -> String {
    if report.rules.is_empty() {
        return "no rule is about any of these endpoints\n".into();
    }
    let mut table = plain(["entries", "identities", "endpoints", "rule", ""]);
    for rule in sorted_rules(report, by).into_iter().take(limit) {
        let place = rule.cause.place.as_ref().map_or(String::new(), ToString::to_string);
        table.add_row([
            rule.entries.to_string(),
            rule.identities.to_string(),
            rule.endpoints.to_string(),
            format!("{} {}", rule.cause.object, rule.cause.path),
            place,
        ]);
    }
    right(&mut table, 3);
    shown(&table, report.rules.len(), limit, "rule", "rules")
}

fn classes(report: &CostReport, by: By, limit: usize) -> String {
    let mut table = plain(["entries", "bytes", "instructions", "peers", "endpoints", ""]);
    for class in sorted_classes(report, by).into_iter().take(limit) {
        let numbers = [class.entries, class.bytes, class.instructions, class.peers, class.endpoints];
        table.add_row(numbers.iter().map(ToString::to_string).chain([class.who.clone()]));
    }
    right(&mut table, 5);
    shown(&table, report.classes.len(), limit, "class", "classes")
}

fn plain<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header);
    table
}

fn right(table: &mut Table, columns: usize) {
    table.column_iter_mut().take(columns).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
}

fn shown(table: &Table, all: usize, limit: usize, one: &str, many: &str) -> String {
    let mut out: String = table.to_string().lines().map(|line| format!("{}\n", line.trim_end())).collect();
    if all > limit {
        out += &format!("and {} more; `--limit` or `-o json` lists them\n", count(all - limit, one, many));
    }
    out
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} bytes"),
        10_240..10_485_760 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
