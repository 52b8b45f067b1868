//! What findings of our own look at beside the text: the pods that policies can select, and how much of the cluster is known.

use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use diag::Diagnostic;
use driver::{Db, shelf};
use hir::labels::{NAMESPACE, NAMESPACE_LABELS};
use hir::{Operator, Requirement, Selector};

use crate::described::{Described, described};
use crate::others::{Others, Resolver};
use crate::place::Spot;
pub(crate) use crate::population::{Candidate, Known, Population};

/// Looks for one problem in one object.
pub(crate) type Find = fn(&Spot<'_>, &Finder) -> Vec<Diagnostic>;

/// Everything beside the text.
pub(crate) struct Finder {
    population: Arc<Population>,
    pub others: Others,
    described: OnceLock<Described>,
}

impl Deref for Finder {
    type Target = Population;

    fn deref(&self) -> &Population {
        &self.population
    }
}

/// The label that every namespace has: its name.
const NAME_OF_NAMESPACE: &str = "kubernetes.io/metadata.name";

impl Finder {
    /// That of a database, kept until its cluster or its policies change.
    pub fn of(db: &dyn Db) -> Arc<Finder> {
        shelf::of_policies(db).get(|| Finder::new(db))
    }

    fn new(db: &dyn Db) -> Finder {
        let population = Population::of(db);
        let answers = dns_pods();
        let resolvers = population.pods().filter(|it| answers.matches(&it.labels) && !it.pod.host_network);
        let resolvers = resolvers.map(|it| {
            let has_namespace = population.cluster.namespaces.contains_key(&it.pod.name.namespace);
            Resolver { labels: &it.labels, has_namespace }
        });
        let others = Others::new(db, &resolvers.collect::<Vec<_>>());
        Finder { population, others, described: OnceLock::new() }
    }

    /// Whether the files tell of a namespace as a whole: then most selectors there select somebody. A folder of single manifests, or of
    /// a part of a namespace, proves nothing by the pods that it lacks.
    pub fn is_described(&self, namespace: &str) -> bool {
        let described = || self.described.get_or_init(|| described(self));
        self.complete || described().get(namespace).is_some_and(|(fitting, all)| fitting * 2 >= *all)
    }
}

/// Selects the pods that answer DNS, by the label that they have everywhere.
pub(crate) fn dns_pods() -> Selector {
    let names = ["kube-dns", "coredns"].map(str::to_owned);
    Selector::new([Requirement::k8s("k8s-app", Operator::In(names.to_vec()))])
}

/// Whether a requirement is on what the user wrote of pods, and not on their namespace.
pub(crate) fn is_of_pods(requirement: &Requirement) -> bool {
    requirement.key != NAMESPACE && !requirement.key.starts_with(NAMESPACE_LABELS)
}

pub(crate) fn is_name(requirement: &Requirement) -> bool {
    requirement.key.strip_prefix(NAMESPACE_LABELS) == Some(NAME_OF_NAMESPACE)
}
