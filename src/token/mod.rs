//! The `access_token` of an app: cached on disk, shared by every process, fetched once.
//!
//! The cache is read without a lock. If it has no usable token, a process takes the lock, reads the
//! cache again (another process may have been faster), and only then calls `gettoken`. Processes
//! that wait for the lock watch the cache, so that one answer serves all.

mod cache;
mod failed;
#[cfg(any(fuzzing, test))]
pub(crate) mod fuzz;

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::clock::Stamp;
use crate::config::{App, Network, State};
use crate::disk::{self, Pause};
use crate::duration;
use crate::secret::{Secret, digest};
use crate::wecom::{Cause, Class, Client, Error};
use cache::{Cache, CachedToken, Record};
use failed::Failed;

/// Seconds before its end from which a token is no longer used.
const MARGIN: u64 = 200;

/// Age in seconds below which a token is not replaced and a refused `gettoken` is not repeated:
/// WeCom blocks the IP of clients that insist.
const COOL_DOWN: u64 = 60;

/// A usable token, and the time it was obtained (Unix seconds).
#[derive(Debug, Clone)]
pub(crate) struct AccessToken {
    pub(crate) value: Secret,
    obtained_at: u64,
}

/// The result of replacing a refused token.
#[derive(Debug)]
pub(crate) enum Replaced {
    /// Another token.
    By(AccessToken),
    /// WeCom issued the same token again.
    BySame,
    /// The token is too young to be replaced, for this long.
    Not(Duration),
}

/// The content of the cache, for `token status`.
#[derive(Debug)]
pub(crate) enum TokenStatus {
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

/// Returns the cached tokens of all apps, each with whether this network's server granted it.
pub(crate) fn cached(state: &State, network: &Network) -> Vec<(Secret, bool)> {
    let here = server(network);
    let tokens = Cache::new(state).tokens().into_iter();
    // Who granted one of an earlier version is not known.
    let by = |server: Option<String>| server.is_none_or(|it| it == here);
    tokens.map(|(token, server)| (token, by(server))).collect()
}

/// Returns the key of an app's token: another server grants another token.
fn key(network: &Network, app: &App) -> String {
    let base = network.api_base.expose();
    digest(&[base, &app.corpid, app.corpsecret.expose()])
}

/// Returns a digest of the server that grants a network's tokens.
fn server(network: &Network) -> String {
    digest(&["server", network.api_base.expose()])[..16].to_owned()
}

/// The tokens of one app.
pub(crate) struct Tokens {
    client: Rc<Client>,
    corpid: String,
    key: String,
    server: String,
    cache: Option<Cache>,
    begun: Stamp,
    /// The last token fetched, in case the cache cannot keep it.
    held: RefCell<Option<AccessToken>>,
}

impl Tokens {
    /// Returns the tokens of an app, cached in `state` if there is one.
    pub(crate) fn new(
        client: &Rc<Client>,
        network: &Network,
        app: &App,
        state: Option<&State>,
    ) -> Self {
        Self {
            client: Rc::clone(client),
            corpid: app.corpid.clone(),
            key: key(network, app),
            server: server(network),
            cache: state.map(Cache::new),
            begun: Stamp::now(),
            held: RefCell::new(None),
        }
    }

    /// Returns a token that should be valid.
    ///
    /// # Errors
    /// The error of `gettoken`, now or less than a minute ago in any process.
    pub(crate) fn get(&self, deadline: Instant) -> Result<AccessToken, Error> {
        let held = self.held.borrow().clone();
        if let Some(token) = held.filter(|_| self.is_alone()) {
            return Ok(token);
        }
        let look = |record: Option<&Record>| match record? {
            Record::Token(cached) => {
                let left = usable_for(cached, now())?;
                tracing::info!(left = duration::show_seconds(left), "token reused");
                Some(Ok(cached.token()))
            }
            trouble => self.remembered(trouble).map(Err),
        };
        self.obtain(deadline, look, |token| token)
    }

    /// Replaces a token that WeCom has refused.
    ///
    /// # Errors
    /// As `get`.
    pub(crate) fn replace(
        &self,
        refused: &AccessToken,
        deadline: Instant,
    ) -> Result<Replaced, Error> {
        let kept_if_young = |obtained_at: u64| {
            let age = now().checked_sub(obtained_at)?;
            let wait = COOL_DOWN.checked_sub(age).filter(|wait| *wait > 0)?;
            Some(Ok(Replaced::Not(Duration::from_secs(wait))))
        };
        let look = |record: Option<&Record>| match record {
            Some(Record::Token(cached)) if cached.access_token == refused.value.expose() => {
                kept_if_young(cached.obtained_at)
            }
            Some(Record::Token(cached)) if usable_for(cached, now()).is_some() => {
                Some(Ok(Replaced::By(cached.token())))
            }
            record => match record.and_then(|record| self.remembered(record)) {
                Some(error) => Some(Err(error)),
                // Only this process remembers the token.
                None if self.is_alone() => kept_if_young(refused.obtained_at),
                None => None,
            },
        };
        self.obtain(deadline, look, |token| {
            if token.value == refused.value {
                Replaced::BySame
            } else {
                Replaced::By(token)
            }
        })
    }

    /// Fetches a new token, whatever the cache has.
    ///
    /// # Errors
    /// The error of `gettoken`.
    pub(crate) fn refresh(&self, deadline: Instant) -> Result<AccessToken, Error> {
        let asked_at = now();
        let look = |record: Option<&Record>| match record {
            // Another process fetched it while we waited for the lock: it is as new as ours would
            // be.
            Some(Record::Token(cached))
                if cached.obtained_at > asked_at && usable_for(cached, now()).is_some() =>
            {
                Some(Ok(cached.token()))
            }
            _ => None,
        };
        self.obtain(deadline, look, |token| token)
    }

    /// Returns the content of the cache for this app.
    pub(crate) fn status(&self) -> TokenStatus {
        match self.record() {
            Some(Record::Token(cached)) => TokenStatus::Token {
                obtained_at: cached.obtained_at,
                expires_in: cached.expires_in,
                usable_for: usable_for(&cached, now()).unwrap_or(0),
            },
            Some(Record::Refused(refused)) if is_recent(refused.refused_at, now()) => {
                TokenStatus::Refused {
                    errcode: refused.errcode,
                    seconds_ago: now().saturating_sub(refused.refused_at),
                }
            }
            _ => TokenStatus::Nothing,
        }
    }

    /// Removes this app's record.
    ///
    /// # Errors
    /// An I/O error if the cache cannot be locked or written.
    pub(crate) fn clear(&self, deadline: Instant) -> io::Result<()> {
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

    /// Whether tokens are shared neither with other processes nor with the next message of this
    /// one.
    fn is_alone(&self) -> bool {
        self.cache.as_ref().is_none_or(Cache::is_unusable)
    }

    fn record(&self) -> Option<Record> {
        self.cache.as_ref()?.get(&self.key)
    }

    /// Returns the error in a record, if it is too early to ask WeCom again.
    fn remembered(&self, record: &Record) -> Option<Error> {
        match record {
            Record::Token(_) => None,
            Record::Refused(refused) => is_recent(refused.refused_at, now()).then(|| {
                let again_at = refused.refused_at + COOL_DOWN;
                refused.error(again_at.saturating_sub(now()))
            }),
            Record::Failed(failed) => Some(failed.error(failed.left(&self.begun)?)),
        }
    }

    /// Obtains a token in the steps of the module documentation. `look` returns a result from the
    /// cached record, if it has one; `fetched` maps a new token.
    fn obtain<T>(
        &self,
        deadline: Instant,
        look: impl Fn(Option<&Record>) -> Option<Result<T, Error>>,
        fetched: impl Fn(AccessToken) -> T,
    ) -> Result<T, Error> {
        let mut pause = Pause::default();
        loop {
            if let Some(done) = look(self.record().as_ref()) {
                return done;
            }
            match self.try_lock() {
                Locked::Ours(lock) => {
                    if let Some(done) = look(self.record().as_ref()) {
                        return done;
                    }
                    return self.fetch(lock.as_ref(), deadline).map(fetched);
                }
                Locked::Theirs if pause.sleep(deadline) => {}
                Locked::Theirs => return Err(Error::token_locked()),
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

    /// Calls `gettoken` and shares the result with every process.
    fn fetch(&self, lock: Option<&disk::Lock>, deadline: Instant) -> Result<AccessToken, Error> {
        let mut granted = self.client.gettoken(&self.corpid, deadline);
        let record = match &mut granted {
            Ok(grant) => {
                tracing::info!(expires_in = grant.expires_in, "token fetched");
                Some(Record::Token(CachedToken::new(grant, now(), &self.server)))
            }
            Err(error) => self.record_of(error, deadline),
        };
        if let (Some(cache), Some(record), Some(_)) = (&self.cache, record, lock)
            && let Err(error) = cache.put(&self.key, Some(record))
        {
            cache.warn_once(&error);
        }
        let token = AccessToken {
            value: granted?.access_token,
            obtained_at: now(),
        };
        self.held.replace(Some(token.clone()));
        Ok(token)
    }

    /// Returns the record of a `gettoken` error for other processes, and makes this one wait as
    /// they do.
    fn record_of(&self, error: &mut Error, deadline: Instant) -> Option<Record> {
        if let Cause::Errcode(refusal) = &error.cause
            && !matches!(error.class, Class::Busy | Class::Transient)
        {
            return Some(Record::Refused(cache::Refused::new(refusal, now())));
        }
        let before = match self.record() {
            // A token that is still usable is worth more than the failure.
            Some(Record::Token(cached)) if usable_for(&cached, now()).is_some() => return None,
            Some(Record::Failed(failed)) => failed.failures(),
            _ => 0,
        };
        let failed = Failed::new(error, before, deadline)?;
        if error.retry_after.is_none() {
            error.asked_again_in = failed.left(&self.begun);
        }
        Some(Record::Failed(failed))
    }
}

enum Locked {
    /// Locked by us; `None` if nothing can be locked.
    Ours(Option<disk::Lock>),
    Theirs,
}

/// Returns for how many seconds a token is still usable; `None` if it is too old or its date is in
/// the future.
fn usable_for(cached: &CachedToken, now: u64) -> Option<u64> {
    let age = now.checked_sub(cached.obtained_at)?;
    // A short-lived token is used for half its life; otherwise it would never be usable.
    let usable = cached.expires_in - MARGIN.min(cached.expires_in / 2);
    usable.checked_sub(age).filter(|left| *left > 0)
}

/// Whether a refusal still counts; one from the future does not.
fn is_recent(at: u64, now: u64) -> bool {
    now.checked_sub(at).is_some_and(|age| age < COOL_DOWN)
}

/// Returns the current Unix seconds.
fn now() -> u64 {
    Stamp::now().wall / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_usable_until_its_margin_and_not_if_it_is_from_the_future() {
        let cached = |expires_in| CachedToken::test(1000, expires_in);
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
            assert_eq!(
                usable_for(&cached(expires_in), now),
                left,
                "{expires_in} {now}"
            );
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
}
