//! The objects of files, with their rules.

use driver::{Database, SourceFile, text};
use source::{FileId, Span};
use syntax::{NodeId, Tree, Value};

/// An object, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// What it is called: `shop/db`, `ingress[0]`.
    pub name: String,
    /// Its kind, or a few words.
    pub detail: String,
    /// What it is.
    pub kind: SymbolKind,
    /// All of it.
    pub full: Span,
    /// The bytes that name it, inside `full`.
    pub focus: Span,
    /// Its parts, in order.
    pub children: Vec<Symbol>,
}

/// What a symbol is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SymbolKind {
    /// A policy.
    Policy,
    /// Another object.
    Object,
    /// A rule of a policy.
    Rule,
}

/// Lists of rules.
const RULES: [&str; 4] = ["ingress", "ingressDeny", "egress", "egressDeny"];

/// The objects of a file, in order.
pub fn symbols(db: &Database, file: SourceFile) -> Vec<Symbol> {
    let (tree, decoded) = (text::tree(db, file), text::decoded(db, file));
    let mut found = Vec::new();
    for object in decoded.objects.iter() {
        let Some(root) = tree.documents().get(object.document).and_then(|it| it.root) else { continue };
        let Some(root) = tree.find(root, &object.at) else { continue };
        let named = tree.find(root, "metadata.name").or_else(|| tree.find(root, "kind"));
        let full = tree.span(root);
        let focus = named.map(|node| tree.span(node)).filter(|span| full.covers(*span));
        let it = &object.object;
        let name = if it.namespace.is_empty() { it.name.clone() } else { format!("{}/{}", it.namespace, it.name) };
        let is_policy = it.kind.ends_with("NetworkPolicy");
        found.push(Symbol {
            name: if it.name.is_empty() { "(no name)".into() } else { name },
            detail: it.kind.clone(),
            kind: if is_policy { SymbolKind::Policy } else { SymbolKind::Object },
            full,
            focus: focus.unwrap_or(Span::at(full.start)),
            children: if is_policy { rules(&tree, root) } else { Vec::new() },
        });
    }
    found
}

/// The rules of a policy: the members of its lists, those of `specs` with their place.
fn rules(tree: &Tree, root: NodeId) -> Vec<Symbol> {
    let mut specs: Vec<(String, NodeId)> =
        tree.get(root, "spec").map(|it| (String::new(), it.value)).into_iter().collect();
    if let Some(list) = tree.get(root, "specs") {
        specs.extend(tree.items(list.value).iter().enumerate().map(|(at, it)| (format!("specs[{at}]."), *it)));
    }
    let mut found = Vec::new();
    for (prefix, spec) in specs {
        for entry in tree.entries(spec) {
            let name = tree.key(entry.key);
            if !RULES.contains(&name.as_ref()) {
                continue;
            }
            for (at, item) in tree.items(entry.value).iter().enumerate() {
                let full = tree.span(*item);
                found.push(Symbol {
                    name: format!("{prefix}{name}[{at}]"),
                    detail: brief(tree, *item),
                    kind: SymbolKind::Rule,
                    full,
                    focus: Span::at(full.start),
                    children: Vec::new(),
                });
            }
        }
    }
    found
}

/// The name of a rule, where its kind has names, else the fields that it has.
fn brief(tree: &Tree, rule: NodeId) -> String {
    if let Some(Value::Str(name)) = tree.get(rule, "name").map(|it| tree.value(it.value)) {
        return name.to_owned();
    }
    let keys: Vec<String> = tree.entries(rule).iter().map(|it| tree.key(it.key).into_owned()).collect();
    keys.join(", ")
}

/// How many symbols of the workspace are shown.
const MOST: usize = 500;

/// The objects of all files whose kind or name holds the letters of a query in their order; without children.
pub fn workspace_symbols(db: &Database, query: &str) -> Vec<(Symbol, FileId)> {
    let mut found = Vec::new();
    for file in db.files() {
        let decoded = text::decoded(db, file);
        // Why: reading a tree costs more than looking at names.
        if !decoded.objects.iter().any(|it| is_meant(&it.object.to_string(), query)) {
            continue;
        }
        let all = symbols(db, file).into_iter();
        let meant = all.filter(|it| is_meant(&format!("{} {}", it.detail, it.name), query));
        found.extend(meant.map(|it| (Symbol { children: Vec::new(), ..it }, file.id(db))));
        if found.len() >= MOST {
            break;
        }
    }
    found.truncate(MOST);
    found
}

fn is_meant(name: &str, query: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    query
        .chars()
        .filter(|c| !c.is_whitespace())
        .flat_map(char::to_lowercase)
        .all(|wanted| letters.any(|it| it == wanted))
}
