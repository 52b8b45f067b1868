//! When one condition surely holds wherever another does, or surely never beside it. Where it cannot be told, the answer is no.

use flow::{Family, Prefix, Protocol};
use hir::labels::CLUSTER;
use hir::peers::name_matches;
use hir::{Entity, L3, L4, Matching, Operator, PeerSelector, Ports, Requirement, Selector, Source, Subjects};

/// Whether two requirements are on the same label. Pods carry labels of Kubernetes only, so no source means that one.
fn same_label(a: &Requirement, b: &Requirement) -> bool {
    let source = |it: &Requirement| it.source.clone().filter(|source| *source != Source::K8s);
    a.key == b.key && source(a) == source(b)
}

/// Whether no label can meet both.
fn conflict(a: &Requirement, b: &Requirement) -> bool {
    if !same_label(a, b) {
        return false;
    }
    match (&a.operator, &b.operator) {
        (Operator::In(one), Operator::In(other)) => one.iter().all(|value| !other.contains(value)),
        (Operator::In(values), Operator::NotIn(out)) | (Operator::NotIn(out), Operator::In(values)) => {
            values.iter().all(|value| out.contains(value))
        }
        (Operator::In(_) | Operator::Exists, Operator::DoesNotExist)
        | (Operator::DoesNotExist, Operator::In(_) | Operator::Exists) => true,
        _ => false,
    }
}

/// Two requirements of a selector that nothing can meet together.
pub(crate) fn contradiction(selector: &Selector) -> Option<(&Requirement, &Requirement)> {
    let all = selector.requirements();
    all.iter().enumerate().find_map(|(at, one)| Some((one, all[at + 1..].iter().find(|other| conflict(one, other))?)))
}

/// Whether something may match both selectors.
pub(crate) fn may_meet(a: &Selector, b: &Selector) -> bool {
    !a.requirements().iter().any(|one| b.requirements().iter().any(|other| conflict(one, other)))
}

/// Whether two sections may be about one subject.
pub fn may_share(a: &Subjects, b: &Subjects) -> bool {
    match (a, b) {
        (Subjects::Endpoints(a), Subjects::Endpoints(b)) | (Subjects::Nodes(a), Subjects::Nodes(b)) => may_meet(a, b),
        _ => false,
    }
}

/// Whether everything that `narrow` selects is selected by `wide`.
pub(crate) fn implies(narrow: &Selector, wide: &Selector) -> bool {
    let gives =
        |wanted: &Requirement| narrow.requirements().iter().any(|it| same_label(it, wanted) && yields(it, wanted));
    wide.requirements().iter().all(gives)
}

/// Whether a requirement follows from another on the same label.
fn yields(given: &Requirement, wanted: &Requirement) -> bool {
    match (&given.operator, &wanted.operator) {
        (Operator::In(have), Operator::In(want)) => have.iter().all(|value| want.contains(value)),
        (Operator::In(_) | Operator::Exists, Operator::Exists) => true,
        (Operator::In(have), Operator::NotIn(out)) => have.iter().all(|value| !out.contains(value)),
        (Operator::NotIn(have), Operator::NotIn(out)) => out.iter().all(|value| have.contains(value)),
        (Operator::DoesNotExist, Operator::NotIn(_) | Operator::DoesNotExist) => true,
        _ => false,
    }
}

/// Whether whoever `narrow` selects is selected by `wide`, in every cluster.
pub(crate) fn peers(wide: &PeerSelector, narrow: &PeerSelector) -> bool {
    use PeerSelector::{Cidr, CidrGroup, CidrGroups, Entity as Named, Fqdn, Labels};
    if wide == narrow {
        return true;
    }
    match (wide, narrow) {
        (Named(Entity::All), _) => true,
        (Named(Entity::World), Cidr { matching: Matching::Identity, .. } | CidrGroup { .. } | CidrGroups { .. }) => {
            true
        }
        (Named(Entity::World), Fqdn(_) | Named(Entity::WorldV4 | Entity::WorldV6)) => true,
        (Named(Entity::Cluster), Labels { selector, everywhere: false }) => !selector.mentions(CLUSTER),
        (Named(Entity::Cluster), Named(other)) => {
            !matches!(other, Entity::All | Entity::World | Entity::WorldV4 | Entity::WorldV6)
        }
        (Labels { selector: wide, everywhere: false }, Labels { selector: narrow, everywhere: false }) => {
            wide.mentions(CLUSTER) == narrow.mentions(CLUSTER) && implies(narrow, wide)
        }
        (Cidr { prefix, except, matching }, Cidr { prefix: inner, except: inner_except, matching: inner_matching }) => {
            (matching == inner_matching || *matching == Matching::Address)
                && prefix.covers(*inner)
                && except.iter().all(|out| !meets(*out, *inner) || inner_except.iter().any(|it| it.covers(*out)))
        }
        (Fqdn(pattern), Fqdn(name)) => !name.contains('*') && name_matches(pattern, name),
        _ => false,
    }
}

/// Whether whoever the narrow side selects is selected by the wide side.
pub(crate) fn l3(wide: &L3, narrow: &L3) -> bool {
    match (wide, narrow) {
        (L3::Unrestricted, _) | (_, L3::Nobody) => true,
        (L3::Any(wide), L3::Any(narrow)) => {
            narrow.iter().all(|one| wide.iter().any(|other| peers(&other.selector, &one.selector)))
        }
        (L3::Any(wide), L3::Unrestricted) => wide.iter().any(|it| it.selector == PeerSelector::Entity(Entity::All)),
        (L3::Nobody, _) => false,
    }
}

/// Whether each port of `narrow` is one of `wide`.
pub(crate) fn l4(wide: &L4, narrow: &L4) -> bool {
    match (wide, narrow) {
        (L4::Unrestricted, _) => true,
        (L4::Items(wide), L4::Items(narrow)) => {
            narrow.iter().all(|one| wide.iter().any(|other| ports(&other.ports, &one.ports)))
        }
        (L4::Items(_), L4::Unrestricted) => false,
    }
}

fn ports(wide: &Ports, narrow: &Ports) -> bool {
    let within = |a: &[Protocol], b: &[Protocol]| b.iter().all(|it| a.contains(it));
    match (wide, narrow) {
        (
            Ports::Range { protocols, low, high },
            Ports::Range { protocols: inner, low: inner_low, high: inner_high },
        ) => within(protocols, inner) && low <= inner_low && inner_high <= high,
        (Ports::Range { protocols, low: 0 | 1, high: u16::MAX }, Ports::Name { protocols: inner, .. }) => {
            within(protocols, inner)
        }
        (Ports::Name { protocols, name }, Ports::Name { protocols: inner, name: inner_name }) => {
            name == inner_name && within(protocols, inner)
        }
        (Ports::Icmp(wide), Ports::Icmp(narrow)) => {
            wide.family == narrow.family && (wide.kind.is_none() || wide.kind == narrow.kind)
        }
        _ => false,
    }
}

/// Whether an item may be about this port of this protocol.
pub(crate) fn has_port(l4: &L4, protocol: Protocol, port: u16) -> bool {
    match l4 {
        L4::Unrestricted => true,
        L4::Items(items) => items.iter().any(|item| match &item.ports {
            Ports::Range { protocols, low, high } => protocols.contains(&protocol) && (*low..=*high).contains(&port),
            // Why: the number of a name is the destination's to say.
            Ports::Name { protocols, .. } => protocols.contains(&protocol),
            Ports::Icmp(_) => false,
        }),
    }
}

/// Whether two prefixes share an address.
pub(crate) fn meets(a: Prefix, b: Prefix) -> bool {
    a.covers(b) || b.covers(a)
}

/// Whether nothing of a prefix is left outside of others.
pub(crate) fn is_used_up(prefix: Prefix, others: &[Prefix]) -> bool {
    let inside: Vec<Prefix> = others.iter().copied().filter(|other| meets(prefix, *other)).collect();
    if inside.is_empty() {
        return false;
    }
    if inside.iter().any(|other| other.covers(prefix)) {
        return true;
    }
    halves(prefix).is_some_and(|[low, high]| is_used_up(low, &inside) && is_used_up(high, &inside))
}

/// The two halves of a prefix; `None` of one address.
fn halves(prefix: Prefix) -> Option<[Prefix; 2]> {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
    let len = prefix.len() + 1;
    let low = Prefix::new(prefix.addr(), len)?;
    let bit = u32::from(prefix.family().bits() - len);
    let high = match (prefix.family(), prefix.addr()) {
        (Family::V4, IpAddr::V4(addr)) => IpAddr::V4(Ipv4Addr::from_bits(addr.to_bits() | 1 << bit)),
        (_, IpAddr::V6(addr)) => IpAddr::V6(Ipv6Addr::from_bits(addr.to_bits() | 1 << bit)),
        (_, addr) => addr,
    };
    Some([low, Prefix::new(high, len)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).unwrap()
    }

    #[test]
    fn two_halves_use_a_prefix_up_and_one_does_not() {
        let block = prefix("10.0.0.0/8");
        assert!(is_used_up(block, &[prefix("10.0.0.0/9"), prefix("10.128.0.0/9")]));
        assert!(!is_used_up(block, &[prefix("10.0.0.0/9")]));
        assert!(!is_used_up(block, &[prefix("192.0.2.0/24")]));
        assert!(is_used_up(prefix("2001:db8::/127"), &[prefix("2001:db8::/128"), prefix("2001:db8::1/128")]));
    }

    #[test]
    fn a_selector_implies_what_asks_less() {
        let of = |operator: Operator| Selector::new([Requirement { source: None, key: "app".into(), operator }]);
        let values = |it: &[&str]| it.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let one = of(Operator::In(values(&["a"])));
        for wide in [Operator::In(values(&["a", "b"])), Operator::Exists, Operator::NotIn(values(&["c"]))] {
            assert!(implies(&one, &of(wide.clone())), "{wide:?}");
            assert!(!implies(&Selector::default(), &of(wide)));
        }
        assert!(!may_meet(&one, &of(Operator::DoesNotExist)));
        assert!(may_meet(&one, &of(Operator::Exists)));
        assert!(contradiction(&one.and(of(Operator::NotIn(values(&["a"]))).requirements().to_vec())).is_some());
    }
}
