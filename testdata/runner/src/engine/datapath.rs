//! What the two engines that run programs share: the order in which a node is set up and asked.

use super::{Answer, Engine, NotAsked, Outcome, Place, Question, Reply, World, craft};
use flow::{Direction, Family, PeerId, Prefix};
use hir::peers::HOST;
use hir::subject::Class;
use image::codec::{Endpoint, Record};
use image::{Hook, Image};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// The interface whose hooks run: the loopback's number, since a test run in the kernel needs one that is there.
pub(super) const INTERFACE: u32 = 1;
/// Source ports of questions, above the ports that fixtures ask for; they repeat after this many, which does no harm: a packet that
/// looks like one of a connection that its own side opened is judged like the first.
const PORTS: std::ops::RangeInclusive<u16> = 40_000..=65_000;

/// Something that holds a node's maps and runs programs.
pub(super) trait Device {
    /// Makes the address tables exactly these.
    fn set_addresses(&mut self, addresses: &[(Prefix, PeerId)]) -> Result<(), String>;
    /// Makes the image of a class the one that runs; `classes` are those of all peers, ingress first.
    fn load(&mut self, class: &Class, image: &Image, classes: &[Vec<(u32, u16)>; 2]) -> Result<(), String>;
    /// Makes the addresses of the node itself exactly these.
    fn set_own(&mut self, addresses: &BTreeSet<IpAddr>) -> Result<(), String>;
    /// Forgets all connections.
    fn forget_connections(&mut self);
    /// Makes [`INTERFACE`] that of an endpoint.
    fn set_endpoint(&mut self, endpoint: &Endpoint) -> Result<(), String>;
    /// Runs a program; says whether the packet goes on, and what the program left of records.
    fn run(&mut self, hook: Hook, packet: &[u8], made_here: bool) -> Result<Ran, String>;
}

/// What a run left.
pub(super) struct Ran {
    /// Whether the packet goes on.
    pub passes: bool,
    /// The record of it.
    pub record: Option<Record>,
}

/// The engine of a device.
pub(super) struct Datapath<'w, D> {
    world: &'w World<'w>,
    device: D,
    node: Option<Option<String>>,
    loaded: Option<Class>,
    endpoints: u16,
}

impl<'w, D: Device> Datapath<'w, D> {
    pub fn new(world: &'w World<'w>, device: D) -> Datapath<'w, D> {
        Datapath { world, device, node: None, loaded: None, endpoints: 0 }
    }

    fn set_up(&mut self, place: &Place) -> Result<Arc<Image>, String> {
        let image = self.world.image(&place.class)?;
        if self.node.as_ref() != Some(&place.node) {
            self.device.set_addresses(&self.world.addresses(place.node.as_deref()))?;
            self.device.set_own(&self.world.addresses_of_node(place.node.as_deref()))?;
            self.node = Some(place.node.clone());
        }
        if self.loaded.as_ref() != Some(&place.class) {
            let diagrams = self.world.compiled(&place.class)?.diagrams;
            let numbered = |slot: usize| (0..).zip(ebpf::class_table(&diagrams[slot])).collect();
            let classes = [0, 1].map(numbered);
            self.device.load(&place.class, &image, &classes)?;
            self.loaded = Some(place.class.clone());
        }
        Ok(image)
    }

    /// A new endpoint for each direction of each round: connections are the endpoint's own, so no question meets those of another.
    ///
    /// A node has one number, so its connections are forgotten instead.
    fn enter(&mut self, place: &Place) -> Result<u16, String> {
        if place.is_host() {
            self.device.forget_connections();
            return Ok(image::layout::endpoint::NODE);
        }
        self.endpoints = self.endpoints.checked_add(1).ok_or("more endpoints than numbers")?;
        let address4 = place.address(Family::V4).and_then(|address| match address {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        });
        let address6 = place.address(Family::V6).and_then(|address| match address {
            IpAddr::V6(address) => Some(address),
            IpAddr::V4(_) => None,
        });
        let endpoint = Endpoint { ifindex: INTERFACE, id: self.endpoints, address4, address6, mac: None };
        self.device.set_endpoint(&endpoint)?;
        Ok(self.endpoints)
    }

    fn one(
        &mut self,
        place: &Place,
        question: &Question,
        port: u16,
        (endpoint, digest): (u16, [u8; 8]),
    ) -> Result<Reply, String> {
        let crafted = match craft(place, question, port) {
            Ok(crafted) => crafted,
            Err(why) => return Ok(Err(why)),
        };
        let peer = self.world.peer(place.node.as_deref(), question.peer);
        // A packet of the own node was made there; all others came by some interface.
        let made_here = match question.direction {
            Direction::Ingress => peer == HOST,
            Direction::Egress => place.is_host(),
        };
        let ran = self.device.run(crafted.hook, &crafted.bytes, made_here)?;
        let outcome = match &ran.record {
            None => return Err(format!("no record of {question:?}")),
            Some(record) if record.digest != digest => return Err(format!("a record of another image: {record:?}")),
            Some(record) if u32::from(endpoint) != record.endpoint => {
                return Err(format!("a record of another endpoint: {record:?}"));
            }
            Some(record) if (record.reason == 0) != ran.passes => {
                return Err(format!("passes: {}, and yet {record:?}", ran.passes));
            }
            Some(record) => outcome(record.reason)?,
        };
        // Only a decision by tables looks the peer up.
        let known = ran.record.filter(|record| record.leaf.is_some());
        Ok(Ok(Answer::plain(outcome, known.map(|record| PeerId(record.peer)))))
    }
}

fn outcome(reason: u8) -> Result<Outcome, String> {
    use image::DropReason;
    if reason == 0 {
        return Ok(Outcome::Allow);
    }
    Ok(match DropReason::from_number(reason).ok_or_else(|| format!("no reason {reason}"))? {
        DropReason::Policy => Outcome::Deny,
        DropReason::NoProxy => Outcome::Redirect,
        DropReason::AuthRequired => Outcome::Auth,
        other => Outcome::Other(other),
    })
}

impl<D: Device> Engine for Datapath<'_, D> {
    fn ask(&mut self, place: &Place, questions: &[Question]) -> Result<Vec<Reply>, String> {
        if place.by_service {
            // Why: the translation that makes such a packet is not ours, and without it no program sees one.
            return Ok(vec![Err(NotAsked::NoPacket); questions.len()]);
        }
        let digest = self.set_up(place)?.digest().short();
        let mut replies = vec![Err(NotAsked::NoPacket); questions.len()];
        for direction in Direction::BOTH {
            let endpoint = self.enter(place)?;
            let asked = questions.iter().enumerate().filter(|(_, question)| question.direction == direction);
            for ((at, question), port) in asked.zip(PORTS.cycle()) {
                replies[at] = self.one(place, question, port, (endpoint, digest))?;
            }
        }
        Ok(replies)
    }
}
