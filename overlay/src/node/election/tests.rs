use rand::SeedableRng as _;

use super::*;
use crate::{config::Network, volunteer::Thresholds};

const MINUTE: Duration = Duration::from_secs(60);
const BUSY: Option<Load> = Some(Load::percent(80));
const CALM: Option<Load> = Some(Load::percent(40));

/// A volunteer of the real network whose time passes in steps of ten seconds.
struct Trial {
    election: Election,
    now: Now,
    facts: Facts,
    reached_by: usize,
    rng: StdRng,
    decisions: Vec<Decision>,
}

impl Trial {
    fn begin(consent: Offers) -> Self {
        let now = Now { instant: crate::sim::origin(), unix: UnixTime::from_secs(1_800_000_000) };
        let mut volunteer = Volunteer::new(Network::Main, consent);
        volunteer.conditions.upload_kbps = Some(5_000);
        volunteer.history.up_this_week = Duration::from_secs(6 * 24 * 3600);
        let ip = "9.9.9.9".parse().unwrap();
        volunteer.history.address = Some((ip, now.unix.saturating_sub(Duration::from_secs(100 * 3600))));
        Self {
            election: Election::new(volunteer, now),
            now,
            facts: Facts {
                observed: Some(SocketAddr::new(ip, 4433)),
                nat: NatKind::EndpointIndependent,
                around: CALM,
                leaves: 0,
                supernodes: 100,
                strangers: 90,
            },
            reached_by: 3,
            rng: StdRng::from_seed([1; 32]),
            decisions: Vec::new(),
        }
    }

    fn run(&mut self, time: Duration) -> Candidacy {
        let until = self.now.instant + time;
        while self.now.instant < until {
            self.now = self.now.after(Duration::from_secs(10));
            self.decisions.extend(self.election.advance(self.now, self.facts, &mut self.rng));
            if let Some(of) = self.election.round_due(self.now.instant, self.facts) {
                self.election.round_done(self.now.instant, self.reached_by.min(of), of);
            }
        }
        self.election.candidacy()
    }

    /// Fit, proven, waiting.
    fn stand_by(consent: Offers) -> Self {
        let mut trial = Self::begin(consent);
        assert_eq!(trial.run(MINUTE * 160), Candidacy::StandBy);
        trial
    }

    fn serving(consent: Offers) -> Self {
        let mut trial = Self::stand_by(consent);
        trial.facts.around = BUSY;
        assert_eq!(trial.run(MINUTE * 3), Candidacy::Serving);
        trial
    }
}

const BOTH: Offers = Offers::DIRECTORY.and(Offers::INTRODUCER);

#[test]
fn a_fit_volunteer_proves_itself_for_half_an_hour_and_then_waits_until_it_is_needed() {
    let mut trial = Trial::begin(BOTH);
    assert_eq!(trial.run(MINUTE * 119), Candidacy::Unfit(Unfit::Uptime));
    assert_eq!(trial.run(MINUTE * 25), Candidacy::Proving);
    assert_eq!(trial.run(MINUTE * 16), Candidacy::StandBy);
    assert_eq!(trial.run(MINUTE * 600), Candidacy::StandBy);
    trial.facts.around = BUSY;
    assert_eq!(trial.run(MINUTE * 3), Candidacy::Serving);
    assert_eq!(trial.decisions, [Decision::Promote(trial.facts.observed.unwrap(), BOTH)]);
    assert_eq!(trial.election.filtering(), Filtering::EndpointIndependent);
}

#[test]
fn a_load_that_passes_before_the_random_wait_is_over_promotes_nobody() {
    let mut trial = Trial::stand_by(BOTH);
    for _ in 0..20 {
        trial.facts.around = Some(Load::percent(61));
        trial.run(Duration::from_secs(10));
        trial.facts.around = CALM;
        trial.run(MINUTE);
    }
    assert_eq!((trial.election.candidacy(), trial.decisions.len()), (Candidacy::StandBy, 0));
}

#[test]
fn of_many_stand_bys_a_moderate_load_calls_some_at_a_time() {
    let waited: Vec<u64> = (0..40)
        .map(|seed| {
            let mut trial = Trial::stand_by(BOTH);
            (trial.rng, trial.facts.around) = (StdRng::from_seed([seed; 32]), Some(Load::percent(65)));
            let began = trial.now.instant;
            while trial.decisions.is_empty() {
                trial.run(Duration::from_secs(10));
            }
            (trial.now.instant - began).as_secs()
        })
        .collect();
    let within = |seconds| waited.iter().filter(|waited| **waited <= seconds).count();
    assert!(within(40) < 20 && within(140) == 40, "{waited:?}");
}

#[test]
fn two_thirds_of_the_strangers_do_not_suffice_to_enter_and_suffice_to_stay() {
    let mut trial = Trial::begin(BOTH);
    trial.reached_by = 2;
    assert_eq!(trial.run(MINUTE * 400), Candidacy::Proving);
    let mut trial = Trial::serving(BOTH);
    trial.reached_by = 2;
    assert_eq!(trial.run(MINUTE * 400), Candidacy::Serving);
}

#[test]
fn one_bad_round_is_forgiven_and_two_in_a_row_end_the_service_in_good_order() {
    let mut trial = Trial::serving(BOTH);
    (trial.reached_by, trial.facts.leaves) = (0, 30);
    trial.run(MINUTE * 15);
    trial.reached_by = 3;
    assert_eq!(trial.run(MINUTE * 16), Candidacy::Serving);
    trial.reached_by = 0;
    while trial.decisions.len() < 2 {
        trial.run(MINUTE / 6);
    }
    assert_eq!(trial.election.candidacy(), Candidacy::Draining);
    assert_eq!(trial.run(DRAIN), Candidacy::CoolingDown);
    assert_eq!(trial.decisions[1..], [Decision::Drain, Decision::Retire]);
    assert_eq!(trial.election.filtering(), Filtering::Filtered);
    assert_eq!(trial.run(COOL_DOWN + MINUTE), Candidacy::Unfit(Unfit::Unreachable));
}

#[test]
fn service_ends_when_load_was_low_for_long_and_not_before_and_may_begin_again_after_a_rest() {
    let mut trial = Trial::serving(BOTH);
    trial.facts.around = Some(Load::percent(10));
    assert_eq!(
        trial.run(MINUTE * 57),
        Candidacy::Serving,
        "half an hour in the role, half an hour of low load"
    );
    assert!(matches!(trial.run(MINUTE * 72), Candidacy::CoolingDown | Candidacy::StandBy));
    trial.facts.around = BUSY;
    assert_eq!(trial.run(MINUTE * 15), Candidacy::Serving);
}

#[test]
fn pulling_the_plug_ends_service_at_once() {
    for conditions in [
        Conditions { power: Power::Battery, ..Conditions::default() },
        Conditions { metering: Metering::Metered, ..Conditions::default() },
        Conditions { hours: Hours::Outside, ..Conditions::default() },
    ] {
        let mut trial = Trial::serving(BOTH);
        trial.election.set_conditions(conditions);
        trial.run(Duration::from_secs(10));
        assert_eq!(trial.election.candidacy(), Candidacy::Draining);
    }
}

#[test]
fn outside_the_hours_its_owner_chose_nobody_is_asked_whether_they_reach_it_and_it_does_not_serve() {
    let mut trial = Trial::stand_by(BOTH);
    let awake = trial.election.volunteer.conditions;
    trial.election.set_conditions(Conditions { hours: Hours::Outside, ..awake });
    trial.facts.around = BUSY;
    assert_eq!(trial.run(MINUTE * 600), Candidacy::Unfit(Unfit::Hours));
    assert_eq!(trial.election.round_due(trial.now.instant, trial.facts), None);
    assert_eq!(trial.decisions, []);
    // It proves itself again, and then it does.
    trial.election.set_conditions(awake);
    assert_eq!(trial.run(MINUTE * 20), Candidacy::Proving);
    assert_eq!(trial.run(MINUTE * 20), Candidacy::Serving);
}

#[test]
fn one_who_serves_when_its_hours_are_over_lets_those_it_serves_move_on() {
    let mut trial = Trial::serving(BOTH);
    (trial.facts.around, trial.facts.leaves) = (CALM, 30);
    let awake = trial.election.volunteer.conditions;
    trial.election.set_conditions(Conditions { hours: Hours::Outside, ..awake });
    assert_eq!(trial.run(DRAIN), Candidacy::Draining);
    assert_eq!(trial.run(MINUTE), Candidacy::CoolingDown);
    assert_eq!(trial.decisions[1..], [Decision::Drain, Decision::Retire]);
    assert_eq!(trial.run(COOL_DOWN), Candidacy::Unfit(Unfit::Hours));
}

#[test]
fn another_address_has_to_grow_old_again() {
    let mut trial = Trial::serving(BOTH);
    trial.facts.observed = Some("9.9.8.8:4433".parse().unwrap());
    trial.run(MINUTE * 30);
    assert_eq!(trial.election.candidacy(), Candidacy::Unfit(Unfit::AddressAge));
    trial.run(MINUTE * 60 * 23);
    assert_eq!(trial.election.candidacy(), Candidacy::Unfit(Unfit::AddressAge));
    trial.run(MINUTE * 120);
    let served = trial.decisions.iter().rev().find(|decision| matches!(decision, Decision::Promote(..)));
    // After a day it rings people; the directory it may hold after three.
    assert_eq!(served, Some(&Decision::Promote(trial.facts.observed.unwrap(), Offers::INTRODUCER)));
}

#[test]
fn nobody_serves_in_a_role_its_owner_did_not_agree_to_or_its_line_does_not_carry() {
    let relay_only = Trial::begin(Offers::RELAY).run(MINUTE * 200);
    assert_eq!(relay_only, Candidacy::Unfit(Unfit::Upload));
    let mut slow = Trial::begin(Offers::DIRECTORY);
    slow.election.set_conditions(Conditions { upload_kbps: Some(1_000), ..Conditions::default() });
    assert_eq!(slow.run(MINUTE * 200), Candidacy::Unfit(Unfit::Upload));
    let introducer = Trial::serving(Offers::INTRODUCER);
    assert!(matches!(introducer.decisions[0], Decision::Promote(_, Offers::INTRODUCER)));
}

#[test]
fn a_round_waits_until_there_are_strangers_and_concludes_nothing_before() {
    let mut trial = Trial::begin(BOTH);
    (trial.facts.supernodes, trial.facts.strangers) = (7, 2);
    assert_eq!(trial.run(MINUTE * 5), Candidacy::Proving);
    assert_eq!(trial.election.filtering(), Filtering::Unknown);
    trial.facts.strangers = 3;
    assert_eq!(trial.run(Duration::from_secs(30)), Candidacy::Serving);

    // Not for ever: then whoever comes, or does not, decides.
    let mut lonely = Trial::begin(BOTH);
    (lonely.facts.supernodes, lonely.facts.strangers, lonely.reached_by) = (7, 0, 0);
    assert_eq!(lonely.run(MINUTE * 20), Candidacy::Unfit(Unfit::Unreachable));
}

#[test]
fn who_is_not_reached_is_told_so_rather_than_to_wait_and_tried_again() {
    let mut trial = Trial::begin(BOTH);
    (trial.facts.supernodes, trial.reached_by) = (7, 0);
    assert_eq!(trial.run(MINUTE), Candidacy::Unfit(Unfit::Unreachable));
    // Somebody else began to serve: now there are eight, and it would have to be up for two hours.
    trial.facts.supernodes = 8;
    assert_eq!(trial.run(MINUTE), Candidacy::Unfit(Unfit::Unreachable));
    trial.reached_by = 3;
    assert_eq!(trial.run(MINUTE * 16), Candidacy::Unfit(Unfit::Uptime), "the port was opened meanwhile");
}

#[test]
fn a_newcomer_leaves_strangers_alone_for_a_moment_and_only_where_there_are_few() {
    let trial = Trial::begin(BOTH);
    let spares = |after, known| trial.election.spares_strangers(trial.now.instant + after, known);
    let at_once = Duration::ZERO;
    assert_eq!([spares(at_once, 7), spares(at_once, 8), spares(SPARING, 7)], [true, false, false]);
    assert_eq!([spares(at_once, 1), spares(LEARNING, 1)], [true, false]);
    let mut tried = Trial::begin(BOTH);
    tried.election.round_done(tried.now.instant, 0, 3);
    assert!(!tried.election.spares_strangers(tried.now.instant, 7));
}

#[test]
fn a_small_network_takes_whoever_can_be_reached_at_once_and_nobody_else() {
    let mut trial = Trial::begin(BOTH);
    trial.facts.supernodes = 7;
    assert_eq!(trial.run(MINUTE), Candidacy::Serving);
    let mut filtered = Trial::begin(BOTH);
    (filtered.facts.supernodes, filtered.reached_by) = (7, 0);
    assert_eq!(filtered.run(MINUTE), Candidacy::Unfit(Unfit::Unreachable));
    // With three supernodes, all of them our homes, no stranger could dial back: only an address that is not translated counts.
    let mut alone = Trial::begin(BOTH);
    (alone.facts.supernodes, alone.reached_by) = (3, 0);
    assert_eq!(alone.run(MINUTE), Candidacy::Proving);
    alone.facts.nat = NatKind::Open;
    assert_eq!(alone.run(MINUTE), Candidacy::Serving);
}

#[test]
fn in_a_lab_everybody_is_fit() {
    let mut trial = Trial::begin(BOTH);
    trial.election.volunteer.thresholds = Thresholds::LAB;
    assert_eq!(trial.run(MINUTE), Candidacy::StandBy);
}

#[test]
fn service_below_its_shortest_term_is_not_ended_by_low_load() {
    let mut trial = Trial::serving(BOTH);
    trial.facts.around = Some(Load::percent(1));
    assert_eq!(trial.run(MINUTE * 26), Candidacy::Serving);
    // And a load in between moves nobody in either direction.
    trial.facts.around = CALM;
    assert_eq!(trial.run(MINUTE * 60 * 24), Candidacy::Serving);
    assert_eq!(trial.decisions.len(), 1);
}
