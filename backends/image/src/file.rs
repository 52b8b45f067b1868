//! Image files: `"TGIMAGE\0"`, version (`u32` little-endian), digest (32 bytes), then the image in postcard encoding.

use crate::{Fill, Image, Plan, Program, Target, VERSION};
use serde::Serialize;
use std::fmt;

const MAGIC: &[u8; 8] = b"TGIMAGE\0";

/// The BLAKE3 digest of what an image does: version, target, programs, fixed tables and the kinds of the others, plan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes, for parts of an image that are named by their content.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(*blake3::hash(bytes).as_bytes())
    }

    /// The half that records carry, as the bytes stand in them.
    pub fn short(self) -> [u8; 8] {
        std::array::from_fn(|i| self.0[i])
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why bytes are no image.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Another kind of file.
    #[error("not a tidegate image")]
    Magic,
    /// An image of another version of the contract.
    #[error("image version {found}, this build reads {VERSION}")]
    Version {
        /// The version in the file.
        found: u32,
    },
    /// Cut short or damaged.
    #[error("the image is damaged: {0}")]
    Damaged(String),
    /// The content is not what the digest says.
    #[error("the image does not match its digest {0}")]
    Digest(Digest),
}

#[derive(Serialize)]
struct Digested<'a> {
    version: u32,
    target: &'a Target,
    programs: &'a [Program],
    tables: Vec<(&'a str, &'a Fill)>,
    plan: &'a Plan,
}

impl Image {
    /// The digest. It does not cover [`crate::Notes`], nor what user space stores into tables later.
    pub fn digest(&self) -> Digest {
        let tables = self.tables.iter().map(|table| (table.name.as_str(), &table.fill)).collect();
        let digested =
            Digested { version: VERSION, target: &self.target, programs: &self.programs, tables, plan: &self.plan };
        // Cannot panic: these are numbers, texts and lists whose lengths are known, and what is written to is memory.
        let bytes = postcard::to_allocvec(&digested).expect("plain data always encodes into memory");
        Digest(*blake3::hash(&bytes).as_bytes())
    }

    /// The bytes of an image file. Equal images give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        out.extend(VERSION.to_le_bytes());
        out.extend(self.digest().0);
        // Cannot panic: as above.
        out.extend(postcard::to_allocvec(self).expect("plain data always encodes into memory"));
        out
    }

    /// Reads an image file.
    ///
    /// Errors: [`FileError`]; a wrong digest is an error, so what is returned is what was built.
    pub fn from_bytes(bytes: &[u8]) -> Result<Image, FileError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(FileError::Magic)?;
        let damaged = || FileError::Damaged("it ends too early".into());
        let (version, rest) = rest.split_first_chunk::<4>().ok_or_else(damaged)?;
        let found = u32::from_le_bytes(*version);
        if found != VERSION {
            return Err(FileError::Version { found });
        }
        let (digest, body) = rest.split_first_chunk::<32>().ok_or_else(damaged)?;
        let (image, rest): (Image, _) =
            postcard::take_from_bytes(body).map_err(|error| FileError::Damaged(error.to_string()))?;
        if !rest.is_empty() {
            return Err(FileError::Damaged(format!("{} bytes follow its end", rest.len())));
        }
        if image.digest() != Digest(*digest) {
            return Err(FileError::Digest(Digest(*digest)));
        }
        Ok(image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DirectionPlan, Hook, Notes, Table};

    fn image() -> Image {
        Image {
            target: Target::default(),
            programs: vec![Program {
                name: "tg_in".into(),
                hook: Hook::ToEndpoint,
                insns: vec![0xb7, 0x95],
                relocs: vec![],
            }],
            tables: vec![Table { name: "tg_leaves".into(), fill: Fill::Fixed(vec![1, 2, 3]) }],
            plan: Plan { ingress: DirectionPlan::Constant(1), egress: DirectionPlan::Constant(1) },
            notes: Notes { subject: "shop/db".into(), rules: vec![] },
        }
    }

    #[test]
    fn a_file_reads_back_as_the_image() {
        assert_eq!(Image::from_bytes(&image().to_bytes()), Ok(image()));
    }

    #[test]
    fn text_is_no_part_of_the_digest() {
        let mut renamed = image();
        renamed.notes.subject = "shop/web".into();
        assert_eq!(renamed.digest(), image().digest());
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let bytes = image().to_bytes();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            let read = Image::from_bytes(&damaged);
            assert!(read.is_err() || read.is_ok_and(|read| read.digest() == image().digest()), "byte {at}");
        }
    }

    #[test]
    fn a_file_cut_short_is_refused() {
        let bytes = image().to_bytes();
        for len in 0..bytes.len() {
            assert!(Image::from_bytes(&bytes[..len]).is_err(), "{len} bytes");
        }
    }
}
