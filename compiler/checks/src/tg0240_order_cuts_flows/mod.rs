//! An order of application in which a flow is cut that passes before it and after it.

mod flux;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use diag::{Diagnostic, Severity};
use diagram::Limits;
use driver::Db;
use driver::meaning::slot;
use flow::{Direction, L4Key, PeerId};
use hir::peers::UNKNOWN;
use hir::subject::{self, Class, Subject};
use rules::{Origin, RuleSet};

use crate::traces::{self, Trace};
use crate::find::Finder;
use crate::page::{Page, page};
use crate::surplus::{Index, Trial, place};
use crate::words::quoted;
use steps::{Step, Steps};

pub const PAGE: Page = page!(240, "order-cuts-flows", Warning, "0.1.0", Correctness);

/// A flow that is cut between two steps.
struct Cut {
    flow: String,
    /// The last step that is applied.
    after: Step,
    /// Who drops it then.
    by: Origin,
    /// Whether its subject is there then: a pod that runs, or one of a workload that is applied by then.
    is_there: bool,
}

/// Whether any file may say in which order objects are applied.
pub(crate) fn is_asked(db: &dyn Db) -> bool {
    [Trace::Order, Trace::Kustomization].into_iter().any(|trace| !traces::files(db, trace).is_empty())
}

pub fn find(db: &dyn Db, finder: &Finder, index: &Index<'_>, documents: bool) -> Vec<Diagnostic> {
    if !documents && !is_asked(db) {
        return Vec::new();
    }
    let steps = Steps::new(db, documents);
    let of_policies: Vec<Step> = (0..index.policies.len()).map(|at| steps.of(index.object(at))).collect();
    let several: BTreeSet<Step> = of_policies.iter().copied().collect();
    if steps.is_empty() || several.len() < 2 {
        return Vec::new();
    }
    let all: BTreeSet<usize> = (0..index.policies.len()).collect();
    let trial = Trial::new(db, index, &all, finder, &[], None);
    let order = Order { trial: &trial, finder, index, steps: &steps };
    let cuts = order.cuts(&of_policies);
    let found = cuts.iter().filter_map(|(late, cut)| {
        let better = order.better(&of_policies, &cuts, late, cut);
        render(db, &steps, late, cut, better)
    });
    found.collect()
}

/// Everything that an order is judged by.
struct Order<'t, 'i, 'p> {
    trial: &'t Trial<'i, 'p>,
    finder: &'t Finder,
    index: &'t Index<'p>,
    steps: &'t Steps,
}

impl Order<'_, '_, '_> {
    /// The first flow that is cut because of each object that comes late, when policies have these steps.
    fn cuts(&self, of_policies: &[Step]) -> BTreeMap<String, Cut> {
        let mut cuts = BTreeMap::new();
        for (class, subjects, end) in self.trial.classes() {
            let sections = |at: &usize| self.index.policies[*at].sections.iter();
            let about: Vec<usize> =
                (0..of_policies.len()).filter(|at| sections(at).any(|it| subject::selects(it, class))).collect();
            let steps: BTreeSet<Step> = about.iter().map(|at| of_policies[*at]).collect();
            for step in steps.iter().rev().skip(1) {
                let applied = about.iter().copied().filter(|at| of_policies[*at] <= *step);
                let middle = rules_of(self.trial, self.finder, self.index, class, applied);
                let Some(subject) = present(self.trial, self.finder, self.steps, subjects, *step) else { continue };
                for direction in Direction::BOTH {
                    let (middle, end) = (&middle[slot(direction)], &end[slot(direction)]);
                    self.note(of_policies, (*step, direction), middle, end, subject, &mut cuts);
                }
            }
        }
        cuts
    }

    fn note(
        &self,
        of_policies: &[Step],
        (step, direction): (Step, Direction),
        middle: &RuleSet,
        end: &RuleSet,
        subject: (&Subject, bool),
        cuts: &mut BTreeMap<String, Cut>,
    ) {
        let Some((peer, key)) = lost(self.trial, middle, end) else { return };
        let step_of = |object: &str| self.policy(object).map(|at| of_policies[at]);
        let late = oracle::decide(end, peer, key).by;
        let mut late = late.iter().filter_map(|id| end.origin(*id));
        let late = late.find(|it| step_of(&it.object).is_some_and(|it| it > step));
        let by = oracle::decide(middle, peer, key).by;
        let by = by.first().and_then(|id| middle.origin(*id));
        let (Some(late), Some(by)) = (late, by) else { return };
        let flow = self.trial.flow(subject.0, peer, direction, key);
        let cut = Cut { flow, after: step, by: by.clone(), is_there: subject.1 };
        let first = cuts.entry(late.object.clone());
        first.and_modify(|it| it.is_there |= cut.is_there).or_insert(cut);
    }

    fn policy(&self, object: &str) -> Option<usize> {
        (0..self.index.policies.len()).find(|at| self.index.object(*at) == object)
    }

    /// The step at which the late object cuts nothing, all else as it is; `None` when there is none beside what closes.
    fn better(&self, of_policies: &[Step], cuts: &BTreeMap<String, Cut>, late: &str, cut: &Cut) -> Option<Step> {
        // Why: each order is judged as a whole, and who has this many gaps mends the first and asks again.
        const JUDGED: usize = 8;
        if cuts.len() > JUDGED {
            return None;
        }
        let step = of_policies[self.policy(&cut.by.object)?].beside();
        let mut moved = of_policies.to_vec();
        moved[self.policy(late)?] = step;
        let left = self.cuts(&moved);
        (!left.contains_key(late) && left.keys().all(|it| cuts.contains_key(it))).then_some(step)
    }
}

/// The rules of a class when some policies are applied.
fn rules_of(
    trial: &Trial<'_, '_>,
    finder: &Finder,
    index: &Index<'_>,
    class: &Class,
    applied: impl Iterator<Item = usize>,
) -> [RuleSet; 2] {
    let policies = applied.map(|at| &**index.policies[at]);
    let bound = hir::resolve(policies, class, trial.table(), &trial.cluster().config, finder.dialect);
    let (ingress, egress) = lower::lower(&bound);
    [ingress, egress]
}

/// A subject that may be there after a step, and whether it surely is; `None` when all of them come later.
fn present<'s>(
    trial: &Trial<'_, '_>,
    finder: &Finder,
    steps: &Steps,
    subjects: &'s [Subject],
    wave: Step,
) -> Option<(&'s Subject, bool)> {
    let mut unknown = None;
    for subject in subjects {
        let Subject::Pod(name) = subject else { return Some((subject, true)) };
        if !trial.is_imagined(subject) {
            return Some((subject, true));
        }
        let mut makers = finder.cluster.workloads.values().filter(|it| it.name == *name).peekable();
        match makers.peek() {
            None => unknown = Some((subject, false)),
            Some(_) => {
                if makers.any(|it| steps.of(&format!("{:?} {}", it.kind, it.name)) <= wave) {
                    return Some((subject, true));
                }
            }
        }
    }
    unknown
}

/// A flow that the end allows and the middle denies.
fn lost(trial: &Trial<'_, '_>, middle: &RuleSet, end: &RuleSet) -> Option<(PeerId, L4Key)> {
    let peers = trial.table().peers().count() as u32;
    let build = |rules: &RuleSet| diagram::build(rules, peers, &Limits::default()).ok();
    let difference = diagram::difference(&build(middle)?, &build(end)?);
    let lost = difference.changes.iter().filter(|it| !it.old.is_allowed() && it.new.is_allowed());
    let mut flows = lost.filter_map(|change| {
        let region = difference.regions.get(change.region)?;
        let peer = region.peers.iter().find(|peer| *peer != UNKNOWN)?;
        Some((peer, known_key(change.low, change.high)))
    });
    flows.next()
}

/// A key that people know, of a stretch of keys.
fn known_key(low: L4Key, high: L4Key) -> L4Key {
    let known = [443, 80].map(|port| L4Key::new(flow::Protocol::TCP, port));
    known.into_iter().find(|key| low <= *key && *key <= high).unwrap_or(low)
}

fn render(db: &dyn Db, steps: &Steps, late: &str, cut: &Cut, better: Option<Step>) -> Option<Diagnostic> {
    let level = if cut.is_there { Severity::Warning } else { Severity::Hint };
    let origin = Origin { object: late.to_owned(), path: "metadata.name".to_owned() };
    let (file, span) = steps.place(late).or_else(|| place(db, &origin))?;
    let headline = format!("{} comes after {} has closed what it opens", quoted(late), quoted(&cut.by.object));
    let mut said = PAGE.says_as(level, headline).blame(file, span, format!("{}", steps.of(late)));
    if let Some((file, span)) = place(db, &cut.by) {
        said = said.note(file, span, format!("closed in {}", steps.of(&cut.by.object)));
    }
    let why = format!(
        "once {} is applied and what follows is not, {}, is dropped, though it passes before the first step and after the last",
        cut.after, cut.flow
    );
    let help = match better {
        Some(step) if step.is_alone() => {
            format!("apply {} before {}: in that order nothing is cut because of it", quoted(late), quoted(&cut.by.object))
        }
        Some(step) => format!("give both the same step, {step}: in that order nothing is cut because of it"),
        None => format!("apply both together, such as in {}, or in one object", steps.of(&cut.by.object)),
    };
    Some(said.why(why).help(help))
}
