//! What bpftool loads, unchanged, decides as what our own loader loads: the same packets through both, both directions, both families.

mod common;

use common::node::{IFINDEX, Ours, call, file, fill, frames, isolated};
use common::{ALLOW, DENY, PROXIED, TABLES, image, maps, target};
use image::{Exchange, Fill, Hook, Image, MapRef, NodeMap, Target, layout};
use loader::sys::map::Map;
use loader::sys::object;
use loader::sys::program::Program;
use loader::{Context, Node, Pins};
use std::path::{Path, PathBuf};

/// The object of the same image by bpftool, with what the maps of a node hold.
struct Theirs {
    pins: PathBuf,
    bss: String,
}

impl Theirs {
    fn of(program: &Path, root: &Path, image: &Image, classes: &[Vec<u16>; 2]) -> Theirs {
        let name = format!("theirs-{}", &image.digest().to_string()[..12]);
        let mut node = Node::open(&name, &image.target, Pins::At(root.into())).unwrap();
        fill(&mut node);
        let pins = root.join(&name);
        let file = file(image);
        let mut words: Vec<String> = ["prog", "loadall"].map(str::to_owned).into();
        words.extend([file.path(), &pins].map(|path| path.display().to_string()));
        // What is no data can be had from others under its name.
        let shared = |map: &MapRef| !elf::loaded(image, *map).unwrap().map.starts_with('.');
        for map in maps(image).into_iter().filter(shared) {
            let MapRef::Node(kind) = map else { continue };
            let pin = root.join("tidegate/v1").join(&name).join(kind.name());
            words.extend(["map".into(), "name".into(), kind.name().into(), "pinned".into()]);
            words.push(pin.display().to_string());
        }
        words.extend(["pinmaps".into(), pins.join("maps").display().to_string()]);
        call(program, &words.iter().map(String::as_str).collect::<Vec<_>>());
        // The name of an object is that of its file up to the first dot, of which a map's name has room for eight letters.
        let bss = format!("{:.8}.bss", file.path().file_stem().unwrap().to_str().unwrap());
        let theirs = Theirs { pins, bss };
        // Arrays that no program uses are in `.bss` with the others, or nowhere.
        for map in maps(image).into_iter().filter(|map| !shared(map)) {
            let MapRef::Node(kind) = map else { continue };
            let place = elf::loaded(image, map).unwrap();
            let bytes = node.map(kind).lookup(&[0; 4]).unwrap().unwrap();
            let mut value = theirs.map(&place.map).lookup(&[0; 4]).unwrap().unwrap();
            value[place.offset as usize..][..bytes.len()].copy_from_slice(&bytes);
            theirs.map(&place.map).update(&[0; 4], &value).unwrap();
        }
        for (index, table) in (0..).zip(&image.tables) {
            if let Fill::Classes(program) = table.fill {
                let mut value = vec![0; table.value_size(1 << image.target.peers_log2) as usize];
                for (at, class) in classes[usize::from(program)].iter().enumerate() {
                    value[at * 2..at * 2 + 2].copy_from_slice(&class.to_ne_bytes());
                }
                theirs.own(image, index).update(&[0; 4], &value).unwrap();
            }
        }
        theirs
    }

    /// A map by its name.
    fn map(&self, name: &str) -> Map {
        // Pins have no dots in their names.
        let pin = if name == ".bss" { self.bss.replace('.', "_") } else { name.replace('.', "_") };
        Map::from_fd(object::open(&self.pins.join("maps").join(pin)).unwrap()).unwrap()
    }

    /// One of the image's own tables.
    fn own(&self, image: &Image, index: u16) -> Map {
        self.map(&elf::loaded(image, MapRef::Own(index)).unwrap().map)
    }

    /// The bytes of an array of the node.
    fn array(&self, image: &Image, map: NodeMap) -> Vec<u8> {
        let place = elf::loaded(image, MapRef::Node(map)).unwrap();
        let value = self.map(&place.map).lookup(&[0; 4]).unwrap().unwrap();
        value[place.offset as usize..][..map.spec(&image.target).value_size as usize].to_vec()
    }

    fn program(&self, name: &str) -> Program {
        Program::from_fd(object::open(&self.pins.join(name)).unwrap()).unwrap()
    }
}

/// Puts every frame through both and compares: answers, packets, and in the end what all maps say.
fn compare(program: &Path, root: &Path, hooks: [Hook; 2], texts: [&str; 2], target: &Target) -> [u64; 2] {
    let (image, classes) = image(hooks, texts, target);
    let (ours, theirs) = (Ours::of(&image, &classes), Theirs::of(program, root, &image, &classes));
    let programs = hooks.map(|hook| theirs.program(&image.program(hook).unwrap().name));
    let context = Context { ifindex: IFINDEX, ingress_ifindex: 0, ..Context::default() };
    let mut answers = [0; 2];
    for (egress, frame) in frames() {
        let hook = hooks[usize::from(egress)];
        let one = ours.loaded.run(hook, &frame, &context, 1).unwrap();
        let other = programs[usize::from(egress)].run(&frame, &context, 1).unwrap();
        assert_eq!((one.answer, &one.packet), (other.answer, &other.packet), "{texts:?} {hook:?}: {frame:02x?}");
        answers[usize::from(one.answer == -1)] += 1;
    }
    let counted =
        |bytes: &[u8]| -> Vec<u64> { bytes.as_chunks().0.iter().map(|word| u64::from_ne_bytes(*word)).collect() };
    assert_eq!(ours.node.counters()[..], counted(&theirs.array(&image, NodeMap::Counters)), "{texts:?}");
    // Jiffies went by between the two, so entries are alike and not the same.
    for (map, entry) in [(NodeMap::Track4, layout::track4::SIZE), (NodeMap::Track6, layout::track6::SIZE)] {
        let one = ours.node.map(map).lookup(&[0; 4]).unwrap().unwrap();
        let used = |bytes: &[u8]| bytes.chunks(entry as usize).filter(|it| it.iter().any(|byte| *byte != 0)).count();
        assert_eq!(used(&one), used(&theirs.array(&image, map)), "{map:?} of {texts:?}");
    }
    for (index, table) in (0..).zip(&image.tables) {
        if let Fill::Counters(_) = table.fill {
            let theirs = counted(&theirs.own(&image, index).lookup(&[0; 4]).unwrap().unwrap());
            assert_eq!(ours.loaded.read_counters(index), Some(theirs), "{} of {texts:?}", table.name);
        }
    }
    answers
}

#[test]
fn objects_decide_as_images_do() {
    isolated(|program, root| {
        for (hooks, texts, passes) in [
            (Hook::BOTH, [TABLES, TABLES], true),
            (Hook::BOTH, [TABLES, ALLOW], true),
            (Hook::BOTH, [PROXIED, TABLES], true),
            (Hook::BOTH, [ALLOW, DENY], true),
            (Hook::BOTH, [DENY, DENY], false),
            (Hook::HOST, [TABLES, PROXIED], true),
        ] {
            let [dropped, passed] = compare(program, root, hooks, texts, &target());
            assert!(dropped > 20 && (passed > 20) == passes, "{texts:?}: {dropped} dropped, {passed} passed");
        }
    });
}

#[test]
fn so_do_objects_for_kernels_of_small_arrays_that_lock() {
    isolated(|program, root| {
        let target = Target { exchange: Exchange::Lock, wide_values: false, ..target() };
        for hooks in [Hook::BOTH, Hook::HOST] {
            let [dropped, passed] = compare(program, root, hooks, [TABLES, PROXIED], &target);
            assert!(dropped > 20 && passed > 20, "{dropped} dropped, {passed} passed");
        }
    });
}

#[test]
fn an_object_of_a_whole_node_loads_as_it_stands() {
    isolated(|program, root| {
        let targets = [Target::default(), Target::for_kernel((5, 10))];
        let cases = targets.iter().flat_map(|target| [Hook::BOTH, Hook::HOST].map(|hooks| (target, hooks)));
        for (target, hooks) in cases {
            let (image, _) = image(hooks, [TABLES, TABLES], target);
            let file = file(&image);
            let pins = root.join(format!("{:?}{:?}", target.exchange, hooks[0]));
            let [path, at] = [file.path(), &pins].map(|path| path.display().to_string());
            call(program, &["prog", "loadall", &path, &at]);
            for program in &image.programs {
                Program::from_fd(object::open(&pins.join(&program.name)).unwrap()).unwrap();
            }
        }
    });
}

#[test]
fn objects_share_the_arrays_of_a_node() {
    isolated(|program, root| {
        let files = [[TABLES, TABLES], [ALLOW, DENY]].map(|texts| file(&image(Hook::BOTH, texts, &target()).0));
        let names = files.each_ref().map(|file| format!("{:.8}", file.path().file_stem().unwrap().to_str().unwrap()));
        let at = |number: usize, below: &str| root.join(number.to_string()).join(below).display().to_string();
        let path = |number: usize| files[number].path().display().to_string();
        call(program, &["prog", "loadall", &path(0), &at(0, ""), "pinmaps", &at(0, "maps")]);
        let first = at(0, &format!("maps/{}_bss", names[0]));
        let map = || Map::from_fd(object::open(Path::new(&first)).unwrap()).unwrap();
        let marked = vec![7; map().info().value_size as usize];
        map().update(&[0; 4], &marked).unwrap();
        let name = format!("{}.bss", names[1]);
        call(program, &["prog", "loadall", &path(1), &at(1, ""), "map", "name", &name, "pinned", &first]);
        let used = |number| {
            let said = call(program, &["prog", "show", "pinned", &at(number, "tg_to_endpoint")]);
            let ids = said.split_once("map_ids ").unwrap().1.split_whitespace().next().unwrap().to_owned();
            ids.split(',').any(|id| id == map().info().id.to_string())
        };
        assert!(used(0) && used(1));
        assert_eq!(map().lookup(&[0; 4]).unwrap(), Some(marked), "what is shared is as it was");
    });
}

#[test]
fn a_dump_names_objects_and_paths_and_no_line() {
    isolated(|program, root| {
        let (image, _) = image(Hook::BOTH, [TABLES, DENY], &target());
        let (file, pins) = (file(&image), root.join("named"));
        let [path, at] = [file.path(), &pins].map(|path| path.display().to_string());
        call(program, &["prog", "loadall", &path, &at]);
        let dump = call(program, &["prog", "dump", "xlated", "pinned", &format!("{at}/tg_to_endpoint"), "linum"]);
        for line in [
            "; spec.ingress[0].from[0], spec.ingress[1].from[0], spec.podSelector [file:NetworkPolicy shop/db line_num:0 line_col:0]",
            "; spec.ingressDeny[0] [file:CiliumNetworkPolicy shop/strangers line_num:0 line_col:0]",
            "; spec.ingress[0] [file:NetworkPolicy shop/open line_num:0 line_col:0]",
        ] {
            assert_eq!(dump.matches(line).count(), 2, "once a family: {line}\n{dump}");
        }
        let dump = call(program, &["prog", "dump", "xlated", "pinned", &format!("{at}/tg_from_endp"), "linum"]);
        assert!(dump.contains("; spec [file:NetworkPolicy shop/shut line_num:0 line_col:0]"), "{dump}");
        let types = call(program, &["btf", "dump", "file", &path]);
        for name in [
            "DATASEC '.rodata.table_in'",
            "VAR 'tg_track6'",
            "DATASEC '.maps'",
            "DATASEC '.bss'",
            "VAR 'tg_records'",
            "FUNC 'tg_from_endp'",
        ] {
            assert!(types.contains(name), "{name}\n{types}");
        }
    });
}

#[test]
fn arrays_of_a_node_have_one_layout_whatever_the_programs_use() {
    let layout = |texts| {
        let (image, _) = image(Hook::BOTH, texts, &target());
        NodeMap::ALL.map(|map| elf::loaded(&image, MapRef::Node(map)))
    };
    let places = layout([TABLES, TABLES]);
    assert_eq!(places, layout([ALLOW, DENY]));
    assert!(places.iter().flatten().all(|place| place.offset.is_multiple_of(4096)), "{places:?}");
}
