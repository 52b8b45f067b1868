//! Sets of ports as people write them.

use crate::model::Edge;
use flow::L4Set;

/// `any`, `tcp/80, udp/53`, or `any but tcp/22` where that is shorter.
pub fn ports(set: &L4Set) -> String {
    let but = set.complement();
    if !set.is_empty() && !but.is_empty() && but.intervals().len() < set.intervals().len() {
        return format!("any but {}", spaced(&but));
    }
    spaced(set)
}

fn spaced(set: &L4Set) -> String {
    set.to_string().replace(',', ", ")
}

/// All that an edge lets pass with its marks: `tcp/80 (proxy), tcp/443 (authenticated), tcp/9 ?`; `some` in front where members differ.
pub fn edge(edge: &Edge) -> String {
    let mut parts = Vec::new();
    let plain = edge.ports.intersect(&edge.redirect.union(&edge.auth).complement());
    let both = edge.redirect.intersect(&edge.auth);
    let only = |set: &L4Set| set.intersect(&both.complement());
    for (set, mark) in [
        (plain, ""),
        (only(&edge.redirect), " (proxy)"),
        (only(&edge.auth), " (authenticated)"),
        (both.clone(), " (proxy, authenticated)"),
    ] {
        if !set.is_empty() {
            parts.push(format!("{}{mark}", ports(&set)));
        }
    }
    if !edge.unknown.is_empty() {
        parts.push(format!("{} unknown", ports(&edge.unknown)));
    }
    let some = if edge.partial { "some: " } else { "" };
    format!("{some}{}", parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use flow::Protocol;

    #[test]
    fn the_shorter_way_to_say_it_is_taken() {
        let ssh = L4Set::ports(Protocol::TCP, 22, 22);
        assert_eq!(ports(&ssh), "tcp/22");
        assert_eq!(ports(&ssh.complement()), "any but tcp/22");
        assert_eq!(ports(&L4Set::all()), "any");
        assert_eq!(ports(&ssh.union(&L4Set::ports(Protocol::UDP, 53, 53))), "tcp/22, udp/53");
    }
}
