//! What can be wrong with a policy object, as plain values. The words are found elsewhere.

use flow::Prefix;

use crate::checked::{Deprecated, Role};
use crate::foreign::Engine;
use crate::registry::Removed;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    /// The path from the root of the object; of what is missing, the path of what should hold it.
    pub path: String,
    /// The field to which the API server's answer points, in its notation; empty where it points to none. Of what is missing, the
    /// missing field.
    pub field: String,
    /// Who refuses it in a cluster.
    pub stage: Stage,
    /// What follows for the object.
    pub consequence: Consequence,
    /// What it is.
    pub kind: ProblemKind,
}

impl Problem {
    /// A problem at a place. Its field is that place, or the missing field in it.
    pub fn new(path: &str, stage: Stage, consequence: Consequence, kind: ProblemKind) -> Problem {
        let missing = match &kind {
            ProblemKind::Missing { name } => name,
            ProblemKind::NoneOf { of } => of.first().copied().unwrap_or_default(),
            ProblemKind::NoName => "metadata.name",
            _ => "",
        };
        let field = match (dotted(path), missing) {
            (holder, "") => holder,
            (holder, name) if holder.is_empty() => name.to_owned(),
            (holder, name) => format!("{holder}.{name}"),
        };
        Problem { path: path.to_owned(), field, stage, consequence, kind }
    }

    /// This problem, for which the API server's answer points to another field.
    pub fn at_field(self, field: &str) -> Problem {
        Problem { field: field.to_owned(), ..self }
    }

    /// This problem, for which the API server's answer points to no field.
    pub fn without_field(self) -> Problem {
        self.at_field("")
    }
}

/// A path as the API server writes it: keys are joined by dots, whatever they hold.
pub(crate) fn dotted(path: &str) -> String {
    let mut dotted = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(at) = rest.find("[\"") {
        dotted.push_str(&rest[..at]);
        if !dotted.is_empty() {
            dotted.push('.');
        }
        let mut escaped = false;
        let mut end = rest.len();
        for (offset, c) in rest[at + 2..].char_indices() {
            match c {
                '\\' if !escaped => escaped = true,
                '"' if !escaped => {
                    end = at + 2 + offset;
                    break;
                }
                c => {
                    dotted.push(c);
                    escaped = false;
                }
            }
        }
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    dotted + rest
}

/// Who refuses an object in a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// It is no object of a known kind, or a value has the wrong JSON type for the kind's Go type.
    Decode,
    /// It violates the OpenAPI schema of its kind, or has an unknown field.
    Schema,
    /// The API server's validation of a built-in kind.
    KubernetesApi,
    /// The policy agent's validation.
    Sanitize,
    /// Nobody but us: it is right, and we cannot enforce it yet.
    Reach,
}

impl Stage {
    /// Its name: `decode`, `schema`, `k8s-api`, `sanitize` or `reach`.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Decode => "decode",
            Stage::Schema => "schema",
            Stage::KubernetesApi => "k8s-api",
            Stage::Sanitize => "sanitize",
            Stage::Reach => "reach",
        }
    }
}

/// What follows for the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Consequence {
    /// The whole object is refused and has no effect.
    Rejected,
    /// The object stands; the part cannot be enforced, so an allow there matches nothing and a deny there its whole L4.
    Closed,
    /// The object stands; the API server drops the part, which may widen what the rest means.
    Dropped,
    /// The object stands and the part means what it says, though hardly what was wished.
    Kept,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// There is no object: no mapping, or no `apiVersion` or `kind`.
    NotAnObject,
    /// A kind of a policy API group that nobody knows, or a version of a known kind that does not exist.
    UnknownKind {
        /// As written.
        api_version: String,
        /// As written.
        kind: String,
    },
    /// A version of a kind that the API server warns of.
    DeprecatedVersion(Deprecated),
    /// A kind that exists, and that we do not enforce yet.
    KindNotYet {
        /// What it is to those who ask which traffic passes.
        role: Role,
        /// As written.
        api_version: String,
        /// As written.
        kind: String,
    },
    /// A kind that no cluster of today has any more.
    RemovedKind(&'static Removed),
    /// A policy of another engine, which is not evaluated here.
    Foreign {
        /// Whose it is.
        engine: Engine,
    },
    /// `metadata.name` is missing.
    NoName,
    /// A field that the kind does not have.
    UnknownField {
        /// Its name.
        name: String,
        /// The names that would be known there.
        known: Vec<&'static str>,
    },
    /// A field that must be there.
    Missing {
        /// Its name.
        name: &'static str,
    },
    /// A value of the wrong type.
    WrongType {
        /// What the schema wants.
        wanted: &'static str,
        /// What is there.
        found: &'static str,
    },
    /// A word that is none of the allowed ones.
    NotOneOf {
        /// The word.
        found: String,
        /// Those allowed.
        allowed: &'static [&'static str],
    },
    /// A number outside its range.
    OutOfRange {
        /// The number.
        found: i64,
        /// The least allowed.
        least: i64,
        /// The greatest allowed.
        greatest: i64,
    },
    /// A list that is too long.
    TooMany {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A list that is too short.
    TooFew {
        /// How many there are.
        found: usize,
        /// How many there must be.
        limit: usize,
    },
    /// A text that is too long.
    TooLong {
        /// How many characters it has.
        found: usize,
        /// How many it may have.
        limit: usize,
    },
    /// A text that is too short.
    TooShort {
        /// How many characters it has.
        found: usize,
        /// How many it must have.
        limit: usize,
    },
    /// A mapping with too few known fields.
    TooFewFields {
        /// How many there are.
        found: usize,
        /// How many there must be.
        limit: usize,
    },
    /// A mapping with too many known fields.
    TooManyFields {
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A text that is no regular expression.
    BadExpression {
        /// The text.
        found: String,
        /// Why, for people.
        why: String,
    },
    /// A field that another field does not allow.
    Forbidden {
        /// The other.
        beside: &'static str,
    },
    /// Addresses of one object that do not fit each other.
    AddressesDiffer,
    /// A member of a list that must not stand there twice.
    Duplicate,
    /// None of some fields, one of which must be there.
    NoneOf {
        /// Which.
        of: &'static [&'static str],
    },
    /// A rule of the kind that no single field breaks.
    RuleBroken {
        /// The rule's name.
        name: &'static str,
        /// What it asks for.
        says: &'static str,
    },
    /// A text that does not have the form that the field wants.
    BadForm {
        /// The text.
        found: String,
        /// The form.
        wanted: Form,
    },
    /// `In` or `NotIn` without values.
    ValuesNeeded,
    /// `Exists` or `DoesNotExist` with values.
    ValuesForbidden,
    /// A reserved label in a selector with a value.
    ReservedWithValue,
    /// `except` that is not inside its block.
    ExceptOutside {
        /// The exception.
        except: Prefix,
        /// The block.
        block: Prefix,
    },
    /// `endPort` without `port`.
    EndPortWithoutPort,
    /// `endPort` beside a port name.
    EndPortWithName,
    /// `endPort` below `port`.
    EndPortBelowPort,
    /// A peer that says nothing.
    EmptyPeer,
    /// A peer with an `ipBlock` and a selector.
    BlockBesideSelector,
    /// Two peer lists in one rule.
    CombinedPeers {
        /// The field that comes first.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
    /// `nodeSelector` in a namespaced policy.
    NodeSelectorInNamespace,
    /// No rule at all.
    NoRules,
    /// `icmps` beside `toPorts`.
    IcmpBesidePorts,
    /// A name or number that is no ICMP type of the family.
    UnknownIcmpType {
        /// As written.
        found: String,
    },
    /// A namespace in the subject selector of a namespaced policy, which is replaced by the policy's own.
    NamespaceReplaced,
    /// None, or more than one, of some fields.
    NotExactlyOne {
        /// Which.
        of: &'static [&'static str],
    },
    /// DNS rules on ingress.
    DnsOnIngress,
    /// L7 rules that a host policy cannot have.
    L7OnHost,
    /// L7 rules for a port whose protocol is not just TCP.
    L7NeedsTcp,
    /// L7 rules for port 0.
    L7OnPortZero,
    /// DNS rules without a port, or with a range.
    DnsNeedsPort,
    /// Several families of L7 rules at one port.
    SeveralL7,
    /// `l7` without `l7proto`.
    L7WithoutProtocol,
    /// `serverNames` beside L7 rules without `terminatingTLS`.
    ServerNamesNeedTls,
    /// A listener on ingress.
    ListenerOnIngress,
    /// A listener beside L7 rules.
    ListenerBesideL7,
    /// A protocol that cannot have this port.
    PortOfPortlessProtocol,
    /// A peer or protocol none of whose fields is known, so that nobody here knows what it means.
    UnknownType {
        /// The fields that it has.
        names: Vec<String>,
    },
    /// Domain names in a rule that does not let traffic through.
    NamesInDeny,
    /// A kind that the dialect's engine stores and does not look at.
    KindIgnored,
    /// A field that exists and that we do not enforce yet.
    NotYet,
}

/// The form of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Form {
    /// `10.0.0.0/8`.
    Cidr,
    /// A label key, perhaps with a source.
    LabelKey,
    /// A label value.
    LabelValue,
    /// A port number in text, or a port name.
    PortText,
    /// An IANA service name.
    PortName,
    /// A DNS name.
    DnsName,
    /// A DNS name with asterisks.
    DnsPattern,
    /// `10.0.0.0/8` without leading zeros, without bits beyond its length, and not IPv4 in IPv6 form.
    ExactCidr,
    /// `10.0.0.1`.
    Address,
    /// An address that is not of one machine or one link only.
    PublicAddress,
    /// A label of a DNS name, in lower case.
    DnsLabel,
    /// A DNS name of two labels or more.
    FullDnsName,
    /// The number or name of an ICMP type.
    IcmpType,
    /// The regular expression that the schema gives.
    Pattern(&'static str),
    /// A format that the schema names: `cidr`, `date-time`.
    Format(&'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_the_api_server_does() {
        assert_eq!(dotted("spec.a[0].b"), "spec.a[0].b");
        assert_eq!(dotted(r#"spec.matchLabels["k8s.io/x"].y"#), "spec.matchLabels.k8s.io/x.y");
        assert_eq!(dotted(r#"["a\"b]"][1]"#), r#"a"b][1]"#);
        assert_eq!(dotted(""), "");
        let missing =
            |path| Problem::new(path, Stage::Schema, Consequence::Rejected, ProblemKind::Missing { name: "x" });
        assert_eq!((missing("").field, missing("a.b").field), ("x".to_owned(), "a.b.x".to_owned()));
    }
}
