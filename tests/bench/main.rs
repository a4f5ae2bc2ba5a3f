//! One send beside curl, the usual Python script and the least that a send can be, in one run.
//!
//! `cargo bench` runs 40 rounds, `cargo bench -- 200` as many as said; `PYTHON` names another Python. All
//! send the same message over HTTPS to a stand-in on this machine, each with a token it has already. Times
//! move with the machine and its load, so every round runs every program, in a new order, and what counts is
//! the ratio within a round. The bars are shown, and nothing fails for them: a time is no test.

#[path = "../../examples/standin/mod.rs"]
mod standin;

mod race; // a command line, run and measured
mod stage; // the server, the files, and who races
mod table; // figures, ratios, bars

use std::env;
use std::error::Error;
use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use stage::Stage;
use table::Figures;

/// Whatever goes wrong ends it, in a line.
type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Rounds, unless said otherwise.
const ROUNDS: usize = 40;

fn main() -> ExitCode {
    let args: Vec<_> = env::args_os().skip(1).collect();
    let result = match &args[..] {
        [role, ca_file] if role == "serve" => stage::serve(Path::new(ca_file)),
        [role, line @ ..] if role == "peak" && !line.is_empty() => race::print_peak(line),
        // Cargo's mark of a benchmark: a test run compiles this, and times nothing.
        _ if !args.iter().any(|arg| arg == "--bench") => Ok(()),
        _ => rounds(args.iter().map(|arg| &**arg)).and_then(measure),
    };
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    // That it cannot be told is nothing that could be told.
    let _ = writeln!(io::stderr(), "bench: {error}");
    ExitCode::FAILURE
}

fn rounds<'a>(args: impl Iterator<Item = &'a OsStr>) -> Result<usize> {
    let mut rounds = ROUNDS;
    for arg in args.filter(|arg| *arg != "--bench") {
        let number = arg.to_str().and_then(|arg| arg.parse().ok());
        rounds = number
            .filter(|number| *number > 0)
            .ok_or("usage: cargo bench [-- ROUNDS]")?;
    }
    Ok(rounds)
}

fn measure(rounds: usize) -> Result<()> {
    let mut stage = Stage::set()?;
    let racers = stage.racers()?;
    let figures = Figures::take(&racers, rounds)?;
    stage.check()?;
    let size = stage.path("wxpush").metadata()?.len();
    io::stdout().write_all(figures.show(rounds, size).as_bytes())?;
    Ok(())
}
