//! The changes: lists in another order, ports for ranges, and policies to add.

use crate::generate::words;
use crate::random::Random;
use crate::value::Value;
use std::collections::BTreeSet;

/// Kinds whose rules are read in the order in which they stand.
const ORDERED: [&str; 3] = ["ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"];
/// The priority of policies that tie.
const TIED: i64 = 7;
/// Kinds that say what there is; of two container ports of one name it may matter which is the last.
const FACTS: [&str; 7] = ["Namespace", "Node", "Pod", "Service", "EndpointSlice", "Deployment", "CiliumCIDRGroup"];
/// The most ports that a range is expanded to; a list may hold no more than 40.
const WIDEST: i64 = 24;
/// The most ports in a list.
const LONGEST: usize = 40;

/// Puts the lists of every policy into another order.
pub fn shuffle_lists(documents: &mut [Value], random: &mut Random) {
    for document in documents {
        let kind = document.get("kind").and_then(Value::as_text).unwrap_or_default().to_owned();
        if FACTS.contains(&kind.as_str()) {
            continue;
        }
        let rules = |document: &Value, side: &str| document.dig(&["spec", side]).cloned();
        let kept = [("ingress", rules(document, "ingress")), ("egress", rules(document, "egress"))];
        document.visit(&mut |value| {
            if let Value::List(items) = value {
                random.shuffle(items);
            }
        });
        if ORDERED.contains(&kind.as_str()) {
            for (side, rules) in kept {
                if let (Some(spec), Some(rules)) = (document.get_mut("spec"), rules)
                    && let Some(place) = spec.get_mut(side)
                {
                    *place = rules;
                }
            }
        }
    }
}

/// Gives every policy whose rules are asked in order the same priority.
pub fn tie(documents: &mut [Value]) {
    for document in documents.iter_mut().filter(|it| is_ordered(it)) {
        if let Some(priority) = document.get_mut("spec").and_then(|spec| spec.get_mut("priority")) {
            *priority = Value::Whole(TIED);
        }
    }
}

/// Lets the policies of each ordered kind exchange their names, and all of these kinds their places.
pub fn exchange_ties(documents: &mut [Value], random: &mut Random) {
    let name = |document: &Value| document.dig(&["metadata", "name"]).cloned().unwrap_or(Value::Null);
    let mut places = Vec::new();
    for kind in ORDERED {
        let is_kind = |at: &usize| documents[*at].get("kind").and_then(Value::as_text) == Some(kind);
        let here: Vec<usize> = (0..documents.len()).filter(is_kind).collect();
        let mut names: Vec<Value> = here.iter().map(|at| name(&documents[*at])).collect();
        // Why: of two objects of one name the last counts, so that only objects with names of their own may move.
        let distinct: BTreeSet<&str> = names.iter().filter_map(Value::as_text).collect();
        if distinct.len() < here.len() {
            continue;
        }
        random.shuffle(&mut names);
        for (at, name) in here.iter().zip(names) {
            if let Some(place) = documents[*at].get_mut("metadata").and_then(|it| it.get_mut("name")) {
                *place = name;
            }
        }
        places.extend(here);
    }
    let mut moved: Vec<Value> = places.iter().map(|at| documents[*at].clone()).collect();
    random.shuffle(&mut moved);
    for (at, document) in places.into_iter().zip(moved) {
        documents[at] = document;
    }
}

fn is_ordered(document: &Value) -> bool {
    document.get("kind").and_then(Value::as_text).is_some_and(|kind| ORDERED.contains(&kind))
}

/// Replaces every range of ports that is not too wide by its ports. Says whether there was one.
pub fn expand_ranges(documents: &mut [Value]) -> bool {
    let mut changed = false;
    for document in documents {
        document.visit(&mut |value| {
            if let Value::List(items) = value {
                let longer = expanded(items);
                if longer.len() > items.len() && longer.len() <= LONGEST {
                    *items = longer;
                    changed = true;
                }
            }
        });
    }
    changed
}

fn expanded(items: &[Value]) -> Vec<Value> {
    let mut out = Vec::new();
    for item in items {
        let number = |name: &str| match item.get(name)? {
            Value::Whole(number) => Some(*number),
            Value::Text(text) => text.parse().ok(),
            _ => None,
        };
        match (number("port"), number("endPort")) {
            (Some(low), Some(high)) if low > 0 && low < high && high <= 65535 && high - low < WIDEST => {
                out.extend((low..=high).map(|port| single(item, port)));
            }
            _ => out.push(item.clone()),
        }
    }
    out
}

/// A port item with one port of its range, written as the range was.
fn single(item: &Value, port: i64) -> Value {
    let entries = item.entries().iter().filter(|(key, _)| key != "endPort").map(|(key, value)| match value {
        Value::Text(_) if key == "port" => (key.clone(), Value::text(port.to_string())),
        _ if key == "port" => (key.clone(), Value::Whole(port)),
        other => (key.clone(), other.clone()),
    });
    Value::Map(entries.collect())
}

fn object(api_version: &str, kind: &str, namespace: &str, spec: Value) -> Value {
    let metadata = Value::map([("name", Value::text("added")), ("namespace", Value::text(namespace))]);
    Value::map([
        ("apiVersion", Value::text(api_version)),
        ("kind", Value::text(kind)),
        ("metadata", metadata),
        ("spec", spec),
    ])
}

fn list(of: Value) -> Value {
    Value::List(vec![of])
}

fn nothing() -> Value {
    Value::Map(Vec::new())
}

/// A NetworkPolicy that allows something to or from all pods of a namespace.
pub fn one_allow(random: &mut Random) -> Value {
    let (direction, side, rules) = random.pick_copy(&[("Ingress", "from", "ingress"), ("Egress", "to", "egress")]);
    let mut rule = Vec::new();
    match random.below(4) {
        0 => {}
        1 => rule.push((side.to_owned(), list(Value::map([("podSelector", nothing())])))),
        2 => rule.push((side.to_owned(), list(Value::map([("namespaceSelector", nothing())])))),
        _ => {
            let block = Value::map([("cidr", words::text("cidr", random))]);
            rule.push((side.to_owned(), list(Value::map([("ipBlock", block)]))));
        }
    }
    match random.below(3) {
        0 => {}
        1 => rule.push(("ports".to_owned(), list(Value::map([("port", Value::Whole(80))])))),
        _ => {
            let range = Value::map([
                ("protocol", Value::text("UDP")),
                ("port", Value::Whole(50)),
                ("endPort", Value::Whole(85)),
            ]);
            rule.push(("ports".to_owned(), list(range)));
        }
    }
    let spec = Value::map([
        ("podSelector", nothing()),
        ("policyTypes", list(Value::text(direction))),
        (rules, list(Value::Map(rule))),
    ]);
    object("networking.k8s.io/v1", "NetworkPolicy", random.pick_copy(&words::NAMESPACES[..2]), spec)
}

/// A CiliumNetworkPolicy that denies something to or from all pods of a namespace, and isolates nothing.
pub fn one_deny(random: &mut Random) -> Value {
    let (rules, side) = random.pick_copy(&[("ingressDeny", "from"), ("egressDeny", "to")]);
    let peer = match random.below(4) {
        0 => (
            format!("{side}Entities"),
            list(Value::text(random.pick_copy(&["all", "world", "cluster", "remote-node"]))),
        ),
        1 => (format!("{side}Endpoints"), list(nothing())),
        _ => (format!("{side}CIDR"), list(words::text("cidr", random))),
    };
    let mut rule = vec![peer];
    if random.chance(1, 2) {
        let port = Value::map([("port", Value::text("80")), ("protocol", Value::text("TCP"))]);
        rule.push(("toPorts".to_owned(), list(Value::map([("ports", list(port))]))));
    }
    let open = Value::map([("ingress", Value::Flag(false)), ("egress", Value::Flag(false))]);
    let spec =
        Value::map([("endpointSelector", nothing()), ("enableDefaultDeny", open), (rules, list(Value::Map(rule)))]);
    object("cilium.io/v2", "CiliumNetworkPolicy", random.pick_copy(&words::NAMESPACES[..2]), spec)
}

/// Policies of a namespace without pods, which mention prefixes by identity and by address.
pub fn mentions(random: &mut Random) -> Vec<Value> {
    let cidr = |random: &mut Random| Value::map([("cidr", words::text("cidr", random))]);
    let blocks = (0..3).map(|_| Value::map([("ipBlock", cidr(random))])).collect();
    let by_address =
        Value::map([("podSelector", nothing()), ("ingress", list(Value::map([("from", Value::List(blocks))])))]);
    let sets = (0..3).map(|_| cidr(random)).collect();
    let by_identity = Value::map([
        ("endpointSelector", nothing()),
        ("egressDeny", list(Value::map([("toCIDRSet", Value::List(sets))]))),
    ]);
    vec![
        object("networking.k8s.io/v1", "NetworkPolicy", "nobody", by_address),
        object("cilium.io/v2", "CiliumNetworkPolicy", "nobody", by_identity),
    ]
}
