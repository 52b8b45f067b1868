//! Many questions about one cluster: what a log asks, flow by flow.
//!
//! A question by itself may place pods that have no address yet; here every end must have one, so that one world serves all.

use crate::doubt::Missing;
use crate::doubt::{self, Asked};
use crate::party::{self, Party};
use crate::trace::Question;
use crate::world::{Ground, World};
use driver::Db;
use flow::{Direction, L4Key, PeerId};
use hir::Entity;
use hir::subject::Class;
use std::collections::BTreeSet;

/// A cluster that is asked about many flows.
pub struct Inquiry<'db> {
    world: World<'db>,
    /// Nothing that was read leaves a verdict open.
    sure: bool,
}

/// One side of a flow whose verdict may hang on what was not read.
#[derive(Clone, Copy, Debug)]
pub struct Doubted<'a> {
    /// Which side.
    pub direction: Direction,
    /// The class of its subject.
    pub class: &'a Class,
    /// What the other end is to the subject.
    pub peer: PeerId,
    /// Protocol and port.
    pub key: L4Key,
    /// Source and destination.
    pub ends: [&'a Party; 2],
}

impl<'db> Inquiry<'db> {
    /// The cluster as the database has it.
    pub fn new(db: &'db dyn Db) -> Inquiry<'db> {
        let nobody = || Party::Entity(Entity::World);
        let question = Question::straight(nobody(), nobody(), L4Key::MIN);
        Inquiry { world: Ground::of(db).world(&question), sure: doubt::is_impossible(db) }
    }

    /// Whether no verdict hangs on what was not read, so that nobody need ask.
    pub fn is_sure(&self) -> bool {
        self.sure
    }

    /// The facts that the verdict of a side hangs on; empty when it is known.
    ///
    /// Cost: the policies that can be about the subject, and a table of peers where the owner of an address is unknown.
    pub fn missing(&mut self, side: Doubted<'_>) -> BTreeSet<Missing> {
        let Doubted { direction, class, peer, key, ends } = side;
        self.world.pods = ends.map(|end| party::pod(&self.world.cluster, end));
        self.world.ends = ends.map(Party::clone);
        let end = if direction == Direction::Egress { 0 } else { 1 };
        doubt::missing(&self.world, &Asked { direction, class, peer, key, end })
    }

    /// What is missing to know whose policies stand at an end that is an address; `None` when it is nobody's for certain.
    pub fn unknown_owner(&mut self, address: &Party) -> Option<Missing> {
        self.world.ends = [address.clone(), address.clone()];
        doubt::unknown_owner(&self.world, 0)
    }
}
