//! What is enforced for one class of endpoints, in the node's numbers.

use crate::numbers::View;
use diagram::Diagram;
use ebpf::Settings;
use flow::PeerId;
use image::{Hook, Image};
use loader::Loaded;
use rules::RuleSet;
use std::sync::Arc;

/// One class as it is enforced, or will be.
#[derive(Clone, Debug)]
pub struct ClassState {
    /// What it means, over the node's numbers: ingress, egress.
    pub diagrams: Arc<[Diagram; 2]>,
    /// The rules behind it, over the database's numbers: ingress, egress.
    pub rules: Arc<[RuleSet; 2]>,
    /// The peers that both speak of.
    pub view: Arc<View>,
    /// Its programs and tables in the kernel.
    pub loaded: Arc<Loaded>,
    /// What it was made of; `None` for what a journal tells.
    pub source: Option<Source>,
}

/// What the database gave for a class. While it gives the very same and no peer gets another number, what was made of it stands: nothing is
/// proved, loaded or stored again.
#[derive(Clone, Debug)]
pub struct Source {
    /// The image.
    pub image: Arc<Image>,
    /// What it means, over the database's numbers: ingress, egress.
    pub diagrams: Arc<[Diagram; 2]>,
    /// What surrounds decisions on the node.
    pub settings: Settings,
}

impl Source {
    fn is(&self, other: &Source) -> bool {
        Arc::ptr_eq(&self.image, &other.image)
            && Arc::ptr_eq(&self.diagrams, &other.diagrams)
            && self.settings == other.settings
    }
}

impl ClassState {
    /// The same under a view that comes next, when nothing has to be made anew for it. Rules are those of now: an edit that leaves an image
    /// as it is may move their lines.
    pub fn standing(
        &self,
        source: &Source,
        view: &Arc<View>,
        rules: impl FnOnce() -> Arc<[RuleSet; 2]>,
    ) -> Option<ClassState> {
        let stands = self.source.as_ref().is_some_and(|made| made.is(source)) && self.view.numbers_as(view);
        stands.then(|| ClassState { rules: rules(), view: view.clone(), ..self.clone() })
    }
}

/// Where a hook stands in pairs of both directions.
pub fn slot(hook: Hook) -> usize {
    usize::from(hook.is_egress())
}

/// The diagram of the database, over the node's numbers. A number that is gone, and that an address may carry until the change is made,
/// means what covers that address now.
pub fn over_node(diagram: &Diagram, view: &View, earlier: &View) -> Diagram {
    let known = |number: u32| view.numbering.of_node.get(number as usize).copied().flatten();
    let gone = PeerId(u32::MAX);
    diagram.renumber(view.len().max(earlier.len()), |number| {
        known(number.0).or_else(|| known(view.before(earlier, number.0))).unwrap_or(gone)
    })
}

/// Diagrams of an earlier view, over the numbers of a later one.
pub fn over_later(diagrams: &[Diagram; 2], earlier: &View, later: &View) -> [Diagram; 2] {
    let before: Vec<PeerId> = (0..later.len()).map(|number| PeerId(earlier.before(later, number))).collect();
    let again = |diagram: &Diagram| diagram.renumber(later.len(), |number| before[number.0 as usize]);
    [again(&diagrams[0]), again(&diagrams[1])]
}

/// What a state means in the numbers of a later view.
pub fn seen_later(state: &ClassState, later: &Arc<View>) -> Arc<[Diagram; 2]> {
    if state.view.numbers_as(later) {
        return state.diagrams.clone();
    }
    Arc::new(over_later(&state.diagrams, &state.view, later))
}

/// Stores the class of every number that a view knows into the tables of an image.
///
/// Other numbers keep theirs: the image may be live, and an address keeps the number of a peer that goes until the tables of addresses
/// change. Numbers are never given twice, so a class that is left behind is nobody's.
pub fn fill(loaded: &Loaded, diagrams: &[Diagram; 2], view: &View) {
    for hook in loaded.hooks() {
        let classes = (0..).zip(ebpf::class_table(&diagrams[slot(hook)]));
        for (number, class) in classes.filter(|(number, _)| view.knows(*number)) {
            loaded.set_class(hook, number, class);
        }
    }
}
