//! What the tests share. A module of tests is no library of others.

mod batches;
pub(crate) mod browser;
#[cfg(target_arch = "x86_64")]
pub(crate) mod calls;
pub(crate) mod check;
pub(crate) mod chinese;
#[cfg(target_arch = "x86_64")]
pub(crate) mod crash;
pub(crate) mod dice;
pub(crate) mod documents;
mod elapsed;
mod entries;
pub(crate) mod fallback;
mod in_memory;
pub(crate) mod inetd;
pub(crate) mod init;
pub(crate) mod leaks;
pub(crate) mod log;
pub(crate) mod machine;
pub(crate) mod maildrop;
mod paths;
mod phones;
mod plants;
mod proxy;
mod pty;
mod requests;
mod runs;
pub(crate) mod samples;
mod sandbox;
mod setups;
pub(crate) mod shell;
mod tokens;
#[cfg(target_arch = "x86_64")]
pub(crate) mod tracer;
mod words;

pub(crate) use batches::*;
pub(crate) use elapsed::*;
pub(crate) use entries::*;
pub(crate) use paths::*;
pub(crate) use phones::*;
pub(crate) use plants::*;
pub(crate) use proxy::*;
pub(crate) use pty::*;
pub(crate) use requests::*;
pub(crate) use runs::*;
pub(crate) use samples::*;
pub(crate) use sandbox::*;
pub(crate) use setups::*;
pub(crate) use tokens::*;
pub(crate) use words::*;
