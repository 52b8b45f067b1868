//! `tidegate graph`: who reaches whom.

mod page;
pub mod report;
mod text;

use super::Exit;
use crate::args::{Color, Paths};
use crate::formats::{self, Formats, To};
use crate::session::{self, Session};
use clap::{Args, ValueEnum};
use flow::L4Set;
use graph::{Filter, Wanted};

/// Say who reaches whom, and because of which rules.
///
/// An edge has the ports that both ends let through: egress of its source and ingress of its destination. Filters are
/// `namespace`, `namespace/name` (`*` stands for any text), `key=value` of a label, or `world`, `host`, `nodes`; one that nothing in the
/// files meets is an error.
#[derive(Debug, Args)]
pub struct Graph {
    /// What a vertex stands for.
    #[arg(long, value_name = "LEVEL", default_value = "workload")]
    pub level: Level,
    /// Show only edges from these. Repeatable.
    #[arg(long, value_name = "FILTER")]
    pub from: Vec<String>,
    /// Show only edges to these. Repeatable.
    #[arg(long, value_name = "FILTER")]
    pub to: Vec<String>,
    /// Show only edges both of whose ends are any of these. Repeatable.
    #[arg(long, value_name = "FILTER")]
    pub between: Vec<String>,
    /// Show only these ports, for example `8080/TCP` or `tcp/8000-8999`. Repeatable.
    #[arg(long, value_name = "PORT", value_parser = port)]
    pub port: Vec<L4Set>,
    /// Print the rules below each edge.
    #[arg(long)]
    pub rules: bool,
    /// Format of the report (text, json, dot, mermaid, csv, html), and its file when it is not for standard output. Repeatable.
    #[arg(short = 'o', long = "output", value_name = "FORMAT[=FILE]")]
    pub outputs: Vec<To<Format>>,
    /// Where manifests come from. Last, for what follows would stand under the heading of its last flags.
    #[command(flatten)]
    pub paths: Paths,
}

/// What a vertex stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Pods that policies treat alike.
    Pod,
    /// A workload, or pods without one that share their labels.
    Workload,
    /// A namespace.
    Namespace,
}

impl Level {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Level::Pod => "pod",
            Level::Workload => "workload",
            Level::Namespace => "namespace",
        }
    }

    /// As the graph knows it.
    fn of_graph(self) -> graph::Level {
        match self {
            Level::Pod => graph::Level::Pod,
            Level::Workload => graph::Level::Workload,
            Level::Namespace => graph::Level::Namespace,
        }
    }
}

/// How a graph is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A matrix, or a list where the matrix is too wide.
    Text,
    /// One JSON object.
    Json,
    /// For Graphviz.
    Dot,
    /// A flowchart of Mermaid.
    Mermaid,
    /// A table of edges.
    Csv,
    /// A page that answers clicks, whole in one file.
    Html,
}

impl Formats for Format {
    const ALL: &'static [Format] =
        &[Format::Text, Format::Json, Format::Dot, Format::Mermaid, Format::Csv, Format::Html];

    fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Dot => "dot",
            Format::Mermaid => "mermaid",
            Format::Csv => "csv",
            Format::Html => "html",
        }
    }

    fn is_shown(self) -> bool {
        self == Format::Text
    }
}

/// A port as `trace` takes it, or a set as reports print it.
fn port(text: &str) -> Result<L4Set, String> {
    if let Some(set) = L4Set::parse(text) {
        return Ok(set);
    }
    let key = reason::party::key(text, None).map_err(|error| error.to_string())?;
    Ok(match key.protocol() {
        protocol @ (flow::Protocol::ICMP | flow::Protocol::ICMPV6) => {
            L4Set::icmp_type(protocol, (key.low() >> 8) as u8)
        }
        _ => L4Set::interval(key, key),
    })
}

/// The graph that is wanted. Errors: for people: a filter that nothing meets, or policies that cannot be drawn.
fn connected(session: &Session, wanted: &Wanted) -> Result<graph::Graph, String> {
    let unmatched = wanted.unmatched(&driver::world::cluster(&session.db));
    if !unmatched.is_empty() {
        return Err(unmatched.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "));
    }
    graph::connect(&session.db, wanted).map_err(|error| format!("a graph of these policies cannot be drawn: {error}"))
}

/// Who reaches whom, as a page; with `to` alone those who reach that one. Errors: for people.
pub(in crate::command) fn drawn(session: &Session, to: Option<&str>) -> Result<String, String> {
    let to: Vec<Filter> = to.into_iter().map(Filter::parse).collect();
    let level = if to.is_empty() { Level::Workload } else { Level::Pod };
    let (from, between) = (Vec::new(), Vec::new());
    let wanted = Wanted { level: level.of_graph(), from, to, between, ports: L4Set::all() };
    page::page(&report::report(session, level, &connected(session, &wanted)?))
}

impl Graph {
    /// Reads, draws, prints.
    pub fn run(self, _color: Color) -> Result<Exit, String> {
        let session = session::open(&self.paths)?;
        let unsound = session.report_unsound();
        let filters = |words: &[String]| words.iter().map(|word| Filter::parse(word)).collect();
        let wanted = Wanted {
            level: self.level.of_graph(),
            from: filters(&self.from),
            to: filters(&self.to),
            between: filters(&self.between),
            ports: match self.port.is_empty() {
                true => L4Set::all(),
                false => self.port.iter().fold(L4Set::default(), |all, set| all.union(set)),
            },
        };
        let drawn = connected(&session, &wanted)?;
        let report = report::report(&session, self.level, &drawn);
        formats::write_all(&self.outputs, |format, _| match format {
            Format::Text => Ok(text::text(&report, self.rules)),
            Format::Json => super::json(&report),
            Format::Dot => Ok(graph::dot::dot(&drawn)),
            Format::Mermaid => Ok(graph::mermaid::mermaid(&drawn)),
            Format::Csv => Ok(graph::csv::csv(&drawn)),
            Format::Html => page::page(&report),
        })?;
        Ok(if unsound { Exit::Bad } else { Exit::Clean })
    }
}
