//! Which codes are asked for: by code, by the beginning of codes, by name, by group.

use checks::{Group, REGISTRY};
use diag::{Code, Diagnostic};

/// One word that names codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pattern {
    /// Every code: `all`.
    All,
    /// Those of a group: `group:security`.
    Group(Group),
    /// Those whose digits begin so: `TG01`.
    Prefix(String),
    /// One: `TG0152`, or its name.
    Code(Code),
}

impl std::str::FromStr for Pattern {
    type Err = String;

    /// Reads one word.
    ///
    /// Errors: what is wrong with it, and near names where there are some.
    fn from_str(word: &str) -> Result<Pattern, String> {
        if word.eq_ignore_ascii_case("all") {
            return Ok(Pattern::All);
        }
        if let Some(name) = word.strip_prefix("group:") {
            return Group::named(name).map(Pattern::Group).ok_or_else(|| {
                let known: Vec<&str> = Group::ALL.iter().map(|group| group.name()).collect();
                format!("no such group; known: {}", known.join(", "))
            });
        }
        if let Some(page) = checks::explain(word) {
            return Ok(Pattern::Code(page.code));
        }
        let digits = word.get(..2).filter(|start| start.eq_ignore_ascii_case("tg")).and(word.get(2..));
        match digits.filter(|digits| digits.len() < 4 && digits.bytes().all(|it| it.is_ascii_digit())) {
            Some(digits) if REGISTRY.iter().any(|page| digits_of(page.code).starts_with(digits)) => {
                Ok(Pattern::Prefix(digits.to_owned()))
            }
            _ => Err(unknown(word)),
        }
    }
}

/// What to say of a word that names no code.
pub fn unknown(word: &str) -> String {
    if Group::named(word).is_some() {
        return format!("no such code; the group is written `group:{word}`");
    }
    let near: Vec<String> =
        checks::near(word).into_iter().map(|page| format!("`{}` ({})", page.slug, page.code)).collect();
    match near.as_slice() {
        [] => "no such code; `tidegate explain` lists all of them".to_owned(),
        near => format!("no such code; near: {}", near.join(", ")),
    }
}

impl Pattern {
    /// How closely a code is named; `None` when it is not.
    fn meets(&self, code: Code, slug: &str) -> Option<usize> {
        match self {
            Pattern::All => Some(0),
            Pattern::Group(group) => (checks::explain(slug)?.group == *group).then_some(1),
            Pattern::Prefix(digits) => digits_of(code).starts_with(digits.as_str()).then_some(2 + digits.len()),
            Pattern::Code(named) => (*named == code).then_some(usize::MAX),
        }
    }
}

fn digits_of(code: Code) -> String {
    format!("{:04}", code.0)
}

/// Which codes are asked for and which are not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// What is asked for; all when it is empty.
    pub select: Vec<Pattern>,
    /// What is left out.
    pub ignore: Vec<Pattern>,
}

impl Selection {
    /// Whether a finding is asked for. Where it is named by both sides, the closer name wins, and between equals the one that leaves out.
    pub fn keeps(&self, finding: &Diagnostic) -> bool {
        let closest = |all: &[Pattern]| all.iter().filter_map(|it| it.meets(finding.code, finding.slug)).max();
        let asked = if self.select.is_empty() { Some(0) } else { closest(&self.select) };
        match (asked, closest(&self.ignore)) {
            (None, _) => false,
            (Some(_), None) => true,
            (Some(asked), Some(ignored)) => asked > ignored,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use diag::Severity;

    fn keeps(select: &[&str], ignore: &[&str], slug: &'static str) -> bool {
        let read = |words: &[&str]| words.iter().map(|word| word.parse().unwrap()).collect();
        let page = checks::explain(slug).unwrap();
        let finding = Diagnostic::new(page.code, page.slug, Severity::Error, "x");
        Selection { select: read(select), ignore: read(ignore) }.keeps(&finding)
    }

    #[test]
    fn the_closer_name_wins() {
        assert!(keeps(&[], &[], "list-slip"));
        assert!(!keeps(&[], &["list-slip"], "list-slip"));
        assert!(keeps(&["TG0140"], &["TG01"], "list-slip"));
        assert!(!keeps(&["TG01"], &["tg014"], "list-slip"));
        assert!(keeps(&["group:security"], &["all"], "list-slip"));
        assert!(!keeps(&["group:style"], &[], "list-slip"));
        assert!(!keeps(&["list-slip"], &["TG0140"], "list-slip"));
    }

    #[test]
    fn what_names_nothing_is_refused_with_near_names() {
        let wrong = |word: &str| word.parse::<Pattern>().unwrap_err();
        assert!(wrong("list-slop").contains("`list-slip` (TG0140)"));
        assert!(wrong("security").contains("group:security"));
        assert!(wrong("group:secure").contains("security"));
        assert!(wrong("TG0999").contains("no such code"));
        assert!(wrong("TG8").contains("no such code"));
        assert!(wrong("nothing at all like it").contains("tidegate explain"));
    }
}
