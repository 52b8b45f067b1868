//! Sessions of a client that is a pair of channels: the shape of the protocol, and that what is shown is what is true.

mod client;
mod documents;
mod order;
mod random;
mod requests;
