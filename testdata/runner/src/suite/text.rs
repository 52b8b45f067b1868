//! Manifests in fixtures: whole ones, short ones, and what they claim.

use super::claims::severity;
use super::markdown::Block;
use diag::Severity;
use hir::Dialect;

/// One manifest file of a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Its name in the project.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The line of the fixture that holds its first line; an added head stands before it.
    pub first_line: usize,
    /// How many lines were put before it.
    pub head: usize,
    /// What it claims.
    pub claims: Vec<Claim>,
}

/// `# error: [TG0012] "part of the headline"` at the end of a line, or `# warn:`, `# hint:`; `# error(cilium-1.20):` for some dialects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The line of the manifest, from 1.
    pub line: usize,
    /// How grave it is.
    pub severity: Severity,
    /// The dialects that it holds for; empty for all.
    pub dialects: Vec<String>,
    /// The code, if it says one.
    pub code: Option<String>,
    /// What the headline holds; may be empty.
    pub words: String,
}

/// Short names of kinds, as in the API, with what stands above their spec.
const KINDS: [(&str, &str, &str); 7] = [
    ("netpol", "networking.k8s.io/v1", "NetworkPolicy"),
    ("cnp", "cilium.io/v2", "CiliumNetworkPolicy"),
    ("ccnp", "cilium.io/v2", "CiliumClusterwideNetworkPolicy"),
    ("clusternp", "policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy"),
    ("anp", "policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy"),
    ("cegp", "cilium.io/v2", "CiliumEgressGatewayPolicy"),
    ("banp", "policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy"),
];

impl Manifest {
    /// Reads a `yaml`, `spec` or `edit` block: a whole file, or with the arguments `KIND NAME` just the spec of an object.
    ///
    /// Errors: an unknown kind.
    pub fn of(block: &Block, at: usize) -> Result<Manifest, String> {
        let (name, head) = match &block.arguments[..] {
            [kind, object] => (format!("{}.yaml", object.replace('/', "-")), head(kind, object)?),
            [name] => (name.clone(), String::new()),
            _ => (format!("{at}.yaml"), String::new()),
        };
        let indent = if head.is_empty() { "" } else { "  " };
        let body: String = block.text.lines().map(|line| format!("{indent}{line}\n")).collect();
        let text = format!("{head}{body}");
        let claims = text.lines().enumerate().flat_map(|(at, line)| Claim::read(at + 1, line)).collect();
        Ok(Manifest { name, first_line: block.line, head: head.lines().count(), claims, text })
    }

    /// Whether a line of the manifest, from 1, stands in the fixture and not in the head that a `spec` block is given.
    pub fn wrote(&self, line: usize) -> bool {
        line > self.head
    }

    /// The line of the fixture that holds a line of the manifest, both from 1.
    pub fn fixture_line(&self, line: usize) -> usize {
        (self.first_line + line).saturating_sub(1 + self.head).max(self.first_line)
    }
}

fn head(kind: &str, object: &str) -> Result<String, String> {
    let known = KINDS.iter().find(|(short, _, long)| *short == kind || *long == kind);
    let (_, version, kind) = known.ok_or_else(|| format!("`{kind}` has no short form"))?;
    let metadata = match object.split_once('/') {
        Some((namespace, name)) => format!("{{name: {name}, namespace: {namespace}}}"),
        None => format!("{{name: {object}}}"),
    };
    Ok(format!("apiVersion: {version}\nkind: {kind}\nmetadata: {metadata}\nspec:\n"))
}

impl Claim {
    /// The claims of a line: comments that begin `error`, `warn` or `hint`, perhaps dialects in brackets, and a colon.
    fn read(line_number: usize, line: &str) -> Vec<Claim> {
        line.split("# ").skip(1).filter_map(|comment| Claim::one(line_number, comment)).collect()
    }

    fn one(line: usize, comment: &str) -> Option<Claim> {
        let (head, rest) = comment.split_once(':')?;
        let (word, dialects) = head.split_once('(').unwrap_or((head, ""));
        let severity = severity(word.trim())?;
        let rest = rest.trim();
        let (code, words) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((code, words)) => (Some(code.to_owned()), words),
            None => (None, rest),
        };
        let dialects = dialects.trim_end_matches(')').split_whitespace().map(str::to_owned).collect();
        Some(Claim { line, severity, dialects, code, words: words.trim().trim_matches('"').to_owned() })
    }

    /// Whether the claim is made of this dialect.
    pub fn holds_for(&self, dialect: &Dialect) -> bool {
        self.dialects.is_empty() || self.dialects.iter().any(|name| name == dialect.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(arguments: &[&str], text: &str) -> Block {
        let arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
        Block { kind: "spec".to_owned(), arguments, line: 10, text: text.to_owned() }
    }

    #[test]
    fn a_spec_gets_a_head_and_keeps_its_lines() {
        let manifest =
            Manifest::of(&block(&["netpol", "a/p"], "podSelector: {}\ningress: 3   # error: [TG0007] \"a list\"\n"), 1);
        let manifest = manifest.unwrap();
        assert!(manifest.text.ends_with("spec:\n  podSelector: {}\n  ingress: 3   # error: [TG0007] \"a list\"\n"));
        let claim = &manifest.claims[0];
        assert_eq!(claim.severity, Severity::Error);
        assert_eq!((claim.line, claim.code.as_deref(), claim.words.as_str()), (6, Some("TG0007"), "a list"));
        assert_eq!(manifest.fixture_line(claim.line), 11);
        assert_eq!(manifest.fixture_line(2), 10);
    }

    #[test]
    fn a_claim_may_hold_for_one_dialect_only() {
        let manifest = Manifest::of(&block(&["a.yaml"], "a: b # warn(cilium-1.20): x\n"), 1).unwrap();
        assert!(
            manifest.claims[0].holds_for(&Dialect::CILIUM_1_20) && !manifest.claims[0].holds_for(&Dialect::STANDARD)
        );
    }
}
