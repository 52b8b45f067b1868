//! `routes` blocks: by which way packets of a pod leave the cluster.
//!
//! ```text
//! SOURCE -> DESTINATION  WAY [or WAY] [by ORIGIN]
//!
//! a/web -> ext       through n2 as 192.0.2.9   by shop destinationCIDRs[0]
//! a/web -> b/db,n2   the normal way
//! a/web -> ext       through n2 or dropped, no gateway
//! ```

use super::end::{self, End};
use super::markdown::Block;
use super::run::Run;
use crate::engine;
use driver::world;
use hir::gateway::{Route, routes};

impl Run<'_> {
    /// Asks every line.
    pub(super) fn routes(&mut self, block: &Block) {
        self.asserted = true;
        let wrong: Vec<(usize, String)> =
            block.lines().filter_map(|(line, text)| self.route(text).err().map(|message| (line, message))).collect();
        for (line, message) in wrong {
            self.fail(line, message);
        }
    }

    fn route(&self, text: &str) -> Result<(), String> {
        let (source, rest) = text.split_once("->").ok_or("write `SOURCE -> DESTINATION WAY`")?;
        let (destinations, rest) = rest.trim().split_once(' ').ok_or("a destination and a way are wanted")?;
        let (wanted, by) = match rest.trim().split_once(" by ") {
            Some((wanted, by)) => (wanted.trim(), Some(by.trim())),
            None => (rest.trim(), None),
        };
        for destination in destinations.split(',') {
            let (found, origins) = self.way(source.trim(), destination)?;
            if found != wanted {
                return Err(format!("{destination}: expected {wanted}, got {found}"));
            }
            if by.is_some_and(|by| by != origins) {
                return Err(format!("{destination}: expected it by {}, got {origins}", by.unwrap_or_default()));
            }
        }
        Ok(())
    }

    /// Every way in words, and what they are owed to.
    fn way(&self, source: &str, destination: &str) -> Result<(String, String), String> {
        let (End::Pod(pod), destination) = (end::named(&self.world, source)?, end::named(&self.world, destination)?)
        else {
            return Err(format!("`{source}` is no pod"));
        };
        let world = engine::World::new(&self.db);
        let policies = world::gateways(&self.db);
        let policies: Vec<_> = policies.iter().map(|policy| &**policy).collect();
        let (mut ways, mut by) = (Vec::new(), Vec::new());
        for address in destination.addresses(&world) {
            let routes = routes(&policies, &pod, address, world.cluster(), self.dialect);
            ways.extend(routes.ways.iter().map(Route::to_string));
            by.extend(
                routes
                    .by
                    .iter()
                    .map(|it| format!("{} {}", it.object.name, it.path.strip_prefix("spec.").unwrap_or(&it.path))),
            );
        }
        ways.dedup();
        by.dedup();
        Ok((ways.join(" or "), by.join(", ")))
    }
}
