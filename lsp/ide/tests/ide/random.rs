//! Broken texts: no feature panics, whatever is asked where.

use driver::Database;
use ide::At;
use source::Span;

const TEXTS: [&str; 2] = [
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, namespace: \"shöp\"}\nspec:\n  podSelector:\n    \
     matchLabels: {app: web}\n  ingress:\n  - from:\n    - podSelector: {matchLabels: {app: web}} # who\n    ports: [{port: 80, \
     protocol: TCP}]\n",
    "# tidegate: ignore[TG0012] so\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata:\n  name: b\nspec:\n  \
     endpointSelector: {}\n  description: |\n    some\n    text\n  egress:\n  - toEntities: [world]\n    toPorts:\n    - ports:\n      - \
     port: \"53\"\n      rules: {dns: [{matchPattern: '*.org'}]}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web, labels: {app: web}}\nspec: \
     {containers: [{ports: [{name: http, containerPort: 80}]}]}\n",
];

const PIECES: [&str; 14] = ["{", "}", "[", "]", ":", "- ", "\n", "\n  ", "#", "\"", "'", "\t", "---\n", "ö"];

/// Numbers that look random and are the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % below.max(1)
    }
}

fn broken(text: &str, dice: &mut Dice) -> String {
    let mut text = text.to_owned();
    for _ in 0..1 + dice.roll(3) {
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let start = boundaries[dice.roll(boundaries.len())];
        let end = boundaries.iter().copied().find(|at| *at >= start + dice.roll(5)).unwrap_or(text.len());
        let piece = if dice.roll(3) == 0 { "" } else { PIECES[dice.roll(PIECES.len())] };
        text.replace_range(start..end, piece);
        if text.is_empty() {
            return "a".into();
        }
    }
    text
}

#[test]
fn no_feature_panics_whatever_the_text_and_the_offset() {
    let mut dice = Dice(7);
    let mut db = Database::new();
    for round in 0..100 {
        let text = broken(TEXTS[round % TEXTS.len()], &mut dice);
        db.set_file("a.yaml", &text);
        let file = db.file_at("a.yaml").expect("it was set");
        let rules = checks::suppress::Rules::default();
        ide::diagnostics(&db, file, &rules);
        ide::symbols(&db, file);
        ide::folds(&db, file);
        ide::tokens(&db, file);
        ide::links(&db, file);
        ide::lenses(&db, file);
        ide::inlays(&db, file, Span::new(0, u32::MAX));
        ide::actions(&db, file, Span::new(0, u32::MAX), &rules);
        for turn in 0..8 {
            let at = At { file, offset: dice.roll(text.len() + 3) as u32 };
            ide::complete(&db, at);
            ide::hover(&db, at);
            ide::definition(&db, at);
            ide::references(&db, at, true);
            ide::selections(&db, at);
            ide::rewrites(&db, file, Span::at(at.offset));
            if turn == 0 {
                let _ = ide::rename(&db, at, "another");
            }
        }
    }
}
