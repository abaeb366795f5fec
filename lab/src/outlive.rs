//! Calls that outlive what carries them: real `silbo` processes behind NATs, whose relays are killed or stopped, whose
//! direct way is cut and whose address changes while they talk, and how much of the sound is missed.
//!
//! ```text
//!   a ── ra (NAT) ──┐                                                  ┌── NAT rb ── b
//!  alice            ├── segment ── s, s1, s2 ...: supernodes, relays ──┤            bob
//!                   └──────────────────────────────────────────────────┘
//!   talk 5 s ── fault ── 1.5 s ── settle ── (next fault ...) ── hang up
//!                 └ missing at each listener in the seconds that touch [fault − 0.1 s, fault + 1.5 s]
//! ```
//!
//! What is missing is what the listener's jitter buffer had to make up, or the sound in the packets that never came if that
//! is more, as told once a second (`stats`): whole seconds are counted, so it is never too little. That sound is there at all is judged by the recordings. A fault while the machine
//! itself stood still is no measurement and is left out, see [`stall`].

use crate::netns::{Home, Internet, Nat};
use crate::process::{Place, Silbo, Turn, run};
use crate::script::unix_ms;
use crate::stall::{STALL, StallLog};
use crate::{speech, stall};
use anyhow::{Context as _, Result, ensure};
use relay::nat::Uplink;
use serde::Serialize;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Turns a hang into a failure and judges no speed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Sound before the first fault: relays are allocated and proven by then.
const TALK: Duration = Duration::from_secs(5);

/// From before to after a fault, in milliseconds: what is missing then is the fault's doing.
pub(crate) const BEFORE_MS: i64 = 100;
pub(crate) const AFTER_MS: i64 = 1500;
/// The same where the fault is that an address is gone: sound may be away for longer.
const AFTER_MOVE_MS: i64 = 4000;

/// Between two faults of a call, and after the last.
const SETTLE: Duration = Duration::from_secs(12);
const LAST: Duration = Duration::from_secs(4);

/// How long packets are counted to see who relays, and how many of a call's two directions there must be.
const LISTEN: Duration = Duration::from_secs(1);
const FLOWING: u64 = 25;

/// Quieter than this, on average over two seconds, nobody spoke.
pub(crate) const AUDIBLE: f64 = 0.003;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The supernode whose relay is used is killed.
    RelayKilled,
    /// It is stopped: its machine answers nothing any more, and closes nothing.
    RelayStopped,
    /// The same, where no UDP passes and relays are reached over TCP.
    RelayStoppedWithoutUdp,
    /// Relays are killed one after the other, each while it is used, until one is left.
    RelaysKilledInTurn,
    /// The routers drop what goes straight from one home to the other.
    DirectCut,
    /// Alice's computer gets another address.
    UplinkMoved,
    /// The same, where only relays connect the two: they know an allocation by its owner's address.
    UplinkMovedRelayed,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::RelayKilled,
        Self::RelayStopped,
        Self::RelayStoppedWithoutUdp,
        Self::RelaysKilledInTurn,
        Self::DirectCut,
        Self::UplinkMoved,
        Self::UplinkMovedRelayed,
    ];

    /// Hard NATs at both ends leave only relays; a direct way needs gentler ones.
    const fn nat(self) -> Nat {
        match self {
            Self::RelayKilled | Self::RelayStopped | Self::RelaysKilledInTurn | Self::UplinkMovedRelayed => {
                Nat::Uplink(Uplink::Symmetric)
            }
            Self::RelayStoppedWithoutUdp => Nat::Uplink(Uplink::UdpBlocked),
            Self::DirectCut | Self::UplinkMoved => Nat::Uplink(Uplink::PortRestricted),
        }
    }
}

/// One fault in one call.
#[derive(Debug, Clone, Serialize)]
pub struct Missing {
    /// At alice.
    pub alice_ms: f64,
    /// At bob.
    pub bob_ms: f64,
    /// The longest time this machine stood still meanwhile.
    pub machine_stalled_ms: i64,
}

impl Missing {
    /// Where more is missing.
    pub fn worst_ms(&self) -> f64 {
        self.alice_ms.max(self.bob_ms)
    }

    /// Whether the machine was the same all the time.
    pub fn is_fair(&self) -> bool {
        u128::try_from(self.machine_stalled_ms).is_ok_and(|ms| ms <= STALL.as_millis())
    }
}

/// Supernodes on all public hosts, which live from call to call, and what watches the machine.
#[derive(Debug)]
pub struct Town {
    pub(crate) internet: Internet,
    pub(crate) folder: PathBuf,
    hubs: Vec<Hub>,
    pub(crate) stalls: StallLog,
}

#[derive(Debug)]
struct Hub {
    name: String,
    place: Place,
    address: Ipv4Addr,
    /// `None` while it is dead.
    process: Option<Silbo>,
}

impl Hub {
    fn signal(&self, name: &str) -> Result<()> {
        self.process.as_ref().with_context(|| format!("{} is dead", self.name))?.signal(name)
    }

    fn kill(&mut self) -> Result<()> {
        self.process.take().with_context(|| format!("{} is dead", self.name))?.kill()
    }
}

impl Town {
    /// Starts the supernodes, and lets bob claim his name.
    pub fn open(supernodes: u8, folder: &Path) -> Result<Self> {
        let internet = Internet::with_public_hosts(supernodes)?;
        let stalls = StallLog::start(folder)?;
        let hosts = internet.public_hosts().to_vec();
        let hubs = hosts.into_iter().map(|(place, address)| Hub {
            name: format!("hub-{address}"),
            place,
            address,
            process: None,
        });
        let mut town = Self { hubs: hubs.collect(), internet, folder: folder.to_owned(), stalls };
        for n in 0..town.hubs.len() {
            town.revive(n)?;
        }
        let mut register = town.person("bob", Home::B, &["register", "bob"])?;
        register.succeed(PATIENCE)?;
        Ok(town)
    }

    /// Makes one call and lets the fault happen; what was missed, once for each time.
    pub fn play(&mut self, fault: Fault) -> Result<Vec<Missing>> {
        for n in 0..self.hubs.len() {
            self.revive(n)?;
        }
        for home in [Home::A, Home::B] {
            self.internet.set_nat(home, fault.nat())?;
        }
        let played = self.call(fault);
        if matches!(fault, Fault::UplinkMoved | Fault::UplinkMovedRelayed) {
            // Whether or not the move came about.
            let _ = self.internet.move_host(Home::A, 3, 2);
        }
        for hub in self.hubs.iter().filter(|hub| hub.process.is_some()) {
            hub.signal("CONT")?;
        }
        played
    }

    /// What alice's and bob's loudspeakers play.
    pub(crate) fn recordings(&self) -> [PathBuf; 2] {
        ["alice", "bob"].map(|name| self.folder.join(format!("{name}-heard.wav")))
    }

    /// Alice calls bob, who has two homes and answers at once; both hear each other.
    pub(crate) fn connect(&self) -> Result<[Silbo; 2]> {
        let speech = speech::long_file()?.display().to_string();
        let voice = |heard: &Path| [format!("file:{speech}"), format!("file:{}", heard.display())];
        let [alice_hears, bob_hears] = self.recordings();
        let [mic, speaker] = voice(&bob_hears);
        let answering = ["online", "--auto-answer", "--calls", "1", "--mic", &mic, "--speaker", &speaker];
        let mut bob = self.person("bob", Home::B, &answering)?;
        bob.expect_where("online with two homes", PATIENCE, |event| {
            event["event"] == "online" && event["home_supernodes"].as_u64() >= Some(2)
        })?;
        let [mic, speaker] = voice(&alice_hears);
        let calling = ["call", "bob", "--mic", &mic, "--speaker", &speaker];
        let mut both = [self.person("alice", Home::A, &calling)?, bob];
        for who in &mut both {
            who.expect_where("sound both ways", PATIENCE, |event| {
                event["event"] == "media_flowing" && event["direction"] == "both"
            })?;
        }
        Ok(both)
    }

    fn call(&mut self, fault: Fault) -> Result<Vec<Missing>> {
        let heard = self.recordings();
        let mut both = self.connect()?;
        std::thread::sleep(TALK);
        let mut missing = Vec::new();
        match fault {
            Fault::RelayKilled => missing.push(self.strike(&mut both, Hub::kill)?),
            Fault::RelayStopped | Fault::RelayStoppedWithoutUdp => {
                missing.push(self.strike(&mut both, |hub| hub.signal("STOP"))?)
            }
            Fault::RelaysKilledInTurn => {
                for n in 1..self.hubs.len() {
                    if n > 1 {
                        std::thread::sleep(SETTLE);
                    }
                    missing.push(self.strike(&mut both, Hub::kill)?);
                }
            }
            Fault::DirectCut => {
                for who in &mut both {
                    ensure!(way(who)?["direct"] == true, "the call is not direct: {}", way(who)?);
                }
                let at = stall::unix_ms();
                self.internet.part_homes()?;
                missing.push(self.missed(&mut both, at, AFTER_MS)?);
            }
            Fault::UplinkMoved | Fault::UplinkMovedRelayed => {
                let at = stall::unix_ms();
                self.internet.move_host(Home::A, 2, 3)?;
                missing.push(self.missed(&mut both, at, AFTER_MOVE_MS)?);
            }
        }
        std::thread::sleep(LAST);
        let [mut alice, mut bob] = both;
        for who in [&mut alice, &mut bob] {
            ensure!(
                who.seen_named("ended").is_empty(),
                "the call ended by itself: {:?}",
                who.seen_named("ended")
            );
        }
        alice.command(&json!({ "do": "hangup" }))?;
        alice.succeed(PATIENCE)?;
        bob.succeed(PATIENCE)?;
        for (who, recording) in ["alice", "bob"].iter().zip(&heard) {
            let loudness = loudness_at_the_end(recording)?;
            ensure!(loudness > AUDIBLE, "{who} heard nothing in the end ({loudness:.5})");
        }
        Ok(missing)
    }

    /// Does something to the supernode whose relay the call goes through.
    fn strike(
        &mut self,
        both: &mut [Silbo; 2],
        blow: impl FnOnce(&mut Hub) -> Result<()>,
    ) -> Result<Missing> {
        for who in both.iter_mut() {
            let way = way(who)?;
            ensure!(way["direct"] == false, "the call is not relayed: {way}");
        }
        let used = self.busiest()?;
        let at = stall::unix_ms();
        blow(&mut self.hubs[used])?;
        self.missed(both, at, AFTER_MS)
    }

    /// Which supernode relays the call: an end that sends to a relay of the other one's does not say whose that is, but
    /// fifty packets a second do.
    fn busiest(&self) -> Result<usize> {
        let counts = || {
            let live = self.hubs.iter().enumerate().filter(|(_, hub)| hub.process.is_some());
            let count = |(nth, hub): (usize, &Hub)| {
                let counter = ["/sys/class/net/wan/statistics/rx_packets"];
                let said = run(hub.place.command("cat").args(counter))?;
                Ok((nth, said.parse::<u64>()?))
            };
            live.map(count).collect::<Result<Vec<_>>>()
        };
        let before = counts()?;
        std::thread::sleep(LISTEN);
        let after = counts()?;
        let received = before.iter().zip(&after).map(|((nth, before), (_, after))| (after - before, *nth));
        let (packets, nth) = received.max().context("no supernode lives")?;
        ensure!(packets >= FLOWING, "no supernode relays the call: {packets} packets in {LISTEN:?} at most");
        Ok(nth)
    }

    fn missed(&mut self, both: &mut [Silbo; 2], at: i64, after_ms: i64) -> Result<Missing> {
        let (from, to) = (at - BEFORE_MS, at + after_ms);
        let mut missed = [0.0; 2];
        for (who, missed) in both.iter_mut().zip(&mut missed) {
            *missed = missed_by(who, from, to)?;
        }
        let [alice_ms, bob_ms] = missed;
        Ok(Missing { alice_ms, bob_ms, machine_stalled_ms: self.stalls.longest(from, to) })
    }

    /// Starts a supernode that is dead.
    fn revive(&mut self, nth: usize) -> Result<()> {
        if self.hubs[nth].process.is_some() {
            return Ok(());
        }
        let others = self.bootstrap(|address| address != self.hubs[nth].address);
        let Hub { name, place, address, .. } = &self.hubs[nth];
        let name = name.clone();
        let [listen, relay, tcp] = [4433, 3478, 443].map(|port| format!("{address}:{port}"));
        let mut arguments = self.network(&name);
        arguments.extend(["--bootstrap".into(), others]);
        arguments.extend(["supernode", "--listen", &listen].map(str::to_owned));
        arguments.extend(["--relay-listen", &relay, "--tcp-listen", &tcp].map(str::to_owned));
        let mut process = Silbo::start(&name, place, Turn::First, &self.folder, &arguments)?;
        process.expect("relay", PATIENCE)?;
        self.hubs[nth].process = Some(process);
        Ok(())
    }

    fn person(&self, name: &str, home: Home, words: &[&str]) -> Result<Silbo> {
        let mut arguments = self.network(name);
        arguments.extend(["--bootstrap".into(), self.bootstrap(|_| true)]);
        arguments.extend(words.iter().map(|word| (*word).to_owned()));
        Silbo::start(name, &home.host(), Turn::First, &self.folder, &arguments)
    }

    fn bootstrap(&self, which: impl Fn(Ipv4Addr) -> bool) -> String {
        let hubs = self.hubs.iter().filter(|hub| which(hub.address));
        hubs.map(|hub| format!("{}:4433", hub.address)).collect::<Vec<_>>().join(",")
    }

    fn network(&self, name: &str) -> Vec<String> {
        let profile = self.folder.join(format!("{name}-profile")).display().to_string();
        vec!["--lab".into(), "--no-mdns".into(), "--profile".into(), profile]
    }
}

/// What somebody missed in the seconds that touch a stretch of time, in milliseconds.
pub(crate) fn missed_by(who: &mut Silbo, from: i64, to: i64) -> Result<f64> {
    // Told after the second it is about.
    who.expect_where("stats of the seconds after the fault", PATIENCE, |event| {
        event["event"] == "stats" && unix_ms(event).is_ok_and(|told| told - 1000 >= to)
    })?;
    let (mut made_up, mut lost) = (0.0f64, 0.0f64);
    for stats in who.seen_named("stats") {
        let told = unix_ms(&stats)?;
        if told >= from && told - 1000 <= to {
            let share = |field: &str| stats[field].as_f64().with_context(|| format!("no {field}"));
            made_up += 1000.0 * share("concealed_ratio")?;
            lost += 1000.0 * share("loss")?;
        }
    }
    Ok(made_up.max(lost))
}

/// The way somebody's packets take now.
fn way(who: &mut Silbo) -> Result<Value> {
    who.seen_named("path").pop().context("no `path` event")
}

/// Root mean square of the last two seconds of a recording, 1 being full scale.
pub(crate) fn loudness_at_the_end(recording: &Path) -> Result<f64> {
    let reader = hound::WavReader::open(recording)?;
    let rate = reader.spec().sample_rate as usize;
    let samples = reader.into_samples::<i16>().collect::<Result<Vec<_>, _>>()?;
    // The very end may be the farewell's.
    let end = samples.len().saturating_sub(rate / 2);
    let last = &samples[end.saturating_sub(2 * rate)..end];
    ensure!(last.len() == 2 * rate, "{} is too short", recording.display());
    let energy: f64 = last.iter().map(|sample| (f64::from(*sample) / 32768.0).powi(2)).sum();
    Ok((energy / last.len() as f64).sqrt())
}
