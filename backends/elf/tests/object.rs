//! Objects are well formed in the eyes of other readers, equal for equal images, and refused for what is no image.

mod common;

use aya_obj::generated::bpf_map_type;
use common::{ALLOW, DENY, PROXIED, TABLES, image, maps, target};
use elf::Problem;
use image::{Fill, Hook, MapRef, Target};
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSection, ObjectSymbol};

#[test]
fn another_reader_finds_every_program_and_map() {
    for (hooks, texts) in [(Hook::BOTH, [TABLES, TABLES]), (Hook::BOTH, [ALLOW, DENY]), (Hook::HOST, [PROXIED, TABLES])]
    {
        let (image, _) = image(hooks, texts, &Target::default());
        let bytes = elf::object(&image).unwrap();
        let read = aya_obj::Object::parse(&bytes).unwrap_or_else(|error| panic!("{texts:?}: {error}"));
        for program in &image.programs {
            let found = &read.functions[&read.programs[&program.name].function_key()];
            assert_eq!(found.instructions.len(), program.insns.len());
        }
        assert!(read.btf.is_some() && read.btf_ext.is_some());
        for map in maps(&image) {
            let name = elf::loaded(&image, map).unwrap().map;
            let found = read.maps.get(&name).unwrap_or_else(|| panic!("{name} of {:?}", read.maps.keys()));
            let MapRef::Node(map) = map else { continue };
            let spec = map.spec(&image.target);
            if name != ".bss" {
                let read = (found.key_size(), found.value_size(), found.max_entries());
                assert_eq!(read, (spec.key_size, spec.value_size, spec.max_entries), "{name}");
                assert_ne!(found.map_type(), bpf_map_type::BPF_MAP_TYPE_ARRAY as u32, "{name}");
            }
        }
    }
}

#[test]
fn tables_hold_what_the_image_holds_and_arrays_of_the_node_take_no_room() {
    let (image, _) = image(Hook::BOTH, [TABLES, PROXIED], &Target::default());
    let bytes = elf::object(&image).unwrap();
    let file = ElfFile64::<Endianness>::parse(&*bytes).unwrap();
    for table in &image.tables {
        let symbol = file.symbols().find(|symbol| symbol.name() == Ok(&table.name)).unwrap();
        let section = file.section_by_index(symbol.section_index().unwrap()).unwrap();
        let expected = match &table.fill {
            Fill::Fixed(bytes) => bytes.clone(),
            Fill::Digest => image.digest().short().to_vec(),
            Fill::Classes(_) => vec![0; 2 << image.target.peers_log2],
            Fill::Counters(count) => vec![0; *count as usize * 8],
        };
        assert_eq!(section.data().unwrap(), expected, "{}", table.name);
        assert_eq!(section.size(), u64::from(table.value_size(1 << image.target.peers_log2)), "{}", table.name);
    }
    let node = file.section_by_name(".bss").unwrap();
    assert!(node.size() > 28 << 20 && bytes.len() < 512 << 10, "{} bytes, {} in a file", node.size(), bytes.len());
}

#[test]
fn equal_images_have_equal_bytes_in_either_byte_order() {
    for little_endian in [true, false] {
        let target = Target { little_endian, ..target() };
        let one = elf::object(&image(Hook::BOTH, [TABLES, PROXIED], &target).0).unwrap();
        assert!(one == elf::object(&image(Hook::BOTH, [TABLES, PROXIED], &target).0).unwrap());
        assert_eq!(&one[..6], &[0x7f, b'E', b'L', b'F', 2, if little_endian { 1 } else { 2 }]);
        let file = ElfFile64::<Endianness>::parse(&*one).unwrap();
        let types = file.section_by_name(".BTF").unwrap().data().unwrap();
        assert_eq!(&types[..2], if little_endian { &[0x9f, 0xeb] } else { &[0xeb, 0x9f] });
    }
}

#[test]
fn what_no_loader_could_fill_in_is_refused_with_its_place() {
    let (good, _) = image(Hook::BOTH, [TABLES, TABLES], &target());
    let mut other = good.clone();
    other.programs[1].relocs[0].map = MapRef::Own(99);
    let Err(Problem::Reference { program, at, .. }) = elf::object(&other) else { panic!("no such table") };
    assert_eq!((program, at), (good.programs[1].name.clone(), good.programs[1].relocs[0].at));
    let mut other = good.clone();
    other.programs[0].relocs[0].at = 1 << 30;
    assert!(matches!(elf::object(&other), Err(Problem::Reference { .. })));
    let mut other = good.clone();
    other.notes.rules[0] = "tier".into();
    assert!(matches!(elf::object(&other), Err(Problem::Rules { .. })));
    let mut silent = good;
    silent.notes.rules.clear();
    assert!(elf::object(&silent).is_ok(), "an image without rules has no names for its decisions");
}
