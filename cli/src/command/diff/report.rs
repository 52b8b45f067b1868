//! What `diff` found, as JSON has it.

use super::sides::{Read, Side};
use crate::cluster::ClusterEntry;
use crate::render;
use crate::report::{API_VERSION, DialectEntry, Incomplete, TraceCause};
use delta::{Change, Decided, Delta, Kind, Passes, Step};
use driver::{Database, locate, world};
use flow::{Auth, Direction};
use schemars::JsonSchema;
use serde::Serialize;

/// What `diff` found.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffReport {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: &'static str,
    /// Always `DiffReport`.
    pub kind: &'static str,
    /// The cluster facts that both sides share; absent where `--cluster` gave none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<ClusterEntry>,
    /// What was.
    pub old: DiffSide,
    /// What is to be.
    pub new: DiffSide,
    /// What could not be read, so that flows may change that are not listed; each as a place and why. Absent when everything was.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
    /// Manifests that `exclude` or an ignore file leaves out and that differ between the sides, so that flows may change that are not listed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// How the configuration, which holds for both sides, differs from that of OLD's revision; absent where it does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// Where audit mode (`policy-audit-mode`) is of one side alone: `turned-on` lets pass and logs what policies deny, `turned-off` no longer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audit_mode: Option<AuditMode>,
    /// Counts.
    pub summary: Total,
    /// The worst first; empty when nothing changes.
    pub changes: Vec<ChangeEntry>,
    /// What differs and is not evaluated, so that other flows may change than those listed: clauses as object and path, policies of other
    /// engines as engine and object.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_evaluated: Vec<String>,
    /// Whether selectors can meet in more ways, on pods that no file tells of, than were compared; absent where every one was.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub more_ways: bool,
    /// Policies of egress gateways that differ: the routes that they choose are not compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<String>,
}

/// A change of audit mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuditMode {
    /// What policies deny passes and is logged.
    TurnedOn,
    /// What policies deny no longer passes.
    TurnedOff,
}

impl AuditMode {
    /// What differs between the sides.
    fn of([old, new]: &[Side; 2]) -> Option<AuditMode> {
        let audit = |side: &Side| world::cluster(&side.db).config.audit;
        match (audit(old), audit(new)) {
            (false, true) => Some(AuditMode::TurnedOn),
            (true, false) => Some(AuditMode::TurnedOff),
            _ => None,
        }
    }

    /// In a sentence.
    pub fn sentence(self) -> &'static str {
        match self {
            AuditMode::TurnedOn => "Audit mode is turned on: what policies deny passes and is logged.",
            AuditMode::TurnedOff => "Audit mode is turned off: what policies deny no longer passes.",
        }
    }
}

/// One side of a comparison.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffSide {
    /// As it was named.
    pub name: String,
    /// The reading of the language that was used.
    pub dialect: DialectEntry,
    /// Policies that take part.
    pub policies: usize,
    /// Policies that a cluster refuses, so that they take no part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<String>,
    /// Policies of other engines, which are not evaluated.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub incomplete: Vec<Incomplete>,
    /// How many manifests `exclude` and ignore files leave out; absent for none.
    #[serde(skip_serializing_if = "is_zero")]
    pub excluded: usize,
    /// Pods and workloads that this side alone has; their flows are compared as if both had them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only_here: Vec<String>,
}

/// How many rows there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Total {
    /// Flows that begin to pass, those from or to the world included.
    pub gained: usize,
    /// Those of them with addresses outside the cluster.
    pub gained_from_world: usize,
    /// Flows that no longer pass.
    pub lost: usize,
    /// Flows that pass before and after, of which a proxy surely admits more requests, or which no proxy asks any more.
    pub widened: usize,
    /// Those of them with addresses outside the cluster.
    pub widened_with_world: usize,
    /// Flows that pass before and after, of which a proxy surely refuses more requests, or which need authentication.
    pub tightened: usize,
    /// Flows that pass before and after, but not alike: nobody can say which lets more through.
    pub altered: usize,
    /// Those of them with addresses outside the cluster.
    pub altered_with_world: usize,
    /// Changes at one end that the other end keeps from having an effect.
    pub one_end: usize,
    /// Changes that hang on facts that were not read; clauses and policies that differ and are not evaluated; manifests that differ and
    /// are excluded; a change of audit mode.
    pub unknown: usize,
}

impl Total {
    /// Whether anything changes.
    pub fn any(&self) -> bool {
        *self != Total::default()
    }
}

/// Flows that change alike and because of the same rules.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeEntry {
    /// `gained`, `widened`, `lost`, `altered` or `tightened`.
    pub change: String,
    /// `ingress` of the subjects, or their `egress`.
    pub direction: String,
    /// Whose policies decide otherwise.
    pub subjects: Vec<String>,
    /// Who is on the other side.
    pub peers: Vec<String>,
    /// Whether addresses outside the cluster are among the peers.
    pub world: bool,
    /// Whether one end is nobody in the files: what policies mention, such as labels that no pod carries.
    pub supposed: bool,
    /// Protocols and ports, for example `tcp/80,udp/1000-2000`; a name where no pod in the files says its number.
    pub ports: String,
    /// Whether the flow changes from end to end; otherwise the other end keeps it closed.
    pub end_to_end: bool,
    /// Facts that were not read and on which it hangs whether this is a change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// What decided before.
    pub old: Decision,
    /// What decides now.
    pub new: Decision,
    /// One of the flows, for example `shop/web -> shop/db tcp/5432`.
    pub sample: String,
}

/// What decides at one end on one side.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// `allow`, `deny` or `redirect`.
    pub verdict: String,
    /// `rule`, `default-deny` or `default-allow`.
    pub because: String,
    /// The rules; for a default deny, what isolates the subject.
    pub by: Vec<TraceCause>,
    /// For a redirect, which proxy and what it admits; every request when the list is empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proxied: Option<DiffProxied>,
    /// Authentication that must hold first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authentication: Option<String>,
}

/// What a proxy admits.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiffProxied {
    /// Which proxy, for example `http`.
    pub proxy: String,
    /// What it admits; every request when this is empty.
    pub asks: Vec<String>,
}

impl DiffReport {
    /// The report of a comparison.
    pub fn of(read: &Read, delta: &Delta) -> DiffReport {
        let sides = &read.sides;
        let side = |at: usize, only_here: &[String]| DiffSide {
            name: sides[at].name.clone(),
            dialect: DialectEntry::of(&sides[at].choice),
            policies: delta.policies[at],
            refused: delta.rejected[at].iter().map(ToString::to_string).collect(),
            incomplete: Incomplete::of(&sides[at].db),
            excluded: read.left_out.counts[at],
            only_here: only_here.to_vec(),
        };
        let (counted, audit_mode) = (total(delta), AuditMode::of(sides));
        let audited = usize::from(audit_mode.is_some());
        DiffReport {
            api_version: API_VERSION,
            kind: "DiffReport",
            cluster: read.cluster.clone(),
            old: side(0, &delta.apart.only_old),
            new: side(1, &delta.apart.only_new),
            unread: read.unread.clone(),
            left_out: read.left_out.differing.clone(),
            configuration: read.left_out.configuration.clone(),
            audit_mode,
            summary: Total { unknown: counted.unknown + read.left_out.differing.len() + audited, ..counted },
            changes: delta.changes.iter().map(|it| entry(sides, it)).collect(),
            not_evaluated: not_evaluated(delta),
            more_ways: delta.is_cut,
            routes: delta.gateways.iter().map(ToString::to_string).collect(),
        }
    }
}

fn is_zero(n: &usize) -> bool {
    *n == 0
}

fn not_evaluated(delta: &Delta) -> Vec<String> {
    let clauses = delta.unevaluated.iter().map(|(object, path)| format!("{object} {path}"));
    clauses.chain(delta.foreign.iter().map(|(engine, object)| format!("{engine} {object}"))).collect()
}

fn total(delta: &Delta) -> Total {
    let mut total = Total { unknown: delta.unevaluated.len() + delta.foreign.len(), ..Total::default() };
    for change in &delta.changes {
        match change.kind {
            _ if !change.missing.is_empty() => total.unknown += 1,
            _ if !change.end_to_end => total.one_end += 1,
            Kind::Gained => {
                total.gained += 1;
                total.gained_from_world += usize::from(change.world);
            }
            Kind::Widened => {
                total.widened += 1;
                total.widened_with_world += usize::from(change.world);
            }
            Kind::Lost => total.lost += 1,
            Kind::Tightened => total.tightened += 1,
            Kind::Altered => {
                total.altered += 1;
                total.altered_with_world += usize::from(change.world);
            }
        }
    }
    total
}

fn entry(sides: &[Side; 2], change: &Change) -> ChangeEntry {
    let direction = match change.direction {
        Direction::Ingress => "ingress",
        Direction::Egress => "egress",
    };
    ChangeEntry {
        change: change.kind.to_string(),
        direction: direction.to_owned(),
        subjects: change.subjects.names.clone(),
        peers: change.peers.names.clone(),
        world: change.world,
        supposed: change.subjects.supposed || change.peers.supposed,
        ports: change.ports(),
        end_to_end: change.end_to_end,
        missing: change.missing.iter().cloned().collect(),
        old: decision(&sides[0].db, &change.old),
        new: decision(&sides[1].db, &change.new),
        sample: change.sample(),
    }
}

fn decision(db: &Database, decided: &Decided) -> Decision {
    let (verdict, proxied) = match &decided.fate.passes {
        Passes::Denied => ("deny", None),
        Passes::Directly => ("allow", None),
        Passes::Proxied { proxy, asks } => ("redirect", Some(DiffProxied { proxy: proxy.clone(), asks: asks.clone() })),
    };
    let because = match decided.step {
        Step::Rules => "rule",
        Step::Isolated => "default-deny",
        Step::Open => "default-allow",
    };
    let authentication = match decided.fate.auth {
        Auth::Disabled => None,
        Auth::Required => Some("required".to_owned()),
        Auth::AlwaysFail => Some("always-fail".to_owned()),
    };
    let cause = |origin: &rules::Origin| {
        let place = locate::locate(db, origin);
        let place = place.and_then(|place| Some(render::place_of(db, db.file(place.file)?, place.span)));
        TraceCause { object: origin.object.clone(), path: origin.path.clone(), place }
    };
    Decision {
        verdict: verdict.to_owned(),
        because: because.to_owned(),
        by: decided.by.iter().map(cause).collect(),
        proxied,
        authentication,
    }
}
