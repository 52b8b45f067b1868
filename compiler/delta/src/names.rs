//! What parties are called: workloads for pods, blocks for addresses.

use crate::suppose::{Supposed, carries};
use crate::world::Party;
use facts::{Cluster, Labels, Name, Pod};
use flow::{Family, Prefix};
use hir::subject::Subject;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Labels by which pods of one workload differ.
const OF_ONE_POD: [&str; 6] = [
    "pod-template-hash",
    "controller-revision-hash",
    "statefulset.kubernetes.io/pod-name",
    "apps.kubernetes.io/pod-index",
    "batch.kubernetes.io/job-completion-index",
    "pod-template-generation",
];

/// What everybody is called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub supposed: Supposed,
    /// What pods are grouped under.
    label_of: BTreeMap<Name, String>,
    /// How many real pods are grouped under a label.
    pods_of: BTreeMap<String, BTreeSet<Name>>,
    /// Every real pod, by namespace.
    real: BTreeMap<String, BTreeSet<Name>>,
    nodes: usize,
    /// Every region outside the cluster, ascending.
    blocks: Vec<Prefix>,
    /// Of each block the smallest one that holds it, and those that it is the smallest one of: indices into the blocks.
    above: Vec<Option<usize>>,
    below: Vec<Vec<usize>>,
}

/// What blocks are called that were named before. Why: rows by the thousand are about the same ones.
pub(crate) type Spelled = BTreeMap<BTreeSet<Prefix>, Vec<String>>;

/// What pods are told apart by: their namespace and their labels.
type Alike<'p> = (&'p str, Vec<(&'p String, &'p String)>);

impl Names {
    pub fn of(old: &Cluster, new: &Cluster, supposed: Supposed) -> Names {
        let mut names = Names { supposed, nodes: new.node_ips().len(), ..Names::default() };
        let workloads: BTreeMap<_, _> = old.workloads.iter().chain(&new.workloads).collect();
        let mut made_by: BTreeMap<&str, Vec<(&str, &Labels)>> = BTreeMap::new();
        for workload in workloads.values().filter(|it| !it.labels.is_empty()) {
            made_by.entry(&workload.name.namespace).or_default().push((&workload.name.name, &workload.labels));
        }
        let mut alike: BTreeMap<Alike<'_>, Vec<&Pod>> = BTreeMap::new();
        for pod in new.pods.values().filter(|pod| !pod.phase.is_over()) {
            let namespace = pod.name.namespace.as_str();
            let own = made_by.get(namespace).and_then(|made| made.iter().find(|(_, labels)| carries(pod, labels)));
            let template = pod.name.name.split_once('/').filter(|_| names.supposed.templates.contains(&pod.name));
            match (own, template) {
                (_, Some((_, name))) => drop(names.label_of.insert(pod.name.clone(), format!("{namespace}/{name}"))),
                _ if names.is_supposed(&pod.name) => {
                    names.label_of.insert(pod.name.clone(), supposed_name(&pod.name));
                }
                (Some((name, _)), _) => drop(names.label_of.insert(pod.name.clone(), format!("{namespace}/{name}"))),
                (None, None) => {
                    let labels = pod.labels.iter().filter(|(key, _)| !OF_ONE_POD.contains(&key.as_str())).collect();
                    alike.entry((namespace, labels)).or_default().push(pod);
                }
            }
        }
        for ((namespace, labels), pods) in alike {
            // Pods without labels have nothing in common but that.
            let common = common(&pods).filter(|_| !labels.is_empty() && pods.len() > 1);
            for pod in pods {
                let label = common.as_ref().map_or_else(|| pod.name.to_string(), |it| format!("{namespace}/{it}"));
                names.label_of.insert(pod.name.clone(), label);
            }
        }
        let real = names.label_of.iter().filter(|(name, _)| !names.supposed.pods.contains(*name));
        for (name, label) in real {
            names.pods_of.entry(label.clone()).or_default().insert(name.clone());
            names.real.entry(name.namespace.clone()).or_default().insert(name.clone());
        }
        names
    }

    /// Takes every region outside the cluster.
    pub fn set_blocks(&mut self, mut blocks: Vec<Prefix>) {
        // Ordered by address, then length: what a block covers follows it without a gap.
        blocks.sort_unstable();
        blocks.dedup();
        let mut around: Vec<usize> = Vec::new();
        self.above.clear();
        self.below = vec![Vec::new(); blocks.len()];
        for (at, block) in blocks.iter().enumerate() {
            while around.last().is_some_and(|it| !blocks[*it].covers(*block)) {
                around.pop();
            }
            let above = around.last().copied();
            self.above.push(above);
            above.into_iter().for_each(|it| self.below[it].push(at));
            around.push(at);
        }
        self.blocks = blocks;
    }

    /// Whether no file tells of a pod.
    pub fn is_supposed(&self, pod: &Name) -> bool {
        self.supposed.pods.contains(pod)
    }

    /// What an address stands for that nothing resolves.
    pub fn stands_for(&self, address: IpAddr) -> Option<&str> {
        self.supposed.outside.get(&address).map(String::as_str)
    }

    /// An address of a block that is of no more special one, as far as those that are plain to see tell.
    pub fn address_of(&self, prefix: Prefix) -> IpAddr {
        let plain: [&str; 4] = ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1"];
        let next = match prefix.addr() {
            IpAddr::V4(addr) => IpAddr::V4(addr.to_bits().wrapping_add(1).into()),
            IpAddr::V6(addr) => IpAddr::V6(addr.to_bits().wrapping_add(1).into()),
        };
        let candidates = plain.iter().filter_map(|it| it.parse().ok()).chain([next, prefix.addr()]);
        let is_its = |address: &IpAddr| {
            let lengths = (0..=prefix.family().bits()).rev().filter_map(|len| Prefix::new(*address, len));
            let longest = lengths.into_iter().find(|it| self.blocks.binary_search(it).is_ok());
            prefix.contains(*address) && longest == Some(prefix)
        };
        candidates.into_iter().find(is_its).unwrap_or(prefix.addr())
    }

    /// What a subject is called.
    pub fn subject(&self, subject: &Subject) -> String {
        match subject {
            Subject::Pod(name) => self.label_of.get(name).cloned().unwrap_or_else(|| name.to_string()),
            other => other.to_string(),
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
            Party::Node(name) => format!("node {name}"),
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
    pub fn subjects<'s>(&self, subjects: impl Iterator<Item = &'s Subject>) -> Vec<String> {
        let mut pods = BTreeSet::new();
        let mut names = BTreeSet::new();
        for subject in subjects {
            match subject {
                Subject::Pod(name) => drop(pods.insert(name.clone())),
                other => drop(names.insert(other.to_string())),
            }
        }
        self.pods(&pods).into_iter().chain(names).collect()
    }

    /// Pods by their workloads, where all of a workload are there.
    fn pods(&self, pods: &BTreeSet<Name>) -> Vec<String> {
        let mut by_label: BTreeMap<&String, Vec<&Name>> = BTreeMap::new();
        let mut names = Vec::new();
        for pod in pods {
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

    /// What some parties are called together. `own` are the subjects themselves, who need not be among them to be all.
    pub fn parties(&self, parties: &BTreeSet<&Party>, own: &[Subject], named: &mut Spelled) -> Vec<String> {
        let mut pods: BTreeSet<Name> = BTreeSet::new();
        let (mut blocks, mut nodes, mut specials) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        let mut own_node = false;
        for party in parties {
            match party {
                Party::Pod(name) => drop(pods.insert(name.clone())),
                Party::Node(name) => drop(nodes.insert(name.clone())),
                Party::Own => own_node = true,
                Party::Outside(prefix) => drop(blocks.insert(*prefix)),
                Party::Special(name) => specials.push((*name).to_owned()),
            }
        }
        let all: usize = self.real.values().map(BTreeSet::len).sum();
        // A pod is no peer of its own. Several are peers of each other, so each that is left out is.
        let own = if own.len() == 1 { own } else { &[] };
        let is_own = |name: &&Name| own.iter().any(|it| matches!(it, Subject::Pod(pod) if pod == *name));
        // Those that are left out are named only where they are the fewer ones.
        let missing = if pods.len() + own.len() < all / 2 {
            None
        } else {
            let absent = self.real.values().flatten().filter(|name| !pods.contains(*name)).filter(|name| !is_own(name));
            Some(self.pods(&absent.cloned().collect()))
        };
        let outside = match named.get(&blocks) {
            Some(known) => known.clone(),
            None => {
                let made = self.outside(&blocks);
                named.entry(blocks).or_insert(made).clone()
            }
        };
        let all_nodes = nodes.len() == self.nodes;
        let listed = self.by_namespace(&pods, own);
        let few = missing.filter(|missing| missing.len() <= 3 && missing.len() < listed.len());
        let except = few.map(|few| if few.is_empty() { String::new() } else { format!(" except {}", few.join(", ")) });
        if let Some(except) = except.as_ref().filter(|_| outside == ["world"] && all_nodes && all > 1) {
            return vec![format!("anyone{except}")];
        }
        let mut names = outside;
        match except {
            Some(except) if listed.len() > 1 && (except.is_empty() || all > 6) => {
                names.push(format!("all pods{except}"))
            }
            _ => names.extend(listed),
        }
        match (own_node, all_nodes && !nodes.is_empty()) {
            (true, true) => names.push("all nodes".to_owned()),
            (false, true) => names.push("other nodes".to_owned()),
            _ => {
                names.extend(nodes.into_iter().map(|node| format!("node {node}")));
                names.extend(own_node.then(|| "its own node".to_owned()));
            }
        }
        if names.is_empty() {
            names = specials;
        }
        names
    }

    /// Pods, with all of one namespace as that.
    fn by_namespace(&self, pods: &BTreeSet<Name>, own: &[Subject]) -> Vec<String> {
        let mut by_namespace: BTreeMap<&str, BTreeSet<Name>> = BTreeMap::new();
        for pod in pods {
            by_namespace.entry(&pod.namespace).or_default().insert(pod.clone());
        }
        let mut names = Vec::new();
        for (namespace, pods) in by_namespace {
            let own: BTreeSet<&Name> =
                own.iter().filter_map(|it| if let Subject::Pod(name) = it { Some(name) } else { None }).collect();
            let all = self.real.get(namespace);
            let whole =
                all.is_some_and(|all| all.len() > 1 && all.iter().all(|it| pods.contains(it) || own.contains(it)));
            let listed = self.pods(&pods);
            if whole && listed.len() > 2 { names.push(format!("namespace {namespace}")) } else { names.extend(listed) }
        }
        names
    }

    /// Blocks with their exceptions; `world` for all of them.
    fn outside(&self, blocks: &BTreeSet<Prefix>) -> Vec<String> {
        let is_real = |prefix: &Prefix| {
            let one = prefix.len() == prefix.family().bits();
            !(one && self.stands_for(prefix.addr()).is_some())
        };
        let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let is_in = |at: &usize| blocks.contains(&self.blocks[*at]);
        let root_of = |mut root: usize| {
            while let Some(above) = self.above[root].filter(is_in) {
                root = above;
            }
            root
        };
        for at in blocks.iter().filter_map(|block| self.blocks.binary_search(block).ok()) {
            let holes = self.below[at].iter().filter(|hole| !is_in(hole) && is_real(&self.blocks[**hole]));
            found.entry(root_of(at)).or_default().extend(holes);
        }
        found.values_mut().for_each(|holes| holes.sort_unstable());
        let whole = |family| {
            let root = self.blocks.binary_search(&Prefix::all(family)).ok();
            root.and_then(|root| found.get(&root)).is_some_and(Vec::is_empty)
        };
        if whole(Family::V4) && whole(Family::V6) {
            return vec!["world".to_owned()];
        }
        let shown = |(at, holes): (&usize, &Vec<usize>)| {
            let holes: Vec<String> = holes.iter().map(|hole| self.blocks[*hole].to_string()).collect();
            let block = self.block(self.blocks[*at]);
            if holes.is_empty() { block } else { format!("{block} except {}", holes.join(", ")) }
        };
        found.iter().map(shown).collect()
    }
}

/// `pods app=cart in shop`.
fn supposed_name(name: &Name) -> String {
    format!("{} in {}", name.name, name.namespace)
}

/// What the names of pods begin with, without what tells them apart.
fn common(pods: &[&Pod]) -> Option<String> {
    let first = pods.first()?.name.name.as_str();
    let length =
        pods.iter().map(|pod| first.bytes().zip(pod.name.name.bytes()).take_while(|(a, b)| a == b).count()).min()?;
    let common = first.get(..length)?;
    let whole = pods.iter().any(|pod| pod.name.name.len() == length);
    let cut = if whole { common } else { common.rfind('-').map_or("", |at| &common[..at]) };
    (!cut.is_empty()).then(|| cut.trim_end_matches('-').to_owned())
}
