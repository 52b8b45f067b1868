//! What bpftool loads, unchanged, decides as what our own loader loads: the same packets through both, both directions, both families.

mod common;

use common::{ALLOW, DENY, FRIEND, PROXIED, STRANGER, TABLES, TRUSTED, image, maps, target};
use image::codec::{Config, Endpoint};
use image::{Fill, Hook, Image, MapRef, NodeMap, Target, layout};
use loader::sys::map::Map;
use loader::sys::object;
use loader::sys::program::Program;
use loader::{Context, Loaded, Node, Pins};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use packet::Flags;
use packet::craft::{Echo, Frame};
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The endpoint, and its peers in the order of their numbers, each family.
const ADDRESSES: [[&str; 4]; 2] = [
    ["10.0.1.4", "10.0.2.5", "10.0.2.6", "198.51.100.77"],
    ["fd00:0:0:1::4", "fd00:0:0:2::5", "fd00:0:0:2::6", "2001:db8:7::9"],
];
/// The loopback of the thread's namespace: a context must name an interface that exists.
const IFINDEX: u32 = 1;

/// Says past the harness that a test cannot run here, and how many could not so far.
fn absent(why: &str) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    writeln!(std::io::stderr(), "absent ({count}): objects in the kernel: {why}").expect("standard error is open");
}

/// Where bpftool is; Debian keeps it where only root looks.
fn bpftool() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into()]);
    folders.map(|folder| folder.join("bpftool")).find(|program| program.exists())
}

/// Runs a test in a mount namespace of its own with a BPF file system in it.
fn isolated(test: impl FnOnce(&Path, &Path) + Send + 'static) {
    let Some(program) = bpftool() else { return absent("bpftool is not installed") };
    let run = std::thread::spawn(move || {
        if let Err(error) = unshare(CloneFlags::CLONE_NEWNS) {
            return absent(&format!("no mounts of our own: {error}"));
        }
        let none: Option<&str> = None;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mounts can be made private");
        let root = Path::new("/sys/fs/bpf");
        mount(Some("bpf"), root, Some("bpf"), MsFlags::empty(), none).expect("a BPF file system can be mounted");
        match Node::open("probe", &target(), Pins::None) {
            Err(error) if matches!(error.errno(), Some(1 | 13 | 38)) => absent(&error.to_string()),
            _ => test(&program, root),
        }
    });
    if let Err(panic) = run.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs bpftool. Errors: with what it said.
fn call(program: &Path, words: &[&str]) -> String {
    let output = Command::new(program).args(words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "bpftool {}: {said}", words.join(" "));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The object of an image, as a file.
fn file(image: &Image) -> tempfile::NamedTempFile {
    let mut file = tempfile::Builder::new().prefix("object").suffix(".o").tempfile().unwrap();
    file.write_all(&elf::object(image).unwrap()).unwrap();
    file
}

fn own() -> [IpAddr; 2] {
    ADDRESSES.map(|[own, ..]| own.parse().unwrap())
}

/// Fills the maps of a node.
fn fill(node: &mut Node) {
    node.set_config(&Config::new(loader::hz().unwrap_or(250), 0x5eed));
    let [IpAddr::V4(address4), IpAddr::V6(address6)] = own() else { panic!("one of each family") };
    let mac = Some([2, 0, 0, 0, 0, 1]);
    let endpoint = Endpoint { ifindex: IFINDEX, id: 77, address4: Some(address4), address6: Some(address6), mac };
    node.endpoint_insert(&endpoint).unwrap();
    node.set_own(&own().into()).unwrap();
    let prefix = |text: &str| flow::Prefix::parse(text).unwrap();
    let mut known = vec![(prefix("0.0.0.0/0"), Some(layout::peer::WORLD4))];
    for [_, friend, trusted, _] in ADDRESSES {
        let whole = if friend.contains(':') { 128 } else { 32 };
        known.push((prefix(&format!("{friend}/{whole}")), Some(FRIEND)));
        known.push((prefix(&format!("{trusted}/{whole}")), Some(TRUSTED)));
    }
    known.extend([(prefix("198.51.100.0/24"), Some(STRANGER)), (prefix("2001:db8:7::/48"), Some(STRANGER))]);
    node.assign(&known).unwrap();
}

/// An image by our own loader.
struct Ours {
    node: Node,
    loaded: Arc<Loaded>,
}

impl Ours {
    fn of(image: &Image, classes: &[Vec<u16>; 2]) -> Ours {
        let mut node = Node::open("ours", &image.target, Pins::None).unwrap();
        let loaded = node.load(image).unwrap_or_else(|error| panic!("{error}"));
        fill(&mut node);
        for (hook, classes) in image.hooks().into_iter().zip(classes) {
            let classes: Vec<(u32, u16)> = (0..).zip(classes.iter().copied()).collect();
            loaded.fill_classes(hook, &classes);
        }
        Ours { node, loaded }
    }
}

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
        let mut value = theirs.map(".bss").lookup(&[0; 4]).unwrap().unwrap();
        for map in NodeMap::ALL {
            let place = elf::loaded(image, MapRef::Node(map)).unwrap();
            if place.map == ".bss" {
                let bytes = node.map(map).lookup(&[0; 4]).unwrap().unwrap();
                value[place.offset as usize..][..bytes.len()].copy_from_slice(&bytes);
            }
        }
        theirs.map(".bss").update(&[0; 4], &value).unwrap();
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

/// Frames towards the endpoint and from it, in turn: openings, answers, other protocols, fragments, and what no endpoint may send.
fn frames() -> Vec<(bool, Vec<u8>)> {
    let mut frames = Vec::new();
    for [own, peers @ ..] in ADDRESSES {
        for (number, peer) in (0..).zip(peers) {
            for port in [53, 80, 81, 443, 65535] {
                let from = 40000 + number * 100 + port % 97;
                for egress in [false, true] {
                    let (source, destination) = if egress { (own, peer) } else { (peer, own) };
                    let (source, destination): (IpAddr, IpAddr) =
                        (source.parse().unwrap(), destination.parse().unwrap());
                    let open = Frame::tcp(source, destination, from, port, Flags::SYN).build();
                    let answer = Frame::tcp(destination, source, port, from, Flags::SYN_ACK).build();
                    let end = Frame::tcp(source, destination, from, port, Flags::RST).build();
                    frames.extend([(egress, open), (!egress, answer), (egress, end)]);
                    frames.push((egress, Frame::udp(source, destination, from, port).payload("four").build()));
                    frames.push((egress, Frame::sctp(source, destination, from, port).build()));
                }
            }
            let (own, peer): (IpAddr, IpAddr) = (own.parse().unwrap(), peer.parse().unwrap());
            frames.push((false, Frame::icmp_echo(peer, own, Echo::Request, 9).build()));
            frames.push((true, Frame::icmp_echo(own, peer, Echo::Reply, 9).build()));
            frames.push((true, Frame::tcp(peer, peer, 1, 80, Flags::SYN).build()));
            frames.push((false, Frame::ip(peer, own, 99, vec![0; 8]).build()));
            frames.extend(
                Frame::udp(peer, own, 7, 53).payload([7; 64]).fragments(3, 32).into_iter().map(|part| (false, part)),
            );
        }
    }
    frames
}

/// Puts every frame through both and compares: answers, packets, and in the end what all maps say.
fn compare(program: &Path, root: &Path, hooks: [Hook; 2], texts: [&str; 2]) -> [u64; 2] {
    let (image, classes) = image(hooks, texts, &target());
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
            let [dropped, passed] = compare(program, root, hooks, texts);
            assert!(dropped > 20 && (passed > 20) == passes, "{texts:?}: {dropped} dropped, {passed} passed");
        }
    });
}

#[test]
fn an_object_of_a_whole_node_loads_as_it_stands() {
    isolated(|program, root| {
        for hooks in [Hook::BOTH, Hook::HOST] {
            let (image, _) = image(hooks, [TABLES, TABLES], &Target::default());
            let file = file(&image);
            let pins = root.join(format!("{:?}", hooks[0]));
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
