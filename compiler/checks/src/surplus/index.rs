//! Rules by whom they are about: which sections are surely about all subjects of another.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use flow::Direction;
use hir::labels::NAMESPACE;
use hir::{Effect, Entry, Isolation, Operator, Policy, Section, Selector, Subjects, Tier};

use crate::cover;

/// A place in [`Index::rules`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleAt(pub usize);

/// A section with whom it belongs to.
pub(crate) struct SectionOf<'p> {
    pub section: &'p Section,
    pub policy: usize,
    /// Its places in [`Index::rules`].
    rules: std::ops::Range<usize>,
}

/// One rule as its user wrote it: all entries of one element of a list.
pub(crate) struct Rule<'p> {
    pub section: usize,
    pub path: &'p str,
    pub entries: Vec<&'p Entry>,
}

/// What holds of all policies together, whichever of them are looked at.
pub(crate) struct Whole {
    /// Whether some section requires more of peers than its rules say.
    pub requires: bool,
    /// Whether some rule asks for authentication: then which rule says the same matters.
    pub authenticates: bool,
    /// Whether some rule denies ingress.
    pub denies_ingress: bool,
    /// Where in its tier each effect stands.
    pub orders: BTreeMap<(Direction, Tier, Effect), BTreeSet<u32>>,
}

impl Whole {
    fn new(policies: &[Arc<Policy>]) -> Whole {
        let sections = || policies.iter().flat_map(|policy| &policy.sections);
        let mut whole = Whole { requires: false, authenticates: false, denies_ingress: false, orders: BTreeMap::new() };
        whole.requires = sections().any(|section| !section.requires.is_empty());
        for entry in sections().flat_map(|section| &section.entries) {
            whole.authenticates |= entry.auth.is_some();
            whole.denies_ingress |= entry.direction == Direction::Ingress && entry.effect == Effect::Deny;
            whole.orders.entry((entry.direction, entry.tier, entry.effect)).or_default().insert(entry.order);
        }
        whole
    }
}

/// Rules by object and then as they stand: all, or those of some namespaces and of the whole cluster.
pub(crate) struct Index<'p> {
    /// Every policy that is in force, those that are not looked at included.
    pub all: &'p [Arc<Policy>],
    pub whole: Whole,
    /// The namespaces that are looked at; `None` for all.
    only: Option<&'p BTreeSet<String>>,
    pub policies: Vec<&'p Arc<Policy>>,
    pub sections: Vec<SectionOf<'p>>,
    pub rules: Vec<Rule<'p>>,
    /// What each policy is called.
    names: Vec<String>,
    /// Policies by namespace, ascending; the empty name is for those of the whole cluster.
    of_namespace: BTreeMap<&'p str, Vec<usize>>,
    /// Sections by namespace, and by one label that all of their subjects carry.
    buckets: BTreeMap<Bucket<'p>, Vec<usize>>,
}

/// A namespace, and the key and value of one label.
type Bucket<'p> = (&'p str, Option<(&'p str, &'p str)>);

impl<'p> Index<'p> {
    /// That of all policies, or of `only` some namespaces and the whole cluster: the rules about subjects of a namespace are there.
    pub fn new(all: &'p [Arc<Policy>], only: Option<&'p BTreeSet<String>>) -> Index<'p> {
        let is_near = |it: &&Arc<Policy>| {
            let namespace = &it.object.namespace;
            namespace.is_empty() || only.is_none_or(|only| only.contains(namespace))
        };
        let policies: Vec<&Arc<Policy>> = all.iter().filter(is_near).collect();
        let mut index = Index {
            all,
            whole: Whole::new(all),
            only,
            sections: Vec::new(),
            rules: Vec::new(),
            names: policies.iter().map(|policy| policy.object.to_string()).collect(),
            policies: policies.clone(),
            of_namespace: BTreeMap::new(),
            buckets: BTreeMap::new(),
        };
        for (at, policy) in policies.into_iter().enumerate() {
            index.of_namespace.entry(policy.object.namespace.as_str()).or_default().push(at);
            for section in &policy.sections {
                let number = index.sections.len();
                let first = index.rules.len();
                index.add_rules(section, number);
                let rules = first..index.rules.len();
                let key = (policy.object.namespace.as_str(), labels(selector(&section.subjects)).next());
                index.buckets.entry(key).or_default().push(number);
                index.sections.push(SectionOf { section, policy: at, rules });
            }
        }
        index
    }

    fn add_rules(&mut self, section: &'p Section, number: usize) {
        let mut by_path: BTreeMap<(Direction, usize, &'p str), Vec<&'p Entry>> = BTreeMap::new();
        for entry in &section.entries {
            let path = rule_path(&entry.path, &section.path);
            // Why: `[10]` comes after `[9]`.
            by_path.entry((entry.direction, path.len(), path)).or_default().push(entry);
        }
        let rules = by_path.into_iter().map(|((.., path), entries)| Rule { section: number, path, entries });
        self.rules.extend(rules);
    }

    /// Whether all rules about the subjects of a namespace are there.
    pub fn is_near(&self, namespace: &str) -> bool {
        self.only.is_none_or(|only| only.contains(namespace))
    }

    pub fn rule(&self, at: RuleAt) -> &Rule<'p> {
        &self.rules[at.0]
    }

    pub fn section_of(&self, at: RuleAt) -> &SectionOf<'p> {
        &self.sections[self.rules[at.0].section]
    }

    pub fn policy_of(&self, at: RuleAt) -> usize {
        self.section_of(at).policy
    }

    pub fn object(&self, policy: usize) -> &str {
        &self.names[policy]
    }

    pub fn path(&self, at: RuleAt) -> &'p str {
        self.rules[at.0].path
    }

    pub fn allows(&self, at: RuleAt) -> bool {
        self.rules[at.0].entries.iter().all(|entry| entry.effect == Effect::Allow)
    }

    /// The policies that may be about subjects of a namespace, ascending: its own, and those of the whole cluster.
    pub fn policies_for(&self, namespace: &str) -> impl Iterator<Item = usize> + use<> {
        let places: BTreeSet<&str> = [namespace, ""].into();
        let mut found: Vec<usize> =
            places.into_iter().filter_map(|it| self.of_namespace.get(it)).flatten().copied().collect();
        found.sort_unstable();
        found.into_iter()
    }

    /// The sections of a policy.
    pub fn sections_of(&self, policy: usize) -> impl Iterator<Item = &SectionOf<'p>> {
        let first = self.sections.partition_point(|it| it.policy < policy);
        self.sections[first..].iter().take_while(move |it| it.policy == policy)
    }

    /// The rules of a policy.
    pub fn rules_of(&self, policy: usize) -> impl Iterator<Item = RuleAt> + use<'_, 'p> {
        self.sections_of(policy).flat_map(|it| it.rules.clone()).map(RuleAt)
    }

    /// The rules of a section in one direction.
    pub fn rules_in(&self, section: usize, direction: Direction) -> impl Iterator<Item = RuleAt> + use<'_, 'p> {
        let all = self.sections[section].rules.clone().map(RuleAt);
        all.filter(move |it| self.rule(*it).entries.first().is_some_and(|entry| entry.direction == direction))
    }

    /// The sections that are about every subject of a section which `narrow` selects: of its namespace, and of the whole cluster.
    pub fn about(&self, section: &SectionOf<'p>, narrow: &Selector) -> Vec<usize> {
        let namespace = self.policies[section.policy].object.namespace.as_str();
        let places: BTreeSet<&str> = [namespace, ""].into();
        let mut keys: BTreeSet<Option<(&str, &str)>> = labels(narrow).map(Some).collect();
        keys.insert(None);
        let nodes = matches!(section.section.subjects, Subjects::Nodes(_));
        let mut found = Vec::new();
        for namespace in places {
            for key in &keys {
                let bucket = self.buckets.get(&(namespace, *key)).into_iter().flatten().copied();
                found.extend(bucket.filter(|at| {
                    let wide = &self.sections[*at].section.subjects;
                    nodes == matches!(wide, Subjects::Nodes(_)) && cover::implies(narrow, selector(wide))
                }));
            }
        }
        found.sort_unstable();
        found
    }

    /// Whether a rule can be taken out of its list and nothing else changes: a list that would be empty may say something else.
    pub fn may_go(&self, at: RuleAt, gone: &BTreeSet<RuleAt>) -> bool {
        let rule = self.rule(at);
        let section = self.section_of(at).section;
        let Some(direction) = rule.entries.first().map(|entry| entry.direction) else { return false };
        if *section.isolation(direction) == Isolation::Absent {
            return true;
        }
        let list = |path: &str| path.rfind('[').map(|end| path[..end].to_owned());
        let beside = self.rules_in(rule.section, direction).filter(|it| *it != at && !gone.contains(it));
        beside.into_iter().any(|it| list(self.path(it)) == list(rule.path))
    }
}

/// The selector of subjects, whatever they are.
pub(crate) fn selector(subjects: &Subjects) -> &Selector {
    let (Subjects::Endpoints(selector) | Subjects::Nodes(selector)) = subjects;
    selector
}

/// The labels that everything a selector selects carries, apart from that of the namespace.
fn labels(selector: &Selector) -> impl Iterator<Item = (&str, &str)> {
    selector.requirements().iter().filter_map(|it| match &it.operator {
        Operator::In(values) if it.key != NAMESPACE => match values.as_slice() {
            [value] => Some((it.key.as_str(), value.as_str())),
            _ => None,
        },
        _ => None,
    })
}

/// The element of a list that an entry comes from: `spec.ingress[0]` of `spec.ingress[0].toPorts[1]`.
fn rule_path<'e>(entry: &'e str, section: &str) -> &'e str {
    let rest = entry.get(section.len()..).unwrap_or_default();
    rest.find(']').map_or(entry, |end| &entry[..section.len() + end + 1])
}
