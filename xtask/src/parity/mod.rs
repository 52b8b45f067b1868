//! `cargo xtask parity`: one page a kind, every field with its type and what becomes of it, generated from the schema tables.

pub mod limits;

use kinds::schema::{Field, List, Shape, Status, Text, Unique, Whole};
use kinds::{CHECKED, FACTS, KINDS, Kind, Role};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where the pages stand.
pub const FOLDER: &str = "docs/parity";

/// Whether to write.
#[derive(clap::Args)]
pub struct Arguments {
    /// Rewrite the pages instead of comparing them
    #[arg(long)]
    bless: bool,
    /// The repository
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/.."))]
    root: PathBuf,
}

/// What is to be said of a kind that its table does not tell: what is done with it, since which version, where its meaning stands.
type About = (&'static str, &'static str, &'static str);

/// What is said of each policy kind and of each fact.
const ABOUT: &[(&str, About)] = &[
    ("NetworkPolicy", ("enforced", "0.1.0", "network-policy.md")),
    (
        "CiliumNetworkPolicy",
        (
            "enforced; requests are decided by the request oracle, and nodes drop what a proxy would have to read",
            "0.1.0",
            "cilium-policy.md",
        ),
    ),
    (
        "CiliumClusterwideNetworkPolicy",
        (
            "enforced; requests are decided by the request oracle, and nodes drop what a proxy would have to read",
            "0.1.0",
            "cilium-policy.md",
        ),
    ),
    (
        "ClusterNetworkPolicy",
        ("enforced; in Cilium where `enable-k8s-cluster-network-policy` is set", "0.1.0", "tiers.md"),
    ),
    ("AdminNetworkPolicy", ("enforced; under a dialect of Cilium without effect", "0.1.0", "tiers.md")),
    ("BaselineAdminNetworkPolicy", ("enforced; under a dialect of Cilium without effect", "0.1.0", "tiers.md")),
    ("CiliumCIDRGroup", ("read as a fact: prefixes for peers", "0.1.0", "identities.md")),
    ("CiliumNode", ("read as a fact: addresses of nodes and of their special endpoints", "0.1.0", "identities.md")),
    ("Service", ("read as a fact: who is behind a service; nodes do not translate", "0.1.0", "services.md")),
    ("EndpointSlice", ("read as a fact: who is behind a service; nodes do not translate", "0.1.0", "services.md")),
];

/// One kind in all its versions.
pub struct Page {
    about: About,
    kinds: Vec<&'static Kind>,
}

/// Every kind by its name.
pub fn by_kind() -> BTreeMap<&'static str, Page> {
    let mut found: BTreeMap<&'static str, Page> = BTreeMap::new();
    let known = |name: &str| ABOUT.iter().find(|(kind, _)| *kind == name).map(|(_, about)| *about);
    let of_role = |role: Role| match role {
        Role::Steers => ("fields checked; not enforced yet, which is an error", "0.1.0", ""),
        Role::Arranges => ("fields checked; acted on by others", "0.1.0", ""),
        Role::Records => ("fields checked; written by controllers", "0.1.0", ""),
    };
    let plain =
        KINDS.iter().chain(FACTS).map(|kind| (kind, known(kind.kind).unwrap_or(("fields checked", "0.1.0", ""))));
    let checked = CHECKED.iter().map(|checked| (&checked.kind, of_role(checked.role)));
    for (kind, about) in plain.chain(checked) {
        found.entry(kind.kind).or_insert_with(|| Page { about, kinds: Vec::new() }).kinds.push(kind);
    }
    found
}

/// Every page by its file name.
pub fn all() -> BTreeMap<String, String> {
    let kinds = by_kind();
    let mut pages: BTreeMap<String, String> =
        kinds.iter().map(|(name, page)| (format!("{name}.md"), of_kind(name, page))).collect();
    pages.insert("README.md".to_owned(), index(&kinds));
    pages
}

const HEAD: &str = "<!-- written by `cargo xtask parity --bless` -->\n\n";

fn index(kinds: &BTreeMap<&'static str, Page>) -> String {
    let mut text = format!(
        "{HEAD}# Parity\n\nEvery kind that is known, with what is done with it. A page holds every field: its type, whether it is *supported*, \
         *rejected*, *not yet*\nor of *no effect*, and what it says. What only a proxy can tell is decided by the\noracle of requests; \
         nodes have no proxy yet and drop what needs one.\n\n| kind | what is done with it | since | meaning |\n| --- | --- | --- | --- |\n"
    );
    for (name, Page { about: (done, since, meaning), .. }) in kinds {
        let meaning = if meaning.is_empty() { String::new() } else { format!("[{meaning}](../dev/meaning/{meaning})") };
        line(&mut text, &format!("| [{name}]({name}.md) | {done} | {since} | {meaning} |"));
    }
    text
}

fn line(text: &mut String, line: &str) {
    // Cannot fail: writing into a String never does.
    let _ = writeln!(text, "{}", line.trim_end());
}

fn of_kind(name: &str, page: &Page) -> String {
    let (done, since, meaning) = page.about;
    let mut text = format!("{HEAD}# {name}\n\n");
    let scope = if page.kinds.iter().any(|kind| kind.namespaced) { "in namespaces" } else { "of the whole cluster" };
    line(&mut text, &format!("Objects {scope}. Since {since}: {done}."));
    if !meaning.is_empty() {
        line(&mut text, &format!("What it means: [{meaning}](../dev/meaning/{meaning})."));
    }
    for kind in &page.kinds {
        let group = if kind.group.is_empty() { String::new() } else { format!("{}/", kind.group) };
        let versions: Vec<String> = kind.versions.iter().map(|version| format!("`{group}{version}`")).collect();
        text.push('\n');
        line(&mut text, &format!("## {}", versions.join(", ")));
        line(&mut text, "\n| field | type | status | what it says |\n| --- | --- | --- | --- |");
        rows(&mut text, "", kind.schema.fields);
        if !kind.schema.rules.is_empty() {
            line(&mut text, "\nBeyond its fields:\n");
        }
        for rule in kind.schema.rules {
            line(&mut text, &format!("- {}.", rule.says));
        }
    }
    text
}

fn rows(text: &mut String, above: &str, fields: &[Field]) {
    for field in fields {
        let path = if above.is_empty() { field.name.to_owned() } else { format!("{above}.{}", field.name) };
        let needed = if field.required && !field.defaulted { ", required" } else { "" };
        let old = if field.removed { " Older versions only." } else { "" };
        let kind = typed(&field.shape).replace('|', "\\|");
        line(
            text,
            &format!(
                "| `{path}` | {kind}{needed} | {} | {}{old} |",
                status(&path, field),
                field.doc.replace('|', "\\|")
            ),
        );
        rows(text, &below(&path, &field.shape), field.shape.fields());
    }
}

/// The path of what a shape holds.
fn below(path: &str, shape: &Shape) -> String {
    match shape {
        Shape::List(list) => below(&format!("{path}[]"), list.of),
        Shape::Map(of) => below(&format!("{path}.*"), of),
        _ => path.to_owned(),
    }
}

fn status(path: &str, field: &Field) -> &'static str {
    let of_proxies = ["rules", "serverNames", "listener", "terminatingTLS", "originatingTLS"];
    let of_requests = |path: &str| {
        path.contains(".authentication") || of_proxies.iter().any(|name| path.contains(&format!("toPorts[].{name}")))
    };
    match (&field.shape, field.status) {
        (Shape::List(List { most: 0, .. }), _) => "rejected unless empty",
        (_, Status::NoEffect) => "no effect",
        (_, Status::NotYet) => "not yet",
        (_, Status::Supported) if of_requests(path) => "decided by the request oracle; nodes drop (no proxy)",
        (_, Status::Supported) => "supported",
    }
}

fn typed(shape: &Shape) -> String {
    match shape {
        Shape::Text(limits) => format!("text{}", limited(limits)),
        Shape::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or "),
        Shape::Whole(limits) => number(limits),
        Shape::Flag => "`true` or `false`".to_owned(),
        Shape::WholeOrText(limits) => format!("number or text{}", limited(limits)),
        Shape::Object(object) => match (object.least, object.most) {
            (0, usize::MAX) => "object".to_owned(),
            (1, 1) => "object with one field".to_owned(),
            (least, usize::MAX) => format!("object with at least {least} fields"),
            (least, most) => format!("object with {least} to {most} fields"),
        },
        Shape::List(list) => many(list),
        Shape::Map(of) => format!("{} by name", typed(of)),
        Shape::Open | Shape::Free => "anything".to_owned(),
    }
}

fn many(list: &List) -> String {
    let size = match (list.least, list.most) {
        (0, usize::MAX) => String::new(),
        (least, usize::MAX) => format!(", {least} or more"),
        (0, most) => format!(", at most {most}"),
        (least, most) => format!(", {least} to {most}"),
    };
    let unique = match list.unique {
        Unique::No => String::new(),
        Unique::Whole => ", all different".to_owned(),
        Unique::By(keys) => format!(", different in `{}`", keys.join("`, `")),
    };
    format!("list of {}{size}{unique}", typed(list.of))
}

fn limited(limits: &Text) -> String {
    let size = match (limits.least, limits.most) {
        (0, usize::MAX) => String::new(),
        (least, usize::MAX) => format!(" of {least} or more characters"),
        (0, most) => format!(" of at most {most} characters"),
        (least, most) => format!(" of {least} to {most} characters"),
    };
    let format = limits.format.map(|format| format!(", a `{}`", format.name())).unwrap_or_default();
    // Why: a reader of a page wants to know what is meant; a long expression tells nobody.
    let pattern = limits.pattern.map(|pattern| match pattern.text.len() {
        0..=50 => format!(", matching `{}`", pattern.text),
        _ => " of a fixed form".to_owned(),
    });
    format!("{size}{format}{}", pattern.unwrap_or_default())
}

fn number(limits: &Whole) -> String {
    match (limits.least, limits.greatest) {
        (i64::MIN, i64::MAX) => "number".to_owned(),
        (least, i64::MAX) => format!("number from {least}"),
        (i64::MIN, greatest) => format!("number to {greatest}"),
        (least, greatest) => format!("number {least} to {greatest}"),
    }
}

/// Which pages differ from the tables; pages of no kind too. Ascending.
pub fn stale(root: &Path) -> Vec<String> {
    let (folder, all) = (root.join(FOLDER), all());
    let differ = |(name, text): &(&String, &String)| fs::read_to_string(folder.join(name)).ok().as_ref() != Some(*text);
    let mut stale: Vec<String> = all.iter().filter(differ).map(|(name, _)| name.clone()).collect();
    let found = fs::read_dir(&folder).into_iter().flatten().flatten();
    let names = found.map(|entry| entry.file_name().to_string_lossy().into_owned());
    stale.extend(names.filter(|name| !all.contains_key(name)));
    stale.sort();
    stale.extend(limits::is_stale(root, &by_kind()).then(|| "../limits.md".to_owned()));
    stale
}

/// Compares the pages with the tables, or writes them. Exit code 1 when one differs, 2 when one cannot be written.
pub fn run(arguments: &Arguments) -> ExitCode {
    let stale = stale(&arguments.root);
    if !arguments.bless {
        stale
            .iter()
            .for_each(|name| println!("{FOLDER}/{name}: not what the tables say; run `cargo xtask parity --bless`"));
        return if stale.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) };
    }
    let folder = arguments.root.join(FOLDER);
    let all = all();
    let write = |name: &String| match all.get(name) {
        None if name == "../limits.md" => match limits::blessed(&arguments.root, &by_kind()) {
            Some(text) => fs::write(arguments.root.join(limits::PAGE), text),
            None => Err(std::io::Error::other("the two comments around the table are gone")),
        },
        Some(text) => fs::create_dir_all(&folder).and_then(|()| fs::write(folder.join(name), text)),
        None => fs::remove_file(folder.join(name)),
    };
    for name in &stale {
        if let Err(why) = write(name) {
            eprintln!("error: {FOLDER}/{name}: {why}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
