//! The mails that users have left, taken in turn by root's flush.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::time::Instant;

use super::accounts::Accounts;
use super::{Envelope, FILE_MAX, parse};
use crate::clock::unix_seconds;
use crate::disk::{DropDir, DroppedFile, FileError};
use crate::outbox::Id;

/// The most mails of one user that wait, and their most bytes. Source of the first: the contract.
const WAITING_MAX: usize = 100;
const BYTES_MAX: u64 = 4 * FILE_MAX;

/// The most users whose mail is taken in one flush, so that memory use stays flat.
const USERS_MAX: usize = 1000;

/// The most files that are counted for a person, who waits.
const LOOKED_AT_MAX: usize = 100_000;

/// The most bytes that a file may take on the disk: to remove one of millions of fragments takes minutes,
/// in which nothing ends the process. Root may do so.
const ALLOCATED_MAX: u64 = 2 * FILE_MAX;

/// The age in seconds from which a file that is still being written is a leftover.
const LEFTOVER: u64 = 3600;

/// The mails in our maildrop.
#[derive(Debug)]
pub(crate) struct Maildrop {
    dir: DropDir,
    pub(crate) accounts: Accounts,
    /// Each user's mails, oldest first by their names.
    mails: BTreeMap<UserTurn, Vec<Id>>,
    /// The users of whom mails were removed, since they exceeded their share.
    pub(crate) greedy: BTreeSet<u32>,
    /// Whether there was more than could be looked at.
    pub(crate) is_crowded: bool,
}

/// When it is a user's turn: those with an account come first, the others in an order that changes by
/// the minute, since one person may have many user ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct UserTurn {
    is_stranger: bool,
    rank: u32,
    uid: u32,
}

impl UserTurn {
    fn of(uid: u32, accounts: &Accounts, now: u64) -> Self {
        // A step by the golden ratio: each id comes first as often as others.
        let minute = u32::try_from(now / 60).unwrap_or_default();
        Self {
            is_stranger: accounts.name(uid).is_none(),
            rank: uid.wrapping_add(minute).wrapping_mul(0x9e37_79b1),
            uid,
        }
    }
}

/// A mail as its owner left it.
#[derive(Debug)]
pub(crate) struct DroppedMail {
    pub(crate) uid: u32,
    pub(crate) envelope: Envelope,
    pub(crate) bytes: Vec<u8>,
}

impl Maildrop {
    /// Looks through our maildrop, and removes what is no mail or exceeds its owner's share; returns
    /// `None` if there is no maildrop, or another process takes its mails. Stops at `until`: the rest is
    /// left to the next flush.
    ///
    /// # Errors
    /// If it is not ours, others could list it or remove each other's mails, or an I/O error.
    pub(crate) fn open(path: &Path, until: Instant) -> io::Result<Option<Self>> {
        let Some(dir) = DropDir::to_take(path)? else {
            return Ok(None);
        };
        if matches!(dir.lock(), Ok(false)) {
            return Ok(None);
        }
        let accounts = Accounts::read();
        let mut shares = BTreeMap::<UserTurn, UserShare>::new();
        let mut greedy = BTreeSet::new();
        let now = unix_seconds();
        let (mut stays, mut is_crowded) = (0, false);
        for file in dir.files()? {
            if Instant::now() >= until {
                is_crowded = true;
                break;
            }
            let Some(file) = file? else { continue };
            if file.allocated > ALLOCATED_MAX {
                // `remove` would leave it, too.
                stays += 1;
                continue;
            }
            if is_junk(&file, now) {
                // A directory with something in it can't be removed.
                stays += usize::from(!remove(&dir, &file.name));
                continue;
            }
            let turn = UserTurn::of(file.uid, &accounts, now);
            let share = shares.entry(turn).or_default();
            for excess in share.add(file.name, file.size) {
                greedy.insert(file.uid);
                remove(&dir, &excess);
            }
            if shares.len() > USERS_MAX {
                // Those whose turn is last wait for another flush.
                shares.pop_last();
            }
        }
        if stays > 0 {
            tracing::info!(stays, "what is no mail stays in the maildrop");
        }
        let mails = shares.into_iter().map(|(turn, share)| {
            let ids = share.files.keys().filter_map(|name| id_of(name));
            (turn, ids.collect())
        });
        let mails = mails.collect();
        Ok(Some(Self {
            dir,
            accounts,
            mails,
            greedy,
            is_crowded,
        }))
    }

    /// Returns the mails in the order in which they are taken: one of each user in turn. Those without an
    /// account have one turn together.
    pub(crate) fn in_turn(&self) -> Vec<(u32, &Id)> {
        let (mut users, mut strangers) = (Vec::new(), Vec::new());
        for (turn, ids) in &self.mails {
            let mails = ids.iter().map(|id| (turn.uid, id)).collect();
            let lists = if turn.is_stranger {
                &mut strangers
            } else {
                &mut users
            };
            lists.push(mails);
        }
        users.push(one_of_each(&strangers));
        one_of_each(&users)
    }

    /// Whether a mail, or whatever has its name, is still there.
    pub(super) fn has(&self, id: &Id) -> bool {
        self.dir.has(id.as_str())
    }

    /// Counts the mails in our maildrop, at most those among `LOOKED_AT_MAX` files, and changes nothing;
    /// returns `None` if there is none.
    ///
    /// # Errors
    /// As `open`.
    pub(crate) fn waiting(path: &Path) -> io::Result<Option<usize>> {
        let Some(dir) = DropDir::to_take(path)? else {
            return Ok(None);
        };
        let now = unix_seconds();
        let files = dir.files()?.take(LOOKED_AT_MAX).flatten().flatten();
        let mails = files.filter(|file| !file.is_temporary() && !is_junk(file, now));
        Ok(Some(mails.count()))
    }

    /// Reads a mail, at most `max` bytes; returns `None` if it is none, which removes the file, or while
    /// its owner keeps others from it by a lease.
    ///
    /// # Errors
    /// An I/O error; the mail stays.
    pub(crate) fn read(&self, id: &Id, max: usize) -> io::Result<Option<DroppedMail>> {
        let mail = match self.dir.take(id.as_str(), FILE_MAX) {
            Ok((uid, bytes)) => parse(&bytes).map(|(envelope, bytes)| DroppedMail {
                uid,
                envelope: Envelope {
                    cut: envelope.cut || bytes.len() > max,
                    ..envelope
                },
                bytes: bytes[..bytes.len().min(max)].to_vec(),
            }),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) if FileError::of(&error).is_some() => None,
            Err(error) => return Err(error),
        };
        if mail.is_none() {
            self.remove(id);
        }
        Ok(mail)
    }

    /// Removes a mail that has been taken.
    pub(crate) fn remove(&self, id: &Id) {
        remove(&self.dir, id.as_str().as_ref());
    }
}

/// The files of one user that may stay, by name.
#[derive(Debug, Default)]
struct UserShare {
    files: BTreeMap<OsString, u64>,
    bytes: u64,
}

impl UserShare {
    /// Adds a file; returns the names of those that exceed the share, the newest first.
    fn add(&mut self, name: OsString, size: u64) -> Vec<OsString> {
        self.bytes += size;
        self.files.insert(name, size);
        let mut excess = Vec::new();
        while self.files.len() > WAITING_MAX || self.bytes > BYTES_MAX {
            let Some((name, size)) = self.files.pop_last() else {
                break;
            };
            self.bytes -= size;
            excess.push(name);
        }
        excess
    }
}

/// Returns the elements of these lists, the first ones first.
fn one_of_each<T: Copy>(lists: &[Vec<T>]) -> Vec<T> {
    let most = lists.iter().map(Vec::len).max().unwrap_or_default();
    let round = |at: usize| lists.iter().filter_map(move |it| it.get(at).copied());
    (0..most).flat_map(round).collect()
}

fn id_of(name: &OsStr) -> Option<Id> {
    Id::parse(name.to_str()?)
}

/// Whether a file is neither a mail nor about to become one.
fn is_junk(file: &DroppedFile, now: u64) -> bool {
    if file.is_temporary() {
        // Its owner may have set the first of them, into the future, too.
        let past = file.changed.into_iter().find(|at| *at <= now);
        return past.is_some_and(|at| now - at > LEFTOVER);
    }
    id_of(&file.name).is_none() || !(1..=FILE_MAX).contains(&file.size)
}

/// Removes a file that is not to be looked at again; returns whether that succeeded.
fn remove(dir: &DropDir, name: &OsStr) -> bool {
    let removed = dir.remove(name, ALLOCATED_MAX);
    if let Err(error) = &removed {
        tracing::debug!(name = %name.display(), %error, "cannot be removed from the maildrop");
    }
    removed.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_ids_do_not_crowd_out_a_user_and_no_id_comes_first_for_ever() {
        let accounts = Accounts::read();
        let root = UserTurn::of(0, &accounts, 0);
        let mut firsts = BTreeSet::new();
        for minute in 0..1000 {
            let turns = (100_000..100_100).map(|uid| UserTurn::of(uid, &accounts, minute * 60));
            let first = turns.min().unwrap();
            assert!(root < first);
            firsts.insert(first.uid);
        }
        assert_eq!(firsts.len(), 100);
    }

    #[test]
    fn the_newest_files_exceed_a_share() {
        let mut share = UserShare::default();
        for number in 0..WAITING_MAX {
            assert!(share.add(format!("{:03}", number + 1).into(), 1).is_empty());
        }
        assert_eq!(share.add("000".into(), 1), [&*format!("{WAITING_MAX:03}")]);
        assert_eq!(share.add("999".into(), 1), ["999"]);
        let mut share = UserShare::default();
        assert!(share.add("1".into(), BYTES_MAX).is_empty());
        assert_eq!(share.add("0".into(), 1), ["1"]);
    }
}
