//! What hardly changes from run to run: instructions, system calls, page faults, memory.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::Result;
use crate::race::{Racer, command, find, median};
use crate::stage::Stage;

/// The counts of each release.
const RECORD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/counts.tsv");

/// Runs whose median is the peak memory, and the faults.
const RUNS: usize = 5;

/// What was counted of one racer; `None` for what this machine has no tool for.
pub(crate) struct Count {
    pub(crate) name: String,
    /// The program's size in bytes.
    pub(crate) size: u64,
    /// In millions, as callgrind counts them.
    pub(crate) instructions: Option<f64>,
    pub(crate) calls: Option<f64>,
    pub(crate) threads: Option<f64>,
    pub(crate) faults: f64,
    /// In MiB.
    pub(crate) peak: f64,
}

/// What was counted of all.
pub(crate) struct Counts(pub(crate) Vec<Count>);

impl Counts {
    /// Counts, in runs of their own.
    ///
    /// # Errors
    /// Whatever keeps a run from ending well.
    pub(crate) fn take(racers: &[Racer], stage: &mut Stage) -> Result<Self> {
        let mut counts = Vec::new();
        for racer in racers {
            stage.forget()?;
            let (mut peaks, mut faults) = (Vec::new(), Vec::new());
            for _ in 0..RUNS {
                let (peak, count) = usage(racer)?;
                peaks.push(peak);
                faults.push(count);
            }
            let traced = trace(racer)?;
            counts.push(Count {
                name: racer.name.clone(),
                size: fs::metadata(&racer.line[0])?.len(),
                // A minute of valgrind for a script whose count nobody compares.
                instructions: if racer.name.starts_with("Python") {
                    None
                } else {
                    instructions(racer)?
                },
                calls: traced.map(|(calls, _)| calls),
                threads: traced.map(|(_, threads)| threads),
                faults: median(faults),
                peak: median(peaks),
            });
        }
        Ok(Self(counts))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Count> {
        self.0.iter().find(|count| count.name == name)
    }

    /// The table, with what has changed since the last release in a hundred.
    ///
    /// # Errors
    /// If the record of the releases cannot be read.
    pub(crate) fn show(&self) -> Result<String> {
        let record = fs::read_to_string(RECORD)?;
        let mut text = format!(
            "\nCounts, and what has changed since the last release in {RECORD}\n\n{:26}{:>18}{:>14}{:>14}{:>14}{:>9}\n",
            "", "M instructions", "calls", "faults", "peak MiB", "threads"
        );
        for count in &self.0 {
            let last = last(&record, &count.name);
            let cell = |figure: Option<f64>, column: usize, decimals: usize| {
                let Some(figure) = figure else {
                    return "-".to_owned();
                };
                let before = last
                    .as_ref()
                    .and_then(|row| row.get(column)?.parse::<f64>().ok());
                let change = before
                    .filter(|before| *before > 0.0)
                    .map_or(String::new(), |before| {
                        format!(" {:+.0} %", (figure / before - 1.0) * 100.0)
                    });
                format!("{figure:.decimals$}{change}")
            };
            // A String takes whatever is written.
            let _ = writeln!(
                text,
                "{:26}{:>18}{:>14}{:>14}{:>14}{:>9}",
                count.name,
                cell(count.instructions, 2, 2),
                cell(count.calls, 3, 0),
                cell(Some(count.faults), 4, 0),
                cell(Some(count.peak), 5, 1),
                cell(count.threads, 9, 0),
            );
        }
        Ok(text)
    }

    /// Writes the counts of our own program behind those of the releases.
    ///
    /// # Errors
    /// If that cannot be written.
    pub(crate) fn keep(&self) -> Result<()> {
        let mut text = String::new();
        let ours = self.0.iter().filter(|count| count.name.contains("wxpush"));
        for count in ours {
            let figure = |figure: Option<f64>, decimals: usize| {
                figure.map_or("-".to_owned(), |it| format!("{it:.decimals$}"))
            };
            let figures = [
                figure(count.instructions, 2),
                figure(count.calls, 0),
                figure(Some(count.faults), 0),
                figure(Some(count.peak), 1),
                count.size.to_string(),
            ];
            let row = [env!("CARGO_PKG_VERSION"), &count.name].join("\t");
            // A String takes whatever is written.
            let _ = writeln!(text, "{row}\t{}", figures.join("\t"));
        }
        let mut file = OpenOptions::new().append(true).open(RECORD)?;
        file.write_all(text.as_bytes())?;
        Ok(())
    }
}

/// The row of the last release that has one of this name.
fn last<'a>(record: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let mut rows = record
        .lines()
        .rev()
        .map(|line| line.split('\t').collect::<Vec<_>>());
    rows.find(|row| row.get(1) == Some(&name))
}

/// Peak memory in MiB and page faults of a run.
fn usage(racer: &Racer) -> Result<(f64, f64)> {
    racer.forget();
    let output = Command::new(env::current_exe()?)
        .arg("usage")
        .args(&racer.line)
        .stderr(Stdio::inherit())
        .output()?;
    racer.ended(Ok(output.status))?;
    let text = String::from_utf8(output.stdout)?;
    let (peak, faults) = text.trim().split_once(' ').ok_or("no usage")?;
    Ok((peak.parse::<f64>()? / 1024.0, faults.parse()?))
}

/// System calls and threads of a run, if strace is there and may trace.
fn trace(racer: &Racer) -> Result<Option<(f64, f64)>> {
    let Some(strace) = find("strace") else {
        return Ok(None);
    };
    let file = env::temp_dir().join(format!("wxpush-trace-{}", std::process::id()));
    let options = ["-f", "-qq", "-e", "signal=none", "-o"];
    let mut line: Vec<OsString> = vec![strace.into()];
    line.extend(options.map(OsString::from));
    line.push(file.clone().into());
    line.extend(racer.line.iter().cloned());
    racer.forget();
    let status = command(&line).status()?;
    let trace = fs::read_to_string(&file).unwrap_or_default();
    // It need not be there.
    let _ = fs::remove_file(&file);
    if !status.success() {
        return Ok(None);
    }
    // "PID call(…) = …"; a call that another thread interrupted has a second line, for its rest.
    let calls = trace.lines().filter(|line| !line.contains(" resumed>"));
    let threads: BTreeSet<_> = trace
        .lines()
        .filter_map(|it| it.split(' ').next())
        .collect();
    Ok(Some((whole(calls.count())?, whole(threads.len())?)))
}

/// Millions of instructions of a run, if valgrind is there.
fn instructions(racer: &Racer) -> Result<Option<f64>> {
    let Some(valgrind) = find("valgrind") else {
        return Ok(None);
    };
    let mut line: Vec<OsString> = vec![valgrind.into()];
    line.extend(["--tool=callgrind", "--callgrind-out-file=/dev/null"].map(OsString::from));
    line.extend(racer.line.iter().cloned());
    racer.forget();
    let output = command(&line).stderr(Stdio::piped()).output()?;
    // It does not run every program: Python's launchers, for one.
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text
        .lines()
        .find_map(|line| line.split_once("Collected : "));
    let count = collected.and_then(|(_, count)| count.trim().parse::<u32>().ok());
    Ok(count
        .filter(|_| output.status.success())
        .map(|count| f64::from(count) / 1e6))
}

fn whole(count: usize) -> Result<f64> {
    Ok(f64::from(u32::try_from(count)?))
}
