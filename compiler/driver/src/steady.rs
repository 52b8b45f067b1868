//! Setting back as ground state what was found, so that an edit is followed no further than it reaches.

use crate::database::Database;
use crate::{meaning, world};
use inputs::{Db, Ground, Room, Steady};
use salsa::{Durability, Setter};
use std::sync::Arc;

impl Database {
    /// From now on edits are expected: what all files say together is looked at as soon as a file changes, and each class of subjects
    /// then follows from what its namespace's policies were found to be.
    ///
    /// Without it an edit has every class looked at, however far away it is. With it, setting a file costs its decoding at once, whether
    /// anybody asks or not; so it is for who stays: editors, nodes, those who watch files.
    pub fn expect_edits(&mut self) {
        if !self.edits {
            self.edits = true;
            self.keep_steady();
        }
    }

    /// Sets [`Steady`] where it differs from what is found now.
    pub(crate) fn keep_steady(&mut self) {
        if !self.edits {
            return;
        }
        let (space, config, index) = (world::found_space(self), meaning::found_config(self), world::index(self));
        let project = Db::project(self);
        let Some(mut steady) = project.steady(self) else {
            let ground = Ground::builder(space, config).durability(Durability::MEDIUM).new(self);
            let rooms = index.iter().map(|(name, policies)| (name.clone(), self.room(policies))).collect();
            project.set_steady(self).to(Some(Arc::new(Steady { ground, rooms })));
            return;
        };
        let ground = steady.ground;
        if ground.space(self) != space {
            ground.set_space(self).to(space);
        }
        if ground.config(self) != config {
            ground.set_config(self).to(config);
        }
        for (namespace, room) in &steady.rooms {
            let policies = index.get(namespace).cloned().unwrap_or_else(|| Arc::from([]));
            if room.policies(self) != policies {
                // As with files: what changed once will change again.
                room.set_policies(self).with_durability(Durability::LOW).to(policies);
            }
        }
        let unknown = index.iter().filter(|(namespace, _)| !steady.rooms.contains_key(*namespace));
        let new: Vec<_> = unknown.map(|(namespace, policies)| (namespace.clone(), self.room(policies))).collect();
        if !new.is_empty() {
            Arc::make_mut(&mut steady).rooms.extend(new);
            project.set_steady(self).to(Some(steady));
        }
    }

    fn room(&self, policies: &world::Policies) -> Room {
        Room::builder(policies.clone()).durability(Durability::MEDIUM).new(self)
    }
}
