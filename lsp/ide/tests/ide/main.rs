//! Features as an editor asks for them: texts with `$0` where the cursor is.

mod actions;
mod complete;
mod hover;
mod names;
mod places;
mod random;
mod shown;
mod world;
