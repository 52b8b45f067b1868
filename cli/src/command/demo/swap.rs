//! The swap of the demonstration: numbered datagrams before, during and after, each accounted for.

use driver::{Database, SourceFile, text};
use enforce::Applied;
use flow::{Family, L4Key, Protocol};
use lab::topology::Plan;
use lab::traffic::{Flow, Losses, Nanos, Swap, Traffic};
use lab::{End, Place, Probe};
use rehearsal::Question;
use rehearsal::Stage;
use rehearsal::expect::Judge;
use rehearsal::soak::reconcile::{Slowest, Tally, Verdicts, reconcile};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Who sends to whom, and to which UDP port.
const FLOWS: [(&str, &str, u16); 4] = [
    ("shop/api", "shop/db", 5433),
    ("shop/api", "shop/cache", 6380),
    ("monitoring/prometheus", "shop/db", 5433),
    ("shop/web", "shop/db", 5433),
];
/// Datagrams a second and flow.
const RATE: u32 = 2000;
/// How long packets flow on each side of the swap.
const EACH: Duration = Duration::from_millis(1500);

/// What the swap did to packets.
pub struct Swapped {
    /// One a flow.
    pub flows: Vec<FlowTold>,
    /// Hooks.
    pub applied: Applied,
    /// From the edited text to loaded programs.
    pub prepared: Duration,
    /// From the first program replaced to the last.
    pub made: Duration,
    /// Packets that sockets or the machine lost; where it is not zero, missing packets prove nothing.
    pub losses: Losses,
}

/// One flow.
pub struct FlowTold {
    /// Who sends.
    pub from: String,
    /// Who receives.
    pub to: String,
    /// IPv4 or IPv6.
    pub family: Family,
    /// The UDP port.
    pub port: u16,
    /// Whether the policies let it pass, before and after.
    pub allowed: [bool; 2],
    /// Its packets.
    pub tally: Tally,
}

impl Swapped {
    /// Whether every packet met what the old or the new policies say.
    pub fn is_clean(&self) -> bool {
        self.flows.iter().all(|flow| flow.tally.leaked == 0 && flow.tally.lost == 0)
    }
}

/// Lets packets flow, swaps the edit in, and accounts for each packet.
pub fn swap(db: &mut Database, plan: &Plan, stage: &mut Stage, edit: &[(&str, &str)]) -> Result<Swapped, String> {
    let flows = flows(plan);
    let told = |db: &Database| -> Vec<bool> {
        let judge = Judge::new(db);
        flows.iter().map(|flow| judge.expect(plan, &question(flow)).reached).collect()
    };
    let before = told(db);
    let traffic = Traffic::start(stage.lab(), &flows).map_err(|error| error.to_string())?;
    std::thread::sleep(EACH);
    let edited = Instant::now();
    replace(db, edit);
    let after = told(db);
    let changes = stage.prepare(db).map_err(|error| error.to_string())?;
    let prepared = edited.elapsed();
    let (began, making) = (Nanos::now(), Instant::now());
    let applied = stage.make(changes).map_err(|error| error.to_string())?;
    let (ended, made) = (Nanos::now(), making.elapsed());
    std::thread::sleep(EACH);
    let report = traffic.stop(stage.lab()).map_err(|error| error.to_string())?;
    let slowest = Slowest::of(&report.flows);
    let swaps = [Swap { began, ended }];
    let told = report.flows.iter().zip(before.into_iter().zip(after)).map(|(flow, (before, after))| {
        let mut verdicts = Verdicts::default();
        verdicts.push(before);
        verdicts.push(after);
        FlowTold {
            from: plan.name(flow.flow.from.place).to_owned(),
            to: plan.name(flow.flow.to.place).to_owned(),
            family: Family::of(flow.flow.to.address),
            port: flow.flow.to_port,
            allowed: [before, after],
            tally: reconcile(flow, &verdicts, &swaps, &slowest),
        }
    });
    let flows = told.collect();
    Ok(Swapped { flows, applied, prepared, made, losses: report.losses })
}

/// Takes files in whose objects replace those of the same names, as `kubectl apply` would: what they replace becomes blank lines, so that
/// nothing else moves.
fn replace(db: &mut Database, edit: &[(&str, &str)]) {
    let known: Vec<SourceFile> = db.files().collect();
    db.set_files(edit.iter().map(|(path, text)| (Arc::from(*path), Arc::from(*text))));
    let names = edit.iter().filter_map(|(path, _)| db.file_at(path));
    let new: Vec<_> = names.flat_map(|file| objects(db, file)).map(|object| object.object).collect();
    for file in known {
        let tree = text::tree(db, file);
        let gone = objects(db, file).into_iter().filter(|object| new.contains(&object.object));
        let spans: Vec<_> = gone.filter_map(|object| Some(tree.documents().get(object.document)?.span)).collect();
        if spans.is_empty() {
            continue;
        }
        let inside = |at: usize| spans.iter().any(|span| span.contains(at as u32));
        let blanked = tree.text().char_indices().map(|(at, c)| if inside(at) && c != '\n' { ' ' } else { c });
        let (path, blanked): (String, String) = (file.path(db).to_owned(), blanked.collect());
        db.set_file(&path, &blanked);
    }
}

fn objects(db: &Database, file: SourceFile) -> Vec<text::Object> {
    text::decoded(db, file).objects.to_vec()
}

fn flows(plan: &Plan) -> Vec<Flow> {
    let mut flows = Vec::new();
    for (at, (from, to, to_port)) in (0..).zip(FLOWS) {
        for family in [Family::V4, Family::V6] {
            let end = |name: &str| {
                let place: Place = plan.pod(name)?;
                Some(End { place, address: plan.address(place, family)? })
            };
            if let (Some(from), Some(to)) = (end(from), end(to)) {
                flows.push(Flow { from, from_port: 20_000 + at, to, to_port, rate: RATE, payload_bytes: 64 });
            }
        }
    }
    flows
}

fn question(flow: &Flow) -> Question {
    let probe = Probe { from: flow.from, to: flow.to, protocol: lab::Protocol::Udp(flow.to_port) };
    Question { probe, key: L4Key::new(Protocol::UDP, flow.to_port) }
}
