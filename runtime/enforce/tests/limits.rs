//! What a node cannot hold is refused, and nothing is enforced by halves.

use driver::Database;
use enforce::{Enforcer, Error};
use image::Target;
use loader::Pins;

#[test]
fn more_peers_than_numbers_are_refused() {
    let target = Target { peers_log2: 4, ..Target::default() };
    let Ok(mut enforcer) = Enforcer::open("n1", "limits", &target, Pins::None, 1) else {
        eprintln!("absent (1): needs bpf(2)");
        return;
    };
    let mut db = Database::new();
    assert!(enforcer.prepare(&db, &[]).is_ok());
    let pod = |at: u32| {
        format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: p{at}, labels: {{app: a{at}}}}}\n\
             spec: {{nodeName: n1, containers: []}}\nstatus: {{phase: Running, podIPs: [{{ip: 10.0.0.{at}}}]}}\n---\n"
        )
    };
    let pods: String = (1..=20).map(pod).collect();
    db.set_file("pods.yaml", &pods);
    let refused = enforcer.prepare(&db, &[]);
    assert!(matches!(refused, Err(Error::Peers { count: 21.., limit: 16 })), "{refused:?}");
}
