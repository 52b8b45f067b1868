//! Programs at interfaces: they judge real packets, are replaced in one step, and stay when something fails.

mod common;

use common::net::{Wire, isolated, wire};
use common::{count_and, drop_all, image, longer, node, pass_all};
use image::{Hook, Image};
use loader::{Change, Error, Loaded, Node, Retry, Via};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Attaches both hooks of an image.
fn attach(node: &mut Node, wire: &Wire, image: &Image) -> [Change; 2] {
    let loaded = node.load(image).unwrap();
    Hook::BOTH.map(|hook| node.attach("shop/db", hook, wire.ifindex, &loaded).unwrap())
}

fn on_both_ways(test: impl Fn(Node, Wire) + Clone + Send + 'static) {
    for via in [Via::Best, Via::Clsact] {
        let test = test.clone();
        isolated(move || {
            if let Some(node) = node("swap") {
                test(node.via(via), wire());
            }
        });
    }
}

#[test]
fn each_hook_has_its_own_verdict() {
    on_both_ways(|mut node, wire| {
        assert_eq!(wire.passes(), (true, true));
        assert_eq!(attach(&mut node, &wire, &image("a", drop_all(), pass_all())), [Change::Attached; 2]);
        assert_eq!(wire.passes(), (false, true));
        assert_eq!(attach(&mut node, &wire, &image("b", pass_all(), drop_all())), [Change::Replaced; 2]);
        assert_eq!(wire.passes(), (true, false));
        assert_eq!(attach(&mut node, &wire, &image("c", pass_all(), drop_all())), [Change::None; 2]);
        node.detach("shop/db").unwrap();
        assert_eq!(wire.passes(), (true, true));
        assert_eq!(node.attached().count(), 0);
    });
}

#[test]
fn an_image_that_cannot_be_loaded_leaves_the_last_good_one() {
    on_both_ways(|mut node, wire| {
        attach(&mut node, &wire, &image("a", drop_all(), pass_all()));
        let good: Vec<_> = node.attached().map(|attached| attached.digest).collect();
        let unreadable = vec![common::insn(0x95, 0, 0, 0, 0)];
        assert!(matches!(node.load(&image("b", pass_all(), unreadable)), Err(Error::Verifier { .. })));
        let mut tableless = image("c", pass_all(), pass_all());
        tableless.tables = vec![image::Table { name: "tg_empty".into(), fill: image::Fill::Fixed(vec![]) }];
        assert!(matches!(node.load(&tableless), Err(Error::Kernel { .. })));
        assert_eq!(node.attached().map(|attached| attached.digest).collect::<Vec<_>>(), good);
        assert_eq!(wire.passes(), (false, true));
    });
}

#[test]
fn an_image_without_a_program_for_the_hook_leaves_what_is_there() {
    on_both_ways(|mut node, wire| {
        attach(&mut node, &wire, &image("a", drop_all(), pass_all()));
        let mut half = image("b", pass_all(), pass_all());
        half.programs.pop();
        let half = node.load(&half).unwrap();
        assert!(node.attach("shop/db", Hook::FromEndpoint, wire.ifindex, &half).is_err());
        assert_eq!(wire.passes(), (false, true));
    });
}

#[test]
fn an_interface_that_is_not_there_leaves_the_endpoint_where_it_is() {
    on_both_ways(|mut node, wire| {
        attach(&mut node, &wire, &image("a", drop_all(), pass_all()));
        let loaded = node.load(&image("b", pass_all(), pass_all())).unwrap();
        let error = node.attach("shop/db", Hook::ToEndpoint, 9999, &loaded).unwrap_err();
        assert_eq!((error.errno(), error.retry()), (Some(19), Retry::AfterChange), "{error}");
        assert!(node.attached().all(|attached| attached.ifindex == wire.ifindex));
        assert_eq!(wire.passes(), (false, true));
    });
}

#[test]
fn a_place_that_somebody_else_changed_is_not_overwritten() {
    isolated(|| {
        let Some(mut node) = node("taken") else { return };
        let wire = wire();
        node = node.via(Via::Clsact);
        attach(&mut node, &wire, &image("a", pass_all(), pass_all()));
        // The other one has our name and place, but attached another program.
        let mut other = common::node("other").expect("bpf(2) was permitted just now").via(Via::Clsact);
        let foreign = other.load(&image("b", drop_all(), pass_all())).unwrap();
        other.attach("x", Hook::ToEndpoint, wire.ifindex, &foreign).unwrap();
        let loaded = node.load(&image("c", pass_all(), drop_all())).unwrap();
        let taken = node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &loaded).unwrap_err();
        assert_eq!(taken.to_string(), "hook `to` of shop/db holds a program that is not the one we attached");
        assert_eq!(wire.passes(), (false, true));
    });
}

/// Replaces two images of the hook towards the endpoint by each other, at least 200 times and until 2000 packets have been sent
/// meanwhile and `enough` says so. Gives how many packets were sent.
fn swap_under_traffic(node: &mut Node, wire: &Wire, images: &[Arc<Loaded>; 2], enough: impl Fn() -> bool) -> u64 {
    node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &images[0]).unwrap();
    let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let sender = std::thread::spawn({
        let (stop, sent, host) = (Arc::clone(&stop), Arc::clone(&sent), wire.host.try_clone().unwrap());
        move || {
            while !stop.load(Ordering::Relaxed) {
                let _dropped = host.send(b"tidegate");
                sent.fetch_add(1, Ordering::Relaxed);
            }
        }
    });
    for swap in 1.. {
        let change = node.attach("shop/db", Hook::ToEndpoint, wire.ifindex, &images[swap % 2]).unwrap();
        assert_eq!(change, Change::Replaced);
        if swap >= 200 && sent.load(Ordering::Relaxed) >= 2000 && enough() {
            break;
        }
    }
    stop.store(true, Ordering::Relaxed);
    sender.join().unwrap();
    sent.load(Ordering::Relaxed)
}

#[test]
fn no_packet_meets_neither_program_during_a_swap() {
    on_both_ways(|mut node, wire| {
        // Both deny, one at once, one after some work: a packet that arrives met neither.
        let images = [drop_all(), longer(drop_all())].map(|to| node.load(&image("x", to, pass_all())).unwrap());
        swap_under_traffic(&mut node, &wire, &images, || true);
        assert!(wire.endpoint.recv(&mut [0; 16]).is_err(), "a packet leaked");
    });
}

#[test]
fn every_packet_of_a_swap_is_judged_by_exactly_one_of_the_two_programs() {
    on_both_ways(|mut node, wire| {
        // Each program counts the packets that it lets pass, in a table of its own.
        let images = [1, 2].map(|mark| node.load(&count_and(mark)).unwrap());
        let counted = || images.each_ref().map(|loaded| loaded.read_counters(0).unwrap()[0]);
        let sent = swap_under_traffic(&mut node, &wire, &images, || counted().iter().all(|&packets| packets > 0));
        assert_eq!(counted().iter().sum::<u64>(), sent);
    });
}
