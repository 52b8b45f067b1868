//! How often each code was found, most often first.

use super::Review;
use std::collections::BTreeMap;

pub(super) fn render(review: &Review<'_>) -> String {
    let mut counts: BTreeMap<(&str, &str), (usize, usize)> = BTreeMap::new();
    for it in &review.findings {
        let (count, fixes) = counts.entry((&it.code, &it.slug)).or_default();
        *count += 1;
        *fixes += usize::from(it.fixes.iter().any(|fix| fix.safe));
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by(|(a, (many, _)), (b, (more, _))| more.cmp(many).then(a.cmp(b)));
    let width = rows.iter().map(|(_, (count, _))| count.to_string().len()).max().unwrap_or(0);
    let row = |((code, slug), (count, fixes)): &((&str, &str), (usize, usize))| {
        let fixes = if *fixes > 0 { format!("   {fixes} with a safe fix") } else { String::new() };
        format!("{count:>width$}  {code}  {slug}{fixes}\n")
    };
    rows.iter().map(row).collect()
}
