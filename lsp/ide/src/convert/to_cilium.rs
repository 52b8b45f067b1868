//! A NetworkPolicy as a CiliumNetworkPolicy says it.

use facts::read::At;
use hir::labels::{NAMESPACE, NAMESPACE_LABELS};
use syntax::Value;

use super::{Conditions, NAME, Policy, SIDES, Side, field, head, is_flow, only};
use crate::draft::{Comments, Draft};

/// How labels are written.
#[derive(Clone, Copy)]
struct Writing {
    /// What stands before the keys of labels of pods.
    source: &'static str,
    /// Whether the namespace of a name is asked for by that name, not by the label that has it.
    names: bool,
}

/// As people write it, and in ways that leave less to chance.
const WRITINGS: [Writing; 3] = [
    Writing { source: "", names: true },
    Writing { source: "k8s:", names: true },
    Writing { source: "k8s:", names: false },
];

/// The fields of a selector.
const SELECTOR: [&str; 2] = ["matchLabels", "matchExpressions"];

/// What the policy says, in each way of writing; nothing where a field of it has no meaning, which would be lost.
pub(super) fn drafts(policy: &Policy<'_>) -> Vec<Draft> {
    if is_known(&policy.spec).is_none() {
        return Vec::new();
    }
    WRITINGS.into_iter().map(|writing| draft(policy, writing)).collect()
}

/// Nothing where a field has no meaning.
fn is_known(spec: &At<'_>) -> Option<()> {
    only(spec, &["podSelector", "policyTypes", "ingress", "egress"])?;
    spec.get("podSelector").map_or(Some(()), |it| only(&it, &SELECTOR))?;
    for side in &SIDES {
        for rule in spec.list(side.rules) {
            only(&rule, &[side.peers, "ports"])?;
            for port in rule.list("ports") {
                only(&port, &["port", "endPort", "protocol"])?;
            }
            for peer in rule.list(side.peers) {
                is_known_peer(&peer)?;
            }
        }
    }
    Some(())
}

fn is_known_peer(peer: &At<'_>) -> Option<()> {
    if let Some(block) = peer.get("ipBlock") {
        only(peer, &["ipBlock"])?;
        return only(&block, &["cidr", "except"]);
    }
    let selectors = ["podSelector", "namespaceSelector"];
    only(peer, &selectors)?;
    selectors.iter().filter_map(|name| peer.get(name)).try_for_each(|it| only(&it, &SELECTOR))
}

fn draft(policy: &Policy<'_>, writing: Writing) -> Draft {
    let mut comments = policy.comments();
    let subjects = match policy.spec.get("podSelector") {
        Some(at) => {
            let head = head(&at, &mut comments);
            pods(policy, &at, writing, &mut comments).headed(head)
        }
        None => Draft::mapping(Vec::new(), true),
    };
    let mut entries = vec![field("endpointSelector", subjects)];
    for side in SIDES.iter().filter(|side| affects(policy, side)) {
        let list = policy.spec.get(side.rules);
        let head = list.as_ref().map(|at| head(at, &mut comments)).unwrap_or_default();
        let rules = policy.spec.list(side.rules).flat_map(|at| rule(policy, side, &at, writing, &mut comments));
        let mut rules: Vec<Draft> = rules.collect();
        if rules.is_empty() {
            // What isolates is that there is a rule. This one matches nothing.
            rules.push(Draft::mapping(Vec::new(), true));
        }
        entries.push(field(side.rules, Draft::list(rules, list.as_ref().is_some_and(is_flow)).headed(head)));
    }
    Draft::mapping(entries, false)
}

/// Whether the policy isolates a direction, as every reading has it that gives rules outside `policyTypes` an effect.
fn affects(policy: &Policy<'_>, side: &Side) -> bool {
    let types: Vec<&str> = policy.spec.list("policyTypes").filter_map(|it| it.text()).collect();
    let has_rules = policy.spec.list(side.rules).next().is_some();
    types.contains(&side.word) || has_rules || (types.is_empty() && side.rules == "ingress")
}

/// A rule: one for the peers with labels and one for the blocks of addresses, which cannot stand in one.
fn rule(policy: &Policy<'_>, side: &Side, at: &At<'_>, writing: Writing, comments: &mut Comments<'_>) -> Vec<Draft> {
    let mut first = Some(head(at, comments));
    let mut rules = peers(policy, side, at, writing, comments);
    let ports = at.get("ports").filter(|it| it.items().next().is_some());
    if let Some(list) = &ports {
        let (head, flow) = (head(list, comments), is_flow(list));
        let all = Draft::list(list.items().map(|it| port(&it, comments)).collect(), flow).headed(head);
        for (nth, rule) in rules.iter_mut().enumerate() {
            let all = if nth == 0 { all.clone() } else { all.clone().without_comments() };
            rule.push(field("toPorts", Draft::list(vec![Draft::mapping(vec![field("ports", all)], flow)], flow)));
        }
    } else if rules == [[]] {
        rules[0].push(field(&format!("{}Entities", side.prefix), Draft::list(vec![Draft::text("all")], true)));
    }
    let drafts =
        rules.into_iter().map(|fields| Draft::mapping(fields, is_flow(at)).headed(first.take().unwrap_or_default()));
    drafts.collect()
}

/// The lists of peers of a rule, each for a rule of its own; one rule without any where everybody is meant.
fn peers(
    policy: &Policy<'_>,
    side: &Side,
    at: &At<'_>,
    writing: Writing,
    comments: &mut Comments<'_>,
) -> Vec<Vec<(String, Draft)>> {
    let Some(list) = at.get(side.peers).filter(|it| it.items().next().is_some()) else { return vec![Vec::new()] };
    let mut first = Some(head(&list, comments));
    let (blocks, pods): (Vec<At<'_>>, Vec<At<'_>>) = list.items().partition(|it| it.get("ipBlock").is_some());
    let has_except = |it: &At<'_>| it.get("ipBlock").is_some_and(|block| block.list("except").next().is_some());
    let is_plain = !blocks.iter().any(has_except);
    let pods: Vec<Draft> = pods.iter().map(|it| peer(policy, it, writing, comments)).collect();
    let blocks: Vec<Draft> = blocks.iter().map(|it| block(policy, it, is_plain, comments)).collect();
    let lists = [("Endpoints", pods), (if is_plain { "CIDR" } else { "CIDRSet" }, blocks)];
    let lists = lists.into_iter().filter(|(_, items)| !items.is_empty()).map(|(name, items)| {
        let items = Draft::list(items, is_flow(&list)).headed(first.take().unwrap_or_default());
        vec![field(&format!("{}{name}", side.prefix), items)]
    });
    lists.collect()
}

fn block(policy: &Policy<'_>, at: &At<'_>, is_plain: bool, comments: &mut Comments<'_>) -> Draft {
    let head = head(at, comments);
    let Some(block) = at.get("ipBlock") else { return Draft::mapping(Vec::new(), true) };
    match block.get("cidr").filter(|_| is_plain) {
        Some(cidr) => policy.copy(&cidr, comments).headed(head),
        None => policy.copy(&block, comments).headed(head),
    }
}

/// A port. Its number is a text there, and 0 stands for all.
fn port(at: &At<'_>, comments: &mut Comments<'_>) -> Draft {
    let head = head(at, comments);
    let port = match at.get("port") {
        Some(port) => match port.value() {
            Value::Int(number) => Draft::quoted(&number.to_string()),
            _ => Draft::text(port.text().unwrap_or_default()),
        },
        None => Draft::quoted("0"),
    };
    let mut entries = vec![field("port", port)];
    entries.extend(at.get("endPort").and_then(|it| it.whole()).map(|end| field("endPort", Draft::number(end))));
    entries.push(field("protocol", Draft::text(at.text_of("protocol").unwrap_or("TCP"))));
    Draft::mapping(entries, is_flow(at)).headed(head)
}

/// The pods of the own namespace, or of those of a selector of namespaces.
fn peer(policy: &Policy<'_>, at: &At<'_>, writing: Writing, comments: &mut Comments<'_>) -> Draft {
    let head = head(at, comments);
    let of_pods = at.get("podSelector");
    let Some(namespaces) = at.get("namespaceSelector") else {
        let draft = of_pods.map(|it| pods(policy, &it, writing, comments));
        return draft.unwrap_or(Draft::mapping(Vec::new(), true)).headed(head);
    };
    let mut conditions = Conditions::default();
    add(&mut conditions, policy, &namespaces, |key| writing.key_of_namespace(key), comments);
    if conditions.is_empty() {
        let exists = [("key", Draft::text(&format!("k8s:{NAMESPACE}"))), ("operator", Draft::text("Exists"))];
        conditions.expressions.push(Draft::mapping(exists.map(|(key, it)| field(key, it)).into(), is_flow(at)));
    }
    if let Some(of_pods) = of_pods {
        add(&mut conditions, policy, &of_pods, |key| format!("{}{key}", writing.source), comments);
    }
    conditions.draft(is_flow(at)).headed(head)
}

fn pods(policy: &Policy<'_>, at: &At<'_>, writing: Writing, comments: &mut Comments<'_>) -> Draft {
    if writing.source.is_empty() {
        return policy.copy(at, comments);
    }
    let mut conditions = Conditions::default();
    add(&mut conditions, policy, at, |key| format!("{}{key}", writing.source), comments);
    conditions.draft(is_flow(at))
}

impl Writing {
    fn key_of_namespace(self, key: &str) -> String {
        if key == NAME && self.names { format!("k8s:{NAMESPACE}") } else { format!("k8s:{NAMESPACE_LABELS}{key}") }
    }
}

/// Adds the conditions of a selector.
fn add(
    conditions: &mut Conditions,
    policy: &Policy<'_>,
    at: &At<'_>,
    key: impl Fn(&str) -> String,
    comments: &mut Comments<'_>,
) {
    conditions.as_in(at);
    for (name, value) in at.get("matchLabels").map(|it| it.entries()).unwrap_or_default() {
        let head = head(&value, comments);
        conditions.labels.push((key(&name), policy.copy(&value, comments).headed(head)));
    }
    for it in at.list("matchExpressions") {
        let head = head(&it, comments);
        let name = it.text_of("key").unwrap_or_default();
        conditions.expressions.push(policy.copy(&it, comments).with("key", |_| Draft::text(&key(name))).headed(head));
    }
}
