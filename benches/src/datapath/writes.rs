//! T8: what a change of a pod, an identity or an endpoint writes into live tables, where no program is loaded for it.

use super::case::Case;
use super::kernel::{self, Error};
use super::ours::Ours;
use crate::clock::{median, thread_time};
use crate::line::Line;
use image::{Hook, MapKind};
use loader::sys::map::Map;

/// How many images a node has whose classes a new identity is told to.
const IMAGES: usize = 16;
/// How many changes are made; the median counts.
const CHANGES: u32 = 501;

/// Measures what each change takes. The peer's shape is one map of policies for each image, into which an identity is written once for
/// each port that it may ask.
pub fn run(sizes: &[usize], say: &mut dyn FnMut(Line)) -> Result<(), Error> {
    for &n in sizes {
        let case = Case::wide(n);
        let mut ours = Ours::new(&case)?;
        let image = ours.whole()?;
        let images = (0..IMAGES as u8).map(|at| ours.load_copy(&image, at)).collect::<Result<Vec<_>, _>>()?;
        let before = ours.loads();
        let peer = case.peers();
        let pod = median_of(|at| ours.move_pod(at, peer - 1))?;
        let identity = median_of(|at| {
            images.iter().for_each(|it| it.set_class(Hook::ToEndpoint, peer, (at % 2) as u16));
            ours.move_pod(at, peer)
        })?;
        let endpoint = median_of(|at| ours.endpoint(&case, at))?;
        let maps = (0..IMAGES).map(|_| kernel::map(MapKind::Hash, 12, 8, n + 256)).collect::<Result<Vec<_>, _>>()?;
        let shape = median_of(|at| {
            let write = |map: &Map| map.update(&[at as u8; 12], &at.to_ne_bytes().repeat(2));
            Ok(maps.iter().try_for_each(write)?)
        })?;
        let line = Line::new("T8", n, "changes")
            .figure("pod_us", pod)
            .figure("identity_us", identity)
            .figure("endpoint_us", endpoint)
            .figure("peer_shape_identity_us", shape)
            .figure("ratio", shape / identity)
            .with("images", IMAGES)
            .with("loads", ours.loads() - before);
        say(line);
    }
    Ok(())
}

/// Microseconds of this thread for one change.
fn median_of(mut change: impl FnMut(u32) -> Result<(), Error>) -> Result<f64, Error> {
    let mut times = Vec::new();
    for at in 0..CHANGES {
        let begin = thread_time();
        change(at)?;
        times.push((thread_time() - begin).as_secs_f64() * 1e6);
    }
    Ok(median(times))
}
