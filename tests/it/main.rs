//! What users rely on, tried on the built program against the stand-in, over real sockets.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "../../examples/standin/mod.rs"]
mod standin;

mod config; // search, precedence, profiles, receivers, every way to be wrong
mod delivery; // retries, refusals, partial delivery, lost answers
mod exits; // every exit code of the contract
mod log; // lines, levels, rotation, many writers, what cannot be written
mod sandbox; // a directory with the program, its config and its state
mod send; // kinds, options, stdin, long messages, dry run, JSON
mod token; // one gettoken for all, revoked early, hostile caches and servers
