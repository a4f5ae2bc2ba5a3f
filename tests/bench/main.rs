//! What wxpush costs beside curl, the usual Python script and the least that a send can be, in one run.
//!
//! `cargo bench` runs 40 rounds, `cargo bench -- 200` as many as said, `cargo bench -- 0` only counts;
//! `PYTHON` names another Python. The program is the one that `cargo install` builds, and beside it the
//! static one that is in `WXPUSH_STATIC` or below `target/static`, if there is one. All send the same
//! message over HTTPS to a stand-in on this machine, each with a token it has already. Times move with the
//! machine and its load, so every round runs every program, in a new order, and what counts is the ratio
//! within a round. The bars are shown, and nothing fails for them: a time is no test.
//!
//! Counts move little: `counts.tsv` has those of each release, and `cargo bench -- record` writes today's
//! behind them. `cargo bench -- functions` lists what a send runs, for the linker ([`functions`]).

#[path = "../../examples/standin/mod.rs"]
mod standin;

mod bars; // what is held to a bar
mod batch; // many messages, and a large file
mod cast; // who races
mod counts; // instructions, system calls, page faults, memory
mod functions; // what is run, for the linker
mod race; // a command line, run and timed
mod stage; // the server and the files
mod table; // figures and ratios

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use bars::Bars;
use counts::Counts;
use stage::Stage;
use table::Times;

/// Whatever goes wrong ends it, in a line.
type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Rounds, unless said otherwise.
const ROUNDS: usize = 40;

fn main() -> ExitCode {
    let args: Vec<_> = env::args_os().skip(1).collect();
    let result = match &args[..] {
        [role, ca_file] if role == "serve" => stage::serve(Path::new(ca_file)),
        [role, line @ ..] if role == "usage" && !line.is_empty() => race::print_usage(line),
        // Cargo's mark of a benchmark: a test run compiles this, and times nothing.
        _ if !args.iter().any(|arg| arg == "--bench") => Ok(()),
        _ if args.iter().any(|arg| arg == "functions") => list(),
        _ => {
            rounds(args.iter().map(|arg| &**arg)).and_then(|(rounds, keeps)| measure(rounds, keeps))
        }
    };
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    // Write errors are ignored: stderr is where we would report them.
    let _ = writeln!(io::stderr(), "bench: {error}");
    ExitCode::FAILURE
}

/// How many rounds, and whether the counts are to be kept.
fn rounds<'a>(args: impl Iterator<Item = &'a OsStr>) -> Result<(usize, bool)> {
    let mut said = (ROUNDS, false);
    for arg in args.filter(|arg| *arg != "--bench") {
        let number = arg.to_str().and_then(|arg| arg.parse().ok());
        said = match number {
            Some(rounds) => (rounds, said.1),
            None if arg == "record" => (0, true),
            None => return Err("usage: cargo bench [-- ROUNDS | record | functions]".into()),
        };
    }
    Ok(said)
}

/// Lists what a send runs, for `build.rs`.
fn list() -> Result<()> {
    let mut stage = Stage::set()?;
    let racers = cast::racers(&mut stage)?;
    functions::keep(&racers)?;
    stage.check()
}

fn measure(rounds: usize, keeps: bool) -> Result<()> {
    let mut stage = Stage::set()?;
    let racers = cast::racers(&mut stage)?;
    let mut out = io::stdout();
    let counts = Counts::take(&racers, &mut stage)?;
    out.write_all(counts.show()?.as_bytes())?;
    if keeps {
        counts.keep()?;
    }
    let mut bars = Bars::default();
    if rounds > 0 {
        let times = Times::take(&racers, rounds, &mut stage)?;
        out.write_all(times.show(rounds).as_bytes())?;
        bars.add_times(&times);
        out.write_all(batch::run(&mut stage, &mut bars)?.as_bytes())?;
    }
    stage.check()?;
    bars.add_counts(&counts);
    out.write_all(bars.show().as_bytes())?;
    Ok(())
}
