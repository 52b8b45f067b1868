//! Attaching: which program judges the packets of which endpoint, changed in one step.
//!
//! ```text
//!  attach(endpoint, hook, ifindex, image)
//!    nothing there           pin the image ─► attach ─► pin the link
//!    the same image          nothing
//!    another image           pin the image ─► replace, if the program there is the one that we attached
//!    another interface       as for nothing; then the old one goes
//! ```
//! The unit of a change is one hook; an order between hooks and endpoints is the caller's to choose.

use crate::clsact::{self, Qdisc};
use crate::error::{Context as _, Error, Operation, Result};
use crate::features;
use crate::load::{Loaded, no_program};
use crate::node::{Folder, Node};
use crate::pins::{self, hook_name, hook_of};
use crate::sys::link::{self, Link};
use crate::sys::object;
use crate::sys::program::Program;
use image::{Digest, Hook};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// How programs get to interfaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// TCX links where the kernel has them (6.6), else clsact filters.
    #[default]
    Best,
    /// Clsact filters on any kernel.
    Clsact,
}

/// What [`Node::attach`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The interface had no program of ours at this hook.
    Attached,
    /// The program was replaced in one step.
    Replaced,
    /// The image was attached already.
    None,
}

/// A program at an interface, as [`Node::attached`] lists it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attached<'n> {
    /// The name of the endpoint.
    pub endpoint: &'n str,
    /// The hook.
    pub hook: Hook,
    /// The interface.
    pub ifindex: u32,
    /// The image; `None` when its pins were lost while its program went on.
    pub digest: Option<Digest>,
}

/// What is attached for a node.
#[derive(Debug, Default)]
pub(crate) struct Attachments {
    pub via: Via,
    places: BTreeMap<(String, Hook), Place>,
    /// Interfaces that got their clsact qdisc from us.
    qdiscs: BTreeSet<u32>,
}

/// A program in its place.
#[derive(Debug)]
struct Place {
    ifindex: u32,
    /// The kernel's number of the program that we attached.
    program: u32,
    loaded: Option<Arc<Loaded>>,
    point: Point,
}

#[derive(Debug)]
enum Point {
    Link(Link),
    Filter,
}

fn place_name(endpoint: &str, hook: Hook) -> String {
    format!("hook `{}` of {endpoint}", hook_name(hook))
}

impl Node {
    /// What is attached, by endpoint and hook.
    pub fn attached(&self) -> impl Iterator<Item = Attached<'_>> {
        self.attachments.places.iter().map(|((endpoint, hook), place)| Attached {
            endpoint,
            hook: *hook,
            ifindex: place.ifindex,
            digest: place.loaded.as_ref().map(|loaded| loaded.digest()),
        })
    }

    /// The image that is attached at a hook of an endpoint.
    pub fn loaded(&self, endpoint: &str, hook: Hook) -> Option<&Arc<Loaded>> {
        self.attachments.places.get(&(endpoint.to_owned(), hook))?.loaded.as_ref()
    }

    /// Makes an image judge the packets of one hook of an endpoint: attaches its program, or replaces the attached one in one step,
    /// or does nothing when it is there already.
    ///
    /// Errors: the kernel's; [`Error::Taken`] when somebody else replaced our program. On any error the program of before stays.
    /// Cost: a replacement is microseconds, the first attachment some milliseconds.
    pub fn attach(&mut self, endpoint: &str, hook: Hook, ifindex: u32, loaded: &Arc<Loaded>) -> Result<Change> {
        let program = &loaded.program(hook).ok_or_else(|| no_program(loaded.digest(), hook))?.program;
        let name = pins::encode(endpoint, "endpoint")?;
        if let Some(folder) = &self.folder {
            pins::put_image(&folder.images(), loaded)?;
        }
        let key = (endpoint.to_owned(), hook);
        if let Some(place) = self.attachments.places.get_mut(&key)
            && place.ifindex == ifindex
            && place.alive(hook)
        {
            if place.loaded.as_ref().is_some_and(|held| held.digest() == loaded.digest()) {
                return Ok(Change::None);
            }
            place.replace(program, hook).map_err(|error| error.at(&place_name(endpoint, hook)))?;
            place.program = program.id().on(Operation::Query, endpoint)?;
            place.loaded = Some(loaded.clone());
            return Ok(Change::Replaced);
        }
        self.attach_first(key, &name, ifindex, loaded, program)?;
        Ok(Change::Attached)
    }

    fn attach_first(
        &mut self,
        key: (String, Hook),
        name: &str,
        ifindex: u32,
        loaded: &Arc<Loaded>,
        program: &Program,
    ) -> Result<()> {
        let (endpoint, hook) = (&key.0, key.1);
        let object = || format!("{} at interface {ifindex}", place_name(endpoint, hook));
        let number = program.id().on(Operation::Query, object())?;
        let folder = self.folder.as_ref().map(|folder| folder.endpoints().join(name));
        if let Some(folder) = &folder {
            pins::folder(folder)?;
        }
        let point = if self.attachments.via == Via::Best && features::tcx() {
            let link = Link::attach(program, hook, ifindex).on(Operation::Attach, object())?;
            if let Some(folder) = &folder {
                pins::put(&link, &folder.join(hook_name(hook)))?;
            }
            Point::Link(link)
        } else {
            self.set_filter(program, hook, ifindex, folder.as_deref(), &object())?;
            Point::Filter
        };
        let place = Place { ifindex, program: number, loaded: Some(loaded.clone()), point };
        let new_is_link = matches!(place.point, Point::Link(_));
        if let Some(old) = self.attachments.places.insert(key, place) {
            // The pin of a new link has taken the place of the old one's; what else the old place left goes now.
            let same_pin = new_is_link && matches!(old.point, Point::Link(_));
            self.take_off(&old, hook, folder.as_deref().filter(|_| !same_pin))?;
        }
        Ok(())
    }

    fn set_filter(
        &mut self,
        program: &Program,
        hook: Hook,
        ifindex: u32,
        folder: Option<&Path>,
        object: &str,
    ) -> Result<()> {
        if clsact::add_qdisc(ifindex).on(Operation::Attach, object)? == Qdisc::Made {
            self.attachments.qdiscs.insert(ifindex);
            if let Some(folder) = &self.folder {
                pins::folder(&folder.clsact().join(ifindex.to_string()))?;
            }
        }
        if clsact::get(hook, ifindex).on(Operation::Query, object)?.is_some_and(|filter| !filter.ours) {
            return Err(Error::Taken { object: object.to_owned() });
        }
        // The mark comes first: a filter without a mark would be lost to the next process, a mark without a filter is harmless.
        if let Some(folder) = folder {
            pins::folder(&folder.join(filter_name(hook, ifindex)))?;
        }
        clsact::set(program, hook, ifindex).on(Operation::Attach, object)
    }

    /// Takes an endpoint's programs off its interface and forgets its pins. Nothing happens for an unknown one.
    pub fn detach(&mut self, endpoint: &str) -> Result<()> {
        let name = pins::encode(endpoint, "endpoint")?;
        let folder = self.folder.as_ref().map(|folder| folder.endpoints().join(name));
        for hook in Hook::BOTH {
            if let Some(place) = self.attachments.places.remove(&(endpoint.to_owned(), hook)) {
                self.take_off(&place, hook, folder.as_deref())?;
            }
        }
        folder.map_or(Ok(()), |folder| pins::remove_empty(&folder))
    }

    /// Ends a place; `folder` is that of its pins, unless they have been replaced already.
    fn take_off(&mut self, place: &Place, hook: Hook, folder: Option<&Path>) -> Result<()> {
        let object = format!("interface {}", place.ifindex);
        match &place.point {
            Point::Link(link) => {
                gone_is_fine(link.detach()).on(Operation::Detach, &object)?;
                folder.map_or(Ok(()), |folder| pins::remove(&folder.join(hook_name(hook))))
            }
            Point::Filter => {
                remove_filter(hook, place.ifindex, Some(place.program)).on(Operation::Detach, &object)?;
                if let Some(folder) = folder {
                    pins::remove_empty(&folder.join(filter_name(hook, place.ifindex)))?;
                }
                self.remove_qdisc(place.ifindex)
            }
        }
    }

    fn remove_qdisc(&mut self, ifindex: u32) -> Result<()> {
        let used = |place: &Place| place.ifindex == ifindex && matches!(place.point, Point::Filter);
        if self.attachments.places.values().any(used) || !self.attachments.qdiscs.remove(&ifindex) {
            return Ok(());
        }
        gone_is_fine(clsact::remove_qdisc_if_empty(ifindex))
            .on(Operation::Detach, format_args!("interface {ifindex}"))?;
        let Some(folder) = &self.folder else { return Ok(()) };
        pins::remove_empty(&folder.clsact().join(ifindex.to_string()))
    }

    /// Finds what an earlier process left attached.
    pub(crate) fn adopt(&mut self) -> Result<()> {
        let Some(folder) = self.folder.clone() else { return Ok(()) };
        let mut images = BTreeMap::new();
        for digest in pins::names(&folder.images())?.iter().filter_map(|name| pins::digest_of(name)) {
            // An image whose pins are damaged is not known; its programs go on, and the next image replaces them.
            let Ok(loaded) = pins::open_image(&folder.images(), digest) else { continue };
            let loaded = self.keep(loaded);
            for program in &loaded.programs {
                images.insert(program.program.id().on(Operation::Query, &program.name)?, loaded.clone());
            }
        }
        self.attachments.qdiscs = pins::names(&folder.clsact())?.iter().filter_map(|name| name.parse().ok()).collect();
        for file in pins::names(&folder.endpoints())? {
            let Some(endpoint) = pins::decode(&file) else { continue };
            for name in pins::names(&folder.endpoints().join(&file))? {
                let path = folder.endpoints().join(&file).join(&name);
                if let Some((hook, mut place)) = open_place(&path, &name)? {
                    place.loaded = images.get(&place.program).cloned();
                    self.attachments.places.insert((endpoint.clone(), hook), place);
                }
            }
            pins::remove_empty(&folder.endpoints().join(&file))?;
        }
        Ok(())
    }
}

/// Opens one pin of an endpoint; `None`, and the pin goes, when what it stood for is gone.
fn open_place(path: &Path, name: &str) -> Result<Option<(Hook, Place)>> {
    if let Some(hook) = hook_of(name) {
        let link = object::open(path).and_then(Link::from_fd).on(Operation::OpenPin, path.display())?;
        let info = link.info().on(Operation::Query, path.display())?;
        if info.ifindex == 0 {
            pins::remove(path)?;
            return Ok(None);
        }
        let place = Place { ifindex: info.ifindex, program: info.program, loaded: None, point: Point::Link(link) };
        return Ok(Some((hook, place)));
    }
    let Some((hook, ifindex)) = filter_of(name) else { return Ok(None) };
    match clsact::get(hook, ifindex).on(Operation::Query, path.display())?.filter(|filter| filter.ours) {
        Some(filter) => {
            Ok(Some((hook, Place { ifindex, program: filter.program, loaded: None, point: Point::Filter })))
        }
        None => {
            pins::remove_empty(path)?;
            Ok(None)
        }
    }
}

/// Ends the links and filters that a node's pins speak of.
pub(crate) fn wipe(folder: &Folder) -> Result<()> {
    for endpoint in pins::names(&folder.endpoints())? {
        let endpoint = folder.endpoints().join(endpoint);
        for name in pins::names(&endpoint)? {
            if let Some((hook, ifindex)) = filter_of(&name) {
                remove_filter(hook, ifindex, None).on(Operation::Detach, format_args!("interface {ifindex}"))?;
            } else if let Ok(link) = object::open(&endpoint.join(&name)).and_then(Link::from_fd) {
                // A link that only loses its pin ends a moment later; packets of that moment should not be judged any more.
                gone_is_fine(link.detach()).on(Operation::Detach, endpoint.join(name).display())?;
            }
        }
    }
    for ifindex in pins::names(&folder.clsact())?.iter().filter_map(|name| name.parse().ok()) {
        gone_is_fine(clsact::remove_qdisc_if_empty(ifindex))
            .on(Operation::Detach, format_args!("interface {ifindex}"))?;
    }
    Ok(())
}

/// Removes our filter from a place, if it is there and, where that is known, still holds our program.
fn remove_filter(hook: Hook, ifindex: u32, program: Option<u32>) -> io::Result<()> {
    let is_ours = |filter: clsact::Filter| filter.ours && program.is_none_or(|program| program == filter.program);
    if clsact::get(hook, ifindex)?.is_some_and(is_ours) { gone_is_fine(clsact::remove(hook, ifindex)) } else { Ok(()) }
}

fn filter_name(hook: Hook, ifindex: u32) -> String {
    format!("{}-clsact-{ifindex}", hook_name(hook))
}

fn filter_of(name: &str) -> Option<(Hook, u32)> {
    let (hook, ifindex) = name.split_once("-clsact-")?;
    Some((hook_of(hook)?, ifindex.parse().ok()?))
}

fn gone_is_fine(answer: io::Result<()>) -> io::Result<()> {
    match answer {
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENODEV | libc::ENOLINK | libc::ENOENT)) => Ok(()),
        answer => answer,
    }
}

/// Why a replacement failed.
enum Unreplaced {
    Taken,
    Kernel(io::Error),
}

impl Unreplaced {
    fn at(self, object: &str) -> Error {
        match self {
            Unreplaced::Taken => Error::Taken { object: object.to_owned() },
            Unreplaced::Kernel(source) => {
                Error::Kernel { operation: Operation::Replace, object: object.to_owned(), source }
            }
        }
    }
}

impl From<io::Error> for Unreplaced {
    fn from(error: io::Error) -> Unreplaced {
        Unreplaced::Kernel(error)
    }
}

impl Place {
    /// Whether our program is still where it was attached; its interface may be gone.
    fn alive(&self, hook: Hook) -> bool {
        match &self.point {
            Point::Link(link) => link.info().is_ok_and(|info| info.ifindex == self.ifindex),
            Point::Filter => {
                clsact::get(hook, self.ifindex).is_ok_and(|filter| filter.is_some_and(|filter| filter.ours))
            }
        }
    }

    fn replace(&self, new: &Program, hook: Hook) -> std::result::Result<(), Unreplaced> {
        match &self.point {
            Point::Link(link) => {
                let lost;
                let old = match self.loaded.as_ref().and_then(|loaded| loaded.program(hook)) {
                    Some(program) => &program.program,
                    None => {
                        lost = Program::from_id(self.program)?;
                        &lost
                    }
                };
                link.replace(old, new).map_err(|error| match error.raw_os_error() {
                    Some(libc::EPERM) => Unreplaced::Taken,
                    _ => Unreplaced::Kernel(error),
                })
            }
            Point::Filter => match clsact::get(hook, self.ifindex)? {
                Some(filter) if filter.program == self.program => Ok(clsact::set(new, hook, self.ifindex)?),
                _ => Err(Unreplaced::Taken),
            },
        }
    }
}

/// The kernel's numbers of all programs at a TCX hook, ours and others', in the order in which they run.
pub fn programs_at(hook: Hook, ifindex: u32) -> Result<Vec<u32>> {
    link::programs(hook, ifindex).on(Operation::Query, format_args!("interface {ifindex}"))
}

/// The BPF file system's usual place.
pub fn default_root() -> PathBuf {
    PathBuf::from("/sys/fs/bpf")
}
