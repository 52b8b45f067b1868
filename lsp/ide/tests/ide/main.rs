//! Features as an editor asks for them: texts with `$0` where the cursor is.

mod actions;
mod complete;
mod documents;
mod hover;
mod names;
mod places;
mod random;
mod rename;
mod rewrites;
mod shown;
mod world;
