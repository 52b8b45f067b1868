//! Many small policies, made by chance and the same in every run.

use driver::{Database, text};
use hir::{Dialect, Policy};
use std::sync::Arc;

/// A generator that gives the same numbers in every run (xorshift, Marsaglia 2003).
pub(super) struct Random(pub u64);

impl Random {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }

    pub fn of<'t>(&mut self, all: &[&'t str]) -> &'t str {
        all[self.below(all.len())]
    }
}

const LABELS: [&str; 8] = [
    "{}",
    "{matchLabels: {app: web}}",
    "{matchLabels: {app: db}}",
    "{matchExpressions: [{key: app, operator: NotIn, values: [web]}]}",
    "{matchExpressions: [{key: app, operator: NotIn, values: [web, db]}]}",
    "{matchLabels: {app: web, tier: back}}",
    "{matchExpressions: [{key: tier, operator: Exists}]}",
    "{matchExpressions: [{key: app, operator: In, values: [web, db]}, {key: tier, operator: DoesNotExist}]}",
];
const BLOCKS: [&str; 8] = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.1.0/29",
    "192.168.0.0/31",
    "198.51.100.0/24",
    "198.51.100.0/25",
    "198.51.100.128/25",
    "2001:db8::/32",
];

fn peer(random: &mut Random) -> String {
    match random.below(4) {
        0 => format!("{{podSelector: {}}}", random.of(&LABELS)),
        1 => format!(
            "{{namespaceSelector: {}, podSelector: {}}}",
            random.of(&["{}", "{matchLabels: {team: red}}"]),
            random.of(&LABELS)
        ),
        2 => format!("{{ipBlock: {{cidr: '{}'}}}}", random.of(&BLOCKS)),
        _ => "{ipBlock: {cidr: 198.51.100.0/24, except: [198.51.100.64/26]}}".to_owned(),
    }
}

fn kubernetes(random: &mut Random, number: usize) -> String {
    let (direction, list, types) =
        if random.below(2) == 0 { ("ingress", "from", "Ingress") } else { ("egress", "to", "Egress") };
    let mut rules = String::new();
    for _ in 0..random.below(3) {
        let peers: Vec<String> = (0..1 + random.below(2)).map(|_| peer(random)).collect();
        let ports = random.of(&[
            "",
            ", ports: [{port: 80}]",
            ", ports: [{port: 80, endPort: 90}]",
            ", ports: [{port: http}, {port: 53, protocol: UDP}]",
        ]);
        rules += &format!("\n  - {{{list}: [{}]{ports}}}", peers.join(", "));
    }
    let rules = if rules.is_empty() { " []".to_owned() } else { rules };
    format!(
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: p{number}, namespace: {}}}\nspec:\n  podSelector: {}\n  policyTypes: [{types}]\n  {direction}:{rules}\n",
        random.of(&["a", "a", "b"]),
        random.of(&LABELS)
    )
}

fn cilium(random: &mut Random, number: usize) -> String {
    let (direction, word) = if random.below(2) == 0 { ("ingress", "from") } else { ("egress", "to") };
    let deny = random.of(&["", "", "Deny"]);
    let peer = match random.below(4) {
        0 => format!("{word}Endpoints: [{}]", random.of(&LABELS)),
        1 => format!("{word}Entities: [{}]", random.of(&["world", "cluster", "host", "remote-node", "all"])),
        2 => format!("{word}CIDR: ['{}']", random.of(&BLOCKS)),
        _ => format!("{word}CIDRSet: [{{cidr: 198.51.100.0/24, except: [198.51.100.0/26]}}]"),
    };
    let ports = match (random.below(5), deny) {
        (0, _) => "",
        (1, "") => ", toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: GET}]}}]",
        (2, "") => ", toPorts: [{ports: [{port: '80', protocol: TCP}], rules: {http: [{method: POST}]}}]",
        (3, _) => ", toPorts: [{ports: [{port: '8', endPort: 85, protocol: ANY}]}]",
        _ => ", icmps: [{fields: [{type: 8, family: IPv4}]}]",
    };
    format!(
        "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {{name: c{number}, namespace: {}}}\nspec:\n  endpointSelector: {}\n  {direction}{deny}:\n  - {{{peer}{ports}}}\n",
        random.of(&["a", "a", "b"]),
        random.of(&LABELS)
    )
}

/// Many policies, all of them accepted.
pub(super) fn pool(random: &mut Random, dialect: &'static Dialect) -> Vec<Arc<Policy>> {
    let texts =
        (0..300).map(|number| if number % 2 == 0 { kubernetes(random, number) } else { cilium(random, number) });
    let mut db = Database::new();
    db.set_dialect(dialect);
    let texts: Vec<String> = texts.collect();
    db.set_file("pool.yaml", &texts.join("---\n"));
    let file = db.file_at("pool.yaml").unwrap();
    let decoded = text::decoded(&db, file);
    assert!(decoded.policies.len() > 290, "{} of 300", decoded.policies.len());
    decoded.policies.to_vec()
}
