//! One program in its place: how it stands there, how it is exchanged, how it is found again.

use crate::clsact;
use crate::error::{Context as _, Error, Operation, Result};
use crate::load::Loaded;
use crate::pins::{self, hook_name, hook_of};
use crate::sys::link::Link;
use crate::sys::object;
use crate::sys::program::Program;
use image::Hook;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// A program in its place.
#[derive(Debug)]
pub(crate) struct Place {
    pub ifindex: u32,
    /// The kernel's number of the program that we attached.
    pub program: u32,
    pub loaded: Option<Arc<Loaded>>,
    pub point: Point,
}

/// What holds the program.
#[derive(Debug)]
pub(crate) enum Point {
    Link(Link),
    Filter,
}

/// How things stand at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Our program is there.
    Ours,
    /// Somebody put another program in its place.
    Taken,
    /// The interface, or our link or filter, is gone.
    Gone,
}

impl Place {
    /// How things stand.
    pub fn standing(&self, hook: Hook) -> io::Result<Standing> {
        let program = match &self.point {
            Point::Link(link) => {
                Some(link.info()?).filter(|info| info.ifindex == self.ifindex).map(|info| info.program)
            }
            Point::Filter => clsact::get(hook, self.ifindex)?.map(|filter| filter.program),
        };
        Ok(match program {
            Some(program) if program == self.program => Standing::Ours,
            Some(_) => Standing::Taken,
            None => Standing::Gone,
        })
    }

    /// Exchanges the program in one step. `object` names the place in errors.
    pub fn replace(&mut self, loaded: &Arc<Loaded>, new: &Program, hook: Hook, object: &str) -> Result<()> {
        let number = new.id().on(Operation::Query, object)?;
        match &self.point {
            Point::Link(link) => {
                let lost;
                let old = match self.loaded.as_ref().and_then(|loaded| loaded.program(hook)) {
                    Some(program) => &program.program,
                    None => {
                        lost = Program::from_id(self.program).on(Operation::Query, object)?;
                        &lost
                    }
                };
                link.replace(old, new).or_else(|error| match self.standing(hook) {
                    Ok(Standing::Taken) => Err(Error::Taken { object: object.to_owned() }),
                    _ => Err(error).on(Operation::Replace, object),
                })?;
            }
            Point::Filter => clsact::set(new, hook, self.ifindex).on(Operation::Replace, object)?,
        }
        self.program = number;
        self.loaded = Some(Arc::clone(loaded));
        Ok(())
    }
}

/// Opens one pin of an endpoint; `None`, and the pin goes, when what it stood for is gone.
pub(crate) fn open_place(path: &Path, name: &str) -> Result<Option<(Hook, Place)>> {
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

/// Removes our filter from a place, if it is there and, where that is known, still holds our program.
pub(crate) fn remove_filter(hook: Hook, ifindex: u32, program: Option<u32>) -> io::Result<()> {
    let is_ours = |filter: clsact::Filter| filter.ours && program.is_none_or(|program| program == filter.program);
    if clsact::get(hook, ifindex)?.is_some_and(is_ours) { gone_is_fine(clsact::remove(hook, ifindex)) } else { Ok(()) }
}

/// The name of the mark of a filter.
pub(crate) fn filter_name(hook: Hook, ifindex: u32) -> String {
    format!("{}-clsact-{ifindex}", hook_name(hook))
}

/// The place that the mark of a filter names.
pub(crate) fn filter_of(name: &str) -> Option<(Hook, u32)> {
    let (hook, ifindex) = name.split_once("-clsact-")?;
    Some((hook_of(hook)?, ifindex.parse().ok()?))
}

/// What was to be taken off is gone already, or has gone with its interface.
pub(crate) fn gone_is_fine(answer: io::Result<()>) -> io::Result<()> {
    match answer {
        Err(error) if matches!(error.raw_os_error(), Some(libc::ENODEV | libc::ENOLINK | libc::ENOENT)) => Ok(()),
        answer => answer,
    }
}
