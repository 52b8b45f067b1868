//! Published schemas are those of the types.

use std::path::Path;

#[test]
fn published_schemas_are_what_the_types_say() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    assert_eq!(xtask::schema::stale(root), [""; 0], "run `cargo xtask schema --bless`");
}
