//! Whether a file still moves: it has much time where the network is slow, and little where it is
//! dead.
//!
//! What our own buffers and the system's have taken tells nothing: megabytes fit into them. How much
//! the other side has not confirmed yet, the system's table of connections says; without it there is
//! the time for a slow network alone.

use std::collections::HashSet;
use std::fs::{self, File};
use std::future::{Future, poll_fn};
use std::io::Read;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::http::SPEED;

/// How often is looked.
const LOOK: Duration = Duration::from_secs(1);

/// How fast a relay hands on at the least what it has taken whole, in bytes a second: so long its
/// answer is waited for, beyond the time for any answer.
const RELAY_SPEED: u64 = 1 << 20;

/// Most bytes of the table that are read: of twenty thousand connections.
const TABLE_MAX: u64 = 4 << 20;

/// What has moved so far in the try under way.
#[derive(Default)]
pub(super) struct Moving {
    /// Pieces that came or went.
    pieces: AtomicU64,
    /// Bytes of the body that nobody has taken yet.
    left: AtomicU64,
}

impl Moving {
    /// A piece has been taken; so many bytes are left.
    pub(super) fn went(&self, left: u64) {
        self.left.store(left, Ordering::Relaxed);
        self.came();
    }

    /// A piece of the answer is there.
    pub(super) fn came(&self) {
        self.pieces.fetch_add(1, Ordering::Relaxed);
    }

    /// Does a try with a body of so many bytes, for as long as anything moves; none once nothing has
    /// for `longest`.
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
            // What is small has no more time than that anyway.
            Poll::Pending if size < SPEED => Poll::Pending,
            Poll::Pending => stalled.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    /// Waits until nothing has moved for so long.
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

/// How many bytes of ours the other sides have not confirmed yet; none if that cannot be told.
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

/// Whose connection a row of the table is, by number, and how many bytes it has on their way.
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
    fn a_row_tells_whose_it_is_and_what_is_on_its_way() {
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";
        assert_eq!(row(head), None);
        let line = "   1: 0100007F:9548 0100007F:A75F 01 0003FF10:00000000 03:00000D95 00000000  1000        0 77512 3 00 1 2";
        assert_eq!(row(line), Some(("77512", 0x3_ff10)));
        assert_eq!(row(""), None);
    }
}
