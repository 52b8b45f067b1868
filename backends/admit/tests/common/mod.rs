//! Every shape of program that is emitted, and the running kernel to ask.
#![allow(dead_code, reason = "each test binary uses its part")]

use admit::Kernel;
use ebpf::{Matrix, Settings, Shapes, compile_decision, compile_with};
use flow::Family;
use image::{Exchange, Fill, Hook, Image, MapRef, NodeMap, Program, Target};
use loader::sys::map::{Access, Map};
use loader::sys::program::{self, Refused, Stats};
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};

/// A small target, so that maps are made in no time.
pub fn target() -> Target {
    ebpf::small_target(Target::default())
}

/// Likewise for kernels without an instruction to compare and exchange.
pub fn locked() -> Target {
    Target { exchange: Exchange::Lock, ..target() }
}

/// The targets that the running kernel has programs of.
pub fn targets() -> Vec<Target> {
    let has_both = loader::features().is_ok_and(|it| it.compare_exchange);
    if has_both { vec![target(), locked()] } else { vec![locked()] }
}

/// Decisions of every form: of one class and of many, by every shape, and each constant.
pub fn matrices() -> Vec<(String, Shapes, Matrix)> {
    let rows = |classes: u32, ports: u32| {
        let port = |it: u32| (6 << 16 | (80 * it), if it == ports { 2 } else { 1 });
        let mut cuts = vec![(0, 0)];
        cuts.extend((1..=ports).map(port).flat_map(|(start, column)| [(start, column), (start + 1, 0)]));
        cuts.extend([(17 << 16 | 53, 2), (17 << 16 | 64, 0)]);
        Matrix {
            class_count: classes,
            cuts,
            leaves: (0..classes * 3).map(|cell| (cell % 4) as u8).collect(),
            signatures: (0..classes).map(|class| vec![class]).collect(),
            hits: Vec::new(),
        }
    };
    let tables = [1, 3, 7].map(|classes| (format!("tables of {classes}"), Shapes::Tables, rows(classes, 1)));
    // Leaves in a word and, of the 40 classes, in a matrix; a tree that is as large as trees get.
    let sums = [3, 7, 40].map(|classes| (format!("sum of {classes}"), Shapes::Sum, rows(classes, 5)));
    let trees = [1, 3, 40].map(|classes| (format!("tree of {classes}"), Shapes::Tree, rows(classes, 15)));
    let ports = Matrix { leaves: vec![0, 1], cuts: vec![(0, 0), (6 << 16, 1), (7 << 16, 0)], ..Matrix::allow() };
    let one =
        Matrix { class_count: 7, leaves: vec![0, 1, 1, 0, 1, 0, 1], signatures: vec![vec![]; 7], ..Matrix::allow() };
    let small = [("protocol", ports), ("classes alone", one)].map(|(name, it)| (name.into(), Shapes::Cheapest, it));
    let constants = (0..=3).map(|leaf| (format!("constant {leaf}"), Shapes::Tables, Matrix::constant(leaf)));
    tables.into_iter().chain(sums).chain(trees).chain(small).chain(constants).collect()
}

/// Every combination of settings.
pub fn settings() -> Vec<Settings> {
    let fragments = [(false, false), (true, false), (false, true), (true, true)];
    let of = |tunnel_port| {
        fragments.map(|(untracked_fragments4, untracked_fragments6)| Settings {
            untracked_fragments4,
            untracked_fragments6,
            tunnel_port,
            shapes: Shapes::Tables,
        })
    };
    [None, Some(8472)].into_iter().flat_map(of).collect()
}

/// One image of each shape for a target, with its name. Shape: two programs each, and decisions alone with one.
pub fn images(target: &Target) -> Vec<(String, Image)> {
    let mut out = Vec::new();
    for (form, shapes, matrix) in matrices().into_iter().filter(|(.., matrix)| matrix.as_constant().is_none()) {
        for family in [Family::V4, Family::V6] {
            let image = compile_decision(family, shapes, "shape", &matrix, target).unwrap();
            out.push((format!("{form}, {family:?} alone"), image));
        }
    }
    for (at, settings) in settings().into_iter().enumerate() {
        for hooks in [Hook::BOTH, Hook::HOST] {
            // What surrounds the decisions of one shape does so with all, so the others meet one setting.
            for (form, shapes, matrix) in matrices().into_iter().filter(|it| at == 0 || it.1 == Shapes::Tables) {
                let settings = Settings { shapes, ..settings };
                let image = compile_with(settings, hooks, "shape", &matrix, &matrix, target).unwrap();
                let Settings { untracked_fragments4: four, untracked_fragments6: six, tunnel_port, .. } = settings;
                let name = format!(
                    "{form}, Settings {{ untracked_fragments4: {four}, untracked_fragments6: {six}, tunnel_port: {tunnel_port:?} }}"
                );
                out.push((name, image));
            }
        }
    }
    out
}

/// Says that a test cannot run here. Written past the harness, which hides what passing tests print.
pub fn absent(why: &str) {
    writeln!(std::io::stderr(), "absent (1): {why}").expect("standard error is open");
}

/// The version of the running kernel; `None`, and a line that says so, for one that is not known.
pub fn running() -> Option<Kernel> {
    let text = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    text.trim().parse().inspect_err(|why: &String| absent(why)).ok()
}

/// The running kernel, with the maps that all images of one target share.
pub struct Host {
    pub node: BTreeMap<NodeMap, Map>,
}

/// The maps of one image.
pub struct Tables<'h> {
    host: &'h Host,
    pub own: Vec<Map>,
}

impl Host {
    /// `None`, and a line that says so, where bpf(2) is not permitted.
    pub fn open(target: &Target) -> Option<Host> {
        let mut node = BTreeMap::new();
        for map in NodeMap::ALL {
            match Map::create(map.name(), &map.spec(target), Access::Shared) {
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    absent("bpf(2) is not permitted");
                    return None;
                }
                made => drop(node.insert(map, made.expect("bpf(2) is permitted, so a map can be made"))),
            }
        }
        Some(Host { node })
    }

    /// Makes an image's own maps, as the loader does.
    pub fn tables(&self, image: &Image) -> Tables<'_> {
        let own = image.tables.iter().map(|table| {
            let content = match &table.fill {
                Fill::Fixed(bytes) => Some(bytes.clone()),
                Fill::Digest => Some(image.digest().short().to_vec()),
                _ => None,
            };
            let spec = image::MapSpec {
                kind: image::MapKind::Array,
                key_size: 4,
                value_size: table.value_size(1 << image.target.peers_log2),
                max_entries: 1,
            };
            let access = if content.is_some() { Access::ReadOnlyToPrograms } else { Access::Shared };
            let map = Map::create(&table.name, &spec, access).unwrap();
            if let Some(content) = content {
                map.update(&[0; 4], &content).unwrap();
                map.freeze().unwrap();
            }
            map
        });
        Tables { host: self, own: own.collect() }
    }
}

impl Tables<'_> {
    /// Asks the kernel for one program.
    pub fn load(&self, program: &Program) -> Result<Stats, Refused> {
        let map = |reference| match reference {
            MapRef::Own(index) => self.own.get(usize::from(index)),
            MapRef::Node(map) => self.host.node.get(&map),
        };
        let insns = loader::relocate(program, map).expect("references stand at wide loads");
        program::load(&program.name, &insns).map(|(_, stats)| stats)
    }
}

/// A number that the verifier states in its closing line, such as `processed` or `total_states`.
pub fn figure(stats: &Stats, name: &str) -> u32 {
    let words: Vec<&str> = stats.log.split_whitespace().collect();
    let at = words.iter().position(|word| *word == name).expect("the verifier states its figures");
    words[at + 1].parse().expect("a number")
}
