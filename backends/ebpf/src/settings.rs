//! What programs do with packets whatever the policy says.

use crate::decide::choose::Shapes;

/// Switches of a node that programs are written for. The default follows fragments and guards no tunnel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    /// Later fragments of IPv4 have the ports 0 instead of those of their first, so that only rules of all ports match them.
    pub untracked_fragments4: bool,
    /// Likewise of IPv6.
    pub untracked_fragments6: bool,
    /// The UDP port at the node's own addresses that no endpoint may send to: what comes out of a tunnel is believed.
    pub tunnel_port: Option<u16>,
    /// Which shapes of a decision are asked. All of them mean the same.
    pub shapes: Shapes,
}

impl Settings {
    /// Whether later fragments take the ports of their first; `family` is 4 or 6.
    pub(crate) fn tracks_fragments(self, family: i32) -> bool {
        match family {
            4 => !self.untracked_fragments4,
            _ => !self.untracked_fragments6,
        }
    }
}
