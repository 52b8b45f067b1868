//! The crate table of the architecture page is written by a program, so that it cannot rot.

use super::maps::sentence;
use super::{Finding, House};

/// The page that holds the table.
pub const PAGE: &str = "docs/dev/architecture.md";
const BEGIN: &str = "<!-- crates: written by `cargo xtask tidy --bless` -->\n";
const END: &str = "<!-- end of crates -->";

pub fn check(house: &House) -> Vec<Finding> {
    match (house.text(PAGE), blessed(house)) {
        (None, _) => Vec::new(),
        (Some(_), None) => vec![Finding::error("crate-table", PAGE, 0, "the two comments around the table are gone")],
        (Some(text), Some(blessed)) if text == blessed => Vec::new(),
        _ => vec![Finding::error("crate-table", PAGE, 0, "the table is out of date: run `cargo xtask tidy --bless`")],
    }
}

/// The page with a fresh table; none when it has no place for one.
pub fn blessed(house: &House) -> Option<String> {
    let (before, rest) = house.text(PAGE)?.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", table(house)))
}

fn table(house: &House) -> String {
    let mut crates: Vec<_> = house.crates.iter().collect();
    crates.sort_by_key(|member| (member.layer, &member.folder));
    let mut out = String::from("| layer | crate | what it does | imports |\n| --- | --- | --- | --- |\n");
    for member in crates {
        let main = ["lib.rs", "main.rs"].iter().find_map(|file| house.text(&format!("{}/src/{file}", member.folder)));
        let text = main.and_then(sentence).unwrap_or_default().replace('|', "\\|");
        let layer = member.layer.map(|layer| layer.to_string()).unwrap_or_default();
        let mut imports: Vec<&str> = member.imports.iter().filter_map(|import| import.rsplit('/').next()).collect();
        imports.sort_unstable();
        out.push_str(&format!("| {layer} | `{}` | {text} | {} |\n", member.folder, imports.join(" ")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn house(page: &str) -> House {
        House::of([
            (PAGE, page),
            ("ir/a/Cargo.toml", "[package]\nname = 'a'\n[package.metadata.house]\nlayer = 0"),
            ("ir/a/src/lib.rs", "//! Does one thing."),
        ])
    }

    #[test]
    fn a_table_that_is_out_of_date_is_found_and_blessed() {
        let old = format!("# Page\n{BEGIN}old\n{END}\nafter\n");
        assert_eq!(check(&house(&old)).len(), 1);
        let new = blessed(&house(&old)).unwrap_or_default();
        assert!(new.contains("| 0 | `ir/a` | Does one thing. |  |") && new.ends_with("\nafter\n"), "{new}");
        assert_eq!(check(&house(&new)), []);
    }

    #[test]
    fn a_page_without_a_place_for_the_table_is_found() {
        assert_eq!(check(&house("# Page\n")).len(), 1);
    }
}
