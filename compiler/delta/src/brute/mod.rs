//! Rows are exactly what the oracle answers otherwise: every subject, both directions, every peer, every key where an answer can change.

mod pool;
mod supposed;

use crate::ends::{Row, rows};
use crate::fates::decide;
use crate::rows::Kind;
use crate::side::Side;
use crate::suppose::suppose;
use crate::world::{Party, World};
use driver::Database;
use facts::Name;
use flow::{Direction, Family, L4Key, PeerId, Prefix};
use hir::peers::{Mentions, PeerTable};
use hir::subject::{self, Class, Subject};
use hir::{Dialect, Policy, resolve};
use oracle::RequestOutcome;
use pool::{Random, pool};
use request::Request;
use rules::RuleSet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

const CLUSTER: &str = "
{apiVersion: v1, kind: Node, metadata: {name: north, labels: {zone: a}}, spec: {podCIDRs: [10.1.0.0/24]}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: south}, spec: {podCIDRs: [10.1.1.0/24]}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: red}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {team: blue}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a, labels: {app: web}}, spec: {nodeName: north, containers: [{name: c, image: i, ports: [{name: http, containerPort: 80}]}]}, status: {phase: Running, podIPs: [{ip: 10.1.0.4}, {ip: 'fd00::4'}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web2, namespace: a, labels: {app: web}}, spec: {nodeName: south, containers: [{name: c, image: i, ports: [{name: http, containerPort: 81}]}]}, status: {phase: Running, podIPs: [{ip: 10.1.1.4}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: a, labels: {app: db}}, spec: {nodeName: south, containers: [{name: c, image: i}]}, status: {phase: Running, podIPs: [{ip: 10.1.1.9}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: cli, namespace: b, labels: {app: web}}, spec: {nodeName: south, containers: [{name: c, image: i}]}, status: {phase: Running, podIPs: [{ip: 10.1.1.7}]}}
";

fn side(policies: &[Arc<Policy>], dialect: &'static Dialect) -> Side {
    let mut db = Database::new();
    db.set_file("cluster.yaml", CLUSTER);
    db.set_dialect(dialect);
    let mut side = Side::of(&db);
    side.partial = false;
    for policy in policies {
        side.policies.entry(policy.object.namespace.clone()).or_default().push(policy.clone());
    }
    side
}

/// One side as nobody but it sees it: numbered by what it mentions alone.
struct Alone<'s> {
    side: &'s Side,
    table: PeerTable,
    rules: BTreeMap<Class, [RuleSet; 2]>,
}

impl<'s> Alone<'s> {
    fn of(side: &'s Side) -> Alone<'s> {
        let mut mentions = Mentions::default();
        side.all().for_each(|policy| mentions.extend(&Mentions::of(policy)));
        Alone { side, table: PeerTable::build(&side.cluster, &mentions, side.dialect), rules: BTreeMap::new() }
    }

    fn rules(&mut self, pod: &Name, direction: Direction) -> &RuleSet {
        let Side { cluster, dialect, .. } = self.side;
        let class = subject::class_of_pod(&cluster.pods[pod], cluster, &self.table, dialect).unwrap();
        let (table, side) = (&self.table, self.side);
        let rules = self.rules.entry(class.clone()).or_insert_with(|| {
            let policies = side.all().map(|policy| &**policy);
            let bound = resolve::resolve(policies, &class, table, &cluster.config, dialect);
            let (ingress, egress) = lower::lower(&bound);
            [ingress, egress]
        });
        &rules[crate::boxes::slot(direction)]
    }

    fn peer(&self, pod: &Name, address: IpAddr) -> PeerId {
        self.table.lookup(self.side.cluster.pods[pod].node.as_deref(), address)
    }
}

/// Everybody who may be on the other side, with the party that stands for the address as `subject` sees it.
fn others(world: &World, subject: &Name) -> Vec<(IpAddr, Party)> {
    let cluster = &world.sides[0].side.cluster;
    let mut all: Vec<(IpAddr, Party)> = Vec::new();
    for pod in cluster.pods.values().filter(|pod| pod.name != *subject) {
        all.extend(pod.ips.iter().map(|ip| (*ip, Party::Pod(pod.name.clone()))));
    }
    let own = cluster.pods[subject].node.as_deref();
    for (node, ips) in cluster.node_ips() {
        let party = if own == Some(node) { Party::Own } else { Party::Node(node.to_owned()) };
        all.extend(ips.iter().map(|ip| (*ip, party.clone())));
    }
    // An address of every block and one beside each, found by the blocks and not by what the comparison makes of them.
    let outside = [
        "198.51.100.1",
        "198.51.100.65",
        "198.51.100.129",
        "198.51.100.200",
        "203.0.113.5",
        "10.9.9.9",
        "10.1.1.200",
        "2001:db8::7",
        "2001:4860::1",
    ];
    for text in outside {
        let address: IpAddr = text.parse().unwrap();
        let lengths = (0..=Family::of(address).bits()).rev().filter_map(|len| Prefix::new(address, len));
        let known = |prefix: &Prefix| {
            world.sides.iter().any(|ready| ready.table.addresses(None).iter().any(|(it, _)| it == prefix))
        };
        let block = lengths.into_iter().find(known).unwrap();
        // Where blocks match by address, an address of nobody is no party: whoever gets it is a pod.
        let by_address = world.sides.iter().all(|ready| ready.side.dialect.ip_block_matches_pods);
        let special = block == Prefix::parse("10.1.1.0/24").unwrap() || block == Prefix::parse("10.1.0.0/24").unwrap();
        let nobody = Party::Special("addresses of nobody inside the cluster");
        match special || world.sides[0].table.lookup(None, address) == hir::peers::UNKNOWN {
            true if by_address => {}
            true => all.push((address, nobody)),
            false => all.push((address, Party::Outside(block))),
        }
    }
    all
}

fn found(
    world: &World,
    rows: &[Row],
    subject: &Name,
    direction: Direction,
    party: &Party,
    family: Family,
    key: L4Key,
) -> Option<(Kind, bool)> {
    let subject = Subject::Pod(subject.clone());
    let mut hits = rows.iter().filter(|row| {
        let mine =
            row.direction == direction && row.l4.contains(key) && world.units[row.unit].members.contains(&subject);
        let theirs = |at: &usize| {
            let group = &world.groups[*at];
            group.family.is_none_or(|it| it == family) && group.members.contains(party)
        };
        mine && row.groups.iter().any(theirs)
    });
    let hit = hits.next();
    assert!(hits.next().is_none(), "two rows of one flow: {subject} {direction} {party:?} {key}");
    hit.map(|row| (row.kind, row.end_to_end))
}

/// Which of some requests pass, so many that those of the pool are told apart; none where the flow is denied. Bytes that are no request
/// pass where no proxy reads them.
fn passing(rules: &RuleSet, peer: PeerId, key: L4Key) -> Vec<bool> {
    let outcome = |request: &Request| oracle::decide_request(rules, peer, key, request).outcome;
    let raw = outcome(&Request::raw()) == RequestOutcome::Direct;
    let asked = ["GET", "POST", "PUT"].map(|method| outcome(&Request::http(method, "/")).passes());
    asked.into_iter().chain([raw]).collect()
}

fn kind(old: &[bool], new: &[bool]) -> Option<Kind> {
    let any = |all: &[bool]| all.contains(&true);
    let holds = |wide: &[bool], narrow: &[bool]| wide.iter().zip(narrow).all(|(wide, narrow)| *wide || !narrow);
    match (any(old), any(new)) {
        (false, true) => Some(Kind::Gained),
        (true, false) => Some(Kind::Lost),
        _ => match (holds(new, old), holds(old, new)) {
            (true, true) => None,
            (true, false) => Some(Kind::Widened),
            (false, true) => Some(Kind::Tightened),
            (false, false) => Some(Kind::Altered),
        },
    }
}

/// How many verdicts were compared, and how many of them differed.
fn compare(old: &Side, new: &Side) -> (usize, usize) {
    let (mut a, mut b) = (old.clone(), new.clone());
    let supposed = suppose(&mut a, &mut b);
    let world = World::of(a, b, supposed);
    let rows = rows(&world, false).unwrap();
    let (mut before, mut after) = (Alone::of(old), Alone::of(new));
    let pods: Vec<Name> = old.cluster.pods.keys().cloned().collect();
    let (mut asked, mut differing) = (0, 0);
    for subject in &pods {
        let others = others(&world, subject);
        for direction in Direction::BOTH {
            let keys: BTreeSet<L4Key> = oracle::cells(before.rules(subject, direction))
                .into_iter()
                .chain(oracle::cells(after.rules(subject, direction)))
                .collect();
            for (address, party) in &others {
                let family = Family::of(*address);
                let possible = crate::ends::possible(Some(family));
                for key in keys.iter().copied().filter(|key| possible.contains(*key)) {
                    let sides = [&mut before, &mut after].map(|side| {
                        let peer = side.peer(subject, *address);
                        passing(side.rules(subject, direction), peer, key)
                    });
                    asked += 1;
                    let expected = kind(&sides[0], &sides[1]);
                    let end_to_end = expected.map(|kind| {
                        let opposite =
                            if direction == Direction::Ingress { Direction::Egress } else { Direction::Ingress };
                        let mine = old.cluster.pods[subject].ips.iter().copied().find(|ip| Family::of(*ip) == family);
                        let lets = [&mut before, &mut after].map(|side| match (party, mine) {
                            (Party::Pod(other), Some(mine)) => {
                                let peer = side.peer(other, mine);
                                decide(side.rules(other, opposite), peer, key).fate.is_allowed()
                            }
                            _ => true,
                        });
                        match kind {
                            Kind::Gained => lets[1],
                            Kind::Lost => lets[0],
                            Kind::Widened | Kind::Altered | Kind::Tightened => lets[0] || lets[1],
                        }
                    });
                    // A flow to an address of a family that the subject does not have is decided, and nobody's.
                    let comparable = !matches!(party, Party::Pod(_))
                        || old.cluster.pods[subject].ips.iter().any(|ip| Family::of(*ip) == family);
                    let found = found(&world, &rows, subject, direction, party, family, key);
                    differing += usize::from(expected.is_some());
                    assert_eq!(
                        found.map(|it| it.0),
                        expected,
                        "{subject} {direction} {address} {party:?} {key} {sides:?}"
                    );
                    if comparable {
                        assert_eq!(found.map(|it| it.1), end_to_end, "{subject} {direction} {address} {party:?} {key}");
                    }
                }
            }
        }
    }
    (asked, differing)
}

#[test]
fn rows_are_what_the_oracle_answers_otherwise() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut pairs, mut asked, mut differing) = (0, 0, 0);
    for dialect in [&Dialect::STANDARD, &Dialect::CILIUM_1_20, &Dialect::CILIUM_1_19_EXACT] {
        let pool = pool(&mut random, dialect);
        let bare = side(&[], dialect);
        for _ in 0..3400 {
            let mut set: Vec<Arc<Policy>> =
                (0..random.below(4)).map(|_| pool[random.below(pool.len())].clone()).collect();
            let old = with(&bare, &set);
            // Most changes are small: one policy goes, one comes.
            if random.below(3) > 0 && !set.is_empty() {
                set.swap_remove(random.below(set.len()));
            }
            if random.below(3) > 0 {
                set.push(pool[random.below(pool.len())].clone());
            }
            let (more, changed) = compare(&old, &with(&bare, &set));
            (pairs, asked, differing) = (pairs + 1, asked + more, differing + changed);
        }
    }
    assert!(pairs >= 10_000 && differing > 100_000, "{pairs} pairs, {asked} verdicts, {differing} differ");
    println!("{pairs} pairs, {asked} verdicts, {differing} differ");
}

fn with(bare: &Side, policies: &[Arc<Policy>]) -> Side {
    let mut side = bare.clone();
    let all: BTreeMap<_, _> = policies.iter().map(|policy| (policy.object.clone(), policy.clone())).collect();
    for policy in all.into_values() {
        side.policies.entry(policy.object.namespace.clone()).or_default().push(policy);
    }
    side
}
