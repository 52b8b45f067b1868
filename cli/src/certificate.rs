//! The certificate of an image as a file: what was proved of it, by which checker, and what the proof leaves to others.

use crate::report::API_VERSION;
use image::layout;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use verify::certificate::{By, CUTS, Cut};
use verify::{Certificate, DecisionProof, ProgramProof};

/// How the name of a certificate ends, in the place of `.tgi`.
pub const ENDING: &str = ".certificate.json";
/// What kind of object it is.
pub const KIND: &str = "Certificate";

/// `images/DIGEST.certificate.json`: what was proved of the image beside it. Equal images have equal certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CertificateFile {
    /// Always `tidegate.io/v1alpha1`.
    pub api_version: String,
    /// Always `Certificate`.
    pub kind: String,
    /// The version of the checker. It grows with every change of what is proved.
    pub checker: u32,
    /// The digest of the image: 64 hexadecimal digits.
    pub image: String,
    /// Towards the endpoint.
    pub ingress: DirectionProof,
    /// From the endpoint.
    pub egress: DirectionProof,
    /// The steps from a packet to what becomes of it, and what vouches for each; the proof is of the last.
    pub cuts: Vec<CutEntry>,
}

/// What was proved of one direction: for every peer and every port, the program does what the rules say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DirectionProof {
    /// The digest of what the rules of the image mean; peer numbers leave no trace in it.
    pub meaning: String,
    /// The digest of the template that surrounds the decisions.
    pub template: String,
    /// What every flow of either family gets: `allow`, `deny`, `redirect` or `auth`; absent where decisions tell flows apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constant: Option<String>,
    /// Classes of peers.
    pub classes: u64,
    /// The decision of each family; none for a constant.
    pub decisions: Vec<DecisionEntry>,
}

/// What was proved of the decision of one family.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionEntry {
    /// `IPv4` or `IPv6`.
    pub family: String,
    /// Paths that were followed to their end.
    pub paths: u64,
}

/// One step on the way from a packet to what becomes of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CutEntry {
    /// What is known before it.
    pub from: String,
    /// What is known behind it.
    pub to: String,
    /// What vouches for it: `template` (every path of it was proved before it was listed), `node` (tables that are read back) or `proof`.
    pub by: String,
}

/// Where the certificate of an image file stands.
pub fn beside(image: &Path) -> PathBuf {
    image.with_extension(ENDING.trim_start_matches('.'))
}

impl CertificateFile {
    /// The file of a certificate.
    pub fn of(certificate: &Certificate) -> CertificateFile {
        let [ingress, egress] = &certificate.programs;
        let [into, out] = &certificate.meaning;
        CertificateFile {
            api_version: API_VERSION.to_owned(),
            kind: KIND.to_owned(),
            checker: certificate.checker,
            image: certificate.image.to_string(),
            ingress: DirectionProof::of(ingress, into.to_string()),
            egress: DirectionProof::of(egress, out.to_string()),
            cuts: CUTS.iter().map(CutEntry::of).collect(),
        }
    }

    /// What another certificate says otherwise, for people.
    pub fn differences(&self, other: &CertificateFile) -> Vec<String> {
        let mut out = Vec::new();
        let mut say = |differs: bool, what: &str| {
            if differs {
                out.push(what.to_owned());
            }
        };
        say(self.image != other.image, "image");
        for (name, one, two) in [("ingress", &self.ingress, &other.ingress), ("egress", &self.egress, &other.egress)] {
            say(one.meaning != two.meaning, &format!("meaning of {name}"));
            say(one.template != two.template, &format!("template of {name}"));
            let counts = |it: &DirectionProof| (it.constant.clone(), it.classes, it.decisions.clone());
            say(counts(one) != counts(two), &format!("proof of {name}"));
        }
        say(self.cuts != other.cuts, "list of cuts");
        out
    }
}

impl DirectionProof {
    fn of(proof: &ProgramProof, meaning: String) -> DirectionProof {
        DirectionProof {
            meaning,
            template: proof.template.to_string(),
            constant: proof.constant.map(|leaf| word(leaf).to_owned()),
            classes: proof.classes as u64,
            decisions: proof.decisions.iter().map(DecisionEntry::of).collect(),
        }
    }
}

impl DecisionEntry {
    fn of(proof: &DecisionProof) -> DecisionEntry {
        let family = match proof.family {
            flow::Family::V4 => "IPv4",
            flow::Family::V6 => "IPv6",
        };
        DecisionEntry { family: family.to_owned(), paths: proof.paths as u64 }
    }
}

impl CutEntry {
    fn of(cut: &Cut) -> CutEntry {
        let by = match cut.by {
            By::Template => "template",
            By::Node => "node",
            By::Proof => "proof",
        };
        CutEntry { from: cut.from.to_owned(), to: cut.to.to_owned(), by: by.to_owned() }
    }
}

/// The word of a leaf that every flow gets.
pub fn word(leaf: u8) -> &'static str {
    match leaf {
        layout::LEAF_ALLOW => "allow",
        layout::LEAF_REDIRECT => "redirect",
        layout::LEAF_AUTH => "auth",
        _ => "deny",
    }
}
