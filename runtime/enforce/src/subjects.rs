//! Which class each endpoint of the node belongs to, found once as long as the cluster stays as it is.

use driver::meaning::ClassKey;
use driver::{Database, Db, world};
use facts::{Cluster, Name, Pod};
use hir::Dialect;
use hir::peers::PeerTable;
use hir::subject::{self, Class, SubjectKind};
use std::collections::HashMap;
use std::sync::Arc;

/// What classes follow from, and those that were found from it.
#[derive(Debug, Default)]
pub(crate) struct Subjects {
    from: Option<(Arc<Cluster>, Arc<PeerTable>, Dialect)>,
    classes: HashMap<Name, Option<Class>>,
}

impl Subjects {
    /// Looks at what a database says of the cluster; forgets what was found when it is something else than before.
    pub fn look_at(&mut self, db: &Database, table: &Arc<PeerTable>) {
        let (cluster, dialect) = (world::cluster(db), db.project().dialect(db));
        let same = |(known, of, by): &(Arc<Cluster>, Arc<PeerTable>, Dialect)| {
            Arc::ptr_eq(known, &cluster) && Arc::ptr_eq(of, table) && by == dialect
        };
        if !self.from.as_ref().is_some_and(same) {
            self.classes.clear();
            self.from = Some((cluster, table.clone(), dialect.clone()));
        }
    }

    /// The class of a pod of the cluster that was looked at. `None` when nothing is enforced for it: a pod on the host network has no interface
    /// of its own, it is the node.
    pub fn key<'db>(&mut self, db: &'db Database, pod: &Pod) -> Option<ClassKey<'db>> {
        let (cluster, table, dialect) = self.from.as_ref()?;
        let class = self.classes.entry(pod.name.clone()).or_insert_with(|| {
            let class = subject::class_of_pod(pod, cluster, table, dialect);
            class.filter(|class| class.kind != SubjectKind::Host)
        });
        class.clone().map(|class| ClassKey::new(db, class))
    }
}
