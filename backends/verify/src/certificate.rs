//! What a proof leaves behind: which image, which meaning, by which checker.

use crate::prove::{ProgramProof, Refusal, prove_with};
use crate::rules_of::diagrams_of;
use crate::template::is_known;
use crate::whole::{Proofs, Whole};
use diagram::Diagram;
use flow::Direction;
use image::{Digest, Image};
use std::fmt::Write;

/// The version of the checker. It grows with every change of what is proved.
pub const CHECKER: u32 = 3;

/// What vouches for a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The template that surrounds the decisions: every path of it was proved before it was listed, and [`certify_whole`] proves it again.
    Template,
    /// The node, which fills its address tables and reads them back.
    Node,
    /// The proof.
    Proof,
}

/// A step on the way from a packet to what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// What is known before it.
    pub from: &'static str,
    /// What is known behind it.
    pub to: &'static str,
    /// What vouches for it.
    pub by: By,
}

/// The whole way, step by step: where a proof begins and where it ends.
pub const CUTS: [Cut; 3] = [
    Cut { from: "bytes of a packet", to: "tuple", by: By::Template },
    Cut { from: "address", to: "peer", by: By::Node },
    Cut { from: "tuple and tracking outcome", to: "leaf", by: By::Proof },
];

/// An image that was proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// [`CHECKER`] of the build that proved it.
    pub checker: u32,
    /// The digest of the image.
    pub image: Digest,
    /// The digest of its meaning, ingress first: of the maps of the diagram in their order, so that peer numbers leave no trace.
    pub meaning: [Digest; 2],
    /// What was proved of each program, ingress first.
    pub programs: [ProgramProof; 2],
}

/// Proves an image by the rules that it carries.
///
/// Errors: every reason why it is not proved.
pub fn certify(image: &Image) -> Result<Certificate, Vec<Refusal>> {
    certify_with(image, &is_known)
}

fn certify_with(image: &Image, is_known: &dyn Fn(Digest) -> bool) -> Result<Certificate, Vec<Refusal>> {
    let diagrams = diagrams_of(image)?;
    let programs = prove_with(image, &diagrams, is_known)?;
    Ok(Certificate { checker: CHECKER, image: image.digest(), meaning: diagrams.each_ref().map(meaning), programs })
}

/// Proves an image by the rules that it carries, and both its programs from their first instruction on, whatever their templates are. Shape:
/// ingress, then egress, for nodes of which settings each is right.
///
/// Errors: every reason why it is not proved.
pub fn certify_whole(image: &Image, proofs: &mut Proofs) -> Result<(Certificate, [Whole; 2]), Vec<Refusal>> {
    let certificate = certify_with(image, &|_| true)?;
    let mut one = |direction: Direction| {
        let program = image.programs.iter().find(|it| it.hook.is_egress() == (direction == Direction::Egress));
        let program = program.ok_or(Refusal::Programs(direction))?;
        proofs.of(image, program).map_err(|refused| Refusal::Path { direction, refused })
    };
    match (one(Direction::Ingress), one(Direction::Egress)) {
        (Ok(ingress), Ok(egress)) => {
            let fragments = |it: &Whole| (it.settings.fragments4, it.settings.fragments6);
            if fragments(&ingress) != fragments(&egress) {
                return Err(vec![Refusal::Settings { ingress: ingress.settings, egress: egress.settings }]);
            }
            Ok((certificate, [ingress, egress]))
        }
        (ingress, egress) => Err([ingress.err(), egress.err()].into_iter().flatten().collect()),
    }
}

/// The digest of what a diagram means.
pub fn meaning(diagram: &Diagram) -> Digest {
    let mut text = String::new();
    for map in diagram.maps() {
        // Cannot fail: writing into a String never does.
        let _ = writeln!(text, "{map}");
    }
    Digest::of(text.as_bytes())
}
