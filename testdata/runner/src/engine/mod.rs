//! Engines: five ways to answer one question, so that none is its own judge.
//!
//! ```text
//!  Database ──► World ──┬─ oracle    rules, one flow at a time
//!                       ├─ diagram   canonical form
//!                       ├─ vm        the image's programs in user space, on a crafted packet
//!                       ├─ native    the same programs in machine code of this computer, likewise
//!                       └─ kernel    the same packets through BPF_PROG_TEST_RUN
//! ```
//! A question is about the first packet of a new connection. Until proxies and authentication exist, programs drop what would go
//! to a proxy with `no-proxy` and what needs authentication with `auth-required`; those two answers are told apart from a deny by
//! the reason of the drop.

mod datapath;
mod frame;
mod kernel;
mod reference;
mod vm;
mod world;

#[cfg(test)]
mod fault;
#[cfg(test)]
pub(crate) use fault::{Faulty, faulty};

pub use frame::{Crafted, craft};
pub use world::{Compiled, Place, World, small_target};

use flow::{Action, Auth, Direction, L4Key, PeerId, Verdict};
use image::DropReason;
use std::fmt;
use std::net::IpAddr;

/// What is asked of one subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Question {
    /// Towards the subject or from it.
    pub direction: Direction,
    /// The other side. Peers without an address of their own have one from [`World::entity`].
    pub peer: IpAddr,
    /// Protocol and destination port, or ICMP type and code.
    pub key: L4Key,
}

/// What happens to the first packet of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It passes.
    Allow,
    /// It would go to a proxy: programs drop it with `no-proxy`.
    Redirect,
    /// It needs authentication first, whatever happens then: programs drop it with `auth-required`.
    Auth,
    /// The policy denies it.
    Deny,
    /// A program drops it for a reason that is no matter of policy.
    Other(DropReason),
}

impl Outcome {
    /// What programs do for a verdict.
    pub fn of(verdict: Verdict) -> Outcome {
        match verdict {
            Verdict { action: Action::Deny, .. } => Outcome::Deny,
            Verdict { auth: Auth::Required | Auth::AlwaysFail, .. } => Outcome::Auth,
            Verdict { action: Action::Redirect(_), .. } => Outcome::Redirect,
            Verdict { action: Action::Allow, .. } => Outcome::Allow,
        }
    }

    /// Whether the policy allows the flow at L3 and L4.
    pub fn passes(self) -> bool {
        matches!(self, Outcome::Allow | Outcome::Redirect | Outcome::Auth)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Outcome::Allow => f.write_str("allow"),
            Outcome::Redirect => f.write_str("redirect"),
            Outcome::Auth => f.write_str("auth"),
            Outcome::Deny => f.write_str("deny"),
            Outcome::Other(reason) => write!(f, "drop ({})", reason.name()),
        }
    }
}

/// What an engine answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What happens.
    pub outcome: Outcome,
    /// The peer that the engine took the other side for; `None` when it did not need to know.
    pub peer: Option<PeerId>,
    /// The whole verdict, from engines that have it: oracle and diagram.
    pub verdict: Option<Verdict>,
    /// The name of the listener of a redirect, likewise.
    pub listener: Option<String>,
    /// Which rules made it so: oracle only.
    pub decision: Option<oracle::Decision>,
}

impl Answer {
    /// The answer of an engine that knows no more than what happened.
    pub fn plain(outcome: Outcome, peer: Option<PeerId>) -> Answer {
        Answer { outcome, peer, verdict: None, listener: None, decision: None }
    }
}

/// Why a question cannot be put to an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NotAsked {
    /// Neighbour discovery and path MTU messages pass without being a matter of policy.
    NoPolicy,
    /// No packet exists: the subject has no address of the peer's family, or the protocol is of the other family.
    NoPacket,
    /// A protocol that programs drop before any decision.
    Protocol,
}

impl fmt::Display for NotAsked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotAsked::NoPolicy => "neighbour discovery and path MTU, which pass without policy",
            NotAsked::NoPacket => "flows that no packet can be of (families differ)",
            NotAsked::Protocol => "protocols that programs drop undecided",
        })
    }
}

/// One question's fate: an answer, or why there is none.
pub type Reply = Result<Answer, NotAsked>;

/// Answers questions about one world.
pub trait Engine {
    /// Answers all questions about one subject, in their order.
    ///
    /// Errors: text for people, when the engine breaks: no image, a refused program, a fault. No question is answered then.
    fn ask(&mut self, place: &Place, questions: &[Question]) -> Result<Vec<Reply>, String>;
}

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Rules, one flow at a time.
    Oracle,
    /// The canonical form of the rules.
    Diagram,
    /// Programs in user space, interpreted.
    Vm,
    /// Programs in user space, in machine code.
    Native,
    /// Programs in the running kernel.
    Kernel,
}

/// Why an engine cannot be had here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The process may not call bpf(2).
    NotPermitted,
    /// It may, and it failed all the same.
    Broken(String),
}

impl Kind {
    /// Every engine, the judge first.
    pub const ALL: [Kind; 5] = [Kind::Oracle, Kind::Diagram, Kind::Vm, Kind::Native, Kind::Kernel];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Oracle => "oracle",
            Kind::Diagram => "diagram",
            Kind::Vm => "vm",
            Kind::Native => "native",
            Kind::Kernel => "kernel",
        }
    }

    /// The engine of this name.
    pub fn named(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether the engine runs programs on packets.
    pub fn runs_programs(self) -> bool {
        matches!(self, Kind::Vm | Kind::Native | Kind::Kernel)
    }

    /// The engine for a world. Errors: [`Unavailable`], for the kernel only.
    pub fn open<'w>(self, world: &'w World<'w>) -> Result<Box<dyn Engine + 'w>, Unavailable> {
        Ok(match self {
            Kind::Oracle => Box::new(reference::Oracle { world }),
            Kind::Diagram => Box::new(reference::Diagrams { world }),
            Kind::Vm => Box::new(datapath::Datapath::new(world, vm::Device::<::vm::Machine>::new(world))),
            Kind::Native => Box::new(datapath::Datapath::new(world, vm::Device::<native::Machine>::new(world))),
            Kind::Kernel => Box::new(datapath::Datapath::new(world, kernel::Device::open(world)?)),
        })
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
