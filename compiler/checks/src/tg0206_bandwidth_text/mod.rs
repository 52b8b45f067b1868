//! A bandwidth of a pod that limits nothing, or almost everything.

use diag::Diagnostic;
use facts::bandwidth;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::place::Spot;
use crate::words::quoted;

pub const PAGE: Page = page!(206, "bandwidth-text", Warning, "0.1.0", Correctness);

const ANNOTATIONS: [&str; 2] = ["kubernetes.io/egress-bandwidth", "kubernetes.io/ingress-bandwidth"];
/// Source: Kubernetes' own traffic shaping takes 1k to 1P.
const SENSIBLE: std::ops::RangeInclusive<u64> = 125..=125_000_000_000_000;

pub fn find(spot: &Spot<'_>, _: &Finder) -> Vec<Diagnostic> {
    let holder = match spot.object.object.kind.as_str() {
        "Pod" => "metadata",
        "CronJob" => "spec.jobTemplate.spec.template.metadata",
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" | "Rollout" | "DeploymentConfig" => "spec.template.metadata",
        _ => return Vec::new(),
    };
    let written = ANNOTATIONS.iter().map(|name| format!("{holder}.annotations[\"{name}\"]"));
    written.filter_map(|path| check(spot, &path)).collect()
}

fn check(spot: &Spot<'_>, path: &str) -> Option<Diagnostic> {
    let text = spot.string(path)?;
    let quoted = quoted(text);
    let (headline, why) = match bandwidth::bytes_per_second(text) {
        None => (
            format!("{quoted} is no quantity, so the bandwidth is not limited"),
            "the agent passes over a text that it cannot read, and only its debug log says so".to_owned(),
        ),
        Some(rate) if SENSIBLE.contains(&rate) => return None,
        Some(rate) => (
            format!("the bandwidth {quoted} comes to {rate} bytes a second"),
            "the unit is bits a second, an eighth of it bytes; Kubernetes takes from `1k` to `1P`".to_owned(),
        ),
    };
    let said = spot.say(&PAGE, headline, spot.value(path), "in bits a second").why(why);
    Some(said.help("write bits a second as a quantity: `10M` is 10,000,000 bits or 1,250,000 bytes, `10Mi` is 10 × 2²⁰ bits"))
}
