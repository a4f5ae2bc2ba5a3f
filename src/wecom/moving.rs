//! Detects a stalled transfer: a file has much time on a slow network, and little on a dead one.
//!
//! The bytes that our buffers and the system's have accepted prove nothing: they hold megabytes.
//! The system's table of connections shows how many bytes the other side has not acknowledged yet.
//! Without that table only the time limit for a slow network applies.

use std::collections::HashSet;
use std::fs::{self, File};
use std::future::{Future, poll_fn};
use std::io::Read;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

/// The speed of the slowest supported network, in bytes a second: a try with a file gets more time.
pub(crate) const SPEED: u64 = 64 << 10;

/// The interval between checks of the progress.
const LOOK: Duration = Duration::from_secs(1);

/// The speed of the slowest relay, in bytes a second. After the whole file has arrived there, its
/// answer gets this much more time.
const RELAY_SPEED: u64 = 1 << 20;

/// The most bytes of the table that are read: those of twenty thousand connections.
const TABLE_MAX: u64 = 4 << 20;

/// The progress of the current try.
#[derive(Default)]
pub(super) struct Moving {
    /// The number of pieces received or sent.
    pieces: AtomicU64,
    /// The bytes of the body that are not sent yet.
    left: AtomicU64,
}

impl Moving {
    /// Notes a sent piece, and the bytes left.
    pub(super) fn went(&self, left: u64) {
        self.left.store(left, Ordering::Relaxed);
        self.came();
    }

    /// Notes a received piece.
    pub(super) fn came(&self) {
        self.pieces.fetch_add(1, Ordering::Relaxed);
    }

    /// Runs a try with a body of `size` bytes while there is progress; returns `None` after
    /// `longest` without any.
    pub(super) async fn kept_up<T>(
        &self,
        size: u64,
        longest: Duration,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        self.left.store(size, Ordering::Relaxed);
        let mut work = pin!(work);
        let mut stalled = pin!(self.stalled(size, longest));
        poll_fn(|context| match work.as_mut().poll(context) {
            Poll::Ready(done) => Poll::Ready(Some(done)),
            // A small body has no more time than that anyway.
            Poll::Pending if size < SPEED => Poll::Pending,
            Poll::Pending => stalled.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    /// Waits until there has been no progress for `longest`.
    async fn stalled(&self, size: u64, longest: Duration) {
        let (mut last, mut since) = (None, Instant::now());
        loop {
            tokio::time::sleep(LOOK).await;
            let left = self.left.load(Ordering::Relaxed);
            let now = queued().map(|queued| (self.pieces.load(Ordering::Relaxed), left, queued));
            if now != last || now.is_none() {
                (last, since) = (now, Instant::now());
            }
            let is_there = matches!(now, Some((_, 0, 0)));
            let more = if is_there { size / RELAY_SPEED } else { 0 };
            if since.elapsed() >= longest + Duration::from_secs(more) {
                return;
            }
        }
    }
}

/// Counts the bytes that the other sides have not acknowledged yet; `None` if that is unknown.
fn queued() -> Option<u64> {
    let links = fs::read_dir("/proc/self/fd").ok()?.flatten();
    let ours: HashSet<String> = links
        .filter_map(|link| {
            let target = fs::read_link(link.path()).ok()?;
            let inode = target.to_str()?.strip_prefix("socket:[")?;
            Some(inode.strip_suffix(']')?.to_owned())
        })
        .collect();
    let mut sum = None;
    for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
        let mut text = String::new();
        // Without IPv6 there is no such table.
        let Ok(file) = File::open(table) else {
            continue;
        };
        file.take(TABLE_MAX).read_to_string(&mut text).ok()?;
        for (inode, queued) in text.lines().filter_map(row) {
            if ours.contains(inode) {
                sum = Some(sum.unwrap_or(0) + queued);
            }
        }
    }
    sum
}

/// Parses a row of the table: the connection's inode, and its unacknowledged bytes.
/// Source: Linux, `Documentation/networking/proc_net_tcp.rst`.
fn row(line: &str) -> Option<(&str, u64)> {
    let mut words = line.split_ascii_whitespace();
    let (queued, _) = words.nth(4)?.split_once(':')?;
    Some((words.nth(4)?, u64::from_str_radix(queued, 16).ok()?))
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn a_row_has_the_inode_and_the_unacknowledged_bytes() {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        assert_eq!(row(head), None);
        let line = "   1: 0100007F:9548 0100007F:A75F 01 0003FF10:00000000 03:00000D95 00000000  1000        0 77512 3 00 1 2";
        assert_eq!(row(line), Some(("77512", 0x3_ff10)));
        assert_eq!(row(""), None);
    }
}
