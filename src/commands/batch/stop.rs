//! SIGTERM and SIGINT: the first one ends the reading, the second one the process.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::{flag, low_level};
use tokio::sync::mpsc::{Receiver, channel};

use crate::child::is_ignored;

/// Returns what tells of the first signal. Signals that are ignored stay so.
///
/// # Errors
/// If there are no descriptors left, or no thread can be started.
pub(super) fn signal() -> io::Result<Receiver<()>> {
    let (mut bell, ringer) = io::pipe()?;
    let seen = Arc::new(AtomicBool::new(false));
    for signal in [SIGTERM, SIGINT] {
        if !is_ignored(signal) {
            flag::register_conditional_default(signal, Arc::clone(&seen))?;
            flag::register(signal, Arc::clone(&seen))?;
            low_level::pipe::register(signal, ringer.try_clone()?)?;
        }
    }
    drop(ringer);
    let (to_main, stop) = channel(1);
    let wait = move || {
        if bell.read(&mut [0]).is_ok_and(|count| count > 0) {
            let _ = to_main.blocking_send(());
        }
    };
    std::thread::Builder::new().spawn(wait)?;
    Ok(stop)
}
