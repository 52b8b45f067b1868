//! What outlives the process: enforcement goes on, the next process adopts it, and `remove` leaves everything as it was.

mod common;

use common::net::{Wire, bpffs, isolated, run, wire};
use common::{drop_all, image, pass_all, permitted, target};
use image::codec::{Config, Endpoint};
use image::{Hook, NodeMap, Target};
use loader::sys::link::Link;
use loader::sys::{object, program};
use loader::{Change, Error, Node, Pins, Via};
use std::path::{Path, PathBuf};

/// Opens the node of these tests below a file system of its own.
fn open(root: &Path) -> Option<Node> {
    permitted(Node::open("node-1", &target(), Pins::At(root.into())))
}

/// Runs a test in namespaces of its own with a BPF file system, by each way to interfaces.
fn on_both_ways(test: impl Fn(&dyn Fn() -> Option<Node>, Wire, &Path) + Clone + Send + 'static) {
    for via in [Via::Best, Via::Clsact] {
        let test = test.clone();
        isolated(move || {
            let root = bpffs();
            test(&|| open(&root).map(|node| node.via(via)), wire(), &root);
        });
    }
}

fn tree(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(tree(&path));
        }
        found.push(path);
    }
    found.sort();
    found
}

#[test]
fn programs_go_on_without_the_process_and_the_next_one_adopts_them() {
    on_both_ways(|open, wire, _| {
        let Some(mut node) = open() else { return };
        let first = image("shop/db", drop_all(), pass_all());
        let loaded = node.load(&first).unwrap();
        for hook in Hook::BOTH {
            node.attach("shop/db", hook, wire.ifindex, &loaded).unwrap();
        }
        drop((node, loaded));
        assert_eq!(wire.passes(), (false, true), "nobody is there, the programs are");

        let mut node = open().unwrap();
        let adopted: Vec<_> = node.attached().map(|a| (a.endpoint.to_owned(), a.hook, a.ifindex, a.digest)).collect();
        let expected = Hook::BOTH.map(|hook| ("shop/db".to_owned(), hook, wire.ifindex, Some(first.digest())));
        assert_eq!(adopted, expected);
        let loaded = node.load(&first).unwrap();
        assert_eq!(loaded.stats(Hook::ToEndpoint), None, "it was not verified again");
        assert_eq!(node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap(), Change::None);
        let second = node.load(&image("shop/db", pass_all(), drop_all())).unwrap();
        assert_eq!(node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &second).unwrap(), Change::Replaced);
        assert_eq!(wire.passes(), (true, true));
    });
}

#[test]
fn node_maps_keep_their_content() {
    isolated(|| {
        let root = bpffs();
        let Some(mut node) = open(&root) else { return };
        let config = Config { flags: 2, ..Config::new(250, 77) };
        let endpoint = Endpoint { ifindex: 9, id: 4, address4: Some([10, 0, 0, 4].into()), address6: None, mac: None };
        let prefix = |text: &str| flow::Prefix::parse(text).unwrap();
        node.set_config(&config);
        node.endpoint_insert(&endpoint).unwrap();
        let wanted = [("10.0.0.0/8", 5), ("10.0.0.4/32", 6), ("fd00::/64", 7), ("fd00::4/128", 8)];
        node.assign(&wanted.map(|(text, peer)| (prefix(text), Some(peer)))).unwrap();
        drop(node);

        let mut node = open(&root).unwrap();
        assert_eq!(node.config(), config);
        assert_eq!(node.endpoints(), [endpoint]);
        let peers = |node: &Node| {
            ["10.0.0.4", "10.0.0.5", "11.0.0.1", "fd00::4", "fd00::5", "fd01::1"]
                .map(|address| node.peer_of(address.parse().unwrap()).unwrap())
        };
        assert_eq!(peers(&node), [6, 5, 0, 8, 7, config.default_peer6]);
        node.assign_all(&[(prefix("10.0.0.0/8"), 5), (prefix("fd00::5/128"), 9)]).unwrap();
        assert_eq!(peers(&node), [5, 5, 0, config.default_peer6, 9, config.default_peer6]);
    });
}

#[test]
fn a_pinned_map_of_another_size_is_named() {
    isolated(|| {
        let root = bpffs();
        let Some(node) = open(&root) else { return };
        drop(node);
        let larger = Target { track4_sets_log2: 3, ..target() };
        let error = Node::open("node-1", &larger, Pins::At(root.clone())).unwrap_err();
        assert!(matches!(error, Error::Layout { map: NodeMap::Track4, .. }), "{error}");
        Node::wipe("node-1", &root).unwrap();
        Node::open("node-1", &larger, Pins::At(root)).unwrap();
    });
}

#[test]
fn remove_leaves_everything_as_it_was() {
    on_both_ways(|open, wire, root| {
        let foreign = program::load("foreign", &pass_all()).map_err(|refused| refused.error);
        let Ok((foreign, _)) = foreign else { return };
        let link = Link::attach(&foreign, Hook::FromEndpoint, wire.ifindex, None).unwrap();
        object::pin(std::os::fd::AsFd::as_fd(&link), &root.join("foreign")).unwrap();
        let before = tree(root);
        let qdiscs = run("tc qdisc show dev tgh");

        let mut node = open().unwrap();
        let loaded = node.load(&image("shop/db", drop_all(), drop_all())).unwrap();
        for hook in Hook::BOTH {
            node.attach("shop/db", hook, wire.ifindex, &loaded).unwrap();
        }
        assert_eq!(wire.passes(), (false, false));
        node.remove().unwrap();
        assert_eq!(wire.passes(), (true, true));
        assert_eq!(tree(root), before);
        assert_eq!(run("tc qdisc show dev tgh"), qdiscs);
        assert_eq!(link.info().unwrap().ifindex, wire.ifindex, "the program of others is there");
    });
}

#[test]
fn what_a_dead_process_left_is_removed_without_being_understood() {
    on_both_ways(|open, wire, root| {
        let before = tree(root);
        let Some(mut node) = open() else { return };
        let loaded = node.load(&image("shop/db", drop_all(), drop_all())).unwrap();
        node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap();
        drop((node, loaded));
        Node::wipe("node-1", root).unwrap();
        assert_eq!(wire.passes(), (true, true));
        assert_eq!(tree(root), before);
    });
}

#[test]
fn a_clsact_qdisc_that_others_made_or_use_stays() {
    isolated(|| {
        let root = bpffs();
        let wire = wire();
        run("tc qdisc add dev tgh clsact");
        let Some(node) = open(&root) else { return };
        let mut node = node.via(Via::Clsact);
        let loaded = node.load(&image("shop/db", drop_all(), drop_all())).unwrap();
        node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap();
        node.remove().unwrap();
        assert!(run("tc qdisc show dev tgh").contains("clsact"), "others made it");
        run("tc qdisc del dev tgh clsact");

        let mut node = open(&root).unwrap().via(Via::Clsact);
        node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap();
        run("tc filter add dev tgh ingress pref 7 u32 match u32 0 0 flowid 1:1");
        node.remove().unwrap();
        assert!(run("tc filter show dev tgh ingress").contains("u32"), "others use it");
    });
}

#[test]
fn ours_is_first_from_the_endpoint_and_last_towards_it() {
    isolated(|| {
        let root = bpffs();
        let Some(mut node) = open(&root) else { return };
        let wire = wire();
        let (foreign, _) = program::load("foreign", &pass_all()).unwrap();
        let links = Hook::BOTH.map(|hook| Link::attach(&foreign, hook, wire.ifindex, None).unwrap());
        let loaded = node.load(&image("shop/db", drop_all(), pass_all())).unwrap();
        for hook in Hook::BOTH {
            node.attach("shop/db", hook, wire.ifindex, &loaded).unwrap();
        }
        let place = |hook| {
            let programs = loader::attach::programs_at(hook, wire.ifindex).unwrap();
            programs.iter().position(|&program| program == foreign.id().unwrap())
        };
        assert_eq!((place(Hook::FromEndpoint), place(Hook::ToEndpoint)), (Some(1), Some(0)));
        drop(links);
    });
}

#[test]
fn pins_of_an_interface_that_is_gone_are_dropped() {
    on_both_ways(|open, wire, root| {
        let Some(mut node) = open() else { return };
        let loaded = node.load(&image("shop/db", drop_all(), pass_all())).unwrap();
        node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap();
        run("ip link del tgh");
        drop((node, loaded));
        let node = open().unwrap();
        assert_eq!(node.attached().count(), 0);
        assert!(!root.join("tidegate/v1/node-1/endpoints/shop_2fdb").exists());
        node.remove().unwrap();
    });
}

#[test]
fn an_endpoint_whose_interface_was_made_anew_is_attached_there() {
    on_both_ways(|open, wire, _| {
        let Some(mut node) = open() else { return };
        let loaded = node.load(&image("shop/db", drop_all(), pass_all())).unwrap();
        node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap();
        run("ip link del tgh");
        drop(wire);
        let wire = common::net::wire();
        assert_eq!(node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap(), Change::Attached);
        assert_eq!(wire.passes(), (false, true));
        drop((node, loaded));
        let node = open().unwrap();
        assert_eq!(node.attached().map(|attached| attached.ifindex).collect::<Vec<_>>(), [wire.ifindex]);
    });
}

#[test]
fn sweep_removes_the_images_that_nobody_uses() {
    isolated(|| {
        let root = bpffs();
        let Some(mut node) = open(&root) else { return };
        let wire = wire();
        for to in [drop_all(), pass_all()] {
            let loaded = node.load(&image("shop/db", to, pass_all())).unwrap();
            node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap();
        }
        let images = root.join("tidegate/v1/node-1/images");
        assert_eq!(std::fs::read_dir(&images).unwrap().count(), 2);
        node.sweep().unwrap();
        let digest = image("shop/db", pass_all(), pass_all()).digest().to_string();
        let left: Vec<_> = std::fs::read_dir(&images).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, [digest.as_str()]);
        assert_eq!(wire.passes(), (true, true));
    });
}

#[test]
fn an_image_whose_pins_are_damaged_goes_on_and_is_replaced() {
    on_both_ways(|open, wire, root| {
        let Some(mut node) = open() else { return };
        let loaded = node.load(&image("shop/db", drop_all(), pass_all())).unwrap();
        node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap();
        std::fs::remove_dir_all(root.join("tidegate/v1/node-1/images")).unwrap();
        drop((node, loaded));
        let mut node = open().unwrap();
        assert_eq!(node.attached().map(|attached| attached.digest).collect::<Vec<_>>(), [None]);
        assert_eq!(wire.passes(), (false, true));
        let loaded = node.load(&image("shop/db", pass_all(), pass_all())).unwrap();
        assert_eq!(node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap(), Change::Replaced);
        assert_eq!(wire.passes(), (true, true));
    });
}

#[test]
fn a_link_that_somebody_else_changed_is_not_overwritten() {
    isolated(|| {
        let root = bpffs();
        let Some(mut node) = open(&root) else { return };
        let wire = wire();
        let loaded = node.load(&image("shop/db", pass_all(), pass_all())).unwrap();
        node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap();
        let pin = object::open(&root.join("tidegate/v1/node-1/endpoints/shop_2fdb/to")).unwrap();
        let link = Link::from_fd(pin).unwrap();
        let (foreign, _) = program::load("foreign", &drop_all()).unwrap();
        link.replace(&program::Program::from_id(link.info().unwrap().program).unwrap(), &foreign).unwrap();
        for from in [pass_all(), drop_all()] {
            let loaded = node.load(&image("shop/db", pass_all(), from)).unwrap();
            let taken = node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap_err();
            assert_eq!(taken.to_string(), "hook `to` of shop/db holds a program that is not the one we attached");
        }
        assert_eq!(wire.passes(), (false, true));
    });
}

#[test]
fn a_program_that_somebody_took_off_is_attached_again() {
    on_both_ways(|open, wire, root| {
        let Some(mut node) = open() else { return };
        let loaded = node.load(&image("shop/db", drop_all(), pass_all())).unwrap();
        node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap();
        match object::open(&root.join("tidegate/v1/node-1/endpoints/shop_2fdb/to")).and_then(Link::from_fd) {
            Ok(link) => link.detach().unwrap(),
            Err(_) => drop(run("tc filter del dev tgh egress")),
        }
        assert_eq!(wire.passes(), (true, true));
        assert_eq!(node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap(), Change::Attached);
        assert_eq!(wire.passes(), (false, true));
    });
}

#[test]
fn a_missing_bpf_file_system_is_mounted() {
    isolated(|| {
        let root = common::net::without_bpffs();
        let Some(node) = open(&root) else { return };
        assert!(std::fs::read_to_string("/proc/thread-self/mounts").unwrap().contains(" /sys/fs/bpf bpf "));
        node.remove().unwrap();
    });
}
