//! What somebody offers who would let their computer help others, and how far that got.
//!
//! Consent is given role by role; whether the computer is fit for it is found out, not believed: see the state machine
//! in `node/election`. The driver tells what only the system knows ([`Conditions`]) and what lasts from earlier runs
//! ([`History`]).

use std::{net::IpAddr, time::Duration};

use relay::UnixTime;

use crate::{
    config::{DEFAULT_MAX_LEAVES, Network},
    record::Offers,
};

/// A computer whose owner agreed that it may become a supernode.
#[derive(Debug, Clone)]
pub struct Volunteer {
    /// Which roles the owner agreed to.
    pub consent: Offers,
    /// Most leaves it would be a home of.
    pub max_leaves: usize,
    /// What the system says now; changed by [`crate::node::Node::set_conditions`].
    pub conditions: Conditions,
    /// What lasts from earlier runs.
    pub history: History,
    /// What it takes to be fit.
    pub thresholds: Thresholds,
}

impl Volunteer {
    /// For these roles in this network, with default limits and nothing known from earlier. Who agrees to relay must be
    /// able to: the core asks for a relay when its time comes.
    pub fn new(network: Network, consent: Offers) -> Self {
        Self {
            consent,
            max_leaves: DEFAULT_MAX_LEAVES,
            conditions: Conditions::default(),
            history: History::default(),
            thresholds: match network {
                Network::Main => Thresholds::MAIN,
                Network::Lab => Thresholds::LAB,
            },
        }
    }
}

/// What only the operating system or the owner can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Conditions {
    /// Where the current comes from.
    pub power: Power,
    /// Whether traffic costs money.
    pub metering: Metering,
    /// Whether it is a time of day at which the owner lets it help.
    pub hours: Hours,
    /// Upload in kbit/s, measured or configured.
    pub upload_kbps: Option<u32>,
}

/// Where the current comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Power {
    /// A socket, or a machine that does not say.
    #[default]
    Mains,
    /// A battery: no time to help others.
    Battery,
}

/// Whether traffic costs money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Metering {
    /// As far as we know, no.
    #[default]
    Unmetered,
    /// Yes.
    Metered,
}

/// Whether it is a time of day at which the owner lets it help. What time it is where the owner lives, only the system
/// knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hours {
    /// It is, or the owner did not name any.
    #[default]
    Within,
    /// It is not.
    Outside,
}

/// What lasts from earlier runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct History {
    /// How long the program ran in the last seven days, this run not counted.
    pub up_this_week: Duration,
    /// The public address seen last, and since when.
    pub address: Option<(IpAddr, UnixTime)>,
}

/// What it takes to be fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Thresholds {
    /// Uptime of this run, and in the last seven days.
    pub uptime: Duration,
    /// See `uptime`.
    pub uptime_this_week: Duration,
    /// How long the public address has been the same, to serve at all and to hold the directory.
    pub address_age: Duration,
    /// See `address_age`.
    pub address_age_directory: Duration,
    /// Upload in kbit/s, to hold the directory and to relay media.
    pub upload_directory: u32,
    /// See `upload_directory`.
    pub upload_relay: u32,
    /// Strangers in distinct prefixes that must reach it in each round.
    pub strangers: usize,
    /// How long every round must have gone well before it is believed.
    pub proving: Duration,
    /// Between rounds.
    pub round: Duration,
    /// While fewer supernodes are known than this, whoever can be reached serves at once.
    pub small_network: usize,
}

const HOUR: Duration = Duration::from_secs(3600);

impl Thresholds {
    /// Of the real network.
    pub const MAIN: Self = Self {
        uptime: HOUR.saturating_mul(2),
        uptime_this_week: HOUR.saturating_mul(84),
        address_age: HOUR.saturating_mul(24),
        address_age_directory: HOUR.saturating_mul(72),
        upload_directory: 2_000,
        upload_relay: 10_000,
        strangers: 3,
        proving: Duration::from_secs(1_800),
        round: Duration::from_secs(900),
        small_network: 8,
    };

    /// Of a lab: whoever wants may.
    pub const LAB: Self = Self {
        uptime: Duration::ZERO,
        uptime_this_week: Duration::ZERO,
        address_age: Duration::ZERO,
        address_age_directory: Duration::ZERO,
        upload_directory: 0,
        upload_relay: 0,
        strangers: 0,
        proving: Duration::ZERO,
        ..Self::MAIN
    };
}

/// How far a computer is on its way to help others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Candidacy {
    /// Its owner was not asked or said no, or it serves because its operator said so.
    #[default]
    None,
    /// Something is missing.
    Unfit(Unfit),
    /// Fit; strangers try whether they reach it.
    Proving,
    /// Fit and reachable; it waits until it is needed.
    StandBy,
    /// It serves.
    Serving,
    /// It takes no more leaves and lets those it has find other homes.
    Draining,
    /// It served and rests.
    CoolingDown,
}

/// What a volunteer lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It runs on a battery.
    OnBattery,
    /// Its traffic costs money.
    Metered,
    /// It is none of the hours its owner chose.
    Hours,
    /// Nobody saw its address yet, or everybody another one.
    NoAddress,
    /// It is not on for long enough, or too rarely.
    Uptime,
    /// Its address changed too recently.
    AddressAge,
    /// Its upload is too slow, or unknown, for any role its owner agreed to.
    Upload,
    /// Strangers do not reach it.
    Unreachable,
}

/// Whether strangers reach an address behind which we are (RFC 5780 §4.4, asked of supernodes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filtering {
    /// Nobody tried.
    #[default]
    Unknown,
    /// A stranger to whom we never sent anything got through: endpoint-independent filtering, or none.
    EndpointIndependent,
    /// Nobody did.
    Filtered,
}
