//! Whole networks in virtual time: the overlay core that ships, thousands of times, under one clock and one seed.
//!
//! ```text
//!   Scenario ──commands──▶ World ──links, messages, time──▶ overlay::node::Node (unmodified) × thousands
//!            ◀──answers──        ◀──transmits, effects, events──
//! ```
//!
//! [`World`] is the network: a queue of steps, links with a round trip of 50 to 150 ms that belongs to the pair, hosts
//! that fall silent when they crash. Nobody sits behind a NAT. What a [`Scenario`] measures it holds against its bar
//! and returns as a [`Report`]. Everything that happens goes into a hash: the same scenario, size and seed give the
//! same hash, on every machine.

mod churn;
mod crash;
mod directory;
mod eclipse;
mod equivocate;
mod figures;
mod free_riders;
mod history;
mod hostile;
mod names;
mod partition;
mod queue;
mod reboot;
mod rollback;
mod squat;
mod sybil;
mod town;
mod world;

use std::{str::FromStr, time::Duration};

use serde::Serialize;

pub use self::{
    figures::{Bar, Distribution},
    world::{HostId, World},
};

/// What can be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Everybody registers a name and is looked up.
    Directory,
    /// Computers come and go.
    Churn {
        /// For how long.
        hours: u32,
    },
    /// A share of the supernodes lies.
    Sybil {
        /// Of a hundred.
        percent: usize,
    },
    /// Liars crowd around one name.
    Eclipse {
        /// How many.
        ids: usize,
    },
    /// An update restarts seven of ten computers in five minutes, as on 16 August 2007.
    #[serde(rename = "skype-2007")]
    Skype2007,
    /// A third of the supernodes crash under load, as on 22 December 2010.
    #[serde(rename = "skype-2010")]
    Skype2010,
    /// Some help and most only take, where there is too little for all.
    FreeRiders,
    /// Squatters go for names and what looks like them.
    Squat,
    /// Holders answer with claims as they once were.
    Rollback,
    /// Claimants and holders tell everybody something else.
    Equivocate,
    /// Two halves grant the same names.
    Partition,
}

/// Every scenario and its name.
pub const SCENARIOS: &[(&str, Scenario)] = &[
    ("directory", Scenario::Directory),
    ("churn", Scenario::Churn { hours: 72 }),
    ("sybil", Scenario::Sybil { percent: 33 }),
    ("eclipse", Scenario::Eclipse { ids: 45 }),
    ("skype-2007", Scenario::Skype2007),
    ("skype-2010", Scenario::Skype2010),
    ("free-riders", Scenario::FreeRiders),
    ("squat", Scenario::Squat),
    ("rollback", Scenario::Rollback),
    ("equivocate", Scenario::Equivocate),
    ("partition", Scenario::Partition),
];

/// How big, and which history of the many.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Options {
    /// Computers in all; one of fifty is a supernode.
    pub nodes: usize,
    /// The seed of everything random.
    pub seed: u64,
}

/// What a scenario showed.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Which.
    pub scenario: Scenario,
    /// Size and seed.
    #[serde(flatten)]
    pub options: Options,
    /// Whether every bar holds.
    pub passed: bool,
    /// What was measured, each against its bar.
    pub bars: Vec<Bar>,
    /// What was measured beside that.
    pub figures: serde_json::Value,
    /// Hash over everything that happened, in order and with its time.
    pub history: String,
    /// Steps of that history.
    pub steps: u64,
    /// Virtual time that passed.
    pub virtual_seconds: f64,
}

/// Not the name of a scenario.
#[derive(Debug)]
pub struct UnknownScenario;

impl FromStr for Scenario {
    type Err = UnknownScenario;

    fn from_str(word: &str) -> Result<Self, UnknownScenario> {
        SCENARIOS.iter().find(|(name, _)| *name == word).map(|(_, scenario)| *scenario).ok_or(UnknownScenario)
    }
}

/// From this size on the directory must also be cheap enough to be played.
const BIG: usize = 100_000;
const BIG_TAKES: Duration = Duration::from_secs(600);
const BIG_NEEDS_MIB: u64 = 12 * 1024;

/// What a node alone would not work out twice, its share of a process full of nodes need not either; up to a bound, for
/// memory is scarce where there are very many.
const SIGNATURES_EACH: usize = 64;
const SIGNATURES: usize = 1_000_000;

/// Plays one scenario to its end.
pub fn play(scenario: Scenario, options: Options) -> Report {
    overlay::identity::remember_signatures((options.nodes * SIGNATURES_EACH).min(SIGNATURES));
    match scenario {
        Scenario::Directory => directory::play(options),
        Scenario::Churn { hours } => churn::play(options, hours),
        Scenario::Sybil { percent } => sybil::play(options, percent),
        Scenario::Eclipse { ids } => eclipse::play(options, ids),
        Scenario::Skype2007 => reboot::play(options),
        Scenario::Skype2010 => crash::play(options),
        Scenario::FreeRiders => free_riders::play(options),
        Scenario::Squat => squat::play(options),
        Scenario::Rollback => rollback::play(options),
        Scenario::Equivocate => equivocate::play(options),
        Scenario::Partition => partition::play(options),
    }
}

impl Report {
    /// What playing it took on this machine: part of no history, but of a big directory's bars.
    pub fn spent(&mut self, took: Duration, memory_mib: Option<u64>) {
        if self.scenario == Scenario::Directory && self.options.nodes >= BIG {
            let memory = memory_mib.map_or(f64::NAN, |mib| mib as f64);
            self.bars.push(Bar::at_most("wall time (s)", took.as_secs_f64(), BIG_TAKES.as_secs_f64()));
            self.bars.push(Bar::at_most("peak memory (MiB)", memory, BIG_NEEDS_MIB as f64));
            self.passed = self.bars.iter().all(|bar| bar.passed);
        }
    }

    fn new(
        scenario: Scenario,
        options: Options,
        world: &World,
        bars: Vec<Bar>,
        figures: serde_json::Value,
    ) -> Self {
        Self {
            scenario,
            options,
            passed: bars.iter().all(|bar| bar.passed),
            bars,
            figures,
            history: world.history(),
            steps: world.steps(),
            virtual_seconds: world.elapsed().as_secs_f64(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_hundred_nodes_keep_the_bars_of_the_directory_and_the_same_seed_repeats_history() {
        let options = Options { nodes: 200, seed: 7 };
        let first = play(Scenario::Directory, options);
        assert!(first.passed, "{}", serde_json::to_string_pretty(&first).unwrap());
        assert_eq!(first.history, play(Scenario::Directory, options).history);
        assert_ne!(first.history, play(Scenario::Directory, Options { seed: 8, ..options }).history);
    }

    #[test]
    fn names_stand_against_squatters_liars_and_a_network_that_falls_apart_in_two_hundred_nodes() {
        for scenario in [Scenario::Squat, Scenario::Rollback, Scenario::Equivocate, Scenario::Partition] {
            let report = play(scenario, Options { nodes: 200, seed: 3 });
            assert!(report.passed, "{}", serde_json::to_string_pretty(&report).unwrap());
        }
    }
}
