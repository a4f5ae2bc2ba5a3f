//! Accepting messages in groups, on a thread of its own: while one group is synced, requests go on,
//! and the next group gathers.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender as ToThread, channel};
use std::task::{Context, Poll};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::outbox::{ClaimedEntry, GroupCommit, NewEntry, NotKept, Outbox};

/// A message to accept, with its number in the batch.
type Wanted = (u64, NewEntry);

/// What became of each message of a group.
pub(super) type Group = Vec<(u64, Result<Arc<ClaimedEntry>, NotKept>)>;

/// The thread that accepts messages in one outbox. It ends with this value.
pub(super) struct GroupThread {
    wanted: ToThread<Wanted>,
    groups: UnboundedReceiver<Group>,
}

impl GroupThread {
    /// Starts the thread.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn start(outbox: &Outbox) -> Result<Self, NotKept> {
        let (to_thread, wanted) = channel();
        let (from_thread, groups) = unbounded_channel();
        let commit = GroupCommit::new(outbox.clone());
        std::thread::Builder::new()
            .spawn(move || accept(&commit, &wanted, &from_thread))
            .map_err(|error| outbox.disk(error))?;
        Ok(Self {
            wanted: to_thread,
            groups,
        })
    }

    /// Accepts a message; its result comes with those of others.
    pub(super) fn accept(&self, number: u64, new: NewEntry) {
        // The thread ends after this value.
        let _ = self.wanted.send((number, new));
    }

    /// Ready when a group has been accepted.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Group> {
        match self.groups.poll_recv(context) {
            Poll::Ready(Some(group)) => Poll::Ready(group),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

/// Accepts all that has gathered, again and again.
fn accept(commit: &GroupCommit, wanted: &Receiver<Wanted>, groups: &UnboundedSender<Group>) {
    while let Ok(first) = wanted.recv() {
        let all = std::iter::once(first).chain(wanted.try_iter());
        let (numbers, entries): (Vec<u64>, Vec<NewEntry>) = all.unzip();
        let accepted = commit.accept(entries);
        if groups
            .send(numbers.into_iter().zip(accepted).collect())
            .is_err()
        {
            return;
        }
    }
}
