//! Files that are compressed, as their ending says: `.gz` and `.zst`.

use std::io::{self, Read, Write};
use std::path::Path;

/// How a file is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstandard,
}

impl Packing {
    fn of(path: &Path) -> Packing {
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("gz") => Packing::Gzip,
            Some("zst") => Packing::Zstandard,
            _ => Packing::None,
        }
    }
}

/// Unpacks what is read from a file of this name.
///
/// Errors: a stream that is not what the ending says, when it is opened or read.
pub fn unpacked<'r>(path: &Path, input: impl Read + 'r) -> Result<Box<dyn Read + 'r>, String> {
    Ok(match Packing::of(path) {
        Packing::None => Box::new(input),
        Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::new(input))),
        Packing::Zstandard => {
            let stream = ruzstd::decoding::StreamingDecoder::new(io::BufReader::new(input));
            Box::new(stream.map_err(|error| format!("it is no Zstandard file: {error}"))?)
        }
    })
}

/// Packs a text for a file of this name. The same text gives the same bytes.
pub fn packed(path: &Path, text: &str) -> io::Result<Vec<u8>> {
    match Packing::of(path) {
        Packing::None => Ok(text.as_bytes().to_vec()),
        Packing::Gzip => {
            // Neither a time nor a name stands in the header.
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            out.write_all(text.as_bytes())?;
            out.finish()
        }
        Packing::Zstandard => {
            Ok(ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks_and_is_the_same_each_time() {
        let text = "a line of a snapshot\n".repeat(1_000);
        for name in ["a.json", "a.json.gz", "a.json.zst"] {
            let bytes = packed(Path::new(name), &text).unwrap();
            assert_eq!(bytes, packed(Path::new(name), &text).unwrap());
            let mut back = String::new();
            unpacked(Path::new(name), bytes.as_slice()).unwrap().read_to_string(&mut back).unwrap();
            assert_eq!(back, text);
        }
        let failed = unpacked(Path::new("a.zst"), b"plain".as_slice()).err().unwrap();
        assert!(failed.starts_with("it is no Zstandard file"), "{failed}");
    }
}
