//! Programs in user space: interpreted, and in machine code.

use super::World;
use super::datapath::{self, INTERFACE, Ran};
use flow::{PeerId, Prefix};
use hir::subject::Class;
use image::address::Address4;
use image::codec::Endpoint;
use image::{Hook, Image, Target, layout};
use maps::NodeMaps;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use vm::{Context, Outcome};

/// What runs an image in user space.
pub(super) trait Machine: Sized {
    fn load(image: &Image) -> Result<Self, String>;
    fn set_class(&mut self, hook: Hook, peer: u32, class: u16);
    fn run(&mut self, maps: &mut NodeMaps, hook: Hook, packet: &[u8], context: &Context) -> Result<Outcome, String>;
}

impl Machine for vm::Machine {
    fn load(image: &Image) -> Result<Self, String> {
        vm::Machine::load(image).map_err(|error| error.to_string())
    }

    fn set_class(&mut self, hook: Hook, peer: u32, class: u16) {
        vm::Machine::set_class(self, hook, peer, class);
    }

    fn run(&mut self, maps: &mut NodeMaps, hook: Hook, packet: &[u8], context: &Context) -> Result<Outcome, String> {
        vm::Machine::run(self, maps, hook, packet, context).map_err(|fault| fault.to_string())
    }
}

impl Machine for native::Machine {
    fn load(image: &Image) -> Result<Self, String> {
        thread_local! {
            static CACHE: RefCell<native::Cache> = RefCell::default();
        }
        CACHE.with_borrow_mut(|cache| native::Machine::load_with(image, cache)).map_err(|error| error.to_string())
    }

    fn set_class(&mut self, hook: Hook, peer: u32, class: u16) {
        native::Machine::set_class(self, hook, peer, class);
    }

    fn run(&mut self, maps: &mut NodeMaps, hook: Hook, packet: &[u8], context: &Context) -> Result<Outcome, String> {
        native::Machine::run(self, maps, hook, packet, context).map_err(|fault| fault.to_string())
    }
}

/// The simulated node.
pub(super) struct Device<M> {
    target: Target,
    maps: NodeMaps,
    machines: BTreeMap<Class, M>,
    current: Option<Class>,
    prefixes6: Vec<Prefix>,
}

impl<M: Machine> Device<M> {
    pub fn new(world: &World<'_>) -> Device<M> {
        let target = world.target();
        let maps = NodeMaps::new(&target);
        Device { target, maps, machines: BTreeMap::new(), current: None, prefixes6: Vec::new() }
    }

    fn forget6(&mut self) -> Result<(), String> {
        for prefix in std::mem::take(&mut self.prefixes6) {
            if let IpAddr::V6(address) = prefix.addr() {
                let result = match prefix.len() {
                    128 => self.maps.remove_address6(address),
                    len => self.maps.remove_prefix6(address, len),
                };
                result.map_err(|error| format!("{prefix}: {error:?}"))?;
            }
        }
        Ok(())
    }
}

impl<M: Machine> datapath::Device for Device<M> {
    fn set_addresses(&mut self, addresses: &[(Prefix, PeerId)]) -> Result<(), String> {
        self.forget6()?;
        let mut four = Vec::new();
        for &(prefix, peer) in addresses {
            match prefix.addr() {
                IpAddr::V4(address) => four.push((address.to_bits(), prefix.len(), peer.0)),
                IpAddr::V6(address) => {
                    let result = match prefix.len() {
                        128 => self.maps.set_address6(address, peer.0),
                        len => self.maps.set_prefix6(address, len, peer.0),
                    };
                    result.map_err(|error| format!("{prefix}: {error:?}"))?;
                    self.prefixes6.push(prefix);
                }
            }
        }
        let table = Address4::build(&self.target, layout::peer::UNKNOWN, &four).map_err(|error| error.to_string())?;
        if self.maps.set_addresses4(&table) { Ok(()) } else { Err("the address table is too small".to_owned()) }
    }

    fn set_own(&mut self, addresses: &BTreeSet<IpAddr>) -> Result<(), String> {
        self.maps.set_own(addresses).map_err(|error| format!("own addresses: {error:?}"))
    }

    fn load(&mut self, class: &Class, image: &Image, classes: &[Vec<(u32, u16)>; 2]) -> Result<(), String> {
        if !self.machines.contains_key(class) {
            let mut machine = M::load(image)?;
            for (hook, classes) in image.hooks().into_iter().zip(classes) {
                for &(peer, class) in classes {
                    machine.set_class(hook, peer, class);
                }
            }
            self.machines.insert(class.clone(), machine);
        }
        self.current = Some(class.clone());
        Ok(())
    }

    fn forget_connections(&mut self) {
        self.maps.clear_connections();
    }

    fn set_endpoint(&mut self, endpoint: &Endpoint) -> Result<(), String> {
        self.maps.insert_endpoint(endpoint).map_err(|error| error.to_string())
    }

    fn run(&mut self, hook: Hook, packet: &[u8], made_here: bool) -> Result<Ran, String> {
        let machine =
            self.current.as_ref().and_then(|class| self.machines.get_mut(class)).ok_or("nothing is loaded")?;
        let ingress_ifindex = if made_here { 0 } else { INTERFACE };
        let context = Context { ifindex: INTERFACE, ingress_ifindex, now_jiffies: 1, ..Context::default() };
        let outcome = machine.run(&mut self.maps, hook, packet, &context)?;
        Ok(Ran { passes: outcome.passes(), record: self.maps.take_records().pop() })
    }
}
