//! The sound images that faults are planted in: those of the bundled shop, and of random rules.

use diagram::Limits;
use driver::Database;
use fuzz::random::Random;
use image::{Image, Target};
use rules::RuleSet;
use std::sync::Arc;

const SHOP: [&str; 4] = [
    include_str!("../../../examples/shop/cluster.yaml"),
    include_str!("../../../examples/shop/pods.yaml"),
    include_str!("../../../examples/shop/policies.yaml"),
    include_str!("../../../examples/shop/services.yaml"),
];

/// How many random sets of rules.
const RANDOM: usize = 24;

/// Every base, in order.
pub fn all(seed: u64) -> Vec<Image> {
    let mut db = Database::new();
    db.set_files((0..).zip(SHOP).map(|(at, text): (u32, _)| (Arc::from(format!("{at}.yaml")), Arc::from(text))));
    let mut bases: Vec<Image> =
        driver::build::images(&db).into_iter().filter_map(|(_, image)| Some((*image.ok()?).clone())).collect();
    let mut random = Random::new(seed);
    bases.extend((0..RANDOM).map(|at| of_rules(&text(&mut random), &format!("random {at}"))));
    bases
}

/// The image of rules in both directions; they stand in it.
///
/// The text is ours, so that it reads and fits.
pub fn of_rules(text: &str, subject: &str) -> Image {
    // Cannot panic: the texts are ours, and a test compiles each of them.
    let rules = RuleSet::parse(text).expect("generated rules read");
    let diagram = diagram::build(&rules, 64, &Limits::default()).expect("generated rules are small");
    let mut image = ebpf::compile(subject, &diagram, &diagram, &Target::default()).expect("generated rules fit");
    image.notes.rules = vec![rules.to_string(); 2];
    image
}

/// Random rules of every effect, in two tiers.
fn text(random: &mut Random) -> String {
    let mut text = String::new();
    for tier in ["admin", "normal"] {
        text += &format!("tier {tier}\n level 0\n");
        for rule in 0..1 + random.below(7) {
            let effect = ["allow", "deny", "allow", if tier == "admin" { "pass" } else { "allow" }][random.below(4)];
            let first = 4 + random.below(20);
            let peers = if random.below(8) == 0 {
                "any".to_owned()
            } else {
                format!("{{{first}-{}}}", first + random.below(5))
            };
            let protocol = ["tcp", "udp", "sctp"][random.below(3)];
            let port = random.below(60_000);
            let ports = match random.below(3) {
                0 => port.to_string(),
                1 => format!("{port}-{}", port + random.below(4000)),
                _ => "*".to_owned(),
            };
            text += &format!("  {effect} peers {peers} l4 {protocol}/{ports} by r rules[{rule}]\n");
        }
    }
    text + "fallback deny by r rules\n"
}
