//! Mutants that are proved from their first instruction on, whatever the list of templates says, and judged by packets where they are.

use super::{What, probe};
use flow::Direction;
use fuzz::random::Random;
use image::Image;
use packet::craft::{damage, every_kind};
use verify::whole;
use vm::Pair;
use vm::pair::{MAC, OWN, PEERS};

/// How many packets judge a mutant that is proved, in audit mode and without.
const PACKETS: usize = 10_000;

/// Whether the proof of whole programs notices what is wrong; if not, whether packets do.
pub fn judge(base: &Image, mutant: &Image, place: &str) -> What {
    if !is_proved(base, mutant) {
        return What::Caught;
    }
    let found = probe::differs(base, mutant)
        .or_else(|| [false, true].into_iter().find_map(|audit| told_apart(base, mutant, audit)));
    match found {
        None => What::Equal,
        Some(why) => What::Missed(format!("{place}: {why}")),
    }
}

/// Whether its decisions are proved, and every path of the programs that are not those of the base.
fn is_proved(base: &Image, mutant: &Image) -> bool {
    let decides = verify::diagrams_of(mutant).is_ok_and(|it| verify::prove_with(mutant, &it, &|_| true).is_ok());
    let changed = mutant.programs.iter().filter(|it| !base.programs.contains(it));
    // For the nodes that the base is for, and no others.
    let settings = |image: &Image, hook| Some(whole::prove(image, image.program(hook)?).ok()?.settings);
    decides
        && changed.into_iter().all(|it| {
            let found = settings(mutant, it.hook);
            found.is_some() && found == settings(base, it.hook)
        })
}

/// A packet that the two answer otherwise, or what they left otherwise, in words; or that one of them cannot run.
fn told_apart(base: &Image, mutant: &Image, audit: bool) -> Option<String> {
    let mut pair = match Pair::load([base, mutant], audit) {
        Ok(pair) => pair,
        Err(why) => return Some(why.to_string()),
    };
    let of_family = |at: usize| PEERS.iter().flat_map(move |peer| every_kind(OWN[at], MAC, peer[at]));
    let frames: Vec<_> = of_family(0).chain(of_family(1)).collect();
    let mut random = Random::new(1);
    for at in 0..PACKETS {
        let (direction, mut frame) = frames.get(at).unwrap_or(&frames[random.below(frames.len())]).clone();
        if at >= frames.len() {
            damage(&mut frame, &mut |limit| random.below(limit));
        }
        let program = base.programs.iter().find(|it| it.hook.is_egress() == (direction == Direction::Egress))?;
        if let Some(why) = pair.differs(program.hook, &frame) {
            return Some(why);
        }
    }
    pair.left_otherwise()
}
