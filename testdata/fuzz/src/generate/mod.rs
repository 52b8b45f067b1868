//! Makes objects and whole clusters whose parts meet: selectors find labels, names find ports, prefixes cover addresses.

pub mod cluster;
pub mod schema;
pub mod words;

use crate::random::Random;
use crate::value::Value;
use hir::Dialect;
use kinds::{KINDS, Kind, What};

/// How often an object is made again that is refused.
const TRIES: usize = 12;

/// A policy of any kind; most are accepted under the dialect.
pub fn policy(name: &str, dialect: &Dialect, random: &mut Random) -> Value {
    of_kind(random.pick(KINDS), name, dialect, random)
}

/// A policy whose rules are asked in order; most are accepted under the dialect.
pub fn ordered_policy(name: &str, dialect: &Dialect, random: &mut Random) -> Value {
    let ordered: Vec<&'static Kind> = KINDS.iter().filter(|kind| kind.group == "policy.networking.k8s.io").collect();
    let kind = *random.pick(&ordered);
    of_kind(kind, name, dialect, random)
}

fn of_kind(kind: &'static Kind, name: &str, dialect: &Dialect, random: &mut Random) -> Value {
    let mut object = schema::object(kind, name, random);
    for _ in 0..TRIES {
        if accepted(&object, dialect) {
            break;
        }
        object = schema::object(kind, name, random);
    }
    object
}

/// Whether an object is a policy that is accepted.
pub fn accepted(object: &Value, dialect: &Dialect) -> bool {
    let tree = syntax::parse(&object.document(), &syntax::Limits::default());
    let root = tree.documents().first().and_then(|document| document.root);
    let decoded = root.map(|root| kinds::decode(&tree, root, "default", dialect)).unwrap_or_default();
    tree.problems().is_empty() && !decoded.is_empty() && decoded.iter().all(|it| matches!(it.what, What::Policy(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_each_kind_many_objects_are_accepted() {
        for kind in KINDS {
            let mut random = Random::new(5);
            let made = 200;
            let good =
                (0..made).filter(|_| accepted(&schema::object(kind, "default", &mut random), &Dialect::STANDARD));
            let good = good.count();
            assert!(good * 25 > made, "{}: {good} of {made}", kind.kind);
        }
    }
}
