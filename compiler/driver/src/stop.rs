//! Ends a question from another thread, also where it asks the database nothing for long.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the answer to a question is still wanted. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

/// What unwinds from a question that was stopped, to [`crate::until_changed`].
pub(crate) struct Stopped;

impl Stop {
    /// Says that nobody wants the answer any more.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Ends the question where nobody wants its answer; for loops of what takes long. Never inside a query: whoever waits for that would be
    /// ended, too.
    pub fn check(&self) {
        if self.0.load(Ordering::Relaxed) {
            // As the engine of queries does: it is no fault, so nobody is told where it happened.
            resume_unwind(Box::new(Stopped));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Database, Stop, until_changed};

    #[test]
    fn a_question_ends_at_the_next_look_after_it_was_stopped() {
        let stop = Stop::default();
        let db = Database::new().with_stop(stop.clone());
        let mut steps = 0;
        let ended = until_changed(|| {
            for _ in 0..10 {
                db.clone().stop().check();
                steps += 1;
                if steps == 3 {
                    stop.set();
                }
            }
        });
        assert_eq!((ended, steps), (None, 3));
        assert_eq!(until_changed(|| 7), Some(7));
    }
}
