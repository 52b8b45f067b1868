//! Texts with a cursor, and files beside them.

use driver::Database;
use ide::At;

/// The database of a text with `$0` at the cursor, and that place.
pub fn at(text: &str) -> (Database, At) {
    beside(text, &[])
}

/// The same, with other files.
pub fn beside(text: &str, files: &[(&str, &str)]) -> (Database, At) {
    let offset = text.find("$0").expect("the text has a cursor") as u32;
    let mut db = Database::new();
    db.set_file("a.yaml", &text.replacen("$0", "", 1));
    for (path, text) in files {
        db.set_file(path, text);
    }
    let file = db.file_at("a.yaml").expect("it was set");
    (db, At { file, offset })
}
