//! `send --once`: one message for one key, across repeated calls and kills.

use std::sync::Arc;
use std::time::Instant;

use super::post::Way;
use super::report::{Report, Status};
use crate::clock::Stamp;
use crate::disk::{Dir, Pause};
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::message::Post;
use crate::outbox::once::{self, Known, Whereabouts};
use crate::outbox::{self, Claim, Entry, Held, Id, Kept, Outbox};
use crate::secret::digest;

impl Way<'_> {
    /// Sends the message of a key, unless that has been done within the last day. One that another
    /// process has in hand is waited for; one that nobody has any more is delivered from where it is.
    pub(super) fn send_once(&self, posts: Vec<Post>, key: &str) -> Report {
        let key = digest(&["once", &self.sender.id(), key])[..32].to_owned();
        let entry = Entry {
            once: Some(key.clone()),
            ..self.entry(posts)
        };
        self.deliver_once(&entry, &key)
            .unwrap_or_else(|failure| Report::failed(*failure))
    }

    fn deliver_once(&self, entry: &Entry, key: &str) -> Result<Report, Box<Failure>> {
        let state = self.state.as_ref().map_err(|why| cannot(why))?;
        let outbox = Outbox::of(state);
        let mut pause = Pause::default();
        loop {
            let dir = outbox.open().map_err(|error| cannot(&error))?;
            let known = match &dir {
                Some(dir) => once::known(dir, key).map_err(|error| cannot(&error))?,
                None => Known::Nothing,
            };
            let id = match (&dir, known) {
                (_, Known::Done) => return Ok(Report::new(Status::Duplicate, entry.posts.len())),
                (Some(dir), Known::Begun(id)) => match once::whereabouts(dir, &id) {
                    Whereabouts::Nowhere => None,
                    Whereabouts::Failed => return Ok(given_up(&id)),
                    Whereabouts::Writing => Some(id),
                    Whereabouts::Kept => match self.resume(dir, &id)? {
                        Some(report) => return Ok(report),
                        None => Some(id),
                    },
                },
                _ => None,
            };
            if id.is_none() {
                match self.hold(entry, self.deadline) {
                    Ok(held) => return Ok(self.deliver_held(held)),
                    Err(why) => unless_begun(&outbox, key, &why)?,
                }
            }
            if !pause.sleep(self.deadline) {
                return Ok(undecided(id.as_ref()));
            }
        }
    }

    /// Delivers the message of a key from its entry; none while another process has it in hand.
    fn resume(&self, dir: &Arc<Dir>, id: &Id) -> Result<Option<Report>, Box<Failure>> {
        let held = match outbox::claim(dir, id) {
            Claim::Held(held) => held,
            Claim::Busy | Claim::Gone | Claim::Damaged => return Ok(None),
            Claim::Newer => {
                let what = say!(
                    "{id} 由更新版本的 wxpush 写入",
                    "{id} was written by a newer wxpush"
                );
                return Err(Box::new(Failure::new(Exit::NotNow, what)));
            }
            Claim::Foreign(error) | Claim::Unusable(error) => return Err(cannot(&error).into()),
        };
        let attempts = held.attempts();
        if attempts.sent >= held.entry().posts.len() {
            held.finish().map_err(|error| cannot(&error))?;
            return Ok(Some(Report::new(Status::Duplicate, attempts.sent)));
        }
        let wait = attempts.hold.and_then(|hold| hold.left(&Stamp::now()));
        match wait {
            Some(wait) if Instant::now() + wait > self.deadline => Ok(Some(undecided(Some(id)))),
            Some(_) => Ok(None),
            None => Ok(Some(self.deliver_held(held))),
        }
    }

    fn deliver_held(&self, held: Arc<Held>) -> Report {
        let look = match &self.state {
            Ok(state) => Outbox::of(state).look_for_expired(),
            Err(_) => outbox::Look::default(),
        };
        let entry = held.entry().clone();
        self.carry(&entry, (Kept::Held(held), look, None))
    }
}

/// Nothing, if the key could not be noted because another process has been faster.
fn unless_begun(outbox: &Outbox, key: &str, why: &str) -> Result<(), Box<Failure>> {
    let dir = outbox.open().ok().flatten();
    let is_known = |dir: &Arc<Dir>| match once::known(dir, key) {
        Ok(Known::Begun(id)) => once::whereabouts(dir, &id) != Whereabouts::Nowhere,
        known => matches!(known, Ok(Known::Done)),
    };
    if dir.as_ref().is_some_and(is_known) {
        Ok(())
    } else {
        Err(cannot(&why).into())
    }
}

/// The message is in another process's hands, or in the outbox, and more time is not left.
fn undecided(id: Option<&Id>) -> Report {
    let what = match id {
        Some(id) => say!(
            "这个 KEY 的消息还没有结果，它在发件箱里（{id}），不会发第二次",
            "the message of KEY is not settled yet: it is in the outbox ({id}), and will not be sent twice"
        ),
        None => say!(
            "这个 KEY 的消息还没有结果：另一个 wxpush 正在发送",
            "the message of KEY is not settled yet: another wxpush is sending it"
        ),
    };
    let hint = spoken().of(
        "稍后再用同一个 KEY 查问，或用 --timeout 多给些时间",
        "ask again later by the same KEY, or give it more time with --timeout",
    );
    let mut report = Report::failed(Failure::new(Exit::NotNow, what).hint(hint));
    if let Some(id) = id {
        report.kept(id, Status::Queued);
    }
    report
}

/// The message may have arrived, and is not sent again by itself.
fn given_up(id: &Id) -> Report {
    let what = say!(
        "这个 KEY 的消息可能已送达，也可能没有，不会再发；它在 outbox/failed（{id}）",
        "the message of KEY may or may not have arrived, is not sent again, and lies in outbox/failed ({id})"
    );
    let hint = spoken().of(
        "在手机上看看；没收到就用 wxpush outbox retry 重发",
        "look at the phone; if it is not there, wxpush outbox retry sends it again",
    );
    let mut report = Report::failed(Failure::new(Exit::NotNow, what).hint(hint));
    report.kept(id, Status::Failed);
    report
}

fn cannot(why: &dyn std::fmt::Display) -> Failure {
    let what = say!(
        "没有发送：记不下这个 KEY，就无法保证只发一次：{why}",
        "nothing was sent: without a record of KEY it could be sent twice: {why}"
    );
    let hint = spoken().of(
        "--once 需要可用的发件箱：腾出磁盘空间，或设置 state_dir",
        "--once needs an outbox that can be used: make room, or set state_dir",
    );
    Failure::new(Exit::State, what).hint(hint)
}
