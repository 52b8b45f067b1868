//! A name that resolvers complete before they ask.

use diag::Diagnostic;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::tg0160_fqdn_without_dns_rule::names;
use crate::words::quoted;

pub const PAGE: Page = page!(246, "name-without-dot", Warning, "0.1.0", Correctness);

pub fn find(spot: &Spot<'_>, finder: &Finder) -> Vec<Diagnostic> {
    let sections = spot.policy.iter().flat_map(|policy| &policy.sections);
    let short = |name: &str| !name.contains(['.', '*']) && !finder.cluster.dns.contains_key(name);
    let all = sections.flat_map(names).filter(|(name, _)| short(name));
    all.map(|(name, path)| render(spot, name, path)).collect()
}

fn render(spot: &Spot<'_>, name: &str, path: &str) -> Diagnostic {
    let field = ["matchName", "matchPattern"].map(|field| format!("{path}.{field}"));
    let place = field.into_iter().find(|path| spot.node(path).is_some()).unwrap_or_else(|| path.to_owned());
    let headline = format!("{} is not a full name, and no resolver asks for it as it stands", quoted(name));
    let said = spot.say(&PAGE, headline, spot.value(&place), "no domain");
    let why = format!(
        "a pod that looks up {} asks for it with the search domains of its resolver, such as {}; the answer is for that name, and \
         this rule never learns an address",
        quoted(name),
        quoted(&format!("{name}.{}.svc.cluster.local", namespace(spot)))
    );
    said.why(why).help("write the full name, with its domain; for a service of the cluster use `toEndpoints` or `toServices`")
}

fn namespace<'s>(spot: &'s Spot<'_>) -> &'s str {
    match spot.object.object.namespace.as_str() {
        "" => "default",
        namespace => namespace,
    }
}
