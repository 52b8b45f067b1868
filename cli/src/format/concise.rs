//! One line a finding, as compilers write them: editors and `grep` find the place.

use super::Review;

pub(super) fn render(review: &Review<'_>) -> String {
    let line = |it: &super::Finding| {
        let place = it.place.as_ref().map_or(String::new(), |place| format!("{place}: "));
        format!("{place}{}[{}]: {}\n", it.level, it.code, it.message)
    };
    review.findings.iter().map(line).collect()
}
