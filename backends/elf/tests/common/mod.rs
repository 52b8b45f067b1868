//! Images of rules, as the compiler makes them.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod node;

use diagram::{Diagram, Limits};
use ebpf::{Settings, Shapes};
use image::{Hook, Image, Target};
use rules::RuleSet;

/// The peers that rules tell apart: two friends and somebody by an address block.
pub const FRIEND: u32 = 5;
/// Likewise.
pub const TRUSTED: u32 = 6;
/// Likewise.
pub const STRANGER: u32 = 7;

/// A small target, so that maps are made in no time.
pub fn target() -> Target {
    ebpf::small_target(Target::default())
}

/// Rules that tell peers and ports apart.
pub const TABLES: &str = "tier normal\n level 0\n  allow peers {5} l4 tcp/80,udp/53,icmp/8.0-8.255 by \"NetworkPolicy shop/db\" spec.ingress[0].from[0]\n  \
     allow peers {6} l4 any by \"NetworkPolicy shop/db\" spec.ingress[1].from[0]\n  \
     deny peers {7} l4 any by \"CiliumNetworkPolicy shop/strangers\" spec.ingressDeny[0]\n  \
     allow peers any l4 tcp/443 by \"NetworkPolicy shop/open\" spec.ingress[0]\n fallback deny by \"NetworkPolicy shop/db\" spec.podSelector";
/// Rules with listeners and authentication, which nodes drop.
pub const PROXIED: &str = "listener l0 x\ntier normal\n level 0\n  allow peers {5} l4 tcp/80 redirect l0 priority 1 by p a\n  \
     allow peers {6} l4 any auth required by p b\n fallback deny by p \"\"";
/// Rules that tell nothing apart.
pub const ALLOW: &str = "fallback allow";
/// Likewise.
pub const DENY: &str =
    "tier normal\n level 0\n  deny peers any l4 any by \"NetworkPolicy shop/shut\" spec\n fallback deny by p b";

/// The image of rules for both directions, with the rules in it, and the class of each peer in each of them.
pub fn image(hooks: [Hook; 2], texts: [&str; 2], target: &Target) -> (Image, [Vec<u16>; 2]) {
    let diagrams: [Diagram; 2] = texts.map(|text| {
        let rules = RuleSet::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        diagram::build(&rules, 16, &Limits::default()).unwrap()
    });
    // Rules whose decisions are in tables, as their name says; those of others are in the code where that is cheaper.
    let shapes = if texts.contains(&TABLES) { Shapes::Tables } else { Shapes::Cheapest };
    let settings = Settings { shapes, ..Settings::default() };
    let mut image = ebpf::compile_under(settings, hooks, "pod shop/db", [&diagrams[0], &diagrams[1]], target).unwrap();
    image.notes.rules = texts.map(|text| RuleSet::parse(text).unwrap().to_string()).into();
    (image, diagrams.each_ref().map(ebpf::class_table))
}

/// Every map that the programs of an image use, once.
pub fn maps(image: &Image) -> std::collections::BTreeSet<image::MapRef> {
    image.programs.iter().flat_map(|program| &program.relocs).map(|reloc| reloc.map).collect()
}
