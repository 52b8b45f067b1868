//! A graph for a terminal: a matrix, or a list where the matrix is too wide.

use super::report::{EdgeEntry, EndEntry, GraphReport};
use crate::cluster::ClusterEntry;
use crate::render::count;
use crate::report::Incomplete;
use comfy_table::{Cell, ContentArrangement, Table, presets};
use std::collections::BTreeSet;

/// A matrix is at most this wide, in characters; a wider one breaks in most terminals.
const WIDEST: usize = 150;
/// A cell is broken into lines of about so many characters.
const CELL: usize = 16;

/// The graph for people.
pub(super) fn text(report: &GraphReport, rules: bool) -> String {
    let vertices = count(report.vertices.len(), "vertex", "vertices");
    let edges = count(report.edges.len(), "edge", "edges");
    let mut out = format!("{vertices}, {edges} at the level of a {}   {}\n", report.level, report.dialect);
    out += &ClusterEntry::line(report.cluster.as_ref());
    out += &Incomplete::lines(&report.incomplete);
    report.notes.iter().for_each(|note| out += &format!("note: {note}\n"));
    if report.edges.is_empty() {
        return out;
    }
    out.push('\n');
    let ends = |of: fn(&EdgeEntry) -> usize| report.edges.iter().map(of).collect::<BTreeSet<usize>>();
    let (rows, columns) = (ends(|edge| edge.from), ends(|edge| edge.to));
    let wide = width(report, &rows, &columns);
    match wide > WIDEST || rules {
        false => out += &matrix(report, &rows, &columns),
        true => {
            if !rules {
                out += &format!(
                    "a matrix would be {wide} characters wide, so here is a list; filters or `-o html` show more\n\n"
                );
            }
            out += &list(report, rules);
        }
    }
    let marks: String = report.edges.iter().map(|edge| edge.label.as_str()).collect();
    for (mark, says) in [
        ("some: ", "`some`: not for all members, or not in both families"),
        ("(proxy)", "`proxy`: what is asked decides; `tidegate trace` takes a request"),
        ("unknown", "`unknown`: hangs on facts that were not read; `-o json` lists them"),
    ] {
        if marks.contains(mark) {
            out += &format!("{says}\n");
        }
    }
    out
}

fn width(report: &GraphReport, rows: &BTreeSet<usize>, columns: &BTreeSet<usize>) -> usize {
    let longest = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let first = rows.iter().map(|at| longest(&report.vertices[*at].name)).max().unwrap_or(0);
    let column = |column: &usize| {
        let edges = report.edges.iter().filter(|edge| edge.to == *column);
        let cells = edges.map(|edge| longest(&wrapped(&edge.label))).max().unwrap_or(0);
        longest(&heading(&report.vertices[*column].name)).max(cells) + 3
    };
    first + 4 + columns.iter().map(column).sum::<usize>()
}

fn matrix(report: &GraphReport, rows: &BTreeSet<usize>, columns: &BTreeSet<usize>) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Disabled);
    let name = |at: &usize| Cell::new(&report.vertices[*at].name);
    let broken = |at: &usize| Cell::new(heading(&report.vertices[*at].name));
    table.set_header(std::iter::once(Cell::new("from \\ to")).chain(columns.iter().map(broken)));
    for row in rows {
        let cell = |column: &usize| {
            let edge = report.edges.iter().find(|edge| (edge.from, edge.to) == (*row, *column));
            Cell::new(edge.map_or("-".to_owned(), |edge| wrapped(&edge.label)))
        };
        table.add_row(std::iter::once(name(row)).chain(columns.iter().map(cell)));
    }
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

/// The name of a column, its namespace on a line of its own.
fn heading(name: &str) -> String {
    match name.split_once('/') {
        Some((namespace, name)) if !namespace.contains(' ') => format!("{namespace}/\n{}", wrapped(name)),
        _ => wrapped(name),
    }
}

/// A text in lines of about [`CELL`] characters, broken between words.
fn wrapped(text: &str) -> String {
    let (mut lines, mut last) = (Vec::new(), String::new());
    for word in text.split(' ') {
        if !last.is_empty() && last.chars().count() + 1 + word.chars().count() > CELL {
            lines.push(std::mem::take(&mut last));
        }
        last += if last.is_empty() { "" } else { " " };
        last += word;
    }
    lines.push(last);
    lines.join("\n")
}

fn list(report: &GraphReport, rules: bool) -> String {
    let mut out = String::new();
    let mut last = None;
    let longest =
        report.edges.iter().map(|edge| report.vertices[edge.to].name.chars().count()).max().unwrap_or(0).min(48);
    for edge in &report.edges {
        if last.replace(edge.from) != Some(edge.from) {
            out += &format!("{}\n", report.vertices[edge.from].name);
        }
        let to = &report.vertices[edge.to].name;
        out += &format!("  -> {to:longest$}  {}\n", edge.label);
        if rules {
            out += &end("egress", &edge.egress);
            out += &end("ingress", &edge.ingress);
        }
    }
    out
}

fn end(name: &str, end: &EndEntry) -> String {
    let mut out = String::new();
    if end.unmanaged {
        out += &format!("       {name}: no policy applies\n");
    } else if end.open {
        out += &format!("       {name}: nothing isolates it\n");
    }
    end.rules.iter().for_each(|rule| out += &format!("       {name}: {}   {}\n", rule.cause, rule.ports));
    out
}
