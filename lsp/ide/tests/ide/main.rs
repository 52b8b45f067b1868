//! Features as an editor asks for them: texts with `$0` where the cursor is.

mod complete;
mod hover;
mod names;
mod random;
mod world;
