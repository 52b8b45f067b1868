//! Subjects and parties by number, so that sets of them are short and quickly compared: rows by the thousand are about the same ones.

use crate::world::{Party, World};
use hir::subject::Subject;

/// A set of numbers. Ordered as the set of what they stand for: numbers ascend as those do.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Set(Vec<u32>);

impl FromIterator<u32> for Set {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Set {
        let mut all: Vec<u32> = numbers.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        Set(all)
    }
}

impl Set {
    /// Ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().copied()
    }

    pub fn add(&mut self, other: &Set) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
        } else if !self.holds(other) {
            *self = self.iter().chain(other.iter()).collect();
        }
    }

    /// Whether every member of another is one of this.
    pub fn holds(&self, other: &Set) -> bool {
        self == other || other.0.len() < self.0.len() && other.0.iter().all(|it| self.0.binary_search(it).is_ok())
    }

    /// The one member, where there is one.
    pub fn only(&self) -> Option<u32> {
        if let [one] = self.0.as_slice() { Some(*one) } else { None }
    }
}

/// Everybody of a world, in order.
pub(crate) struct Numbered<'w> {
    subjects: Vec<&'w Subject>,
    parties: Vec<&'w Party>,
    of_unit: Vec<Set>,
    of_group: Vec<Set>,
}

impl<'w> Numbered<'w> {
    pub fn of(world: &'w World) -> Numbered<'w> {
        let (subjects, of_unit) = numbered(world.units.iter().map(|unit| unit.members.as_slice()).collect());
        let (parties, of_group) = numbered(world.groups.iter().map(|group| group.members.as_slice()).collect());
        Numbered { subjects, parties, of_unit, of_group }
    }

    pub fn unit(&self, unit: usize) -> &Set {
        &self.of_unit[unit]
    }

    pub fn groups(&self, groups: &[usize]) -> Set {
        match groups {
            [one] => self.of_group[*one].clone(),
            many => many.iter().flat_map(|at| self.of_group[*at].iter()).collect(),
        }
    }

    pub fn subjects(&self, set: &Set) -> Vec<&'w Subject> {
        set.iter().map(|at| self.subjects[at as usize]).collect()
    }

    pub fn parties(&self, set: &Set) -> Vec<&'w Party> {
        set.iter().map(|at| self.parties[at as usize]).collect()
    }

    /// What the one subject of a set is as a party.
    pub fn own(&self, set: &Set) -> Option<u32> {
        let party = match self.subjects[set.only()? as usize] {
            Subject::Pod(name) => Party::Pod(name.clone()),
            Subject::Node(name) => Party::Node(name.clone()),
            Subject::Health(_) | Subject::Ingress(_) => return None,
        };
        self.parties.binary_search(&&party).ok().map(|at| at as u32)
    }
}

/// All members of some lists in order, and each list by number.
fn numbered<'w, T: Ord>(lists: Vec<&'w [T]>) -> (Vec<&'w T>, Vec<Set>) {
    let mut all: Vec<&T> = lists.iter().copied().flatten().collect();
    all.sort_unstable();
    all.dedup();
    // Every member was just put there.
    let number = |it: &'w T| all.binary_search(&it).ok().map(|at| at as u32);
    let sets = lists.into_iter().map(|list| list.iter().filter_map(number).collect()).collect();
    (all, sets)
}
