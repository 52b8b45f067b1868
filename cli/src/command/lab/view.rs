//! What a rehearsal found, as a report and as text.

use super::doubt;
use super::run::Found;
use crate::cluster::ClusterEntry;
use crate::render;
use crate::report::{API_VERSION, DialectEntry, Incomplete, LabAnswer, LabReport, LabSummary, TraceCause};
use driver::{Choice, Database, locate};
use flow::Family;
use lab::Outcome;
use lab::topology::Plan;
use rehearsal::{Answer, Question, Sample};
use std::collections::BTreeMap;

/// The report of a run.
pub fn report(db: &Database, plan: &Plan, found: &Found, choice: &Choice) -> LabReport {
    let questions: Vec<Question> = found.answers.iter().map(|it| it.question).collect();
    let mut differs = doubt::differing(db, choice, plan, &questions);
    let differing_under = differs.len();
    let answers = found.answers.iter().enumerate();
    let answers: Vec<LabAnswer> =
        answers.map(|(at, it)| LabAnswer { differs_under: differs.remove(&at), ..answer(db, plan, it) }).collect();
    let differing = answers.iter().filter(|it| !it.agrees).count();
    let reached = answers.iter().filter(|it| it.observed == "reached").count();
    LabReport {
        api_version: API_VERSION,
        kind: "LabReport",
        dialect: DialectEntry::of(choice),
        cluster: None,
        incomplete: Incomplete::of(db),
        on_kernel: found.on_kernel.is_ok(),
        not_on_kernel_because: found.on_kernel.clone().err(),
        seed: match found.sample {
            Sample::All => None,
            Sample::Seeded(seed) => Some(seed),
        },
        summary: LabSummary {
            questions: answers.len(),
            reached,
            blocked: answers.len() - reached,
            differing,
            unknown: found.unknown,
            differing_under,
        },
        answers,
    }
}

fn answer(db: &Database, plan: &Plan, answer: &Answer) -> LabAnswer {
    let probe = answer.question.probe;
    let place = |origin: &rules::Origin| {
        let place = locate::locate(db, origin)?;
        Some(render::place_of(db, db.file(place.file)?, place.span))
    };
    let denied = answer.expected.denied_by.as_ref();
    LabAnswer {
        from: plan.name(probe.from.place).to_owned(),
        to: plan.name(probe.to.place).to_owned(),
        family: if probe.family() == Family::V4 { "IPv4" } else { "IPv6" }.to_owned(),
        port: match probe.protocol {
            lab::Protocol::Echo => "icmp/echo".to_owned(),
            lab::Protocol::Tcp(_) | lab::Protocol::Udp(_) => answer.question.key.to_string(),
        },
        expected: if answer.expected.reached { "reached" } else { "blocked" }.to_owned(),
        observed: word(answer.observed).to_owned(),
        agrees: answer.agrees(),
        differs_under: None,
        denied_at: denied.map(|side| format!("{} of {}", side.direction, side.subject)),
        because: denied.map_or(Vec::new(), |side| {
            side.by
                .iter()
                .map(|it| TraceCause { object: it.object.clone(), path: it.path.clone(), place: place(it) })
                .collect()
        }),
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Reached => "reached",
        Outcome::Unanswered => "unanswered",
        Outcome::Refused => "refused",
        Outcome::Unreachable => "unreachable",
        Outcome::Blocked => "blocked",
    }
}

/// One line for each answer that differs, and the closing line.
pub fn concise(report: &LabReport) -> String {
    let differing = report.answers.iter().filter(|it| !it.agrees).map(differing_line);
    differing.collect::<String>() + &closing(report)
}

/// The connectivity table, every difference, and the closing lines. `again` is the command to run where the kernel can be used.
pub fn text(report: &LabReport, again: &str, colours: bool) -> String {
    let mut out = table(report, colours);
    let differing: Vec<&LabAnswer> = report.answers.iter().filter(|it| !it.agrees).collect();
    if !differing.is_empty() {
        out += "\nnot as expected:\n";
        out.extend(differing.into_iter().map(differing_line));
    }
    out += "\n";
    out += &closing(report);
    if let Some(why) = &report.not_on_kernel_because {
        out += &format!(
            "NOT ON KERNEL: {why}; the programs ran in user space instead. To have it on the kernel:\n  {again}\n"
        );
    }
    out
}

fn differing_line(answer: &LabAnswer) -> String {
    let because = answer.denied_at.as_ref().map_or(String::new(), |at| {
        let rules: Vec<String> = answer.because.iter().map(cause).collect();
        format!(" ({at}: {})", rules.join(", "))
    });
    format!(
        "  {} -> {} {} {}: expected {}{because}, observed {}\n",
        answer.from, answer.to, answer.family, answer.port, answer.expected, answer.observed
    )
}

fn cause(cause: &TraceCause) -> String {
    let place = cause.place.as_ref().map_or(String::new(), |place| format!(" at {place}"));
    format!("{} {}{place}", cause.object, cause.path)
}

/// How many flows the other dialect answers otherwise, and because of what, most frequent first.
fn differing_under(report: &LabReport) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for under in report.answers.iter().filter_map(|it| it.differs_under.as_deref()) {
        *counts.entry(under).or_default() += 1;
    }
    let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let line = |(under, n): &(&str, usize)| {
        let differ = if *n == 1 { "question differs" } else { "questions differ" };
        format!("{n} {differ} under {under}\n")
    };
    counts.iter().map(line).collect()
}

fn closing(report: &LabReport) -> String {
    let summary = &report.summary;
    let not_asked = match summary.unknown {
        0 => String::new(),
        n => format!("; {n} not asked, for want of facts (`trace` says which)"),
    };
    let sample = report.seed.map_or(String::new(), |seed| format!(" (pairs sampled, --seed {seed})"));
    let verdict = match summary.differing {
        0 => "all as expected".to_owned(),
        n => format!("{n} NOT AS EXPECTED"),
    };
    format!(
        "{} questions{sample}: {} reached, {} blocked; {verdict}{not_asked}; {}\n",
        summary.questions, summary.reached, summary.blocked, report.dialect
    ) + &differing_under(report)
        + &ClusterEntry::line(report.cluster.as_ref())
        + &Incomplete::lines(&report.incomplete)
}

/// Who reaches whom on what: one row a pair, both families together where they agree.
fn table(report: &LabReport, colours: bool) -> String {
    let mut pairs: BTreeMap<(&str, &str), BTreeMap<&str, Vec<&LabAnswer>>> = BTreeMap::new();
    let mut order: Vec<(&str, &str)> = Vec::new();
    for answer in &report.answers {
        let pair = (answer.from.as_str(), answer.to.as_str());
        if !pairs.contains_key(&pair) {
            order.push(pair);
        }
        pairs.entry(pair).or_default().entry(&answer.family).or_default().push(answer);
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_header(vec!["from", "to", "", "reached", "blocked", ""]);
    for pair in order {
        let families = &pairs[&pair];
        let said: Vec<(String, [String; 3])> =
            families.iter().map(|(family, answers)| ((*family).to_owned(), row(answers))).collect();
        let merged = said.len() > 1 && said.iter().all(|(_, row)| *row == said[0].1);
        let rows = if merged { vec![("both".to_owned(), said[0].1.clone())] } else { said };
        for (family, [reached, blocked, verdict]) in rows {
            let verdict = match (colours, verdict.as_str()) {
                (true, "ok") => "\x1b[32mok\x1b[0m".to_owned(),
                (true, _) => format!("\x1b[31m{verdict}\x1b[0m"),
                (false, _) => verdict,
            };
            table.add_row(vec![pair.0.to_owned(), pair.1.to_owned(), family, reached, blocked, verdict]);
        }
    }
    format!("{table}\n")
}

fn row(answers: &[&LabAnswer]) -> [String; 3] {
    let ports = |wanted: bool| {
        let ports = answers.iter().filter(|it| (it.observed == "reached") == wanted).map(|it| it.port.as_str());
        let ports: Vec<&str> = ports.collect();
        match ports.len() {
            n if n == answers.len() => "everything asked".to_owned(),
            0 => "-".to_owned(),
            n if n > 4 => format!("{} and {} more", ports[..3].join(" "), n - 3),
            _ => ports.join(" "),
        }
    };
    let differing = answers.iter().filter(|it| !it.agrees).count();
    let verdict = if differing == 0 { "ok".to_owned() } else { format!("{differing} DIFFER") };
    [ports(true), ports(false), verdict]
}
