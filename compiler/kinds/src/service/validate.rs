//! What the API server checks of a Service beyond its types, after it has filled in defaults.
//!
//! Source: `ValidateService` in `pkg/apis/core/validation` and the defaults of `pkg/apis/core/v1`; addresses are looked at before all
//! else, when they are given out (`pkg/registry/core/service/storage`).

use std::collections::BTreeSet;

use facts::read::At;
use syntax::Value;

use crate::address;
use crate::context::Context;
use crate::metadata::is_dns_label;
use crate::network_policy::{is_port_name, number};
use crate::problem::{Consequence, Form, Problem, ProblemKind, Stage};
use crate::selector::{is_dns_subdomain, is_label_key, is_label_value};

const API: Stage = Stage::KubernetesApi;
const TYPES: &[&str] = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const AFFINITIES: &[&str] = &["ClientIP", "None"];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const TRAFFIC: &[&str] = &["Cluster", "Local"];
const FAMILIES: &[&str] = &["IPv4", "IPv6"];
const FAMILY_POLICIES: &[&str] = &["PreferDualStack", "RequireDualStack", "SingleStack"];
const DISTRIBUTIONS: &[&str] = &["PreferClose", "PreferSameZone", "PreferSameNode"];
/// The port of the kubelet, which no load balancer may show.
const KUBELET: i64 = 10250;
/// The longest time that a client may stay with a backend, in seconds.
const LONGEST_STAY: i64 = 86_400;

/// A service as it is after defaulting.
struct Service<'t> {
    /// `spec`, or the root where there is none.
    spec: At<'t>,
    kind: String,
    headless: bool,
    /// Whether it can be reached from outside.
    outside: bool,
}

/// Checks `spec`.
pub(crate) fn validate(root: &At<'_>, ctx: &mut Context<'_>) {
    let Some(spec) = root.get("spec") else {
        return ctx.refuse(root, "spec.ports", ProblemKind::Missing { name: "spec" });
    };
    let kind = Some(spec.text_or_empty("type")).filter(|it| !it.is_empty()).unwrap_or_else(|| "ClusterIP".to_owned());
    let own = spec.text_of("clusterIP").filter(|it| !it.is_empty());
    let headless = own.or_else(|| spec.list("clusterIPs").next()?.text()) == Some("None");
    let open = kind == "LoadBalancer" || kind == "NodePort";
    let outside = open || kind == "ClusterIP" && spec.list("externalIPs").next().is_some();
    let service = Service { spec, kind, headless, outside };
    let before = ctx.problems.len();
    service.cluster_addresses(ctx);
    // Why: addresses are given out first, and where that fails nothing else is looked at.
    let is_refusal = |it: &Problem| it.consequence == Consequence::Rejected;
    if ctx.newest && ctx.problems[before..].iter().any(is_refusal) {
        let first = ctx.problems.split_off(before);
        ctx.problems.retain(|it| !is_refusal(it));
        return ctx.problems.extend(first);
    }
    service.kind(ctx);
    service.ports(ctx);
    service.rest(ctx);
    service.load_balancer(ctx);
    service.traffic(ctx);
}

/// Checks that a field, where it is there, is one of some words.
fn word(at: &At<'_>, name: &str, allowed: &'static [&'static str], ctx: &mut Context<'_>) {
    let Some(field) = at.get(name) else { return };
    let found = field.text().unwrap_or_default();
    if !allowed.contains(&found) {
        ctx.reject(&field, API, ProblemKind::NotOneOf { found: found.to_owned(), allowed });
    }
}

/// As [`word`], where the empty text counts as absent.
fn word_or_empty(at: &At<'_>, name: &str, allowed: &'static [&'static str], ctx: &mut Context<'_>) {
    if at.text_of(name) != Some("") {
        word(at, name, allowed, ctx);
    }
}

impl Service<'_> {
    fn is(&self, kind: &str) -> bool {
        self.kind == kind
    }

    /// Forbids a field that is there.
    fn forbid(&self, name: &str, beside: &'static str, ctx: &mut Context<'_>) {
        if let Some(at) = self.spec.get(name) {
            ctx.reject(&at, API, ProblemKind::Forbidden { beside });
        }
    }

    fn cluster_addresses(&self, ctx: &mut Context<'_>) {
        if self.is("ExternalName") {
            return;
        }
        let addresses: Vec<At<'_>> = self.spec.list("clusterIPs").collect();
        let list = self.spec.get("clusterIPs").unwrap_or_else(|| self.spec.clone());
        let wrong = |ctx: &mut Context<'_>| ctx.refuse(&list, "spec.clusterIPs", ProblemKind::AddressesDiffer);
        let own = self.spec.text_or_empty("clusterIP");
        // Why: one of the two alone is copied to the other before.
        if let (Some(first), false) = (addresses.first(), own.is_empty())
            && first.text() != Some(own.as_str())
        {
            wrong(ctx);
        }
        let mut seen = BTreeSet::new();
        for family in self.spec.list("ipFamilies") {
            let found = family.text().unwrap_or_default();
            if !FAMILIES.contains(&found) {
                ctx.reject(&family, API, ProblemKind::NotOneOf { found: found.to_owned(), allowed: FAMILIES });
            }
            if !seen.insert(found) {
                ctx.reject(&family, API, ProblemKind::Duplicate);
            }
        }
        word(&self.spec, "ipFamilyPolicy", FAMILY_POLICIES, ctx);
        let checked: Vec<(At<'_>, String)> = match addresses.is_empty() {
            true => self.spec.get("clusterIP").into_iter().map(|at| (at, "spec.clusterIPs[0]".to_owned())).collect(),
            false => addresses.iter().map(|at| (at.clone(), at.path())).collect(),
        };
        if addresses.len() > 2 {
            wrong(ctx);
        }
        let mut families = Vec::new();
        for (index, (at, field)) in checked.iter().enumerate() {
            match at.text().unwrap_or_default() {
                "None" if index == 0 => {
                    if checked.len() > 1 {
                        wrong(ctx);
                    }
                }
                "" if addresses.is_empty() => {}
                _ => families.extend(address::address(at, field, ctx).map(|it| it.to_canonical().is_ipv4())),
            }
        }
        if families.len() == 2 && families[0] == families[1] {
            wrong(ctx);
        }
        for ((index, family), (at, field)) in self.spec.list("ipFamilies").enumerate().zip(&checked) {
            let is_4 = families.get(index).copied().filter(|_| families.len() == checked.len());
            let differs = is_4.is_some_and(|is_4| is_4 != (family.text() == Some("IPv4")));
            if differs && family.text().is_some_and(|it| FAMILIES.contains(&it)) {
                ctx.refuse(at, field, ProblemKind::AddressesDiffer);
            }
        }
    }

    fn kind(&self, ctx: &mut Context<'_>) {
        let ports = self.spec.list("ports").next().is_some();
        if !ports && !self.headless && !self.is("ExternalName") {
            ctx.reject(&self.spec, API, ProblemKind::Missing { name: "ports" });
        }
        match self.kind.as_str() {
            "LoadBalancer" | "NodePort" if self.headless => {
                let at = self.spec.get("clusterIP").unwrap_or_else(|| self.spec.clone());
                ctx.refuse(&at, "spec.clusterIPs[0]", ProblemKind::Forbidden { beside: "type" });
            }
            "ExternalName" => self.external_name(ctx),
            _ => {}
        }
        if self.is("LoadBalancer") {
            for port in self.spec.list("ports").filter(|it| it.get("port").and_then(|it| it.whole()) == Some(KUBELET)) {
                ctx.reject(&port, API, ProblemKind::Forbidden { beside: "type" });
            }
        }
        word_or_empty(&self.spec, "type", TYPES, ctx);
    }

    fn external_name(&self, ctx: &mut Context<'_>) {
        let own = self.spec.get("clusterIP").filter(|it| it.text() != Some(""));
        if let Some(at) = self.spec.get("clusterIPs").filter(|it| it.items().next().is_some()).or(own) {
            ctx.refuse(&at, "spec.clusterIPs", ProblemKind::Forbidden { beside: "type" });
        }
        if self.spec.list("ipFamilies").next().is_some() {
            self.forbid("ipFamilies", "type", ctx);
        }
        self.forbid("ipFamilyPolicy", "type", ctx);
        let name = self.spec.text_or_empty("externalName");
        match (self.spec.get("externalName"), name.strip_suffix('.').unwrap_or(&name)) {
            (Some(at), plain) if !plain.is_empty() => {
                if !is_dns_subdomain(plain) {
                    ctx.reject(&at, API, ProblemKind::BadForm { found: name.clone(), wanted: Form::DnsName });
                }
            }
            _ => ctx.reject(&self.spec, API, ProblemKind::Missing { name: "externalName" }),
        }
    }

    fn ports(&self, ctx: &mut Context<'_>) {
        let ports: Vec<At<'_>> = self.spec.list("ports").collect();
        let (mut names, mut pairs, mut nodes) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
        for port in &ports {
            one_port(port, ports.len() > 1, &mut names, ctx);
            let whole = |name: &str| port.get(name).and_then(|it| it.whole()).unwrap_or(0);
            let protocol = Some(port.text_or_empty("protocol")).filter(|it| !it.is_empty());
            let protocol = protocol.unwrap_or_else(|| "TCP".to_owned());
            if let (node, Some(at)) = (whole("nodePort"), port.get("nodePort"))
                && node != 0
            {
                if self.is("ClusterIP") {
                    ctx.reject(&at, API, ProblemKind::Forbidden { beside: "type" });
                }
                if !nodes.insert((protocol.clone(), node)) {
                    ctx.reject(&at, API, ProblemKind::Duplicate);
                }
            }
            if !pairs.insert((protocol, whole("port"))) {
                ctx.reject(port, API, ProblemKind::Duplicate);
            }
        }
    }

    fn rest(&self, ctx: &mut Context<'_>) {
        for (key, value) in self.spec.get("selector").map(|it| it.entries()).unwrap_or_default() {
            let text = value.text().unwrap_or_default();
            if !is_label_key(&key) {
                ctx.refuse(
                    &value,
                    "spec.selector",
                    ProblemKind::BadForm { found: key.into_owned(), wanted: Form::LabelKey },
                );
            }
            if !is_label_value(text) {
                let kind = ProblemKind::BadForm { found: text.to_owned(), wanted: Form::LabelValue };
                ctx.refuse(&value, "spec.selector", kind);
            }
        }
        word_or_empty(&self.spec, "sessionAffinity", AFFINITIES, ctx);
        let stay = self.spec.dig(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]);
        if let ("ClientIP", Some(at)) = (self.spec.text_or_empty("sessionAffinity").as_str(), stay) {
            let found = at.whole().unwrap_or_default();
            if !(1..=LONGEST_STAY).contains(&found) {
                ctx.reject(&at, API, ProblemKind::OutOfRange { found, least: 1, greatest: LONGEST_STAY });
            }
        }
        for at in self.spec.list("externalIPs") {
            let special = address::address(&at, &at.path(), ctx).filter(|it| address::is_special(it.to_canonical()));
            if special.is_some() {
                let found = at.text().unwrap_or_default().to_owned();
                ctx.reject(&at, API, ProblemKind::BadForm { found, wanted: Form::PublicAddress });
            }
        }
    }

    fn load_balancer(&self, ctx: &mut Context<'_>) {
        // Why: the API server writes this field's name with a capital in its answers.
        const RANGES: &str = "spec.LoadBalancerSourceRanges";
        let is_balanced = self.is("LoadBalancer");
        if let Some(ranges) = self.spec.get("loadBalancerSourceRanges").filter(|it| it.items().next().is_some()) {
            if !is_balanced {
                ctx.refuse(&ranges, RANGES, ProblemKind::Forbidden { beside: "type" });
            }
            for (index, at) in ranges.items().enumerate() {
                // Why: blanks around a prefix were always let pass here.
                address::prefix_with_blanks(&at, &format!("{RANGES}[{index}]"), ctx);
            }
        }
        if !is_balanced {
            self.forbid("allocateLoadBalancerNodePorts", "type", ctx);
            self.forbid("loadBalancerClass", "type", ctx);
        } else if let Some(at) = self.spec.get("loadBalancerClass") {
            let found = at.text().unwrap_or_default();
            if !is_label_key(found) {
                ctx.reject(&at, API, ProblemKind::BadForm { found: found.to_owned(), wanted: Form::LabelKey });
            }
        }
    }

    fn traffic(&self, ctx: &mut Context<'_>) {
        let policy = self.spec.text_or_empty("externalTrafficPolicy");
        if self.outside {
            word_or_empty(&self.spec, "externalTrafficPolicy", TRAFFIC, ctx);
        } else if !policy.is_empty() {
            self.forbid("externalTrafficPolicy", "type", ctx);
        }
        let asked = self.spec.get("healthCheckNodePort").and_then(|at| Some((at.clone(), at.whole()?)));
        match asked {
            Some((at, port)) if port != 0 && !(self.is("LoadBalancer") && policy == "Local") => {
                ctx.reject(&at, API, ProblemKind::Forbidden { beside: "externalTrafficPolicy" });
            }
            Some((at, port)) if port != 0 => number(&at, port, ctx),
            _ => {}
        }
        word(&self.spec, "internalTrafficPolicy", TRAFFIC, ctx);
        word(&self.spec, "trafficDistribution", DISTRIBUTIONS, ctx);
    }
}

fn one_port(at: &At<'_>, beside_others: bool, names: &mut BTreeSet<String>, ctx: &mut Context<'_>) {
    let name = at.text_or_empty("name");
    match at.get("name") {
        Some(field) if !name.is_empty() => {
            if !is_dns_label(&name) {
                ctx.reject(&field, API, ProblemKind::BadForm { found: name.clone(), wanted: Form::DnsLabel });
            }
            if !names.insert(name) {
                ctx.reject(&field, API, ProblemKind::Duplicate);
            }
        }
        _ if beside_others => ctx.reject(at, API, ProblemKind::Missing { name: "name" }),
        _ => {}
    }
    let port = at.get("port").and_then(|it| it.whole()).unwrap_or(0);
    let in_range = (1..=65535).contains(&port);
    let range = ProblemKind::OutOfRange { found: port, least: 1, greatest: 65535 };
    match at.get("port") {
        Some(field) if !in_range => ctx.reject(&field, API, range.clone()),
        None => ctx.reject(at, API, ProblemKind::Missing { name: "port" }),
        Some(_) => {}
    }
    word_or_empty(at, "protocol", PROTOCOLS, ctx);
    let target = at.get("targetPort");
    match target.as_ref().map(|it| it.value()) {
        // Why: an absent target is the port itself, so the port's fault is named a second time.
        None | Some(Value::Int(0) | Value::Str("")) if !in_range => {
            ctx.refuse(at, &format!("{}.targetPort", at.path()), range);
        }
        Some(Value::Int(found)) if found != 0 => target.iter().for_each(|at| number(at, found, ctx)),
        Some(Value::Str(found)) if !found.is_empty() && !is_port_name(found) => {
            let kind = ProblemKind::BadForm { found: found.to_owned(), wanted: Form::PortName };
            target.iter().for_each(|at| ctx.reject(at, API, kind.clone()));
        }
        _ => {}
    }
    if let Some(field) = at.get("appProtocol") {
        let found = field.text().unwrap_or_default();
        if !is_label_key(found) {
            ctx.reject(&field, API, ProblemKind::BadForm { found: found.to_owned(), wanted: Form::LabelKey });
        }
    }
}
