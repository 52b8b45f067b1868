//! One flow: whether it passes each end, and because of which lines.

use crate::doubt::{self, Fact, Missing};
use crate::nearest::{self, Nearest};
use crate::party::{self, Party};
use crate::proxied::{self, Proxied};
use crate::service::{Nobody, Road};
use crate::sight::Sight;
use crate::world::{Ground, World};
use driver::Db;
use driver::locate::{self, Place};
use facts::Pod;
use flow::{Auth, Direction, Family, L4Key, PeerId, Prefix, Protocol, Verdict};
use hir::Source;
use hir::subject::{self, Class, SubjectKind};
use oracle::Because;
use request::Request;
use rules::Origin;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Who opens the connection.
    pub source: Party,
    /// With whom.
    pub destination: Party,
    /// By which protocol, and to which port or with which ICMP type.
    pub key: L4Key,
    /// What is asked over the connection, once it stands.
    pub request: Option<Request>,
    /// How it gets there: a service may have chosen the destination, and only then does a pod that reaches itself leave its own network.
    pub road: Road,
}

impl Question {
    /// A question about a flow that goes to its destination as it stands, with nothing asked over it.
    pub fn straight(source: Party, destination: Party, key: L4Key) -> Question {
        Question { source, destination, key, request: None, road: Road::Straight }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// At the source.
    pub egress: Side,
    /// At the destination.
    pub ingress: Side,
}

/// How a flow ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It passes both ends.
    Allow,
    /// It passes to a proxy, and what becomes of it depends on what is asked over it.
    Depends,
    /// An end denies it.
    Deny,
    /// Parts of what was asked differ, or a fact is missing.
    Unknown,
}

impl Trace {
    /// The facts that the answer hangs on; none where one end denies whatever the other says.
    pub fn missing(&self) -> BTreeSet<Missing> {
        match self.outcome() {
            Outcome::Unknown => self.egress.missing().into_iter().chain(self.ingress.missing()).collect(),
            Outcome::Allow | Outcome::Deny | Outcome::Depends => BTreeSet::new(),
        }
    }

    /// Whether no such flow can be, as one end has no address of the family that its protocol is of.
    pub fn is_impossible(&self) -> bool {
        matches!(self.ingress.stand, Stand::Nobody(Nobody::NoAddress(..)))
    }

    /// Both ends together.
    pub fn outcome(&self) -> Outcome {
        match (self.egress.outcome(), self.ingress.outcome()) {
            (Outcome::Deny, _) | (_, Outcome::Deny) => Outcome::Deny,
            (Outcome::Unknown, _) | (_, Outcome::Unknown) => Outcome::Unknown,
            (Outcome::Allow, Outcome::Allow) => Outcome::Allow,
            (Outcome::Depends, _) | (_, Outcome::Depends) => Outcome::Depends,
        }
    }
}

/// One end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// Egress at the source, ingress at the destination.
    pub direction: Direction,
    /// Whose policy is asked.
    pub subject: String,
    /// The other end.
    pub other: String,
    /// What it says.
    pub stand: Stand,
    /// Pairs of clauses about the subject that contradict each other: where there are any, it is closed.
    pub conflicts: Vec<[Cause; 2]>,
}

impl Side {
    /// This end alone.
    pub fn outcome(&self) -> Outcome {
        let rows = match &self.stand {
            Stand::Decided(rows) => rows,
            Stand::Unmanaged(Unmanaged::Holds(_)) | Stand::Unknown(_) => return Outcome::Unknown,
            Stand::Nobody(_) => return Outcome::Deny,
            Stand::Unmanaged(_) | Stand::Itself => return Outcome::Allow,
        };
        let all = |outcome| !rows.is_empty() && rows.iter().all(|row| row.outcome() == outcome);
        match () {
            () if all(Outcome::Allow) => Outcome::Allow,
            () if all(Outcome::Deny) => Outcome::Deny,
            () if !rows.is_empty()
                && rows.iter().all(|row| matches!(row.outcome(), Outcome::Allow | Outcome::Depends)) =>
            {
                Outcome::Depends
            }
            () => Outcome::Unknown,
        }
    }

    /// The facts that this end's verdict hangs on: some exactly where it is unknown.
    pub fn missing(&self) -> BTreeSet<Missing> {
        match &self.stand {
            Stand::Decided(rows) => {
                let mut missing: BTreeSet<Missing> = rows.iter().flat_map(|row| row.missing.iter().cloned()).collect();
                if missing.is_empty() && self.outcome() == Outcome::Unknown {
                    let fact = if rows.is_empty() { Fact::PodAddress } else { Fact::WhichAddress };
                    missing.insert(Missing::new(fact, self.other.as_str()));
                }
                missing
            }
            Stand::Unknown(missing) => missing.clone(),
            Stand::Unmanaged(Unmanaged::Holds(_)) => [Missing::new(Fact::WhichAddress, self.subject.as_str())].into(),
            Stand::Unmanaged(_) | Stand::Itself | Stand::Nobody(_) => BTreeSet::new(),
        }
    }
}

/// What one end says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Nothing is enforced there.
    Unmanaged(Unmanaged),
    /// For want of these facts nobody knows whose policies stand there.
    Unknown(BTreeSet<Missing>),
    /// The flow never leaves the pod.
    Itself,
    /// No packet gets here: it went to a service, and nobody answers there.
    Nobody(Nobody),
    /// One row for each peer that the other end can be: two for two families, several for a prefix.
    Decided(Vec<Row>),
}

/// Why nothing is enforced at an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmanaged {
    /// An address, prefix or group: no endpoint of this cluster.
    Outside,
    /// A node, and host policies are not enforced.
    Node,
    /// A pod on its node's network.
    HostNetwork,
    /// A pod that is over.
    Finished,
    /// A pod of another cluster.
    Elsewhere,
    /// A prefix or group that holds this many pods which policies apply to; none of them is asked.
    Holds(usize),
}

/// The verdict for one peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What the other end is to this one.
    pub peer: String,
    /// What happens, as far as was read.
    pub verdict: Verdict,
    /// Facts that were not read and that the verdict hangs on; empty when it is known.
    pub missing: BTreeSet<Missing>,
    /// Which step decided.
    pub because: Because,
    /// What made it so; for a default deny, what isolates the subject.
    pub by: Vec<Cause>,
    /// For a deny by default: the allow that comes nearest.
    pub nearest: Option<Nearest>,
    /// For a redirect: what the proxy asks of requests.
    pub proxied: Option<Proxied>,
    /// Where names of DNS allow it: those that stand for the other end now.
    pub names: Vec<String>,
}

impl Row {
    /// The verdict, where it is known.
    pub fn outcome(&self) -> Outcome {
        match (self.missing.is_empty(), self.verdict.is_allowed()) {
            (false, _) => Outcome::Unknown,
            (true, true) if self.proxied.as_ref().is_some_and(Proxied::refuses) => Outcome::Deny,
            (true, true) if self.proxied.as_ref().is_some_and(Proxied::depends) => Outcome::Depends,
            (true, true) => Outcome::Allow,
            (true, false) => Outcome::Deny,
        }
    }
}

/// A place in an object that caused a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Object and path.
    pub origin: Origin,
    /// Where it stands; `None` for what stands in no file.
    pub place: Option<Place>,
}

impl Cause {
    /// The cause of an origin.
    pub fn of(db: &dyn Db, origin: &Origin) -> Cause {
        Cause { origin: origin.clone(), place: locate::locate(db, origin) }
    }
}

/// Answers a question. Never fails: what is missing shows as [`Outcome::Unknown`].
pub fn trace(db: &dyn Db, question: &Question) -> Trace {
    Ground::of(db).trace(question)
}

/// Which end of a question the subject of a direction is.
pub(crate) fn end_of(direction: Direction) -> usize {
    match direction {
        Direction::Egress => 0,
        Direction::Ingress => 1,
    }
}

impl World<'_> {
    /// Answers a question about this world.
    pub(crate) fn trace(&self, question: &Question) -> Trace {
        // Why not by a workload: it is any of its pods, and one of them to another is what policies decide about.
        let one = self.ends.iter().all(|end| !matches!(end, Party::Workload(..)));
        let itself = one && matches!(&self.pods, [Some(a), Some(b)] if a.name == b.name);
        let itself = itself && !(self.is_by_service() && self.dialect.hairpin_is_subject);
        let stand = |direction| match self.without_family(question) {
            _ if itself => Stand::Itself,
            Some(why) => Stand::Nobody(why),
            None => self.stand(direction, question),
        };
        let side = |direction| {
            let (mine, other) = (end_of(direction), 1 - end_of(direction));
            Side {
                direction,
                subject: self.subject(&self.ends[mine], &self.pods[mine]),
                other: self.subject(&self.ends[other], &self.pods[other]),
                conflicts: self.conflicts(&self.ends[mine], &self.pods[mine]),
                stand: stand(direction),
            }
        };
        Trace { egress: side(Direction::Egress), ingress: side(Direction::Ingress) }
    }

    fn conflicts(&self, party: &Party, pod: &Option<Pod>) -> Vec<[Cause; 2]> {
        let Ok((class, _)) = self.class(party, pod) else { return Vec::new() };
        let cause = |origin: &hir::Origin| {
            Cause::of(self.db, &Origin { object: origin.object.to_string(), path: origin.path.clone() })
        };
        self.rules(&class).bound.conflicts.iter().map(|it| [cause(&it.first), cause(&it.second)]).collect()
    }

    /// The end that has addresses, none of them of the family that the protocol of a flow is of.
    fn without_family(&self, question: &Question) -> Option<Nobody> {
        let family = match question.key.protocol() {
            Protocol::ICMP => Family::V4,
            Protocol::ICMPV6 => Family::V6,
            _ => return None,
        };
        let lacks = |end: &usize| {
            let addresses = match (party::address(&self.ends[*end]), &self.pods[*end]) {
                (Some(address), _) => [address].into(),
                (None, Some(pod)) => self.addresses_of(pod),
                (None, None) => return false,
            };
            !addresses.is_empty() && addresses.iter().all(|it| Family::of(*it) != family)
        };
        let end = [0, 1].into_iter().filter(|_| question.road == Road::Straight).find(lacks)?;
        Some(Nobody::NoAddress(self.subject(&self.ends[end], &self.pods[end]), family))
    }

    fn stand(&self, direction: Direction, question: &Question) -> Stand {
        match &question.road {
            Road::Straight => self.seen(direction, question, &[(Sight::Itself, question.key)]),
            Road::Unanswered(missing) => Stand::Unknown([missing.clone()].into()),
            Road::Service(translation) => self.translated(direction, question, translation),
        }
    }

    /// What one end says where the other may be seen there in any of these ways, each with the port that is seen.
    pub(crate) fn seen(&self, direction: Direction, question: &Question, sights: &[(Sight, L4Key)]) -> Stand {
        let (end, other) = (end_of(direction), 1 - end_of(direction));
        let (class, node) = match self.class(&self.ends[end], &self.pods[end]) {
            Ok(found) => found,
            Err(Unmanaged::Outside) => {
                let owner = doubt::unknown_owner(self, end);
                return owner.map_or(Stand::Unmanaged(Unmanaged::Outside), |it| Stand::Unknown([it].into()));
            }
            Err(unmanaged) => return Stand::Unmanaged(unmanaged),
        };
        let (mut rows, mut known) = (Vec::new(), BTreeSet::new());
        for (sight, key) in sights {
            let world = self.seeing(other, sight);
            let world = world.as_ref().unwrap_or(self);
            let peers = match sight.outside(world, other) {
                Some(peer) => [peer].into(),
                None => world.peers_of(&world.ends[other], &world.pods[other], node.as_deref(), key.protocol()),
            };
            let question = Question { key: *key, ..question.clone() };
            for peer in peers.into_iter().filter(|peer| known.insert((*peer, *key))) {
                rows.push(world.row(direction, &class, peer, &question));
            }
        }
        Stand::Decided(rows)
    }

    pub(crate) fn class(&self, party: &Party, pod: &Option<Pod>) -> Result<(Class, Option<String>), Unmanaged> {
        match (party, pod) {
            (_, Some(pod)) => match subject::class_of_pod(pod, &self.cluster, &self.peers, self.dialect) {
                Some(class) => Ok((class, pod.node.clone())),
                None if pod.host_network => Err(Unmanaged::HostNetwork),
                None if pod.phase.is_over() => Err(Unmanaged::Finished),
                None => Err(Unmanaged::Elsewhere),
            },
            _ => match party::node(&self.cluster, party) {
                Some(node) if self.cluster.config.host_firewall => {
                    Ok((subject::class_of_node(node, &self.cluster, &self.peers), Some(node.to_owned())))
                }
                Some(_) => Err(Unmanaged::Node),
                None => match self.holds(party) {
                    0 => Err(Unmanaged::Outside),
                    pods => Err(Unmanaged::Holds(pods)),
                },
            },
        }
    }

    /// Who is asked, as people know it: an address by the name of its owner.
    fn subject(&self, party: &Party, pod: &Option<Pod>) -> String {
        match (pod, party::address(party)) {
            (Some(pod), Some(address)) => format!("{} ({address})", pod.name),
            (None, Some(address)) => match party::node(&self.cluster, party) {
                Some(node) => format!("{} ({address})", Party::Node(node.to_owned())),
                None => party.to_string(),
            },
            _ => party.to_string(),
        }
    }

    /// How many pods with policies of their own a prefix or group holds.
    fn holds(&self, party: &Party) -> usize {
        let members = match party {
            Party::Entity(entity) => {
                let selector = hir::PeerSelector::Entity(*entity);
                Some(hir::resolve::members(&selector, self.peers.host_of(None), &self.peers))
            }
            _ => None,
        };
        let inside = |address: IpAddr| match (party, &members) {
            (Party::Prefix(prefix), _) => prefix.covers(Prefix::host(address)),
            (_, Some(members)) => members.contains(self.peers.lookup(None, address)),
            _ => false,
        };
        let managed = |pod: &&Pod| subject::class_of_pod(pod, &self.cluster, &self.peers, self.dialect).is_some();
        self.cluster.pods.values().filter(managed).filter(|pod| pod.own_ips().any(inside)).count()
    }

    /// Every peer that a party can be to subjects of a node, by the families that the protocol leaves open.
    pub(crate) fn peers_of(
        &self,
        party: &Party,
        pod: &Option<Pod>,
        node: Option<&str>,
        protocol: Protocol,
    ) -> BTreeSet<PeerId> {
        let fits = |address: &IpAddr| match protocol {
            Protocol::ICMP => address.is_ipv4(),
            Protocol::ICMPV6 => address.is_ipv6(),
            _ => true,
        };
        let of = |addresses: &mut dyn Iterator<Item = IpAddr>| -> BTreeSet<PeerId> {
            addresses.filter(fits).map(|address| self.peers.lookup(node, address)).collect()
        };
        match (party, pod) {
            _ if let Some(address) = party::address(party) => of(&mut std::iter::once(address)),
            (_, Some(pod)) => of(&mut self.addresses_of(pod).into_iter()),
            (Party::Node(name), _) => {
                of(&mut self.cluster.nodes.get(name).into_iter().flat_map(|node| node.ips.iter().copied()))
            }
            (Party::Address(address), _) => of(&mut std::iter::once(*address)),
            (Party::Prefix(prefix), _) => {
                let inside =
                    self.peers.addresses(node).into_iter().filter(|(it, _)| prefix.covers(*it)).map(|(_, peer)| peer);
                inside.chain([self.peers.lookup(node, prefix.addr())]).collect()
            }
            (Party::Entity(entity), _) => {
                let host = self.peers.host_of(node);
                let selector = hir::PeerSelector::Entity(*entity);
                let members = hir::resolve::members(&selector, host, &self.peers);
                self.peers.peers().map(|(peer, _)| peer).filter(|peer| members.contains(*peer)).collect()
            }
            (Party::Pod(_) | Party::Workload(..) | Party::Service(_) | Party::Dns(_), None) => BTreeSet::new(),
        }
    }

    /// A pod on the host network has its node's addresses, written in its status or not.
    fn addresses_of(&self, pod: &Pod) -> BTreeSet<IpAddr> {
        let node = pod.node.as_ref().and_then(|node| self.cluster.nodes.get(node));
        match node {
            Some(node) if pod.host_network && pod.ips.is_empty() => node.ips.clone(),
            _ => pod.ips.clone(),
        }
    }

    fn row(&self, direction: Direction, class: &Class, peer: PeerId, question: &Question) -> Row {
        let key = question.key;
        let held = self.rules(class);
        let rules = held.direction(direction);
        let decision = oracle::decide(rules, peer, key);
        let causes = decision.by.iter().filter_map(|id| rules.origin(*id));
        let by_default = !matches!(decision.because, Because::Rule { .. });
        // Why: where clauses contradict each other nothing is decided and all is closed, whatever else is known.
        let mut missing = match held.bound.conflicts.is_empty() {
            true => doubt::missing(self, &doubt::Asked { direction, class, peer, key, end: end_of(direction) }),
            false => BTreeSet::new(),
        };
        if decision.verdict.is_allowed() && decision.verdict.auth == Auth::Required {
            missing.insert(Missing::new(Fact::AuthSession, self.peers.name(peer)));
        }
        missing
            .extend(self.db.project().unread(self.db).iter().map(|kind| Missing::new(Fact::Policies, kind.as_str())));
        let guarded = self.is_tunnel(direction, class, peer, key);
        // Why: an authentication that always fails lets nothing pass, whatever the rule is called.
        let verdict = match decision.verdict.auth {
            _ if guarded => Verdict::DENY,
            Auth::AlwaysFail => Verdict::DENY,
            Auth::Disabled | Auth::Required => decision.verdict,
        };
        if guarded {
            let object = "the node's guard of its tunnel".to_owned();
            let cause = Cause { origin: Origin { object, path: String::new() }, place: None };
            let because = Because::Rule { tier: 0, level: 0 };
            let (peer, missing) = (self.peers.name(peer), BTreeSet::new());
            return Row {
                peer,
                verdict,
                missing,
                because,
                by: vec![cause],
                nearest: None,
                proxied: None,
                names: Vec::new(),
            };
        }
        let by: Vec<Cause> = causes.map(|origin| Cause::of(self.db, origin)).collect();
        Row {
            names: if verdict.is_allowed() { self.names(peer, &by) } else { Vec::new() },
            proxied: proxied::proxied(self.db, rules, peer, key, question.request.as_ref()),
            peer: self.peers.name(peer),
            verdict,
            missing,
            because: decision.because,
            by,
            nearest: (by_default && !verdict.is_allowed())
                .then(|| nearest::nearest(self, class, direction, peer, key))
                .flatten(),
        }
    }

    /// Whether an endpoint sends into the tunnel of its node, which no policy is asked about.
    fn is_tunnel(&self, direction: Direction, class: &Class, peer: PeerId, key: L4Key) -> bool {
        let port = self.cluster.config.tunnel_port().map(|port| L4Key::new(Protocol::UDP, port));
        let from_endpoint = direction == Direction::Egress && class.kind != SubjectKind::Host;
        from_endpoint && peer == hir::peers::HOST && port == Some(key)
    }

    /// The names and patterns of DNS that stand for a peer and by which rules allow it.
    fn names(&self, peer: PeerId, by: &[Cause]) -> Vec<String> {
        let by_name =
            |cause: &Cause| cause.origin.path.contains("toFQDNs") || cause.origin.path.contains("domainNames");
        let Some(info) = self.peers.peer(peer).filter(|_| by.iter().any(by_name)) else { return Vec::new() };
        let names = info.key.labels.iter().filter(|label| label.source == Source::Fqdn);
        names.map(|label| label.key.clone()).collect()
    }
}
