//! Every program that surrounds decisions, whatever they are: what a list of templates is made of, and what is judged and proved once for all.

use crate::decide::matrix::Matrix;
use crate::settings::Settings;
use crate::{Problem, compile_with};
use image::{Hook, Image, Target};

/// The UDP ports of tunnels that guards are made for: VXLAN as Linux has it, VXLAN of RFC 7348, Geneve of RFC 8926.
const TUNNELS: [u16; 3] = [8472, 4789, 6081];

/// Every combination of settings.
fn settings() -> Vec<Settings> {
    let fragments = [(false, false), (true, false), (false, true), (true, true)];
    let tunnels = [None].into_iter().chain(TUNNELS.map(Some));
    let of = |tunnel_port| {
        fragments.map(|(untracked_fragments4, untracked_fragments6)| Settings {
            untracked_fragments4,
            untracked_fragments6,
            tunnel_port,
            ..Settings::default()
        })
    };
    tunnels.flat_map(of).collect()
}

/// Every form of a decision: by classes of peers, by ports alone, and none.
fn forms() -> Vec<(String, Matrix)> {
    let tree = Matrix { cuts: vec![(0, 0), (1, 1)], leaves: vec![0, 1], ..Matrix::allow() };
    let cells = Matrix { class_count: 2, leaves: vec![0, 1], signatures: vec![vec![], vec![0]], ..Matrix::allow() };
    let constants = (0..=3).map(|leaf| (format!("constant-{leaf}"), Matrix::constant(leaf)));
    [("cells".to_owned(), cells), ("tree".to_owned(), tree)].into_iter().chain(constants).collect()
}

/// The images of every form under every setting for a target, of endpoints and of nodes, each with the name of its form.
///
/// Errors: a target that no program can be written for.
pub fn templates(target: &Target) -> Result<Vec<(String, Image)>, Problem> {
    let mut out = Vec::new();
    for settings in settings() {
        for hooks in [Hook::BOTH, Hook::HOST] {
            for (form, matrix) in forms() {
                let image = compile_with(settings, hooks, "templates", &matrix, &matrix, target)?;
                out.push((form, image));
            }
        }
    }
    Ok(out)
}

/// A target whose tables are made in no time, of kernels that offer what another target says: that of tests.
pub fn small_target(offered: Target) -> Target {
    Target {
        endpoints_log2: 4,
        address4_pages_log2: 5,
        peers_log2: 8,
        track4_sets_log2: 6,
        track6_sets_log2: 6,
        address6_log2: 6,
        fragments_log2: 6,
        records_log2: 14,
        ..offered
    }
}

/// Every target that templates are listed for, with its name: those of nodes, and the small one.
pub fn listed_targets() -> Vec<(&'static str, Target)> {
    let default = Target::default();
    vec![
        ("little-endian", Target { little_endian: true, ..default.clone() }),
        ("big-endian", Target { little_endian: false, ..default.clone() }),
        ("5.10", Target { little_endian: true, ..Target::for_kernel((5, 10)) }),
        ("5.12", Target { little_endian: true, ..Target::for_kernel((5, 12)) }),
        ("tests", Target { little_endian: true, ..small_target(default) }),
    ]
}
