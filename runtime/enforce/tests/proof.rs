//! No image is loaded that does something else than its diagrams say.

use diagram::{Diagram, Limits};
use enforce::Error;
use enforce::proof::Templates;
use image::Target;
use rules::RuleSet;

fn diagram(port: u32) -> Diagram {
    let text = format!("tier normal\n level 0\n  allow peers {{5}} l4 tcp/{port} by p a\n fallback deny by p b");
    diagram::build(&RuleSet::parse(&text).unwrap(), 10, &Limits::default()).unwrap()
}

#[test]
fn only_what_the_diagrams_say_is_loaded_whatever_the_sizes_of_the_node() {
    for target in [Target::default(), Target { peers_log2: 9, track4_sets_log2: 3, ..Target::default() }] {
        let mut templates = Templates::of(&target);
        let settings = ebpf::Settings::default();
        let diagrams = [diagram(80), diagram(443)];
        let mut image = ebpf::compile("web", &diagrams[0], &diagrams[1], &target).unwrap();
        templates.prove("web", &image, &diagrams, settings).unwrap();
        let swapped = [diagram(443), diagram(80)];
        let Err(Error::Proof { subject, reasons }) = templates.prove("web", &image, &swapped, settings) else {
            panic!()
        };
        assert_eq!(subject, "web");
        assert!(
            reasons.contains("ingress: a peer of class 1 with tcp/443 gets denied, and the rules say allow"),
            "{reasons}"
        );
        // Nor is what was proved before taken for something else.
        templates.prove("web", &image, &diagrams, settings).unwrap();
        assert!(templates.prove("web", &image, &swapped, settings).is_err());
        assert!(ebpf::oppose(&mut image));
        assert!(matches!(templates.prove("web", &image, &diagrams, settings), Err(Error::Proof { .. })));
    }
}
