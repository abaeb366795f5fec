//! `free-riders`: an evening on which nearly everybody only takes. By day volunteers serve beside the operators'
//! supernodes, and the people of those use them: their homes, the directory. Then all volunteers' computers go on battery
//! and become leaves like others, while as many free riders come online: those left have places for ten where thirteen
//! are wanted. Who waits?

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use overlay::{
    Network, Role,
    config::NodeConfig,
    record::Offers,
    volunteer::{Conditions, Power, Thresholds, Volunteer},
};
use rand::{RngExt as _, seq::SliceRandom as _};
use serde_json::{Value, json};

use super::{
    Bar, Distribution, Options, Report, Scenario,
    figures::percent,
    town::{Town, name_of, supernode},
    world::{HostId, World},
};

/// Homes somebody wants, and how many are wanted for every ten there are.
const HOMES: usize = 3;
const WANTED_FOR_TEN: usize = 13;

/// Supernodes somebody new has heard of.
const SEEDS: usize = 3;

/// How long everybody takes to come in, each kind.
const ARRIVAL: Duration = Duration::from_secs(60);

/// How long volunteers help.
const DAY: Duration = Duration::from_secs(65 * 60);

/// Free riders that will come home in the evening go away this long before.
const AWAY: Duration = Duration::from_secs(120);

/// Within this time the evening comes for all of them, and then it is watched.
const DUSK: Duration = Duration::from_secs(60);
const EVENING: Duration = Duration::from_secs(600);
const STEP: Duration = Duration::from_millis(250);

/// Everybody is rung by somebody again within this time, whenever they lose their homes.
const FLOOR: Duration = Duration::from_secs(60);

/// What helpers wait, in percent of what free riders do. Not until they first have all homes: whoever comes before too
/// many have left finds room, helper or not, and loses it later. What counts is all the time somebody went without.
const LESS: f64 = 90.0;

/// Whoever has what they want, in percent.
const NEARLY_ALL: f64 = 99.0;

pub(super) fn play(options: Options) -> Report {
    play_in(Scene::found(options), options)
}

fn play_in(mut scene: Scene, options: Options) -> Report {
    scene.world.run(DAY);
    let by_day = scene.served();
    let owed: Vec<usize> =
        scene.helpers.iter().filter_map(|id| scene.world.with(*id, |node, _| node.kept().vouchers)).collect();
    let owed_something = owed.iter().filter(|vouchers| **vouchers > 0).count();
    let evening = scene.evening();

    let [helpers, riders] = [&scene.helpers, &scene.riders].map(|who| evening.waits(who));
    let [helpers_with_three, riders_with_three] =
        [&scene.helpers, &scene.riders].map(|who| percent(scene.with(who, HOMES), who.len()));
    let all: Vec<HostId> = scene.everybody();
    // Whoever has no home comes first, helper or not: both have one at the second look or the third, and of two such
    // numbers that differ by one neither is known to be the longer.
    let look = STEP.as_secs_f64() * 1000.0;
    let ratio = |mine: f64, theirs: f64| mine * 100.0 / theirs;
    let bars = vec![
        Bar::at_most(
            "helpers' time without all homes, of free riders', median (%)",
            ratio(helpers.without_all.p50, riders.without_all.p50),
            LESS,
        ),
        Bar::at_most(
            "helpers' time without all homes, of free riders', p95 (%)",
            ratio(helpers.without_all.p95, riders.without_all.p95),
            LESS,
        ),
        Bar::at_most(
            "helpers' wait for a home, median (ms; free riders' and a look)",
            helpers.first.p50,
            riders.first.p50 + look,
        ),
        Bar::at_most(
            "helpers' wait for a home, p95 (ms; free riders' and a look)",
            helpers.first.p95,
            riders.first.p95 + look,
        ),
        Bar::at_least("helpers with three homes (%; free riders)", helpers_with_three, riders_with_three),
        Bar::at_most("longest that anybody was without a home (s)", evening.longest(), FLOOR.as_secs_f64()),
        Bar::at_least(
            "of everybody, with a home in the end (%)",
            percent(scene.with(&all, 1), all.len()),
            100.0,
        ),
        Bar::at_least(
            "helpers that became leaves and were watched (%)",
            percent(helpers.count, scene.helpers.len()),
            NEARLY_ALL,
        ),
    ];
    let figures: Value = json!({
        "operators": scene.operators.len(),
        "helpers": { "who": scene.helpers.len(), "served_by_day": by_day, "owed_something": owed_something,
            "vouchers": owed.iter().sum::<usize>(), "first_home_ms": helpers.first, "without_all_homes_ms": helpers.without_all,
            "with_three_percent": helpers_with_three },
        "free_riders": { "who": scene.riders.len(), "first_home_ms": riders.first,
            "without_all_homes_ms": riders.without_all,
            "with_three_percent": riders_with_three },
        "everybody": { "who": all.len(), "with_three_percent": percent(scene.with(&all, HOMES), all.len()) },
        "credit_honoured": scene.honoured(),
        "places": scene.places,
        "traffic": scene.world.traffic(),
    });
    Report::new(Scenario::FreeRiders, options, &scene.world, bars, figures)
}

/// The network and who is who in it.
struct Scene {
    world: World,
    /// Serve day and night.
    operators: Vec<HostId>,
    /// Serve by day.
    helpers: Vec<HostId>,
    /// As many who never serve, and come online in the evening.
    riders: Vec<HostId>,
    /// Everybody else.
    others: Vec<HostId>,
    /// Of each supernode.
    places: usize,
}

impl Scene {
    fn found(options: Options) -> Self {
        let operators = Town::supernodes(options);
        let helpers = operators;
        let wanted = (options.nodes - operators) * HOMES + operators * (HOMES - 1);
        let places = (wanted * 10).div_ceil(operators * WANTED_FOR_TEN);
        let mut scene = Self {
            world: World::new(options.seed),
            operators: Vec::new(),
            helpers: Vec::new(),
            riders: Vec::new(),
            others: Vec::new(),
            places,
        };
        for _ in 0..operators {
            let seeds = scene.seeds();
            scene.operators.push(scene.world.add(|address| supernode(address, places), &seeds));
            let seeds = scene.seeds();
            scene.helpers.push(scene.world.add(|_| volunteer(places), &seeds));
            scene.world.run(ARRIVAL / operators as u32);
        }
        scene.world.run(ARRIVAL);
        // The people of supernodes use the directory like others.
        for id in scene.operators.clone() {
            scene.world.with(id, |node, now| node.register(now, name_of(id)));
            scene.world.run(ARRIVAL / operators as u32);
        }
        let leaves = options.nodes - operators - helpers;
        for nth in 0..leaves {
            let seeds = scene.seeds();
            let id = scene.world.add(|_| NodeConfig::leaf(Network::Lab), &seeds);
            if nth % (leaves / helpers).max(1) == 0 && scene.riders.len() < helpers {
                scene.riders.push(id);
            } else {
                scene.others.push(id);
            }
            scene.world.run(ARRIVAL / leaves as u32);
        }
        scene
    }

    fn seeds(&mut self) -> Vec<std::net::SocketAddr> {
        let known = self.operators.len();
        if known == 0 {
            return Vec::new();
        }
        (0..SEEDS)
            .map(|_| {
                let nth = self.world.rng().random_range(0..known);
                self.world.address(self.operators[nth])
            })
            .collect()
    }

    /// Helpers that serve now.
    fn served(&self) -> usize {
        let serves =
            |id: &&HostId| self.world.status(**id).is_some_and(|status| status.role == Role::Supernode);
        self.helpers.iter().filter(serves).count()
    }

    /// Everybody who is no supernode in the evening.
    fn everybody(&self) -> Vec<HostId> {
        self.helpers.iter().chain(&self.riders).chain(&self.others).copied().collect()
    }

    /// How many of them have so many homes.
    fn with(&self, who: &[HostId], least: usize) -> usize {
        who.iter().filter(|id| self.world.homes(**id).is_some_and(|homes| homes >= least)).count()
    }

    fn honoured(&self) -> u64 {
        let status = self.operators.iter().filter_map(|id| self.world.status(*id));
        status.map(|status| status.stats.credit_honoured).sum()
    }

    /// Volunteers stop, and for each of them a free rider comes in the moment it is a leaf.
    fn evening(&mut self) -> Evening {
        for id in self.riders.clone() {
            self.world.switch_off(id);
        }
        self.world.run(AWAY);
        let mut stopping = self.helpers.clone();
        stopping.shuffle(self.world.rng());
        let gap = DUSK / stopping.len() as u32;
        let began = self.world.now();
        let (mut coming, mut evening) = (self.riders.clone(), Evening::default());
        let mut stopped = Vec::new();
        while self.world.now() < began + EVENING {
            let due = ((self.world.now() - began).as_nanos() / gap.as_nanos()) as usize;
            for id in stopping.drain(..due.saturating_sub(stopped.len()).min(stopping.len())) {
                let battery = Conditions { power: Power::Battery, ..Conditions::default() };
                self.world.with(id, |node, now| node.set_conditions(now, battery));
                stopped.push(id);
            }
            self.world.run(STEP);
            let now = self.world.now();
            for id in &stopped {
                let is_leaf = self.world.status(*id).is_some_and(|status| status.role == Role::Leaf);
                if is_leaf && !evening.came.contains_key(id) {
                    evening.came.insert(*id, now);
                    if let Some(rider) = coming.pop() {
                        let seeds = self.seeds();
                        self.world.switch_on(rider, &seeds);
                        evening.came.insert(rider, now);
                    }
                }
            }
            evening.look(self);
        }
        evening
    }
}

/// What was seen.
#[derive(Default)]
struct Evening {
    /// When those that are compared began to look for homes.
    came: BTreeMap<HostId, Instant>,
    /// How long it took until they had one.
    first: BTreeMap<HostId, Duration>,
    /// How long, in all, they had fewer than they want.
    without_all: BTreeMap<HostId, Duration>,
    /// Since when somebody has had no home, and the longest that ever took.
    without: BTreeMap<HostId, Instant>,
    longest: Duration,
}

/// How long some of them waited.
struct Waits {
    count: usize,
    /// Whoever waited in vain counts as the whole evening.
    first: Distribution,
    without_all: Distribution,
}

impl Evening {
    fn look(&mut self, scene: &Scene) {
        let now = scene.world.now();
        for (id, came) in &self.came {
            let homes = scene.world.homes(*id).unwrap_or(0);
            if homes >= 1 {
                self.first.entry(*id).or_insert(now - *came);
            }
            let without_all = self.without_all.entry(*id).or_default();
            if homes < HOMES {
                *without_all += STEP;
            }
        }
        let is_leaf = |id: &HostId| scene.world.status(*id).is_some_and(|status| status.role == Role::Leaf);
        for id in scene.everybody() {
            if scene.world.homes(id).is_some_and(|homes| homes > 0) {
                self.without.remove(&id);
            } else if is_leaf(&id) {
                let since = *self.without.entry(id).or_insert(now);
                self.longest = self.longest.max(now - since);
            }
        }
    }

    fn longest(&self) -> f64 {
        self.longest.as_secs_f64()
    }

    fn waits(&self, who: &[HostId]) -> Waits {
        let came: Vec<&HostId> = who.iter().filter(|id| self.came.contains_key(id)).collect();
        let of = |waits: &BTreeMap<HostId, Duration>| {
            Distribution::of(came.iter().map(|id| waits.get(id).copied().unwrap_or(EVENING)).collect())
        };
        Waits { count: came.len(), first: of(&self.first), without_all: of(&self.without_all) }
    }
}

/// Serves as soon as it is there: this is a lab, and it is needed.
fn volunteer(max_leaves: usize) -> NodeConfig {
    let mut volunteer = Volunteer::new(Network::Lab, Offers::DIRECTORY.and(Offers::INTRODUCER));
    volunteer.max_leaves = max_leaves;
    volunteer.thresholds = Thresholds { small_network: usize::MAX, ..Thresholds::LAB };
    NodeConfig { volunteer: Some(volunteer), ..NodeConfig::leaf(Network::Lab) }
}

#[cfg(test)]
mod tests {
    use overlay::wire::Message;
    use relay::UnixTime;

    use super::{super::world::Liar, *};

    #[test]
    fn helpers_wait_less_and_everybody_is_rung() {
        // Of fewer than twenty helpers and twenty free riders a median says nothing.
        let report = play(Options { nodes: 1_000, seed: 1 });
        assert!(report.passed, "{}", serde_json::to_string_pretty(&report).unwrap());
    }

    /// Vouchers do not arrive.
    struct Unthanked;

    impl Liar for Unthanked {
        fn hears(&mut self, _: UnixTime, _: HostId, message: Message) -> Option<Message> {
            (!matches!(message, Message::Thanks(_))).then_some(message)
        }

        fn says(&mut self, _: UnixTime, _: HostId, message: Message) -> Option<Message> {
            Some(message)
        }
    }

    #[test]
    fn whoever_helped_and_has_no_voucher_waits_like_everybody() {
        let options = Options { nodes: 1_000, seed: 1 };
        let mut scene = Scene::found(options);
        for id in scene.helpers.clone() {
            scene.world.corrupt(id, Unthanked);
        }
        let report = play_in(scene, options);
        let missed: Vec<&str> = report.bars.iter().filter(|bar| !bar.passed).map(|bar| bar.what).collect();
        assert!(missed.iter().any(|what| what.contains("without all homes")), "{:?}", report.bars);
    }

    #[test]
    fn the_same_seed_repeats_history() {
        let options = Options { nodes: 100, seed: 3 };
        assert_eq!(play(options).history, play(options).history);
    }
}
