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
use crate::pins::{self, hook_name};
use crate::place::{Place, Point, Standing, filter_name, filter_of, gone_is_fine, open_place, remove_filter};
use crate::sys::link::{self, Link};
use crate::sys::object;
use crate::sys::program::Program;
use image::{Digest, Hook};
use std::collections::{BTreeMap, BTreeSet};
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

impl Attachments {
    /// The link of the endpoint's program at an interface, beside which the node's is put. Only one that is still there.
    fn endpoint_link(&self, hook: Hook, ifindex: u32) -> Option<&Link> {
        let of = match hook {
            Hook::ToHost => Hook::FromEndpoint,
            Hook::FromHost => Hook::ToEndpoint,
            Hook::ToEndpoint | Hook::FromEndpoint => return None,
        };
        let here = |place: &&Place| place.ifindex == ifindex && matches!(place.standing(of), Ok(Standing::Ours));
        let place = self.places.iter().filter(|((_, hook), _)| *hook == of).map(|(_, place)| place).find(here)?;
        match &place.point {
            Point::Link(link) => Some(link),
            Point::Filter => None,
        }
    }
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

    /// Has an image that is attached outlive this process, should its pins have been lost. Nothing happens for a node without pins.
    pub fn pin(&self, loaded: &Loaded) -> Result<()> {
        self.folder.as_ref().map_or(Ok(()), |folder| pins::put_image(&folder.images(), loaded))
    }

    /// Makes an image judge the packets of one hook of an endpoint: attaches its program, or replaces the attached one in one step,
    /// or does nothing when it is there already.
    ///
    /// Errors: the kernel's; [`Error::Taken`] when somebody else replaced our program. On any error the program of before stays.
    /// Cost: a replacement is microseconds, the first attachment some milliseconds.
    pub fn attach(&mut self, endpoint: &str, hook: Hook, ifindex: u32, loaded: &Arc<Loaded>) -> Result<Change> {
        let program = &loaded.program(hook).ok_or_else(|| no_program(loaded.digest(), hook))?.program;
        let name = pins::encode(endpoint, "endpoint")?;
        let key = (endpoint.to_owned(), hook);
        let object = place_name(endpoint, hook);
        let same = self.loaded(endpoint, hook).is_some_and(|held| held.digest() == loaded.digest());
        if !same {
            self.pin(loaded)?;
        }
        if let Some(place) = self.attachments.places.get_mut(&key)
            && place.ifindex == ifindex
        {
            match place.standing(hook).on(Operation::Query, &object)? {
                Standing::Ours if same => return Ok(Change::None),
                Standing::Ours => return place.replace(loaded, program, hook, &object).map(|()| Change::Replaced),
                Standing::Taken => return Err(Error::Taken { object }),
                Standing::Gone => {}
            }
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
            let beside = self.attachments.endpoint_link(hook, ifindex);
            let link = Link::attach(program, hook, ifindex, beside).on(Operation::Attach, object())?;
            if let Some(folder) = &folder {
                pins::put(&link, &folder.join(hook_name(hook)))?;
            }
            Point::Link(link)
        } else {
            self.set_filter(program, hook, ifindex, folder.as_deref(), &object())?;
            Point::Filter
        };
        let place = Place { ifindex, program: number, loaded: Some(loaded.clone()), point };
        let is_link = matches!(place.point, Point::Link(_));
        if let Some(old) = self.attachments.places.insert(key, place) {
            let was_link = matches!(old.point, Point::Link(_));
            // The pin of a new link has taken the place of the old one's, and a new filter that of the old one at the same interface.
            let same_filter = !was_link && !is_link && old.ifindex == ifindex;
            if !same_filter {
                self.take_off(&old, hook, folder.as_deref().filter(|_| !(was_link && is_link)))?;
            }
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
        for hook in Hook::ALL {
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

/// The kernel's numbers of all programs at a TCX hook, ours and others', in the order in which they run.
pub fn programs_at(hook: Hook, ifindex: u32) -> Result<Vec<u32>> {
    link::programs(hook, ifindex).on(Operation::Query, format_args!("interface {ifindex}"))
}

/// The BPF file system's usual place.
pub fn default_root() -> PathBuf {
    PathBuf::from("/sys/fs/bpf")
}
