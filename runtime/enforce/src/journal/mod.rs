//! What a node enforces, kept beside its pins, so that a restart goes on where the last process stopped.
//!
//! Pinned maps and programs outlive a process; what their numbers mean does not. The journal holds that: the number of each peer, whose
//! address is whose, and the rules behind each endpoint. It lives where a reboot takes it away together with the pins.
//!
//! A line of JSON for what the node has in common, and one for each endpoint: after a change most of them are as they were.

mod write;

pub(crate) use write::{Told, Writer};

use crate::change::{Error, Live};
use crate::host::{self, Host};
use crate::numbers::{Numbers, View};
use crate::state::ClassState;
use facts::Name;
use flow::Prefix;
use image::Hook;
use image::codec::Endpoint;
use loader::{Loaded, Node};
use rules::RuleSet;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where journals are: a file system in memory, as bpffs is.
const FOLDER: &str = "/run/tidegate";
/// The version of the form. The first had everything in one line.
const VERSION: u32 = 2;
const FIRST_VERSION: u32 = 1;

/// One journal. Written, its endpoints are lines of their own.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Journal {
    version: u32,
    /// How many lines follow; the first version does not say.
    #[serde(default)]
    lines: Option<usize>,
    pub(crate) numbers: Numbers,
    next_endpoint: u16,
    known: BTreeSet<u32>,
    prefixes: Vec<(String, u32)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    endpoints: Vec<Entry>,
    /// The node itself, where it is enforced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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

/// A line after the first.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Line {
    Endpoint(Entry),
    Host(HostEntry),
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
    /// Reads the journal of a node that has programs attached. `None` when nothing is attached: then there is nothing to go on with.
    ///
    /// Errors: programs are attached and the journal is missing or unreadable; changing anything then would be guessing.
    pub(crate) fn read(path: &Path, node: &Node) -> Result<Option<Journal>, Error> {
        if node.attached().next().is_none() {
            return Ok(None);
        }
        let failed = |reason: String| Error::Journal { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        Journal::parse(&text).map(Some).map_err(failed)
    }

    /// Errors: what is wrong, and in which line.
    fn parse(text: &str) -> Result<Journal, String> {
        let count = text.lines().count();
        let mut lines = (1..).zip(text.lines());
        let (_, first) = lines.next().ok_or("it is empty")?;
        let mut journal: Journal = serde_json::from_str(first).map_err(|error| format!("line 1: {error}"))?;
        if ![VERSION, FIRST_VERSION].contains(&journal.version) {
            return Err(format!("version {}, this build reads {FIRST_VERSION} and {VERSION}", journal.version));
        }
        let following = if journal.version == FIRST_VERSION { Some(0) } else { journal.lines };
        let wanted = following.ok_or("it does not say how many lines follow")? + 1;
        if count != wanted {
            return Err(format!("it has {count} lines and should have {wanted}"));
        }
        for (number, line) in lines {
            let entry: Line = serde_json::from_str(line).map_err(|error| format!("line {number}: {error}"))?;
            match entry {
                Line::Endpoint(entry) => journal.endpoints.push(entry),
                Line::Host(entry) => journal.host = Some(entry),
            }
        }
        Ok(journal)
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
    Some(ClassState { diagrams: Arc::new(diagrams), rules: Arc::new(rules), view: view.clone(), loaded, source: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#""numbers":{"by_key":{"ab":9},"next":10,"absent":{},"free":[]},"next_endpoint":3,"known":[9],"prefixes":[["10.0.0.1/32",9]]"#;
    const ENTRY: &str = r#"{"namespace":"shop","name":"web","ifindex":4,"id":2,"address4":"10.0.0.1","address6":null,"mac":null,"digest":"00","rules":["",""]}"#;

    fn told(text: &str) -> (u16, Vec<(String, u16)>) {
        let journal = Journal::parse(text).unwrap();
        let endpoints = journal.endpoints.iter().map(|it| (it.name.clone(), it.id)).collect();
        (journal.next_endpoint(), endpoints)
    }

    #[test]
    fn both_forms_are_read() {
        let first = format!(r#"{{"version":1,{HEAD},"endpoints":[{ENTRY}],"host":null}}"#);
        let second = format!("{{\"version\":2,\"lines\":1,{HEAD}}}\n{{\"endpoint\":{ENTRY}}}\n");
        assert_eq!(told(&first), (3, vec![("web".to_owned(), 2)]));
        assert_eq!(told(&second), told(&first));
    }

    #[test]
    fn a_journal_that_is_cut_or_of_another_version_says_where() {
        let head = format!("{{\"version\":2,\"lines\":1,{HEAD}}}");
        assert!(Journal::parse(&format!("{head}\n{{\"endpoint\":{{\"namesp")).unwrap_err().starts_with("line 2: "));
        assert_eq!(Journal::parse(&head).unwrap_err(), "it has 1 lines and should have 2");
        assert_eq!(Journal::parse("").unwrap_err(), "it is empty");
        let later = format!("{{\"version\":3,{HEAD}}}");
        assert_eq!(Journal::parse(&later).unwrap_err(), "version 3, this build reads 1 and 2");
    }
}
