//! The output of a program: threads pass it on at once, or defer it until the exit status is known,
//! and keep its last bytes. `destination` has where it goes.

use std::fs::File;
use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags};
use rustix::io::ioctl_fionread;

use super::destination::{OutputMode, ReportDestination};
use super::outliving::drain;
use super::poll::{poll_all, poll_one};
use super::tail::{LastOutput, Tail};
use super::xtrace::TraceFilter;
use crate::message::Encoding;
use crate::notice::{Notice, notify};

/// The time to read on after the program has ended, if other processes hold its output open. The
/// last words of those about to end get through, and a daemon does not block us.
const LISTEN: Duration = Duration::from_secs(1);

/// The timeout of a report for an output whose reader is slow.
const WAIT: Duration = Duration::from_millis(1500);

/// The most bytes that are passed on at once.
const PIECE: usize = 64 << 10;

/// The write ends of the pipes for stdout and stderr; `None` if the program inherits ours.
#[derive(Default)]
pub(super) struct Pipes(Option<[PipeWriter; 2]>);

impl Pipes {
    /// Returns duplicates of them for one program.
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub(super) fn clones(&self) -> io::Result<Option<[Stdio; 2]>> {
        let Some([stdout, stderr]) = &self.0 else {
            return Ok(None);
        };
        Ok(Some([
            stdout.try_clone()?.into(),
            stderr.try_clone()?.into(),
        ]))
    }
}

/// The state shared by the threads.
struct Shared {
    tail: Mutex<Tail>,
    /// Whether stderr has had more than traced commands.
    complained: AtomicBool,
    /// The first error of our stdout or stderr, unless its reader was gone.
    unwritten: Mutex<Option<io::Error>>,
}

impl Shared {
    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unwritten(&self) -> MutexGuard<'_, Option<io::Error>> {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The relay threads, one for each output.
pub(super) struct Relays {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Dropped once the program has ended.
    running: Option<PipeWriter>,
    /// Tell the threads whether to show what is deferred.
    verdicts: Vec<Sender<bool>>,
    /// Disconnected once all threads have read all of the program's output.
    heard: Receiver<()>,
}

impl Relays {
    /// Starts the threads, before the program: it must find a reader. `by_stream` tells stderr from
    /// stdout even if both lead to one file.
    ///
    /// # Errors
    /// If there are no descriptors or threads left.
    pub(super) fn start(
        output: &OutputMode,
        by_stream: bool,
        encoding: Option<Encoding>,
    ) -> io::Result<(Self, Pipes)> {
        let targets = [
            File::from(io::stdout().as_fd().try_clone_to_owned()?),
            File::from(io::stderr().as_fd().try_clone_to_owned()?),
        ];
        let (over, running) = io::pipe()?;
        let over = Arc::new(over);
        let (done, heard) = mpsc::channel();
        let mut relays = Self {
            shared: Arc::new(Shared {
                tail: Mutex::new(Tail::new(encoding)),
                complained: AtomicBool::new(false),
                unwritten: Mutex::default(),
            }),
            threads: Vec::new(),
            running: Some(running),
            verdicts: Vec::new(),
            heard,
        };
        // If both lead to one file, a single pipe keeps their order.
        let is_one = !by_stream && is_same(&targets)?;
        let mut writers = Vec::new();
        for (stream, target) in targets.into_iter().enumerate() {
            if is_one && stream == 1 {
                break;
            }
            let (source, writer) = io::pipe()?;
            writers.push(writer);
            let (tell, verdict) = mpsc::channel();
            relays.verdicts.push(tell);
            relays.spawn(Relay {
                stream,
                source,
                target: ReportDestination::new(target, output),
                shared: Arc::clone(&relays.shared),
                over: Arc::clone(&over),
                listening: None,
                trace: TraceFilter::default(),
                done: Some(done.clone()),
                verdict,
            })?;
        }
        let stdout = writers.remove(0);
        let stderr = match writers.pop() {
            Some(stderr) => stderr,
            None => stdout.try_clone()?,
        };
        Ok((relays, Pipes(Some([stdout, stderr]))))
    }

    fn spawn(&mut self, relay: Relay) -> io::Result<()> {
        let thread = thread::Builder::new().name("output".to_owned());
        self.threads.push(thread.spawn(|| relay.run())?);
        Ok(())
    }

    /// Notes that the program has ended, and waits for a while until all of its output is read.
    pub(super) fn ended(&mut self) {
        self.running = None;
        let until = Instant::now() + WAIT;
        for _ in &self.threads {
            let rest = until.saturating_duration_since(Instant::now());
            if self.heard.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
    }

    /// Ends the deferral of output: it is shown if the program has failed.
    pub(super) fn judged(&mut self, failed: bool) {
        for tell in self.verdicts.drain(..) {
            // A thread that panicked shows nothing.
            let _ = tell.send(failed);
        }
    }

    /// Returns the end of the output so far.
    pub(super) fn last(&self) -> LastOutput {
        self.shared.tail().last()
    }

    /// Whether stderr has had more than traced commands.
    pub(super) fn has_complained(&self) -> bool {
        self.shared.complained.load(Ordering::Acquire)
    }

    /// Returns why output could not be written, if so.
    pub(super) fn unwritten(&self) -> Option<io::Error> {
        self.shared.unwritten().take()
    }

    /// Waits until all output has been passed on.
    pub(super) fn finish(self) {
        for thread in self.threads {
            // A panic has been reported.
            let _ = thread.join();
        }
    }
}

/// Whether both lead to the same file.
fn is_same([one, two]: &[File; 2]) -> io::Result<bool> {
    let (one, two) = (one.metadata()?, two.metadata()?);
    Ok((one.dev(), one.ino()) == (two.dev(), two.ino()))
}

/// One output and its target.
struct Relay {
    /// 0 for stdout, 1 for stderr.
    stream: usize,
    source: PipeReader,
    target: ReportDestination,
    shared: Arc<Shared>,
    /// At its end once the program has ended.
    over: Arc<PipeReader>,
    listening: Option<Listening>,
    trace: TraceFilter,
    done: Option<Sender<()>>,
    /// Comes once it is known whether the program has failed.
    verdict: Receiver<bool>,
}

/// The rest of the output after the program has ended.
struct Listening {
    /// The bytes left in the pipe at that time: all of the program's own.
    left: u64,
    /// The time until which the output of other processes is read.
    until: Instant,
}

impl Relay {
    fn run(mut self) {
        let is_open = self.pass_on().unwrap_or_else(|error| {
            self.lost(error);
            false
        });
        // From here on, only deferred output remains to be shown.
        if is_open {
            drain(self.source);
        } else {
            drop(self.source);
        }
        if let Some(done) = self.done.take() {
            let _ = done.send(());
        }
        if self.verdict.recv() == Ok(true)
            && let Err(error) = self.target.show_deferred()
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            notify(&Notice::HeldOutputUnshown { error: &error });
        }
    }

    /// Passes the output on until its end; returns true if a daemon goes on writing.
    fn pass_on(&mut self) -> io::Result<bool> {
        let mut buffer = vec![0; PIECE];
        let mut broken = false;
        while self.has_more()? {
            let read = match self.source.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if read == 0 {
                return Ok(false);
            }
            let piece = &buffer[..read];
            if self.stream == 1 && self.trace.has_more(piece) {
                self.shared.complained.store(true, Ordering::Release);
            }
            if let Some(listening) = &mut self.listening {
                listening.left = listening.left.saturating_sub(read as u64);
            }
            self.shared.tail().add(self.stream, piece);
            match self.target.take(piece) {
                _ if broken => {}
                // The reader is gone: the program gets SIGPIPE, as without us.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(false),
                // The program's work may matter more than its output, so it goes on.
                Err(error) => {
                    self.lost(error);
                    broken = true;
                }
                Ok(()) => {}
            }
        }
        Ok(true)
    }

    /// Reports that output cannot be written, and notes it for the command's end.
    fn lost(&self, error: io::Error) {
        let stream = ["stdout", "stderr"][self.stream];
        notify(&Notice::OutputNotPassedOn {
            stream,
            error: &error,
        });
        self.shared.unwritten().get_or_insert(error);
    }

    /// Waits for more output; returns whether there may be any.
    fn has_more(&mut self) -> io::Result<bool> {
        if self.listening.is_none() {
            let mut both = [
                PollFd::new(&self.source, PollFlags::IN),
                PollFd::new(&*self.over, PollFlags::IN),
            ];
            poll_all(&mut both, None)?;
            // A daemon may never stop writing: the end of the program is checked first.
            if both[1].revents().is_empty() {
                return Ok(true);
            }
            self.listening = Some(Listening {
                left: ioctl_fionread(&self.source)?,
                until: Instant::now() + LISTEN,
            });
        }
        match &self.listening {
            Some(listening) if listening.left == 0 => {
                if listening.until <= Instant::now() {
                    return Ok(false);
                }
                poll_one(&self.source, PollFlags::IN, Some(listening.until))
            }
            _ => Ok(true),
        }
    }
}
