//! From rows by number to rows in words: what everybody is called, and one flow of each.

use crate::ends::possible;
use crate::group::{Draft, Others, Reason};
use crate::names::{Parties, Spelled};
use crate::numbered::Numbered;
use crate::rows::{Change, Ends, Sample};
use crate::world::{Party, World};
use facts::Name;
use flow::{Direction, L4Key, L4Set, Protocol};
use hir::subject::Subject;
use std::collections::BTreeSet;

/// From how many rows on two threads spell them.
const MANY: usize = 256;

/// Rows in words; where they are many, by two threads.
pub(crate) fn spelled(world: &World, everybody: &Numbered<'_>, mut drafts: Vec<Draft>) -> Vec<Change> {
    let spell = |drafts: Vec<Draft>| -> Vec<Change> {
        let mut known = Spelled::default();
        let looked = drafts.into_iter().inspect(|_| world.stop().check());
        looked.map(|draft| change(world, everybody, draft, &mut known)).collect()
    };
    if drafts.len() < MANY {
        return spell(drafts);
    }
    let rest = drafts.split_off(drafts.len() / 2);
    let (mut all, more) = std::thread::scope(|scope| {
        let rest = scope.spawn(|| spell(rest));
        // A panic over there is one here.
        (spell(drafts), rest.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    all.extend(more);
    all
}

fn change(world: &World, everybody: &Numbered<'_>, draft: Draft, spelled: &mut Spelled) -> Change {
    let Draft { reason, subjects, others, l4 } = draft;
    let Reason { kind, end_to_end, direction, old, new, of_supposed, with_supposed } = reason;
    let own = everybody.subjects(&subjects);
    let Others { all, beside, unnamed } = others;
    let mut parties = Parties { all: everybody.parties(&all), beside: everybody.parties(&beside), unnamed };
    // Why: blocks that are let in let in pods that are in them, and what becomes of flows among the subjects themselves is said where it is
    // another thing.
    if parties.all.iter().any(|party| matches!(party, Party::Outside(_))) {
        let twins = &world.names.supposed.twins;
        let is_own = |name: &Name| own.iter().any(|it| matches!(it, Subject::Pod(one) if one == name));
        let is_alike = |name: &Name| twins.contains(name) || world.names.is_supposed(name) && is_own(name);
        let (alike, others): (Vec<&Party>, Vec<&Party>) =
            parties.all.iter().copied().partition(|party| matches!(party, Party::Pod(name) if is_alike(name)));
        parties.all = others;
        parties.beside.extend(alike);
        parties.beside.sort_unstable();
    }
    let sample = sample(world, direction, &own, &parties.all, &l4);
    let (l4, known) = (whole(l4), &world.names.supposed.port_names);
    let edges: BTreeSet<L4Key> = [&l4, &l4.complement()]
        .iter()
        .flat_map(|set| {
            set.intervals().iter().filter(|(low, high)| low == high).map(|(low, _)| *low).collect::<Vec<_>>()
        })
        .collect();
    let port_names = edges.iter().filter_map(|key| Some((key.low(), known.get(&key.low())?.clone()))).collect();
    Change {
        kind,
        direction,
        subjects: Ends { names: world.names.subjects(&own), supposed: of_supposed },
        peers: Ends { names: world.names.parties(&parties, &own, spelled), supposed: with_supposed },
        world: parties.all.iter().any(|party| matches!(party, Party::Outside(_))),
        l4,
        port_names,
        end_to_end,
        old,
        new,
        missing: missing(world, &own, &parties.all),
        sample,
    }
}

/// What would have to be read to be sure of a row: what stands behind services, where the row is about nobody else; on which node a subject
/// is, where it is about nodes alone.
fn missing(world: &World, own: &[&Subject], parties: &[&Party]) -> BTreeSet<String> {
    let supposed = &world.names.supposed;
    let service = |party: &&Party| if let Party::Pod(name) = party { supposed.behind.get(name) } else { None };
    let services: Vec<_> = parties.iter().map(service).collect();
    if services.iter().all(Option::is_some) {
        return services.into_iter().flatten().map(|name| format!("service {name}")).collect();
    }
    let is_read = |party: &&Party| matches!(party, Party::Node(name) if !supposed.nodes.contains(name));
    let only_nodes = parties.iter().all(is_read);
    let pods = &world.sides[1].side.cluster.pods;
    let homeless = own.iter().filter_map(|subject| match subject {
        Subject::Pod(name) if !supposed.pods.contains(name) && !supposed.templates.contains(name) => {
            pods.get(name).filter(|pod| pod.node.is_none())
        }
        _ => None,
    });
    homeless.filter(|_| only_nodes).map(|pod| format!("pod-node {}", pod.name)).collect()
}

/// Every key, where only those are left out that no packet of either family has.
fn whole(l4: L4Set) -> L4Set {
    let rest = l4.complement();
    let icmp = Protocol::ICMP.all_ports().union(&Protocol::ICMPV6.all_ports());
    let only_icmp = rest.intersect(&icmp.complement()).is_empty();
    let one_family = [Protocol::ICMP, Protocol::ICMPV6].iter().any(|it| l4.intersect(&it.all_ports()).is_empty());
    if !rest.is_empty() && only_icmp && !one_family { L4Set::all() } else { l4 }
}

/// Ports that people know, where any would do.
const KNOWN_PORTS: [u16; 3] = [443, 80, 53];

fn sample(world: &World, direction: Direction, own: &[&Subject], parties: &[&Party], l4: &L4Set) -> Sample {
    // Whoever is plainest to see: addresses outside last, and nobody with himself.
    let is_own =
        |party: &&&Party| matches!((party, own.first()), (Party::Pod(one), Some(Subject::Pod(other))) if one == other);
    let first = parties.iter().find(|party| !is_own(party)).or(parties.first());
    let family = first.and_then(|party| match party {
        Party::Outside(prefix) => Some(prefix.family()),
        _ => None,
    });
    let listens = match (direction, own.first(), first) {
        (Direction::Ingress, Some(Subject::Pod(name)), _) | (Direction::Egress, _, Some(Party::Pod(name))) => {
            Some(name)
        }
        _ => None,
    };
    let declared = listens.and_then(|name| world.sides[1].side.cluster.pods.get(name)).map(|pod| pod.ports.as_slice());
    let declared = declared.unwrap_or_default().iter().map(|it| L4Set::ports(it.protocol, it.port, it.port));
    let known = KNOWN_PORTS.iter().map(|port| L4Set::ports(Protocol::TCP, *port, *port));
    let rest = [L4Set::ports(Protocol::TCP, 1, u16::MAX), l4.clone()];
    let fits = l4.intersect(&possible(family));
    let mut wanted = declared.chain(known).chain(rest).map(|it| it.intersect(&fits)).chain([l4.clone()]);
    let key = wanted.find_map(|set| set.intervals().first().map(|(low, _)| *low)).unwrap_or(L4Key::MIN);
    let subject = own.first().map_or_else(String::new, |subject| match subject {
        Subject::Pod(name) => world.names.party(&Party::Pod(name.clone())),
        other => world.names.subject(other),
    });
    let peer = first.map_or_else(String::new, |party| match party {
        Party::Outside(prefix) => match world.names.stands_for(prefix.addr()) {
            Some(what) => what.to_owned(),
            None => world.names.address_of(*prefix),
        },
        other => world.names.party(other),
    });
    match direction {
        Direction::Ingress => Sample { source: peer, destination: subject, key },
        Direction::Egress => Sample { source: subject, destination: peer, key },
    }
}
