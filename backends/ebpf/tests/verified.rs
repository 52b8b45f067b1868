//! Every template under every setting is accepted by the kernel's verifier, and costs it little.

mod common;

use common::{World, policy, target, targets};
use ebpf::{Matrix, Settings};
use image::{Exchange, Hook, Target};

/// The most instructions that the verifier may walk, of the million that it would.
const MOST: u32 = 16_000;

#[test]
fn each_template_is_accepted_under_each_setting() {
    for (untracked_fragments4, untracked_fragments6) in [(false, false), (true, false), (false, true), (true, true)] {
        for tunnel_port in [None, Some(8472)] {
            let settings = Settings { untracked_fragments4, untracked_fragments6, tunnel_port, ..Settings::default() };
            each_template(settings, &target());
        }
    }
}

#[test]
fn so_it_is_where_writers_lock_though_the_kernel_has_the_instruction() {
    // The settings change nothing of what is locked.
    targets()[1..].iter().for_each(|target| each_template(Settings::default(), target));
}

fn each_template(settings: Settings, target: &Target) {
    // A harness that hides nothing begins the line.
    println!();
    let constants = (0..=3).map(|leaf| (format!("constant-{leaf}"), Matrix::constant(leaf)));
    let forms = [("tables".to_owned(), policy())].into_iter().chain(constants);
    for (form, matrix) in forms {
        for hooks in [Hook::BOTH, Hook::HOST] {
            for (hook, walked) in World::under(settings, hooks, target, &matrix, &matrix).verified() {
                let name = format!("{hook:?}/{form}/{}", setting(settings, target));
                println!("verified {name} {walked}");
                assert!(walked < MOST, "{name}: {walked}");
            }
        }
    }
}

fn setting(settings: Settings, target: &Target) -> String {
    let fragments = match (settings.untracked_fragments4, settings.untracked_fragments6) {
        (false, false) => "both",
        (true, true) => "neither",
        (true, false) => "six",
        (false, true) => "four",
    };
    let locked = if target.exchange == Exchange::Lock { "/locked" } else { "" };
    format!("fragments-{fragments}/tunnel-{}{locked}", settings.tunnel_port.is_some())
}
