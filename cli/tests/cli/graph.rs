//! `graph`: what it draws of the small cluster, in every format, and the page in a browser.

use crate::support::Folder;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The small shop whose database is asked through a proxy and by a name, and two open pods.
fn folder() -> Folder {
    let folder = Folder::shop();
    folder.write("more.yaml", MORE);
    folder
}

const MORE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: batch, namespace: shop}
spec:
  selector: {matchLabels: {app: batch}}
  template:
    metadata: {labels: {app: batch}}
    spec: {containers: [{name: c, image: i}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
  - fromEntities: [world]
    toPorts:
    - ports: [{port: \"8080\", protocol: TCP}]
      rules: {http: [{method: GET}]}
";

fn graph(more: &[&str]) -> String {
    folder().run(&[&["graph", ".", "--facts", "all"], more].concat()).ended(0)
}

#[test]
fn a_small_graph_is_a_matrix() {
    insta::assert_snapshot!("graph-matrix", graph(&[]));
    insta::assert_snapshot!("graph-namespace", graph(&["--level", "namespace"]));
}

#[test]
fn rules_stand_below_their_edges() {
    insta::assert_snapshot!("graph-rules", graph(&["--rules", "--to", "shop/db", "--from", "shop"]));
}

#[test]
fn filters_leave_what_they_say_and_say_so_when_it_is_nothing() {
    let some = graph(&["--from", "app=web", "--port", "5432/TCP", "-o", "csv"]);
    assert!(some.contains("shop/web,shop/db,tcp/5432,"), "{some}");
    assert!(!some.contains("shop/db,shop/web"), "{some}");
    assert!(
        graph(&["--from", "shop", "--to", "shop/db", "--port", "7"])
            .contains("note: policies deny everything that was asked for")
    );
    let between = graph(&["--between", "shop/web", "--between", "shop/db", "-o", "csv"]);
    assert_eq!(between.lines().count(), 2, "a head, and one edge; the other way is closed: {between}");
    assert!(folder().run(&["graph", ".", "--port", "http"]).failed(2).contains("`http` is no port"));
}

#[test]
fn a_filter_that_nothing_meets_is_an_error_with_what_comes_near() {
    let failed = |more: &[&str]| folder().run(&[&["graph", "."], more].concat()).failed(2);
    let second = failed(&["--from", "shop/web", "--from", "shop/bd"]);
    assert!(second.contains("nothing in the files read matches `shop/bd`; did you mean `shop/db`"), "{second}");
    assert!(!second.contains("`shop/web`"), "{second}");
    let both = failed(&["--to", "shopp", "--between", "app=wbe"]);
    assert!(
        both.contains("`shopp`; did you mean `shop`") && both.contains("`app=wbe`; did you mean `app=web`"),
        "{both}"
    );
    assert!(failed(&["--to", "wrold"]).contains("did you mean `world`"), "{both}");
    // Nodes of which none is another, and a block that no policy names, are no slips.
    graph(&["--to", "nodes", "--to", "192.0.2.0/24"]);
}

#[test]
fn what_is_not_known_is_drawn_apart() {
    let folder = folder();
    folder.write(
        "policy.yaml",
        &crate::support::POLICY.replace(
            "from: [{podSelector: {matchLabels: {app: web}}}]",
            "from: [{namespaceSelector: {matchLabels: {team: a}}}]",
        ),
    );
    folder.write("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: probe, namespace: unread}\nspec: {nodeName: north, containers: [{name: c, image: i}]}\nstatus: {podIPs: [{ip: 10.1.0.77}]}\n");
    let part = folder.run(&["graph", ".", "--to", "shop/db", "-o", "json"]).ended(0);
    let report: serde_json::Value = serde_json::from_str(&part).unwrap();
    let unknown: Vec<&serde_json::Value> =
        report["edges"].as_array().unwrap().iter().filter(|it| !it["unknown"].is_null()).collect();
    assert_eq!(unknown.len(), 1, "{part}");
    assert_eq!((&unknown[0]["unknown"], &unknown[0]["ports"]), (&"tcp/5432".into(), &"none".into()));
    assert_eq!(unknown[0]["missing"][0]["fact"], "namespace-labels");
}

#[test]
fn wide_graphs_are_lists() {
    let folder = Folder::shop();
    let pod = |at: usize| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: pod-{at}, namespace: shop, labels: {{app: pod-{at}}}}}\nspec: {{nodeName: north, containers: [{{name: c, image: i}}]}}\nstatus: {{podIPs: [{{ip: 10.1.0.{}}}]}}\n---\n",
            at + 20
        )
    };
    folder.write("pods.yaml", &(0..24).map(pod).collect::<String>());
    let said = folder.run(&["graph", "."]).ended(0);
    assert!(said.contains("characters wide, so here is a list") && said.contains("  -> shop/db"), "{said}");
}

#[test]
fn graphviz_takes_what_is_written_for_it() {
    let dot = graph(&["-o", "dot"]);
    insta::assert_snapshot!("graph-dot", dot);
    insta::assert_snapshot!("graph-mermaid", graph(&["-o", "mermaid"]));
    let Some(program) = program("dot") else {
        println!("absent: no Graphviz, so what is written for it was not drawn");
        return;
    };
    let folder = Folder::of(&[("graph.dot", &dot)]);
    let drawn = Command::new(program).args(["-Tsvg", "graph.dot"]).current_dir(folder.path()).output().unwrap();
    assert!(drawn.status.success() && drawn.stderr.is_empty(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let svg = String::from_utf8(drawn.stdout).unwrap();
    assert_eq!(svg.matches("class=\"edge\"").count(), dot.matches(" -> ").count(), "{svg}");
}

#[test]
fn the_page_is_whole_and_keeps_text_in_its_place() {
    let folder = folder();
    folder.write("hostile.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: evil, namespace: shop, labels: {app: '</script><script>alert(1)</script>'}}\nspec: {nodeName: north, containers: [{name: c, image: i}]}\nstatus: {podIPs: [{ip: 10.1.0.66}]}\n");
    folder.run(&["graph", ".", "-o", "html=graph.html"]).ended(0);
    let page = std::fs::read_to_string(folder.join("graph.html")).unwrap();
    assert_eq!(page.matches("</script>").count(), 2, "data and program, nothing else");
    assert!(
        !page.contains("http://")
            || page.matches("http://").count() == page.matches("http://www.w3.org/2000/svg").count()
    );
    assert!(
        !page.contains("https://") && !page.contains("src=") && !page.contains("@import") && !page.contains("url(")
    );
}

#[test]
fn a_click_on_an_edge_shows_its_rules() {
    let Some(chromium) = program("chromium") else {
        println!("absent: no Chromium, so the page was not opened");
        return;
    };
    let folder = folder();
    folder.run(&["graph", ".", "--facts", "all", "-o", "html=graph.html", "-o", "json=graph.json"]).ended(0);
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(folder.join("graph.json")).unwrap()).unwrap();
    let at = |name: &str| report["vertices"].as_array().unwrap().iter().position(|it| it["name"] == name).unwrap();
    let (web, db) = (at("shop/web"), at("shop/db"));
    let edge = report["edges"].as_array().unwrap().iter().position(|it| it["from"] == web && it["to"] == db).unwrap();
    let page = std::fs::read_to_string(folder.join("graph.html")).unwrap();
    let click = format!(
        "<script>document.querySelector('.edge[data-edge=\"{edge}\"]').dispatchEvent(new MouseEvent('click', {{bubbles: true}}));</script></body>"
    );
    folder.write("clicked.html", &page.replace("</body>", &click));
    let dom = opened(&chromium, &folder.join("clicked.html"));
    let details = dom.split("<aside").nth(1).expect("the page has a place for details");
    for part in ["shop/web → shop/db", "NetworkPolicy shop/db spec.ingress[0].from[0]", "policy.yaml:8:14", "tcp/5432"]
    {
        assert!(details.contains(part), "{part}\n{details}");
    }
    let before = opened(&chromium, &folder.join("graph.html"));
    assert!(
        before.contains("Choose an edge or a vertex")
            && !before.split("<aside").nth(1).unwrap().contains("policy.yaml:8:14")
    );
    assert_eq!(before.matches("data-vertex=").count(), 4, "three workloads and the world; nodes are hidden at first");
}

/// The page as a browser has it after its program ran.
fn opened(chromium: &Path, page: &Path) -> String {
    let profile = tempfile::tempdir().unwrap();
    let flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--virtual-time-budget=3000",
        "--dump-dom",
    ];
    let ran = Command::new(chromium)
        .args(flags)
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}", page.display()))
        .stderr(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(ran.stdout).unwrap()
}

fn program(name: &str) -> Option<PathBuf> {
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}
