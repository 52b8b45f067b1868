//! Two images side by side in a small world: the same packets through both, and the first thing that tells them apart.

use crate::{Context, LoadError, Machine};
use image::address::Address4;
use image::codec::{Config, Endpoint};
use image::{Fill, Hook, Image, layout};
use maps::NodeMaps;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses of the endpoint, and of the node where that is the subject.
pub const OWN: [IpAddr; 2] =
    [IpAddr::V4(Ipv4Addr::new(10, 0, 1, 4)), IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 1, 0, 0, 0, 4))];
/// The link-layer address of the endpoint.
pub const MAC: [u8; 6] = [2, 0, 0, 0, 0, 1];
/// Whom the node knows: peer 5 of class 1, peer 6 of class 2.
pub const PEERS: [[IpAddr; 2]; 2] = [
    [IpAddr::V4(Ipv4Addr::new(10, 0, 2, 5)), IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 2, 0, 0, 0, 5))],
    [IpAddr::V4(Ipv4Addr::new(10, 0, 2, 6)), IpAddr::V6(Ipv6Addr::new(0xfd00, 0, 0, 2, 0, 0, 0, 6))],
];
const FIRST_PEER: u32 = 5;
const IFINDEX: u32 = 1;
/// Ticks a second.
const TICKS: u32 = 250;

/// Two machines, each with maps of its own.
pub struct Pair {
    sides: [(Machine, NodeMaps); 2],
    context: Context,
    packets: u64,
}

impl Pair {
    /// Loads two images into two equal worlds; in audit mode or not.
    ///
    /// Errors: an image that the machine does not take.
    pub fn load(images: [&Image; 2], audit: bool) -> Result<Pair, LoadError> {
        let one = |image: &Image| {
            let mut machine = Machine::load(image)?;
            for (hook, class) in image.programs.iter().flat_map(|it| [1, 2].map(|class| (it.hook, class))) {
                machine.set_class(hook, FIRST_PEER + u32::from(class) - 1, class);
            }
            // The digests of two images differ, and records name them.
            let digests = image.tables.iter().enumerate().filter(|(_, table)| table.fill == Fill::Digest);
            for (at, _) in digests {
                if let Some(map) = machine.tables_mut().get_mut(at) {
                    map.memory_mut().value_mut(0).fill(0);
                }
            }
            Ok((machine, world(image, audit)))
        };
        let context = Context { ifindex: IFINDEX, now_jiffies: 1 << 20, ..Context::default() };
        Ok(Pair { sides: [one(images[0])?, one(images[1])?], context, packets: 0 })
    }

    /// What tells the two apart at a packet, in words: what becomes of it, what is counted, what is recorded. `None` for nothing.
    ///
    /// Time goes on from packet to packet, and at times so far that connections end; some packets are segmented, not linear, tagged, or came
    /// in by an interface.
    pub fn differs(&mut self, hook: Hook, packet: &[u8]) -> Option<String> {
        let is_each = |every: u64| self.packets % every == every - 1;
        self.context.now_jiffies += u64::from(TICKS) * if is_each(97) { 61 } else { 0 } + self.packets % 40;
        let context = Context {
            ingress_ifindex: [0, IFINDEX, 0, 9][(self.packets / 3 % 4) as usize],
            gso_segs: if is_each(13) { 3 } else { 0 },
            linear: is_each(7).then(|| packet.len().min(14 + (self.packets % 60) as usize)),
            vlan_tci: is_each(29).then_some((self.packets % 2) as u16),
            ifindex: if is_each(101) { 9 } else { IFINDEX },
            ..self.context.clone()
        };
        self.packets += 1;
        let [one, other] = self.sides.each_mut().map(|(machine, maps)| {
            let action = machine.run(maps, hook, packet, &context).map(|it| it.action);
            (action, maps.counters(), maps.take_records())
        });
        (one != other).then(|| format!("{hook:?}, {packet:02x?} in {context:?}: {one:?} and {other:?}"))
    }

    /// What tells apart what they left: connections, in whichever entries, and the images' own tables. `None` for nothing.
    pub fn left_otherwise(&self) -> Option<String> {
        let [one, other] = self.sides.each_ref().map(|(machine, maps)| {
            let mut connections: Vec<String> = maps.connections().iter().map(|it| format!("{it:?}")).collect();
            connections.sort();
            (connections, machine.tables())
        });
        if one.1 != other.1 {
            return Some("the images' own tables are filled otherwise".into());
        }
        let differs = |(one, other): &(&String, &String)| one != other;
        match one.0.iter().zip(&other.0).find(differs) {
            Some((one, other)) => Some(format!("{one} and {other}")),
            None => {
                (one.0.len() != other.0.len()).then(|| format!("{} and {} connections", one.0.len(), other.0.len()))
            }
        }
    }
}

/// Maps of a node with one endpoint and two peers.
fn world(image: &Image, audit: bool) -> NodeMaps {
    let mut maps = NodeMaps::new(&image.target);
    let [IpAddr::V4(own4), IpAddr::V6(own6)] = OWN else { return maps };
    let mut config = Config::new(TICKS, 0x5eed);
    config.flags = layout::config::RECORD_DROPPED | layout::config::RECORD_ALLOWED;
    config.flags |= if audit { layout::config::AUDIT } else { 0 };
    maps.set_config(&config);
    let endpoint = Endpoint { ifindex: IFINDEX, id: 77, address4: Some(own4), address6: Some(own6), mac: Some(MAC) };
    let mut addresses = vec![(0, 0, layout::peer::WORLD4)];
    // None of these fails: targets have room for a handful of each.
    let _ = maps.insert_endpoint(&endpoint);
    let _ = maps.set_own(&OWN.into());
    for (peer, pair) in (FIRST_PEER..).zip(PEERS) {
        for address in pair {
            match address {
                IpAddr::V4(address) => addresses.push((address.to_bits(), 32, peer)),
                IpAddr::V6(address) if peer == FIRST_PEER => drop(maps.set_address6(address, peer)),
                IpAddr::V6(address) => drop(maps.set_prefix6(address, 64, peer)),
            }
        }
    }
    if let Ok(table) = Address4::build(&image.target, layout::peer::WORLD4, &addresses) {
        maps.set_addresses4(&table);
    }
    maps
}
