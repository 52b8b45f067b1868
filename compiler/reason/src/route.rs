//! By which way the packets of a flow leave the cluster, where policies of egress gateways say so.

use crate::party::{self, Party};
use crate::trace::{Cause, Question};
use driver::{Db, world};
use hir::gateway::{self, GatewayPolicy, Route};
use std::net::IpAddr;

/// The way to one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// The address.
    pub to: IpAddr,
    /// One, or as many as there are gateways that the pod may be pinned to.
    pub ways: Vec<Route>,
    /// What says so.
    pub by: Vec<Cause>,
}

impl Way {
    /// Whether every way drops the packet.
    pub fn drops(&self) -> bool {
        self.ways.iter().all(|way| matches!(way, Route::NoGateway | Route::NoAddress))
    }
}

/// The way of the packets of a flow; `None` where no policy of egress gateways has a say: the source is no pod, or the destination no
/// single address, or inside the cluster, or nothing selects them.
pub fn way(db: &dyn Db, question: &Question) -> Option<Way> {
    let policies = world::gateways(db);
    let to = match &question.destination {
        Party::Address(address) => *address,
        Party::Prefix(prefix) => prefix.addr(),
        _ => return None,
    };
    if policies.is_empty() {
        return None;
    }
    let cluster = world::cluster(db);
    let pod = party::pod(&cluster, &question.source)?;
    let policies: Vec<&GatewayPolicy> = policies.iter().map(|policy| &**policy).collect();
    let routes = gateway::routes(&policies, &pod, to, &cluster, db.project().dialect(db));
    if routes.by.is_empty() {
        return None;
    }
    let cause = |origin: &hir::Origin| {
        Cause::of(db, &rules::Origin { object: origin.object.to_string(), path: origin.path.clone() })
    };
    Some(Way { to, ways: routes.ways.into_iter().collect(), by: routes.by.iter().map(cause).collect() })
}
