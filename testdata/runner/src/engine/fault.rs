//! Engines with a seeded fault, to see that whoever judges engines notices.

use super::datapath::{Datapath, Device, Ran};
use super::{Engine, World, vm};
use flow::{PeerId, Prefix};
use hir::subject::Class;
use image::codec::Endpoint;
use image::{Hook, Image};
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What is wrong with an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Faulty {
    /// Nothing.
    Nothing,
    /// Every leaf of the tables allows.
    Leaves,
    /// No peer has its class.
    Classes,
    /// No address has its peer.
    Addresses,
}

/// The user-space engine with a fault.
pub(crate) fn faulty<'w>(world: &'w World<'w>, fault: Faulty) -> Box<dyn Engine + 'w> {
    Box::new(Datapath::new(world, Seeded { inner: vm::Device::new(world), fault }))
}

struct Seeded {
    inner: vm::Device<::vm::Machine>,
    fault: Faulty,
}

impl Device for Seeded {
    fn set_addresses(&mut self, addresses: &[(Prefix, PeerId)]) -> Result<(), String> {
        self.inner.set_addresses(if self.fault == Faulty::Addresses { &[] } else { addresses })
    }

    fn load(&mut self, class: &Class, image: &Image, classes: &[Vec<(u32, u16)>; 2]) -> Result<(), String> {
        let mut image = image.clone();
        if self.fault == Faulty::Leaves {
            ebpf::oppose(&mut image);
        }
        let none = [vec![], vec![]];
        self.inner.load(class, &image, if self.fault == Faulty::Classes { &none } else { classes })
    }

    fn set_own(&mut self, addresses: &BTreeSet<IpAddr>) -> Result<(), String> {
        self.inner.set_own(addresses)
    }

    fn forget_connections(&mut self) {
        self.inner.forget_connections();
    }

    fn set_endpoint(&mut self, endpoint: &Endpoint) -> Result<(), String> {
        self.inner.set_endpoint(endpoint)
    }

    fn run(&mut self, hook: Hook, packet: &[u8], made_here: bool) -> Result<Ran, String> {
        self.inner.run(hook, packet, made_here)
    }
}
