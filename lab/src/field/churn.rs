//! People look each other up and ring each other while, one after the other, supernodes are killed and come back.

use super::{Hub, PATIENCE, player};
use crate::process::{Place, Silbo};
use anyhow::{Context as _, Result, ensure};
use rand::RngExt as _;
use rand::{SeedableRng as _, rngs::StdRng};
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// A supernode is killed this often and comes back this much later.
const BETWEEN_KILLS: Duration = Duration::from_secs(10);
const DEAD: Duration = Duration::from_secs(5);

/// Everybody looks somebody up and rings somebody this often.
const BETWEEN_CALLS: Duration = Duration::from_secs(1);

/// Every lookup and every ring must have succeeded after this time.
pub const LIMIT: Duration = Duration::from_secs(5);

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Supernodes killed.
    pub kills: usize,
    /// Lookups made, and how many of them had no right answer in time.
    pub lookups: usize,
    /// See [`Outcome::lookups`].
    pub lookups_failed: usize,
    /// The slowest lookup that was answered, in milliseconds.
    pub lookup_worst_ms: u64,
    /// Rings sent, and how many of them did not arrive in time.
    pub rings: usize,
    /// See [`Outcome::rings`].
    pub rings_failed: usize,
    /// The slowest ring that arrived, in milliseconds.
    pub ring_worst_ms: u64,
    /// What failed, some of it.
    pub faults: Vec<String>,
}

impl Outcome {
    /// Whether everything succeeded in time.
    pub fn passed(&self) -> bool {
        self.lookups_failed == 0 && self.rings_failed == 0
    }
}

/// Plays for `length`: `players` at their places run `program player ADDRESSES`.
pub fn play(
    hubs: &mut [Hub],
    players: &[Place],
    program: &Path,
    length: Duration,
    folder: &Path,
) -> Result<Outcome> {
    let addresses: Vec<String> = hubs.iter().map(|hub| hub.listen.to_string()).collect();
    let mut people = Vec::new();
    for (n, place) in players.iter().enumerate() {
        let mut command = place.command(program);
        command.arg(player::WORD).args(&addresses);
        let mut person = Silbo::spawn(&format!("player{n}"), command, folder)?;
        let key = person.expect("key", PATIENCE)?["key"].as_str().context("no key")?.to_owned();
        person.expect("online", PATIENCE)?;
        person.command(&json!({ "do": "register", "name": name(n) }))?;
        people.push((person, key));
    }
    for (person, _) in &mut people {
        ensure!(person.expect("registered", PATIENCE)?["ok"] == true, "a name could not be registered");
    }
    let mut game = Game { sent: BTreeMap::new(), rng: StdRng::seed_from_u64(7), kills: 0 };
    game.run(hubs, &mut people, length)?;
    Ok(game.judge(&mut people))
}

fn name(n: usize) -> String {
    format!("player{n}")
}

struct Game {
    sent: BTreeMap<u64, Sent>,
    rng: StdRng,
    kills: usize,
}

struct Sent {
    at: Duration,
    from: usize,
    to: usize,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Lookup,
    Ring,
}

impl Game {
    fn run(&mut self, hubs: &mut [Hub], people: &mut [(Silbo, String)], length: Duration) -> Result<()> {
        let began = Instant::now();
        let (mut kill_at, mut call_at) = (BETWEEN_KILLS / 2, Duration::ZERO);
        let mut dead: Option<(usize, Duration)> = None;
        while began.elapsed() < length || dead.is_some() {
            let now = began.elapsed();
            if let Some((hub, _)) = dead.filter(|(_, back_at)| now >= *back_at) {
                hubs[hub].start()?;
                dead = None;
            }
            if now >= kill_at && now < length {
                let hub = self.kills % hubs.len();
                hubs[hub].kill()?;
                self.kills += 1;
                dead = Some((hub, now + DEAD));
                kill_at += BETWEEN_KILLS;
            }
            if now >= call_at && now < length {
                self.call(people, now)?;
                call_at += BETWEEN_CALLS;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        // The last ones have their time too.
        std::thread::sleep(LIMIT);
        Ok(())
    }

    fn call(&mut self, people: &mut [(Silbo, String)], at: Duration) -> Result<()> {
        let keys: Vec<String> = people.iter().map(|(_, key)| key.clone()).collect();
        for (from, (person, _)) in people.iter_mut().enumerate() {
            for what in [What::Lookup, What::Ring] {
                let to = (from + self.rng.random_range(1..keys.len())) % keys.len();
                let n = self.sent.len() as u64;
                person.command(&match what {
                    What::Lookup => json!({ "do": "lookup", "name": name(to), "n": n }),
                    What::Ring => json!({ "do": "ring", "key": keys[to], "n": n }),
                })?;
                self.sent.insert(n, Sent { at, from, to, what });
            }
        }
        Ok(())
    }

    fn judge(&self, people: &mut [(Silbo, String)]) -> Outcome {
        let keys: Vec<String> = people.iter().map(|(_, key)| key.clone()).collect();
        let mut done: BTreeMap<(u64, &str), u64> = BTreeMap::new();
        let mut excuses: BTreeMap<u64, String> = BTreeMap::new();
        for (person, _) in people {
            for event in person.seen() {
                let Some(n) = event["n"].as_u64() else { continue };
                let ms = event["ms"].as_u64().unwrap_or(0);
                let right = |key: &String| event["keys"].as_array().is_some_and(|k| k.contains(&json!(key)));
                match event["event"].as_str() {
                    Some("lookup") if self.sent.get(&n).is_some_and(|sent| right(&keys[sent.to])) => {
                        done.insert((n, "lookup"), ms);
                    }
                    Some("rung") => drop(done.insert((n, "ring"), ms)),
                    Some("sent") => drop(excuses.insert(n, format!("taken after {ms} ms"))),
                    _ => drop(excuses.insert(n, event.to_string())),
                }
            }
        }
        let limit = LIMIT.as_millis() as u64;
        let mut outcome = Outcome {
            kills: self.kills,
            lookups: 0,
            lookups_failed: 0,
            lookup_worst_ms: 0,
            rings: 0,
            rings_failed: 0,
            ring_worst_ms: 0,
            faults: Vec::new(),
        };
        for (n, sent) in &self.sent {
            let (word, count, failed, worst) = match sent.what {
                What::Lookup => {
                    let o = &mut outcome;
                    ("lookup", &mut o.lookups, &mut o.lookups_failed, &mut o.lookup_worst_ms)
                }
                What::Ring => {
                    let o = &mut outcome;
                    ("ring", &mut o.rings, &mut o.rings_failed, &mut o.ring_worst_ms)
                }
            };
            *count += 1;
            let took = done.get(&(*n, word)).copied();
            *worst = (*worst).max(took.unwrap_or(0));
            if took.is_none_or(|took| took > limit) {
                *failed += 1;
                let excuse = excuses.get(n).map_or("silence", String::as_str);
                outcome.faults.push(format!(
                    "{:?} {} -> {} at {:.1} s: {}",
                    sent.what,
                    sent.from,
                    sent.to,
                    sent.at.as_secs_f64(),
                    took.map_or(excuse.to_owned(), |took| format!("took {took} ms")),
                ));
            }
        }
        outcome.faults.truncate(FAULTS);
        outcome
    }
}

/// Faults told one by one.
const FAULTS: usize = 20;
