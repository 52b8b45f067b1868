//! Groups that went to a service: each of those who may answer, in every way that policies may see it.

use super::bench::{Answer, Bench, Decided, FREE, Other, both, directions};
use crate::outcome::Said;
use crate::place::Place;
use crate::record::{Point, Recorded};
use crate::roads::Leg;
use crate::tally::{EndId, Group};
use flow::{Direction, L4Key, PeerId};
use hir::peers::{HOST, WORLD_V4, WORLD_V6};
use hir::{Entity, PeerSelector};
use reason::service::{self, As, Kind, Nobody, Reached, To};
use reason::{Fact, Missing, Question};
use request::Request;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

impl Bench<'_> {
    /// Decides one group that went to a service: as each of those who may answer it says.
    pub(super) fn by_service(
        &mut self,
        group: &Group,
        legs: &[Leg],
        request: Option<&Request>,
    ) -> Result<Answer, BTreeSet<Missing>> {
        let answers: Vec<_> = legs.iter().map(|leg| self.leg(group, leg, request)).collect();
        let missing: BTreeSet<Missing> = answers.iter().filter_map(|it| it.as_ref().err()).flatten().cloned().collect();
        if answers.iter().any(Result::is_err) {
            return Err(missing);
        }
        let answers: Vec<Answer> = answers.into_iter().flatten().collect();
        let passes = answers.first().is_some_and(|it| it.said.passes());
        if answers.iter().any(|it| it.said.passes() != passes) {
            return Err([Missing::new(Fact::WhichAddress, self.destination(group))].into());
        }
        let said = answers.iter().map(|it| it.said).max().unwrap_or(Said::Allow);
        Ok(Answer { said, sides: answers.into_iter().flat_map(|it| it.sides).collect() })
    }

    /// Decides one group for one of those who may answer it.
    fn leg(&mut self, group: &Group, leg: &Leg, request: Option<&Request>) -> Result<Answer, BTreeSet<Missing>> {
        let (translation, service) = (&leg.translation, leg.translation.service.to_string());
        let seen = translation.seen(&self.cluster.config);
        // Why: policies at the client saw the address of the record, whatever became of it later.
        let behind = group.point == Point::Behind;
        let as_it_stands = self.as_it_stands(group, translation.kind);
        if let (Some((backend, _)), false) = (leg.backend, behind)
            && self.is_itself(group.source, backend)
            && self.dialect.hairpin_is_subject
        {
            return self.itself(group, leg, request);
        }
        let sides = directions(group).iter().map(|direction| match (direction, leg.backend, &translation.reached) {
            (Direction::Egress, _, _) if behind => {
                self.side(Direction::Egress, group.source, as_it_stands, group.key, request)
            }
            (_, _, Reached::Missing(missing)) => Err([missing.clone()].into()),
            (Direction::Egress, _, Reached::Nobody(Nobody::NoPort(..))) => {
                self.side(Direction::Egress, group.source, as_it_stands, group.key, request)
            }
            (_, _, Reached::Nobody(Nobody::NoPort(..))) => {
                nobody(group, Missing::new(Fact::ServicePort, format!("{service} {}", group.key)))
            }
            (_, _, Reached::Nobody(_)) => nobody(group, Missing::new(Fact::ServiceBackends, service.as_str())),
            (_, None, _) => Err([Missing::new(Fact::ServiceBackends, service.as_str())].into()),
            (direction, Some((backend, key)), Reached::Backend) => match &seen {
                Err(_) => {
                    Err([Missing::new(Fact::ServiceTranslation, format!("{} {}", translation.asked, group.key))].into())
                }
                Ok(seen) => self.sights(*direction, group, (backend, key), (seen, translation), request),
            },
        });
        both(sides.collect())
    }

    /// The address of a record as policies see it that is not translated.
    fn as_it_stands(&self, group: &Group, kind: Kind) -> Other {
        let asked = &self.laid.places[group.destination.0 as usize];
        match (kind, asked, self.end(group.destination).address) {
            (Kind::ClusterIp | Kind::LoadBalancer, Place::Address(_) | Place::Outside(_), Some(address)) => {
                Other::Peer(self.peers.outside(address))
            }
            _ => Other::End(group.destination),
        }
    }

    /// One side of a leg: every way in which the other end may be seen there.
    fn sights(
        &mut self,
        direction: Direction,
        group: &Group,
        (backend, key): (EndId, L4Key),
        (seen, translation): (&service::Seen, &service::Translation),
        request: Option<&Request>,
    ) -> Result<Decided, BTreeSet<Missing>> {
        let (mine, sights): (EndId, Vec<(Other, L4Key)>) = match direction {
            Direction::Egress => {
                let sight = |to: &To| match to {
                    To::Backend => (Other::End(backend), key),
                    To::Frontend => (Other::End(group.destination), group.key),
                };
                (group.source, seen.egress.iter().map(sight).collect())
            }
            Direction::Ingress => {
                let world = match self.end(group.source).address {
                    Some(IpAddr::V6(_)) => WORLD_V6,
                    _ => WORLD_V4,
                };
                let sight = |by: &As| match by {
                    As::Client => Other::End(group.source),
                    As::Node => Other::Nodes,
                    As::World => Other::Peer(world),
                };
                (backend, seen.ingress.iter().map(|by| (sight(by), key)).collect())
            }
        };
        let mut found: Vec<Decided> = Vec::new();
        for (other, key) in sights {
            found.push(self.side(direction, mine, other, key, request)?);
        }
        let passes = found.first().is_some_and(|it| it.said.passes());
        if found.iter().any(|it| it.said.passes() != passes) {
            return Err([Missing::new(Fact::ServiceTranslation, format!("{} {}", translation.asked, group.key))].into());
        }
        Ok(found.into_iter().max_by_key(|it| it.said).unwrap_or(FREE))
    }

    /// What becomes of a flow that a service sends back to the pod that opened it.
    fn itself(&mut self, group: &Group, leg: &Leg, request: Option<&Request>) -> Result<Answer, BTreeSet<Missing>> {
        let Some((backend, key)) = leg.backend else { return Ok(Answer { said: Said::Allow, sides: Vec::new() }) };
        let party = |id: EndId| self.parties[id.0 as usize].clone();
        let road = service::Road::Service(leg.translation.clone());
        let question =
            Question { source: party(group.source), destination: party(backend), key, request: request.cloned(), road };
        let trace = self.ground.trace(&question);
        let said = match trace.outcome() {
            reason::trace::Outcome::Allow => Said::Allow,
            reason::trace::Outcome::Depends => Said::Redirect,
            reason::trace::Outcome::Deny => Said::Deny,
            reason::trace::Outcome::Unknown => return Err(trace.missing()),
        };
        Ok(Answer { said, sides: Vec::new() })
    }

    /// What all other nodes are to subjects of a node, and the own node where kube-proxy puts its address in the place of others.
    pub(super) fn nodes(&mut self, node: Option<String>) -> Arc<BTreeSet<PeerId>> {
        if let Some(known) = self.nodes.get(&node) {
            return known.clone();
        }
        let selector = PeerSelector::Entity(Entity::RemoteNode);
        let members = hir::resolve::members(&selector, self.peers.host_of(node.as_deref()), &self.peers);
        let mut found: BTreeSet<PeerId> =
            self.peers.peers().map(|(peer, _)| peer).filter(|it| members.contains(*it)).collect();
        if !found.is_empty() && self.cluster.config.replaces_kube_proxy != Some(true) {
            found.insert(HOST);
        }
        let found = Arc::new(found);
        self.nodes.insert(node, found.clone());
        found
    }
}

/// What a record says where nobody answers: a denial, as a trace says. Errors: it passed all the same, so that the facts were others then.
fn nobody(group: &Group, missing: Missing) -> Result<Decided, BTreeSet<Missing>> {
    match group.recorded {
        Recorded::Passed => Err([missing].into()),
        _ => Ok(Decided { said: Said::Deny, by: None }),
    }
}
