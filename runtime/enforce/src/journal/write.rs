//! Writing a journal: what did not change is put into words once, and nothing is written when nothing changed.

use super::{Entry, FOLDER, HostEntry, Journal, Line, VERSION};
use crate::change::{Error, Live};
use crate::host::Host;
use crate::numbers::{Numbering, Numbers, View};
use crate::state::ClassState;
use facts::Name;
use flow::{PeerId, PeerSet, Peers};
use image::Digest;
use image::codec::Endpoint;
use rules::RuleSet;
use std::collections::BTreeMap;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a journal is to tell.
pub(crate) struct Told<'a> {
    pub numbers: &'a Numbers,
    pub next_endpoint: u16,
    pub view: &'a Arc<View>,
    pub live: &'a BTreeMap<Name, Live>,
    pub host: Option<&'a Host>,
}

/// The journal of one node on its way into a file.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    head: Option<(Head, String)>,
    host: Option<(Rules, String)>,
    endpoints: BTreeMap<Name, ((Endpoint, Rules), String)>,
    /// The file that holds just these lines.
    written: Option<Stamp>,
}

/// What the first line follows from: how often numbers have changed, the next endpoint's, how many lines follow, the view.
type Head = (u64, u16, usize, Arc<View>);

/// Which file this is, and when it was last written to: number, seconds, nanoseconds.
type Stamp = (u64, i64, i64);

fn stamp(path: &Path) -> Option<Stamp> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.ino(), meta.mtime(), meta.mtime_nsec()))
}

/// What the rules of a line follow from.
#[derive(Clone, Debug)]
struct Rules {
    digest: Digest,
    rules: Arc<[RuleSet; 2]>,
    numbering: Arc<Numbering>,
}

impl Rules {
    fn of(state: &ClassState) -> Rules {
        let numbering = state.view.numbering.clone();
        Rules { digest: state.loaded.digest(), rules: state.rules.clone(), numbering }
    }

    fn is(&self, other: &Rules) -> bool {
        self.digest == other.digest
            && Arc::ptr_eq(&self.rules, &other.rules)
            && Arc::ptr_eq(&self.numbering, &other.numbering)
    }

    fn text(&self) -> [String; 2] {
        [0, 1].map(|at| over_numbers(&self.rules[at], &self.numbering).to_string())
    }
}

impl Writer {
    /// For the journal at a path, whatever that holds.
    pub fn new(path: PathBuf) -> Writer {
        Writer { path, head: None, host: None, endpoints: BTreeMap::new(), written: None }
    }

    /// Where the journal is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes it, whole or not at all.
    pub fn write(&mut self, told: &Told<'_>) -> Result<(), Error> {
        let said = self.say(told).and_then(|()| self.store());
        said.map_err(|source| Error::Journal { path: self.path.clone(), reason: source.to_string() })
    }

    /// Puts into words what is not yet.
    fn say(&mut self, told: &Told<'_>) -> io::Result<()> {
        let lines = told.live.len() + usize::from(told.host.is_some());
        let head = (told.numbers.changes(), told.next_endpoint, lines, told.view.clone());
        let same = |(known, _): &(Head, String)| {
            (known.0, known.1, known.2) == (head.0, head.1, head.2) && Arc::ptr_eq(&known.3, &head.3)
        };
        if !self.head.as_ref().is_some_and(same) {
            self.written = None;
            self.head = Some((head, first_line(told, lines)?));
        }
        let host = told.host.map(|host| Rules::of(&host.state));
        let same = match (&self.host, &host) {
            (Some((known, _)), Some(now)) => known.is(now),
            (known, now) => known.is_none() && now.is_none(),
        };
        if !same {
            self.written = None;
            self.host = host.map(|rules| host_line(&rules).map(|line| (rules, line))).transpose()?;
        }
        // Whoever goes is missed in the count of lines, whoever comes has a line that is not known.
        self.endpoints.retain(|pod, _| told.live.contains_key(pod));
        for (pod, live) in told.live {
            let now = (live.endpoint, Rules::of(&live.state));
            let known = self.endpoints.get(pod).is_some_and(|(known, _)| known.0 == now.0 && known.1.is(&now.1));
            if !known {
                self.written = None;
                let line = endpoint_line(pod, &now)?;
                self.endpoints.insert(pod.clone(), (now, line));
            }
        }
        Ok(())
    }

    /// Writes the lines where the file does not hold them, whatever became of it meanwhile.
    fn store(&mut self) -> io::Result<()> {
        if self.written.is_some() && self.written == stamp(&self.path) {
            return Ok(());
        }
        std::fs::create_dir_all(FOLDER)?;
        let mut file = tempfile::NamedTempFile::new_in(FOLDER)?;
        let mut out = BufWriter::new(&mut file);
        let lines = self.head.iter().map(|(_, line)| line).chain(self.host.iter().map(|(_, line)| line));
        for line in lines.chain(self.endpoints.values().map(|(_, line)| line)) {
            writeln!(out, "{line}")?;
        }
        out.flush()?;
        drop(out);
        file.persist(&self.path)?;
        self.written = stamp(&self.path);
        Ok(())
    }
}

fn first_line(told: &Told<'_>, lines: usize) -> io::Result<String> {
    let view = told.view;
    let journal = Journal {
        version: VERSION,
        lines: Some(lines),
        numbers: told.numbers.clone(),
        next_endpoint: told.next_endpoint,
        known: (0..view.len()).filter(|number| view.knows(*number)).collect(),
        prefixes: view.prefixes.iter().map(|(prefix, number)| (prefix.to_string(), *number)).collect(),
        ..Journal::default()
    };
    Ok(serde_json::to_string(&journal)?)
}

fn host_line(rules: &Rules) -> io::Result<String> {
    Ok(serde_json::to_string(&Line::Host(HostEntry { digest: rules.digest.to_string(), rules: rules.text() }))?)
}

fn endpoint_line(pod: &Name, (endpoint, rules): &(Endpoint, Rules)) -> io::Result<String> {
    let Endpoint { ifindex, id, address4, address6, mac } = *endpoint;
    let (namespace, name) = (pod.namespace.clone(), pod.name.clone());
    let (digest, rules) = (rules.digest.to_string(), rules.text());
    let entry = Entry { namespace, name, ifindex, id, address4, address6, mac, digest, rules };
    Ok(serde_json::to_string(&Line::Endpoint(entry))?)
}

/// Rules of the database, over the node's numbers.
fn over_numbers(rules: &RuleSet, numbering: &Numbering) -> RuleSet {
    let mut rules = rules.clone();
    let number = |peer: PeerId| numbering.to_node.get(peer.0 as usize).copied().map(PeerId);
    for rule in rules.tiers.iter_mut().flat_map(|tier| &mut tier.levels).flat_map(|level| &mut level.rules) {
        if let Peers::Of(peers) = &rule.peers {
            let numbered: PeerSet = peers.iter().filter_map(number).collect();
            rule.peers = Peers::Of(Arc::new(numbered));
        }
    }
    rules
}
