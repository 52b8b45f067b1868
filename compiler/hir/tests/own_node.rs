//! What a pod's own node may do when rules of several levels speak of it.

use facts::{Cluster, Config, Fact, Name, Node, Pod};
use flow::{Direction, L4Key, Protocol};
use hir::peers::HOST;
use hir::resolve::{BoundDirection, resolve};
use hir::subject::class_of_pod;
use hir::{
    Dialect, Effect, Entity, Entry, Isolation, L3, L4, Mentions, ObjectRef, Peer, PeerSelector, PeerTable, Policy,
    PortItem, Ports, Section, Selector, Subjects, Tier,
};

/// An isolated pod, and a deny of one port for its own node in a tier.
fn ingress(tier: Tier, order: u32, dialect: &Dialect) -> BoundDirection {
    let mut cluster = Cluster { config: Config::default(), ..Cluster::default() };
    cluster.insert(Fact::Node(Node { name: "n".into(), ips: ["10.0.0.1".parse().unwrap()].into(), ..Node::default() }));
    let ips = ["10.244.0.1".parse().unwrap()].into();
    let pod = Pod { name: Name::new("a", "web"), node: Some("n".into()), ips, ..Pod::default() };
    cluster.insert(Fact::Pod(pod.clone()));
    let host = Peer { selector: PeerSelector::Entity(Entity::Host), path: "spec.from[0]".into() };
    let ports = Ports::Range { protocols: vec![Protocol::TCP], low: 22, high: 22 };
    let entry = Entry {
        direction: Direction::Ingress,
        tier,
        order,
        effect: Effect::Deny,
        l3: L3::Any(vec![host]),
        l4: L4::Items(vec![PortItem { ports, path: "spec.ports[0]".into() }]),
        l7: None,
        auth: None,
        path: "spec".into(),
    };
    let section = Section {
        path: "spec".into(),
        subjects: Subjects::Endpoints(Selector::default()),
        ingress: Isolation::Isolates("spec".into()),
        egress: Isolation::Absent,
        requires: Vec::new(),
        entries: vec![entry],
    };
    let policy = Policy { object: ObjectRef::default(), sections: vec![section] };
    let table = PeerTable::build(&cluster, &Mentions::of(&policy), dialect);
    let class = class_of_pod(&pod, &cluster, &table, dialect).unwrap();
    resolve([&policy], &class, &table, &cluster.config, dialect).ingress
}

/// The first rule for the own node at a port, in order of levels, denies first.
fn decides(bound: &BoundDirection, port: u16) -> Option<Effect> {
    let key = L4Key::new(Protocol::TCP, port);
    let matching = bound.rules.iter().filter(|rule| rule.peers.contains(HOST) && rule.l4.contains(key));
    matching.min_by_key(|rule| (rule.tier, rule.order, rule.effect)).map(|rule| rule.effect)
}

#[test]
fn a_deny_of_any_level_beats_the_allow_for_the_own_node_while_later_tiers_are_asked() {
    for (tier, order) in [(Tier::Admin, 0), (Tier::Admin, 700), (Tier::Normal, 0), (Tier::Baseline, 0)] {
        let bound = ingress(tier, order, &Dialect::CILIUM_1_20);
        assert_eq!(decides(&bound, 22), Some(Effect::Deny), "{tier:?} {order}");
        assert_eq!(decides(&bound, 23), Some(Effect::Allow), "{tier:?} {order}");
    }
}

#[test]
fn upstream_lets_the_own_node_through_before_denies_of_later_levels() {
    let exact = |tier, order| decides(&ingress(tier, order, &Dialect::CILIUM_1_20_EXACT), 22);
    assert_eq!(exact(Tier::Normal, 0), Some(Effect::Deny));
    assert_eq!(exact(Tier::Admin, 700), Some(Effect::Deny));
    assert_eq!(exact(Tier::Baseline, 0), Some(Effect::Allow));
}

#[test]
fn where_normal_is_final_baseline_is_not_asked_of_the_own_node() {
    assert_eq!(decides(&ingress(Tier::Baseline, 0, &Dialect::STANDARD), 22), Some(Effect::Allow));
}
