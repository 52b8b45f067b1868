//! Labels with sources, and the one engine that matches selectors against them.
//!
//! Source of the model: Cilium's labels (`source:key=value`). NetworkPolicy selectors are written in it too: a namespace label `team`
//! becomes `k8s:io.cilium.k8s.namespace.labels.team` of every pod of that namespace.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// The key that holds a pod's namespace.
pub const NAMESPACE: &str = "io.kubernetes.pod.namespace";
/// What precedes the key of a namespace's label on its pods.
pub const NAMESPACE_LABELS: &str = "io.cilium.k8s.namespace.labels.";
/// The key that holds a pod's cluster.
pub const CLUSTER: &str = "io.cilium.k8s.policy.cluster";
/// The key that holds a pod's service account.
pub const SERVICE_ACCOUNT: &str = "io.cilium.k8s.policy.serviceaccount";
/// What begins every key that users cannot give to pods.
pub const RESERVED_PREFIX: &str = "io.cilium.k8s";

/// Where a label comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Kubernetes: labels of pods, and what is derived from their namespace, cluster and service account.
    K8s,
    /// Special parties: `host`, `remote-node`, `world`, `health`, `ingress`, `init`, `unmanaged`, `kube-apiserver`.
    Reserved,
    /// Addresses learned from DNS; the key is the text of the name selector.
    Fqdn,
    /// Any other word that a selector may write.
    Other(String),
}

impl Source {
    /// The source of this name.
    pub fn named(name: &str) -> Source {
        match name {
            "k8s" => Source::K8s,
            "reserved" => Source::Reserved,
            "fqdn" => Source::Fqdn,
            other => Source::Other(other.to_owned()),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Source::K8s => "k8s",
            Source::Reserved => "reserved",
            Source::Fqdn => "fqdn",
            Source::Other(name) => name,
        })
    }
}

/// One label. Ordered by key first, because a selector without source takes the first label of its key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Label {
    /// Its key.
    pub key: String,
    /// Its source.
    pub source: Source,
    /// Its value; empty for reserved labels.
    pub value: String,
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.key)?;
        if self.value.is_empty() { Ok(()) } else { write!(f, "={}", self.value) }
    }
}

/// A set of labels, at most one value for a key and source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct LabelSet {
    /// Ascending by key and source. Shared: the labels of a pod are those of its class, of its peer and of its selectors' answers.
    labels: Arc<Vec<Label>>,
}

/// As of the labels, one after the other.
impl Ord for LabelSet {
    fn cmp(&self, other: &LabelSet) -> Ordering {
        // Most of those that are equal are one set, which need not be read.
        if Arc::ptr_eq(&self.labels, &other.labels) { Ordering::Equal } else { self.labels.cmp(&other.labels) }
    }
}

impl PartialOrd for LabelSet {
    fn partial_cmp(&self, other: &LabelSet) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Of labels of one key and source the last stays.
impl FromIterator<Label> for LabelSet {
    fn from_iter<T: IntoIterator<Item = Label>>(labels: T) -> LabelSet {
        let mut labels: Vec<Label> = labels.into_iter().collect();
        labels.sort_by(|a, b| (&a.key, &a.source).cmp(&(&b.key, &b.source)));
        labels.dedup_by(|later, earlier| {
            let same = later.key == earlier.key && later.source == earlier.source;
            if same {
                std::mem::swap(later, earlier);
            }
            same
        });
        labels.shrink_to_fit();
        LabelSet { labels: Arc::new(labels) }
    }
}

impl LabelSet {
    /// Adds a label; a value of the same key and source is replaced.
    pub fn insert(&mut self, source: Source, key: impl Into<String>, value: impl Into<String>) {
        let label = Label { key: key.into(), source, value: value.into() };
        match self.find(&label.source, &label.key) {
            Ok(at) => Arc::make_mut(&mut self.labels)[at] = label,
            Err(at) => Arc::make_mut(&mut self.labels).insert(at, label),
        }
    }

    /// The set of these reserved labels.
    pub fn reserved(names: &[&str]) -> LabelSet {
        let mut set = LabelSet::default();
        for name in names {
            set.insert(Source::Reserved, *name, "");
        }
        set
    }

    /// Whether the reserved label of this name is in the set.
    pub fn has_reserved(&self, name: &str) -> bool {
        self.find(&Source::Reserved, name).is_ok()
    }

    /// The value of a key; without source, that of the first label of the key.
    ///
    /// Cost: logarithmic in the labels.
    pub fn get(&self, source: Option<&Source>, key: &str) -> Option<&str> {
        let at = match source {
            Some(source) => self.find(source, key).ok()?,
            None => self.labels.partition_point(|label| label.key.as_str() < key),
        };
        let found = self.labels.get(at)?;
        (found.key == key).then_some(found.value.as_str())
    }

    /// The labels, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = &Label> {
        self.labels.iter()
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    fn find(&self, source: &Source, key: &str) -> Result<usize, usize> {
        self.labels.binary_search_by(|label| (label.key.as_str(), &label.source).cmp(&(key, source)))
    }
}

impl fmt::Display for LabelSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, label) in self.iter().enumerate() {
            write!(f, "{}{label}", if at == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

/// A condition on labels: every requirement must hold. Without requirements it holds for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector {
    /// All must hold; sorted, without duplicates, so that equal conditions are equal values.
    requirements: Vec<Requirement>,
}

/// One condition on one key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requirement {
    /// The source that the label must have; `None` for any.
    pub source: Option<Source>,
    /// The key.
    pub key: String,
    /// What must hold of its value.
    pub operator: Operator,
}

/// What must hold of the value of a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// The key is there with one of these values.
    In(Vec<String>),
    /// The key is absent or has none of these values.
    NotIn(Vec<String>),
    /// The key is there.
    Exists,
    /// The key is absent.
    DoesNotExist,
}

impl Requirement {
    /// A requirement on a label of Kubernetes.
    pub fn k8s(key: impl Into<String>, operator: Operator) -> Requirement {
        Requirement { source: Some(Source::K8s), key: key.into(), operator }
    }

    /// The requirement that a reserved label is there.
    pub fn reserved(name: &str) -> Requirement {
        Requirement { source: Some(Source::Reserved), key: name.to_owned(), operator: Operator::Exists }
    }

    /// Whether it holds of these labels.
    pub fn matches(&self, labels: &LabelSet) -> bool {
        self.operator.holds(labels.get(self.source.as_ref(), &self.key))
    }
}

impl Operator {
    /// Whether it holds of the value of its key; `None` is a key that is absent.
    pub fn holds(&self, value: Option<&str>) -> bool {
        match self {
            Operator::In(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            Operator::NotIn(values) => value.is_none_or(|value| values.iter().all(|unwanted| unwanted != value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

impl Selector {
    /// The selector that asks all of these. Values of a requirement are sorted.
    pub fn new(requirements: impl IntoIterator<Item = Requirement>) -> Selector {
        let mut requirements: Vec<Requirement> = requirements.into_iter().collect();
        for requirement in &mut requirements {
            if let Operator::In(values) | Operator::NotIn(values) = &mut requirement.operator {
                values.sort();
                values.dedup();
            }
        }
        requirements.sort();
        requirements.dedup();
        // Policies are kept as long as their files, and most conditions are few.
        requirements.shrink_to_fit();
        Selector { requirements }
    }

    /// This selector with more requirements.
    pub fn and(&self, more: impl IntoIterator<Item = Requirement>) -> Selector {
        Selector::new(self.requirements.iter().cloned().chain(more))
    }

    /// The requirements.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether every requirement holds of these labels.
    pub fn matches(&self, labels: &LabelSet) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }

    /// Whether some requirement is on this key, with source Kubernetes or any.
    pub fn mentions(&self, key: &str) -> bool {
        self.requirements.iter().any(|r| r.key == key && matches!(r.source, None | Some(Source::K8s)))
    }
}

impl fmt::Display for Selector {
    /// `everybody`, or requirements joined by commas in the syntax of `kubectl --selector`, with sources.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.requirements.is_empty() {
            return f.write_str("everybody");
        }
        for (at, requirement) in self.requirements.iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            let key = match &requirement.source {
                Some(source) => format!("{source}:{}", requirement.key),
                None => requirement.key.clone(),
            };
            match &requirement.operator {
                Operator::In(values) if values.len() == 1 => write!(f, "{key}={}", values[0])?,
                Operator::In(values) => write!(f, "{key} in ({})", values.join(","))?,
                Operator::NotIn(values) => write!(f, "{key} notin ({})", values.join(","))?,
                Operator::Exists => write!(f, "{key}")?,
                Operator::DoesNotExist => write!(f, "!{key}")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(parts: &[(&str, &str, &str)]) -> LabelSet {
        let mut set = LabelSet::default();
        for (source, key, value) in parts {
            set.insert(Source::named(source), *key, *value);
        }
        set
    }

    fn asks(source: Option<&str>, key: &str, operator: Operator) -> Selector {
        Selector::new([Requirement { source: source.map(Source::named), key: key.to_owned(), operator }])
    }

    #[test]
    fn negative_operators_hold_when_the_key_is_absent() {
        let empty = LabelSet::default();
        assert!(asks(None, "tier", Operator::NotIn(vec!["db".into()])).matches(&empty));
        assert!(asks(None, "tier", Operator::DoesNotExist).matches(&empty));
        assert!(!asks(None, "tier", Operator::Exists).matches(&empty));
    }

    #[test]
    fn a_selector_without_source_takes_any_and_one_with_source_only_that() {
        let set = labels(&[("container", "app", "cli")]);
        let wanted = || Operator::In(vec!["cli".into()]);
        assert!(asks(None, "app", wanted()).matches(&set));
        assert!(!asks(Some("k8s"), "app", wanted()).matches(&set));
    }
}
