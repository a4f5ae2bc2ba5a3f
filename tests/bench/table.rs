//! The figures of all racers, their ratios within the rounds, and the bars.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};

use crate::Result;
use crate::race::{Needs, Racer, Time, median};

/// What was measured of one racer.
struct Row {
    name: &'static str,
    /// One for each round.
    times: Vec<Time>,
    needs: Needs,
}

/// A figure and the most that it may be.
struct Bar {
    name: &'static str,
    /// None where what it takes is not on this machine.
    figure: Option<f64>,
    most: f64,
    /// To be shown.
    decimals: usize,
}

/// What was measured of all.
pub(crate) struct Figures {
    rows: Vec<Row>,
}

impl Figures {
    /// Runs everybody in every round, in a new order each: who comes right after a big program finds the
    /// processor's caches cold.
    ///
    /// # Errors
    /// Where a run fails.
    pub(crate) fn take(racers: &[Racer], rounds: usize) -> Result<Self> {
        let mut times = vec![Vec::with_capacity(rounds); racers.len()];
        for _ in 0..rounds {
            let random = RandomState::new();
            let mut order: Vec<usize> = (0..racers.len()).collect();
            order.sort_by_cached_key(|number| random.hash_one(number));
            for number in order {
                times[number].push(racers[number].run()?);
            }
        }
        let rows = racers.iter().zip(times).map(|(racer, times)| {
            let needs = racer.needs()?;
            Ok(Row {
                name: racer.name,
                times,
                needs,
            })
        });
        let rows = rows.collect::<Result<_>>()?;
        Ok(Self { rows })
    }

    fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// The median of a ratio over the rounds, if both are here.
    fn ratio(&self, name: &str, other: &str, of: impl Fn(&Time) -> f64) -> Option<f64> {
        let pairs = self.row(name)?.times.iter().zip(&self.row(other)?.times);
        Some(median(
            pairs.map(|(ours, theirs)| of(ours) / of(theirs)).collect(),
        ))
    }

    /// The tables; `size` is the program's, in bytes.
    pub(crate) fn show(&self, rounds: usize, size: u64) -> String {
        let mut text = format!(
            "\nOne send over HTTPS (TLS 1.3, P-256) on 127.0.0.1, token at hand; medians of {rounds} rounds\n\n\
             {:18}{:>9}{:>9}{:>10}{:>8}{:>9}\n",
            "", "wall ms", "CPU ms", "peak MiB", "calls", "threads"
        );
        for row in &self.rows {
            let middle = |of: fn(&Time) -> f64| median(row.times.iter().map(of).collect());
            let (wall, cpu) = (middle(|time| time.wall), middle(|time| time.cpu));
            let (calls, threads) = row.needs.traced.map_or_else(
                || ("-".to_owned(), "-".to_owned()),
                |(calls, threads)| (calls.to_string(), threads.to_string()),
            );
            // A String takes whatever is written.
            let _ = writeln!(
                text,
                "{:18}{wall:9.2}{cpu:9.2}{:10.1}{calls:>8}{threads:>9}",
                row.name, row.needs.peak
            );
        }
        let _ = writeln!(text, "\n{:36}{:>10}{:>12}", "wxpush", "figure", "bar");
        for bar in self.bars(size) {
            let (most, decimals) = (bar.most, bar.decimals);
            let figure = bar
                .figure
                .map_or("not here".to_owned(), |it| format!("{it:.decimals$}"));
            let mark = bar
                .figure
                .filter(|it| *it > most)
                .map_or("", |_| "   NOT MET");
            let _ = writeln!(
                text,
                "{:36}{figure:>10}{:>12}{mark}",
                bar.name,
                format!("≤ {most}")
            );
        }
        text
    }

    /// All that is held to a bar.
    fn bars(&self, size: u64) -> Vec<Bar> {
        let (send, bare) = ("wxpush send", "  --no-outbox");
        let wall = |name, other| self.ratio(name, other, |time| time.wall);
        let cpu = |name, other| self.ratio(name, other, |time| time.cpu);
        let peak = |name| Some(self.row(name)?.needs.peak);
        let beside_curl = peak(send).zip(peak("curl")).map(|(ours, its)| ours / its);
        let traced = |name| self.row(name).and_then(|row| row.needs.traced);
        let whole = |count: u64| u32::try_from(count).map_or(f64::INFINITY, f64::from);
        let calls = |name| traced(name).map(|(calls, _)| whole(calls));
        let threads = |name| traced(name).map(|(_, threads)| whole(threads));
        let bar = |name, figure, most, decimals| Bar {
            name,
            figure,
            most,
            decimals,
        };
        vec![
            bar("send: wall / curl", wall(send, "curl"), 0.45, 2),
            bar("send: system calls", calls(send), 230.0, 0),
            bar("send: threads", threads(send), 2.0, 0),
            bar("send: peak MiB", peak(send), 6.0, 1),
            bar("send: peak / curl", beside_curl, 0.5, 2),
            bar("--no-outbox: wall / curl", wall(bare, "curl"), 0.32, 2),
            bar("--no-outbox: CPU / curl", cpu(bare, "curl"), 0.28, 2),
            bar("--no-outbox: wall / limit", wall(bare, "limit"), 1.6, 2),
            bar("--no-outbox: CPU / limit", cpu(bare, "limit"), 1.8, 2),
            bar(
                "--no-outbox: wall / Python script",
                wall(bare, "Python script"),
                0.03,
                3,
            ),
            bar("--no-outbox: system calls", calls(bare), 170.0, 0),
            bar("--no-outbox: threads", threads(bare), 1.0, 0),
            bar(
                "--version: wall / /bin/true",
                wall("wxpush --version", "/bin/true"),
                2.2,
                2,
            ),
            bar(
                "--help: wall / /bin/true",
                wall("wxpush --help", "/bin/true"),
                2.2,
                2,
            ),
            bar("size in bytes", Some(whole(size)), 5.5e6, 0),
        ]
    }
}
