//! What is held to a bar: ratios and counts, of the static program and of the dynamic one.

use std::fmt::Write as _;

use crate::counts::{Count, Counts};
use crate::race::Time;
use crate::table::Times;

/// The two builds, as the racers are called after them.
const BUILDS: [&str; 2] = ["static wxpush", "wxpush"];

/// A ratio: of what, by whom, and the most that it may be for each build.
type Ratio = (&'static str, &'static str, fn(&Time) -> f64, [f64; 2]);

/// Source: the contract with users.
const RATIOS: [Ratio; 9] = [
    ("send --no-outbox", "limit", wall, [1.15, 1.30]),
    ("send --no-outbox", "limit", cpu, [1.2, 1.45]),
    ("send --no-outbox", "curl", wall, [0.21, 0.25]),
    ("send --no-outbox", "curl", cpu, [0.28, 0.28]),
    ("send", "curl", wall, [0.33, 0.38]),
    ("the same, by name", "curl", wall, [0.33, 0.38]),
    ("send --no-outbox", "Python script", wall, [0.013, 0.016]),
    ("--version", "true", wall, [0.9, 2.0]),
    ("--help", "true", wall, [1.2, 2.3]),
];

fn wall(time: &Time) -> f64 {
    time.wall
}

fn cpu(time: &Time) -> f64 {
    time.cpu
}

/// Figures beside their bars, line by line.
#[derive(Default)]
pub(crate) struct Bars(Vec<(String, Option<f64>, String, bool)>);

impl Bars {
    /// Adds a figure and the most that it may be; `None` where what it takes is not on this machine.
    pub(crate) fn at_most(&mut self, name: impl Into<String>, figure: Option<f64>, most: f64) {
        let met = figure.is_none_or(|it| it <= most);
        self.0.push((name.into(), figure, format!("≤ {most}"), met));
    }

    /// Adds a figure and the least that it may be.
    pub(crate) fn at_least(&mut self, name: impl Into<String>, figure: Option<f64>, least: f64) {
        let met = figure.is_none_or(|it| it >= least);
        self.0
            .push((name.into(), figure, format!("≥ {least}"), met));
    }

    pub(crate) fn add_times(&mut self, times: &Times) {
        for (what, other, of, most) in RATIOS {
            let unit = if std::ptr::fn_addr_eq(of, wall as fn(&Time) -> f64) {
                "wall"
            } else {
                "CPU"
            };
            for (build, most) in BUILDS.into_iter().zip(most) {
                let ours = format!("{build} {what}");
                let figure = times.ratio(&ours, other, of);
                self.at_most(format!("{ours}: {unit} / {other}"), figure, most);
            }
        }
    }

    pub(crate) fn add_counts(&mut self, counts: &Counts) {
        for (build, calls, peak) in [
            (BUILDS[0], [110.0, 160.0], 4.0),
            (BUILDS[1], [130.0, 180.0], 4.5),
        ] {
            let bare = counts.get(&format!("{build} send --no-outbox"));
            let kept = counts.get(&format!("{build} send"));
            let of =
                |count: Option<&Count>, figure: fn(&Count) -> Option<f64>| count.and_then(figure);
            let bare_calls = of(bare, |count| count.calls);
            self.at_most(
                format!("{build} send --no-outbox: calls"),
                bare_calls,
                calls[0],
            );
            let kept_calls = of(kept, |count| count.calls);
            self.at_most(format!("{build} send: calls"), kept_calls, calls[1]);
            let threads = of(bare, |count| count.threads);
            self.at_most(format!("{build} send --no-outbox: threads"), threads, 1.0);
            let most = of(kept, |count| Some(count.peak));
            self.at_most(format!("{build} send: peak MiB"), most, peak);
            let size = of(kept, |count| u32::try_from(count.size).ok().map(f64::from));
            self.at_most(format!("{build}: size in MB"), size.map(|it| it / 1e6), 5.5);
        }
    }

    /// The table.
    pub(crate) fn show(&self) -> String {
        let mut text = format!("\n{:58}{:>10}{:>10}\n", "", "figure", "bar");
        for (name, figure, bar, met) in &self.0 {
            let figure = figure.map_or("not here".to_owned(), |it| {
                let decimals = if it < 0.1 { 3 } else { 2 };
                format!("{it:.decimals$}")
            });
            let mark = if *met { "" } else { "   NOT MET" };
            // A String takes whatever is written.
            let _ = writeln!(text, "{name:58}{figure:>10}{bar:>10}{mark}");
        }
        text
    }
}
