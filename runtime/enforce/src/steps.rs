//! How many steps a change needs so that no packet passes that neither the old policies nor the new ones would pass.
//!
//! Two, when a packet can meet one hook before and another after: first what both sides allow, then the new. The cases here need less. They are
//! for a node that changes alone, and from what was made to its end: nobody knows which hooks a change reached that failed.

use crate::change::{Change, Enforcer, Error, Live};
use crate::state;
use facts::Name;

impl Enforcer {
    /// Whether endpoints and peers of a change are those of now, addresses included, and nothing changes but what endpoints decide.
    fn is_of_policy(&self, change: &Change) -> Result<bool, Error> {
        let next = change.host.next.as_ref().map(|host| (host.state.loaded.digest(), &host.places));
        let live = self.host.as_ref().map(|host| (host.state.loaded.digest(), &host.places));
        let same_peers = self.view.numbers_as(&change.view) && self.view.prefixes == change.view.prefixes;
        let same = self.same_endpoints(change) && same_peers && next == live && change.host.audit == self.audit();
        Ok(same && change.host.own == self.node.own()?)
    }

    fn same_endpoints(&self, change: &Change) -> bool {
        let endpoint = |(pod, live): (&Name, &Live)| (pod.clone(), live.endpoint);
        self.live.iter().map(endpoint).eq(change.next.iter().map(endpoint))
    }

    /// Whether a change is of decisions of one direction: a packet meets one hook of it on a node, before or after.
    pub(crate) fn is_of_one_direction(&self, change: &Change) -> Result<bool, Error> {
        if !self.is_of_policy(change)? {
            return Ok(false);
        }
        let mut changed = [false; 2];
        for (pod, next) in &change.next {
            let Some(live) = self.live.get(pod) else { return Ok(false) };
            if live.state.loaded.digest() == next.state.loaded.digest() {
                continue;
            }
            let before = state::seen_later(&live.state, &next.state.view);
            for direction in [0, 1] {
                changed[direction] |= before[direction] != next.state.diagrams[direction];
            }
        }
        Ok(changed != [true; 2])
    }

    /// Whether one of the two steps changes no verdict, so that no packet can meet one program of before and one of after both.
    ///
    /// Where every hook only allows more, the first step attaches nothing: whatever of old and new a packet meets allows what the old
    /// allowed and nothing that the new would not. Where every hook only allows less, the second step attaches nothing, likewise. Where there
    /// is no first step since the change is of one direction, there is nothing to wait for either, nor where no program changes at all.
    pub(crate) fn is_one_way(&self, change: &Change) -> Result<bool, Error> {
        let changed = change.next.iter().filter(|(pod, next)| {
            self.live.get(*pod).is_some_and(|live| live.state.loaded.digest() != next.state.loaded.digest())
        });
        // Of each endpoint that changes: nothing where the first step leaves it as it is, else whether that step is all.
        let steps: Vec<Option<bool>> = changed
            .map(|(pod, next)| change.between.get(pod).map(|step| step.digest() == next.state.loaded.digest()))
            .collect();
        let (more, less) = (steps.iter().all(Option::is_none), steps.iter().all(|step| *step == Some(true)));
        if !steps.is_empty() {
            return Ok((more || less) && self.is_of_policy(change)?);
        }
        let of_node = self.host.is_some() || change.host.next.is_some() || change.host.audit != self.audit();
        Ok(!of_node && self.same_endpoints(change) && change.host.own == self.node.own()?)
    }
}
