//! Runs one test under one dialect: applies its blocks in order and compares.

use super::ask::{self, Asked, Flow};
use super::cluster::World;
use super::config::{self, Settings};
use super::markdown::{Block, Test};
use super::node::{Node, Stage};
use super::report::{Failure, Report};
use super::row::Row;
use super::script::{self, Packet};
use super::text::Manifest;
use super::{claims, end, flows, requests, rerun};
use crate::engine::{self, Kind, NotAsked, Unavailable};
use driver::Database;
use driver::meaning::{self, ClassKey};
use flow::Direction;
use hir::Dialect;
use std::collections::BTreeMap;

/// Text that blessing puts in the place of a block's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rewrite {
    /// The first line inside the block, from 1.
    pub line: usize,
    /// How many lines it holds now.
    pub lines: usize,
    /// What it should hold.
    pub text: String,
}

/// A test under way.
pub struct Run<'t> {
    pub(super) db: Database,
    pub(super) dialect: &'static Dialect,
    pub(super) world: World,
    pub(super) manifests: BTreeMap<String, Manifest>,
    /// What packets met, by pod.
    nodes: BTreeMap<String, Node>,
    file: &'t str,
    test: &'t Test,
    report: &'t mut Report,
    rewrites: &'t mut Vec<Rewrite>,
    /// Whether claims are still to be compared: they are about the state before the first edit.
    unsettled: bool,
    pub(super) asserted: bool,
}

/// Runs a test under each of its dialects.
pub fn run(file: &str, preamble: &[Block], test: &Test, report: &mut Report, rewrites: &mut Vec<Rewrite>) {
    let blocks: Vec<&Block> = preamble.iter().chain(&test.blocks).collect();
    let mut settings = Settings::default();
    let mut world = World::default();
    for block in blocks.iter().filter(|block| block.kind == "config") {
        for (line, text) in block.lines() {
            if let Err(message) = settings.apply(text, &mut world.cluster.config) {
                let (file, test) = (file.to_owned(), test.name.clone());
                report.failures.push(Failure { file, line, test, message });
                return;
            }
        }
    }
    for dialect in settings.dialects {
        let mut db = Database::new();
        db.set_dialect(dialect);
        db.listen();
        report.tests += 1;
        db.set_target(engine::small_target());
        let (world, manifests, nodes) = (world.clone(), BTreeMap::new(), BTreeMap::new());
        let mut run = Run {
            db,
            dialect,
            world,
            manifests,
            nodes,
            file,
            test,
            report,
            rewrites,
            unsettled: true,
            asserted: false,
        };
        for (at, block) in blocks.iter().enumerate() {
            run.block(at, block);
        }
        run.settle();
        if !run.asserted {
            run.fail(test.line, "the test asserts nothing".to_owned());
        }
    }
}

impl Run<'_> {
    fn block(&mut self, at: usize, block: &Block) {
        match (block.kind.as_str(), &block.arguments[..]) {
            ("config", []) => {}
            ("cluster", []) => self.facts(block),
            ("edit", []) => {
                self.before_edit();
                self.facts(block);
            }
            ("yaml" | "spec", _) => self.manifest(at, block),
            ("edit", _) => {
                self.before_edit();
                self.manifest(at, block);
            }
            ("flows", dialects) => match self.is_for(dialects) {
                Ok(true) => self.flows(block),
                Ok(false) => {}
                Err(message) => self.fail(block.line, message),
            },
            ("requests", dialects) => match self.is_for(dialects) {
                Ok(true) => self.requests(block),
                Ok(false) => {}
                Err(message) => self.fail(block.line, message),
            },
            ("routes", dialects) => match self.is_for(dialects) {
                Ok(true) => self.routes(block),
                Ok(false) => {}
                Err(message) => self.fail(block.line, message),
            },
            ("rerun", []) => self.rerun(block),
            ("packets", [pod]) => {
                if let Err(message) = self.packets(block, pod) {
                    self.fail(block.line, message);
                }
            }
            ("diag", dialects) => match self.is_for(dialects) {
                Ok(true) => {
                    let printed = claims::printed(&self.db);
                    self.same(block, printed);
                }
                Ok(false) => {}
                Err(message) => self.fail(block.line, message),
            },
            ("rules", [pod, direction]) => self.printed(block, pod, direction, |rules, _| rules),
            ("diagram", [pod, direction]) => self.printed(block, pod, direction, |_, diagram| diagram),
            (kind, _) => self.fail(block.line, format!("`{kind}` is no block with these words after it")),
        }
    }

    /// Notes a failure at a line of the fixture.
    pub(super) fn fail(&mut self, line: usize, message: String) {
        let (file, test) = (self.file.to_owned(), format!("{} [{}]", self.test.name, self.dialect.name));
        self.report.failures.push(Failure { file, line, test, message });
    }

    fn is_for(&self, dialects: &[String]) -> Result<bool, String> {
        let named = dialects.iter().map(|name| config::dialect(name)).collect::<Result<Vec<_>, _>>()?;
        Ok(named.is_empty() || named.contains(&self.dialect))
    }

    fn facts(&mut self, block: &Block) {
        for (line, text) in block.lines() {
            let done = match text.strip_prefix("remove file ") {
                Some(name) => self.remove_file(name.trim()),
                None => self.world.apply(text),
            };
            if let Err(message) = done {
                self.fail(line, message);
            }
        }
        self.db.set_cluster(self.world.cluster.clone());
    }

    fn remove_file(&mut self, name: &str) -> Result<(), String> {
        self.manifests.remove(name).ok_or_else(|| format!("there is no file `{name}`"))?;
        self.db.remove_file(name);
        Ok(())
    }

    fn manifest(&mut self, at: usize, block: &Block) {
        match Manifest::of(block, at) {
            Ok(manifest) => {
                self.db.set_file(&manifest.name, &manifest.text);
                self.manifests.insert(manifest.name.clone(), manifest);
            }
            Err(message) => self.fail(block.line, message),
        }
    }

    /// Compares claims, computes everything and forgets what ran.
    fn before_edit(&mut self) {
        self.settle();
        rerun::everything(&self.db);
        self.db.take_log();
    }

    fn settle(&mut self) {
        if std::mem::take(&mut self.unsettled) {
            let outcome = claims::compare(&self.db, self.dialect, &self.manifests);
            self.asserted |= outcome.compared > 0;
            self.report.claims += outcome.compared;
            for (line, message) in outcome.failures {
                self.fail(line, message);
            }
        }
    }

    fn rerun(&mut self, block: &Block) {
        self.asserted = true;
        self.report.reruns += 1;
        rerun::everything(&self.db);
        let ran = rerun::printed(&self.db);
        if let Some(difference) = rerun::difference(&block.text, &ran) {
            self.fail(block.line, difference);
            self.rewrite(block, ran.join("\n") + "\n");
        }
    }

    /// Sends packets over one pod's interface. What it remembers lasts through the test.
    fn packets(&mut self, block: &Block, pod: &str) -> Result<(), String> {
        self.asserted = true;
        let db = self.db.clone();
        let world = engine::World::new(&db);
        let place = end::named(&self.world, pod)?.place(&world).ok_or_else(|| format!("`{pod}` is no subject"))?;
        let mut node = self.nodes.remove(pod).unwrap_or_else(|| Node::new(engine::small_target()));
        let mut stage = node.stage(&world, &place)?;
        for (line, text) in block.lines() {
            let packet = match script::read(&self.world, &world, place.node.as_deref(), line, text) {
                Ok(packet) => packet,
                Err(message) => {
                    self.fail(line, message);
                    continue;
                }
            };
            for kind in [Kind::Oracle, Kind::Vm, Kind::Kernel] {
                self.packet(kind, &packet, &mut stage)?;
            }
        }
        self.nodes.insert(pod.to_owned(), node);
        Ok(())
    }

    fn packet(&mut self, kind: Kind, packet: &Packet, stage: &mut Stage<'_, '_>) -> Result<(), String> {
        let name = match kind {
            Kind::Oracle | Kind::Diagram => "packets: judge",
            Kind::Vm | Kind::Native => "packets: vm",
            Kind::Kernel => "packets: kernel",
        };
        let fate = stage.fate(kind, packet)?;
        let count = self.report.counts.entry(name).or_default();
        let Some((passes, why)) = fate else {
            count.no_question += 1;
            return Ok(());
        };
        count.asked += 1;
        // Programs do not say why a packet passes, except that audit mode made it.
        let (wanted, reason) = &packet.expected;
        let same_reason = why == *reason || passes && kind.runs_programs() && why != "audited";
        if passes != *wanted || !same_reason {
            count.wrong += 1;
            let words = |passes: bool| if passes { "pass" } else { "drop" };
            let (wanted, got) = (words(*wanted), words(passes));
            self.fail(packet.line, format!("{name}: expected {wanted} {reason}, got {got} {why}"));
        }
        Ok(())
    }

    fn rewrite(&mut self, block: &Block, text: String) {
        self.rewrites.push(Rewrite { line: block.line, lines: block.text.lines().count(), text });
    }

    fn printed(&mut self, block: &Block, pod: &str, direction: &str, choose: fn(String, String) -> String) {
        let direction = match direction {
            "ingress" => Direction::Ingress,
            "egress" => Direction::Egress,
            other => return self.fail(block.line, format!("`{other}` is no direction")),
        };
        let place = end::named(&self.world, pod).map(|end| end.place(&engine::World::new(&self.db)));
        let Ok(Some(place)) = place else { return self.fail(block.line, format!("`{pod}` is no subject")) };
        let key = ClassKey::new(&self.db, place.class);
        let rules = meaning::rule_sets(&self.db, key)[meaning::slot(direction)].to_string();
        let diagram = meaning::diagrams(&self.db, key).map(|both| both[meaning::slot(direction)].to_string());
        let printed = choose(rules, diagram.unwrap_or_else(|error| format!("{error}\n")));
        self.same(block, printed);
    }

    fn same(&mut self, block: &Block, printed: String) {
        self.asserted = true;
        if printed != block.text {
            self.fail(block.line, format!("it is now\n{printed}"));
            self.rewrite(block, printed);
        }
    }

    fn flows(&mut self, block: &Block) {
        self.asserted = true;
        // Why a clone: failures are noted while the world borrows the database.
        let db = self.db.clone();
        let world = engine::World::new(&db);
        let mut flows = Vec::new();
        for (line, text) in block.lines() {
            match Row::read(text).and_then(|row| flows::of_row(&self.world, &world, line, &row)) {
                Ok(found) => flows.extend(found),
                Err(message) => self.fail(line, message),
            }
        }
        for kind in Kind::ALL {
            let mut engine = match kind.open(&world) {
                Ok(engine) => engine,
                Err(Unavailable::NotPermitted) => {
                    self.report.counts.entry(kind.name()).or_default().not_permitted += flows.len();
                    continue;
                }
                Err(Unavailable::Broken(why)) => {
                    self.fail(block.line, format!("{kind}: {why}"));
                    continue;
                }
            };
            match ask::ask(&mut *engine, &world, &flows) {
                Ok(answers) => {
                    for (asked, answer) in flows.iter().zip(answers) {
                        self.compare(kind, asked, answer);
                    }
                }
                Err(why) => self.fail(block.line, format!("{kind}: {why}")),
            }
        }
    }

    fn requests(&mut self, block: &Block) {
        self.asserted = true;
        let db = self.db.clone();
        let world = engine::World::new(&db);
        for (line, text) in block.lines() {
            let compared = requests::compare(&self.world, &world, line, text);
            let count = self.report.counts.entry("requests: oracle").or_default();
            match compared {
                Ok(asked) => count.asked += asked,
                Err(message) => {
                    (count.asked, count.wrong) = (count.asked + 1, count.wrong + 1);
                    self.fail(line, message);
                }
            }
        }
    }

    fn compare(&mut self, kind: Kind, asked: &Asked, answer: Result<Flow, NotAsked>) {
        let count = self.report.counts.entry(kind.name()).or_default();
        let Ok(flow) = answer else {
            count.no_question += 1;
            return;
        };
        count.asked += 1;
        if let Some(difference) = flow.differs(&asked.expected) {
            count.wrong += 1;
            self.fail(asked.line, format!("{kind}: {}: {difference}\n{}", asked.words, flow.explained()));
        }
    }
}
