//! An allow that lists something which a deny takes back.

use diag::Diagnostic;
use driver::Db;

use crate::find::Finder;
use crate::page::{Page, page};
use crate::surplus::{Lost, Said};
use crate::tg0170_deny_cancels_outside_allow::{cancelled, rule};
use crate::words::quoted;

pub const PAGE: Page = page!(223, "conflicting-rules", Warning, "0.1.0", Correctness);

pub fn render(db: &dyn Db, finder: &Finder, said: &Said<'_>, lost: &Lost) -> Option<Diagnostic> {
    let spot = said.spot()?;
    // Where the same policy takes back what is outside, TG0170 says so.
    if cancelled(&spot, finder).iter().any(|it| rule(it.allow) == said.path && it.is_outside()) {
        return None;
    }
    let (path, what) = match lost {
        Lost::Peer(peer) => (&peer.path, "a peer"),
        Lost::Ports(item) => (&item.path, "a port"),
    };
    let by = said.deciding_object()?;
    let headline = format!("{} lists {what} that {by} denies", quoted(said.path));
    let mut found = spot.say(&PAGE, headline, spot.value(path), "without effect, the deny wins");
    for (file, span) in said.deciders(db).iter().filter_map(|(_, place)| *place).take(3) {
        found = found.note(file, span, "denied here");
    }
    let why = match said.flow() {
        Some(flow) => format!("{flow}, is allowed here and dropped{}: of both the deny wins", said.by_whom()),
        None => "both are about the same packets, and of both the deny wins".to_owned(),
    };
    Some(found.why(why).help("take it off the list, or narrow the deny"))
}
