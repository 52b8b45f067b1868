//! Changing what a node enforces: prepared beside the live state, then made in two steps.

use crate::host::{self, Host, HostChange};
use crate::journal::{self, Journal};
use crate::numbers::{Numbers, View};
use crate::proof::Templates;
use crate::state::{self, ClassState};
use diagram::Diagram;
use driver::meaning::{self, ClassKey};
use driver::{Database, Db, build, world};
use facts::Name;
use hir::peers::PeerTable;
use hir::subject::{self, Class, Subject, SubjectKind};
use image::codec::{Config, Endpoint};
use image::layout::config::{AUDIT, RECORD_ALLOWED, RECORD_DROPPED};
use image::layout::endpoint::NODE;
use image::{Digest, DirectionPlan, Hook, Image, Target};
use loader::attach::Change as Attach;
use loader::{Loaded, Node, Pins};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// Why a change was not made. Nothing live was touched by a change that was not prepared.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The kernel refused.
    #[error(transparent)]
    Loader(#[from] loader::Error),
    /// A class has no image.
    #[error("no image for {subject}: {problem}")]
    Build {
        /// The class.
        subject: String,
        /// Why.
        problem: build::Problem,
    },
    /// An image does not do what it was made for. A fault of tidegate; what was live stays.
    #[error("the image for {subject} is not proved: {reasons}")]
    Proof {
        /// The class.
        subject: String,
        /// Every reason.
        reasons: String,
    },
    /// More endpoints than a node can number.
    #[error("a node has at most 65,534 endpoints")]
    Endpoints,
    /// The kernel did not wait for running programs.
    #[error("cannot wait for programs that run: {0}")]
    Grace(std::io::Error),
    /// Programs are attached, and what their numbers mean is not known.
    #[error("`{path}` does not tell what this node enforces: {reason}; take the node's programs off and attach them anew", path = path.display())]
    Journal {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// More peers, those that are gone counted too, than the target has numbers for. A peer without number would be taken for one that no
    /// rule mentions.
    #[error("a node of this target tells at most {limit} peers apart, and there have been {count}")]
    Peers {
        /// How many numbers have been given.
        count: u32,
        /// How many there are.
        limit: u32,
    },
}

/// An endpoint of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Local {
    /// The pod.
    pub pod: Name,
    /// Its interface on the node.
    pub ifindex: u32,
    /// Its own link-layer address.
    pub mac: Option<[u8; 6]>,
}

/// A pod whose image is made wrong, and how; `false` from it when there is nothing to spoil.
pub type Spoil<'s> = (&'s Name, &'s dyn Fn(&mut Image) -> bool);

/// What a change did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Hooks that had no program before.
    pub attached: usize,
    /// Hooks whose program was replaced.
    pub replaced: usize,
    /// Hooks that stay as they were.
    pub unchanged: usize,
    /// Images that the kernel holds now.
    pub images: usize,
}

/// One node under enforcement.
#[derive(Debug)]
pub struct Enforcer {
    pub(crate) node: Node,
    pub(crate) name: String,
    pub(crate) devices: BTreeSet<u32>,
    pub(crate) host: Option<Host>,
    templates: Templates,
    numbers: Numbers,
    view: Arc<View>,
    pub(crate) live: BTreeMap<Name, Live>,
    names: BTreeMap<u32, Name>,
    /// The number that the next endpoint gets. Numbers go round before one comes again, so that no pod meets the connections of another.
    next_endpoint: u16,
    /// Where the journal is, for a node whose pins outlive this process.
    journal: Option<PathBuf>,
    /// Images that were asked for lately, the latest last, and how many of them stay loaded.
    lately: (VecDeque<Arc<Loaded>>, usize),
}

/// A live endpoint.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    pub endpoint: Endpoint,
    pub state: ClassState,
}

/// A prepared change: everything is loaded, nothing is attached.
#[derive(Debug)]
pub struct Change {
    view: Arc<View>,
    pub(crate) next: BTreeMap<Name, Live>,
    between: BTreeMap<Name, Arc<Loaded>>,
    pub(crate) host: HostChange,
}

impl Enforcer {
    /// Opens a node: its maps are made, or adopted from pins.
    ///
    /// `node` is the name in the cluster, `kernel_name` that of its folder of pins. Errors: the kernel's.
    pub fn open(node: &str, kernel_name: &str, target: &Target, pins: Pins, seed: u32) -> Result<Enforcer, Error> {
        let journal = matches!(pins, Pins::At(_)).then(|| journal::path(kernel_name));
        let mut kernel = Node::open(kernel_name, target, pins)?;
        let told = match &journal {
            Some(path) => Journal::read(path, &kernel)?,
            None => None,
        };
        // Why: connections are found by a hash that the seed is part of, so the seed of an adopted node stays.
        let held = kernel.config().seed;
        let config = Config::new(loader::hz()?, if held == 0 { seed.max(1) } else { held });
        // Audit mode stays as it was until a change says otherwise.
        let flags = RECORD_DROPPED | kernel.config().flags & AUDIT;
        kernel.set_config(&Config { flags, ..config });
        let host = told.as_ref().and_then(|told| told.restore_host(&kernel));
        let (view, live) = told.as_ref().map(|told| told.restore(&kernel)).unwrap_or_default();
        Ok(Enforcer {
            templates: Templates::of(target),
            node: kernel,
            name: node.to_owned(),
            devices: BTreeSet::new(),
            host,
            numbers: told.as_ref().map(|told| told.numbers.clone()).unwrap_or_default(),
            view,
            names: names(&live),
            live,
            next_endpoint: told.as_ref().map_or(1, Journal::next_endpoint),
            journal,
            lately: (VecDeque::new(), 0),
        })
    }

    /// Has the first packet of each allowed flow recorded, too. Drops always are.
    pub fn record_allowed(&mut self, wanted: bool) {
        let config = self.node.config();
        let flags = if wanted { config.flags | RECORD_ALLOWED } else { config.flags & !RECORD_ALLOWED };
        self.node.set_config(&Config { flags, ..config });
    }

    fn write_journal(&self) -> Result<(), Error> {
        match &self.journal {
            Some(path) => {
                Journal::of(&self.numbers, self.next_endpoint, &self.view, &self.live, self.host.as_ref()).write(path)
            }
            None => Ok(()),
        }
    }

    /// Keeps so many images loaded beside those that are live, so that going back to them asks nothing of the kernel's verifier. None,
    /// unless this is called.
    pub fn keep_loaded(&mut self, images: usize) {
        self.lately.1 = images;
    }

    fn load(&mut self, image: &Image) -> Result<Arc<Loaded>, Error> {
        let loaded = self.node.load(image)?;
        let (lately, most) = &mut self.lately;
        lately.retain(|held| held.digest() != loaded.digest());
        lately.push_back(loaded.clone());
        lately.drain(..lately.len().saturating_sub(*most));
        Ok(loaded)
    }

    /// The kernel side of the node, for reading counters, connections and records.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The kernel side of the node, for switches such as which records are written.
    pub fn node_mut(&mut self) -> &mut Node {
        &mut self.node
    }

    /// The subject of a number in records, and what is enforced for it.
    pub(crate) fn subject(&self, number: u32) -> Option<(Subject, &ClassState)> {
        if number == u32::from(NODE) {
            return Some((Subject::Node(self.name.clone()), &self.host.as_ref()?.state));
        }
        let name = self.names.get(&number)?;
        Some((Subject::Pod(name.clone()), &self.live.get(name)?.state))
    }

    /// Compiles and loads what the database says for these endpoints. Nothing live is touched.
    pub fn prepare(&mut self, db: &Database, locals: &[Local]) -> Result<Change, Error> {
        self.prepare_spoilt(db, locals, None)
    }

    /// [`Enforcer::prepare`], with the image of one pod spoilt on purpose: a rehearsal shows with it that it would notice.
    pub fn prepare_spoilt(
        &mut self,
        db: &Database,
        locals: &[Local],
        spoil: Option<Spoil<'_>>,
    ) -> Result<Change, Error> {
        let table = world::peers(db);
        let view = Arc::new(self.numbers.view(&table, &self.name));
        let limit = 1u32.checked_shl(u32::from(self.node.target().peers_log2)).unwrap_or(u32::MAX);
        if view.len() > limit {
            return Err(Error::Peers { count: view.len(), limit });
        }
        let mut classes: BTreeMap<Class, ClassState> = BTreeMap::new();
        let mut change =
            Change { view: view.clone(), next: BTreeMap::new(), between: BTreeMap::new(), host: HostChange::default() };
        let mut between: BTreeMap<(Digest, Digest), Option<Arc<Loaded>>> = BTreeMap::new();
        for local in locals {
            let Some((class, endpoint)) = self.identify(db, &table, local)? else {
                self.keep(&local.pod, &mut change);
                continue;
            };
            // Why: clauses that contradict each other decide nothing, so what decided before them stays.
            let decides = || meaning::bound(db, ClassKey::new(db, class.clone())).conflicts.is_empty();
            if self.live.contains_key(&local.pod) && !decides() {
                self.keep(&local.pod, &mut change);
                continue;
            }
            let spoil = spoil.filter(|(pod, _)| **pod == local.pod);
            let state = match classes.get(&class) {
                Some(state) if spoil.is_none() => state.clone(),
                _ => self.class_state(db, &class, &view, spoil)?,
            };
            if spoil.is_none() {
                classes.insert(class, state.clone());
            }
            if let Some(live) = self.live.get(&local.pod) {
                let pair = (live.state.loaded.digest(), state.loaded.digest());
                let step = match between.get(&pair) {
                    Some(step) => step.clone(),
                    None => self.between(&live.state.clone(), &state, made_for(db))?,
                };
                between.insert(pair, step.clone());
                change.between.extend(step.map(|step| (local.pod.clone(), step)));
            }
            change.next.insert(local.pod.clone(), Live { endpoint, state });
        }
        self.prepare_host(db, &table, &view, &mut change)?;
        Ok(change)
    }

    /// Keeps what is enforced for a pod that the database does not know any more while its interface is still there.
    fn keep(&self, pod: &Name, change: &mut Change) {
        let Some(live) = self.live.get(pod) else { return };
        let diagrams = state::over_later(&live.state.diagrams, &live.state.view, &change.view);
        state::fill(&live.state.loaded, &diagrams, &change.view);
        change.next.insert(pod.clone(), live.clone());
    }

    /// The class and slot of an endpoint; `None` when nothing is enforced for it.
    fn identify(
        &mut self,
        db: &Database,
        table: &PeerTable,
        local: &Local,
    ) -> Result<Option<(Class, Endpoint)>, Error> {
        let cluster = world::cluster(db);
        let Some(pod) = cluster.pods.get(&local.pod) else { return Ok(None) };
        let class = subject::class_of_pod(pod, &cluster, table, db.project().dialect(db));
        // A pod on the host network has no interface of its own: it is the node.
        let Some(class) = class.filter(|class| class.kind != SubjectKind::Host) else { return Ok(None) };
        // A pod of a known name on another interface is another pod.
        let known = self.live.get(&local.pod).filter(|live| live.endpoint.ifindex == local.ifindex);
        let id = match known.map(|live| live.endpoint.id) {
            Some(id) => id,
            None => self.fresh_endpoint()?,
        };
        let address4 = pod.own_ips().find_map(|ip| if let IpAddr::V4(ip) = ip { Some(ip) } else { None });
        let address6 = pod.own_ips().find_map(|ip| if let IpAddr::V6(ip) = ip { Some(ip) } else { None });
        Ok(Some((class, Endpoint { ifindex: local.ifindex, id, address4, address6, mac: local.mac })))
    }

    fn fresh_endpoint(&mut self) -> Result<u16, Error> {
        for _ in 0..u16::MAX {
            let id = self.next_endpoint.max(1);
            self.next_endpoint = id.wrapping_add(1).max(1);
            if id != NODE && !self.names.contains_key(&u32::from(id)) {
                return Ok(id);
            }
        }
        Err(Error::Endpoints)
    }

    pub(crate) fn class_state(
        &mut self,
        db: &Database,
        class: &Class,
        view: &Arc<View>,
        spoil: Option<Spoil<'_>>,
    ) -> Result<ClassState, Error> {
        let key = ClassKey::new(db, class.clone());
        let failed = |problem| Error::Build { subject: meaning::name(class), problem };
        let image = build::image(db, key).map_err(failed)?;
        let diagrams = meaning::diagrams(db, key).map_err(|problem| failed(build::Problem::Diagram(problem)))?;
        self.templates.prove(&meaning::name(class), &image, &diagrams, made_for(db).0)?;
        let diagrams = [0, 1].map(|at| state::over_node(&diagrams[at], view, &self.view));
        let loaded = match spoil {
            None => self.load(&image)?,
            Some((_, make)) => {
                let mut spoilt = (*image).clone();
                make(&mut spoilt);
                self.node.load(&spoilt)?
            }
        };
        // An image that is live already means the same as this one, so storing today's classes changes no verdict of it.
        state::fill(&loaded, &diagrams, view);
        Ok(ClassState { diagrams: Arc::new(diagrams), rules: meaning::rule_sets(db, key), view: view.clone(), loaded })
    }

    /// The image that allows what both allow; `None` when the old one says just that.
    pub(crate) fn between(
        &mut self,
        old: &ClassState,
        new: &ClassState,
        (settings, target): (ebpf::Settings, Target),
    ) -> Result<Option<Arc<Loaded>>, Error> {
        if old.loaded.digest() == new.loaded.digest() {
            return Ok(None);
        }
        let before = state::over_later(&old.diagrams, &old.view, &new.view);
        let meets: [Diagram; 2] = [0, 1].map(|at| diagram::meet(&before[at], &new.diagrams[at]));
        if meets == before {
            return Ok(None);
        }
        if meets == *new.diagrams {
            return Ok(Some(new.loaded.clone()));
        }
        let failed = |problem| Error::Build { subject: "a step between two policies".into(), problem };
        let of_host = new.loaded.hooks().any(Hook::is_host);
        let hooks = if of_host { Hook::HOST } else { Hook::BOTH };
        let compiled = ebpf::compile_under(settings, hooks, "between", [&meets[0], &meets[1]], &target);
        let mut image = compiled.map_err(|problem| failed(build::Problem::Compile(problem)))?;
        self.templates.prove("a step between two policies", &image, &meets, settings)?;
        sign(&mut image, old.loaded.digest(), new.loaded.digest());
        let loaded = self.load(&image)?;
        state::fill(&loaded, &meets, &new.view);
        Ok(Some(loaded))
    }

    /// First step: addresses as the change sees them, and at every hook what both sides allow. No flow passes that either denies.
    pub fn narrow(&mut self, change: &Change) -> Result<(), Error> {
        // Numbers that are given must never be given to others, whatever happens from here on.
        self.write_journal()?;
        let mut done: Vec<Digest> = Vec::new();
        for live in self.live.values() {
            let digest = live.state.loaded.digest();
            let fresh = change.next.values().any(|next| next.state.loaded.digest() == digest);
            if fresh || done.contains(&digest) {
                continue;
            }
            // Old programs learn the new numbers before an address carries one.
            let diagrams = state::over_later(&live.state.diagrams, &live.state.view, &change.view);
            state::fill(&live.state.loaded, &diagrams, &change.view);
            done.push(digest);
        }
        if let Some(host) = &self.host {
            let digest = host.state.loaded.digest();
            if change.host.next.as_ref().is_none_or(|next| next.state.loaded.digest() != digest) {
                host::refill(host, &change.view);
            }
        }
        self.node.assign_all(&change.view.prefixes)?;
        self.view = change.view.clone();
        self.narrow_host(&change.host)?;
        for (pod, live) in &change.next {
            self.node.endpoint_insert(&live.endpoint)?;
            if let Some(between) = change.between.get(pod) {
                for hook in Hook::BOTH {
                    self.node.attach(&pod.to_string(), hook, live.endpoint.ifindex, between)?;
                }
            }
        }
        // Programs that began before the steps between were attached end before the next step, so that none of them meets it.
        loader::sys::memory::grace().map_err(Error::Grace)
    }

    /// Second step: the new images at every hook; endpoints that are gone are let go.
    pub fn widen(&mut self, change: Change) -> Result<Applied, Error> {
        let mut applied = Applied::default();
        for (pod, live) in &change.next {
            for hook in Hook::BOTH {
                match self.node.attach(&pod.to_string(), hook, live.endpoint.ifindex, &live.state.loaded)? {
                    Attach::Attached => applied.attached += 1,
                    Attach::Replaced => applied.replaced += 1,
                    Attach::None => applied.unchanged += 1,
                }
            }
        }
        self.widen_host(change.host, &mut applied)?;
        for (pod, live) in &self.live {
            let next = change.next.get(pod);
            if next.is_none() {
                self.node.detach(&pod.to_string())?;
            }
            if next.is_none_or(|next| next.endpoint.ifindex != live.endpoint.ifindex) {
                self.node.endpoint_remove(live.endpoint.ifindex);
            }
        }
        self.names = names(&change.next);
        self.live = change.next;
        // A pod that the database forgot is enforced as it last was, in the numbers of that time.
        let kept = self.live.values().map(|live| &live.state.view).filter(|view| !Arc::ptr_eq(view, &change.view));
        let views: Vec<Arc<View>> = kept.chain([&change.view]).cloned().collect();
        self.numbers.retire(&views);
        self.write_journal()?;
        self.node.sweep()?;
        let digests: std::collections::BTreeSet<Digest> = self
            .live
            .values()
            .map(|live| &live.state)
            .chain(self.host.iter().map(|host| &host.state))
            .map(|state| state.loaded.digest())
            .collect();
        applied.images = digests.len();
        Ok(applied)
    }

    /// All three steps, for one node alone.
    pub fn apply(&mut self, db: &Database, locals: &[Local]) -> Result<Applied, Error> {
        let change = self.prepare(db, locals)?;
        self.narrow(&change)?;
        self.widen(change)
    }

    /// Takes everything of ours off the node.
    pub fn remove(self) -> Result<(), Error> {
        self.node.remove()?;
        if let Some(path) = &self.journal {
            // A file that is not there is what is wanted.
            let _ = std::fs::remove_file(path);
        }
        Ok(())
    }
}

/// Endpoints by their numbers.
fn names(live: &BTreeMap<Name, Live>) -> BTreeMap<u32, Name> {
    live.iter().map(|(pod, live)| (u32::from(live.endpoint.id), pod.clone())).collect()
}

/// Gives a step between two images a signature of its own, so that it shares tables with no other.
fn sign(image: &mut Image, old: Digest, new: Digest) {
    let words: Vec<u32> = [old, new]
        .iter()
        .flat_map(|digest| {
            digest.0.chunks_exact(4).map(|it| u32::from_le_bytes([it[0], it[1], it[2], it[3]])).collect::<Vec<_>>()
        })
        .collect();
    for plan in [&mut image.plan.ingress, &mut image.plan.egress] {
        if let DirectionPlan::Cells(plan) = plan
            && let Some(default) = plan.signatures.first_mut()
        {
            default.clone_from(&words);
        }
    }
}

/// What programs of a node are made for.
pub(crate) fn made_for(db: &Database) -> (ebpf::Settings, Target) {
    (build::settings(&world::cluster(db).config), db.project().target(db))
}
