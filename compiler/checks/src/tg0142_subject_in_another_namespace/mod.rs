//! A namespaced Cilium policy whose subjects are said to be in another namespace.

use diag::Diagnostic;
use hir::labels::NAMESPACE;

use crate::cover;
use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(142, "subject-in-another-namespace", Error, "0.1.0", Security);

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    if !spot.is_policy_of(&["CiliumNetworkPolicy"]) {
        return Vec::new();
    }
    let selectors = spot.selectors();
    let elsewhere = selectors
        .iter()
        .filter(|it| it.is_subject && cover::contradiction(it.selector).is_some_and(|(one, _)| one.key == NAMESPACE));
    let render = |path: &str| {
        let own = quoted(&spot.object.object.namespace);
        let headline = format!("the policy is about pods of {own} only, and asks for pods of another namespace");
        spot.say(&PAGE, headline, spot.condition(path, NAMESPACE), "never true here")
            .why(format!("both conditions stay, this one and {own}, so the policy selects nobody: the pods that it names stay open"))
            .help("move the policy to that namespace, or write a CiliumClusterwideNetworkPolicy")
    };
    elsewhere.map(|it| render(&it.path)).collect()
}
