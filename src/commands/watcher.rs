//! Informs a person at a terminal who waits for a message: after a while that it is still being
//! tried, and at ^C of its state.
//!
//! Uses a separate thread, and only if a person is there: otherwise it costs no system call.

use std::cell::RefCell;
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

use crate::child::is_ignored;
use crate::delivery::{Delivering, Parts, Watcher};
use crate::error::{Exit, Failure};
use crate::outbox::{ClaimedEntry, Outbox, Spooled};
use crate::output::{self, Output, Watching};
use crate::text::delivery::EntryPlace;
use crate::text::send as words;

/// The longest silence before the person learns that the message is still being tried.
const SILENCE: Duration = Duration::from_secs(2);

/// The time that ^C waits for a disk that has not answered yet.
const MOMENT: Duration = Duration::from_millis(500);

/// Informs a person at a terminal about the progress of a delivery.
pub(super) struct TerminalWatcher {
    output: Output,
    /// The command that removes a kept message, without its ID.
    drop_command: String,
    /// The progress display of uploads.
    progress: Option<Watching>,
    current: RefCell<Option<WatcherThread>>,
}

impl TerminalWatcher {
    /// Returns a watcher, if a person is there; `flush_command` is the command that retries.
    pub(super) fn new(output: Output, flush_command: impl FnOnce() -> String) -> Option<Self> {
        output.has_reader().then(|| Self {
            output,
            drop_command: flush_command().trim_end_matches("flush").to_owned() + "drop",
            progress: output::watching(output),
            current: RefCell::default(),
        })
    }
}

impl Watcher for TerminalWatcher {
    fn begin(&self, delivering: &Delivering<'_>) {
        *self.current.borrow_mut() = WatcherThread::begin(self, delivering);
    }

    fn sent(&self, parts: usize) {
        if let Some(waiting) = &*self.current.borrow() {
            waiting.facts.sent.store(parts, Ordering::SeqCst);
            waiting.facts.in_doubt.store(false, Ordering::SeqCst);
            waiting.facts.note_progress();
        }
    }

    fn end(&self) {
        self.current.take();
    }

    fn uploading(&self) -> Option<Watching> {
        let progress = self.progress.clone()?;
        let Some(waiting) = &*self.current.borrow() else {
            return Some(progress);
        };
        let facts = Arc::clone(&waiting.facts);
        Some(Arc::new(move |done, all| {
            facts.note_progress();
            facts.has_bar.store(done < all, Ordering::SeqCst);
            progress(done, all);
        }))
    }
}

/// A thread that informs the person until the value is dropped.
struct WatcherThread {
    facts: Arc<Facts>,
    caught: &'static Caught,
    thread: Option<JoinHandle<()>>,
}

/// The state of a message that is being sent.
struct Facts {
    output: Output,
    kept: Spooled,
    outbox: Option<Outbox>,
    in_doubt: Arc<AtomicBool>,
    drop_command: String,
    parts: usize,
    sent: AtomicUsize,
    deadline: Instant,
    begun: Instant,
    /// The time of the last progress, in milliseconds since the start.
    last_progress: AtomicU64,
    /// Whether the last line of the terminal is a progress bar.
    has_bar: AtomicBool,
    over: AtomicBool,
}

/// ^C, caught once for the whole program.
struct Caught {
    came: Arc<AtomicBool>,
    /// Whether it ends us at once, which is the default.
    at_once: Arc<AtomicBool>,
    wake: PipeReader,
    waker: PipeWriter,
}

impl WatcherThread {
    /// Starts the thread; returns `None` if ^C cannot be caught.
    fn begin(watcher: &TerminalWatcher, delivering: &Delivering<'_>) -> Option<Self> {
        static CAUGHT: OnceLock<Option<Caught>> = OnceLock::new();
        let caught = CAUGHT.get_or_init(|| Caught::catch().ok().flatten());
        let caught = caught.as_ref()?;
        let facts = Arc::new(Facts {
            output: watcher.output,
            kept: delivering.kept.clone(),
            outbox: delivering.outbox.clone(),
            in_doubt: Arc::clone(delivering.in_doubt),
            drop_command: watcher.drop_command.clone(),
            parts: delivering.parts,
            sent: AtomicUsize::new(0),
            deadline: delivering.deadline,
            begun: Instant::now(),
            last_progress: AtomicU64::new(0),
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
}

impl Drop for WatcherThread {
    fn drop(&mut self) {
        self.facts.over.store(true, Ordering::SeqCst);
        let _ = (&self.caught.waker).write(b"!");
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        self.caught.at_once.store(true, Ordering::SeqCst);
        // A ^C at the very end.
        self.caught.obey();
    }
}

impl Caught {
    /// Catches ^C; returns `None` if it is ignored.
    fn catch() -> io::Result<Option<Self>> {
        if is_ignored(SIGINT) {
            return Ok(None);
        }
        let (wake, waker) = io::pipe()?;
        let (came, at_once) = (Arc::default(), Arc::new(AtomicBool::new(true)));
        // In this order: the first ^C is reported, a second one ends us in any state.
        flag::register_conditional_default(SIGINT, Arc::clone(&at_once))?;
        flag::register(SIGINT, Arc::clone(&at_once))?;
        flag::register(SIGINT, Arc::clone(&came))?;
        low_level::pipe::register(SIGINT, waker.try_clone()?)?;
        Ok(Some(Self {
            came,
            at_once,
            wake,
            waker,
        }))
    }

    /// Ends us as ^C does, if it was pressed.
    fn obey(&self) {
        if self.came.load(Ordering::SeqCst) {
            let _ = low_level::emulate_default_handler(SIGINT);
        }
    }

    /// Waits to be woken, for ever without `until`.
    fn wait(&self, until: Option<Instant>) -> io::Result<()> {
        let rest = until.map(|until| until.saturating_duration_since(Instant::now()));
        let rest = rest.map(|rest| Timespec {
            tv_sec: i64::try_from(rest.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: rest.subsec_nanos().into(),
        });
        match poll(&mut [PollFd::new(&self.wake, PollFlags::IN)], rest.as_ref()) {
            Ok(0) | Err(Errno::INTR) => Ok(()),
            Ok(_) => (&self.wake).read(&mut [0; 64]).map(drop),
            Err(error) => Err(error.into()),
        }
    }
}

impl Facts {
    /// Notes progress.
    fn note_progress(&self) {
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_progress.store(ms, Ordering::SeqCst);
    }

    /// Informs the person until the message is sent, or given up.
    fn watch(&self, caught: &Caught) {
        let mut reported = false;
        loop {
            let last = Duration::from_millis(self.last_progress.load(Ordering::SeqCst));
            let until = self.begun + last + SILENCE;
            let waited = caught.wait((!reported).then_some(until));
            let over = self.over.load(Ordering::SeqCst);
            if !over && caught.came.load(Ordering::SeqCst) {
                self.report_interrupted();
                caught.obey();
            }
            if over || waited.is_err() {
                return;
            }
            if !reported && Instant::now() >= until {
                reported = true;
                self.report_trying();
            }
        }
    }

    fn report_trying(&self) {
        if is_in_background() {
            return;
        }
        if self.has_bar.load(Ordering::SeqCst) {
            output::end_line();
        }
        self.output.note(&self.still());
    }

    fn report_interrupted(&self) {
        if let Some(failure) = self.interrupted() {
            tracing::info!(error = failure.what, "interrupted");
            if !is_in_background() {
                // The line shows ^C, or a bar.
                output::end_line();
                self.output.failure(&failure);
            }
        }
    }

    /// Returns the ID of the entry if the message is in the outbox; pending while it is being
    /// written.
    fn kept(&self, time: Duration) -> Poll<Option<String>> {
        let (sent, in_doubt) = (self.sent.load(Ordering::SeqCst), self.in_doubt());
        let held = self.kept.within(time, sent, in_doubt);
        // The entry may have been removed.
        let is_there =
            |held: &Arc<ClaimedEntry>| self.outbox.as_ref().is_some_and(|it| it.has(held));
        held.map(|held| held.filter(is_there).map(|held| held.id().to_string()))
    }

    fn in_doubt(&self) -> bool {
        self.in_doubt.load(Ordering::SeqCst)
    }

    /// Returns the message that delivery is still being tried, with the deadline and the effect of
    /// ^C.
    fn still(&self) -> String {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let until = Local::now() + TimeDelta::from_std(left).unwrap_or_default();
        let form = if left < Duration::from_hours(12) {
            "%H:%M:%S"
        } else {
            "%Y-%m-%d %H:%M"
        };
        let then = match self.kept(Duration::ZERO) {
            Poll::Ready(Some(id)) => words::if_interrupted_kept(id),
            Poll::Ready(None) if self.in_doubt() => words::if_interrupted_in_doubt(),
            Poll::Ready(None) => words::if_interrupted_lost(),
            Poll::Pending => words::if_interrupted_unknown(),
        };
        words::still_trying(until.format(form), then)
    }

    /// Returns the state of the message after ^C; `None` if it is sent.
    fn interrupted(&self) -> Option<Failure> {
        let kept = self.kept(MOMENT);
        let parts = Parts {
            sent: self.sent.load(Ordering::SeqCst),
            all: self.parts,
        };
        if parts.sent >= parts.all {
            return None;
        }
        let in_doubt = self.in_doubt();
        let (place, hint) = match &kept {
            Poll::Ready(Some(id)) => {
                let hint = words::interrupted_kept(&self.drop_command, id);
                (Some(EntryPlace::Outbox(id)), Some(hint))
            }
            Poll::Ready(None) => (
                Some(EntryPlace::Nowhere),
                in_doubt.then(words::interrupted_in_doubt),
            ),
            Poll::Pending => (None, Some(words::interrupted_unknown())),
        };
        let what = parts.words(in_doubt, place, &words::interrupted());
        let failure = Failure::new(Exit::NotNow, what);
        Some(Failure { hint, ..failure })
    }
}

/// Whether another process group is in the foreground of the terminal: a write may then stop us.
fn is_in_background() -> bool {
    tcgetpgrp(io::stderr()).is_ok_and(|group| group != getpgrp())
}
