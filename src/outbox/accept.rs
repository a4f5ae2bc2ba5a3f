//! Accepting a message: once its entry and its name are synced, neither a kill nor a power cut
//! loses it. Done on a thread, while the connection is made, so that it costs no time.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::entry::{Entry, Id};
use super::held::Held;
use super::{FAILED, Look, Outbox, TEMPORARY};
use crate::blob::Blob;
use crate::disk::{self, Dir};
use crate::lang::{say, spoken};

/// Longest time that a message waits for the disk; one that hangs must not hold up an alert.
const DISK_MAX: Duration = Duration::from_secs(5);

/// How slow a disk may be that takes files, in bytes a second: for them it has more time.
const DISK_SPEED: u64 = 4 << 20;

/// A message that is being accepted.
#[derive(Debug)]
pub(crate) struct Accepting {
    /// So long the message waits before it goes without.
    until: Instant,
    /// So long it is waited for where nothing else is left.
    at_last: Instant,
    stage: Mutex<Stage>,
    changed: Condvar,
}

#[derive(Debug)]
enum Stage {
    Writing,
    Accepted(Arc<Held>),
    /// The message went without, and is not yet where it was to go; what came of it meanwhile.
    Late(Option<Arc<Held>>),
    Failed(String),
}

impl Accepting {
    /// Begins to accept a message that is to be delivered by `deadline`.
    pub(super) fn begin(
        outbox: &Outbox,
        look: &Look,
        entry: Entry,
        deadline: Instant,
    ) -> Arc<Self> {
        let now = Instant::now();
        // Time must be left to deliver it without.
        let longest = DISK_MAX + Duration::from_secs(entry.bytes_of_files() / DISK_SPEED);
        let wait = longest.min(deadline.saturating_duration_since(now) / 2);
        Self::begin_for(outbox, look, entry, now + wait, now + longest)
    }

    /// The same, with the times that it is waited for.
    pub(super) fn begin_for(
        outbox: &Outbox,
        look: &Look,
        entry: Entry,
        until: Instant,
        at_last: Instant,
    ) -> Arc<Self> {
        let id = Id::new(SystemTime::now());
        let accepting = Arc::new(Self {
            until,
            at_last,
            stage: Mutex::new(Stage::Writing),
            changed: Condvar::new(),
        });
        let writing = {
            let accepting = Arc::clone(&accepting);
            let outbox = outbox.clone();
            let dir = look.dir.clone().filter(|_| look.has_failed);
            move || {
                accepting.settle(publish(&outbox, dir, id, entry));
            }
        };
        let writing = Arc::new(Mutex::new(Some(writing)));
        let write = move || {
            let writing = writing
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(writing) = writing {
                writing();
            }
        };
        // Where no thread is to be had, the connection waits.
        if std::thread::Builder::new().spawn(write.clone()).is_err() {
            write();
        }
        accepting
    }

    /// Waits until the message is accepted.
    ///
    /// # Errors
    /// Why it is not, and goes without.
    pub(crate) fn held(&self) -> Result<Arc<Held>, String> {
        let mut stage = self.locked();
        loop {
            match &*stage {
                Stage::Accepted(held) => return Ok(Arc::clone(held)),
                Stage::Late(_) => return Err(too_slow()),
                Stage::Failed(why) => return Err(why.clone()),
                Stage::Writing => {}
            }
            if Instant::now() >= self.until {
                *stage = Stage::Late(None);
                continue;
            }
            stage = self.waited(stage, self.until);
        }
    }

    /// Waits for it longer, now that the message has got nowhere without.
    ///
    /// # Errors
    /// Why it is not accepted; then it never will be.
    pub(crate) fn at_last(&self) -> Result<Arc<Held>, String> {
        let mut stage = self.locked();
        loop {
            match &*stage {
                Stage::Accepted(held) | Stage::Late(Some(held)) => return Ok(Arc::clone(held)),
                Stage::Failed(why) => return Err(why.clone()),
                Stage::Writing | Stage::Late(None) => {}
            }
            if Instant::now() >= self.at_last {
                *stage = Stage::Failed(too_slow());
                continue;
            }
            stage = self.waited(stage, self.at_last);
        }
    }

    /// What has come of it within that time, and whether the message waited for it; none while it
    /// is being written.
    pub(crate) fn within(&self, time: Duration) -> Option<Result<(Arc<Held>, bool), String>> {
        let until = Instant::now() + time;
        let mut stage = self.locked();
        loop {
            match &*stage {
                Stage::Accepted(held) => return Some(Ok((Arc::clone(held), true))),
                Stage::Late(Some(held)) => return Some(Ok((Arc::clone(held), false))),
                Stage::Failed(why) => return Some(Err(why.clone())),
                Stage::Writing | Stage::Late(None) => {}
            }
            if Instant::now() >= until {
                return None;
            }
            stage = self.waited(stage, until);
        }
    }

    /// It is not needed any more: the message has arrived without.
    pub(crate) fn abandon(&self) {
        let mut stage = self.locked();
        if let Stage::Late(Some(held)) = &*stage {
            drop(held.remove());
        }
        if matches!(*stage, Stage::Late(_)) {
            *stage = Stage::Failed(too_slow());
        }
    }

    /// The stage once it may have changed, or the time is up.
    fn waited<'a>(&self, stage: MutexGuard<'a, Stage>, until: Instant) -> MutexGuard<'a, Stage> {
        let left = until.saturating_duration_since(Instant::now());
        match self.changed.wait_timeout(stage, left) {
            Ok((stage, _)) => stage,
            Err(poisoned) => poisoned.into_inner().0,
        }
    }

    fn settle(&self, written: io::Result<Held>) {
        let mut stage = self.locked();
        match (&*stage, written) {
            (Stage::Writing, Ok(held)) => *stage = Stage::Accepted(Arc::new(held)),
            (Stage::Late(_), Ok(held)) => *stage = Stage::Late(Some(Arc::new(held))),
            (Stage::Writing | Stage::Late(_), Err(error)) => {
                *stage = Stage::Failed(error.to_string());
            }
            // Nobody counts on it any more, and the message has gone its way.
            (_, Ok(held)) => drop(held.remove()),
            (_, Err(_)) => {}
        }
        self.changed.notify_all();
    }

    fn locked(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes an entry and makes it last; the lock on it is ours before anybody can see it.
fn publish(outbox: &Outbox, dir: Option<Arc<Dir>>, id: Id, entry: Entry) -> io::Result<Held> {
    let dir = match dir {
        Some(dir) => dir,
        None => Arc::new(prepared(outbox)?),
    };
    let (file, files) = place(&dir, &id, &entry)?;
    let file = Arc::new(file);
    // What was accepted is what goes, whatever becomes of the files that it was made of.
    let whole = Blob::of_file(Arc::clone(&file)).inspect_err(|_| {
        // It is said not to be kept, so it must not be.
        let _ = dir.remove(id.as_str());
    })?;
    Ok(Held::new(dir, id, entry.placed(&whole, &files), file))
}

/// Puts an entry into its directory, synced and locked; says where in it its files begin.
pub(super) fn place(dir: &Dir, id: &Id, entry: &Entry) -> io::Result<(std::fs::File, Vec<u64>)> {
    let (temporary, file, files) = write(dir, id, entry)?;
    if let Err(error) = dir.publish(&temporary, dir, id.as_str()) {
        let _ = dir.remove(&temporary);
        return Err(error);
    }
    if let Err(error) = dir.sync() {
        let _ = dir.remove(id.as_str());
        return Err(error);
    }
    Ok((file, files))
}

/// Why a message goes without.
fn too_slow() -> String {
    say!("磁盘没有响应", "the disk does not answer")
}

/// Puts an entry in place of one that the caller holds.
pub(super) fn replace(dir: &Dir, id: &Id, entry: &Entry) -> io::Result<()> {
    let (temporary, _file, _) = write(dir, id, entry)?;
    dir.rename(&temporary, dir, id.as_str())?;
    dir.sync()
}

/// Writes an entry under a name that no flush looks at; synced, and locked by us.
fn write(dir: &Dir, id: &Id, entry: &Entry) -> io::Result<(String, std::fs::File, Vec<u64>)> {
    let temporary = format!("{TEMPORARY}{id}");
    let mut file = dir.create(&temporary)?;
    let written = disk::lock_now(&file)
        .and_then(|locked| {
            let taken = || {
                let (zh, en) = ("另一个 wxpush 占着它的锁", "another wxpush has its lock");
                io::Error::other(spoken().of(zh, en))
            };
            locked.then_some(()).ok_or_else(taken)
        })
        .and_then(|()| entry.write(&mut file))
        // Not a second time if it fails: the system may take for clean what it could not write.
        .and_then(|files| file.sync_all().map(|()| files));
    match written {
        Ok(files) => Ok((temporary, file, files)),
        Err(error) => {
            // Best effort: what stays is no entry, and a flush removes it.
            let _ = dir.remove(&temporary);
            Err(error)
        }
    }
}

/// The outbox, made if need be so that a power cut takes nothing of it.
///
/// `failed/` is made last: where it is, the name of the outbox itself has been synced.
fn prepared(outbox: &Outbox) -> io::Result<Dir> {
    let dir = Dir::make(&outbox.path, outbox.owner)?;
    if dir.sub(FAILED)?.is_none() {
        disk::sync_parent(&outbox.path)?;
        Dir::make(&outbox.path.join(FAILED), outbox.owner)?;
    }
    Ok(dir)
}
