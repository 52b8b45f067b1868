//! What hashes of names are keyed with.

use std::io::Read;

/// The salt that was given, else one that nobody can guess.
///
/// Errors: a salt that says nothing, or a system without randomness.
pub fn of(given: Option<&str>) -> Result<String, String> {
    match given {
        Some("") => Err("`--salt` is empty: names could be found again by trying words".into()),
        Some(salt) => Ok(salt.to_owned()),
        None => {
            let mut bytes = [0u8; 32];
            let mut source = std::fs::File::open("/dev/urandom").map_err(|error| format!("no randomness: {error}"))?;
            source.read_exact(&mut bytes).map_err(|error| format!("no randomness: {error}"))?;
            Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
        }
    }
}
