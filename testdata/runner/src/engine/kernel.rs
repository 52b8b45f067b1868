//! Programs in the running kernel, by `BPF_PROG_TEST_RUN`: loaded, verified, compiled to native code, attached to nothing.

use super::datapath::{self, INTERFACE, Ran};
use super::{Unavailable, World};
use flow::{PeerId, Prefix};
use hir::subject::Class;
use image::codec::{Config, Endpoint};
use image::{Hook, Image};
use loader::{Context, Error, Loaded, Node, Pins, Records};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

/// `TCX_NEXT`: the packet goes on.
const NEXT: i32 = -1;
/// `TC_ACT_SHOT`: it is dropped.
const SHOT: i32 = 2;

/// A node of this process alone: nothing is pinned, all goes when it is dropped.
pub(super) struct Device {
    node: Node,
    records: Records,
    loaded: BTreeMap<Class, Arc<Loaded>>,
    current: Option<Arc<Loaded>>,
}

impl Device {
    /// Errors: `EPERM` is no permission; all else is a failure, never a reason to skip.
    pub fn open(world: &World<'_>) -> Result<Device, Unavailable> {
        let unavailable = |error: Error| match error.errno() {
            Some(1) => Unavailable::NotPermitted,
            _ => Unavailable::Broken(error.to_string()),
        };
        let mut node = Node::open("conformance", &world.target(), Pins::None).map_err(unavailable)?;
        node.set_config(&Config::new(loader::hz().map_err(unavailable)?, 0x7469_6465));
        let records = node.records().map_err(unavailable)?;
        Ok(Device { node, records, loaded: BTreeMap::new(), current: None })
    }
}

impl datapath::Device for Device {
    fn set_addresses(&mut self, addresses: &[(Prefix, PeerId)]) -> Result<(), String> {
        let wanted: Vec<(Prefix, u32)> = addresses.iter().map(|(prefix, peer)| (*prefix, peer.0)).collect();
        self.node.assign_all(&wanted).map_err(|error| error.to_string())
    }

    fn set_own(&mut self, addresses: &BTreeSet<IpAddr>) -> Result<(), String> {
        self.node.set_own(addresses).map_err(|error| error.to_string())
    }

    fn load(&mut self, class: &Class, image: &Image, classes: &[Vec<(u32, u16)>; 2]) -> Result<(), String> {
        let loaded = match self.loaded.get(class) {
            Some(loaded) => loaded.clone(),
            None => self.node.load(image).map_err(|error| error.to_string())?,
        };
        // Why each time: images of two classes may be the same programs, and are then loaded once.
        for (hook, classes) in image.hooks().into_iter().zip(classes) {
            loaded.fill_classes(hook, classes);
        }
        self.loaded.insert(class.clone(), loaded.clone());
        self.current = Some(loaded);
        Ok(())
    }

    fn forget_connections(&mut self) {
        self.node.forget_connections();
    }

    fn set_endpoint(&mut self, endpoint: &Endpoint) -> Result<(), String> {
        self.node.endpoint_insert(endpoint).map_err(|error| error.to_string())
    }

    fn run(&mut self, hook: Hook, packet: &[u8], made_here: bool) -> Result<Ran, String> {
        let loaded = self.current.as_ref().ok_or("nothing is loaded")?;
        let ingress_ifindex = if made_here { 0 } else { INTERFACE };
        let context = Context { ifindex: INTERFACE, ingress_ifindex, ..Context::default() };
        let run = loaded.run(hook, packet, &context, 1).map_err(|error| error.to_string())?;
        let passes = match run.answer {
            NEXT => true,
            SHOT => false,
            other => return Err(format!("the program answered {other}")),
        };
        Ok(Ran { passes, record: self.records.by_ref().last() })
    }
}
