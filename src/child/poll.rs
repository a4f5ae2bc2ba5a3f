//! Waiting for descriptors.

use std::io;
use std::os::fd::AsFd;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Waits for one descriptor, for ever without `until`; returns whether it is ready.
///
/// # Errors
/// That of the system.
pub(crate) fn poll_one(
    fd: &impl AsFd,
    flags: PollFlags,
    until: Option<Instant>,
) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd, flags)];
    Ok(poll_all(&mut fds, until)? > 0)
}

/// Waits for several descriptors, for ever without `until`; returns how many are ready.
pub(super) fn poll_all(fds: &mut [PollFd<'_>], until: Option<Instant>) -> io::Result<usize> {
    loop {
        let rest = until.map(|until| until.saturating_duration_since(Instant::now()));
        let rest = rest.map(|rest| Timespec {
            tv_sec: i64::try_from(rest.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: rest.subsec_nanos().into(),
        });
        match poll(fds, rest.as_ref()) {
            Err(Errno::INTR) => {}
            ready => return Ok(ready?),
        }
    }
}
