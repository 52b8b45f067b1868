//! From text to diagrams and images, cold and after an edit.
//!
//! Each size runs in a process of its own, so that its memory is its own.

use crate::clock::{median, process_time, thread_time};
use crate::line::Line;
use crate::tenants;
use crate::world::{self, Files};
use driver::meaning::{self, ClassKey};
use driver::{Database, SourceFile, build, text, world as stages};
use facts::Name;
use hir::subject::{Class, Subject};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// The targets that this module measures.
pub const TARGETS: [&str; 3] = ["T9", "T12", TENANTS];
/// Many namespaces with a policy each, see [`tenants`].
pub const TENANTS: &str = "R-C5";
/// How many edits of a kind are made; odd.
const EDITS: u16 = 7;

/// A stage failed: the text says which.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failed(pub(crate) String);

/// Compiles a world of `n` policies and `n` pods, then edits it.
pub fn run(n: usize, wanted: &dyn Fn(&str) -> bool, say: &mut dyn FnMut(Line)) -> Result<(), Failed> {
    let mut bench = Bench { db: Database::new(), n, first_node: world::first_node(n), laps: Vec::new() };
    bench.measure("T12", world::world(n), &mut |line| {
        if wanted("T12") {
            say(line);
        }
    })?;
    if wanted("T9") {
        bench.edits(say)?;
    }
    Ok(())
}

/// Compiles the tenants' world of `n` namespaces.
pub fn run_tenants(n: usize, say: &mut dyn FnMut(Line)) -> Result<(), Failed> {
    let first_node = tenants::first_node(n);
    Bench { db: Database::new(), n, first_node, laps: Vec::new() }.measure(TENANTS, tenants::world(n), say)
}

struct Bench {
    db: Database,
    n: usize,
    /// The pods whose images are made: namespace, name.
    first_node: Vec<(String, String)>,
    /// Each stage: its name, how long it took, the memory of the process after it in kB.
    laps: Vec<(&'static str, Duration, u64)>,
}

struct Counts {
    classes: usize,
    peers: usize,
    images: usize,
}

impl Bench {
    /// Compiles files cold and says how long it took and how much memory the process has had by then.
    fn measure(&mut self, target: &str, files: Files, say: &mut dyn FnMut(Line)) -> Result<(), Failed> {
        let bytes: usize = files.iter().map(|(_, text)| text.len()).sum();
        let count = files.len();
        let before = memory_kb("VmRSS");
        let begin = process_time();
        self.cold(files)?;
        let processor = process_time() - begin;
        let peak = memory_kb("VmHWM");
        let total: Duration = self.laps.iter().map(|(_, lap, _)| *lap).sum();
        let mut line = Line::new(target, self.n, "cold").figure("ours_ms", milliseconds(total));
        line = line.figure("cpu_ms", milliseconds(processor));
        for (name, lap, _) in &self.laps {
            line = line.figure(&format!("{name}_ms"), milliseconds(*lap));
        }
        for (name, _, memory) in &self.laps {
            line = line.figure(&format!("{name}_rss_mb"), *memory as f64 / 1e3);
        }
        let counts = self.counts();
        line = line.with("classes", counts.classes).with("peers", counts.peers).with("node_images", counts.images);
        line = line.with("files", count).figure("text_mb", bytes as f64 / 1e6).figure("peak_rss_mb", peak as f64 / 1e3);
        say(line.figure("rss_before_mb", before as f64 / 1e3).with("threads", threads()));
        Ok(())
    }

    /// One stage after the other, so that each has its own time; each on all processors where its parts are independent.
    fn cold(&mut self, files: Files) -> Result<(), Failed> {
        let texts: Vec<(Arc<str>, Arc<str>)> =
            files.into_iter().map(|(path, text)| (path.into(), text.into())).collect();
        self.lap("set", |db| db.set_files(texts));
        let sources: Vec<SourceFile> = self.db.files().collect();
        self.lap("decode", |db| each(db, &sources, |db, file| drop(text::decoded(db, *file))));
        // As one that stays does: a node, an editor.
        self.lap("peers", |db| db.expect_edits());
        self.lap("classes", |db| drop(stages::classes(db)));
        let classes: Vec<Class> = stages::classes(&self.db).keys().cloned().collect();
        self.lap("resolve", |db| each(db, &classes, |db, class| drop(meaning::bound(db, key(db, class)))));
        self.lap("lower", |db| each(db, &classes, |db, class| drop(meaning::rule_sets(db, key(db, class)))));
        self.lap("diagram", |db| each(db, &classes, |db, class| drop(meaning::diagrams(db, key(db, class)))));
        let node = self.node();
        self.lap("image", |db| each(db, &node, |db, class| drop(build::image(db, key(db, class)))));
        self.check(&classes, &node)
    }

    fn lap(&mut self, name: &'static str, work: impl FnOnce(&mut Database)) {
        let begin = Instant::now();
        work(&mut self.db);
        let taken = begin.elapsed();
        self.laps.push((name, taken, memory_kb("VmRSS")));
    }

    /// The classes of the pods of one node.
    fn node(&self) -> Vec<Class> {
        let pod = |(namespace, name): &(String, String)| Subject::Pod(Name::new(namespace.as_str(), name.as_str()));
        let here: BTreeSet<Subject> = self.first_node.iter().map(pod).collect();
        let classes = stages::classes(&self.db);
        let on_it = |(class, subjects): (&Class, &Vec<Subject>)| {
            subjects.iter().any(|subject| here.contains(subject)).then(|| class.clone())
        };
        classes.iter().filter_map(on_it).collect()
    }

    /// Nothing was refused: a figure of a failure would look like a good one.
    fn check(&self, classes: &[Class], node: &[Class]) -> Result<(), Failed> {
        for class in classes {
            meaning::diagrams(&self.db, key(&self.db, class)).map_err(|error| Failed(error.to_string()))?;
        }
        for class in node {
            build::image(&self.db, key(&self.db, class)).map_err(|error| Failed(error.to_string()))?;
        }
        if node.is_empty() { Err(Failed("the node has no pods".into())) } else { Ok(()) }
    }

    fn counts(&self) -> Counts {
        Counts {
            classes: stages::classes(&self.db).len(),
            peers: stages::space(&self.db).peers().count(),
            images: self.node().len(),
        }
    }

    /// Everything again, as somebody would ask after an edit: diagrams of all classes, images of one node's.
    fn ask(&self, node: &[Class]) {
        for key in meaning::keys(&self.db) {
            drop(meaning::diagrams(&self.db, *key));
        }
        for class in node {
            drop(build::image(&self.db, key(&self.db, class)));
        }
    }

    fn edits(&mut self, say: &mut dyn FnMut(Line)) -> Result<(), Failed> {
        // A policy of an application whose pods are on the node, so that one class changes, image included.
        let narrow = self.number_of(5);
        let path = world::policy_path(narrow);
        self.edit("policy", &path, |edition| world::policy(narrow, edition), say);
        let comment = world::policy(narrow, EDITS);
        self.edit("comment", &path, |edition| format!("# {edition}\n{comment}"), say);
        let wide = self.number_of(1);
        let path = world::policy_path(wide);
        self.edit("namespace-wide-policy", &path, |edition| world::policy(wide, edition), say);
        let namespace = narrow / world::A_NAMESPACE;
        let path = format!("cluster/ns-{namespace}.yaml");
        let text = world::namespace_text(namespace, world::A_NAMESPACE.min(self.n), 1);
        let pods = |edition: u16| (0..edition).map(|extra| world::joined(namespace, extra)).collect::<String>();
        self.edit("pod-joins-class", &path, |edition| text.clone() + &pods(edition), say);
        Ok(())
    }

    /// A policy of this place in its namespace, somewhere in the middle.
    fn number_of(&self, place: usize) -> usize {
        self.n / world::A_NAMESPACE / 2 * world::A_NAMESPACE + place
    }

    /// The median of some edits of a file; a first one, which may have more to do, does not count.
    fn edit(&mut self, name: &str, path: &str, text: impl Fn(u16) -> String, say: &mut dyn FnMut(Line)) {
        let (mut totals, mut processor, mut facts, mut ran) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let node = self.node();
        for edition in 1..=EDITS + 1 {
            self.db.listen();
            let (begin, begin_here) = (Instant::now(), thread_time());
            self.db.set_file(path, &text(edition));
            drop(stages::classes(&self.db));
            facts.push(milliseconds(thread_time() - begin_here));
            self.ask(&node);
            totals.push(milliseconds(begin.elapsed()));
            processor.push(milliseconds(thread_time() - begin_here));
            ran = self.db.take_log();
        }
        let count = |query: &str| ran.iter().filter(|one| one.query == query).count();
        let first = processor[0];
        let line = Line::new("T9", self.n, name)
            .figure("ours_ms", median(totals.split_off(1)))
            .figure("cpu_ms", median(processor.split_off(1)))
            .figure("first_cpu_ms", first)
            .figure("until_classes_cpu_ms", median(facts.split_off(1)))
            .with("ran_resolve", count("resolve"))
            .with("ran_diagram", count("build"))
            .with("ran_image", count("compile"));
        say(line);
    }
}

fn key<'db>(db: &'db Database, class: &Class) -> ClassKey<'db> {
    ClassKey::new(db, class.clone())
}

/// Does the work of each item on all processors.
fn each<T: Sync>(db: &Database, items: &[T], work: impl Fn(&Database, &T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..threads() {
            let db = db.clone();
            let (next, work) = (&next, &work);
            scope.spawn(move || {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    work(&db, item);
                }
            });
        }
    });
}

pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// A figure of `/proc/self/status` (proc(5)), in kB; 0 where there is none.
pub(crate) fn memory_kb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
