//! What parties are called: workloads for pods, blocks for addresses.

mod made;
mod parties;
pub(crate) use parties::Parties;

use crate::blocks::Blocks;
use crate::suppose::{ANY_NODE, Supposed};
use crate::world::Party;
use facts::Name;
use flow::Prefix;
use hir::subject::Subject;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// What everybody is called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub supposed: Supposed,
    /// Of supposed pods, those of the namespace whose labels they have with more.
    wider: BTreeMap<Name, Vec<Name>>,
    /// What pods are grouped under.
    label_of: BTreeMap<Name, String>,
    /// How many real pods are grouped under a label.
    pods_of: BTreeMap<String, BTreeSet<Name>>,
    /// Every real pod, by namespace.
    real: BTreeMap<String, BTreeSet<Name>>,
    nodes: usize,
    /// Every region outside the cluster.
    pub blocks: Blocks,
    /// Who has which address.
    owners: BTreeMap<IpAddr, String>,
}

/// What blocks are called that were named before. Why: rows by the thousand are about the same ones.
pub(crate) type Spelled = BTreeMap<BTreeSet<Prefix>, Vec<String>>;

impl Names {
    /// Whether no file tells of a pod.
    pub fn is_supposed(&self, pod: &Name) -> bool {
        self.supposed.pods.contains(pod)
    }

    /// Whether no file tells of a subject.
    pub fn is_of_nobody(&self, subject: &Subject) -> bool {
        match subject {
            Subject::Pod(name) => self.is_supposed(name),
            Subject::Node(name) => self.supposed.nodes.contains(name),
            Subject::Health(_) | Subject::Ingress(_) => false,
        }
    }

    /// Whether a subject stands for many: for the pods of a workload, or for pods of which only policies tell.
    pub fn stands_for_many(&self, subject: &Subject) -> bool {
        let is_template = |name| self.supposed.templates.contains(name);
        self.is_of_nobody(subject) || matches!(subject, Subject::Pod(name) if is_template(name))
    }

    /// What an address stands for that nothing resolves.
    pub fn stands_for(&self, address: IpAddr) -> Option<&str> {
        self.supposed.outside.get(&address).map(String::as_str)
    }

    /// An address of a block that nobody has; where somebody has each of them, one with its owner.
    pub fn address_of(&self, block: Prefix) -> String {
        match self.blocks.free(block, |address| self.owners.contains_key(&address)) {
            Some(address) => address.to_string(),
            None => {
                let mut all = self.owners.range(block.addr()..=block.last());
                let own = all.find(|(address, _)| self.blocks.is_own(block, **address));
                let own = own.map(|(address, owner)| format!("{address} ({owner})"));
                own.unwrap_or_else(|| block.addr().to_string())
            }
        }
    }

    /// What a subject is called.
    pub fn subject(&self, subject: &Subject) -> String {
        match subject {
            Subject::Pod(name) => self.label_of.get(name).cloned().unwrap_or_else(|| name.to_string()),
            Subject::Node(name) => self.node(name),
            other => other.to_string(),
        }
    }

    fn node(&self, name: &str) -> String {
        match self.supposed.nodes.contains(name) {
            true if name == ANY_NODE => "other nodes".to_owned(),
            true => format!("nodes {name}"),
            false => format!("node {name}"),
        }
    }

    /// What one party is called.
    pub fn party(&self, party: &Party) -> String {
        match party {
            Party::Pod(name) if self.is_supposed(name) => supposed_name(name),
            Party::Pod(name) => match name.name.split_once('/') {
                Some((_, workload)) => format!("{}/{workload}", name.namespace),
                None => name.to_string(),
            },
            Party::Node(name) => self.node(name),
            Party::Own => "its own node".to_owned(),
            Party::Outside(prefix) => self.block(*prefix),
            Party::Special(name) => (*name).to_owned(),
        }
    }

    fn block(&self, prefix: Prefix) -> String {
        match self.stands_for(prefix.addr()) {
            Some(what) if prefix.len() == prefix.family().bits() => what.to_owned(),
            _ => prefix.to_string(),
        }
    }

    /// What some subjects are called.
    pub fn subjects(&self, subjects: &[&Subject]) -> Vec<String> {
        let mut pods = BTreeSet::new();
        let mut names = BTreeSet::new();
        for subject in subjects {
            match subject {
                Subject::Pod(name) => drop(pods.insert(name)),
                other => drop(names.insert(self.subject(other))),
            }
        }
        self.pods(&pods).into_iter().chain(names).collect()
    }

    /// Pods by their workloads, where all of a workload are there. Of those that are supposed, the ones are named whose labels no other of
    /// them has with fewer.
    fn pods(&self, pods: &BTreeSet<&Name>) -> Vec<String> {
        let mut by_label: BTreeMap<&String, Vec<&Name>> = BTreeMap::new();
        let mut names = Vec::new();
        let is_wider_there =
            |pod: &&Name| self.wider.get(*pod).is_some_and(|all| all.iter().any(|it| pods.contains(it)));
        for pod in pods.iter().copied().filter(|pod| !is_wider_there(pod)) {
            match self.label_of.get(pod) {
                Some(label) => by_label.entry(label).or_default().push(pod),
                None => names.push(pod.to_string()),
            }
        }
        for (label, members) in by_label {
            let whole = self.pods_of.get(label).is_none_or(|all| all.len() == members.len());
            match whole {
                true => names.push(label.clone()),
                false => names.extend(members.into_iter().map(Name::to_string)),
            }
        }
        names.sort();
        names
    }
}

/// `pods app=cart in shop`.
fn supposed_name(name: &Name) -> String {
    format!("{} in {}", name.name, name.namespace)
}
