//! Changing what a node enforces: prepared beside the live state, then made in two steps.

use crate::host::{self, Host, HostChange};
use crate::journal::{self, Journal, Told, Writer};
use crate::numbers::{Numbers, View};
use crate::proof::Templates;
use crate::state::{self, ClassState, Source};
use crate::subjects::Subjects;
use diagram::Diagram;
use driver::meaning::{self, ClassKey};
use driver::{Database, Db, build, world};
use facts::Name;
use hir::peers::PeerTable;
use hir::subject::Subject;
use image::codec::{Config, Endpoint};
use image::layout::config::{AUDIT, RECORD_ALLOWED, RECORD_DROPPED};
use image::layout::endpoint::NODE;
use image::{Digest, DirectionPlan, Hook, Image, Target};
use loader::attach::Change as Attach;
use loader::{Loaded, Node, Pins};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
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
    /// Another change was prepared or made after this one was prepared, whose steps were worked out for what was enforced before; or its steps
    /// were not taken in their order.
    #[error("another change was prepared or made after this one was prepared; prepare it again")]
    Outdated,
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

/// How a change is prepared.
#[derive(Clone, Copy, Default)]
pub struct How<'s> {
    /// No other node changes together with this one. What changes one direction of its endpoints alone takes one step then, since no packet
    /// meets two hooks of it.
    pub alone: bool,
    /// The image of one pod is spoilt on purpose: a rehearsal shows with it that it would notice.
    pub spoil: Option<Spoil<'s>>,
}

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
    pub(crate) view: Arc<View>,
    /// The view that was made last, and of which table.
    viewed: Option<(Arc<PeerTable>, Arc<View>)>,
    /// Whether the tables of addresses are known to hold what `view` says.
    is_addressed: bool,
    pub(crate) live: BTreeMap<Name, Live>,
    names: BTreeMap<u32, Name>,
    subjects: Subjects,
    /// The number that the next endpoint gets. Numbers go round before one comes again, so that no pod meets the connections of another.
    next_endpoint: u16,
    /// The journal, for a node whose pins outlive this process.
    journal: Option<Writer>,
    /// Images that were asked for lately, the latest last, and how many of them stay loaded.
    lately: (VecDeque<Arc<Loaded>>, usize),
    /// The number of the last change that was prepared or made, and of the one that took its first step.
    prepared: u64,
    narrowed: Option<u64>,
    /// Whether the last change was made to its end, so that what is attached is what is told.
    pub(crate) is_settled: bool,
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
    pub(crate) alone: bool,
    /// Its number among all that were prepared, or made meanwhile.
    number: u64,
    pub(crate) view: Arc<View>,
    pub(crate) next: BTreeMap<Name, Live>,
    pub(crate) between: BTreeMap<Name, Arc<Loaded>>,
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
            viewed: None,
            is_addressed: false,
            names: names(&live),
            subjects: Subjects::default(),
            live,
            next_endpoint: told.as_ref().map_or(1, Journal::next_endpoint),
            journal: journal.map(Writer::new),
            lately: (VecDeque::new(), 0),
            prepared: 0,
            narrowed: None,
            is_settled: false,
        })
    }

    /// Has the first packet of each allowed flow recorded, too. Drops always are.
    pub fn record_allowed(&mut self, wanted: bool) {
        let config = self.node.config();
        let flags = if wanted { config.flags | RECORD_ALLOWED } else { config.flags & !RECORD_ALLOWED };
        self.node.set_config(&Config { flags, ..config });
    }

    fn write_journal(&mut self) -> Result<(), Error> {
        let Enforcer { numbers, next_endpoint, view, live, host, journal, .. } = self;
        let Some(journal) = journal else { return Ok(()) };
        journal.write(&Told { numbers, next_endpoint: *next_endpoint, view, live, host: host.as_ref() })
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

    /// Compiles and loads what the database says for these endpoints, for a node that changes together with others. Nothing live is touched.
    pub fn prepare(&mut self, db: &Database, locals: &[Local]) -> Result<Change, Error> {
        self.prepare_as(db, locals, How::default())
    }

    /// [`Enforcer::prepare`], as the caller has it.
    pub fn prepare_as(&mut self, db: &Database, locals: &[Local], how: How<'_>) -> Result<Change, Error> {
        let mut change = self.prepare_next(db, locals, how.spoil)?;
        change.alone = how.alone;
        if !(how.alone && self.is_settled && self.is_of_one_direction(&change)?) {
            self.prepare_between(db, &mut change)?;
        }
        Ok(change)
    }

    /// What comes next, without the step before it.
    fn prepare_next(&mut self, db: &Database, locals: &[Local], spoil: Option<Spoil<'_>>) -> Result<Change, Error> {
        self.prepared += 1;
        let table = world::peers(db);
        let view = self.look_at(&table);
        let limit = 1u32.checked_shl(u32::from(self.node.target().peers_log2)).unwrap_or(u32::MAX);
        if view.len() > limit {
            return Err(Error::Peers { count: view.len(), limit });
        }
        let mut classes: HashMap<ClassKey<'_>, ClassState> = HashMap::new();
        let mut change = Change {
            alone: false,
            number: self.prepared,
            view: view.clone(),
            next: BTreeMap::new(),
            between: BTreeMap::new(),
            host: HostChange::default(),
        };
        self.subjects.look_at(db, &table);
        let mut kept: BTreeSet<Name> = BTreeSet::new();
        for local in locals {
            let identified = self.identify(db, local)?;
            let live = self.live.get(&local.pod);
            // Why: what is enforced for a pod that the database does not know stays while its interface is there; and clauses that
            // contradict each other decide nothing, so what decided before them stays.
            let decided = identified.filter(|(key, _)| live.is_none() || meaning::conflicts(db, *key).is_empty());
            let Some((key, endpoint)) = decided else {
                if let Some(live) = live {
                    change.next.insert(local.pod.clone(), live.clone());
                    kept.insert(local.pod.clone());
                }
                continue;
            };
            let spoil = spoil.filter(|(pod, _)| **pod == local.pod);
            let state = match classes.get(&key) {
                Some(state) if spoil.is_none() => state.clone(),
                _ => {
                    let live = live.map(|live| live.state.clone());
                    self.class_state(db, key, &view, live.as_ref(), spoil)?
                }
            };
            if spoil.is_none() {
                classes.insert(key, state.clone());
            }
            change.next.insert(local.pod.clone(), Live { endpoint, state });
        }
        // Why: one image has one table of classes, so that whoever has it means what the database says of the others that have it.
        let told = change.next.iter().filter(|(pod, _)| !kept.contains(*pod)).map(|(_, live)| &live.state);
        let told: BTreeMap<Digest, ClassState> = told.map(|it| (it.loaded.digest(), it.clone())).collect();
        for (_, live) in change.next.iter_mut().filter(|(pod, _)| kept.contains(*pod)) {
            if let Some(state) = told.get(&live.state.loaded.digest()) {
                live.state = state.clone();
            }
        }
        self.prepare_host(db, &table, &view, &mut change)?;
        Ok(change)
    }

    /// The step before a change: for every endpoint what both sides of it allow.
    fn prepare_between(&mut self, db: &Database, change: &mut Change) -> Result<(), Error> {
        let mut known: BTreeMap<(Digest, Digest), Option<Arc<Loaded>>> = BTreeMap::new();
        for (pod, next) in &change.next {
            let Some(live) = self.live.get(pod) else { continue };
            let pair = (live.state.loaded.digest(), next.state.loaded.digest());
            let step = match known.get(&pair) {
                Some(step) => step.clone(),
                None => self.between(&live.state.clone(), &next.state, made_for(db))?,
            };
            known.insert(pair, step.clone());
            change.between.extend(step.map(|step| (pod.clone(), step)));
        }
        let host = self.host.as_ref().map(|host| host.state.clone());
        if let (Some(live), Some(next)) = (host, &change.host.next) {
            change.host.between = self.between(&live, &next.state, made_for(db))?;
        }
        Ok(())
    }

    /// The peers of a table in the numbers of the node.
    fn look_at(&mut self, table: &Arc<PeerTable>) -> Arc<View> {
        if let Some((of, view)) = &self.viewed
            && Arc::ptr_eq(of, table)
        {
            return view.clone();
        }
        let view = Arc::new(self.numbers.view(table, &self.name));
        self.viewed = Some((table.clone(), view.clone()));
        view
    }

    /// The class and slot of an endpoint; `None` when nothing is enforced for it.
    fn identify<'db>(&mut self, db: &'db Database, local: &Local) -> Result<Option<(ClassKey<'db>, Endpoint)>, Error> {
        let cluster = world::cluster(db);
        let Some(pod) = cluster.pods.get(&local.pod) else { return Ok(None) };
        let Some(key) = self.subjects.key(db, pod) else { return Ok(None) };
        // A pod of a known name on another interface is another pod.
        let known = self.live.get(&local.pod).filter(|live| live.endpoint.ifindex == local.ifindex);
        let id = match known.map(|live| live.endpoint.id) {
            Some(id) => id,
            None => self.fresh_endpoint()?,
        };
        let address4 = pod.own_ips().find_map(|ip| if let IpAddr::V4(ip) = ip { Some(ip) } else { None });
        let address6 = pod.own_ips().find_map(|ip| if let IpAddr::V6(ip) = ip { Some(ip) } else { None });
        Ok(Some((key, Endpoint { ifindex: local.ifindex, id, address4, address6, mac: local.mac })))
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
        key: ClassKey<'_>,
        view: &Arc<View>,
        live: Option<&ClassState>,
        spoil: Option<Spoil<'_>>,
    ) -> Result<ClassState, Error> {
        let name = || meaning::name(key.class(db));
        let failed = |problem| Error::Build { subject: name(), problem };
        let image = build::image(db, key).map_err(failed)?;
        let told = meaning::diagrams(db, key).map_err(|problem| failed(build::Problem::Diagram(problem)))?;
        let source = Source { image, diagrams: told, settings: made_for(db).0 };
        let rules = || meaning::rule_sets(db, key);
        if spoil.is_none()
            && let Some(standing) = live.and_then(|live| live.standing(&source, view, rules))
        {
            return Ok(standing);
        }
        let Source { image, diagrams, settings } = &source;
        self.templates.prove(&name(), image, diagrams, *settings)?;
        let diagrams = [0, 1].map(|at| state::over_node(&diagrams[at], view, &self.view));
        let loaded = match spoil {
            None => self.load(image)?,
            Some((_, make)) => {
                let mut spoilt = (**image).clone();
                make(&mut spoilt);
                self.node.load(&spoilt)?
            }
        };
        // An image that is live already means the same as this one, so storing today's classes changes no verdict of it.
        state::fill(&loaded, &diagrams, view);
        // What was spoilt is not what the database gave.
        let source = spoil.is_none().then(|| source.clone());
        Ok(ClassState { diagrams: Arc::new(diagrams), rules: rules(), view: view.clone(), loaded, source })
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
        let before = state::seen_later(old, &new.view);
        let meets: [Diagram; 2] = [0, 1].map(|at| diagram::meet(&before[at], &new.diagrams[at]));
        if meets == *before {
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
        if change.number != self.prepared {
            return Err(Error::Outdated);
        }
        let one_way = change.alone && self.is_settled && self.is_one_way(change)?;
        (self.narrowed, self.is_settled) = (Some(change.number), false);
        // Numbers that are given must never be given to others, whatever happens from here on.
        self.write_journal()?;
        let next = change.next.values().map(|next| &next.state).filter(|next| Arc::ptr_eq(&next.view, &change.view));
        let mut done: BTreeSet<Digest> = next.map(|next| next.loaded.digest()).collect();
        for live in self.live.values() {
            if !done.insert(live.state.loaded.digest()) {
                continue;
            }
            // Programs of before, and those that stay though the database does not speak of them, learn the new numbers before an address
            // carries one.
            let diagrams = state::over_later(&live.state.diagrams, &live.state.view, &change.view);
            state::fill(&live.state.loaded, &diagrams, &change.view);
        }
        if let Some(host) = &self.host {
            let digest = host.state.loaded.digest();
            if change.host.next.as_ref().is_none_or(|next| next.state.loaded.digest() != digest) {
                host::refill(host, &change.view);
            }
        }
        self.readdress(&change.view)?;
        self.narrow_host(&change.host)?;
        for (pod, live) in &change.next {
            self.node.endpoint_insert(&live.endpoint)?;
            if let Some(between) = change.between.get(pod) {
                for hook in Hook::BOTH {
                    self.node.attach(&pod.to_string(), hook, live.endpoint.ifindex, between)?;
                }
            }
        }
        if one_way {
            return Ok(());
        }
        // Programs that began before the steps between were attached end before the next step, so that none of them meets it.
        loader::sys::memory::grace().map_err(Error::Grace)
    }

    /// Has addresses carry the numbers that a view gives them.
    fn readdress(&mut self, view: &Arc<View>) -> Result<(), Error> {
        if !self.is_addressed || self.view.prefixes != view.prefixes {
            self.is_addressed = false;
            self.node.assign_all(&view.prefixes)?;
        }
        (self.view, self.is_addressed) = (view.clone(), true);
        Ok(())
    }

    /// Second step: the new images at every hook; endpoints that are gone are let go.
    pub fn widen(&mut self, change: Change) -> Result<Applied, Error> {
        if self.narrowed.take() != Some(change.number) {
            return Err(Error::Outdated);
        }
        // What was prepared meanwhile was prepared for what is enforced no more.
        self.prepared += 1;
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
        // Whoever looked a number up that is given again later has ended by then.
        if self.numbers.retire(&views, || loader::sys::memory::grace().is_ok()) {
            self.viewed = None;
        }
        self.write_journal()?;
        let states = self.live.values().map(|live| &live.state).chain(self.host.iter().map(|host| &host.state));
        let images: BTreeMap<Digest, &Arc<Loaded>> = states.map(|it| (it.loaded.digest(), &it.loaded)).collect();
        images.values().try_for_each(|loaded| self.node.pin(loaded))?;
        applied.images = images.len();
        self.node.sweep()?;
        self.is_settled = true;
        Ok(applied)
    }

    /// All three steps, for one node alone.
    pub fn apply(&mut self, db: &Database, locals: &[Local]) -> Result<Applied, Error> {
        let change = self.prepare_as(db, locals, How { alone: true, spoil: None })?;
        self.narrow(&change)?;
        self.widen(change)
    }

    /// Takes everything of ours off the node.
    pub fn remove(self) -> Result<(), Error> {
        self.node.remove()?;
        if let Some(journal) = &self.journal {
            // A file that is not there is what is wanted.
            let _ = std::fs::remove_file(journal.path());
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
