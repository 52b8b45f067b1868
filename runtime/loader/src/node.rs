//! One node: the maps that all its images share, what is loaded and what is attached.

use crate::addresses::Addresses;
use crate::attach::{Attachments, Via};
use crate::error::{Context as _, Error, Operation, Result};
use crate::features;
use crate::load::{self, Loaded};
use crate::memlock;
use crate::pins;
use crate::sys::map::{Access, Map};
use crate::sys::memory::Mapped;
use crate::sys::object;
use image::{Digest, Exchange, Image, MapKind, MapSpec, NodeMap, Target};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

/// Whether processors see stores of others in their order, as [`Exchange::Lock`] supposes.
const ORDERED_STORES: bool = cfg!(target_arch = "x86_64");

/// Whether a node's objects outlive the process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pins {
    /// Nothing is pinned: all goes with the process, TCX programs included (clsact filters stay until they are detached).
    None,
    /// Below `tidegate/v1/<node>/` of the BPF file system at this path, which is mounted there if it is not.
    At(PathBuf),
}

/// The maps of one node, what is loaded for it and what is attached.
///
/// The calling thread must be in the node's network namespace whenever interfaces are named.
#[derive(Debug)]
pub struct Node {
    pub(crate) name: String,
    pub(crate) target: Target,
    pub(crate) maps: Vec<Map>,
    /// The arrays among the maps, in this process's memory.
    pub(crate) mapped: Vec<Option<Mapped>>,
    pub(crate) addresses: Addresses,
    pub(crate) attachments: Attachments,
    pub(crate) folder: Option<Folder>,
    cache: HashMap<Digest, Weak<Loaded>>,
    loads: u64,
}

/// Where a node's pins are.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    /// The BPF file system.
    pub root: PathBuf,
    /// The node's folder in it.
    pub node: PathBuf,
}

impl Folder {
    pub fn images(&self) -> PathBuf {
        self.node.join("images")
    }

    pub fn endpoints(&self) -> PathBuf {
        self.node.join("endpoints")
    }

    pub fn clsact(&self) -> PathBuf {
        self.node.join("clsact")
    }
}

impl Node {
    /// Makes the maps of a node, or adopts what an earlier process pinned: maps with their content, images, attached programs.
    ///
    /// Programs that an earlier process left attached enforce all the while. Errors: [`Error::Layout`] when a pinned map was made for
    /// another target; the agent then chooses between the old target and [`Node::wipe`]. The kernel's otherwise.
    pub fn open(name: &str, target: &Target, pins: Pins) -> Result<Node> {
        if target.little_endian != cfg!(target_endian = "little") {
            return Err(Error::ByteOrder { node: name.into() });
        }
        if target.exchange == Exchange::Lock && !ORDERED_STORES {
            return Err(Error::Kernel {
                operation: Operation::CreateMap,
                object: format!("{}: images of its target need x86-64", NodeMap::Locks.name()),
                source: std::io::Error::from_raw_os_error(libc::EOPNOTSUPP),
            });
        }
        let folder = match pins {
            Pins::None => None,
            Pins::At(root) => {
                pins::mounted(&root)?;
                let node = root.join("tidegate").join("v1").join(pins::encode(name, "node")?);
                pins::folder(&node)?;
                Some(Folder { root, node })
            }
        };
        let maps: Vec<Map> = NodeMap::of(target)
            .iter()
            .map(|&map| open(map, target, folder.as_ref().map(|folder| folder.node.as_path())))
            .collect::<Result<_>>()
            .map_err(|failed| features::lacking(failed, &format!("node {name}"), target))?;
        let mapped = NodeMap::of(target).iter().zip(&maps).map(|(&map, made)| mapped(map, &map.spec(target), made));
        let mut node = Node {
            name: name.into(),
            target: target.clone(),
            mapped: mapped.collect::<Result<_>>()?,
            maps,
            addresses: Addresses::default(),
            attachments: Attachments::default(),
            folder,
            cache: HashMap::new(),
            loads: 0,
        };
        node.addresses = Addresses::read(&node)?;
        node.adopt()?;
        Ok(node)
    }

    /// Chooses how programs get to interfaces from now on; the default is [`Via::Best`].
    pub fn via(mut self, via: Via) -> Node {
        self.attachments.via = via;
        self
    }

    /// The name of the node.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The target of the node: images must have been built for the same.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// One of the node's maps; the caller names one that every target has, as all but [`NodeMap::Locks`] are.
    pub fn map(&self, map: NodeMap) -> &Map {
        &self.maps[map as usize]
    }

    /// The content of an array map. The caller names an array.
    pub(crate) fn mapped(&self, map: NodeMap) -> &Mapped {
        // Cannot panic: what is mapped is decided by the same list of maps as in `open`.
        self.mapped[map as usize].as_ref().expect("`open` maps every array, and only arrays are asked for")
    }

    /// Loads an image: makes its tables, fills in the maps that its programs use, loads them. Nothing is attached.
    ///
    /// An image of the same digest that is still held, or that is pinned, is not loaded again.
    /// Errors: [`Error::Verifier`] with the end of its log, [`Error::Target`], [`Error::Lacks`], [`Error::Malformed`], the kernel's. What is attached
    /// stays attached.
    pub fn load(&mut self, image: &Image) -> Result<Arc<Loaded>> {
        let digest = image.digest();
        if let Some(loaded) = self.cached(digest) {
            return Ok(loaded);
        }
        if image.target != self.target {
            let object = image.notes.subject.clone();
            return Err(Error::Target { digest, object, node: self.name.clone() });
        }
        // A damaged folder of pins is no reason to fail: the image is here, and is pinned anew when it is attached.
        let loaded = match self.open_pinned(digest) {
            Some(Ok(loaded)) => loaded,
            Some(Err(_)) => {
                self.forget_image(digest)?;
                self.load_anew(image)?
            }
            None => self.load_anew(image)?,
        };
        Ok(self.keep(loaded))
    }

    fn load_anew(&mut self, image: &Image) -> Result<Loaded> {
        self.loads += 1;
        load::load(image, |map| self.maps.get(map as usize))
            .map_err(|failed| features::lacking(failed, &image.notes.subject, &image.target))
    }

    /// How many images this process had the kernel's verifier judge; those that it held already, or found pinned, ask nothing of it.
    pub fn loads(&self) -> u64 {
        self.loads
    }

    fn cached(&self, digest: Digest) -> Option<Arc<Loaded>> {
        self.cache.get(&digest).and_then(Weak::upgrade)
    }

    pub(crate) fn keep(&mut self, loaded: Loaded) -> Arc<Loaded> {
        let loaded = Arc::new(loaded);
        self.cache.retain(|_, held| held.strong_count() > 0);
        self.cache.insert(loaded.digest(), Arc::downgrade(&loaded));
        loaded
    }

    /// Opens the pins of an image; `None` when it has none.
    fn open_pinned(&self, digest: Digest) -> Option<Result<Loaded>> {
        let images = self.folder.as_ref()?.images();
        images.join(digest.to_string()).exists().then(|| pins::open_image(&images, digest))
    }

    fn forget_image(&self, digest: Digest) -> Result<()> {
        self.folder.as_ref().map_or(Ok(()), |folder| pins::remove_folder(&folder.images().join(digest.to_string())))
    }

    /// Removes the pins of images that no endpoint uses and nobody holds. Call it after a round of swaps.
    pub fn sweep(&mut self) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        for name in pins::names(&folder.images())? {
            let used = pins::digest_of(&name).is_some_and(|digest| self.cached(digest).is_some());
            if !used {
                pins::remove_folder(&folder.images().join(name))?;
            }
        }
        Ok(())
    }

    /// Takes all programs of the node off their interfaces and removes all its pins: nothing of ours remains, all else does.
    pub fn remove(mut self) -> Result<()> {
        let endpoints: Vec<String> = self.attached().map(|attached| attached.endpoint.to_owned()).collect();
        endpoints.iter().try_for_each(|endpoint| self.detach(endpoint))?;
        let Some(folder) = self.folder.take() else { return Ok(()) };
        remove_pins(&folder)
    }

    /// Removes what is pinned under a node's name without adopting it: ends links and filters, then removes the pins.
    ///
    /// For pins of another target, which [`Node::open`] cannot adopt.
    pub fn wipe(name: &str, root: &Path) -> Result<()> {
        let node = root.join("tidegate").join("v1").join(pins::encode(name, "node")?);
        let folder = Folder { root: root.into(), node };
        crate::attach::wipe(&folder)?;
        remove_pins(&folder)
    }
}

/// Removes a node's folder, and those above it when nobody else has anything in them.
fn remove_pins(folder: &Folder) -> Result<()> {
    pins::remove_folder(&folder.node)?;
    let ours = folder.root.join("tidegate");
    if ours.exists() {
        pins::remove_empty(&ours.join("v1"))?;
        pins::remove_empty(&ours)?;
    }
    Ok(())
}

/// Opens the pinned map, or makes one and pins it.
fn open(map: NodeMap, target: &Target, folder: Option<&Path>) -> Result<Map> {
    let spec = map.spec(target);
    let Some(folder) = folder else { return create(map, &spec) };
    let pin = folder.join(map.name());
    if !pin.exists() {
        let made = create(map, &spec)?;
        pins::put(&made, &pin)?;
        return Ok(made);
    }
    let found = object::open(&pin).and_then(Map::from_fd).on(Operation::OpenPin, pin.display())?;
    let info = found.info();
    if !info.agrees(&spec) {
        let wanted = format!("{:?} {}/{}/{}", spec.kind, spec.key_size, spec.value_size, spec.max_entries);
        let found = format!("type {} {}/{}/{}", info.kind, info.key_size, info.value_size, info.max_entries);
        return Err(Error::Layout { map, found, wanted });
    }
    Ok(found)
}

fn create(map: NodeMap, spec: &MapSpec) -> Result<Map> {
    memlock::with(|| Map::create(map.name(), spec, Access::Shared), |error| error).on(Operation::CreateMap, map.name())
}

fn mapped(map: NodeMap, spec: &MapSpec, made: &Map) -> Result<Option<Mapped>> {
    let array = spec.kind == MapKind::Array;
    array.then(|| Mapped::new(made).on(Operation::MapMemory, map.name())).transpose()
}
