//! The `access_token` of an app: cached on disk, shared by every process, asked for once.
//!
//! Read without a lock; if that does not do, the lock is taken, the cache read again (another
//! process may have been faster), and only then `gettoken` called. Whoever waits for the lock
//! watches the cache meanwhile, so one answer serves all.

mod cache;
mod failed;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::clock::Stamp;
use crate::config::{App, Network, State};
use crate::disk::{self, Pause};
use crate::lang::say;
use crate::secret::{Secret, digest};
use crate::wecom::{Cause, Class, Client, Error};
use cache::{Cache, Grant, Record};
use failed::Failed;

/// A token is used until this many seconds before its end.
const MARGIN: u64 = 200;

/// A token this young, in seconds, is not replaced, and a refusal this young is not asked again:
/// WeCom bars the IP of those who insist.
const COOL_DOWN: u64 = 60;

/// A usable token, and when it was obtained (Unix seconds).
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) value: Secret,
    obtained_at: u64,
}

/// What became of a refused token.
#[derive(Debug)]
pub(crate) enum Replaced {
    /// Another one is there.
    By(Token),
    /// WeCom granted the very token that it had refused.
    BySame,
    /// It is too young to be replaced; it may be after this time.
    Not(Duration),
}

/// What the cache knows, for `token status`.
#[derive(Debug)]
pub(crate) enum Known {
    Nothing,
    Token {
        obtained_at: u64,
        expires_in: u64,
        usable_for: u64,
    },
    Refused {
        errcode: i64,
        seconds_ago: u64,
    },
}

/// What a look into the cache leads to.
enum Look<T> {
    Done(T),
    Ask,
}

/// The tokens of one app.
pub(crate) struct Tokens {
    client: Rc<Client>,
    corpid: String,
    key: String,
    cache: Option<Cache>,
    begun: Stamp,
    /// The last token fetched, for when there is no cache to find it in.
    held: RefCell<Option<Token>>,
}

impl Tokens {
    /// The tokens of an app, kept in `state` where there is one.
    pub(crate) fn new(
        client: &Rc<Client>,
        network: &Network,
        app: &App,
        state: Option<&State>,
    ) -> Self {
        let base = network.api_base.expose();
        Self {
            client: Rc::clone(client),
            corpid: app.corpid.clone(),
            key: digest(&[base, &app.corpid, app.corpsecret.expose()]),
            cache: state.map(Cache::new),
            begun: Stamp::now(),
            held: RefCell::new(None),
        }
    }

    /// A token that should work.
    ///
    /// # Errors
    /// What `gettoken` answers, or answered less than a minute ago to any process.
    pub(crate) fn get(&self, deadline: Instant) -> Result<Token, Error> {
        let held = self.held.borrow().clone();
        if let Some(token) = held.filter(|_| self.is_alone()) {
            return Ok(token);
        }
        let look = |record: Option<&Record>| match record {
            Some(Record::Token(grant)) => fresh(grant, now()).map_or(Look::Ask, |left| {
                tracing::info!(left = %seconds(left), "token reused");
                Look::Done(Ok(grant.token()))
            }),
            Some(Record::Refused(refused)) if is_recent(refused.refused_at, now()) => {
                let again_in = (refused.refused_at + COOL_DOWN).saturating_sub(now());
                Look::Done(Err(refused.error(again_in)))
            }
            Some(Record::Failed(failed)) => failed.look(&self.begun),
            _ => Look::Ask,
        };
        self.obtain(deadline, look, |token| token)
    }

    /// Another token in place of one that WeCom refused.
    ///
    /// # Errors
    /// What `gettoken` answers.
    pub(crate) fn replace(&self, refused: &Token, deadline: Instant) -> Result<Replaced, Error> {
        let young = |obtained_at: u64| {
            let age = now().checked_sub(obtained_at)?;
            (age < COOL_DOWN).then(|| Duration::from_secs(COOL_DOWN - age))
        };
        let stays = |obtained_at| match young(obtained_at) {
            Some(wait) => Look::Done(Ok(Replaced::Not(wait))),
            None => Look::Ask,
        };
        let look = |record: Option<&Record>| match record {
            Some(Record::Token(grant)) if grant.access_token == refused.value.expose() => {
                stays(grant.obtained_at)
            }
            Some(Record::Token(grant)) if fresh(grant, now()).is_some() => {
                Look::Done(Ok(Replaced::By(grant.token())))
            }
            Some(Record::Refused(refused)) if is_recent(refused.refused_at, now()) => {
                let again_in = (refused.refused_at + COOL_DOWN).saturating_sub(now());
                Look::Done(Err(refused.error(again_in)))
            }
            Some(Record::Failed(failed)) if failed.left(&self.begun).is_some() => {
                failed.look(&self.begun)
            }
            // Our own memory is all there is.
            _ if self.is_alone() => stays(refused.obtained_at),
            _ => Look::Ask,
        };
        self.obtain(deadline, look, |token| {
            if token.value == refused.value {
                Replaced::BySame
            } else {
                Replaced::By(token)
            }
        })
    }

    /// A new token, whatever is cached.
    ///
    /// # Errors
    /// What `gettoken` answers.
    pub(crate) fn refresh(&self, deadline: Instant) -> Result<Token, Error> {
        let asked_at = now();
        let look = |record: Option<&Record>| match record {
            // One that another process fetched while we waited for the lock is as new as ours.
            Some(Record::Token(grant))
                if grant.obtained_at > asked_at && fresh(grant, now()).is_some() =>
            {
                Look::Done(Ok(grant.token()))
            }
            _ => Look::Ask,
        };
        self.obtain(deadline, look, |token| token)
    }

    /// What the cache knows of this app.
    pub(crate) fn known(&self) -> Known {
        match self.record() {
            Some(Record::Token(grant)) => Known::Token {
                obtained_at: grant.obtained_at,
                expires_in: grant.expires_in,
                usable_for: fresh(&grant, now()).unwrap_or(0),
            },
            Some(Record::Refused(refused)) if is_recent(refused.refused_at, now()) => {
                Known::Refused {
                    errcode: refused.errcode,
                    seconds_ago: now().saturating_sub(refused.refused_at),
                }
            }
            _ => Known::Nothing,
        }
    }

    /// Forgets this app's record.
    ///
    /// # Errors
    /// Where the cache cannot be locked or written.
    pub(crate) fn clear(&self, deadline: Instant) -> std::io::Result<()> {
        let Some(cache) = &self.cache else {
            return Ok(());
        };
        let mut pause = Pause::default();
        loop {
            if let Some(_lock) = cache.try_lock()? {
                return cache.put(&self.key, None);
            }
            if !pause.sleep(deadline) {
                return Err(disk::held_elsewhere());
            }
        }
    }

    /// Whether nothing can be shared with other processes, nor with our own next message.
    fn is_alone(&self) -> bool {
        self.cache.as_ref().is_none_or(Cache::is_unusable)
    }

    fn record(&self) -> Option<Record> {
        self.cache.as_ref()?.get(&self.key)
    }

    /// The way of the module's head. `look` sees the cache, and says what it is good for;
    /// `fetched` says what a newly granted token is.
    fn obtain<T>(
        &self,
        deadline: Instant,
        look: impl Fn(Option<&Record>) -> Look<Result<T, Error>>,
        fetched: impl Fn(Token) -> T,
    ) -> Result<T, Error> {
        let mut pause = Pause::default();
        loop {
            if let Look::Done(done) = look(self.record().as_ref()) {
                return done;
            }
            match self.try_lock() {
                Locked::Ours(lock) => {
                    if let Look::Done(done) = look(self.record().as_ref()) {
                        return done;
                    }
                    return self.ask(lock.as_ref(), deadline).map(fetched);
                }
                Locked::Theirs if pause.sleep(deadline) => {}
                Locked::Theirs => {
                    let what = say!(
                        "另一个 wxpush 一直在向企业微信要 access_token，没等到结果",
                        "another wxpush has been asking WeCom for the token all this time"
                    );
                    return Err(Error::network(what, None, false));
                }
            }
        }
    }

    fn try_lock(&self) -> Locked {
        let Some(cache) = &self.cache else {
            return Locked::Ours(None);
        };
        match cache.try_lock() {
            Ok(Some(lock)) => Locked::Ours(Some(lock)),
            Ok(None) => Locked::Theirs,
            Err(error) => {
                cache.warn_once(&error);
                Locked::Ours(None)
            }
        }
    }

    /// Calls `gettoken`, and tells every process what came of it.
    fn ask(&self, lock: Option<&disk::Lock>, deadline: Instant) -> Result<Token, Error> {
        let mut granted = self.client.gettoken(&self.corpid, deadline);
        let record = match &mut granted {
            Ok(grant) => {
                tracing::info!(expires_in = grant.expires_in, "token fetched");
                Some(Record::Token(Grant::new(grant, now())))
            }
            Err(error) => self.refusal_or_failure(error, deadline),
        };
        if let (Some(cache), Some(record), Some(_)) = (&self.cache, record, lock)
            && let Err(error) = cache.put(&self.key, Some(record))
        {
            cache.warn_once(&error);
        }
        let token = Token {
            value: granted?.access_token,
            obtained_at: now(),
        };
        self.held.replace(Some(token.clone()));
        Ok(token)
    }
}

impl Tokens {
    /// What others need to know of trouble with `gettoken`; who asked waits as they do.
    fn refusal_or_failure(&self, error: &mut Error, deadline: Instant) -> Option<Record> {
        if let Cause::Errcode(refusal) = &error.cause
            && !matches!(error.class, Class::Busy | Class::Transient)
        {
            return Some(Record::Refused(cache::Refused::new(refusal, now())));
        }
        let before = match self.record() {
            // A token that is still good is worth more than the news.
            Some(Record::Token(grant)) if fresh(&grant, now()).is_some() => return None,
            Some(Record::Failed(failed)) => failed.failures(),
            _ => 0,
        };
        let failed = Failed::new(error, before, deadline);
        if error.retry_after.is_none() {
            error.asked_again_in = failed.left(&self.begun);
        }
        Some(Record::Failed(failed))
    }
}

enum Locked {
    /// Ours; without a lock where the file system has none to give.
    Ours(Option<disk::Lock>),
    Theirs,
}

/// How many seconds a record is good for; none if it is too old or cannot be believed.
fn fresh(grant: &Grant, now: u64) -> Option<u64> {
    let age = now.checked_sub(grant.obtained_at)?;
    // A short-lived token is used for half its life, so that none is always stale.
    let usable = grant.expires_in - MARGIN.min(grant.expires_in / 2);
    usable.checked_sub(age).filter(|left| *left > 0)
}

/// Whether a refusal still holds; one from the future does not.
fn is_recent(at: u64, now: u64) -> bool {
    now.checked_sub(at).is_some_and(|age| age < COOL_DOWN)
}

/// Unix seconds.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// Seconds for a person: `1h52m`, `1m30s`, `3d`.
pub(crate) fn seconds(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (h, 0, 0) if h > 0 && h % 24 == 0 => format!("{}d", h / 24),
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, m, _) => format!("{h}h{m}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_fresh_until_its_margin_and_never_from_the_future() {
        let grant = |expires_in| Grant::test(1000, expires_in);
        for (expires_in, now, left) in [
            (7200, 1000, Some(7000)),
            (7200, 7999, Some(1)),
            (7200, 8000, None),
            (7200, 999, None),
            (7200, 0, None),
            (60, 1000, Some(30)),
            (60, 1029, Some(1)),
            (60, 1030, None),
        ] {
            assert_eq!(fresh(&grant(expires_in), now), left, "{expires_in} {now}");
        }
    }

    #[test]
    fn a_refusal_holds_for_a_minute() {
        for (at, now, recent) in [
            (100, 100, true),
            (100, 159, true),
            (100, 160, false),
            (101, 100, false),
        ] {
            assert_eq!(is_recent(at, now), recent);
        }
    }

    #[test]
    fn seconds_are_readable() {
        for (value, text) in [(7, "7s"), (90, "1m30s"), (6720, "1h52m"), (259_200, "3d")] {
            assert_eq!(seconds(value), text);
        }
    }
}
