//! The times of all racers, and their ratios within the rounds.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};

use crate::Result;
use crate::race::{Racer, Time, median};
use crate::stage::Stage;

/// The times of all, one for each round.
pub(crate) struct Times(Vec<(String, Vec<Time>)>);

impl Times {
    /// Runs everybody in every round, in a new order each: who comes right after a big program finds the
    /// processor's caches cold. The server has forgotten what came before.
    ///
    /// # Errors
    /// Where a run fails.
    pub(crate) fn take(racers: &[Racer], rounds: usize, stage: &mut Stage) -> Result<Self> {
        let mut times = vec![Vec::with_capacity(rounds); racers.len()];
        for _ in 0..rounds {
            let random = RandomState::new();
            let mut order: Vec<usize> = (0..racers.len()).collect();
            order.sort_by_cached_key(|number| random.hash_one(number));
            for number in order {
                stage.forget()?;
                times[number].push(racers[number].run()?);
            }
        }
        let names = racers.iter().map(|racer| racer.name.clone());
        Ok(Self(names.zip(times).collect()))
    }

    /// The median of a ratio over the rounds, if both are here.
    pub(crate) fn ratio(&self, name: &str, other: &str, of: impl Fn(&Time) -> f64) -> Option<f64> {
        let times = |name: &str| {
            let row = self.0.iter().find(|row| row.0 == name)?;
            Some(&row.1)
        };
        let pairs = times(name)?.iter().zip(times(other)?);
        Some(median(
            pairs.map(|(ours, theirs)| of(ours) / of(theirs)).collect(),
        ))
    }

    /// The table.
    pub(crate) fn show(&self, rounds: usize) -> String {
        let mut text = format!(
            "\nOne send over HTTPS (TLS 1.3, P-256) on this machine, token at hand; medians of {rounds} rounds\n\n\
             {:34}{:>9}{:>9}\n",
            "", "wall ms", "CPU ms"
        );
        for (name, times) in &self.0 {
            let middle = |of: fn(&Time) -> f64| median(times.iter().map(of).collect());
            let (wall, cpu) = (middle(|time| time.wall), middle(|time| time.cpu));
            // A String takes whatever is written.
            let _ = writeln!(text, "{name:34}{wall:9.2}{cpu:9.2}");
        }
        text
    }
}
