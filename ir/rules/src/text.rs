//! The form on paper.
//!
//! ```text
//! listener l0 shop/envoy/http                             # what redirects name, by number from l0
//! requests q0 http by "CiliumNetworkPolicy shop/web" spec # what redirects ask of requests, by number from q0
//!   request method GET path "/api(/.*)?" header x-a       # any of these; see the end of this text
//! names by port                                           # when DNS names are not judged by wider allows
//! origin "NetworkPolicy shop/web" spec                    # only origins that nothing below names
//! tier admin                                              # in order of evaluation
//!   level 5                                               # likewise
//!     pass peers {3,7-9} l4 any by "ClusterNetworkPolicy ops" spec.ingress[0]
//!     deny peers any l4 tcp/25 by "ClusterNetworkPolicy ops" spec.ingress[1]
//! tier normal
//!   level 0
//!     allow peers {3} l4 tcp/80,udp/1000-2000 redirect l0 priority 101 requests q0 auth required by "NetworkPolicy shop/db" ""
//!   end deny by "NetworkPolicy shop/db" ""                # what nothing here decided is denied
//! fallback allow                                          # or: fallback deny by OBJECT PATH, OBJECT PATH
//! ```
//!
//! One statement a line; blanks between words are free, `#` outside a quoted word begins a comment. A word needs quotes
//! when it is empty or holds anything but letters, digits and `-_./[]:*=+@~()`; between quotes `\"`, `\\`, `\n`, `\r`,
//! `\t` and `\u{HEX}` are escapes. Reading gives back what was printed for every rule set whose lists of origins are sorted
//! (see [`RuleSet::sort_origins`]) and whose numbers of listeners, requests and origins stand for something.
//!
//! `requests` is followed by its family (`any`, `http`, `kafka`, `dns`, or `generic` and the name of a parser), then by `own`, `terminates`
//! and `observes` where they hold, and by `names A, B`. The parts of a `request` are
//!
//! ```text
//! http      method EXPRESSION  path EXPRESSION  host EXPRESSION
//!           header NAME [is VALUE | secret NAME [else VALUE]] [log | add | delete | replace]
//! kafka     role produce|consume  api NAME  version NUMBER  client NAME  topic NAME
//! dns       name NAME  pattern PATTERN
//! generic   KEY VALUE …
//! ```

use std::fmt::{self, Write};

use flow::{Auth, Peers};

use crate::{Effect, Fallback, Level, Origin, OriginId, RequestsId, Rule, RuleSet, Tier};

impl fmt::Display for RuleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, listener) in self.listeners.iter().enumerate() {
            writeln!(f, "listener l{at} {}", Word(listener))?;
        }
        for (at, rules) in self.requests.iter().enumerate() {
            self.write_requests(f, at, rules)?;
        }
        if self.names_by_port {
            writeln!(f, "names by port")?;
        }
        for origin in self.unnamed() {
            writeln!(f, "origin {}", ByOrigin(origin))?;
        }
        for tier in &self.tiers {
            self.write_tier(f, tier)?;
        }
        match &self.fallback {
            Fallback::Allow => writeln!(f, "fallback allow"),
            Fallback::Deny(isolating) => {
                f.write_str("fallback deny")?;
                self.write_by(f, isolating)?;
                f.write_char('\n')
            }
        }
    }
}

impl RuleSet {
    /// The origins that no rule, tier end or fallback names.
    fn unnamed(&self) -> impl Iterator<Item = &Origin> {
        let mut named = vec![false; self.origins.len()];
        let ends = self.tiers.iter().filter_map(|tier| tier.end.as_ref()).flatten();
        let isolating = match &self.fallback {
            Fallback::Allow => &[][..],
            Fallback::Deny(isolating) => isolating,
        };
        let of_requests = self.requests.iter().map(|rules| &rules.origin);
        for id in self.rules().map(|rule| &rule.origin).chain(of_requests).chain(ends).chain(isolating) {
            if let Some(named) = named.get_mut(id.0 as usize) {
                *named = true;
            }
        }
        self.origins.iter().zip(named).filter(|(_, named)| !named).map(|(origin, _)| origin)
    }

    fn write_tier(&self, f: &mut fmt::Formatter<'_>, tier: &Tier) -> fmt::Result {
        writeln!(f, "tier {}", Word(&tier.name))?;
        for Level { order, rules } in &tier.levels {
            writeln!(f, "  level {order}")?;
            for rule in rules {
                self.write_rule(f, rule)?;
            }
        }
        if let Some(end) = &tier.end {
            f.write_str("  end deny")?;
            self.write_by(f, end)?;
            f.write_char('\n')?;
        }
        Ok(())
    }

    fn write_rule(&self, f: &mut fmt::Formatter<'_>, rule: &Rule) -> fmt::Result {
        let name = match rule.effect {
            Effect::Deny => "deny",
            Effect::Allow { .. } => "allow",
            Effect::Pass => "pass",
        };
        write!(f, "    {name} peers {} l4 {}", PeerWord(&rule.peers), rule.l4)?;
        if let Effect::Allow { redirect, auth } = rule.effect {
            if let Some(redirect) = redirect {
                write!(f, " redirect l{} priority {}", redirect.listener.0, redirect.priority)?;
                if let Some(RequestsId(number)) = redirect.requests {
                    write!(f, " requests q{number}")?;
                }
            }
            match auth {
                None => {}
                Some(Auth::Disabled) => f.write_str(" auth disabled")?,
                Some(Auth::Required) => f.write_str(" auth required")?,
                Some(Auth::AlwaysFail) => f.write_str(" auth always-fail")?,
            }
        }
        self.write_by(f, &[rule.origin])?;
        f.write_char('\n')
    }

    /// Writes ` by OBJECT PATH, …`, nothing for no origins; numbers without an origin are left out.
    pub(crate) fn write_by(&self, f: &mut fmt::Formatter<'_>, ids: &[OriginId]) -> fmt::Result {
        for (at, origin) in ids.iter().filter_map(|id| self.origin(*id)).enumerate() {
            f.write_str(if at == 0 { " by " } else { ", " })?;
            write!(f, "{}", ByOrigin(origin))?;
        }
        Ok(())
    }
}

impl fmt::Display for Origin {
    /// The object and the path as people say them, for example `NetworkPolicy shop/db spec.ingress[0]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.object)?;
        if self.path.is_empty() { Ok(()) } else { write!(f, " {}", self.path) }
    }
}

/// An origin as two words.
struct ByOrigin<'a>(&'a Origin);

impl fmt::Display for ByOrigin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Word(&self.0.object), Word(&self.0.path))
    }
}

/// Whether a word may hold this character without quotes.
pub(crate) fn is_plain(char: char) -> bool {
    char.is_ascii_alphanumeric() || "-_./[]:*=+@~()".contains(char)
}

/// A word, quoted where needed.
pub(crate) struct Word<'a>(pub &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && self.0.chars().all(is_plain) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for char in self.0.chars() {
            match char {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '\r' => f.write_str("\\r")?,
                '\t' => f.write_str("\\t")?,
                control if control.is_control() => write!(f, "\\u{{{:x}}}", control as u32)?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

/// Peers as `any` or `{3,7-9}`.
struct PeerWord<'a>(&'a Peers);

impl fmt::Display for PeerWord<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Peers::All => f.write_str("any"),
            Peers::Of(set) => write!(f, "{set}"),
        }
    }
}
