//! Services between a client and who answers it.
//!
//! ```text
//!  address and port ─frontend─► service and its port ─backends─► who answers, on which port
//!                                        └─translation─► whom the policies at both ends see
//! ```
//! Policies are about pods and not about services, so everybody who asks about a flow goes through here first.

mod backends;
mod frontend;
mod legs;
mod translation;

pub use frontend::{Answering, Client, Frontend, Frontends, Kind, Whence};
pub use legs::{Leg, legs};
pub use translation::{As, Nobody, Reached, Road, Seen, To, Translation};
