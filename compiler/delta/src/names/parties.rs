//! What many parties are called together: few words, and each of them true.

use super::{Names, Spelled, supposed_name};
use crate::blocks::is_whole;
use crate::suppose::ANY_NODE;
use crate::world::Party;
use facts::Name;
use flow::{Family, Prefix};
use hir::subject::Subject;
use std::collections::{BTreeMap, BTreeSet};

/// Who is on the other side of a row, in order.
pub(crate) struct Parties<'w> {
    pub all: Vec<&'w Party>,
    /// Supposed ones, of whom the same holds.
    pub beside: Vec<&'w Party>,
    /// Whoever no rule names is among them.
    pub unnamed: bool,
}

impl Names {
    /// What some parties are called together. `own` are the subjects themselves, who need not be among them to be all.
    pub fn parties(&self, parties: &Parties<'_>, own: &[&Subject], named: &mut Spelled) -> Vec<String> {
        let mut pods: BTreeSet<&Name> = BTreeSet::new();
        let (mut blocks, mut nodes, mut specials) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        let mut own_node = false;
        for party in &parties.all {
            match party {
                Party::Pod(name) => drop(pods.insert(name)),
                Party::Node(name) if self.supposed.nodes.contains(name) => specials.push(self.node(name)),
                Party::Node(name) => drop(nodes.insert(name)),
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
        let missing = if all == 0 || pods.len() + own.len() < all / 2 {
            None
        } else {
            let absent = self.real.values().flatten().filter(|name| !pods.contains(*name)).filter(|name| !is_own(name));
            Some(self.pods(&absent.collect()))
        };
        let outside = match named.get(&blocks) {
            Some(known) => known.clone(),
            None => {
                let made = self.outside(&blocks);
                named.entry(blocks).or_insert(made).clone()
            }
        };
        let all_nodes = nodes.len() == self.nodes;
        let everywhere = outside == ["world"] && all_nodes;
        if let Some(anyone) = if everywhere { self.anyone(parties, own) } else { None } {
            return vec![anyone];
        }
        let listed = self.by_namespace(&pods, own);
        // Whoever is supposed is left out of all as much as whoever is there.
        let supposed = self.absent(parties, own);
        let missing = missing.map(|missing| [missing, supposed].concat());
        let few = missing.filter(|missing| missing.len() <= 3 && missing.len() < listed.len());
        let except = few.map(|few| if few.is_empty() { String::new() } else { format!(" except {}", few.join(", ")) });
        if let Some(except) = except.as_ref().filter(|_| everywhere && all > 1) {
            return vec![format!("anyone{except}")];
        }
        let mut names = outside;
        match except {
            Some(except) if listed.len() > 1 && (except.is_empty() || all > 6) => {
                names.push(format!("all pods{except}"))
            }
            _ => names.extend(listed),
        }
        let is_any_node = |party: &&Party| matches!(party, Party::Node(name) if name == ANY_NODE);
        let some_node = !nodes.is_empty() || parties.beside.iter().any(is_any_node);
        match (own_node, all_nodes && some_node) {
            (true, true) => names.push("all nodes".to_owned()),
            (false, true) if !nodes.is_empty() => names.push("other nodes".to_owned()),
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

    /// `anyone` for the world and nearly all of those who are supposed, where no file tells of any pod.
    fn anyone(&self, parties: &Parties<'_>, own: &[&Subject]) -> Option<String> {
        let absent = self.absent(parties, own);
        let is_nobody_there = absent.len() == self.supposed.pods.len();
        match absent.len() {
            _ if !self.real.is_empty() || is_nobody_there && !(absent.is_empty() && parties.unnamed) => None,
            0 => Some("anyone".to_owned()),
            1..=3 => Some(format!("anyone except {}", absent.join(", "))),
            _ => None,
        }
    }

    /// Those who are supposed and are neither among some parties nor beside them; who are the subjects are not counted.
    fn absent(&self, parties: &Parties<'_>, own: &[&Subject]) -> Vec<String> {
        let is_there = |name: &Name| {
            let party = Party::Pod(name.clone());
            [&parties.all, &parties.beside].iter().any(|some| some.binary_search(&&party).is_ok())
        };
        let is_own = |name: &Name| own.contains(&&Subject::Pod(name.clone()));
        let twins = &self.supposed.twins;
        let absent = self.supposed.pods.iter().filter(|it| !is_there(it) && !is_own(it) && !twins.contains(*it));
        absent.map(supposed_name).collect()
    }

    /// Pods, with all of one namespace as that.
    fn by_namespace(&self, pods: &BTreeSet<&Name>, own: &[&Subject]) -> Vec<String> {
        let own: BTreeSet<&Name> =
            own.iter().filter_map(|it| if let Subject::Pod(name) = it { Some(name) } else { None }).collect();
        let mut by_namespace: BTreeMap<&str, BTreeSet<&Name>> = BTreeMap::new();
        for pod in pods {
            by_namespace.entry(&pod.namespace).or_default().insert(pod);
        }
        let mut names = Vec::new();
        for (namespace, pods) in by_namespace {
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
        let found = self.blocks.joined(blocks, |hole| is_real(&hole));
        if is_whole(&found, Family::V4) && is_whole(&found, Family::V6) {
            return vec!["world".to_owned()];
        }
        let shown = |(block, holes): (&Prefix, &Vec<Prefix>)| {
            let holes: Vec<String> = holes.iter().map(Prefix::to_string).collect();
            let block = self.block(*block);
            if holes.is_empty() { block } else { format!("{block} except {}", holes.join(", ")) }
        };
        found.iter().map(shown).collect()
    }
}
