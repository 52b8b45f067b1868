//! Label selectors of NetworkPolicies, replaced by what they select.

use crate::value::Value;
use std::collections::{BTreeMap, BTreeSet};

type Labels = BTreeMap<String, String>;

/// A pod as selectors see it.
struct Pod {
    namespace: String,
    labels: Labels,
}

/// Replaces the label peers of every NetworkPolicy by one peer for each namespace and set of labels that they select; a selector that
/// selects nobody stays. Says whether there was one.
pub fn list_identities(documents: &mut [Value]) -> bool {
    let of_kind =
        |kind: &'static str| documents.iter().filter(move |it| it.get("kind").and_then(Value::as_text) == Some(kind));
    let name = |it: &Value| it.dig(&["metadata", "name"]).and_then(Value::as_text).map(str::to_owned);
    let namespaces: BTreeMap<String, Labels> =
        of_kind("Namespace").filter_map(|it| Some((name(it)?, labels(it.dig(&["metadata", "labels"]))))).collect();
    let pods: Vec<Pod> = of_kind("Pod")
        .filter_map(|it| {
            let namespace = it.dig(&["metadata", "namespace"])?.as_text()?.to_owned();
            Some(Pod { namespace, labels: labels(it.dig(&["metadata", "labels"])) })
        })
        .collect();
    let keys: BTreeSet<&String> = pods.iter().flat_map(|pod| pod.labels.keys()).collect();
    let mut changed = false;
    for document in documents.iter_mut().filter(|it| it.get("kind").and_then(Value::as_text) == Some("NetworkPolicy")) {
        let own = document.dig(&["metadata", "namespace"]).and_then(Value::as_text).unwrap_or("default").to_owned();
        let Some(spec) = document.get_mut("spec") else { continue };
        for (rules, side) in [("ingress", "from"), ("egress", "to")] {
            let Some(Value::List(rules)) = spec.get_mut(rules) else { continue };
            for rule in rules {
                let Some(Value::List(peers)) = rule.get_mut(side) else { continue };
                let listed = peers.iter().flat_map(|peer| listed(peer, &own, &pods, &namespaces, &keys)).collect();
                changed |= listed != *peers;
                *peers = listed;
            }
        }
    }
    changed
}

fn listed(
    peer: &Value,
    own: &str,
    pods: &[Pod],
    namespaces: &BTreeMap<String, Labels>,
    keys: &BTreeSet<&String>,
) -> Vec<Value> {
    let (of_pods, of_namespaces) = (peer.get("podSelector"), peer.get("namespaceSelector"));
    let plain = peer.entries().iter().all(|(key, _)| key == "podSelector" || key == "namespaceSelector");
    if !plain || (of_pods.is_none() && of_namespaces.is_none()) {
        return vec![peer.clone()];
    }
    let unnamed = Labels::new();
    let there = |pod: &&Pod| match of_namespaces {
        Some(selector) => matches(selector, namespaces.get(&pod.namespace).unwrap_or(&unnamed)),
        None => pod.namespace == own,
    };
    let selected =
        pods.iter().filter(there).filter(|pod| of_pods.is_none_or(|selector| matches(selector, &pod.labels)));
    let identities: BTreeSet<(&String, &Labels)> = selected.map(|pod| (&pod.namespace, &pod.labels)).collect();
    let exact = |(namespace, labels): (&String, &Labels)| {
        let absent = keys
            .iter()
            .filter(|key| !labels.contains_key(**key))
            .map(|key| Value::map([("key", Value::text(key.as_str())), ("operator", Value::text("DoesNotExist"))]));
        let pods = Value::map([
            ("matchLabels", Value::labels(labels.iter().map(|(key, value)| (key.clone(), value.clone())))),
            ("matchExpressions", Value::List(absent.collect())),
        ]);
        let name = Value::labels([("kubernetes.io/metadata.name", namespace.as_str())]);
        Value::map([("namespaceSelector", Value::map([("matchLabels", name)])), ("podSelector", pods)])
    };
    let all: Vec<Value> = identities.into_iter().map(exact).collect();
    // Why: an empty list would mean everybody.
    if all.is_empty() { vec![peer.clone()] } else { all }
}

fn labels(value: Option<&Value>) -> Labels {
    let entries = value.map(Value::entries).unwrap_or_default().iter();
    entries.filter_map(|(key, value)| Some((key.clone(), value.as_text()?.to_owned()))).collect()
}

/// Source: the documentation of `LabelSelector` in k8s.io/apimachinery.
fn matches(selector: &Value, labels: &Labels) -> bool {
    let wanted = self::labels(selector.get("matchLabels"));
    let all = wanted.iter().all(|(key, value)| labels.get(key) == Some(value));
    let expressions = selector.get("matchExpressions").map(Value::items).unwrap_or_default();
    all && expressions.iter().all(|expression| {
        let text = |name: &str| expression.get(name).and_then(Value::as_text).unwrap_or_default();
        let value = labels.get(text("key"));
        let values = expression.get("values").map(Value::items).unwrap_or_default();
        let among = value.is_some_and(|value| values.iter().any(|it| it.as_text() == Some(value)));
        match text("operator") {
            "In" => among,
            "NotIn" => !among,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    })
}
