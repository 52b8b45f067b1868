//! Words what is wrong with what a build wrote: images, their certificates, the folder around them. They hold no policy, so nothing here
//! has a place in a text; files are named.

use diag::Diagnostic;

/// Says that an image is not proved, with every reason of the checker.
pub fn not_proved(image: &str, reasons: &[String]) -> Diagnostic {
    crate::tg0070_image_not_proved::render(image, reasons)
}

/// Says that an image of a build has no certificate beside it.
pub fn certificate_missing(image: &str, certificate: &str) -> Diagnostic {
    crate::tg0071_certificate_missing::render(image, certificate)
}

/// Says that a certificate cannot be read.
pub fn certificate_unreadable(certificate: &str, reason: &str) -> Diagnostic {
    crate::tg0072_certificate_unreadable::render(certificate, reason)
}

/// Says that a certificate is not of the image beside it; `parts` are what it says otherwise, as `meaning of ingress`.
pub fn certificate_differs(certificate: &str, parts: &[String]) -> Diagnostic {
    crate::tg0073_certificate_differs::render(certificate, parts)
}

/// Says that a certificate is by a checker of another version, so that the image was proved again and nothing else compared.
pub fn certificate_of_other_checker(certificate: &str, theirs: u64, ours: u32) -> Diagnostic {
    crate::tg0074_certificate_of_other_checker::render(certificate, theirs, ours)
}

/// Says that a file in the folder of a build is not as the build left it.
pub fn not_as_built(file: &str, reason: &str) -> Diagnostic {
    crate::tg0075_folder_not_as_built::render(file, reason)
}

/// Says that an ELF object is not that of its image.
pub fn object_differs(object: &str) -> Diagnostic {
    crate::tg0076_object_differs::render(object)
}

/// Says that a profile cannot be read.
pub fn profile_unreadable(profile: &str, reason: &str) -> Diagnostic {
    crate::tg0077_profile_unreadable::render(profile, reason)
}

/// Says that hits in a profile are of no decision of a build; `reason` says why, with a verb.
pub fn profile_of_another_decision(profile: &str, who: &str, reason: &str) -> Diagnostic {
    crate::tg0078_profile_of_another_decision::render(profile, who, reason)
}
