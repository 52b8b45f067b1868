//! Rules, and images of them.
#![allow(dead_code, reason = "each test binary uses its part")]

use diagram::{Diagram, Limits};
use ebpf::{Settings, Shapes};
use image::{Hook, Image, Target};
use rules::RuleSet;

/// A small target, so that images are made in no time.
pub fn target() -> Target {
    ebpf::small_target(Target::default())
}

/// Rules for so many groups of peers, of every effect.
pub fn rules(groups: u32) -> RuleSet {
    let mut text = String::from("tier normal\n level 0\n");
    for group in 0..groups {
        let peer = 4 + group * 2;
        let port = 80 + group;
        text += &format!("  allow peers {{{peer}-{}}} l4 tcp/{port}-{} by p rules[{group}]\n", peer + 1, port + 10);
        text += &format!("  deny peers {{{peer}}} l4 udp/{port} by p rules[{group}]\n");
    }
    text += "  allow peers any l4 udp/53 by p rules[99]\n fallback deny by p \"\"";
    RuleSet::parse(&text).unwrap()
}

/// The diagram of rules over the peers of the small target.
pub fn diagram(rules: &RuleSet) -> Diagram {
    diagram::build(rules, 200, &Limits::default()).unwrap()
}

/// Every choice of shapes.
pub const SHAPES: [Shapes; 4] = [Shapes::Cheapest, Shapes::Tables, Shapes::Sum, Shapes::Tree];

/// The image of rules, the same for both directions, with the rules in it.
pub fn image(rules: &RuleSet, target: &Target) -> Image {
    image_by(Shapes::Cheapest, rules, target)
}

/// Likewise, by some shapes.
pub fn image_by(shapes: Shapes, rules: &RuleSet, target: &Target) -> Image {
    let (diagram, settings) = (diagram(rules), Settings { shapes, ..Settings::default() });
    let mut image = ebpf::compile_under(settings, Hook::BOTH, "test", [&diagram, &diagram], target).unwrap();
    image.notes.rules = vec![rules.to_string(), rules.to_string()];
    image
}
