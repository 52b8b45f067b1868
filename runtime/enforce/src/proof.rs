//! The proof that stands before every load: an image that does not do what the diagrams say never reaches the kernel.

use crate::change::Error;
use diagram::Diagram;
use ebpf::Matrix;
use image::{Digest, Hook, Image, Target};
use std::collections::BTreeSet;

/// What surrounds decisions on this node.
///
/// The usual targets have their templates in the list of `verify`, whose packets were judged. A target of other sizes has the same code with
/// other masks; its templates are made here once, so that the decisions are proved all the same.
#[derive(Debug)]
pub struct Templates(BTreeSet<Digest>);

impl Templates {
    /// Those of a target.
    pub fn of(target: &Target) -> Templates {
        let tables =
            Matrix { class_count: 2, cuts: vec![(0, 0)], leaves: vec![0, 1], signatures: vec![vec![], vec![0]] };
        let forms: Vec<Matrix> = (0..=3).map(Matrix::constant).chain([tables]).collect();
        let mut templates = BTreeSet::new();
        for hooks in [Hook::BOTH, Hook::HOST] {
            for form in &forms {
                // A target that no program can be made for has no templates, and nothing is proved for it.
                let Ok(image) = ebpf::compile_hooks(hooks, "", form, form, target) else { continue };
                templates.extend(image.programs.iter().filter_map(|program| verify::template_of(&image, program)));
            }
        }
        Templates(templates)
    }

    /// Proves an image. Errors: [`Error::Proof`], with every reason.
    pub fn prove(&self, subject: &str, image: &Image, diagrams: &[Diagram; 2]) -> Result<(), Error> {
        let known = |digest| verify::template::is_known(digest) || self.0.contains(&digest);
        match verify::prove_with(image, diagrams, &known) {
            Ok(_) => Ok(()),
            Err(refusals) => {
                let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                Err(Error::Proof { subject: subject.to_owned(), reasons: reasons.join("; ") })
            }
        }
    }
}
