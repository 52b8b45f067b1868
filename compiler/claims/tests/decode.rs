//! Mistakes of a test are reported at their place, all in one run.

use claims::{FIELDS, read};
use source::LineIndex;

fn problems(text: &str) -> Vec<String> {
    let lines = LineIndex::new(text);
    let say = |it: &claims::Problem| {
        let at = lines.position(it.span.start);
        format!("{}:{}: {}; {}", at.line, at.column, it.headline, it.help)
    };
    read(text).1.iter().map(say).collect()
}

const HEAD: &str = "apiVersion: tidegate.io/v1alpha1\nkind: PolicyTest\n";

#[test]
fn a_file_without_tests_says_nothing() {
    for text in ["", "kind: Pod\n", "{broken", "- a\n"] {
        assert_eq!(read(text), (Vec::new(), Vec::new()), "{text}");
    }
}

#[test]
fn every_mistake_is_reported_at_its_place() {
    let text = format!(
        "{HEAD}facts: some\ncases:\n- {{form: a/b, to: a/c, port: 80, expect: alow}}\n- {{from: a/b, to: [a/c, [x]], expect: deny}}\n- 7\n"
    );
    assert_eq!(
        problems(&text),
        [
            "3:8: `some` says nothing of facts; write `part` or `all`",
            "5:4: a case has no field `form`; did you mean `from`?",
            "5:3: a case has no `from`; write for example `from: shop/web`",
            "5:42: `alow` is no way for a flow to end; write `allow`, `deny`, `unknown` or `redirect`",
            "6:25: `to` is of type sequence; write one word",
            "6:3: a case has no `port`; write for example `port: 8080/TCP`, or `ports` and a list",
            "7:3: a case is of type integer; write a mapping of `name`, `from`, `to`, `port`, `ports`, `request`, `expect`, `by` and `dialects`",
        ]
    );
}

#[test]
fn a_test_of_another_version_or_beside_other_objects_is_told_so() {
    let text = "apiVersion: v1\nkind: PolicyTest\ncases: []\n---\nkind: Pod\n";
    assert_eq!(
        problems(text),
        [
            "1:13: `v1` is no `apiVersion` of a PolicyTest; write `tidegate.io/v1alpha1`",
            "1:1: a PolicyTest without `cases` says nothing; write at least one case",
            "5:1: a document beside the tests is no `PolicyTest`; put objects of the test under `objects`, or into files that `policies` names",
        ]
    );
}

#[test]
fn requests_are_read_as_a_line_and_by_their_parts() {
    let case = |request: &str| {
        let text = format!("{HEAD}cases:\n- {{from: a/b, to: a/c, port: 80, expect: allow, request: {request}}}\n");
        let (suites, problems) = read(&text);
        assert_eq!(problems, [], "{request}");
        suites[0].cases[0].request.clone().map(|it| it.to_string())
    };
    let line = case("'http GET /api host shop.example'");
    assert_eq!(line, case("{http: GET /api, host: shop.example}"));
    assert_eq!(case("{dns: example.com}").as_deref(), Some("dns example.com"));
    assert_eq!(case("{sni: db.shop}").as_deref(), Some("tls db.shop"));
    assert!(case("{http: GET /, headers: ['X-Key: 7']}").is_some_and(|it| it.contains("X-Key")));
    let two =
        format!("{HEAD}cases:\n- {{from: a/b, to: a/c, port: 80, expect: allow, request: {{http: GET /, dns: x}}}}\n");
    assert_eq!(
        problems(&two),
        [
            "4:58: a request asks for one thing; write one of `http`, `dns` and `kafka`; `sni` beside `http` or `kafka`, or alone"
        ]
    );
}

#[test]
fn a_case_without_a_name_is_called_by_its_flow() {
    let text = format!("{HEAD}cases:\n- {{from: [a/b, a/d], to: a/c, ports: [80, 53/UDP], expect: deny}}\n");
    assert_eq!(read(&text).0[0].cases[0].name, "a/b, a/d -> a/c 80, 53/UDP");
}

#[test]
fn every_field_is_known_once() {
    for (what, fields) in FIELDS {
        let mut sorted = fields.to_vec();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), fields.len(), "{what}");
    }
}
