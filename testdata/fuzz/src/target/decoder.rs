//! Objects of every kind, damaged: decoded under every dialect, worded, and compiled beside a small cluster.

use super::hold;
use crate::case::{Options, World};
use crate::generate::{cluster, policy, schema};
use crate::mutate;
use crate::random::Random;
use crate::style::Writer;
use crate::value::Value;
use hir::Dialect;
use kinds::{CHECKED, FACTS, KINDS, Kind};

pub(super) fn generate(random: &mut Random) -> String {
    let options = Options { dialect: random.pick_copy(&Dialect::ALL), ..Options::default() };
    let mut text = options.line();
    for at in 0..random.between(1, 2) {
        let mut value = object(at, &options, random);
        for _ in 0..random.below(4) {
            mutate::value(&mut value, random);
        }
        let oddity = random.pick_copy(&[0, 0, 2, 10]);
        text += "---\n";
        text += &Writer::new(random, oddity).document(&value);
    }
    text
}

fn object(at: usize, options: &Options, random: &mut Random) -> Value {
    let name = format!("p{at}");
    match random.below(8) {
        0 => {
            let (_, mut documents) = cluster::world(random);
            let at = random.below(documents.len());
            documents.swap_remove(at)
        }
        1 => {
            let items = (0..random.below(4)).map(|_| policy(&name, options.dialect, random)).collect();
            let kind = random.pick_copy(&["List", "NetworkPolicyList", "PodList"]);
            Value::map([("apiVersion", Value::text("v1")), ("kind", Value::text(kind)), ("items", Value::List(items))])
        }
        2 | 3 => {
            let checked: Vec<Kind> = CHECKED.iter().map(|checked| checked.kind).collect();
            let tables: [&[Kind]; 3] = [KINDS, FACTS, &checked];
            let table = random.pick_copy(&tables);
            let kind = random.pick(table);
            schema::object(kind, &name, random)
        }
        _ => policy(&name, options.dialect, random),
    }
}

/// A cluster for the objects to be about.
const CLUSTER: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: red}}
---
apiVersion: v1
kind: Node
metadata: {name: n1, labels: {app: web}}
spec: {podCIDR: 10.0.0.0/24}
status: {addresses: [{type: InternalIP, address: 192.168.1.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: shop, labels: {app: web, tier: front}}
spec: {nodeName: n1, containers: [{ports: [{name: http, containerPort: 80}]}]}
status: {podIPs: [{ip: 10.0.0.4}]}
---
apiVersion: v1
kind: Pod
metadata: {name: b, namespace: default, labels: {app: db}}
spec: {nodeName: n1}
status: {podIPs: [{ip: 10.0.0.5}, {ip: 'fd00::5'}]}
";

pub(super) fn check(text: &str) -> Result<(), String> {
    let tree = syntax::parse(text, &syntax::Limits::default());
    for dialect in Dialect::ALL {
        for root in tree.documents().iter().filter_map(|document| document.root) {
            let decoded = kinds::decode(&tree, root, "default", dialect);
            for it in &decoded {
                for problem in &it.problems {
                    let path =
                        if it.at.is_empty() { problem.path.clone() } else { format!("{}.{}", it.at, problem.path) };
                    let span = tree.path_span(root, &path);
                    hold!(text.get(span.start as usize..span.end as usize).is_some(), "place: of {path}");
                }
            }
            hold!(decoded == kinds::decode(&tree, root, "default", dialect), "again: decoding twice differs");
        }
    }
    let mut db = World::read(text).empty();
    db.set_files([("cluster.yaml".into(), CLUSTER.into()), ("objects.yaml".into(), text.into())]);
    said(&db)?;
    let world = runner::engine::World::new(&db);
    for place in world.places() {
        // A diagram may be refused for its size, which is an answer.
        if let Ok(compiled) = world.compiled(&place.class) {
            for rules in compiled.rules.iter() {
                hold!(oracle::cells(rules).len() < 1 << 22, "cells: too many");
            }
        }
    }
    Ok(())
}

/// Everything that is said about the files has its places inside them.
pub(super) fn said(db: &driver::Database) -> Result<(), String> {
    for diagnostic in checks::check(db) {
        for label in &diagnostic.labels {
            let text = db.file(label.file).and_then(|file| file.text(db)).unwrap_or_default();
            let found = text.get(label.span.start as usize..label.span.end as usize).is_some();
            hold!(found, "label: of {} outside its text", diagnostic.code);
        }
        for fix in &diagnostic.fixes {
            for file in fix.edits.iter().map(|edit| edit.file) {
                let text = db.file(file).and_then(|file| file.text(db)).unwrap_or_default();
                hold!(fix.apply(file, &text).is_some(), "fix: of {} does not fit its text", diagnostic.code);
            }
        }
        let line = !diagnostic.headline.contains('\n') && !diagnostic.headline.is_empty();
        hold!(line, "headline: of {} is no line: {:?}", diagnostic.code, diagnostic.headline);
    }
    Ok(())
}
