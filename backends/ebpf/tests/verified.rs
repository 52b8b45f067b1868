//! Every template under every setting is accepted by the kernel's verifier, and costs it little.

mod common;

use common::{World, policy, target};
use ebpf::{Matrix, Settings};
use image::Hook;

/// The most instructions that the verifier may walk, of the million that it would.
const MOST: u32 = 16_000;

#[test]
fn each_template_is_accepted_under_each_setting() {
    let forms = [("tables".to_owned(), policy())];
    let constants = (0..=3).map(|leaf| (format!("constant-{leaf}"), Matrix::constant(leaf)));
    let forms: Vec<(String, Matrix)> = forms.into_iter().chain(constants).collect();
    for (untracked_fragments4, untracked_fragments6) in [(false, false), (true, false), (false, true), (true, true)] {
        for tunnel_port in [None, Some(8472)] {
            let settings = Settings { untracked_fragments4, untracked_fragments6, tunnel_port, ..Settings::default() };
            for (hooks, (form, matrix)) in
                [Hook::BOTH, Hook::HOST].iter().flat_map(|it| forms.iter().map(move |form| (*it, form)))
            {
                for (hook, walked) in World::under(settings, hooks, &target(), matrix, matrix).verified() {
                    let fragments = match (untracked_fragments4, untracked_fragments6) {
                        (false, false) => "both",
                        (true, true) => "neither",
                        (true, false) => "six",
                        (false, true) => "four",
                    };
                    let name = format!("{hook:?}/{form}/fragments-{fragments}/tunnel-{}", tunnel_port.is_some());
                    println!("verified {name} {walked}");
                    assert!(walked < MOST, "{name}: {walked}");
                }
            }
        }
    }
}
