//! `tidegate trace`: whether one flow passes, and which lines decide it.

mod proxied;
pub mod report;

use self::proxied::RequestArgs;
use self::report::{TracePart, TraceWay};
use super::Exit;
use crate::args::{Color, Outputs, Paths, Reading};
use crate::cluster::ClusterEntry;
use crate::formats::{self, Plain};
use crate::render::{self, say};
use crate::report::{
    API_VERSION, DialectEntry, DiffersUnder, Incomplete, MissingFact, TraceCause, TraceNearest, TraceReport, TraceRow,
    TraceSide,
};
use crate::session::{self, Session};
use clap::{Args, ValueEnum};
use driver::{Because, Choice, Database, world};
use flow::{Action, Protocol};
use hir::labels::{self, Operator, Requirement};
use oracle::Because as Step;
use reason::nearest::Misses;
use reason::party;
use reason::route::Way;
use reason::trace::{Outcome, Row, Unmanaged};
use reason::{Cause, Missing, Part, Side, Stand, Wanted};
use std::collections::BTreeSet;

/// Say whether one flow passes, and which lines decide it.
///
/// The ends are `namespace/name` of a pod or workload, `node:NAME`, an address, a CIDR, or an entity such as `world`; the destination
/// may be `service:NAMESPACE/NAME` or `dns:NAME`, which is asked about by each address that DNS answers of the files give it. A range of ports is split where the verdict changes. The exit code is 0 whatever the verdict, unless
/// `--expect` is given.
#[derive(Debug, Args)]
pub struct Trace {
    /// Who opens the connection.
    #[arg(value_name = "SOURCE", required_unless_present = "src_k8s_pod")]
    pub source: Option<String>,
    /// With whom.
    #[arg(value_name = "DESTINATION", required_unless_present = "dst_k8s_pod")]
    pub destination: Option<String>,
    /// Port and protocol, for example `8080/TCP`, `8000-9000/TCP`, `any/UDP`, `ICMP`, `any`.
    #[arg(value_name = "PORT", required_unless_present = "dport")]
    pub port: Option<String>,
    /// Another way to name SOURCE.
    #[arg(long, value_name = "NAMESPACE/POD", conflicts_with = "source")]
    pub src_k8s_pod: Option<String>,
    /// Another way to name DESTINATION.
    #[arg(long, value_name = "NAMESPACE/POD", conflicts_with = "destination")]
    pub dst_k8s_pod: Option<String>,
    /// Another way to name PORT.
    #[arg(long, value_name = "PORT", conflicts_with = "port")]
    pub dport: Option<String>,
    /// The protocol of a PORT that names none; TCP when absent.
    #[arg(long, value_name = "PROTOCOL")]
    pub protocol: Option<String>,
    /// What is asked over the connection.
    #[command(flatten)]
    pub request: RequestArgs,
    /// Exit with 1 unless the verdict is this one; an unknown verdict meets neither `allow` nor `deny`.
    #[arg(long, value_name = "VERDICT")]
    pub expect: Option<Expect>,
    /// Where manifests come from; the current folder when absent.
    #[command(flatten)]
    pub paths: TracePaths,
    /// Where the report goes.
    #[command(flatten)]
    pub outputs: Outputs,
}

/// PATH arguments of a command whose positional arguments are taken.
#[derive(Clone, Debug, Args)]
pub struct TracePaths {
    /// Files, folders, or `-` for standard input. Repeatable.
    #[arg(short = 'f', long = "filename", value_name = "PATH")]
    pub filenames: Vec<String>,
    /// The namespace of objects and ends that name none: `default`, unless the configuration says another.
    #[arg(short, long, value_name = "NAME")]
    pub namespace: Option<String>,
    /// The reading of the policy language.
    #[command(flatten)]
    pub reading: Reading,
}

/// An expected verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Expect {
    /// The flow passes both ends, whatever is asked over it.
    Allow,
    /// It passes to a proxy, and the requests over it decide.
    Depends,
    /// An end denies it.
    Deny,
    /// It hangs on facts that were not read.
    Unknown,
}

impl Trace {
    /// Reads, asks, prints.
    pub fn run(self, color: Color) -> Result<Exit, String> {
        let paths = Paths {
            paths: Vec::new(),
            filenames: self.paths.filenames.clone(),
            namespace: self.paths.namespace.clone(),
            reading: self.paths.reading.clone(),
        };
        let (paths, take) = session::configured(&paths, &paths.all())?;
        let session = session::open_with(&paths, &take);
        let unsound = session.report_unsound();
        let wanted = self.wanted(&session.db, paths.namespace())?;
        let parts = reason::parts(&session.db, &wanted).map_err(|error| error.to_string())?;
        let cluster = session.cluster.clone();
        let report = TraceReport { cluster, ..report(&session.db, &session.choice, &wanted, &parts) };
        formats::write_all(&self.outputs.outputs, |format, destination| match format {
            Plain::Json => super::json(&report),
            Plain::Concise => Ok(format!("{}\n", headline(&report))),
            Plain::Text => Ok(text(&report, render::colours(color, destination))),
        })?;
        Ok(match self.expect {
            _ if unsound => Exit::Bad,
            // Why: a policy that is not evaluated may decide otherwise.
            Some(_) if !report.incomplete.is_empty() => {
                say(&format!("error: {}", Incomplete::UNCONFIRMED));
                Exit::Bad
            }
            Some(expect) if reason::parts::outcome(&parts) != Some(expect.outcome()) => Exit::Findings,
            _ => Exit::Clean,
        })
    }

    /// The question; ends without a namespace are in `namespace`.
    fn wanted(&self, db: &Database, namespace: &str) -> Result<Wanted, String> {
        let cluster = world::cluster(db);
        let one = |positional: &Option<String>, flag: &Option<String>| -> String {
            positional.clone().or_else(|| flag.clone()).unwrap_or_default()
        };
        let end = |word: String| party::party(&cluster, namespace, &word).map_err(|error| error.to_string());
        let protocol = match &self.protocol {
            Some(name) => Some(Protocol::parse(name).ok_or_else(|| format!("`{name}` is no protocol"))?),
            None => None,
        };
        let port = one(&self.port, &self.dport);
        Ok(Wanted {
            source: end(one(&self.source, &self.src_k8s_pod))?,
            destination: end(one(&self.destination, &self.dst_k8s_pod))?,
            keys: party::keys(&port, protocol).map_err(|error| error.to_string())?,
            request: self.request.request()?,
        })
    }
}

/// Whether a flow passes and which lines make it so, as text; ends without a namespace are in `namespace`. Errors: for people.
pub(in crate::command) fn drawn(
    session: &Session,
    namespace: &str,
    [from, to]: [&str; 2],
    port: Option<&str>,
) -> Result<String, String> {
    let cluster = world::cluster(&session.db);
    let end = |word: &str| party::party(&cluster, namespace, word).map_err(|error| error.to_string());
    let wanted = Wanted {
        source: end(from)?,
        destination: end(to)?,
        keys: party::keys(port.unwrap_or("any"), None).map_err(|error| error.to_string())?,
        request: None,
    };
    let parts = reason::parts(&session.db, &wanted).map_err(|error| error.to_string())?;
    Ok(text(&report(&session.db, &session.choice, &wanted, &parts), false))
}

impl Expect {
    fn outcome(self) -> Outcome {
        match self {
            Expect::Allow => Outcome::Allow,
            Expect::Depends => Outcome::Depends,
            Expect::Deny => Outcome::Deny,
            Expect::Unknown => Outcome::Unknown,
        }
    }
}

pub(super) fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "allow",
        Outcome::Depends => "depends",
        Outcome::Deny => "deny",
        Outcome::Unknown => "unknown",
    }
}

/// The verdict of a report whose parts differ.
const MIXED: &str = "mixed";

fn report(db: &Database, choice: &Choice, wanted: &Wanted, all: &[Part]) -> TraceReport {
    let outcome = reason::parts::outcome(all);
    let common = all.first().filter(|_| all.len() == 1);
    let side_of = |pick: fn(&reason::Trace) -> &Side| match common {
        Some(part) => side(db, pick(&part.trace)),
        None => side_of_parts(all.iter().map(|part| pick(&part.trace))),
    };
    let keys = flow::L4Set::from_intervals(wanted.keys.iter().copied());
    let missing_facts: BTreeSet<Missing> = all.iter().flat_map(|part| part.trace.missing()).collect();
    TraceReport {
        api_version: API_VERSION,
        kind: "TraceReport",
        dialect: DialectEntry::of(choice),
        cluster: None,
        source: wanted.source.to_string(),
        destination: wanted.destination.to_string(),
        port: if reason::party::keys("any", None).is_ok_and(|any| any == wanted.keys) {
            "any".into()
        } else {
            keys.to_string()
        },
        verdict: outcome.map_or(MIXED, word).to_owned(),
        audit: world::cluster(db).config.audit && outcome == Some(Outcome::Deny),
        incomplete: Incomplete::of(db),
        missing: missing(&missing_facts),
        differs: common.map(|part| differs(db, choice, part)).unwrap_or_default(),
        egress: side_of(|trace| &trace.egress),
        ingress: side_of(|trace| &trace.ingress),
        way: common.and_then(|part| way(db, part)),
        parts: if common.is_some() { Vec::new() } else { all.iter().map(|it| part(db, choice, it)).collect() },
    }
}

/// One end of an answer in parts: only what all of them say of it.
fn side_of_parts<'s>(sides: impl Iterator<Item = &'s Side>) -> TraceSide {
    let sides: Vec<&Side> = sides.collect();
    let first = sides.first().map(|side| side.outcome());
    let same = sides.iter().all(|side| Some(side.outcome()) == first);
    TraceSide {
        subject: sides.first().map(|side| side.subject.clone()).unwrap_or_default(),
        verdict: first.filter(|_| same).map_or(MIXED, word).to_owned(),
        unmanaged: None,
        policy_errors: Vec::new(),
        missing: Vec::new(),
        rows: Vec::new(),
    }
}

fn part(db: &Database, choice: &Choice, part: &Part) -> TracePart {
    TracePart {
        port: part.keys.to_string(),
        backend: part.backend.clone(),
        verdict: word(part.trace.outcome()).to_owned(),
        missing: missing(&part.trace.missing()),
        differs: differs(db, choice, part),
        egress: side(db, &part.trace.egress),
        ingress: side(db, &part.trace.ingress),
        way: way(db, part),
    }
}

/// The way out of the cluster, of a flow that gets that far.
fn way(db: &Database, part: &Part) -> Option<TraceWay> {
    if part.trace.egress.outcome() == Outcome::Deny {
        return None;
    }
    let Way { to, ways, by } = reason::route::way(db, &part.question)?;
    Some(TraceWay {
        to: to.to_string(),
        ways: ways.iter().map(ToString::to_string).collect(),
        by: by.iter().map(|it| cause(db, it)).collect(),
    })
}

fn missing(missing: &BTreeSet<Missing>) -> Vec<MissingFact> {
    let entry = |it: &Missing| MissingFact {
        fact: it.fact.name().to_owned(),
        of: it.of.clone(),
        supplied_by: it.fact.supplied_by().to_owned(),
    };
    missing.iter().map(entry).collect()
}

fn differs(db: &Database, choice: &Choice, part: &Part) -> Vec<DiffersUnder> {
    let names = |objects: &[hir::ObjectRef]| objects.iter().map(ToString::to_string).collect();
    let entry = |it: reason::Difference| DiffersUnder {
        under: it.under.to_owned(),
        verdict: word(it.outcome).to_owned(),
        egress: word(it.sides[0]).to_owned(),
        ingress: word(it.sides[1]).to_owned(),
        because: it.because.iter().map(|id| (*id).to_owned()).collect(),
        refused: names(&it.refused),
        accepted: names(&it.accepted),
    };
    let asked = choice.because == Because::Asked;
    reason::differences(db, &part.question, &part.trace, asked).into_iter().map(entry).collect()
}

pub(super) fn side(db: &Database, side: &Side) -> TraceSide {
    let policy_errors = side.conflicts.iter().map(|pair| [cause(db, &pair[0]), cause(db, &pair[1])]).collect();
    let (unmanaged, rows) = match &side.stand {
        Stand::Unknown(_) => (None, Vec::new()),
        Stand::Unmanaged(why) => (Some(unmanaged(*why)), Vec::new()),
        Stand::Nobody(why) => (Some(why.to_string()), Vec::new()),
        Stand::Itself => (Some("a pod always reaches itself; the flow never leaves it".to_owned()), Vec::new()),
        Stand::Decided(rows) => (None, rows.iter().map(|it| row(db, it)).collect()),
    };
    TraceSide {
        subject: side.subject.clone(),
        verdict: word(side.outcome()).to_owned(),
        unmanaged,
        policy_errors,
        missing: missing(&side.missing()),
        rows,
    }
}

fn unmanaged(why: Unmanaged) -> String {
    let text = match why {
        Unmanaged::Holds(1) => return "it holds 1 pod, whose own policies are not asked here; name it".to_owned(),
        Unmanaged::Holds(pods) => {
            return format!("it holds {pods} pods, whose own policies are not asked here; name one of them");
        }
        Unmanaged::Outside => "no pod of this cluster, so no policy applies at this end",
        Unmanaged::Node => "a node, and host policies are not enforced",
        Unmanaged::HostNetwork => "a pod on its node's network; policies do not select it",
        Unmanaged::Finished => "a finished pod",
        Unmanaged::Elsewhere => "a pod of another cluster",
    };
    text.to_owned()
}

fn row(db: &Database, row: &Row) -> TraceRow {
    let verdict = match row.verdict.action {
        _ if !row.missing.is_empty() => "unknown",
        Action::Allow => "allow",
        Action::Deny => "deny",
        Action::Redirect(_) => "redirect",
    };
    let because = match (row.because, row.verdict.is_allowed()) {
        (Step::Rule { .. }, _) => "rule",
        (_, true) => "default-allow",
        (_, false) => "default-deny",
    };
    TraceRow {
        peer: row.peer.clone(),
        verdict: verdict.to_owned(),
        because: because.to_owned(),
        by: row.by.iter().map(|it| cause(db, it)).collect(),
        nearest: row
            .nearest
            .as_ref()
            .map(|near| TraceNearest { cause: cause(db, &near.cause), misses: misses(&near.misses) }),
        proxied: row.proxied.as_ref().map(|it| proxied::report(db, it)),
        names: row.names.clone(),
    }
}

pub(super) fn cause(db: &Database, cause: &Cause) -> TraceCause {
    let place = cause.place.and_then(|place| Some(render::place_of(db, db.file(place.file)?, place.span)));
    TraceCause { object: cause.origin.object.clone(), path: cause.origin.path.clone(), place }
}

fn misses(misses: &Misses) -> String {
    match misses {
        Misses::Port(l4) => format!("it admits this peer on {l4} only"),
        Misses::Peer(failing) if failing.is_empty() => "it admits this port, but not this peer".to_owned(),
        Misses::Peer(failing) => {
            let failing: Vec<String> = failing.iter().map(|it| format!("`{}`", condition(it))).collect();
            format!("it admits this port, but the peer does not meet {}", failing.join(" and "))
        }
    }
}

/// A condition on labels as people write it.
fn condition(requirement: &Requirement) -> String {
    let key = match requirement.key.strip_prefix(labels::NAMESPACE_LABELS) {
        Some(label) => format!("namespace label {label}"),
        None if requirement.key == labels::NAMESPACE => "namespace".to_owned(),
        None => requirement.key.clone(),
    };
    match &requirement.operator {
        Operator::In(values) if values.len() == 1 => format!("{key}={}", values[0]),
        Operator::In(values) => format!("{key} in ({})", values.join(", ")),
        Operator::NotIn(values) => format!("{key} not in ({})", values.join(", ")),
        Operator::Exists => format!("{key} exists"),
        Operator::DoesNotExist => format!("{key} does not exist"),
    }
}

fn headline(report: &TraceReport) -> String {
    let differs: String = headline_differs(report).iter().map(|it| format!("; differs under {it}")).collect();
    let TraceReport { verdict, source, destination, port, dialect, .. } = report;
    let incomplete = Incomplete::lines(&report.incomplete).trim_end().replace('\n', "; ");
    let incomplete = if incomplete.is_empty() { incomplete } else { format!("; {incomplete}") };
    let verdict = format!("{verdict}{}{}", of_requests(verdict), audited(report));
    let parts: Vec<String> =
        report.parts.iter().map(|it| format!("{}{} {}", backend(it), it.port, it.verdict)).collect();
    let parts = if parts.is_empty() { String::new() } else { format!("; {}", parts.join(", ")) };
    format!("{verdict}: {source} -> {destination} {port} ({}){parts}{differs}{incomplete}", dialect.name)
}

/// What a verdict that waits for requests waits for.
fn of_requests(verdict: &str) -> &'static str {
    if verdict == "depends" { " on the request" } else { "" }
}

/// The backend that a part is about.
fn backend(part: &TracePart) -> String {
    part.backend.as_ref().map(|backend| format!("{backend} ")).unwrap_or_default()
}

/// What becomes of a denied flow in a cluster that only records what policies deny.
fn audited(report: &TraceReport) -> &'static str {
    if report.audit { " (audit: passes and is logged)" } else { "" }
}

/// The readings under which the verdict on the whole flow is another.
fn headline_differs(report: &TraceReport) -> Vec<&DiffersUnder> {
    let other = |it: &&DiffersUnder| it.verdict != report.verdict;
    report.differs.iter().filter(other).collect()
}

/// What other readings say where they agree on the whole: of one end, of a proxy or authentication, or of which policies count.
fn notes(report: &TraceReport) -> String {
    let mut out = String::new();
    for it in &report.differs {
        if it.verdict == report.verdict && (it.egress != report.egress.verdict || it.ingress != report.ingress.verdict)
        {
            out += &format!("  under {it}: egress {}, ingress {}\n", it.egress, it.ingress);
        } else if it.verdict == report.verdict && it.refused.is_empty() && it.accepted.is_empty() {
            out += &format!("  under {it} with other proxies or authentication\n");
        }
        for (objects, what) in [(&it.refused, "refused"), (&it.accepted, "accepted")] {
            if !objects.is_empty() {
                out += &format!("  under {it} {what}: {}\n", objects.join(", "));
            }
        }
    }
    out
}

fn text(report: &TraceReport, colours: bool) -> String {
    let verdict = &report.verdict;
    let shown = match verdict.as_str() {
        MIXED => "DIFFERS BY PART".to_owned(),
        _ => format!("{}{}{}", verdict.to_uppercase(), of_requests(verdict), audited(report)),
    };
    let mut out = format!(
        "{}  {} -> {}  {}   {}\n",
        paint(colours, verdict, &shown),
        report.source,
        report.destination,
        report.port,
        report.dialect
    );
    for it in headline_differs(report) {
        out += &format!("{}  differs under {it}: {}\n", " ".repeat(report.verdict.len()), it.verdict);
    }
    out += &notes(report);
    out += &ClusterEntry::line(report.cluster.as_ref());
    out += &Incomplete::lines(&report.incomplete);
    if report.parts.is_empty() {
        out += &sides(colours, [&report.egress, &report.ingress], report.way.as_ref());
    }
    for part in &report.parts {
        let verdict = format!("{}{}", part.verdict.to_uppercase(), of_requests(&part.verdict));
        out += &format!("\n{}  {}{}\n", paint(colours, &part.verdict, &verdict), backend(part), part.port);
        for it in part.differs.iter().filter(|it| it.verdict != part.verdict) {
            out += &format!("  differs under {it}: {}\n", it.verdict);
        }
        out += &indented(&sides(colours, [&part.egress, &part.ingress], part.way.as_ref()));
    }
    out
}

fn paint(colours: bool, verdict: &str, shown: &str) -> String {
    match (colours, verdict) {
        (false, _) => shown.to_owned(),
        (true, "allow") => format!("\x1b[1;32m{shown}\x1b[0m"),
        (true, "deny") => format!("\x1b[1;31m{shown}\x1b[0m"),
        (true, _) => format!("\x1b[1;33m{shown}\x1b[0m"),
    }
}

/// Two spaces before each line that is not empty; empty lines go.
fn indented(text: &str) -> String {
    text.lines().filter(|line| !line.is_empty()).map(|line| format!("  {line}\n")).collect()
}

/// Both ends and what follows.
fn sides(colours: bool, [egress, ingress]: [&TraceSide; 2], way: Option<&TraceWay>) -> String {
    let mut out = String::new();
    for (name, side) in [("egress of", egress), ("ingress of", ingress)] {
        let verdict = format!("{}{}", side.verdict, of_requests(&side.verdict));
        out += &format!("\n{name} {}: {}\n", side.subject, paint(colours, &side.verdict, &verdict));
        out += &side_text(side);
    }
    if let Some(way) = way {
        out += &format!("\nway out of the cluster, to {}: {}\n", way.to, way.ways.join(" or "));
        way.by.iter().for_each(|it| out += &format!("    {it}\n"));
    }
    out
}

/// Why an end says what it says.
pub(super) fn side_text(side: &TraceSide) -> String {
    let mut out = String::new();
    if let Some(why) = &side.unmanaged {
        out += &format!("  {why}\n");
    }
    for [first, second] in &side.policy_errors {
        out += "  its policy cannot be computed, so it is closed: these contradict each other\n";
        out += &format!("    {first}\n    {second}\n");
    }
    if !side.missing.is_empty() {
        out += "  it hangs on what was not read\n";
        side.missing.iter().for_each(|it| out += &format!("    {} {}: {}\n", it.fact, it.of, it.supplied_by));
    }
    for (text, peers) in grouped(&side.rows) {
        if peers.len() < side.rows.len() {
            out += &format!("  as {}\n", peers.join(", "));
        }
        out += &text;
    }
    out
}

/// Rows that say the same, with the peers of each, in the order of the first.
fn grouped(rows: &[TraceRow]) -> Vec<(String, Vec<&str>)> {
    let mut groups: Vec<(String, Vec<&str>)> = Vec::new();
    for row in rows {
        let text = row_text(row);
        match groups.iter_mut().find(|(known, _)| *known == text) {
            Some((_, peers)) => peers.push(&row.peer),
            None => groups.push((text, vec![&row.peer])),
        }
    }
    groups
}

fn row_text(row: &TraceRow) -> String {
    let mut out = String::new();
    let says = match (row.because.as_str(), row.verdict.as_str()) {
        ("rule", "unknown") => "as far as was read, decided by",
        (_, "unknown") if row.by.is_empty() => "as far as was read, no policy isolates it",
        (_, "unknown") => "as far as was read, no rule allows it; isolated by",
        ("rule", "deny") => "denied by",
        ("rule", "redirect") => "sent to a proxy by",
        ("rule", _) => "allowed by",
        ("default-allow", _) => "no policy isolates it",
        _ => "no rule allows it; isolated by",
    };
    out += &format!("  {says}\n");
    for cause in &row.by {
        out += &format!("    {cause}\n");
    }
    if let Some(proxied) = &row.proxied {
        out += &proxied::text(proxied);
    }
    if !row.names.is_empty() {
        let names: Vec<String> = row.names.iter().map(|name| format!("`{name}`")).collect();
        out += &format!(
            "  by name, and so for a time: {} stands for the addresses that DNS answered last\n",
            names.join(", ")
        );
        out += "    an address counts from its answer until the TTL is over (or `tofqdns-min-ttl`, if longer) and no connection uses it\n";
        out += "    any more; then new connections to it are denied until an endpoint asks for the name again\n";
    }
    if let Some(near) = &row.nearest {
        out += &format!("  nearest rule\n    {}\n    {}\n", near.cause, near.misses);
    }
    out
}
