//! The sound images that faults are planted in: those of the bundled shop, and of random rules.

use diagram::Limits;
use driver::Database;
use ebpf::{Settings, Shapes};
use fuzz::random::Random;
use image::{Hook, Image, Target};
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
/// The shapes that they are compiled to, in turn.
const SHAPES: [Shapes; 4] = [Shapes::Cheapest, Shapes::Tables, Shapes::Sum, Shapes::Tree];

/// Every base, in order.
pub fn all(seed: u64) -> Vec<Image> {
    let mut db = Database::new();
    db.set_files((0..).zip(SHOP).map(|(at, text): (u32, _)| (Arc::from(format!("{at}.yaml")), Arc::from(text))));
    let mut bases: Vec<Image> =
        driver::build::images(&db).into_iter().filter_map(|(_, image)| Some((*image.ok()?).clone())).collect();
    let mut random = Random::new(seed);
    bases.extend((0..RANDOM).map(|at| {
        let shapes = SHAPES[at % SHAPES.len()];
        let ports = if at % 3 == 0 { Peers::All } else { Peers::Some };
        of_rules(&text(&mut random, ports), &format!("random {at} {shapes:?}"), shapes)
    }));
    bases
}

/// The shapes that the base of a name was compiled to.
pub fn shapes_of(subject: &str) -> Shapes {
    let named = |shapes: &Shapes| subject.ends_with(&format!(" {shapes:?}"));
    SHAPES.into_iter().find(named).unwrap_or_default()
}

/// The image of rules in both directions; they stand in it.
///
/// The text is ours, so that it reads and fits.
pub fn of_rules(text: &str, subject: &str, shapes: Shapes) -> Image {
    // Cannot panic: the texts are ours, and a test compiles each of them.
    let rules = RuleSet::parse(text).expect("generated rules read");
    let diagram = diagram::build(&rules, 64, &Limits::default()).expect("generated rules are small");
    let settings = Settings { shapes, ..Settings::default() };
    let compiled = ebpf::compile_under(settings, Hook::BOTH, subject, [&diagram, &diagram], &Target::default());
    // Cannot panic: as above.
    let mut image = compiled.expect("generated rules fit");
    image.notes.rules = vec![rules.to_string(); 2];
    image
}

/// Whom rules tell apart.
enum Peers {
    /// Nobody, so that there is one class.
    All,
    /// Some of them.
    Some,
}

/// Random rules of every effect, in two tiers.
fn text(random: &mut Random, who: Peers) -> String {
    let mut text = String::new();
    for tier in ["admin", "normal"] {
        text += &format!("tier {tier}\n level 0\n");
        for rule in 0..1 + random.below(7) {
            let effect = ["allow", "deny", "allow", if tier == "admin" { "pass" } else { "allow" }][random.below(4)];
            let first = 4 + random.below(20);
            let peers = if random.below(8) == 0 || matches!(who, Peers::All) {
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
