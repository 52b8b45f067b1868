//! As whom the policies at one end see the other, where a service stands between.

use crate::doubt::{Fact, Missing};
use crate::party::{self, Party};
use crate::service::{As, Nobody, Reached, To, Translation};
use crate::trace::{Outcome, Question, Row, Stand};
use crate::world::World;
use facts::Node;
use flow::{Direction, Family, L4Key, PeerId};
use hir::Entity;
use hir::peers::{WORLD_V4, WORLD_V6};
use std::net::{IpAddr, Ipv4Addr};

/// As whom an end is seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    /// As itself.
    Itself,
    /// As somebody else.
    Party(Party),
    /// As one of the nodes, whichever.
    Node,
    /// As the world.
    World,
    /// As an address outside, for it is nobody's inside.
    Untranslated,
}

impl Sight {
    /// The peer outside of the cluster that an end is seen as; `None` where it is somebody who can be looked up.
    pub(crate) fn outside(&self, world: &World<'_>, end: usize) -> Option<PeerId> {
        let address = party::address(&world.ends[end]);
        match self {
            Sight::Itself | Sight::Party(_) | Sight::Node => None,
            Sight::Untranslated => address.map(|address| world.peers.outside(address)),
            Sight::World => Some(match address.map(Family::of) {
                Some(Family::V6) => WORLD_V6,
                _ => WORLD_V4,
            }),
        }
    }
}

impl<'db> World<'db> {
    /// This world with somebody else at an end; `None` where it is the same.
    pub(crate) fn seeing(&self, end: usize, sight: &Sight) -> Option<World<'db>> {
        match sight {
            Sight::Itself => None,
            Sight::World => Some(self.with(end, Party::Entity(Entity::World))),
            Sight::Party(party) => Some(self.with(end, party.clone())),
            Sight::Untranslated => {
                let mut world = self.with(end, self.ends[end].clone());
                world.unowned = party::address(&self.ends[end]);
                Some(world)
            }
            Sight::Node if self.cluster.node_ips().is_empty() => {
                // Why: there are nodes, read or not; an address that none can have stands for theirs.
                let name = "of the cluster".to_owned();
                let ips = [IpAddr::V4(Ipv4Addr::new(240, 0, 0, 0))].into();
                let node = Node { name: name.clone(), ips, ..Node::default() };
                let supposed = self.but(|cluster, _| drop(cluster.nodes.insert(name.clone(), node)));
                Some(supposed.with(end, Party::Node(name)))
            }
            Sight::Node => Some(self.with(end, Party::Entity(Entity::RemoteNode))),
        }
    }

    /// One end of a flow that went to a service.
    pub(crate) fn translated(&self, direction: Direction, question: &Question, translation: &Translation) -> Stand {
        match (&translation.reached, translation.seen(&self.cluster.config)) {
            (Reached::Missing(missing), _) => Stand::Unknown([missing.clone()].into()),
            // Why: a port that no service has is not translated, so policies at the client see the address as it stands.
            (Reached::Nobody(Nobody::NoPort(..)), _) if direction == Direction::Egress => {
                self.seen(direction, question, &[(Sight::Untranslated, question.key)])
            }
            (Reached::Nobody(why), _) => Stand::Nobody(why.clone()),
            (Reached::Backend, Err(why)) => Stand::Nobody(why),
            (Reached::Backend, Ok(seen)) => {
                let sights: Vec<(Sight, L4Key)> = match direction {
                    Direction::Egress => {
                        seen.egress.iter().map(|to| self.towards(*to, question, translation)).collect()
                    }
                    Direction::Ingress => {
                        seen.ingress.iter().flat_map(|by| self.from(*by)).map(|sight| (sight, question.key)).collect()
                    }
                };
                let mut stand = self.seen(direction, question, &sights);
                if let Stand::Decided(rows) = &mut stand
                    && sights.len() > 1
                {
                    tell(rows, translation);
                }
                stand
            }
        }
    }

    fn towards(&self, to: To, question: &Question, translation: &Translation) -> (Sight, L4Key) {
        match to {
            To::Backend => (Sight::Itself, question.key),
            To::Frontend => (Sight::Party(translation.asked.clone()), translation.key),
        }
    }

    fn from(&self, by: As) -> Vec<Sight> {
        match by {
            As::Client => vec![Sight::Itself],
            As::World => vec![Sight::World],
            As::Node if self.cluster.config.replaces_kube_proxy == Some(true) => vec![Sight::Node],
            // kube-proxy puts the own node's address in the place of the client's, too.
            As::Node => vec![Sight::Node, Sight::Party(Party::Entity(Entity::Host))],
        }
    }
}

/// Says of rows that differ what would tell which of them it is.
fn tell(rows: &mut [Row], translation: &Translation) {
    let outcomes: Vec<Outcome> = rows.iter().map(Row::outcome).collect();
    if outcomes.windows(2).all(|pair| pair[0] == pair[1]) {
        return;
    }
    let of = format!("{} {}", translation.asked, translation.key);
    for row in rows {
        row.missing.insert(Missing::new(Fact::ServiceTranslation, of.clone()));
    }
}
