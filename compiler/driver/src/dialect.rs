//! Which reading of the language a run uses: the one that was asked for, or the one that fits the cluster.

use crate::{Database, Db, world};
use facts::{Cluster, Enforcer};
use hir::Dialect;

/// What was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Whatever fits the cluster.
    #[default]
    Auto,
    /// This one.
    Named(&'static Dialect),
}

/// A settled reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The reading.
    pub dialect: &'static Dialect,
    /// Why this one.
    pub because: Because,
}

/// Why a reading was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// Its name was given.
    Asked,
    /// Nothing in the facts says who enforces.
    NobodyEnforces,
    /// The facts show who enforces.
    Enforces(Enforcer),
}

/// The reading that fits a cluster: where Cilium enforces, that of its version as far as the facts tell it and the newest otherwise; else
/// the standard one.
///
/// Depends on the facts alone, so it is the same for the same files in any order.
pub fn of_cluster(cluster: &Cluster) -> Choice {
    let Some(enforcer) = cluster.enforcer() else {
        return Choice { dialect: &Dialect::STANDARD, because: Because::NobodyEnforces };
    };
    let dialect = match &enforcer {
        Enforcer::Cilium if cluster.cilium_version().is_some_and(|version| version < (1, 20)) => &Dialect::CILIUM_1_19,
        Enforcer::Cilium => &Dialect::CILIUM_1_20,
        Enforcer::Calico | Enforcer::Antrea | Enforcer::Other(_) => &Dialect::STANDARD,
    };
    Choice { dialect, because: Because::Enforces(enforcer) }
}

impl Database {
    /// Settles the reading once the files are set.
    ///
    /// What facts say depends on no reading, so one look at them is enough. Cost: where the reading is not the one that the files were
    /// decoded under, policies are decoded again.
    pub fn settle_dialect(&mut self, wish: Wish) -> Choice {
        let choice = match wish {
            Wish::Named(dialect) => Choice { dialect, because: Because::Asked },
            Wish::Auto => of_cluster(&world::cluster(self)),
        };
        self.set_dialect(choice.dialect);
        choice
    }

    /// The reading in use.
    pub fn dialect(&self) -> &'static Dialect {
        self.project().dialect(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AGENT: &str =
        "apiVersion: v1\nkind: Pod\nmetadata: {name: c, namespace: kube-system, labels: {k8s-app: NAME}}\n";

    fn settled(wish: Wish, app: &str) -> Choice {
        let mut db = Database::new();
        db.set_file("agent.yaml", &AGENT.replace("NAME", app));
        let choice = db.settle_dialect(wish);
        assert_eq!(db.dialect(), choice.dialect);
        choice
    }

    #[test]
    fn where_cilium_enforces_its_reading_is_taken() {
        let choice = settled(Wish::Auto, "cilium");
        assert_eq!(choice, Choice { dialect: &Dialect::CILIUM_1_20, because: Because::Enforces(Enforcer::Cilium) });
    }

    #[test]
    fn elsewhere_the_standard_one() {
        assert_eq!(settled(Wish::Auto, "web").because, Because::NobodyEnforces);
        let calico = settled(Wish::Auto, "calico-node");
        assert_eq!((calico.dialect.name, calico.because), ("standard", Because::Enforces(Enforcer::Calico)));
    }

    #[test]
    fn the_version_of_the_agent_chooses_among_the_readings_of_cilium() {
        const SET: &str = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: cilium, namespace: kube-system}\nspec: {template: \
            {metadata: {labels: {k8s-app: cilium}}, spec: {containers: [{image: 'quay.io/cilium/cilium:TAG'}]}}}\n";
        for (tag, wanted) in [("v1.19.2", "cilium-1.19"), ("v1.20.0", "cilium-1.20"), ("latest", "cilium-1.20")] {
            let mut db = Database::new();
            db.set_file("agent.yaml", &SET.replace("TAG", tag));
            assert_eq!(db.settle_dialect(Wish::Auto).dialect.name, wanted, "{tag}");
        }
    }

    #[test]
    fn a_name_wins_over_the_facts() {
        let choice = settled(Wish::Named(&Dialect::STANDARD), "cilium");
        assert_eq!(choice, Choice { dialect: &Dialect::STANDARD, because: Because::Asked });
    }
}
