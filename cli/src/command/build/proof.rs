//! Proves what was built before any of it is written: no image leaves without a certificate.

use super::Built;
use crate::certificate::CertificateFile;
use diag::Diagnostic;
use std::collections::BTreeMap;

/// The certificate of every image, by digest.
///
/// Errors: one diagnostic for each image that is not proved, which is a fault of the compiler or of the checker.
pub fn certificates(built: &Built) -> Result<BTreeMap<String, CertificateFile>, Vec<Diagnostic>> {
    let (mut certificates, mut problems) = (BTreeMap::new(), Vec::new());
    for (digest, image) in &built.images {
        match verify::certify(image) {
            Ok(certificate) => drop(certificates.insert(digest.clone(), CertificateFile::of(&certificate))),
            Err(refusals) => {
                let reasons: Vec<String> = refusals.iter().map(ToString::to_string).collect();
                problems.push(checks::built::not_proved(&format!("image of {}", image.notes.subject), &reasons));
            }
        }
    }
    if problems.is_empty() { Ok(certificates) } else { Err(problems) }
}
