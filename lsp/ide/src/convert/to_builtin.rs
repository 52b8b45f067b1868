//! A CiliumNetworkPolicy as a NetworkPolicy says it, where that has the words.

use facts::read::At;
use hir::labels::{NAMESPACE, NAMESPACE_LABELS};

use super::{Conditions, NAME, Policy, SIDES, Side, field, head, is_flow, only};
use crate::draft::{Comments, Draft};

/// What the policy says; `None` where a NetworkPolicy has no words for it.
pub(super) fn draft(policy: &Policy<'_>) -> Option<Draft> {
    let mut comments = policy.comments();
    only(&policy.spec, &["endpointSelector", "ingress", "egress", "enableDefaultDeny", "description"])?;
    let subjects = policy.spec.get("endpointSelector")?;
    let above = head(&subjects, &mut comments);
    let whom = Selected::read(policy, &subjects, &mut comments)?;
    if whom.namespaces.is_some() {
        return None;
    }
    // A NetworkPolicy has no field for words about it.
    let said = policy.spec.text_of("description").map(|it| it.lines().map(|line| format!("# {line}")).collect());
    let selector = whom.pods.draft(is_flow(&subjects)).headed(above).headed((said.unwrap_or_default(), None));
    let (mut types, mut lists) = (Vec::new(), Vec::new());
    for side in &SIDES {
        let Some(list) = policy.spec.get(side.rules).filter(|it| it.items().next().is_some()) else { continue };
        types.push(Draft::text(side.word));
        let (head, mut rules) = (head(&list, &mut comments), Vec::new());
        for at in list.items() {
            rules.extend(rule(policy, side, &at, &mut comments)?);
        }
        lists.push(field(side.rules, Draft::list(rules, is_flow(&list)).headed(head)));
    }
    let mut entries = vec![field("podSelector", selector), field("policyTypes", Draft::list(types, true))];
    entries.extend(lists);
    Some(Draft::mapping(entries, false))
}

/// A rule; nothing for one that matches nothing, `None` for one without words.
fn rule(policy: &Policy<'_>, side: &Side, at: &At<'_>, comments: &mut Comments<'_>) -> Option<Option<Draft>> {
    let above = head(at, comments);
    let names = ["Endpoints", "CIDR", "CIDRSet", "Entities"].map(|it| format!("{}{it}", side.prefix));
    let known: Vec<&str> = names.iter().map(String::as_str).chain(["toPorts"]).collect();
    only(at, &known)?;
    let lists: Vec<(&str, At<'_>)> = known[..4].iter().filter_map(|name| Some((*name, at.get(name)?))).collect();
    // A list without members selects nobody, and a NetworkPolicy has no such list.
    if lists.len() > 1 || lists.iter().any(|(_, list)| list.items().next().is_none()) {
        return None;
    }
    let mut entries = Vec::new();
    if let Some((name, list)) = lists.first() {
        let (head, peers) = (head(list, comments), peers(policy, side, name, list, comments)?);
        if !peers.is_empty() {
            entries.push(field(side.peers, Draft::list(peers, is_flow(list)).headed(head)));
        }
    }
    let ports = ports(at, comments)?;
    if lists.is_empty() && ports.is_empty() {
        return Some(None);
    }
    if let Some(list) = at.get("toPorts").filter(|_| !ports.is_empty()) {
        let flow = is_flow(&list) || list.items().any(|it| is_flow(&it));
        entries.push(field("ports", Draft::list(ports, flow)));
    }
    Some(Some(Draft::mapping(entries, is_flow(at)).headed(above)))
}

/// The members of a list of peers; none for everybody.
fn peers(
    policy: &Policy<'_>,
    side: &Side,
    name: &str,
    list: &At<'_>,
    comments: &mut Comments<'_>,
) -> Option<Vec<Draft>> {
    let mut found = Vec::new();
    for at in list.items() {
        let (head, flow) = (head(&at, comments), is_flow(&at));
        let peer = match name.strip_prefix(side.prefix)? {
            "Endpoints" => Selected::read(policy, &at, comments)?.peer(flow),
            "CIDR" => {
                let block = Draft::mapping(vec![field("cidr", policy.copy(&at, comments))], true);
                Draft::mapping(vec![field("ipBlock", block)], is_flow(list))
            }
            "CIDRSet" => {
                only(&at, &["cidr", "except"])?;
                Draft::mapping(vec![field("ipBlock", policy.copy(&at, comments))], flow)
            }
            _ if at.text() == Some("all") => continue,
            _ => return None,
        };
        found.push(peer.headed(head));
    }
    Some(found)
}

fn ports(rule: &At<'_>, comments: &mut Comments<'_>) -> Option<Vec<Draft>> {
    let mut found = Vec::new();
    for member in rule.list("toPorts") {
        only(&member, &["ports"])?;
        member.get("ports").filter(|it| it.items().next().is_some())?;
        for at in member.list("ports") {
            let mut head = Some(head(&at, comments));
            found.extend(port(&at)?.into_iter().map(|it| it.headed(head.take().unwrap_or_default())));
        }
    }
    Some(found)
}

/// A port for each protocol that it may have.
fn port(at: &At<'_>) -> Option<Vec<Draft>> {
    only(at, &["port", "endPort", "protocol"])?;
    let text = at.text_of("port")?;
    let end = at.get("endPort").and_then(|it| it.whole()).filter(|end| *end > 0);
    let protocols = match at.text_of("protocol").unwrap_or_default() {
        "" | "ANY" => vec!["TCP", "UDP", "SCTP"],
        one => vec![one],
    };
    let of_protocol = |protocol: &str| {
        let mut entries = vec![field("protocol", Draft::text(protocol))];
        match text.parse::<u16>() {
            Ok(0) if end.is_none() => {}
            Ok(number) => entries.push(field("port", Draft::number(number.into()))),
            Err(_) => entries.push(field("port", Draft::text(text))),
        }
        entries.extend(end.map(|end| field("endPort", Draft::number(end))));
        Draft::mapping(entries, is_flow(at))
    };
    Some(protocols.into_iter().map(of_protocol).collect())
}

/// Whom a selector is about.
struct Selected {
    pods: Conditions,
    /// Which namespaces; `None` for the policy's own.
    namespaces: Option<Conditions>,
}

/// What a key is of.
enum Of {
    Pods(String),
    Namespaces(String),
    /// The namespace by its name.
    Name,
}

fn of(key: &str) -> Option<Of> {
    let plain = match key.split_once(':') {
        Some(("k8s" | "any", plain)) => plain,
        Some(_) => return None,
        None => key,
    };
    match plain.strip_prefix(NAMESPACE_LABELS) {
        Some(label) => Some(Of::Namespaces(label.to_owned())),
        None if plain == NAMESPACE => Some(Of::Name),
        None if plain.starts_with("io.cilium.") || plain.starts_with('$') => None,
        None => Some(Of::Pods(plain.to_owned())),
    }
}

impl Selected {
    /// Reads a selector; `None` where a label is of neither pods nor namespaces.
    fn read(policy: &Policy<'_>, at: &At<'_>, comments: &mut Comments<'_>) -> Option<Selected> {
        only(at, &["matchLabels", "matchExpressions"])?;
        let mut found = Selected { pods: Conditions::default(), namespaces: None };
        found.pods.as_in(at);
        for (key, value) in at.get("matchLabels").map(|it| it.entries()).unwrap_or_default() {
            let of = of(&key)?;
            if matches!(of, Of::Name) && value.text() == Some(policy.namespace) {
                continue;
            }
            let head = head(&value, comments);
            let draft = policy.copy(&value, comments).headed(head);
            let (key, conditions) = found.of(of);
            conditions.labels.push((key, draft));
        }
        for it in at.list("matchExpressions") {
            let of = of(it.text_of("key")?)?;
            if matches!(of, Of::Name) && it.text_of("operator") == Some("Exists") {
                found.namespaces.get_or_insert_default();
                continue;
            }
            let head = head(&it, comments);
            let draft = policy.copy(&it, comments).headed(head);
            let (key, conditions) = found.of(of);
            conditions.expressions.push(draft.with("key", |_| Draft::text(&key)));
        }
        Some(found)
    }

    fn of(&mut self, of: Of) -> (String, &mut Conditions) {
        match of {
            Of::Pods(key) => (key, &mut self.pods),
            Of::Namespaces(key) => (key, self.namespaces.get_or_insert_default()),
            Of::Name => (NAME.to_owned(), self.namespaces.get_or_insert_default()),
        }
    }

    fn peer(self, flow: bool) -> Draft {
        let mut entries = Vec::new();
        let is_everybody = self.pods.is_empty() && self.namespaces.is_some();
        entries.extend(self.namespaces.map(|it| field("namespaceSelector", it.draft(flow))));
        if !is_everybody {
            entries.push(field("podSelector", self.pods.draft(flow)));
        }
        Draft::mapping(entries, flow)
    }
}
