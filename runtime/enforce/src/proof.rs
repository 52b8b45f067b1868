//! The proof that stands before every load: an image that does not do what the diagrams say never reaches the kernel.

use crate::change::Error;
use diagram::Diagram;
use ebpf::{Matrix, Settings};
use image::{Digest, Hook, Image, Target};
use std::collections::{BTreeSet, HashMap, HashSet};
use verify::certificate::meaning;

/// What surrounds decisions on this node.
///
/// The usual nodes have their templates in the list of `verify`, each proved on every path before it was listed. A node of other sizes or
/// settings has the same code with other numbers; its templates are made here once, so that the decisions are proved all the same. What surrounds
/// them there is not: `verify --whole` proves it, in a second or two a program.
#[derive(Debug)]
pub struct Templates {
    target: Target,
    made: HashMap<Settings, BTreeSet<Digest>>,
    /// What was proved: policies that come and go bring the same images back.
    proved: HashSet<Proved>,
}

/// All that a proof depends on: the image, what its diagrams mean, and the templates, which follow from the settings.
type Proved = (Digest, [Digest; 2], Settings);

/// How many proofs are remembered; when there are as many, they are forgotten.
const MOST_PROVED: usize = 4096;

impl Templates {
    /// Those of a target; made when they are first asked for.
    pub fn of(target: &Target) -> Templates {
        Templates { target: target.clone(), made: HashMap::new(), proved: HashSet::new() }
    }

    /// Proves an image of a node with these settings, once. Errors: [`Error::Proof`], with every reason.
    pub fn prove(
        &mut self,
        subject: &str,
        image: &Image,
        diagrams: &[Diagram; 2],
        settings: Settings,
    ) -> Result<(), Error> {
        let proof = (image.digest(), [0, 1].map(|at| meaning(&diagrams[at])), settings);
        if self.proved.contains(&proof) {
            return Ok(());
        }
        let made = self.made.entry(settings).or_insert_with(|| make(&self.target, settings));
        let known = |digest| verify::template::is_known(digest) || made.contains(&digest);
        match verify::prove_with(image, diagrams, &known) {
            Ok(_) => {
                if self.proved.len() >= MOST_PROVED {
                    self.proved.clear();
                }
                self.proved.insert(proof);
                Ok(())
            }
            Err(refusals) => {
                let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                Err(Error::Proof { subject: subject.to_owned(), reasons: reasons.join("; ") })
            }
        }
    }
}

fn make(target: &Target, settings: Settings) -> BTreeSet<Digest> {
    let classes = Matrix { class_count: 2, leaves: vec![0, 1], signatures: vec![vec![], vec![0]], ..Matrix::allow() };
    // By a tree, which has no number that could be out of range.
    let tree = Matrix { cuts: vec![(0, 0), (1, 1)], leaves: vec![0, 1], ..Matrix::allow() };
    let forms: Vec<Matrix> = (0..=3).map(Matrix::constant).chain([classes, tree]).collect();
    let mut templates = BTreeSet::new();
    for hooks in [Hook::BOTH, Hook::HOST] {
        for form in &forms {
            // A target that no program can be made for has no templates, and nothing is proved for it.
            let Ok(image) = ebpf::compile_with(settings, hooks, "", form, form, target) else { continue };
            templates.extend(image.programs.iter().filter_map(|program| verify::template_of(&image, program)));
        }
    }
    templates
}
