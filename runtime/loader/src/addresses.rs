//! Who has which address: the IPv4 pages, the exact IPv6 addresses and the IPv6 prefixes of a node.

use crate::error::{Context as _, Error, Operation, Result};
use crate::node::Node;
use crate::pages::{Failure, Pages};
use crate::sys::map::Map;
use crate::sys::memory::grace;
use flow::Prefix;
use image::NodeMap;
use image::address::PAGE;
use image::codec::{decode_own, encode_address6, encode_own, encode_prefix6, get_u32, put_u32};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::Ordering;

/// What the address tables of a node hold.
#[derive(Debug, Default)]
pub(crate) struct Addresses {
    pages: Pages,
    prefixes6: BTreeMap<Prefix, u32>,
}

impl Addresses {
    /// Reads the tables, which an earlier process may have filled.
    pub fn read(node: &Node) -> Result<Addresses> {
        let pages = Pages::read(node.mapped(NodeMap::Address4).words32());
        let mut prefixes6 = BTreeMap::new();
        for name in [NodeMap::Address6Exact, NodeMap::Address6Prefix] {
            let map = node.map(name);
            let mut key = None;
            while let Some(next) = map.next_key(key.as_deref()).on(Operation::ReadMap, name.name())? {
                if let Some(value) = map.lookup(&next).on(Operation::ReadMap, name.name())? {
                    prefixes6.extend(prefix6(node, &next).map(|prefix| (prefix, get_u32(&node.target, &value, 0))));
                }
                key = Some(next);
            }
        }
        Ok(Addresses { pages, prefixes6 })
    }

    fn list(&self) -> Vec<(Prefix, u32)> {
        let four = self.pages.prefixes().filter_map(|((address, len), peer)| {
            Some((Prefix::new(IpAddr::V4(Ipv4Addr::from_bits(address)), len)?, peer))
        });
        four.chain(self.prefixes6.iter().map(|(&prefix, &peer)| (prefix, peer))).collect()
    }
}

/// The prefix that a key of one of the two IPv6 maps stands for.
fn prefix6(node: &Node, key: &[u8]) -> Option<Prefix> {
    let (len, address) = match key.len() {
        20 => (get_u32(&node.target, key, 0), key.last_chunk::<16>()?),
        _ => (128, key.last_chunk::<16>()?),
    };
    Prefix::new(IpAddr::V6(Ipv6Addr::from(*address)), u8::try_from(len).ok()?)
}

impl Node {
    /// Gives prefixes their peers (`None` takes one away), in this order. The longest prefix that holds an address names its peer.
    ///
    /// An address that no prefix holds is peer 0, `unknown`; give 0.0.0.0/0 a peer to have it otherwise (for IPv6 see
    /// [`image::codec::Config::default_peer6`]). A new peer needs its classes first ([`crate::Loaded::set_class`]); a peer that goes
    /// keeps them until its addresses are gone. A node that was adopted needs [`Node::assign_all`] once before: its tables say who has
    /// an address, not which shorter prefix stands behind. Cost: a pod's address is one store or one system call.
    /// Errors: [`Error::Full`]; the changes before the one that failed are made.
    pub fn assign(&mut self, changes: &[(Prefix, Option<u32>)]) -> Result<()> {
        changes.iter().try_for_each(|&(prefix, peer)| match prefix.addr() {
            IpAddr::V4(address) => self.assign4(prefix, address, peer),
            IpAddr::V6(address) => self.assign6(prefix, address, peer),
        })
    }

    /// Makes the tables hold exactly these prefixes, whatever they held: additions first, so that no address is nobody's meanwhile. Only
    /// tables without room for both are emptied of what goes before they take what comes.
    pub fn assign_all(&mut self, wanted: &[(Prefix, u32)]) -> Result<()> {
        let prefixes: BTreeSet<Prefix> = wanted.iter().map(|&(prefix, _)| prefix).collect();
        let held: BTreeMap<Prefix, u32> = self.addresses.list().into_iter().collect();
        let more = wanted.iter().filter(|(prefix, peer)| held.get(prefix) != Some(peer));
        let more: Vec<_> = more.map(|&(prefix, peer)| (prefix, Some(peer))).collect();
        let less: Vec<_> =
            held.keys().filter(|prefix| !prefixes.contains(prefix)).map(|&prefix| (prefix, None)).collect();
        match self.assign(&more) {
            Err(Error::Full { .. }) if !less.is_empty() => {
                self.assign(&less)?;
                self.assign(&more)
            }
            other => other.and_then(|()| self.assign(&less)),
        }
    }

    fn assign4(&mut self, prefix: Prefix, address: Ipv4Addr, peer: Option<u32>) -> Result<()> {
        let words = self.mapped[NodeMap::Address4 as usize].as_ref().map_or(&[][..], |mapped| mapped.words32());
        if peer.is_some_and(|peer| peer & PAGE != 0) {
            return Err(Error::Full { map: NodeMap::Address4, object: format!("peer {peer:?}") });
        }
        self.addresses.pages.assign(words, (address.to_bits(), prefix.len()), peer, grace).map_err(|failure| {
            match failure {
                Failure::Full => Error::Full { map: NodeMap::Address4, object: prefix.to_string() },
                Failure::Grace(source) => {
                    Error::Kernel { operation: Operation::Grace, object: prefix.to_string(), source }
                }
            }
        })
    }

    fn assign6(&mut self, prefix: Prefix, address: Ipv6Addr, peer: Option<u32>) -> Result<()> {
        let target = &self.target;
        let (name, key) = match prefix.len() {
            128 => (NodeMap::Address6Exact, encode_address6(address).to_vec()),
            len => (NodeMap::Address6Prefix, encode_prefix6(target, address, len).to_vec()),
        };
        let map: &Map = &self.maps[name as usize];
        let object = || format!("{prefix} in {}", name.name());
        match peer {
            Some(peer) => {
                map.update(&key, &put_u32(target, peer)).or_else(|error| match error.raw_os_error() {
                    Some(libc::E2BIG | libc::ENOSPC) => Err(Error::Full { map: name, object: prefix.to_string() }),
                    _ => Err(error).on(Operation::WriteMap, object()),
                })?;
                self.addresses.prefixes6.insert(prefix, peer);
            }
            None => {
                map.delete(&key).on(Operation::WriteMap, object())?;
                self.addresses.prefixes6.remove(&prefix);
            }
        }
        Ok(())
    }

    /// Makes the addresses of the node itself exactly these: additions first, so that none is nobody's meanwhile.
    ///
    /// The programs of the node judge only what is from or for one of these. Errors: [`Error::Full`], the kernel's.
    pub fn set_own(&mut self, wanted: &BTreeSet<IpAddr>) -> Result<()> {
        let (held, name) = (self.own()?, NodeMap::Own.name());
        let map = self.map(NodeMap::Own);
        for address in wanted.difference(&held) {
            map.update(&encode_own(*address), &put_u32(&self.target, 1)).or_else(|error| {
                match error.raw_os_error() {
                    Some(libc::E2BIG) => Err(Error::Full { map: NodeMap::Own, object: address.to_string() }),
                    _ => Err(error).on(Operation::WriteMap, format_args!("{address} in {name}")),
                }
            })?;
        }
        for address in held.difference(wanted) {
            map.delete(&encode_own(*address)).on(Operation::WriteMap, format_args!("{address} in {name}"))?;
        }
        Ok(())
    }

    /// The addresses of the node itself, read back.
    pub fn own(&self) -> Result<BTreeSet<IpAddr>> {
        let map = self.map(NodeMap::Own);
        let mut own = BTreeSet::new();
        let mut key = None;
        while let Some(next) = map.next_key(key.as_deref()).on(Operation::ReadMap, NodeMap::Own.name())? {
            own.extend(decode_own(&next));
            key = Some(next);
        }
        Ok(own)
    }

    /// The peer of an address, read back from the kernel the way programs find it.
    pub fn peer_of(&self, address: IpAddr) -> Result<u32> {
        let IpAddr::V6(address) = address else { return Ok(self.peer_of4(address)) };
        let exact = self.lookup_u32(NodeMap::Address6Exact, &encode_address6(address))?;
        let found = match exact {
            Some(peer) => Some(peer),
            None => self.lookup_u32(NodeMap::Address6Prefix, &encode_prefix6(&self.target, address, 128))?,
        };
        Ok(found.unwrap_or_else(|| self.config().default_peer6))
    }

    fn peer_of4(&self, address: IpAddr) -> u32 {
        let IpAddr::V4(address) = address else { return 0 };
        let words = self.mapped(NodeMap::Address4).words32();
        let load = |at: u32| words.get(at as usize).map_or(0, |word| word.load(Ordering::Acquire));
        let mut entry = load(address.to_bits() >> 16);
        for shift in [8, 0] {
            if entry & PAGE != 0 {
                let page = image::address::ROOT_ENTRIES + (entry & !PAGE) * image::address::PAGE_ENTRIES;
                entry = load(page + (address.to_bits() >> shift & 255));
            }
        }
        entry
    }

    fn lookup_u32(&self, map: NodeMap, key: &[u8]) -> Result<Option<u32>> {
        let value = self.map(map).lookup(key).on(Operation::ReadMap, map.name())?;
        Ok(value.map(|value| get_u32(&self.target, &value, 0)))
    }
}
