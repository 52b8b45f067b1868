//! From an edited policy to programs that enforce it: compiled, proved, loaded and swapped on a node whose interfaces are real.
//!
//! Two kinds of lines, both of T9: what an edit takes on a node of the world (`policy-to-live`), and what one image takes by the number of
//! its rules (`image`). Times are of the wall, since the kernel's part is what is asked for: on a busy machine they are upper bounds.

use crate::clock::{median, quantile};
use crate::compile::{Failed, milliseconds};
use crate::datapath::case::Case;
use crate::datapath::kernel;
use crate::datapath::ours::Ours;
use crate::line::Line;
use crate::world::{self, A_NAMESPACE};
use diagram::Limits;
use driver::{Database, Db, world as stages};
use enforce::{Enforcer, How, Local};
use image::{Hook, MapKind};
use lab::netns::Namespace;
use lab::topology::Plan;
use lab::{Lab, RunId, Spec};
use loader::Pins;
use rehearsal::spec;
use rehearsal::stage::locals;
use rules::{Fallback, RuleSet};
use std::collections::BTreeSet;
use std::time::Instant;

/// How many edits of a policy are made.
const EDITS: u16 = 101;
/// How many times an image is loaded; it is swapped as often.
const LOADS: u8 = 51;
/// The node whose pods are enforced.
const NODE: &str = "node-0";
/// Any secret does.
const SEED: u32 = 0x5eed;
/// The interface that images are swapped at: the loopback of a namespace.
const LOOPBACK: u32 = 1;

/// Edits a world of `n` policies and `n` pods, again and again, and has the first node enforce each edition.
pub fn run(n: usize, say: &mut dyn FnMut(Line)) -> Result<(), Failed> {
    let mut db = Database::new();
    db.set_files(world::world(n).into_iter().map(|(path, text)| (path.into(), text.into())));
    db.expect_edits();
    let plan = Plan::new(first_node(&db)).map_err(failed)?;
    let lab = Lab::up(&plan).map_err(failed)?;
    let mut live = Live::of(&db, &plan)?;
    // The first time everything is compiled and loaded.
    let begin = Instant::now();
    let first = live.make(&db, &lab)?;
    let all = milliseconds(begin.elapsed());
    for (name, edit) in EDITS_OF {
        let (mut laps, mut loads) = (Vec::new(), 0);
        for edition in 0..=EDITS {
            let texts = edit(n, 1 + edition);
            let before = live.enforcer.node().loads();
            let begin = Instant::now();
            for (path, text) in &texts {
                db.set_file(path, text);
            }
            let made = live.make(&db, &lab)?;
            laps.push(Laps { all: milliseconds(begin.elapsed()), ..made });
            loads = live.enforcer.node().loads() - before;
        }
        // The first edit of a file has more to ask, see `compile`.
        let laps = laps.split_off(1);
        let of = |lap: fn(&Laps) -> f64| laps.iter().map(lap).collect::<Vec<f64>>();
        let line = Line::new("T9", n, name)
            .figure("ours_ms", median(of(|lap| lap.all)))
            .figure("p99_ms", quantile(of(|lap| lap.all), 0.99))
            .figure("prepare_ms", median(of(|lap| lap.prepare)))
            .figure("narrow_ms", median(of(|lap| lap.narrow)))
            .figure("widen_ms", median(of(|lap| lap.widen)))
            .with("endpoints", live.locals.len())
            .with("images", first.images)
            .with("loads", loads)
            .with("hooks_replaced", laps.last().map_or(0, |lap| lap.replaced))
            .figure("first_ms", all);
        say(line);
    }
    live.enforcer.remove().map_err(failed)?;
    lab.down().map_err(failed)
}

/// The files of an edition, in a world of some size.
type Edit = fn(usize, u16) -> Vec<(String, String)>;

/// What is edited, by the name of its line.
const EDITS_OF: [(&str, Edit); 4] = [
    // A policy of an application whose pods are on the node.
    ("policy-to-live", |n, edition| vec![edited(n, 5, edition)]),
    // Policies of both directions of an application: two steps.
    ("both-directions-to-live", |n, edition| vec![edited(n, 5, edition), edited(n, 10, edition)]),
    ("namespace-to-live", |n, edition| vec![edited(n, 1, edition)]),
    // A pod that joins a known class, or leaves it.
    ("pod-to-live", |n, edition| {
        let namespace = n / A_NAMESPACE / 2;
        let facts = world::namespace_text(namespace, A_NAMESPACE.min(n), n.div_ceil(world::A_NODE));
        let joined = if edition % 2 == 1 { world::joined(namespace, edition) } else { String::new() };
        vec![(format!("cluster/ns-{namespace}.yaml"), facts + &joined)]
    }),
];

/// A policy in the middle of a world, by its place in its namespace.
fn edited(n: usize, place: usize, edition: u16) -> (String, String) {
    let number = n / A_NAMESPACE / 2 * A_NAMESPACE + place;
    (world::policy_path(number), world::policy(number, edition))
}

/// A node under enforcement.
struct Live {
    enforcer: Enforcer,
    locals: Vec<Local>,
}

/// What the steps of a change took, in milliseconds, and what it did.
#[derive(Clone, Copy, Default)]
struct Laps {
    all: f64,
    /// What was edited is compiled, proved and loaded.
    prepare: f64,
    narrow: f64,
    widen: f64,
    replaced: usize,
    images: usize,
}

impl Live {
    fn of(db: &Database, plan: &Plan) -> Result<Live, Failed> {
        let kernel_name = format!("bench-{}", plan.run().as_str());
        let target = db.project().target(db);
        let enforcer = Enforcer::open(NODE, &kernel_name, &target, Pins::At(loader::attach::default_root()), SEED)
            .map_err(failed)?;
        Ok(Live { locals: locals(plan, NODE), enforcer })
    }

    /// Has the node enforce what the database says.
    fn make(&mut self, db: &Database, lab: &Lab) -> Result<Laps, Failed> {
        let Live { enforcer, locals } = self;
        let begin = Instant::now();
        let change = enforcer.prepare_as(db, locals, How { alone: true, spoil: None }).map_err(failed)?;
        let prepare = begin.elapsed();
        let make = || {
            let begin = Instant::now();
            enforcer.narrow(&change)?;
            let narrow = begin.elapsed();
            let applied = enforcer.widen(change)?;
            Ok::<Laps, enforce::Error>(Laps {
                all: 0.0,
                prepare: milliseconds(prepare),
                narrow: milliseconds(narrow),
                widen: milliseconds(begin.elapsed() - narrow),
                replaced: applied.replaced,
                images: applied.images,
            })
        };
        lab.in_node(NODE, make).map_err(failed)
    }
}

/// The first node of a world with its pods.
fn first_node(db: &Database) -> Spec {
    let mut spec = spec::spec(&stages::cluster(db), RunId::random(), &BTreeSet::new());
    spec.nodes.retain(|node| node.name == NODE);
    spec.pods.retain(|pod| pod.node == NODE);
    spec
}

/// What it takes to prove, load and swap one image, by the number of its rules. The peer's shape is a map of policies into which each
/// rule is written by a system call.
pub fn images(sizes: &[usize], say: &mut dyn FnMut(Line)) -> Result<(), Failed> {
    let name = format!("tg-{}-bench", RunId::random().as_str());
    let (namespace, ()) = Namespace::create(&name, || Ok(())).map_err(failed)?;
    let measured = namespace.run(|| Ok(sizes.iter().map(|&n| image(n)).collect::<Vec<_>>()));
    lab::netns::remove(&name).map_err(failed)?;
    for line in measured.map_err(failed)? {
        say(line?);
    }
    Ok(())
}

fn image(n: usize) -> Result<Line, Failed> {
    let case = Case::identities(n);
    let mut ours = Ours::new(&case).map_err(failed)?;
    let open = RuleSet::of_fallback(Fallback::Allow);
    let begin = Instant::now();
    let diagrams = [&case.rules(), &open].map(|rules| diagram::build(rules, case.peers(), &Limits::default()));
    let [ingress, egress] = diagrams;
    let diagrams = [ingress.map_err(failed)?, egress.map_err(failed)?];
    let image = ours.whole().map_err(failed)?;
    let build = milliseconds(begin.elapsed());
    let (mut proofs, mut loads, mut swaps) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..LOADS {
        let begin = Instant::now();
        verify::prove_with(&image, &diagrams, &verify::template::is_known)
            .map_err(|refusals| Failed(format!("{refusals:?}")))?;
        proofs.push(milliseconds(begin.elapsed()));
        let begin = Instant::now();
        let loaded = ours.load_copy(&image, at).map_err(failed)?;
        loads.push(milliseconds(begin.elapsed()));
        let begin = Instant::now();
        for hook in Hook::BOTH {
            ours.attach(hook, LOOPBACK, &loaded).map_err(failed)?;
        }
        swaps.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    // The first time nothing is there to be swapped.
    let swaps = swaps.split_off(1);
    let shape = (0..LOADS / 10).map(|_| peer_shape(n)).collect::<Result<Vec<f64>, Failed>>()?;
    let line = Line::new("T9", n, "image")
        .figure("build_ms", build)
        .figure("prove_ms", median(proofs))
        .figure("load_ms", median(loads.clone()))
        .figure("load_p99_ms", quantile(loads, 0.99))
        .figure("swap_us", median(swaps.clone()))
        .figure("swap_p99_us", quantile(swaps, 0.99))
        .figure("peer_shape_load_ms", median(shape));
    Ok(line)
}

/// Milliseconds to write so many entries of a policy map by system calls.
fn peer_shape(n: usize) -> Result<f64, Failed> {
    let map = kernel::map(MapKind::Hash, 12, 8, n + 256).map_err(failed)?;
    let begin = Instant::now();
    for entry in 0..n as u32 {
        let mut key = [0; 12];
        key[..4].copy_from_slice(&entry.to_ne_bytes());
        map.update(&key, &[0; 8]).map_err(failed)?;
    }
    Ok(milliseconds(begin.elapsed()))
}

fn failed(error: impl std::fmt::Display) -> Failed {
    Failed(error.to_string())
}
