//! What a proof leaves behind: which image, which meaning, by which checker.

use crate::prove::{ProgramProof, Refusal, prove};
use crate::rules_of::diagrams_of;
use diagram::Diagram;
use image::{Digest, Image};
use std::fmt::Write;

/// The version of the checker. It grows with every change of what is proved.
pub const CHECKER: u32 = 1;

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
    pub programs: Vec<ProgramProof>,
}

/// Proves an image by the rules that it carries.
///
/// Errors: every reason why it is not proved.
pub fn certify(image: &Image) -> Result<Certificate, Vec<Refusal>> {
    let diagrams = diagrams_of(image)?;
    let programs = prove(image, &diagrams)?;
    Ok(Certificate { checker: CHECKER, image: image.digest(), meaning: diagrams.each_ref().map(meaning), programs })
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
