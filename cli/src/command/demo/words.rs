//! The words of the demonstration.

use super::swap::Swapped;
use crate::render;
use driver::{Database, locate, world};
use enforce::{Applied, Explained, explain};
use flow::Family;
use hir::subject::Subject;
use image::codec::Record;
use rehearsal::Stage;
use std::time::Duration;

/// What was compiled and attached.
pub fn compiled(applied: Applied, prepared: Duration) -> String {
    format!(
        "compiled, verified by this kernel and attached: {} programs of {} images at {} hooks, {:.0} ms from text to loaded\n",
        applied.images * 2,
        applied.images,
        applied.attached,
        prepared.as_secs_f64() * 1000.0
    )
}

/// A drop between two pods, from the records of the kernel.
pub fn drop_of(db: &Database, stage: &mut Stage, from: &str, to: &str) -> Result<String, String> {
    let cluster = world::cluster(db);
    let of = |name: &str| cluster.pods.values().find(|pod| pod.name.to_string() == name).map(|pod| pod.ips.clone());
    let (from_ips, to_ips) = (of(from).unwrap_or_default(), of(to).unwrap_or_default());
    for (node, enforcer) in stage.enforcers() {
        let mut records = enforcer.node().records().map_err(|error| error.to_string())?;
        let wanted = |record: &Record| {
            record.reason != 0
                && record
                    .addresses
                    .is_some_and(|(source, target)| from_ips.contains(&source) && to_ips.contains(&target))
        };
        if let Some(record) = records.by_ref().find(wanted) {
            return Ok(explained(db, node, &record, &explain(enforcer, &record)));
        }
    }
    Ok("no record of such a drop was kept\n".to_owned())
}

fn explained(db: &Database, node: &str, record: &Record, explained: &Explained) -> String {
    let peers = world::peers(db);
    let reason = explained.reason.map_or("allowed", |reason| reason.name());
    let subject = match &explained.subject {
        Some(Subject::Pod(name)) => name.to_string(),
        Some(other) => other.to_string(),
        None => "an unknown endpoint".to_owned(),
    };
    let peer = explained.peer.map_or_else(|| "an unknown peer".to_owned(), |peer| peers.name(peer));
    let (source, target) =
        record.addresses.map_or((String::new(), String::new()), |(a, b)| (a.to_string(), b.to_string()));
    let key = explained.key.map_or(String::new(), |key| key.to_string());
    let mut out = format!("   dropped on {node}: {source} -> {target} {key}, reason {reason}\n");
    out += &format!(
        "   the {} of {subject} denies {peer}: no rule allows it, and these isolate it\n",
        explained.direction
    );
    for origin in &explained.by {
        let place =
            locate::locate(db, origin).and_then(|place| Some(render::place_of(db, db.file(place.file)?, place.span)));
        let place = place.map_or(String::new(), |place| format!("   {place}"));
        out += &format!("     {} {}{place}\n", origin.object, origin.path);
    }
    out
}

/// What the swap did.
pub fn swapped(swapped: &Swapped) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_BORDERS_ONLY);
    table.set_header(vec!["flow", "", "policy", "sent", "arrived", "denied", "lost", "wrongly passed"]);
    for flow in &swapped.flows {
        let family = if flow.family == Family::V4 { "IPv4" } else { "IPv6" };
        let policy = match flow.allowed {
            [true, true] => "allow, allow",
            [true, false] => "allow, then deny",
            [false, true] => "deny, then allow",
            [false, false] => "deny, deny",
        };
        let tally = &flow.tally;
        let counts = [tally.sent, tally.passed, tally.denied, tally.lost, tally.leaked].map(|count| count.to_string());
        let mut row =
            vec![format!("{} -> {} udp/{}", flow.from, flow.to, flow.port), family.to_owned(), policy.to_owned()];
        row.extend(counts);
        table.add_row(row);
    }
    let sum = |of: fn(&super::swap::FlowTold) -> u64| swapped.flows.iter().map(of).sum::<u64>();
    let mut out = format!("{table}\n\n");
    out += &format!(
        "   edit to loaded programs {:.1} ms; {} programs replaced on both nodes in {:.2} ms, {} untouched\n",
        swapped.prepared.as_secs_f64() * 1000.0,
        swapped.applied.replaced,
        swapped.made.as_secs_f64() * 1000.0,
        swapped.applied.unchanged
    );
    out += &format!(
        "   {} packets: {} lost, {} decided by neither the old nor the new policy\n",
        sum(|flow| flow.tally.sent),
        sum(|flow| flow.tally.lost),
        sum(|flow| flow.tally.leaked)
    );
    if swapped.losses != lab::traffic::Losses::default() {
        out += "   note: this machine was too busy and lost packets on its own, which is counted as lost above\n";
    }
    out
}
