//! One node: the maps that all its images share, what is loaded and what is attached.

use crate::error::{Context as _, Error, Operation, Result};
use crate::load::{self, Loaded};
use crate::memlock;
use crate::sys::map::{Access, Map};
use image::{Digest, Image, NodeMap, Target};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Weak};

/// Whether a node's objects outlive the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pins {
    /// Nothing is pinned: all goes with the process, TCX programs included.
    None,
    /// Below `tidegate/v1/<node>/` of the BPF file system at this path, which is mounted there if it is not.
    At(PathBuf),
}

/// The maps of one node and what is loaded for it.
///
/// The calling thread must be in the node's network namespace whenever interfaces are named.
#[derive(Debug)]
pub struct Node {
    pub(crate) name: String,
    pub(crate) target: Target,
    maps: Vec<Map>,
    cache: HashMap<Digest, Weak<Loaded>>,
}

impl Node {
    /// Makes the maps of a node, or adopts those that an earlier process pinned.
    pub fn open(name: &str, target: &Target, _pins: Pins) -> Result<Node> {
        let maps = NodeMap::ALL.into_iter().map(|map| create(map, target)).collect::<Result<_>>()?;
        Ok(Node { name: name.into(), target: target.clone(), maps, cache: HashMap::new() })
    }

    /// The name of the node.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The target of the node: images must have been built for the same.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// One of the node's maps.
    pub fn map(&self, map: NodeMap) -> &Map {
        &self.maps[map as usize]
    }

    /// Loads an image: makes its tables, fills in the maps that its programs use, loads them. Nothing is attached.
    ///
    /// An image of the same digest that is still held, or that an earlier process pinned, is not loaded again.
    /// Errors: [`Error::Verifier`] with the end of its log, [`Error::Target`], [`Error::Malformed`], the kernel's.
    pub fn load(&mut self, image: &Image) -> Result<Arc<Loaded>> {
        let digest = image.digest();
        if let Some(loaded) = self.cache.get(&digest).and_then(Weak::upgrade) {
            return Ok(loaded);
        }
        if image.target != self.target {
            let object = image.notes.subject.clone();
            return Err(Error::Target { digest, object, node: self.name.clone() });
        }
        let loaded = Arc::new(load::load(image, |map| self.map(map))?);
        self.cache.retain(|_, held| held.strong_count() > 0);
        self.cache.insert(digest, Arc::downgrade(&loaded));
        Ok(loaded)
    }
}

fn create(map: NodeMap, target: &Target) -> Result<Map> {
    let spec = map.spec(target);
    memlock::with(|| Map::create(map.name(), &spec, Access::Shared), |error| error).on(Operation::CreateMap, map.name())
}
