//! Where the probes of pods and of templates of pods are written.

use std::collections::BTreeMap;

use driver::Db;
use facts::{Name, PROBE_WAYS, Probe, ProbeKind, WorkloadKind};
use source::{FileId, Span};

use crate::place::{Spot, Text};

/// By the pod, or what makes it: the place of the port of each probe in the files.
pub(super) fn places(db: &dyn Db) -> BTreeMap<(Name, Probe), (FileId, Span)> {
    let mut found = BTreeMap::new();
    for file in crate::files(db) {
        let text = Text::new(db, file);
        if !text.tree.text().contains("Probe") {
            continue;
        }
        for spot in text.spots() {
            let of = Name::new(&*spot.object.object.namespace, &*spot.object.object.name);
            for (probe, span) in probes(&spot) {
                found.entry((of.clone(), probe)).or_insert((text.id, span));
            }
        }
    }
    found
}

/// The probes of an object that go to the pod itself, with ports that are known.
fn probes(spot: &Spot<'_>) -> Vec<(Probe, Span)> {
    let object = &spot.object.object;
    let template = match WorkloadKind::ALL.iter().find(|kind| kind.name() == object.kind) {
        Some(kind) => format!("{}.", kind.template_path().join(".")),
        None if object.kind == "Pod" => String::new(),
        None => return Vec::new(),
    };
    let mut found = Vec::new();
    for container in spot.items(&format!("{template}spec.containers")) {
        for (field, kind) in ProbeKind::FIELDS {
            for way in PROBE_WAYS {
                let at = format!("{container}.{field}.{way}.port");
                let port = port(spot, &container, &at);
                found.extend(port.map(|port| (Probe { kind, port }, spot.value(&at))));
            }
        }
    }
    found
}

/// A number, or the number of a name among the ports of the container.
fn port(spot: &Spot<'_>, container: &str, path: &str) -> Option<u16> {
    let written = |path: &str| Some(spot.tree().raw(spot.node(path)?).trim_matches(['"', '\'', ' ']).to_owned());
    let said = written(path)?;
    said.parse().ok().or_else(|| {
        let mut ports = spot.items(&format!("{container}.ports"));
        let named = ports.find(|port| written(&format!("{port}.name")).as_deref() == Some(&said))?;
        written(&format!("{named}.containerPort"))?.parse().ok()
    })
}
