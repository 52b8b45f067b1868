//! More is spent than a budget allows.

use diag::Diagnostic;

use crate::Spending;
use crate::page::{Page, page};
use crate::words::quoted;

pub const PAGE: Page = page!(106, "over-budget", Error, "0.1.0", Cost);

/// Words one budget: who exceeds it, and the rules that cost the most there, each where it stands.
pub(crate) fn render(it: &Spending) -> Diagnostic {
    let said = format!("{} is exceeded by {}: {} instead of at most {}", quoted(&it.budget), it.by, it.spent, it.limit);
    let mut said = PAGE.says(said).why(why(&it.budget)).help(
        "merge rules or select fewer identities where it is marked, or raise the budget; `tidegate cost` lists what each rule costs",
    );
    for (at, (place, text)) in it.rules.iter().enumerate() {
        said = match at {
            0 => said.blame(place.file, place.span, text),
            _ => said.note(place.file, place.span, text),
        };
    }
    said
}

fn why(budget: &str) -> &'static str {
    match budget {
        "max-entries" => "an endpoint whose policy map is full drops traffic that its policies allow",
        "max-bytes" => "tables stay in the kernel's memory on every node that has such an endpoint",
        _ => "each identity that comes or goes rewrites the maps of all endpoints that the rule is about",
    }
}
