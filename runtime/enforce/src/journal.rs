//! What a node enforces, kept beside its pins, so that a restart goes on where the last process stopped.
//!
//! Pinned maps and programs outlive a process; what their numbers mean does not. The journal holds that: the number of each peer, whose
//! address is whose, and the rules behind each endpoint. It lives where a reboot takes it away together with the pins.

use crate::change::{Error, Live};
use crate::host::{self, Host};
use crate::numbers::{Numbers, View};
use crate::state::ClassState;
use facts::Name;
use flow::{PeerId, PeerSet, Peers, Prefix};
use image::Hook;
use image::codec::Endpoint;
use loader::{Loaded, Node};
use rules::RuleSet;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where journals are: a file system in memory, as bpffs is.
const FOLDER: &str = "/run/tidegate";
/// The version of the form.
const VERSION: u32 = 1;

/// One journal.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Journal {
    version: u32,
    pub(crate) numbers: Numbers,
    next_endpoint: u16,
    known: BTreeSet<u32>,
    prefixes: Vec<(String, u32)>,
    endpoints: Vec<Entry>,
    /// The node itself, where it is enforced.
    #[serde(default)]
    host: Option<HostEntry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct HostEntry {
    digest: String,
    rules: [String; 2],
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    namespace: String,
    name: String,
    ifindex: u32,
    id: u16,
    address4: Option<Ipv4Addr>,
    address6: Option<Ipv6Addr>,
    mac: Option<[u8; 6]>,
    digest: String,
    rules: [String; 2],
}

/// The file of a node.
pub fn path(kernel_name: &str) -> PathBuf {
    Path::new(FOLDER).join(format!("{}.json", kernel_name.replace('/', "_")))
}

/// Forgets a node whose pins are gone.
pub fn forget(kernel_name: &str) {
    // A file that is not there is what is wanted.
    let _ = std::fs::remove_file(path(kernel_name));
}

impl Journal {
    /// What is enforced now.
    pub(crate) fn of(
        numbers: &Numbers,
        next_endpoint: u16,
        view: &View,
        live: &BTreeMap<Name, Live>,
        host: Option<&Host>,
    ) -> Journal {
        let rules = |state: &ClassState| [0, 1].map(|at| over_numbers(&state.rules[at], &state.view).to_string());
        let entry = |(pod, live): (&Name, &Live)| Entry {
            namespace: pod.namespace.clone(),
            name: pod.name.clone(),
            ifindex: live.endpoint.ifindex,
            id: live.endpoint.id,
            address4: live.endpoint.address4,
            address6: live.endpoint.address6,
            mac: live.endpoint.mac,
            digest: live.state.loaded.digest().to_string(),
            rules: rules(&live.state),
        };
        let host =
            host.map(|host| HostEntry { digest: host.state.loaded.digest().to_string(), rules: rules(&host.state) });
        Journal {
            version: VERSION,
            numbers: numbers.clone(),
            next_endpoint,
            known: (0..view.len()).filter(|number| view.knows(*number)).collect(),
            prefixes: view.prefixes.iter().map(|(prefix, number)| (prefix.to_string(), *number)).collect(),
            endpoints: live.iter().map(entry).collect(),
            host,
        }
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<(), Error> {
        let failed = |source: std::io::Error| Error::Journal { path: path.to_owned(), reason: source.to_string() };
        std::fs::create_dir_all(FOLDER).map_err(failed)?;
        let mut file = tempfile::NamedTempFile::new_in(FOLDER).map_err(failed)?;
        serde_json::to_writer(&mut file, self).map_err(|error| failed(error.into()))?;
        file.flush().map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Reads the journal of a node that has programs attached. `None` when nothing is attached: then there is nothing to go on with.
    ///
    /// Errors: programs are attached and the journal is missing or unreadable; changing anything then would be guessing.
    pub(crate) fn read(path: &Path, node: &Node) -> Result<Option<Journal>, Error> {
        if node.attached().next().is_none() {
            return Ok(None);
        }
        let failed = |reason: String| Error::Journal { path: path.to_owned(), reason };
        let text = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let journal: Journal = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
        match journal.version {
            VERSION => Ok(Some(journal)),
            other => Err(failed(format!("version {other}, this build reads {VERSION}"))),
        }
    }

    /// The number that the next endpoint gets.
    pub(crate) fn next_endpoint(&self) -> u16 {
        self.next_endpoint
    }

    fn view(&self) -> Arc<View> {
        let prefixes = self.prefixes.iter().filter_map(|(prefix, number)| Some((Prefix::parse(prefix)?, *number)));
        let next = self.known.last().map_or(0, |last| last + 1);
        Arc::new(View::restored(&self.known, next, prefixes.collect()))
    }

    /// The node itself, as far as the kernel still enforces just that.
    pub(crate) fn restore_host(&self, node: &Node) -> Option<Host> {
        let entry = self.host.as_ref()?;
        host::restored(node, &entry.digest, |loaded| state(&entry.rules, loaded, &self.view()))
    }

    /// The view and the endpoints that it tells of, as far as the kernel still enforces just them.
    pub(crate) fn restore(&self, node: &Node) -> (Arc<View>, BTreeMap<Name, Live>) {
        let view = self.view();
        let live = self.endpoints.iter().filter_map(|entry| {
            let pod = Name::new(entry.namespace.clone(), entry.name.clone());
            Some((pod.clone(), restored(entry, &pod, node, &view)?))
        });
        let live = live.collect();
        (view, live)
    }
}

/// One endpoint; `None` when the kernel enforces something else than the journal tells.
fn restored(entry: &Entry, pod: &Name, node: &Node, view: &Arc<View>) -> Option<Live> {
    let loaded = node.loaded(&pod.to_string(), Hook::ToEndpoint)?.clone();
    let same = node.loaded(&pod.to_string(), Hook::FromEndpoint)?.digest() == loaded.digest();
    if !same || loaded.digest().to_string() != entry.digest {
        return None;
    }
    let state = state(&entry.rules, loaded, view)?;
    let Entry { ifindex, id, address4, address6, mac, .. } = *entry;
    let endpoint = Endpoint { ifindex, id, address4, address6, mac };
    Some(Live { endpoint, state })
}

/// What an image means by its rules in text, over the node's numbers.
fn state(rules: &[String; 2], loaded: Arc<Loaded>, view: &Arc<View>) -> Option<ClassState> {
    let rules = [RuleSet::parse(&rules[0]).ok()?, RuleSet::parse(&rules[1]).ok()?];
    let limits = diagram::Limits::default();
    let diagrams =
        [diagram::build(&rules[0], view.len(), &limits).ok()?, diagram::build(&rules[1], view.len(), &limits).ok()?];
    Some(ClassState { diagrams: Arc::new(diagrams), rules: Arc::new(rules), view: view.clone(), loaded })
}

/// Rules of the database, over the node's numbers.
fn over_numbers(rules: &RuleSet, view: &View) -> RuleSet {
    let mut rules = rules.clone();
    let number = |peer: PeerId| view.to_node.get(peer.0 as usize).copied().map(PeerId);
    for rule in rules.tiers.iter_mut().flat_map(|tier| &mut tier.levels).flat_map(|level| &mut level.rules) {
        if let Peers::Of(peers) = &rule.peers {
            let numbered: PeerSet = peers.iter().filter_map(number).collect();
            rule.peers = Peers::Of(Arc::new(numbered));
        }
    }
    rules
}
