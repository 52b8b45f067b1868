//! What kernels would say of the programs of an image.

use admit::{Kernel, LIMIT, admit};
use image::Image;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeSet;
use std::str::FromStr;

/// One value of `--kernel`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernels {
    /// Every version that is known.
    All,
    /// One version.
    One(Kernel),
}

impl FromStr for Kernels {
    type Err = String;

    fn from_str(text: &str) -> Result<Kernels, String> {
        match text {
            "all" => Ok(Kernels::All),
            version => version.parse().map(Kernels::One),
        }
    }
}

/// What the verifier of one kernel would say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KernelEntry {
    /// Its version.
    pub kernel: String,
    /// Whether it takes every program.
    pub taken: bool,
    /// Whether the figures are exact as far as was measured; estimates otherwise.
    pub measured: bool,
    /// The programs, ingress first; none where one is refused.
    pub programs: Vec<Verified>,
    /// How many times the dearest program fits into what the verifier does at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headroom: Option<u32>,
    /// The program that is refused, the instruction, and what is wrong with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What one program costs the verifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// The kernel's name for it.
    pub name: String,
    /// Instructions that the verifier follows.
    pub processed: u32,
    /// States that it keeps.
    pub states: u32,
}

impl std::fmt::Display for KernelEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(reason) = &self.reason {
            return write!(f, "kernel {} REFUSES {reason}", self.kernel);
        }
        let about = if self.measured { "" } else { "about " };
        let programs: Vec<String> = self.programs.iter().map(|it| format!("{} {}", it.name, it.processed)).collect();
        write!(f, "kernel {} takes it: {about}{} instructions to verify", self.kernel, programs.join(", "))?;
        self.headroom.map_or(Ok(()), |headroom| write!(f, ", headroom {headroom} times"))
    }
}

/// The versions that are asked for, each once, ascending.
pub(super) fn asked(kernels: &[Kernels]) -> Vec<Kernel> {
    let versions = |kernels: &Kernels| match kernels {
        Kernels::All => Kernel::all(),
        Kernels::One(kernel) => vec![*kernel],
    };
    kernels.iter().flat_map(versions).collect::<BTreeSet<_>>().into_iter().collect()
}

/// One answer a kernel: both programs, or the first one that is refused.
pub(super) fn answers(image: &Image, kernels: &[Kernel]) -> Vec<KernelEntry> {
    kernels.iter().map(|kernel| answer(image, *kernel)).collect()
}

fn answer(image: &Image, kernel: Kernel) -> KernelEntry {
    let mut entry = KernelEntry {
        kernel: kernel.to_string(),
        taken: true,
        measured: kernel == Kernel::LAST,
        programs: Vec::new(),
        headroom: None,
        reason: None,
    };
    for program in &image.programs {
        match admit(image, program, kernel) {
            Ok(admission) => {
                let (processed, states) = (admission.processed, admission.states);
                entry.programs.push(Verified { name: program.name.clone(), processed, states });
                let headroom = LIMIT / processed.max(1);
                entry.headroom = Some(entry.headroom.map_or(headroom, |least| least.min(headroom)));
            }
            Err(refusal) => {
                let reason = format!("{}, {refusal}", program.name);
                return KernelEntry {
                    taken: false,
                    programs: Vec::new(),
                    headroom: None,
                    reason: Some(reason),
                    ..entry
                };
            }
        }
    }
    entry
}
