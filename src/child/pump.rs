//! The threads that pass a program's output on, and keep its end.

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

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, ioctl_fionread};

use super::Output;
use super::held::{Sink, not_held};
use super::tail::{Last, Tail};
use crate::disk;
use crate::lang::say;

/// How long we listen, once the program has ended, to what others hold its output open for: those
/// that are about to end get their last words through, a daemon doesn't hold us.
const LISTEN: Duration = Duration::from_secs(1);

/// How long a report waits for an output whose reader is slow.
const WAIT: Duration = Duration::from_millis(1500);

/// Most bytes that are passed on in one go.
const PIECE: usize = 64 << 10;

/// The ends of the pipes that the program gets for stdout and stderr; none if it gets ours.
#[derive(Default)]
pub(super) struct Outlets(Option<[PipeWriter; 2]>);

impl Outlets {
    /// What one program takes of them.
    ///
    /// # Errors
    /// Where there are no descriptors left.
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

/// What the threads share.
#[derive(Debug, Default)]
struct Shared {
    tail: Mutex<Tail>,
    failed: AtomicBool,
}

impl Shared {
    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The threads.
#[derive(Debug)]
pub(super) struct Pumps {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Closed once the program has ended.
    runs: Option<PipeWriter>,
    /// Has an end once all threads have all that the program said.
    heard: Receiver<()>,
}

impl Pumps {
    /// Starts them, before the program: it must find somebody who reads.
    ///
    /// # Errors
    /// Where there are no descriptors, or no threads, left.
    pub(super) fn start(output: &Output) -> io::Result<(Self, Outlets)> {
        let targets = [
            File::from(io::stdout().as_fd().try_clone_to_owned()?),
            File::from(io::stderr().as_fd().try_clone_to_owned()?),
        ];
        let (over, runs) = io::pipe()?;
        let over = Arc::new(over);
        let (tells, heard) = mpsc::channel();
        let mut pumps = Self {
            shared: Arc::default(),
            threads: Vec::new(),
            runs: Some(runs),
            heard,
        };
        // What goes to one place has one pipe, and so keeps its order.
        let is_one = same(&targets)?;
        let mut writers = Vec::new();
        for (stream, target) in targets.into_iter().enumerate() {
            if is_one && stream == 1 {
                break;
            }
            let (source, writer) = io::pipe()?;
            writers.push(writer);
            pumps.spawn(Pump {
                stream,
                source,
                sink: Sink::new(target, held(output)),
                shared: Arc::clone(&pumps.shared),
                over: Arc::clone(&over),
                listening: None,
                tells: Some(tells.clone()),
            })?;
        }
        let stdout = writers.remove(0);
        let stderr = match writers.pop() {
            Some(stderr) => stderr,
            None => stdout.try_clone()?,
        };
        Ok((pumps, Outlets(Some([stdout, stderr]))))
    }

    fn spawn(&mut self, pump: Pump) -> io::Result<()> {
        let thread = thread::Builder::new().name("output".to_owned());
        self.threads.push(thread.spawn(|| pump.run())?);
        Ok(())
    }

    /// Says that the program has ended, and waits until all that it said is heard; not for ever.
    pub(super) fn ended(&mut self, failed: bool) {
        self.shared.failed.store(failed, Ordering::Release);
        self.runs = None;
        let until = Instant::now() + WAIT;
        for _ in &self.threads {
            let rest = until.saturating_duration_since(Instant::now());
            if self.heard.recv_timeout(rest) == Err(RecvTimeoutError::Timeout) {
                break;
            }
        }
    }

    /// The last of what was heard.
    pub(super) fn last(&self) -> Last {
        self.shared.tail().take()
    }

    /// Waits until everything is where it belongs.
    pub(super) fn finish(self) {
        for thread in self.threads {
            // A panic has been reported.
            let _ = thread.join();
        }
    }
}

/// A file to hold output back in; none where it passes through.
fn held(output: &Output) -> Option<File> {
    let Output::IfFailed(dir) = output else {
        return None;
    };
    let file = disk::nameless(dir).inspect_err(|error| {
        tracing::warn!("{}: {}", dir.display(), not_held(error));
    });
    file.ok()
}

/// Whether both lead to one place.
fn same([one, two]: &[File; 2]) -> io::Result<bool> {
    let (one, two) = (one.metadata()?, two.metadata()?);
    Ok((one.dev(), one.ino()) == (two.dev(), two.ino()))
}

/// One output on its way.
struct Pump {
    stream: usize,
    source: PipeReader,
    sink: Sink,
    shared: Arc<Shared>,
    /// Has an end once the program has ended.
    over: Arc<PipeReader>,
    listening: Option<Listening>,
    tells: Option<Sender<()>>,
}

/// What is still listened to once the program has ended.
struct Listening {
    /// Bytes that were in the pipe then: all of the program's own.
    left: u64,
    /// Until then to others.
    until: Instant,
}

impl Pump {
    fn run(mut self) {
        if let Err(error) = self.pass_on() {
            self.tell(&error);
        }
        // From here on, only what was held back is left to do.
        drop(self.source);
        if let Some(tells) = self.tells.take() {
            let _ = tells.send(());
        }
        // It ends when the program has ended.
        let _ = (&*self.over).read(&mut [0]);
        if self.shared.failed.load(Ordering::Acquire)
            && let Err(error) = self.sink.show()
            && error.kind() != io::ErrorKind::BrokenPipe
        {
            let text = say!(
                "命令的输出显示不了：{error}",
                "the command's output cannot be shown: {error}"
            );
            tracing::warn!("{text}");
        }
    }

    /// Passes on to the end.
    fn pass_on(&mut self) -> io::Result<()> {
        let mut buffer = vec![0; PIECE];
        let mut broken = false;
        while self.has_more()? {
            let read = match self.source.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read?,
            };
            if read == 0 {
                break;
            }
            if let Some(listening) = &mut self.listening {
                listening.left = listening.left.saturating_sub(read as u64);
            }
            self.shared.tail().add(self.stream, &buffer[..read]);
            match self.sink.take(&buffer[..read]) {
                _ if broken => {}
                // Nobody reads any more: the program gets its SIGPIPE, as without us.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => break,
                Err(error) => {
                    self.tell(&error);
                    broken = true;
                }
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn tell(&self, error: &io::Error) {
        let name = ["stdout", "stderr"][self.stream];
        let text = say!(
            "命令的输出转不到 {name}：{error}",
            "the command's output cannot be passed on to {name}: {error}"
        );
        tracing::warn!("{text}");
    }

    /// Waits for more, and says whether there is to be any.
    fn has_more(&mut self) -> io::Result<bool> {
        if self.listening.is_none() {
            let mut both = [
                PollFd::new(&self.source, PollFlags::IN),
                PollFd::new(&*self.over, PollFlags::IN),
            ];
            patiently(&mut both, None)?;
            // A daemon may never leave off: the program's end is looked at first.
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

/// Waits for one descriptor, until then or for ever, and says whether it is ready.
pub(super) fn poll_one(
    fd: &impl AsFd,
    flags: PollFlags,
    until: Option<Instant>,
) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd, flags)];
    Ok(patiently(&mut fds, until)? > 0)
}

fn patiently(fds: &mut [PollFd<'_>], until: Option<Instant>) -> io::Result<usize> {
    loop {
        let rest = until.map(|until| until.saturating_duration_since(Instant::now()));
        let rest = rest.map(|rest| Timespec {
            tv_sec: i64::try_from(rest.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: rest.subsec_nanos().into(),
        });
        match poll(fds, rest.as_ref()) {
            Err(Errno::INTR) => {}
            ready => return Ok(ready?),
        }
    }
}
