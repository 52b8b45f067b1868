//! Carries a namespace's plan out through netlink.
//!
//! One socket a namespace, opened inside it; requests are sent without waiting for one another where order does not matter.

use std::future::Future;
use std::net::{IpAddr, Ipv6Addr};
use std::os::fd::AsRawFd;

use flow::Family;
use futures_util::TryStreamExt;
use futures_util::future::try_join_all;
use netlink_packet_route::address::{AddressAttribute, AddressFlags, AddressHeaderFlags};
use netlink_packet_route::link::{InfoData, InfoVeth, LinkAttribute, State};
use netlink_packet_route::neighbour::NeighbourState;
use rtnetlink::{Handle, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder};

use crate::error::{Error, Result};
use crate::netns::Namespace;
use crate::topology::UPLINK;
use crate::topology::plan::{NamespacePlan, Neighbour, Route, VethPlan};

/// How long to wait for links that are up to carry packets: five seconds, on any machine far more than it takes.
const READY_TRIES: usize = 1000;
const READY_PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

/// `lo` is always the first link of a namespace.
const LOOPBACK: u32 = 1;

/// Writes the settings of the namespace that the calling thread is in.
pub(crate) fn settings(plan: &NamespacePlan) -> Result<()> {
    for (path, value) in &plan.sysctls {
        match std::fs::write(format!("/proc/sys/net/{path}"), value) {
            // Older kernels keep the rate limits of ICMP for the whole machine: then they are not ours to change.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && path.contains("icmp") => {}
            Err(source) => {
                return Err(Error::Setting { name: plan.name.clone(), path: path.clone(), source });
            }
            Ok(()) => {}
        }
    }
    Ok(())
}

/// Makes the veth pairs of the namespace that the calling thread is in. Host ends come up with it; the far ends are down.
pub(crate) fn links(plan: &NamespacePlan, namespaces: &[Namespace]) -> Result<()> {
    with_netlink(&plan.name, async |handle| {
        try_join_all(plan.veths.iter().map(|veth| pair(&handle, plan, veth, namespaces))).await.map(drop)
    })
}

/// Brings `lo` and `eth0` up, then adds addresses, neighbours and routes to the namespace that the calling thread is in.
pub(crate) fn routes(plan: &NamespacePlan) -> Result<()> {
    with_netlink(&plan.name, async |handle| {
        for ifindex in [LOOPBACK, UPLINK].into_iter().filter(|&ifindex| ifindex == LOOPBACK || has_uplink(plan)) {
            // Kernel: the far end of a pair cannot be born up, `veth_open` wants its peer first.
            let up = LinkUnspec::new_with_index(ifindex).up().build();
            said(plan, || format!("link {ifindex} up"), handle.link().set(up).execute()).await?;
        }
        try_join_all(plan.addresses.iter().map(|&(ifindex, address)| own(&handle, plan, ifindex, address))).await?;
        try_join_all(plan.neighbours.iter().map(|neighbour| know(&handle, plan, neighbour))).await?;
        // Routes that name a source need its address first.
        try_join_all(plan.routes.iter().map(|route| reach(&handle, plan, route))).await?;
        Ok(())
    })
}

/// Waits until every link of the namespace that the calling thread is in carries packets and every address accepts them.
///
/// Kernel: a link whose peer has just come up drops what it is given (`noop` queue) until `linkwatch` has run, which it does
/// on its own time, under the lock over links. An IPv6 address becomes local by the work item that would look for
/// duplicates (`addrconf_dad_work`), also where that is off.
pub(crate) fn ready(plan: &NamespacePlan) -> Result<()> {
    with_netlink(&plan.name, async |handle| {
        let mut tries = 0;
        loop {
            let what = match waiting(&handle, plan).await? {
                Some(link) => link,
                None => match not_local(plan)? {
                    Some(address) => address,
                    None => break,
                },
            };
            if tries == READY_TRIES {
                return Err(Error::NotReady { name: plan.name.clone(), what });
            }
            tries += 1;
            tokio::time::sleep(READY_PAUSE).await;
        }
        // A request that takes the lock: whoever set the last state has let go of it.
        let up = LinkUnspec::new_with_index(LOOPBACK).up().build();
        said(plan, || "link lo".to_string(), handle.link().set(up).execute()).await
    })
}

/// One link that is not up yet, if there is one.
async fn waiting(handle: &Handle, plan: &NamespacePlan) -> Result<Option<String>> {
    let mut links = handle.link().get().execute();
    let mut found = None;
    let failed = |source| Error::Netlink { name: plan.name.clone(), object: "a listing of links".to_string(), source };
    while let Some(link) = links.try_next().await.map_err(failed)? {
        let up = link.attributes.contains(&LinkAttribute::OperState(State::Up));
        // A kernel may put idle tunnels into every namespace; only ours count.
        let ours = link.header.index >= UPLINK && plan.knows(link.header.index);
        if ours && !up {
            let name = link.attributes.iter().find_map(|one| match one {
                LinkAttribute::IfName(name) => Some(name.clone()),
                _ => None,
            });
            found = found.or(name.or(Some(String::new())));
        }
    }
    Ok(found)
}

/// One IPv6 address of the plan that is not local yet, if there is one.
fn not_local(plan: &NamespacePlan) -> Result<Option<String>> {
    let path = "/proc/thread-self/net/ipv6_route";
    let failed = |source| Error::Setting { name: plan.name.clone(), path: path.to_string(), source };
    let table = std::fs::read_to_string(path).map_err(failed)?;
    let missing = plan.addresses.iter().find(|(_, address)| match address {
        IpAddr::V4(_) => false,
        IpAddr::V6(address) => !table.lines().any(|line| is_local_route(line, *address)),
    });
    Ok(missing.map(|(_, address)| address.to_string()))
}

/// Destination, length, source, length, next hop, metric, references, uses, flags, link: in hexadecimal but the last.
fn is_local_route(line: &str, address: Ipv6Addr) -> bool {
    /// `RTF_LOCAL`, linux/ipv6_route.h.
    const LOCAL: u32 = 0x8000_0000;
    let fields: Vec<&str> = line.split_whitespace().collect();
    let to = fields.first().and_then(|text| u128::from_str_radix(text, 16).ok());
    let flags = fields.get(8).and_then(|text| u32::from_str_radix(text, 16).ok());
    to == Some(address.to_bits()) && fields.get(1) == Some(&"80") && flags.is_some_and(|flags| flags & LOCAL != 0)
}

/// Only the core has none.
fn has_uplink(plan: &NamespacePlan) -> bool {
    plan.routes.iter().any(|route| route.ifindex == UPLINK)
}

fn with_netlink(name: &str, work: impl AsyncFnOnce(Handle) -> Result<()>) -> Result<()> {
    let failed = |source| Error::Socket { operation: "open netlink".to_string(), name: name.to_string(), source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let (connection, handle, _) = rtnetlink::new_connection().map_err(failed)?;
        let connection = tokio::spawn(connection);
        let done = work(handle).await;
        connection.abort();
        done
    })
}

async fn said(
    plan: &NamespacePlan,
    object: impl FnOnce() -> String,
    request: impl Future<Output = std::result::Result<(), rtnetlink::Error>>,
) -> Result<()> {
    request.await.map_err(|source| Error::Netlink { name: plan.name.clone(), object: object(), source })
}

async fn pair(handle: &Handle, plan: &NamespacePlan, veth: &VethPlan, namespaces: &[Namespace]) -> Result<()> {
    let Some(peer) = namespaces.get(veth.peer) else {
        return Err(Error::NoSuchPlace { what: format!("namespace {}", veth.peer) });
    };
    let far = LinkMessageBuilder::<LinkUnspec>::default()
        .index(UPLINK)
        .name("eth0")
        .address(veth.peer_mac.0.to_vec())
        .setns_by_fd(peer.file().as_raw_fd())
        .build();
    let near = LinkMessageBuilder::<LinkVeth>::new(&veth.name, "eth0")
        .index(veth.ifindex)
        .address(veth.mac.0.to_vec())
        .set_info_data(InfoData::Veth(InfoVeth::Peer(far)))
        .up()
        .build();
    said(plan, || format!("link {} to `{}`", veth.name, peer.name()), handle.link().add(near).execute()).await
}

async fn own(handle: &Handle, plan: &NamespacePlan, ifindex: u32, address: IpAddr) -> Result<()> {
    let family = Family::of(address);
    let mut request = handle.address().add(ifindex, address, family.bits());
    if family == Family::V6 {
        let message = request.message_mut();
        message.header.flags |= AddressHeaderFlags::Nodad;
        message.attributes.push(AddressAttribute::Flags(AddressFlags::Nodad));
    }
    said(plan, || format!("address {address}"), request.execute()).await
}

async fn know(handle: &Handle, plan: &NamespacePlan, neighbour: &Neighbour) -> Result<()> {
    let request = handle
        .neighbours()
        .add(neighbour.ifindex, neighbour.address)
        .state(NeighbourState::Permanent)
        .link_layer_address(&neighbour.mac.0);
    said(plan, || format!("neighbour {}", neighbour.address), request.execute()).await
}

async fn reach(handle: &Handle, plan: &NamespacePlan, route: &Route) -> Result<()> {
    let bad = |source| Error::Netlink {
        name: plan.name.clone(),
        object: format!("route {route:?}"),
        source: rtnetlink::Error::InvalidNla(source),
    };
    let mut builder = RouteMessageBuilder::<IpAddr>::new().output_interface(route.ifindex);
    let any: IpAddr = match route.family {
        Family::V4 => std::net::Ipv4Addr::UNSPECIFIED.into(),
        Family::V6 => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let (to, length) = route.to.map_or((any, 0), |to| (to, route.family.bits()));
    builder = builder.destination_prefix(to, length).map_err(|error| bad(error.to_string()))?;
    if let Some(via) = route.via {
        // The next hop is on no subnet of ours: the neighbour entry says where it is.
        builder = builder.gateway(via).map_err(|error| bad(error.to_string()))?.onlink();
    }
    if let Some(source) = route.source {
        builder = builder.pref_source(source).map_err(|error| bad(error.to_string()))?;
    }
    said(plan, || format!("route {route:?}"), handle.route().add(builder.build()).execute()).await
}
