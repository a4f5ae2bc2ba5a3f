//! A person at a terminal who waits for a message to go: told after a while that it is being tried
//! still, and at ^C what becomes of it.
//!
//! By a thread of its own, only where somebody is there; elsewhere not a system call is made for it.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::{Local, TimeDelta};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::tcgetpgrp;
use signal_hook::consts::SIGINT;
use signal_hook::{flag, low_level};

use super::fate::{Lies, Parts};
use super::post::Way;
use crate::child::is_ignored;
use crate::error::{Exit, Failure};
use crate::lang::{say, spoken};
use crate::outbox::{Held, Kept, Outbox};
use crate::output::{self, Output, Watching};

/// After this time a person wonders what is going on.
const SILENCE: Duration = Duration::from_secs(2);

/// How long ^C waits for a disk that has not answered yet.
const MOMENT: Duration = Duration::from_millis(500);

/// Somebody waits; until the value goes.
pub(super) struct Waiting {
    facts: Arc<Facts>,
    caught: &'static Caught,
    thread: Option<JoinHandle<()>>,
}

/// What is known of a message that is being sent.
struct Facts {
    output: Output,
    kept: Kept,
    outbox: Option<Outbox>,
    in_doubt: Arc<AtomicBool>,
    /// The command that removes what is kept, but for its ID.
    drop: String,
    parts: usize,
    sent: AtomicUsize,
    deadline: Instant,
    begun: Instant,
    /// When something was last seen to happen, in milliseconds since it was begun.
    heard: AtomicU64,
    /// Whether a bar stands on the last line.
    has_bar: AtomicBool,
    over: AtomicBool,
}

/// ^C, caught once for the whole program.
struct Caught {
    came: Arc<AtomicBool>,
    /// Whether it ends us at once, as it does everywhere else.
    at_once: Arc<AtomicBool>,
    bell: PipeReader,
    ringer: PipeWriter,
}

impl Waiting {
    /// Begins to look after the person who waits, if there is one.
    pub(super) fn begin(way: &Way<'_>, kept: &Kept, parts: usize) -> Option<Self> {
        static CAUGHT: OnceLock<Option<Caught>> = OnceLock::new();
        let output = way.person?;
        // Where it cannot be caught, it is as everywhere else.
        let caught = CAUGHT.get_or_init(|| Caught::catch().ok().flatten());
        let caught = caught.as_ref()?;
        let flush = way.config.flush_command();
        let facts = Arc::new(Facts {
            output,
            kept: kept.clone(),
            outbox: way.state.as_ref().ok().map(|state| Outbox::of(state)),
            in_doubt: Arc::clone(&way.sender.in_doubt),
            drop: flush.trim_end_matches("flush").to_owned() + "drop",
            parts,
            sent: AtomicUsize::new(0),
            deadline: way.deadline,
            begun: Instant::now(),
            heard: AtomicU64::new(0),
            has_bar: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        facts.in_doubt.store(false, Ordering::SeqCst);
        caught.came.store(false, Ordering::SeqCst);
        caught.at_once.store(false, Ordering::SeqCst);
        let watch = {
            let facts = Arc::clone(&facts);
            move || facts.watch(caught)
        };
        let thread = thread::Builder::new().spawn(watch).ok();
        if thread.is_none() {
            caught.at_once.store(true, Ordering::SeqCst);
        }
        Some(Self {
            facts,
            caught,
            thread,
        })
    }

    /// Takes in that so many parts are sent.
    pub(super) fn sent(&self, parts: usize) {
        self.facts.sent.store(parts, Ordering::SeqCst);
        self.facts.in_doubt.store(false, Ordering::SeqCst);
        self.facts.hear();
    }

    /// Takes part in watching files leave.
    pub(super) fn seeing(&self, watching: Option<Watching>) -> Option<Watching> {
        let facts = Arc::clone(&self.facts);
        let watching = watching?;
        Some(Arc::new(move |done, all| {
            facts.hear();
            facts.has_bar.store(done < all, Ordering::SeqCst);
            watching(done, all);
        }))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.facts.over.store(true, Ordering::SeqCst);
        let _ = (&self.caught.ringer).write(b"!");
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.caught.at_once.store(true, Ordering::SeqCst);
        // One that came at the very end.
        self.caught.obey();
    }
}

impl Caught {
    /// Catches ^C; none where it is ignored.
    fn catch() -> io::Result<Option<Self>> {
        if is_ignored(SIGINT) {
            return Ok(None);
        }
        let (bell, ringer) = io::pipe()?;
        let (came, at_once) = (Arc::default(), Arc::new(AtomicBool::new(true)));
        // In this order: the first is told of, a second ends us whatever we are at.
        flag::register_conditional_default(SIGINT, Arc::clone(&at_once))?;
        flag::register(SIGINT, Arc::clone(&at_once))?;
        flag::register(SIGINT, Arc::clone(&came))?;
        low_level::pipe::register(SIGINT, ringer.try_clone()?)?;
        Ok(Some(Self {
            came,
            at_once,
            bell,
            ringer,
        }))
    }

    /// Ends us as ^C does, if it has come.
    fn obey(&self) {
        if self.came.load(Ordering::SeqCst) {
            let _ = low_level::emulate_default_handler(SIGINT);
        }
    }

    /// Waits for the bell, until then or for ever.
    fn wait(&self, until: Option<Instant>) -> io::Result<()> {
        let rest = until.map(|until| until.saturating_duration_since(Instant::now()));
        let rest = rest.map(|rest| Timespec {
            tv_sec: i64::try_from(rest.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: rest.subsec_nanos().into(),
        });
        match poll(&mut [PollFd::new(&self.bell, PollFlags::IN)], rest.as_ref()) {
            Ok(0) | Err(Errno::INTR) => Ok(()),
            Ok(_) => (&self.bell).read(&mut [0; 64]).map(drop),
            Err(error) => Err(error.into()),
        }
    }
}

impl Facts {
    /// Something happens.
    fn hear(&self) {
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard.store(ms, Ordering::SeqCst);
    }

    /// Speaks to the person until the message is sent, or given up.
    fn watch(&self, caught: &Caught) {
        let mut told = false;
        loop {
            let heard = Duration::from_millis(self.heard.load(Ordering::SeqCst));
            let until = self.begun + heard + SILENCE;
            let waited = caught.wait((!told).then_some(until));
            let over = self.over.load(Ordering::SeqCst);
            if !over && caught.came.load(Ordering::SeqCst) {
                self.tell_last();
                caught.obey();
            }
            if over || waited.is_err() {
                return;
            }
            if !told && Instant::now() >= until {
                told = true;
                self.tell_first();
            }
        }
    }

    fn tell_first(&self) {
        if is_in_background() {
            return;
        }
        if self.has_bar.load(Ordering::SeqCst) {
            output::end_line();
        }
        self.output.note(&self.still());
    }

    fn tell_last(&self) {
        if let Some(failure) = self.interrupted() {
            tracing::info!(error = failure.what, "interrupted");
            if !is_in_background() {
                // The terminal shows ^C, or a bar.
                output::end_line();
                self.output.failure(&failure);
            }
        }
    }

    fn kept(&self, time: Duration) -> Poll<Option<String>> {
        let (sent, in_doubt) = (self.sent.load(Ordering::SeqCst), self.in_doubt());
        let held = self.kept.within(time, sent, in_doubt);
        // Somebody may have removed it.
        let is_there = |held: &Arc<Held>| self.outbox.as_ref().is_some_and(|it| it.has(held));
        held.map(|held| held.filter(is_there).map(|held| held.id().to_string()))
    }

    fn in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::SeqCst)
    }

    /// That it is being tried, until when, and what ^C does.
    fn still(&self) -> String {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let until = Local::now() + TimeDelta::from_std(left).unwrap_or_default();
        let form = if left < Duration::from_hours(12) {
            "%H:%M:%S"
        } else {
            "%Y-%m-%d %H:%M"
        };
        let until = until.format(form);
        let then = match self.kept(Duration::ZERO) {
            Poll::Ready(Some(id)) => say!(
                "消息已在发件箱里（{id}），下次运行 wxpush 时会自动发出",
                "the message is kept in the outbox ({id}), and goes out when wxpush next runs"
            ),
            Poll::Ready(None) if self.in_doubt() => say!(
                "消息不会保留，可能已送达，也可能没有",
                "the message is not kept, and may or may not have arrived"
            ),
            Poll::Ready(None) => say!(
                "消息不会发送，也不会保留",
                "the message is neither sent nor kept"
            ),
            Poll::Pending => say!(
                "消息可能来不及存入发件箱，磁盘还没有响应",
                "the message may not be kept, the disk has not answered yet"
            ),
        };
        say!(
            "还在尝试，最晚到 {until}；按 ^C 可以中断：{then}",
            "still trying, until {until}; ^C ends that: {then}"
        )
    }

    /// What becomes of the message now that ^C has come; none where it has gone out.
    fn interrupted(&self) -> Option<Failure> {
        let kept = self.kept(MOMENT);
        let parts = Parts {
            sent: self.sent.load(Ordering::SeqCst),
            all: self.parts,
        };
        if parts.sent >= parts.all {
            return None;
        }
        let unknown = self.in_doubt();
        let (lies, hint) = match &kept {
            Poll::Ready(Some(id)) => {
                let drop = &self.drop;
                let hint = say!(
                    "下次运行 wxpush 时会自动发出；不想发了：{drop} {id}",
                    "it goes out when wxpush next runs; if it is not to: {drop} {id}"
                );
                (Some(Lies::Waiting(id)), Some(hint))
            }
            Poll::Ready(None) => {
                let hint = spoken().of(
                    "重发之前，先看看手机上有没有收到",
                    "look at the phone before you send it again",
                );
                (Some(Lies::NotKept), unknown.then(|| hint.to_owned()))
            }
            Poll::Pending => {
                let hint = say!(
                    "磁盘没有响应；wxpush outbox list 会显示有没有存下",
                    "the disk does not answer; wxpush outbox list tells whether it is kept"
                );
                (None, Some(hint))
            }
        };
        let what = spoken().of("被 ^C 中断", "interrupted by ^C");
        let what = parts.words(unknown, lies, what);
        let failure = Failure::new(Exit::NotNow, what);
        Some(Failure { hint, ..failure })
    }
}

/// Whether the terminal is somebody else's: what writes to it then may be stopped.
fn is_in_background() -> bool {
    tcgetpgrp(io::stderr()).is_ok_and(|group| group != getpgrp())
}
