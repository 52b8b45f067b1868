//! Objects whose maps are not empty decide by themselves as images do; `cargo xtask kernel` takes them to machines of other makes, where nothing
//! but bpftool loads them.

mod common;

use common::node::{IFINDEX, Ours, call, frames, isolated};
use common::{ALLOW, DENY, PROXIED, TABLES, image, target};
use diagram::Limits;
use ebpf::{Matrix, Settings};
use elf::{Contents, Problem};
use image::{Fill, Hook, Image, NodeMap, Target};
use loader::Context;
use rules::RuleSet;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Where cases are left for other machines, when somebody asks for them.
const LEAVE: &str = "TIDEGATE_CASES";

/// Everything that arrays and class tables of a node hold.
fn contents(ours: &Ours, image: &Image, classes: &[Vec<u16>; 2]) -> Contents {
    let zero = |map: NodeMap| {
        let place = elf::loaded(image, image::MapRef::Node(map));
        place.is_some_and(|it| it.map == ".bss").then(|| Some((map, ours.node.map(map).lookup(&[0; 4]).unwrap()?)))?
    };
    let node = NodeMap::ALL.into_iter().filter_map(zero).collect();
    let own = (0..).zip(&image.tables).filter_map(|(index, table)| match table.fill {
        Fill::Classes(program) => {
            Some((index, classes[usize::from(program)].iter().flat_map(|class| class.to_le_bytes()).collect()))
        }
        _ => None,
    });
    Contents { node, own: own.collect() }
}

/// Writes a case into a folder: the object, the frames, and for each which program is asked and what it answers. Returns how many of each
/// answer there are.
fn write(folder: &Path, hooks: [Hook; 2], texts: [&str; 2]) -> BTreeMap<i32, u32> {
    let (image, classes) = image(hooks, texts, &target());
    let ours = Ours::of(&image, &classes);
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("object.o"), elf::object_holding(&image, &contents(&ours, &image, &classes)).unwrap())
        .unwrap();
    let context = Context { ifindex: IFINDEX, ingress_ifindex: 0, ..Context::default() };
    let (mut asked, mut answers) = (String::new(), BTreeMap::new());
    // Why not IPv6: its addresses are in maps that no object fills.
    let of_four = frames().into_iter().filter(|(_, frame)| frame[12..14] == [8, 0]);
    for (number, (egress, frame)) in of_four.enumerate() {
        let hook = hooks[usize::from(egress)];
        let answer = ours.loaded.run(hook, &frame, &context, 1).unwrap().answer;
        *answers.entry(answer).or_default() += 1;
        fs::write(folder.join(number.to_string()), &frame).unwrap();
        let name = &image.program(hook).unwrap().name;
        writeln!(asked, "{name} {number} {}", answer.cast_unsigned()).unwrap();
    }
    fs::write(folder.join("asked"), asked).unwrap();
    answers
}

/// Leaves an object of every template under every setting, of which nothing is asked but that it loads.
fn leave_templates(folder: &Path) {
    let tables = diagram::build(&RuleSet::parse(TABLES).unwrap(), 16, &Limits::default()).unwrap();
    let forms = [Matrix::of(&tables).unwrap()].into_iter().chain((0..=3).map(Matrix::constant));
    for (number, matrix) in forms.enumerate() {
        for (setting, tunnel_port) in [None, Some(8472)].into_iter().enumerate() {
            for untracked in [false, true] {
                let settings = Settings {
                    untracked_fragments4: untracked,
                    untracked_fragments6: untracked,
                    tunnel_port,
                    ..Settings::default()
                };
                for hooks in [Hook::BOTH, Hook::HOST] {
                    let image =
                        ebpf::compile_with(settings, hooks, "any", &matrix, &matrix, &Target::default()).unwrap();
                    let folder =
                        folder.join(format!("template-{number}{setting}{}{:?}", u8::from(untracked), hooks[0]));
                    fs::create_dir_all(&folder).unwrap();
                    fs::write(folder.join("object.o"), elf::object(&image).unwrap()).unwrap();
                    fs::write(folder.join("asked"), "").unwrap();
                }
            }
        }
    }
}

/// Asks bpftool about each frame of a case; what it says otherwise.
fn ask(program: &Path, root: &Path, folder: &Path) -> Vec<String> {
    let pins = root.join(folder.file_name().unwrap()).display().to_string();
    call(program, &["prog", "loadall", &folder.join("object.o").display().to_string(), &pins]);
    let asked = fs::read_to_string(folder.join("asked")).unwrap();
    let mut otherwise = Vec::new();
    for line in asked.lines() {
        let [name, frame, answer] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let frame = folder.join(frame).display().to_string();
        let said =
            call(program, &["prog", "run", "pinned", &format!("{pins}/{name}"), "data_in", &frame, "repeat", "1"]);
        if !said.contains(&format!("Return value: {answer},")) {
            otherwise.push(format!("{line}: {said}"));
        }
    }
    otherwise
}

#[test]
fn what_holds_everything_decides_without_any_other_help() {
    isolated(|program, root| {
        let temporary = tempfile::tempdir().unwrap();
        let left = env::var_os(LEAVE).map(PathBuf::from);
        let folder = left.as_deref().unwrap_or(temporary.path());
        for (name, hooks, texts) in [
            ("tables", Hook::BOTH, [TABLES, TABLES]),
            ("open", Hook::BOTH, [TABLES, ALLOW]),
            ("proxied", Hook::BOTH, [PROXIED, TABLES]),
            ("shut", Hook::BOTH, [ALLOW, DENY]),
        ] {
            let answers = write(&folder.join(name), hooks, texts);
            assert!(answers.len() > 1 && answers.values().all(|count| *count > 10), "{name}: {answers:?}");
            assert_eq!(ask(program, root, &folder.join(name)), Vec::<String>::new(), "{name}");
        }
    });
    if let Some(folder) = env::var_os(LEAVE) {
        leave_templates(Path::new(&folder));
    }
}

#[test]
fn contents_without_room_are_refused() {
    let (image, _) = image(Hook::BOTH, [TABLES, TABLES], &target());
    let contents = Contents { node: [(NodeMap::Config, vec![1; 1 << 20])].into(), ..Contents::default() };
    let refused = elf::object_holding(&image, &contents);
    assert!(matches!(&refused, Err(Problem::Format(why)) if why.contains("no room for 1048576 bytes")), "{refused:?}");
}
