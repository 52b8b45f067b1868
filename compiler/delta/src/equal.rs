//! Whether two sides mean the same: the judge of rewrites.

use crate::beside::Beside;
use crate::diff::{foreign, gateways};
use crate::ends::rows;
use crate::group::group;
use crate::rows::Change;
use crate::side::{Edit, Side, policies_of_nodes_differ};
use crate::suppose::{Supposed, suppose};
use crate::world::World;
use diagram::TooLarge;
use driver::Database;
use hir::ObjectRef;

/// Why two sides do not mean the same, or cannot be said to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Witness {
    /// A flow is decided otherwise.
    Flow(Box<Change>),
    /// A policy is refused on one side only.
    Refused(ObjectRef),
    /// A policy of egress gateways differs; routes are not compared.
    Gateway(ObjectRef),
    /// A clause that is not evaluated, of this object and path, is there on one side only; or the whole object is of another engine.
    Unevaluated(ObjectRef, String),
    /// A limit of diagrams ended the comparison.
    TooLarge(TooLarge),
    /// Selectors can meet on a pod in more ways than are compared.
    TooManyWays,
}

/// Whether two databases decide every flow alike, for whoever is in their files and for whoever their policies mention: as they stand, and
/// beside policies that isolate or allow everybody, which may be there and not have been read.
///
/// Errors: one difference. Clauses that are not evaluated must be the same on both sides.
pub fn equal(old: &Database, new: &Database) -> Result<(), Witness> {
    same(Side::of(old), Side::of(new))
}

/// Whether a database would decide every flow alike after some files are edited.
///
/// Errors: as [`equal`]. Cost: the edited files are read; the rest is compared as it stands, and subjects whose policies stay the same are
/// not looked at.
pub fn equal_after(base: &Database, edits: &[Edit]) -> Result<(), Witness> {
    same(Side::of(base), Side::after(base, edits))
}

fn same(mut old: Side, mut new: Side) -> Result<(), Witness> {
    let only_one = |one: &Side, other: &Side| one.rejected.iter().find(|it| !other.rejected.contains(it)).cloned();
    if let Some(object) = only_one(&old, &new).or_else(|| only_one(&new, &old)) {
        return Err(Witness::Refused(object));
    }
    if let Some(object) = gateways(&old, &new).into_iter().next() {
        return Err(Witness::Gateway(object));
    }
    if let Some((_, object)) = foreign(&old, &new).into_iter().next() {
        return Err(Witness::Unevaluated(object, String::new()));
    }
    let only_one = |one: &Side, other: &Side| one.closed.iter().find(|it| !other.closed.contains(it)).cloned();
    if let Some((object, path)) = only_one(&old, &new).or_else(|| only_one(&new, &old)) {
        return Err(Witness::Unevaluated(object, path));
    }
    // Why: a rewrite must hold in every cluster, not only in the one that was read, and where nodes enforce policies too.
    (old.partial, new.partial) = (true, true);
    if policies_of_nodes_differ(&old, &new) {
        (old, new) = (old.with_host_firewall(), new.with_host_firewall());
    }
    let supposed = suppose(&mut old, &mut new);
    if supposed.is_cut {
        return Err(Witness::TooManyWays);
    }
    // Why: so it must beside policies that were not read.
    for beside in Beside::telling([&old, &new]) {
        decides_alike(beside.with(old.clone()), beside.with(new.clone()), supposed.clone())?;
    }
    Ok(())
}

fn decides_alike(old: Side, new: Side, supposed: Supposed) -> Result<(), Witness> {
    let world = World::of(old, new, supposed);
    let mut found = rows(&world, true).map_err(Witness::TooLarge)?;
    found.truncate(1);
    match group(&world, found).pop() {
        Some(change) => Err(Witness::Flow(Box::new(change))),
        None => Ok(()),
    }
}
