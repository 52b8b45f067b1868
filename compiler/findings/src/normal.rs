//! What a policy says, without where it says it and in which order: equal for every cluster when it is equal here.

use hir::{Entry, Isolation, L3, L4, Policy, Section};
use std::collections::BTreeSet;

/// One text for each section: its subjects, what it isolates, its conditions and rules.
///
/// Rules of a section and members of a list are sets: their order means nothing, and saying a thing twice adds nothing.
pub(crate) fn normal(policy: &Policy) -> Vec<String> {
    policy.sections.iter().map(|section| format!("{:?} {}", policy.object, of_section(section))).collect()
}

fn of_section(section: &Section) -> String {
    let Section { path: _, subjects, ingress, egress, requires, entries } = section;
    let isolation = |it: &Isolation| match it {
        Isolation::Absent => "absent",
        Isolation::Open => "open",
        Isolation::Isolates(_) => "isolates",
    };
    let requires: BTreeSet<String> =
        requires.iter().map(|it| format!("{:?} {:?} {:?}", it.direction, it.of_denies, it.selector)).collect();
    let entries: BTreeSet<String> = entries.iter().map(of_entry).collect();
    format!("{subjects:?} {} {} {requires:?} {entries:?}", isolation(ingress), isolation(egress))
}

fn of_entry(entry: &Entry) -> String {
    let Entry { direction, tier, order, effect, l3, l4, l7, auth, path: _ } = entry;
    let l3 = match l3 {
        L3::Any(peers) => format!("{:?}", peers.iter().map(|peer| &peer.selector).collect::<BTreeSet<_>>()),
        other => format!("{other:?}"),
    };
    let l4 = match l4 {
        L4::Items(items) => {
            format!("{:?}", items.iter().map(|item| format!("{:?}", item.ports)).collect::<BTreeSet<_>>())
        }
        other => format!("{other:?}"),
    };
    let l7 = l7.as_ref().map(|it| (it.parser.clone(), &it.requests, &it.terminating, &it.originating, it.priority));
    format!("{direction:?} {tier:?} {order} {effect:?} {l3} {l4} {l7:?} {auth:?}")
}
