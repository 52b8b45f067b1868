//! The node itself as a subject: its programs at its native devices and at the interfaces of its endpoints.
//!
//! Traffic between the node and its own endpoints crosses no native device, so the node's programs stand beside the endpoints' own, too.

use crate::change::{Applied, Change, Enforcer, Error};
use crate::numbers::View;
use crate::state::{self, ClassState};
use driver::meaning::ClassKey;
use driver::{Database, world};
use hir::peers::PeerTable;
use hir::subject;
use image::Hook;
use image::layout::config::AUDIT;
use loader::Loaded;
use loader::attach::Change as Attach;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Begins the names of the places where the node's programs are; no name of a pod does.
const PLACE: char = '@';

/// The node as it is enforced, or will be.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub state: ClassState,
    /// The interfaces at which its programs are.
    pub places: BTreeSet<u32>,
}

/// The node's part of a change.
#[derive(Clone, Debug, Default)]
pub(crate) struct HostChange {
    pub next: Option<Host>,
    pub between: Option<Arc<Loaded>>,
    pub audit: bool,
    /// The node's addresses: only what is from or for one of them is judged, and no endpoint reaches a tunnel there.
    pub own: BTreeSet<IpAddr>,
}

/// The name of a place of the node's programs.
pub(crate) fn place(ifindex: u32) -> String {
    format!("{PLACE}{ifindex}")
}

impl Enforcer {
    /// Names the node's native devices, by their numbers. Policies of nodes are enforced there and at the interfaces of endpoints.
    ///
    /// A device that is not named is not guarded; an endpoint's interface is none.
    pub fn set_devices(&mut self, devices: impl IntoIterator<Item = u32>) {
        self.devices = devices.into_iter().collect();
    }

    /// The node's part of a change; `change` has its endpoints already.
    pub(crate) fn prepare_host(
        &mut self,
        db: &Database,
        table: &PeerTable,
        view: &Arc<View>,
        change: &mut Change,
    ) -> Result<(), Error> {
        let cluster = world::cluster(db);
        change.host.audit = cluster.config.audit;
        let guarded = cluster.config.host_firewall || cluster.config.tunnel_port().is_some();
        let node = cluster.nodes.get(&self.name);
        change.host.own = node.filter(|_| guarded).map(|node| node.ips.clone()).unwrap_or_default();
        // Why only then: whoever has not asked for policies of nodes must not be locked out of one.
        let Some(node) = node.filter(|_| cluster.config.host_firewall) else { return Ok(()) };
        let key = ClassKey::new(db, subject::class_of_node(&node.name, &cluster, table));
        let live = self.host.as_ref().map(|host| host.state.clone());
        let state = self.class_state(db, key, view, live.as_ref(), None)?;
        let endpoints = change.next.values().map(|live| live.endpoint.ifindex);
        let places = self.devices.iter().copied().chain(endpoints).collect();
        change.host.next = Some(Host { state, places });
        Ok(())
    }

    /// First step: what both sides allow at the places that there are, the addresses of both, and no audit mode unless both have it.
    pub(crate) fn narrow_host(&mut self, change: &HostChange) -> Result<(), Error> {
        if !change.audit {
            self.set_audit(false);
        }
        let both: BTreeSet<IpAddr> = self.node.own()?.union(&change.own).copied().collect();
        self.node.set_own(&both)?;
        let (Some(live), Some(between)) = (&self.host, &change.between) else { return Ok(()) };
        for &ifindex in &live.places {
            for hook in Hook::HOST {
                self.node.attach(&place(ifindex), hook, ifindex, between)?;
            }
        }
        Ok(())
    }

    /// Second step: the new image at every place. Endpoints have theirs already, so that the node's come beside them.
    pub(crate) fn widen_host(&mut self, change: HostChange, applied: &mut Applied) -> Result<(), Error> {
        if let Some(next) = &change.next {
            for &ifindex in &next.places {
                for hook in Hook::HOST {
                    match self.node.attach(&place(ifindex), hook, ifindex, &next.state.loaded)? {
                        Attach::Attached => applied.attached += 1,
                        Attach::Replaced => applied.replaced += 1,
                        Attach::None => applied.unchanged += 1,
                    }
                }
            }
        }
        let wanted: BTreeSet<String> =
            change.next.iter().flat_map(|next| &next.places).map(|ifindex| place(*ifindex)).collect();
        let stale: BTreeSet<String> = self.host_places().filter(|name| !wanted.contains(name)).collect();
        for name in stale {
            self.node.detach(&name)?;
        }
        self.node.set_own(&change.own)?;
        self.set_audit(change.audit);
        self.host = change.next;
        Ok(())
    }

    /// The names of the places where programs of the node are.
    fn host_places(&self) -> impl Iterator<Item = String> {
        self.node.attached().map(|attached| attached.endpoint.to_owned()).filter(|name| name.starts_with(PLACE))
    }

    /// Whether the node is in audit mode.
    pub(crate) fn audit(&self) -> bool {
        self.node.config().flags & AUDIT != 0
    }

    /// One store: packets from now on are judged so.
    fn set_audit(&mut self, audit: bool) {
        let config = self.node.config();
        let flags = if audit { config.flags | AUDIT } else { config.flags & !AUDIT };
        if flags != config.flags {
            self.node.set_config(&image::codec::Config { flags, ..config });
        }
    }
}

/// What an earlier process left of the node's programs, with the rules that its journal tells; `None` when the kernel holds another image
/// or none.
pub(crate) fn restored(
    node: &loader::Node,
    digest: &str,
    make: impl FnOnce(Arc<Loaded>) -> Option<ClassState>,
) -> Option<Host> {
    let mut places = BTreeSet::new();
    let mut loaded = None;
    for attached in node.attached().filter(|attached| attached.endpoint.starts_with(PLACE)) {
        if attached.digest?.to_string() != digest {
            return None;
        }
        places.insert(attached.ifindex);
        loaded = node.loaded(attached.endpoint, attached.hook).cloned();
    }
    Some(Host { state: make(loaded?)?, places })
}

/// Stores the classes of a later view into an image that stays for a while.
pub(crate) fn refill(host: &Host, view: &View) {
    let diagrams = state::over_later(&host.state.diagrams, &host.state.view, view);
    state::fill(&host.state.loaded, &diagrams, view);
}

/// The class that decides for a node; for the judge of rehearsals, too. `None` where policies of nodes are not enforced.
pub fn class<'db>(db: &'db Database, node: &str) -> Option<ClassKey<'db>> {
    let cluster = world::cluster(db);
    let known = cluster.nodes.contains_key(node) && cluster.config.host_firewall;
    known.then(|| ClassKey::new(db, subject::class_of_node(node, &cluster, &world::peers(db))))
}
