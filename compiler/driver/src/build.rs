//! From diagrams to images.

use crate::meaning::{self, ClassKey};
use crate::world;
use hir::subject::Class;
use image::Image;
use inputs::Db;
use std::sync::Arc;

/// Why a class has no image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// A diagram would exceed a limit.
    Diagram(diagram::TooLarge),
    /// The code generator refuses.
    Compile(ebpf::Problem),
}

/// `compile`: the image of a class.
///
/// Errors: [`Problem`]; other classes have their images all the same.
#[salsa::tracked(returns(clone))]
pub fn image<'db>(db: &'db dyn Db, key: ClassKey<'db>) -> Result<Arc<Image>, Problem> {
    let subject = meaning::name(key.class(db));
    db.ran("compile", &subject);
    let diagrams = meaning::diagrams(db, key).map_err(Problem::Diagram)?;
    let [ingress, egress] = &*diagrams;
    let mut image = ebpf::compile(&subject, ingress, egress, &db.project().target(db)).map_err(Problem::Compile)?;
    image.notes.rules = meaning::rule_sets(db, key).iter().map(rules::RuleSet::to_string).collect();
    Ok(Arc::new(image))
}

/// The images of all classes, in the order of the classes.
pub fn images(db: &dyn Db) -> Vec<(Class, Result<Arc<Image>, Problem>)> {
    let classes = world::classes(db);
    classes.keys().map(|class| (class.clone(), image(db, ClassKey::new(db, class.clone())))).collect()
}
