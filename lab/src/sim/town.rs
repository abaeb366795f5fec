//! A network as scenarios begin with it: supernodes that found each other, leaves with homes, a name for everybody.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::mpsc,
    time::{Duration, Instant},
};

use overlay::{
    FoundClaim, Network, Role, Username,
    config::NodeConfig,
    node::{Answer, QueryId},
    record::Offers,
    routing::Key,
    volunteer::Volunteer,
};
use rand::RngExt as _;

use super::{
    Options,
    world::{HostId, Reported, Told, World},
};

/// The world and who is what in it.
pub(super) struct Town {
    pub(super) world: World,
    pub(super) supernodes: Vec<HostId>,
    pub(super) leaves: Vec<HostId>,
    max_leaves: usize,
    hostile: Vec<HostId>,
    seeds: usize,
}

/// Who is there when a town begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Founding {
    /// Leaves each supernode has room for.
    pub(super) max_leaves: usize,
    pub(super) supernodes: usize,
    /// Supernodes that lie, beside them.
    pub(super) hostile: usize,
}

/// How a lookup went.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looked {
    pub(super) wanted: HostId,
    pub(super) first: Option<Duration>,
    pub(super) union: Duration,
    pub(super) right: bool,
    pub(super) found: bool,
    pub(super) answered: usize,
}

/// One of this many computers is a supernode.
const NODES_PER_SUPERNODE: usize = 50;

/// The fewest supernodes.
const FEWEST: usize = 4;

/// The fewest where some of them lie: a quorum must not hang on one.
const FEWEST_AMONG_LIARS: usize = 30;

/// Supernodes somebody new has heard of; where some of them lie it is whoever has heard of more that comes in.
const SEEDS: usize = 3;
const SEEDS_AMONG_LIARS: usize = 8;

/// How long supernodes, leaves and registrations take to come in, each.
const ARRIVAL: Duration = Duration::from_secs(60);

/// How long the network is left alone after each of them.
const SETTLE: Duration = Duration::from_secs(20);

/// Answers of commands arrive within this time, or never.
const PATIENCE: Duration = Duration::from_secs(12);

/// How often one looks whether they have.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

impl Town {
    /// Supernodes with room for `max_leaves` links each, and leaves.
    pub(super) fn found(options: Options, max_leaves: usize) -> Self {
        let supernodes = Self::supernodes(options);
        Self::settle(options, Founding { max_leaves, supernodes, hostile: 0 }, SEEDS)
    }

    /// The same where some supernodes may lie: leaves have heard of more of them.
    pub(super) fn found_by(options: Options, founding: Founding) -> Self {
        Self::settle(options, founding, SEEDS_AMONG_LIARS)
    }

    fn settle(options: Options, founding: Founding, seeds: usize) -> Self {
        let Founding { max_leaves, supernodes, hostile } = founding;
        let world = World::new(options.seed);
        let mut town = Self {
            world,
            supernodes: Vec::new(),
            leaves: Vec::new(),
            max_leaves,
            hostile: Vec::new(),
            seeds,
        };
        let all = supernodes + hostile;
        let gap = ARRIVAL / all as u32;
        for nth in 0..all {
            // The first is honest; liars come in between.
            if (nth + 1) * hostile / all > nth * hostile / all {
                town.add_hostile(|_| true);
            } else {
                let seeds = town.some_supernodes();
                let id = town.world.add(|address| supernode(address, max_leaves), &seeds);
                town.supernodes.push(id);
            }
            town.world.run(gap);
        }
        town.world.run(SETTLE);
        let leaves = options.nodes - all;
        let gap = ARRIVAL / leaves as u32;
        let newcomers = (0..leaves as u32).map(|nth| {
            let seeds = town.some_supernodes();
            town.world.newcomer(gap * nth, seeds)
        });
        let newcomers = newcomers.collect();
        town.leaves = town.world.add_later(newcomers, &NodeConfig::leaf(Network::Lab));
        town.world.run(gap * leaves as u32 + SETTLE);
        town
    }

    /// Somebody joins who would help, and is fit for it.
    pub(super) fn add_volunteer(&mut self) -> HostId {
        let seeds = self.some_supernodes();
        let max_leaves = self.max_leaves;
        self.world.add(|_| volunteer(max_leaves), &seeds)
    }

    /// Whether a computer that is on serves others.
    pub(super) fn serves(&self, id: HostId) -> bool {
        self.world.status(id).is_some_and(|status| status.role == Role::Supernode)
    }

    /// How full those are, on average, that serve, in percent.
    pub(super) fn load(&self) -> f64 {
        let status = (0..self.world.hosts()).filter_map(|id| self.world.status(id));
        let serving = status.filter(|status| status.role == Role::Supernode);
        let loads: Vec<f64> = serving.map(|status| f64::from(status.load.as_percent())).collect();
        loads.iter().sum::<f64>() / loads.len() as f64
    }

    /// How many of the nodes are supernodes.
    pub(super) fn supernodes(options: Options) -> usize {
        (options.nodes / NODES_PER_SUPERNODE).max(FEWEST)
    }

    /// How many supernodes there are where some lie.
    pub(super) fn supernodes_among_liars(options: Options) -> usize {
        Self::supernodes(options).max(FEWEST_AMONG_LIARS)
    }

    /// One more supernode that lies, at a place that suits it.
    pub(super) fn add_hostile(&mut self, suits: impl Fn(&Key) -> bool) {
        let seeds = self.some_supernodes();
        let id = self.world.add_hostile(&suits, &seeds);
        self.hostile.push(id);
    }

    /// What a computer is.
    pub(super) fn is_supernode(&self, id: HostId) -> bool {
        // They came first.
        id < self.supernodes.len() + self.hostile.len()
    }

    /// Addresses that somebody new may have heard of.
    pub(super) fn some_supernodes(&mut self) -> Vec<SocketAddr> {
        let all: Vec<HostId> = self.supernodes.iter().chain(&self.hostile).copied().collect();
        if all.is_empty() {
            return Vec::new();
        }
        (0..self.seeds)
            .map(|_| {
                let id = all[self.world.rng().random_range(0..all.len())];
                self.world.address(id)
            })
            .collect()
    }

    /// Every leaf registers its name; how many could.
    pub(super) fn register_everybody(&mut self) -> usize {
        let leaves = self.leaves.clone();
        let gap = ARRIVAL / leaves.len() as u32;
        for (nth, leaf) in (0..).zip(&leaves) {
            let name = name_of(*leaf);
            self.world.with_later(gap * nth, *leaf, |node, now| {
                node.register(now, name);
            });
        }
        self.world.run(gap * leaves.len() as u32 + PATIENCE);
        let reports = self.world.reports();
        let registered = |r: &&Reported| matches!(r.report, Told::Answer(_, Answer::Registered(Ok(_))));
        reports.iter().filter(registered).count()
    }

    /// Each of `pairs` (who asks, whose name) looks once, spread over `time`.
    pub(super) fn look_up(&mut self, pairs: &[(HostId, HostId)], time: Duration) -> Vec<Looked> {
        let gap = time / (pairs.len() as u32).max(1);
        let (asking, asks) = mpsc::channel();
        for (nth, (asker, wanted)) in (0..).zip(pairs) {
            let (asking, asker, wanted) = (asking.clone(), *asker, *wanted);
            self.world.with_later(gap * nth, asker, move |node, now| {
                let query = node.lookup(now, name_of(wanted));
                // Whoever counts them is there for as long as time passes.
                let _ = asking.send(((asker, query), (now.instant, wanted)));
            });
        }
        self.world.run(gap * pairs.len() as u32);
        let mut asked: BTreeMap<(HostId, QueryId), (Instant, HostId)> = asks.try_iter().collect();
        let reports = self.await_answers(asked.len());
        let (mut firsts, mut looked) = (BTreeMap::<(HostId, QueryId), Duration>::new(), Vec::new());
        for Reported { host, at, report } in reports {
            match report {
                Told::First(query, claim) => {
                    if let Some((began, wanted)) = asked.get(&(host, query))
                        && claim.key == self.world.person(*wanted)
                    {
                        firsts.insert((host, query), at - *began);
                    }
                }
                Told::Answer(query, Answer::LookedUp(result)) => {
                    let Some((began, wanted)) = asked.remove(&(host, query)) else { continue };
                    let (claims, answered) = result.map_or((Vec::new(), 0), |l| (l.claims, l.answered));
                    let right = |claim: &FoundClaim| claim.key == self.world.person(wanted);
                    looked.push(Looked {
                        wanted,
                        first: firsts.remove(&(host, query)),
                        union: at - began,
                        found: claims.iter().any(right),
                        right: claims.first().is_some_and(right),
                        answered,
                    });
                }
                Told::Answer(..) | Told::Envelope(..) | Told::Contested(..) => {}
            }
        }
        // Whoever never heard back did not find.
        looked.extend(asked.values().map(|(_, wanted)| Looked {
            wanted: *wanted,
            first: None,
            union: PATIENCE,
            right: false,
            found: false,
            answered: 0,
        }));
        looked
    }

    /// What was told until so many lookups have their answer, or for as long as one can take.
    fn await_answers(&mut self, lookups: usize) -> Vec<Reported> {
        let until = self.world.now() + PATIENCE;
        let is_answer =
            |reported: &&Reported| matches!(reported.report, Told::Answer(_, Answer::LookedUp(_)));
        let mut reports = self.world.reports();
        while reports.iter().filter(is_answer).count() < lookups && self.world.now() < until {
            self.world.run(LOOK_AGAIN);
            reports.extend(self.world.reports());
        }
        reports
    }

    /// `count` random pairs of a leaf that is on and another that has a name.
    pub(super) fn pairs(&mut self, count: usize) -> Vec<(HostId, HostId)> {
        let up: Vec<HostId> = self.leaves.iter().copied().filter(|leaf| self.world.is_up(*leaf)).collect();
        let mut pairs = Vec::new();
        while pairs.len() < count {
            let asker = up[self.world.rng().random_range(0..up.len())];
            let wanted = self.leaves[self.world.rng().random_range(0..self.leaves.len())];
            if asker != wanted {
                pairs.push((asker, wanted));
            }
        }
        pairs
    }

    /// The fewest and the mean of supernodes that supernodes, and leaves, know.
    pub(super) fn known(&self, hosts: &[HostId]) -> (usize, f64) {
        let known: Vec<usize> =
            hosts.iter().filter_map(|host| Some(self.world.status(*host)?.supernodes_known)).collect();
        let mean = known.iter().sum::<usize>() as f64 / known.len().max(1) as f64;
        (known.iter().copied().min().unwrap_or(0), mean)
    }

    /// Leaves that are on, and those of them that can be rung, and by three homes.
    pub(super) fn homed(&self) -> (usize, usize, usize) {
        let homes: Vec<usize> = self.leaves.iter().filter_map(|leaf| self.world.homes(*leaf)).collect();
        let with = |least| homes.iter().filter(|homes| **homes >= least).count();
        (homes.len(), with(1), with(3))
    }
}

/// The name of the person at a leaf.
pub(super) fn name_of(leaf: HostId) -> Username {
    match Username::parse(&format!("person-{leaf}")) {
        Ok(name) => name,
        Err(error) => unreachable!("{error}"),
    }
}

pub(super) fn supernode(address: SocketAddr, max_leaves: usize) -> NodeConfig {
    let mut config = NodeConfig::supernode(Network::Lab, address);
    if let Some(supernode) = &mut config.supernode {
        supernode.max_leaves = max_leaves;
    }
    config
}

fn volunteer(max_leaves: usize) -> NodeConfig {
    let mut volunteer = Volunteer::new(Network::Lab, Offers::DIRECTORY.and(Offers::INTRODUCER));
    volunteer.max_leaves = max_leaves;
    NodeConfig { volunteer: Some(volunteer), ..NodeConfig::leaf(Network::Lab) }
}
