//! A lab with programs on its links.

use crate::expect::{Expected, Judge};
use crate::pairs::{Question, mixed};
use driver::meaning::ClassKey;
use driver::{Database, Db, build, world};
use enforce::{Applied, Change, Enforcer, How, Local};
use facts::Name;
use hir::subject;
use image::{Image, Target};
use lab::topology::Plan;
use lab::{Lab, Outcome};
use loader::Pins;
use std::sync::atomic::AtomicBool;

/// Why a rehearsal cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Namespaces, links, sockets.
    #[error(transparent)]
    Lab(#[from] lab::Error),
    /// Compiling, loading, attaching.
    #[error(transparent)]
    Enforce(#[from] enforce::Error),
    /// A wrong image was asked for, and no image decides anything that could be made wrong.
    #[error("no image can be made wrong, for no policy leaves anything to decide here")]
    NothingToSpoil,
}

/// What is done wrong on purpose, to show that a rehearsal would notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// No program is attached.
    Unattached,
    /// One image, chosen by a seed, answers the opposite of what it should.
    WrongImage(u64),
}

/// One node of the lab under enforcement.
struct NodeStage {
    name: String,
    enforcer: Enforcer,
    locals: Vec<Local>,
}

/// A lab whose pods are enforced.
pub struct Stage {
    lab: Lab,
    nodes: Vec<NodeStage>,
    fault: Fault,
}

/// Makes images wrong on purpose.
pub struct Wrong;

impl Wrong {
    /// Whether an image decides anything that [`Wrong::make`] turns round.
    fn shows(image: &Image) -> bool {
        Wrong::make(&mut image.clone())
    }

    /// One of those that decide, by a seed. Errors: [`Error::NothingToSpoil`].
    pub(crate) fn chosen<T>(mut deciding: Vec<T>, seed: u64) -> Result<T, Error> {
        let at = (seed % deciding.len().max(1) as u64) as usize;
        if deciding.is_empty() { Err(Error::NothingToSpoil) } else { Ok(deciding.swap_remove(at)) }
    }

    /// Makes every decision of an image the opposite; says whether it decides anything.
    pub fn make(image: &mut Image) -> bool {
        ebpf::oppose(image)
    }
}

/// A question with what was expected and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// By the oracle.
    pub expected: Expected,
    /// By real packets.
    pub observed: Outcome,
}

impl Answer {
    /// Whether observation and expectation agree.
    pub fn agrees(&self) -> bool {
        self.expected.reached == (self.observed == Outcome::Reached)
    }
}

/// The endpoints of a node of a lab.
pub fn locals(plan: &Plan, node: &str) -> Vec<Local> {
    let pods = plan.pods().iter().enumerate().filter(|(_, pod)| pod.node == node);
    let locals = pods.filter_map(|(index, pod)| {
        let end = plan.host_end(index)?;
        let (namespace, name) = pod.name.split_once('/')?;
        Some(Local { pod: Name::new(namespace, name), ifindex: end.ifindex, mac: Some(end.pod_mac.0) })
    });
    locals.collect()
}

impl Stage {
    /// Makes the lab of a plan and opens its nodes. Nothing is enforced yet.
    ///
    /// `pins` is given the name of each node's folder. Errors: what had been made is taken down again.
    pub fn up(
        plan: &Plan,
        target: &Target,
        pins: impl Fn() -> Pins,
        seed: u64,
        stop: &AtomicBool,
    ) -> Result<Stage, Error> {
        let lab = Lab::up_unless(plan, stop)?;
        Stage::over(lab, target, pins, seed)
    }

    /// Opens the nodes of a lab that is up.
    pub fn over(lab: Lab, target: &Target, pins: impl Fn() -> Pins, seed: u64) -> Result<Stage, Error> {
        let mut nodes = Vec::new();
        for (at, node) in lab.plan().nodes().iter().enumerate() {
            let secret = mixed(seed ^ at as u64) as u32;
            let kernel_name = format!("{}-{}", lab.plan().run().as_str(), node.name);
            let mut enforcer = Enforcer::open(&node.name, &kernel_name, target, pins(), secret)?;
            enforcer.set_devices([lab.plan().uplink()]);
            let locals = locals(lab.plan(), &node.name);
            nodes.push(NodeStage { name: node.name.clone(), enforcer, locals });
        }
        Ok(Stage { lab, nodes, fault: Fault::None })
    }

    /// Does something wrong from the next change on.
    pub fn set_fault(&mut self, fault: Fault) {
        self.fault = fault;
    }

    /// The lab underneath.
    pub fn lab(&self) -> &Lab {
        &self.lab
    }

    /// The enforcer of each node, by name.
    pub fn enforcers(&mut self) -> impl Iterator<Item = (&str, &mut Enforcer)> {
        self.nodes.iter_mut().map(|node| (node.name.as_str(), &mut node.enforcer))
    }

    /// Compiles and loads what the database says, for every node. Nothing live is touched.
    pub fn prepare(&mut self, db: &Database) -> Result<Vec<Change>, Error> {
        let wrong = match self.fault {
            Fault::WrongImage(seed) => Some(Wrong::chosen(self.deciding(db), seed)?),
            Fault::None | Fault::Unattached => None,
        };
        let mut changes = Vec::new();
        let alone = self.nodes.len() == 1;
        for node in &mut self.nodes {
            let spoil = wrong.as_ref().map(|pod| (pod, &Wrong::make as _));
            changes.push(node.enforcer.prepare_as(db, &node.locals, How { alone, spoil })?);
        }
        Ok(changes)
    }

    /// The pods whose images decide anything, so that a wrong one shows.
    fn deciding(&self, db: &Database) -> Vec<Name> {
        let (cluster, peers) = (world::cluster(db), world::peers(db));
        let pods = self.nodes.iter().flat_map(|node| &node.locals).map(|local| &local.pod);
        let decides = |pod: &&Name| {
            let class = cluster
                .pods
                .get(pod)
                .and_then(|pod| subject::class_of_pod(pod, &cluster, &peers, db.project().dialect(db)));
            let image = class.and_then(|class| build::image(db, ClassKey::new(db, class)).ok());
            image.is_some_and(|image| Wrong::shows(&image))
        };
        pods.filter(decides).cloned().collect()
    }

    /// Makes a prepared change on all nodes: first every node narrows, then every node widens, so that no flow passes that neither the
    /// old nor the new policies pass.
    pub fn make(&mut self, changes: Vec<Change>) -> Result<Applied, Error> {
        for (node, change) in self.nodes.iter_mut().zip(&changes) {
            let enforcer = &mut node.enforcer;
            self.lab.in_node(&node.name, || enforcer.narrow(change))?;
        }
        let mut total = Applied::default();
        for (node, change) in self.nodes.iter_mut().zip(changes) {
            let enforcer = &mut node.enforcer;
            let applied = self.lab.in_node(&node.name, || enforcer.widen(change))?;
            total.attached += applied.attached;
            total.replaced += applied.replaced;
            total.unchanged += applied.unchanged;
            total.images += applied.images;
        }
        Ok(total)
    }

    /// Both at once.
    pub fn apply(&mut self, db: &Database) -> Result<Applied, Error> {
        let changes = self.prepare(db)?;
        self.make(changes)
    }

    /// Asks real packets, and the oracle beside them.
    pub fn ask(&self, db: &Database, questions: &[Question]) -> Result<Vec<Answer>, Error> {
        let judge = Judge::new(db);
        let probes: Vec<lab::Probe> = questions.iter().map(|question| question.probe).collect();
        let observed = lab::probe_all(&self.lab, &probes)?;
        let answers = questions.iter().zip(observed).map(|(question, observed)| Answer {
            question: *question,
            expected: judge.expect(self.lab.plan(), question),
            observed: observed.outcome,
        });
        Ok(answers.collect())
    }

    /// Leaves lab and programs as they are when this process ends.
    pub fn keep(self) {
        self.lab.keep();
    }

    /// Takes programs and lab down.
    pub fn down(self) -> Result<(), Error> {
        let Stage { lab, nodes, .. } = self;
        for node in nodes {
            lab.in_node(&node.name, || node.enforcer.remove())?;
        }
        Ok(lab.down()?)
    }
}
