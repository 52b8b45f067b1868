//! Images as ELF objects, for other loaders: `--elf`.

use super::Built;
use super::folder::Files;

/// The folder of ELF objects in an output folder.
pub const FOLDER: &str = "elf";
/// How their names end.
pub const ENDING: &str = ".o";

/// The ELF object of every image. Errors: for people; an image of which none can be made, which is a fault of ours.
pub(super) fn objects(built: &Built) -> Result<Files, String> {
    let object = |(digest, image): (&String, &std::sync::Arc<image::Image>)| {
        let bytes = elf::object(image).map_err(|problem| {
            format!("no ELF object can be made of the image of {}: {problem}", image.notes.subject)
        })?;
        Ok((format!("{FOLDER}/{digest}{ENDING}"), bytes))
    };
    built.images.iter().map(object).collect()
}
