//! Whether a volunteer's computer serves: it must be fit, strangers must reach it, and it must be needed.
//!
//! ```text
//!            fit                3/3 strangers, each round, 30 min            load around > 60 %, after a random wait
//!   Unfit ─────────▶ Proving ─────────────────────────────▶ StandBy ────────────────────────────────────▶ Serving
//!     ▲ ▲              │                                      │  ▲                                          │
//!     │ └── not fit ───┴── not fit, or 2 bad rounds ──────────┘  │ still fit          not fit, 2 bad rounds, │
//!     │                                                          │           or load around < 25 % for long, │
//!     └─────────────────── not fit ────────────────────── CoolingDown ◀── no leaves left, 60 s ── Draining ◀─┘
//!                                                           10 min
//! ```
//! A small network takes whoever can be reached at once. Load moves the network slowly in both directions: promotion
//! waits a random time and looks again, and so, for much longer, does demotion. What the owner withdraws (the plug,
//! the flat rate, the time of day) counts at once.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use rand::{RngExt as _, rngs::StdRng};
use relay::{Now, UnixTime};

use crate::{
    config::NatKind,
    record::Offers,
    volunteer::{Candidacy, Conditions, Filtering, Hours, Metering, Power, Thresholds, Unfit, Volunteer},
    wire::Load,
};

/// One volunteer's way.
#[derive(Debug)]
pub(super) struct Election {
    pub(super) volunteer: Volunteer,
    began: Instant,
    stage: Stage,
    /// Our address as most supernodes see it, and since when.
    address: Option<(SocketAddr, UnixTime)>,
    /// Since when every round went well, and how many went badly since.
    good_since: Option<Instant>,
    bad_rounds: u8,
    next_round: Instant,
    filtering: Filtering,
    /// Whether too few supernodes are known to be choosy.
    small: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Unfit(Unfit),
    Proving,
    StandBy { promote_at: Option<Instant> },
    Serving { since: Instant, leave_at: Option<Instant> },
    Draining { until: Instant },
    CoolingDown { until: Instant },
}

/// What the node sees around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    /// Our address as most of those see it who greeted us.
    pub(super) observed: Option<SocketAddr>,
    pub(super) nat: NatKind,
    /// How full the supernodes of this region are.
    pub(super) around: Option<Load>,
    pub(super) leaves: usize,
    pub(super) supernodes: usize,
    /// Those of them that we did not contact lately, and those that reached us lately when we had not.
    pub(super) strangers: usize,
}

/// What the node does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// Serve, at this address, in these roles.
    Promote(SocketAddr, Offers),
    /// Take no more leaves, and tell those there are.
    Drain,
    /// Be a leaf again.
    Retire,
}

/// Above this load a region calls stand-bys, below the other it lets volunteers go.
const PROMOTE_ABOVE: Load = Load::percent(60);
const DEMOTE_BELOW: Load = Load::percent(25);

/// A stand-by that is needed waits a random part of this before it looks again and serves: they must not all come.
const PROMOTE_WITHIN: Duration = Duration::from_secs(120);
const PROMOTE_WITHIN_URGENT: Duration = Duration::from_secs(30);
const URGENT: Load = Load::percent(85);

/// Fewest time in the role, and the load must be low for as long and a random time more.
const MIN_TERM: Duration = Duration::from_secs(1_800);
const DEMOTE_WITHIN: Duration = Duration::from_secs(3_600);

const DRAIN: Duration = Duration::from_secs(60);
const COOL_DOWN: Duration = Duration::from_secs(600);

/// Supernodes we are linked to anyway.
const HOMES: usize = 3;

/// After a round in which some strangers came through, and too few, the next one.
const ANOTHER_ROUND: Duration = Duration::from_secs(60);

/// How long a newcomer leaves some supernodes alone, where there are few, so that strangers are left who can try whether
/// they reach it.
const SPARING: Duration = Duration::from_secs(30);
const LEARNING: Duration = Duration::from_secs(5);

/// Rounds in a row that may go badly.
const BAD_ROUNDS: u8 = 2;

impl Election {
    pub(super) fn new(volunteer: Volunteer, now: Now) -> Self {
        Self {
            volunteer,
            began: now.instant,
            stage: Stage::Unfit(Unfit::NoAddress),
            address: None,
            good_since: None,
            bad_rounds: 0,
            next_round: now.instant,
            filtering: Filtering::Unknown,
            small: false,
        }
    }

    pub(super) fn candidacy(&self) -> Candidacy {
        match self.stage {
            // It goes on trying, and its owner is told what is in the way; where nobody gets in, waiting is of no use.
            Stage::Unfit(Unfit::Uptime | Unfit::AddressAge) | Stage::Proving
                if self.filtering == Filtering::Filtered =>
            {
                Candidacy::Unfit(Unfit::Unreachable)
            }
            Stage::Unfit(why) => Candidacy::Unfit(why),
            Stage::Proving => Candidacy::Proving,
            Stage::StandBy { .. } => Candidacy::StandBy,
            Stage::Serving { .. } => Candidacy::Serving,
            Stage::Draining { .. } => Candidacy::Draining,
            Stage::CoolingDown { .. } => Candidacy::CoolingDown,
        }
    }

    pub(super) fn filtering(&self) -> Filtering {
        self.filtering
    }

    pub(super) fn set_conditions(&mut self, conditions: Conditions) {
        self.volunteer.conditions = conditions;
    }

    pub(super) fn address(&self) -> Option<SocketAddr> {
        self.address.map(|(address, _)| address)
    }

    /// The same, and since when the IP is that.
    pub(super) fn address_since(&self) -> Option<(IpAddr, UnixTime)> {
        self.address.map(|(address, since)| (address.ip(), since))
    }

    /// Strangers that must reach us in a round: as many as there can be beside our homes and who passes it on.
    pub(super) fn strangers(&self, supernodes: usize) -> usize {
        self.volunteer.thresholds.strangers.min(supernodes.saturating_sub(1 + HOMES))
    }

    /// How many strangers should try now whether they reach us; the next time is a quarter of an hour later. A round that
    /// too few could take part in is put off for as long at most.
    pub(super) fn round_due(&mut self, now: Instant, facts: Facts) -> Option<usize> {
        let round = self.volunteer.thresholds.round;
        let of = self.strangers(facts.supernodes);
        let due = match self.stage {
            Stage::Proving if facts.strangers < of => now >= self.next_round + round,
            Stage::Proving | Stage::StandBy { .. } | Stage::Serving { .. } => now >= self.next_round,
            // What its owner is told goes on being true.
            Stage::Unfit(Unfit::Uptime | Unfit::AddressAge) => {
                self.filtering == Filtering::Filtered && now >= self.next_round
            }
            Stage::Unfit(_) | Stage::Draining { .. } | Stage::CoolingDown { .. } => false,
        };
        due.then(|| {
            self.next_round = now + round;
            of
        })
    }

    /// Whether whoever can be left alone is, so as to stay a stranger: of so few supernodes a newcomer would have spoken to
    /// all before the first round.
    pub(super) fn spares_strangers(&self, now: Instant, supernodes: usize) -> bool {
        let Thresholds { strangers, small_network, .. } = self.volunteer.thresholds;
        let untried = self.filtering == Filtering::Unknown && strangers > 0;
        // At first only those are known who were named to us.
        let within = if self.strangers(supernodes) > 0 { SPARING } else { LEARNING };
        untried && supernodes < small_network && now < self.began + within
    }

    /// So many strangers reached us, of so many that should.
    pub(super) fn round_done(&mut self, now: Instant, reached_by: usize, of: usize) {
        if reached_by > 0 {
            self.filtering = Filtering::EndpointIndependent;
        } else if of > 0 {
            self.filtering = Filtering::Filtered;
        }
        // Once we are in, one stranger in three may fail or lie.
        let good = match self.stage {
            Stage::Proving => {
                if reached_by > 0 && reached_by < of {
                    // The same ones were drawn twice, or one failed: it goes on soon, with others.
                    self.next_round = self.next_round.min(now + ANOTHER_ROUND);
                }
                reached_by >= of
            }
            _ => reached_by * 3 >= of * 2,
        };
        if good {
            self.bad_rounds = 0;
            self.good_since.get_or_insert(now);
        } else {
            self.bad_rounds = self.bad_rounds.saturating_add(1);
            if self.stage == Stage::Proving || self.bad_rounds >= BAD_ROUNDS {
                self.good_since = None;
            }
        }
    }

    /// Looks around and goes on.
    pub(super) fn advance(&mut self, now: Now, facts: Facts, rng: &mut StdRng) -> Option<Decision> {
        self.note_address(now.unix, facts.observed);
        self.small = facts.supernodes < self.volunteer.thresholds.small_network;
        let unfit = self.unfit(now);
        let unreachable = self.bad_rounds >= BAD_ROUNDS;
        match self.stage {
            Stage::Unfit(_) => {
                self.stage = unfit.map_or(Stage::Proving, Stage::Unfit);
                if unfit.is_none() {
                    (self.good_since, self.bad_rounds, self.next_round) = (None, 0, now.instant);
                }
            }
            Stage::Proving => match unfit {
                Some(why) => self.stage = Stage::Unfit(why),
                None if self.proven(now.instant, facts) => {
                    self.stage = Stage::StandBy { promote_at: None };
                }
                None => {}
            },
            Stage::StandBy { .. } if unfit.is_some() || unreachable => {
                self.stage = Stage::Unfit(unfit.unwrap_or(Unfit::Unreachable));
            }
            Stage::StandBy { promote_at } => {
                if self.called(now.instant, facts.around, promote_at, rng) {
                    self.stage = Stage::Serving { since: now.instant, leave_at: None };
                    return Some(Decision::Promote(self.address()?, self.offers(now.unix)));
                }
            }
            Stage::Serving { since, leave_at } => {
                let leave = unfit.is_some()
                    || unreachable
                    || self.dismissed(now.instant, facts.around, since, leave_at, rng);
                if leave {
                    self.stage = Stage::Draining { until: now.instant + DRAIN };
                    return Some(Decision::Drain);
                }
            }
            Stage::Draining { until } => {
                if facts.leaves == 0 || now.instant >= until {
                    self.stage = Stage::CoolingDown { until: now.instant + COOL_DOWN };
                    return Some(Decision::Retire);
                }
            }
            Stage::CoolingDown { until } => {
                if now.instant >= until {
                    self.stage = match unfit {
                        Some(why) => Stage::Unfit(why),
                        None if unreachable || self.good_since.is_none() => Stage::Unfit(Unfit::Unreachable),
                        None => Stage::StandBy { promote_at: None },
                    };
                }
            }
        }
        None
    }

    fn note_address(&mut self, now: UnixTime, observed: Option<SocketAddr>) {
        let Some(observed) = observed else { return };
        let same_ip =
            self.address.filter(|(address, _)| address.ip() == observed.ip()).map(|(_, since)| since);
        let remembered =
            self.volunteer.history.address.filter(|(ip, since)| *ip == observed.ip() && *since < now);
        let since = same_ip.or(remembered.map(|(_, since)| since).filter(|_| self.address.is_none()));
        self.address = Some((observed, since.unwrap_or(now)));
    }

    fn unfit(&self, now: Now) -> Option<Unfit> {
        let Volunteer { conditions, history, thresholds, .. } = &self.volunteer;
        let Some((_, since)) = self.address else { return Some(Unfit::NoAddress) };
        let up = now.instant.saturating_duration_since(self.began);
        let up_enough =
            up >= thresholds.uptime && up.saturating_add(history.up_this_week) >= thresholds.uptime_this_week;
        if conditions.power == Power::Battery {
            Some(Unfit::OnBattery)
        } else if conditions.metering == Metering::Metered {
            Some(Unfit::Metered)
        } else if conditions.hours == Hours::Outside {
            Some(Unfit::Hours)
        } else if !self.small && !up_enough {
            Some(Unfit::Uptime)
        } else if !self.small && now.unix.saturating_duration_since(since) < thresholds.address_age {
            Some(Unfit::AddressAge)
        } else if self.offers(now.unix) == Offers::NONE {
            Some(Unfit::Upload)
        } else {
            None
        }
    }

    /// What it may do of what its owner agreed to.
    pub(super) fn offers(&self, now: UnixTime) -> Offers {
        let Volunteer { consent, conditions, thresholds, .. } = &self.volunteer;
        let age = self.address.map_or(Duration::ZERO, |(_, since)| now.saturating_duration_since(since));
        let upload = conditions.upload_kbps.unwrap_or(0);
        let directory =
            (self.small || age >= thresholds.address_age_directory) && upload >= thresholds.upload_directory;
        let media = upload >= thresholds.upload_relay;
        [(Offers::INTRODUCER, true), (Offers::DIRECTORY, directory), (Offers::RELAY, media)]
            .into_iter()
            .filter(|(role, fit)| *fit && consent.contains(*role))
            .fold(Offers::NONE, |offers, (role, _)| offers.and(role))
    }

    fn proven(&self, now: Instant, facts: Facts) -> bool {
        if self.strangers(facts.supernodes) == 0 {
            // Nobody there to try: our own address must be what others see.
            return self.volunteer.thresholds.strangers == 0 || facts.nat == NatKind::Open;
        }
        let proving = if self.small { Duration::ZERO } else { self.volunteer.thresholds.proving };
        self.good_since.is_some_and(|since| now.saturating_duration_since(since) >= proving)
    }

    /// Whether a stand-by is needed: now, and some random time ago too.
    fn called(
        &mut self,
        now: Instant,
        around: Option<Load>,
        promote_at: Option<Instant>,
        rng: &mut StdRng,
    ) -> bool {
        if self.small {
            return true;
        }
        let Some(load) = around.filter(|load| *load > PROMOTE_ABOVE) else {
            self.stage = Stage::StandBy { promote_at: None };
            return false;
        };
        let within = if load >= URGENT { PROMOTE_WITHIN_URGENT } else { PROMOTE_WITHIN };
        let latest = now + within.mul_f64(rng.random());
        // A region that fills further while we wait calls earlier.
        let at = promote_at.map_or(latest, |at| at.min(now + within));
        self.stage = Stage::StandBy { promote_at: Some(at) };
        promote_at.is_some() && now >= at
    }

    /// Whether a serving volunteer is not needed any more.
    fn dismissed(
        &mut self,
        now: Instant,
        around: Option<Load>,
        since: Instant,
        leave_at: Option<Instant>,
        rng: &mut StdRng,
    ) -> bool {
        let idle = !self.small && around.is_some_and(|load| load < DEMOTE_BELOW) && now >= since + MIN_TERM;
        let leave_at =
            idle.then(|| leave_at.unwrap_or_else(|| now + MIN_TERM + DEMOTE_WITHIN.mul_f64(rng.random())));
        self.stage = Stage::Serving { since, leave_at };
        leave_at.is_some_and(|at| now >= at)
    }
}

#[cfg(test)]
mod tests;
