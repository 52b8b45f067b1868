//! From the text of a file to its suites.

use crate::reader::Reader;
use crate::suite::{Case, Expect, Problem, Spelt, Suite};
use driver::Knowledge;
use facts::{ContainerPort, Labels, Name, Pod};
use flow::Protocol;
use request::{Message, Request, Transport};
use syntax::{Limits, NodeId, ProblemKind, Tree, Value};

/// The fields of a suite, of a case, of a request, of a pod and of a port.
pub const FIELDS: [(&str, &[&str]); 5] = [
    (
        "a PolicyTest",
        &["apiVersion", "kind", "metadata", "namespace", "policies", "facts", "dialects", "pods", "objects", "cases"],
    ),
    ("a case", &["name", "from", "to", "port", "ports", "request", "expect", "by", "dialects"]),
    ("a request", &["http", "host", "headers", "dns", "kafka", "sni"]),
    ("a pod", &["name", "namespace", "labels", "ports", "serviceAccount", "hostNetwork", "node", "ips"]),
    ("a port", &["name", "port", "protocol"]),
];

const API_VERSION: &str = "tidegate.io/v1alpha1";
const KIND: &str = "PolicyTest";

/// Reads every suite of a text.
///
/// Shape: no suites and no problems for a text without a document of this kind, so that a folder may hold other files too.
pub fn read(text: &str) -> (Vec<Suite>, Vec<Problem>) {
    let tree = syntax::parse(text, &Limits::default());
    let mut reader = Reader::new(&tree);
    let roots: Vec<NodeId> = tree.documents().iter().filter_map(|document| document.root).collect();
    if !roots.iter().any(|root| is_test(&tree, *root)) {
        return (Vec::new(), Vec::new());
    }
    for problem in tree.problems() {
        let headline = match &problem.kind {
            ProblemKind::DuplicateKey { key } => format!("`{key}` stands twice"),
            ProblemKind::Syntax { message } => format!("this is no YAML: {message}"),
            ProblemKind::Tab => "a tab indents a block".to_owned(),
            ProblemKind::UnrenderedTemplate => "this is a template that was not rendered".to_owned(),
            other => format!("this is no YAML that can be read: {}", spaced(&format!("{other:?}"))),
        };
        reader.problem(problem.span, headline, "mend the text; nothing of a broken document is run");
    }
    let suites = roots.into_iter().filter_map(|root| suite(&mut reader, root)).collect();
    (suites, reader.problems)
}

/// `BadIndent { … }` as `bad indent`.
fn spaced(name: &str) -> String {
    let name = name.split([' ', '{', '(']).next().unwrap_or_default();
    let mut out = String::new();
    for (at, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            out.push(' ');
        }
        out.extend(letter.to_lowercase());
    }
    out
}

fn is_test(tree: &Tree, root: NodeId) -> bool {
    tree.get(root, "kind").is_some_and(|entry| tree.value(entry.value) == Value::Str(KIND))
}

fn suite(reader: &mut Reader<'_>, root: NodeId) -> Option<Suite> {
    let tree = reader.tree;
    if tree.value(root) == Value::Null {
        return None;
    }
    if !is_test(tree, root) {
        let help = "put objects of the test under `objects`, or into files that `policies` names";
        reader.problem(tree.span(root), "a document beside the tests is no `PolicyTest`", help);
        return None;
    }
    reader.fields(root, FIELDS[0].0, FIELDS[0].1);
    match reader.word_of(root, "apiVersion") {
        Some(version) if version.text == API_VERSION => {}
        Some(version) => {
            let headline = format!("`{}` is no `apiVersion` of a PolicyTest", version.text);
            reader.problem(version.span, headline, format!("write `{API_VERSION}`"));
        }
        None => reader.problem(tree.span(root), "a PolicyTest has no `apiVersion`", format!("write `{API_VERSION}`")),
    }
    let name = reader.field(root, "metadata").and_then(|metadata| reader.word_of(metadata, "name"));
    let facts = match reader.word_of(root, "facts") {
        Some(facts) if facts.text == "part" => Knowledge::Partial,
        Some(facts) if facts.text == "all" => Knowledge::Complete,
        None => Knowledge::Partial,
        Some(facts) => {
            reader.problem(facts.span, format!("`{}` says nothing of facts", facts.text), "write `part` or `all`");
            Knowledge::Partial
        }
    };
    let pods = reader.list_of(root, "pods");
    let objects = reader.list_of(root, "objects");
    let cases = reader.list_of(root, "cases");
    if cases.is_empty() {
        reader.problem(tree.span(root), "a PolicyTest without `cases` says nothing", "write at least one case");
    }
    let namespace = reader.word_of(root, "namespace").map_or_else(|| "default".to_owned(), |it| it.text);
    Some(Suite {
        name: name.map_or_else(String::new, |name| name.text),
        policies: reader.words_of(root, "policies"),
        facts,
        dialects: reader.words_of(root, "dialects"),
        pods: pods.into_iter().filter_map(|node| pod(reader, node, &namespace)).collect(),
        objects: objects.into_iter().map(|node| tree.span(node)).collect(),
        cases: cases.into_iter().filter_map(|node| case(reader, node)).collect(),
        namespace,
    })
}

fn case(reader: &mut Reader<'_>, node: NodeId) -> Option<Case> {
    if !reader.fields(node, FIELDS[1].0, FIELDS[1].1) {
        return None;
    }
    let span = reader.tree.span(node);
    let mut wanted = |key: &str, example: &str| -> Vec<Spelt> {
        let words = reader.words_of(node, key);
        if words.is_empty() {
            reader.problem(span, format!("a case has no `{key}`"), format!("write for example `{key}: {example}`"));
        }
        words
    };
    let (from, to) = (wanted("from", "shop/web"), wanted("to", "shop/db"));
    let mut ports = reader.words_of(node, "port");
    ports.extend(reader.words_of(node, "ports"));
    if ports.is_empty() {
        reader.problem(span, "a case has no `port`", "write for example `port: 8080/TCP`, or `ports` and a list");
    }
    let expect = expect(reader, node);
    let request = reader.field(node, "request").and_then(|node| request(reader, node));
    let name = reader.word_of(node, "name").map(|name| name.text);
    let words = |words: &[Spelt]| words.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join(", ");
    let name = name.unwrap_or_else(|| format!("{} -> {} {}", words(&from), words(&to), words(&ports)));
    let (by, dialects) = (reader.words_of(node, "by"), reader.words_of(node, "dialects"));
    Some(Case { name, span, from, to, ports, request, expect: expect?, by, dialects })
}

fn expect(reader: &mut Reader<'_>, node: NodeId) -> Option<Expect> {
    let span = reader.tree.span(node);
    let Some(word) = reader.word_of(node, "expect") else {
        reader.problem(span, "a case has no `expect`", "write `allow`, `deny`, `unknown` or `redirect`");
        return None;
    };
    let known = Expect::ALL.into_iter().find(|(name, _)| *name == word.text).map(|(_, expect)| expect);
    if known.is_none() {
        let headline = format!("`{}` is no way for a flow to end", word.text);
        reader.problem(word.span, headline, "write `allow`, `deny`, `unknown` or `redirect`");
    }
    known
}

/// A request in its form on paper, or by fields.
fn request(reader: &mut Reader<'_>, node: NodeId) -> Option<Request> {
    let tree = reader.tree;
    let parse = |reader: &mut Reader<'_>, span, text: &str| match Request::parse(text) {
        Ok(request) => Some(request),
        Err(error) => {
            reader.problem(span, error.to_string(), "write for example `http GET /api`, `dns example.com`");
            None
        }
    };
    if let Value::Str(text) = tree.value(node) {
        return parse(reader, tree.span(node), text);
    }
    if !reader.fields(node, FIELDS[2].0, FIELDS[2].1) {
        return None;
    }
    let [http, dns, kafka, sni] = ["http", "dns", "kafka", "sni"].map(|key| reader.word_of(node, key));
    let mut request = match (&http, &dns, &kafka, &sni) {
        (Some(http), None, None, _) => {
            let (method, target) = http.text.trim().split_once(' ').unwrap_or((&http.text, "/"));
            Request::http(method, target.trim())
        }
        (None, Some(name), None, None) => Request::dns(&name.text),
        (None, None, Some(kafka), _) => parse(reader, kafka.span, &format!("kafka {}", kafka.text))?,
        (None, None, None, Some(_)) => Request::tls(None),
        _ => {
            let help = "write one of `http`, `dns` and `kafka`; `sni` beside `http` or `kafka`, or alone";
            reader.problem(tree.span(node), "a request asks for one thing", help);
            return None;
        }
    };
    if let Some(name) = &sni {
        request.transport = Transport::Tls(Some(name.text.clone()).filter(|name| name != "-"));
    }
    let (host, headers) = (reader.word_of(node, "host"), reader.words_of(node, "headers"));
    if let Some(Message::Http(http)) = &mut request.message {
        http.host = host.map(|host| host.text);
        for header in &headers {
            match header.text.split_once(':') {
                Some((name, value)) => http.headers.push((name.trim().to_owned(), value.trim().to_owned())),
                None => reader.problem(header.span, "a header has no `:`", "write for example `X-Key: 7`"),
            }
        }
    }
    Some(request)
}

fn pod(reader: &mut Reader<'_>, node: NodeId, namespace: &str) -> Option<Pod> {
    if !reader.fields(node, FIELDS[3].0, FIELDS[3].1) {
        return None;
    }
    let tree = reader.tree;
    let Some(name) = reader.word_of(node, "name") else {
        reader.problem(tree.span(node), "a pod has no `name`", "name it, so that cases can speak of it");
        return None;
    };
    let mut pod = Pod {
        name: Name::new(reader.word_of(node, "namespace").map_or(namespace.to_owned(), |it| it.text), name.text),
        service_account: reader.word_of(node, "serviceAccount").map_or_else(String::new, |it| it.text),
        host_network: reader.truth_of(node, "hostNetwork"),
        node: reader.word_of(node, "node").map(|it| it.text),
        labels: labels(reader, node),
        ..Pod::default()
    };
    for word in reader.words_of(node, "ips") {
        match word.text.parse() {
            Ok(address) => drop(pod.ips.insert(address)),
            Err(_) => {
                reader.problem(word.span, format!("`{}` is no address", word.text), "write for example `10.0.0.7`")
            }
        }
    }
    for node in reader.list_of(node, "ports") {
        pod.ports.extend(port(reader, node));
    }
    Some(pod)
}

fn labels(reader: &mut Reader<'_>, pod: NodeId) -> Labels {
    let tree = reader.tree;
    let Some(map) = reader.field(pod, "labels") else { return Labels::default() };
    if !matches!(tree.value(map), Value::Mapping(_)) {
        reader.problem(tree.span(map), "`labels` is no mapping", "write for example `labels: {app: web}`");
    }
    let mut labels = Labels::default();
    for entry in tree.entries(map) {
        if let Some(value) = reader.word(entry.value, "the value of a label") {
            labels.insert(tree.key(entry.key).into_owned(), value.text);
        }
    }
    labels
}

fn port(reader: &mut Reader<'_>, node: NodeId) -> Option<ContainerPort> {
    if !reader.fields(node, FIELDS[4].0, FIELDS[4].1) {
        return None;
    }
    let span = reader.tree.span(node);
    let (name, number) = (reader.word_of(node, "name"), reader.word_of(node, "port"));
    let protocol = match reader.word_of(node, "protocol") {
        Some(word) => Protocol::parse(&word.text),
        None => Some(Protocol::TCP),
    };
    let port = number.as_ref().and_then(|number| number.text.parse().ok());
    match (name, port, protocol) {
        (Some(name), Some(port), Some(protocol)) => {
            Some(ContainerPort { name: name.text.to_ascii_lowercase(), protocol, port })
        }
        _ => {
            let help = "write for example `{name: http, port: 8080, protocol: TCP}`";
            reader.problem(span, "a named port has a `name` and a number `port`", help);
            None
        }
    }
}
