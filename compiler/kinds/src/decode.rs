//! From a document to decoded objects.

use facts::decode::{Object, decode_with, has_no_list, is_snapshot, objects};
use facts::dns_cache;
use facts::read::At;
use hir::gateway::GatewayPolicy;
use hir::{Dialect, ObjectRef, Policy};
use syntax::{NodeId, Tree, Value};

use crate::checked::{Role, deprecated};
use crate::context::Context;
use crate::foreign;
use crate::metadata;
use crate::problem::{Consequence, Problem, ProblemKind, Stage};
use crate::registry::{Class, Kind, classify, fact_kind};
use crate::schema;

/// One decoded object of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// Where it is in the document: empty, or `items[3]` in a list. Paths of problems and origins begin below it.
    pub at: String,
    /// Its kind, namespace and name.
    pub object: ObjectRef,
    /// What came of it.
    pub what: What,
    /// Everything wrong with it, in order of reading.
    pub problems: Vec<Problem>,
}

/// What came of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A policy that has its effect.
    Policy(Policy),
    /// A policy of egress gateways that has its effect: it allows and denies nothing.
    Gateway(GatewayPolicy),
    /// A policy that is refused and has no effect at all.
    Rejected,
    /// A fact about the cluster, and what was wrong with it; `None` when it cannot even be named.
    Fact(Option<facts::Fact>, Vec<facts::decode::Problem>),
    /// Nothing that matters here, or nothing that we know; the problems tell which.
    Other,
}

impl Decoded {
    /// Whether a cluster would take the object.
    pub fn accepted(&self) -> bool {
        !matches!(self.what, What::Rejected) && !self.problems.iter().any(|it| it.consequence == Consequence::Rejected)
    }
}

/// Facts that stand in no namespace.
const CLUSTER_SCOPED: [&str; 6] = ["Namespace", "Node", "CiliumCIDRGroup", "CiliumNode", "DnsCache", "CloudGroups"];

/// Decodes every object of a document. Lists are looked into. An object that names no namespace is in `namespace`.
///
/// Shape: one entry for each object, in order; none for a document that is a list without members. Never fails.
pub fn decode(tree: &Tree, root: NodeId, namespace: &str, dialect: &Dialect) -> Vec<Decoded> {
    let root = At::root(tree, root).in_namespace(namespace);
    if dns_cache::is_list(&root) {
        let mut problems = Vec::new();
        let fact = dns_cache::list(&root, &mut problems);
        let object = ObjectRef { kind: "DnsCache".to_owned(), ..ObjectRef::default() };
        return vec![Decoded {
            at: String::new(),
            object,
            what: What::Fact(Some(fact), problems),
            problems: Vec::new(),
        }];
    }
    let objects = objects(&root);
    // Why: its facts lack fields that an API server asks for, on purpose.
    let reviewed = !is_snapshot(root.text_of("apiVersion").unwrap_or(""), root.text_of("kind").unwrap_or(""));
    let decoded = objects.iter().map(|object| {
        let mut decoded = decode_object(object, dialect, reviewed);
        if let Some(version) = deprecated(&object.api_version, &object.kind) {
            let kind = ProblemKind::DeprecatedVersion(version);
            decoded.problems.push(Problem::new("", Stage::Schema, Consequence::Kept, kind));
        }
        decoded
    });
    decoded.collect()
}

fn decode_object(object: &Object<'_>, dialect: &Dialect, reviewed: bool) -> Decoded {
    let at = object.at.as_root();
    let class = classify(&object.api_version, &object.kind);
    let namespaced = match class {
        Class::Policy(kind) => kind.namespaced,
        Class::Checked(known) => known.kind.namespaced,
        Class::Fact(_) => !CLUSTER_SCOPED.contains(&object.kind.as_str()),
        Class::Foreign(_) => foreign::is_namespaced(&object.kind),
        Class::List | Class::Unknown | Class::Removed(_) | Class::Other => true,
    };
    let name = object_ref(&at, &object.kind, namespaced);
    let decoded =
        |what: What, problems: Vec<Problem>| Decoded { at: object.at.path(), object: name.clone(), what, problems };
    let whole =
        |stage: Stage, consequence: Consequence, kind: ProblemKind| vec![Problem::new("", stage, consequence, kind)];
    let (api_version, kind) = (object.api_version.clone(), object.kind.clone());
    if !matches!(at.value(), Value::Mapping(_)) || api_version.is_empty() || kind.is_empty() {
        return decoded(What::Other, whole(Stage::Decode, Consequence::Rejected, ProblemKind::NotAnObject));
    }
    if let Some(items) = at.get("items").filter(|_| has_no_list(&at, &api_version, &kind)) {
        let wrong = ProblemKind::WrongType { wanted: "sequence", found: items.value().kind() };
        return decoded(What::Other, vec![Problem::new("items", Stage::Decode, Consequence::Rejected, wrong)]);
    }
    match class {
        Class::Policy(kind) => {
            let (policy, problems) = decode_policy(&at, kind, name.clone(), dialect);
            decoded(policy.map_or(What::Rejected, What::Policy), problems)
        }
        Class::Fact(decoder) => {
            let fact = decode_with(decoder, &at);
            if fact.fact.is_none() && fact.problems.is_empty() {
                return decoded(What::Other, Vec::new());
            }
            let kind = fact_kind(&api_version, &kind).filter(|_| reviewed);
            let problems =
                kind.map(|kind| review(&at, kind, name.clone(), dialect, false).problems).unwrap_or_default();
            decoded(What::Fact(fact.fact, fact.problems), problems)
        }
        Class::Checked(known) => {
            let mut ctx = review(&at, &known.kind, name.clone(), dialect, false);
            let gateway = known.gateway.map(|read| read(&at, &mut ctx));
            let what = match gateway {
                Some(policy) if !ctx.is_rejected() => What::Gateway(policy),
                Some(_) | None => What::Other,
            };
            let mut problems = ctx.problems;
            if known.role != Role::Records {
                let kind = ProblemKind::KindNotYet { role: known.role, api_version, kind };
                problems.extend(whole(Stage::Reach, Consequence::Closed, kind));
            }
            decoded(what, problems)
        }
        Class::Unknown => {
            let kind = ProblemKind::UnknownKind { api_version, kind };
            decoded(What::Other, whole(Stage::Decode, Consequence::Rejected, kind))
        }
        Class::Removed(removed) => {
            let kind = ProblemKind::RemovedKind(removed);
            decoded(What::Other, whole(Stage::Decode, Consequence::Rejected, kind))
        }
        Class::Foreign(engine) if foreign::can_decide(&kind, &at) => {
            let kind = ProblemKind::Foreign { engine };
            decoded(What::Other, whole(Stage::Reach, Consequence::Closed, kind))
        }
        Class::List | Class::Foreign(_) | Class::Other => decoded(What::Other, Vec::new()),
    }
}

/// Decodes one policy object; `None` when it is rejected.
fn decode_policy(at: &At<'_>, kind: &Kind, object: ObjectRef, dialect: &Dialect) -> (Option<Policy>, Vec<Problem>) {
    let mut ctx = review(at, kind, object, dialect, false);
    let sections = (kind.decode)(at, &mut ctx);
    let policy = Policy { object: ctx.object.clone(), sections };
    let rejected = ctx.is_rejected();
    ((!rejected).then_some(policy), ctx.problems)
}

/// What the API server says of an object; `newest`: not any server, but the newest.
pub(crate) fn review<'d>(
    at: &At<'_>,
    kind: &Kind,
    object: ObjectRef,
    dialect: &'d Dialect,
    newest: bool,
) -> Context<'d> {
    let mut ctx = Context { dialect, object, problems: Vec::new(), newest };
    metadata::check(at, kind.namespaced, kind.is_name, &mut ctx);
    schema::check(at, &kind.schema, dialect.removed_fields, &mut ctx.problems);
    // Why: what cannot be decoded is not validated there; people want to hear of all faults at once.
    if !newest || !ctx.problems.iter().any(|it| it.stage == Stage::Decode) {
        (kind.validate)(at, &mut ctx);
    }
    ctx
}

pub(crate) fn object_ref(at: &At<'_>, kind: &str, namespaced: bool) -> ObjectRef {
    let metadata = |name: &str| at.dig(&["metadata", name]).and_then(|it| it.text()).unwrap_or_default().to_owned();
    let mut namespace = metadata("namespace");
    if !namespaced {
        namespace.clear();
    } else if namespace.is_empty() {
        namespace.push_str(at.namespace());
    }
    // Why: an object with `generateName` only gets its name from the API server; until then it is known by that text.
    let name = Some(metadata("name")).filter(|name| !name.is_empty()).unwrap_or_else(|| metadata("generateName"));
    ObjectRef { kind: kind.to_owned(), namespace, name }
}
