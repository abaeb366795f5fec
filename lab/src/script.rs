//! The scripted call: a supernode, `bob` who answers, `alice` who calls him, both speaking from a file and recording
//! what they hear; exactly the commands a person would type.

use crate::netns::{Home, Internet, PUBLIC};
use crate::ports;
use crate::process::{Place, Silbo, Turn};
use crate::quality::{self, Quality};
use crate::speech;
use crate::stall::StallWatch;
use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde::Serialize;
use serde_json::Value;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Patience for anything that takes a network round trip or a process start. Far above what is normal: it turns a hang
/// into a failure and judges no speed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Who runs where.
#[derive(Debug, Clone)]
pub struct Cast {
    /// Where the supernode runs.
    pub supernode: Place,
    /// Its QUIC address.
    pub listen: SocketAddr,
    /// Its STUN and TURN address.
    pub relay_listen: SocketAddr,
    /// Where it serves links and TURN over TCP too.
    pub tcp_listen: Option<SocketAddr>,
    /// Where alice runs.
    pub caller: Place,
    /// Where bob runs.
    pub callee: Place,
    /// When they all get the processor.
    pub turn: Turn,
}

impl Cast {
    /// Everybody on this machine's loopback, the supernode on ports that are free now.
    pub fn loopback(turn: Turn) -> Result<Self> {
        let [listen, relay_listen] = ports::free(2)?[..] else { bail!("two ports were asked for") };
        let [supernode, caller, callee] = [Place::Here, Place::Here, Place::Here];
        Ok(Self { supernode, listen, relay_listen, tcp_listen: None, caller, callee, turn })
    }

    /// The supernode on the public host, whoever is in this home calls, whoever is in the other one answers.
    pub fn at_homes(internet: &Internet, caller: Home) -> Self {
        let callee = match caller {
            Home::A => Home::B,
            Home::B => Home::A,
        };
        Self {
            supernode: internet.public_host(),
            listen: (PUBLIC, 4433).into(),
            relay_listen: (PUBLIC, 3478).into(),
            tcp_listen: Some((PUBLIC, 443).into()),
            caller: caller.host(),
            callee: callee.host(),
            turn: Turn::First,
        }
    }
}

/// When bob answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// Whoever calls, at once.
    AtOnce,
    /// When he is told to; only contacts ring.
    WhenTold,
}

/// A running supernode and what is needed to put people on it.
#[derive(Debug)]
pub struct Stage {
    cast: Cast,
    folder: PathBuf,
    supernode: Silbo,
    /// What people are told of it.
    doors: Vec<SocketAddr>,
    /// What they speak; nothing is the speech that is scored.
    microphone: Option<String>,
}

impl Stage {
    /// Starts the supernode; profiles, logs, events and recordings go to `folder`.
    pub fn open(cast: Cast, folder: &Path) -> Result<Self> {
        let mut arguments = network(&cast.supernode, &[], &folder.join("supernode"));
        arguments.extend(["supernode".into(), "--listen".into(), cast.listen.to_string()]);
        arguments.extend(["--relay-listen".into(), cast.relay_listen.to_string()]);
        if let Some(listen) = cast.tcp_listen {
            arguments.extend(["--tcp-listen".into(), listen.to_string()]);
        }
        let mut supernode = Silbo::start("supernode", &cast.supernode, cast.turn, folder, &arguments)?;
        supernode.expect("relay", PATIENCE)?;
        let doors = vec![cast.listen];
        Ok(Self { cast, folder: folder.to_owned(), supernode, doors, microphone: None })
    }

    /// People are told these addresses of the network, as when it listens on more than one.
    pub fn found_at(mut self, doors: &[SocketAddr]) -> Self {
        self.doors = doors.to_vec();
        self
    }

    /// People speak this, as `--mic` takes it: sound is heard then, and not scored.
    pub fn spoken_by(mut self, microphone: &str) -> Self {
        self.microphone = Some(microphone.to_owned());
        self
    }

    /// Starts one more supernode on the host of the first, at another of its addresses and the same ports.
    pub fn add_supernode(&self, title: &str, address: Ipv4Addr) -> Result<Silbo> {
        let mut arguments = self.person(title);
        let at = |first: SocketAddr| SocketAddr::from((address, first.port())).to_string();
        arguments.extend(["supernode".into(), "--listen".into(), at(self.cast.listen)]);
        arguments.extend(["--relay-listen".into(), at(self.cast.relay_listen)]);
        if let Some(listen) = self.cast.tcp_listen {
            arguments.extend(["--tcp-listen".into(), at(listen)]);
        }
        let mut supernode =
            Silbo::start(title, &self.cast.supernode, self.cast.turn, &self.folder, &arguments)?;
        supernode.expect("relay", PATIENCE)?;
        Ok(supernode)
    }

    /// The supernode's address for `--bootstrap`.
    pub fn bootstrap(&self) -> SocketAddr {
        self.cast.listen
    }

    /// The supernode itself.
    pub fn supernode(&mut self) -> &mut Silbo {
        &mut self.supernode
    }

    /// Global options of a person of this network; every person has a profile.
    pub fn person(&self, name: &str) -> Vec<String> {
        // Both are either behind routers of the lab, or on this machine itself.
        network(&self.cast.caller, &self.doors, &self.folder.join(name))
    }

    /// Claims `bob` for bob's profile and waits until the command has succeeded.
    pub fn register_bob(&self) -> Result<()> {
        let mut arguments = self.person("bob");
        arguments.extend(["register".into(), "bob".into()]);
        let mut register =
            Silbo::start("register", &self.cast.callee, self.cast.turn, &self.folder, &arguments)?;
        register.expect("registered", PATIENCE)?;
        register.succeed(PATIENCE)
    }

    /// Puts bob online; he answers `calls` calls, and then his process ends.
    pub fn bob(&self, calls: u32) -> Result<Silbo> {
        self.bob_who(calls, Answers::AtOnce)
    }

    /// The same, and when he answers.
    pub fn bob_who(&self, calls: u32, answers: Answers) -> Result<Silbo> {
        let mut arguments = self.person("bob");
        arguments.extend(["online".into(), "--calls".into(), calls.to_string()]);
        if answers == Answers::AtOnce {
            arguments.push("--auto-answer".into());
        }
        arguments.extend(self.voice("bob")?);
        let mut bob = Silbo::start("bob", &self.cast.callee, self.cast.turn, &self.folder, &arguments)?;
        bob.expect("online", PATIENCE)?;
        Ok(bob)
    }

    /// Alice and bob add each other to their contacts; bob's key.
    pub fn befriend(&self) -> Result<String> {
        let add = |place: &Place, name: &str, whom: &str| {
            let mut arguments = self.person(name);
            arguments.extend(["contact".into(), "add".into(), whom.into()]);
            let title = format!("{name}-adds");
            let mut add = Silbo::start(&title, place, self.cast.turn, &self.folder, &arguments)?;
            let contact = add.expect("contact", PATIENCE)?;
            add.succeed(PATIENCE)?;
            // Who adds a key does so without going online.
            let own = add.seen_named("role").pop();
            anyhow::Ok((own, text(&contact, "key")))
        };
        let (alice, bob) = add(&self.cast.caller, "alice", "bob")?;
        add(&self.cast.callee, "bob", &text(&alice.context("no `role` event")?, "key"))?;
        Ok(bob)
    }

    /// Alice calls bob by his name. With a length her call ends by itself, else it waits for a hang-up.
    pub fn alice(&self, length: Option<Duration>) -> Result<Silbo> {
        self.alice_calls("bob", length)
    }

    /// The same, by whatever he is called.
    pub fn alice_calls(&self, who: &str, length: Option<Duration>) -> Result<Silbo> {
        let length = length.map(|length| length.as_secs().to_string());
        let words: Vec<&str> = ["call", who]
            .into_iter()
            .chain(length.iter().flat_map(|length| ["--duration", length]))
            .collect();
        self.start_alice("alice", &words)
    }

    /// Puts alice online, to be told to call so often.
    pub fn alice_online(&self, calls: u32) -> Result<Silbo> {
        let mut alice = self.start_alice("alice", &["online", "--calls", &calls.to_string()])?;
        alice.expect("online", PATIENCE)?;
        Ok(alice)
    }

    /// Starts alice with these words, and her voice.
    pub fn start_alice(&self, title: &str, words: &[&str]) -> Result<Silbo> {
        let mut arguments = self.person("alice");
        arguments.extend(words.iter().map(|word| (*word).to_owned()));
        arguments.extend(self.voice("alice")?);
        Silbo::start(title, &self.cast.caller, self.cast.turn, &self.folder, &arguments)
    }

    /// Plays one whole call of `length` and scores what both heard.
    pub fn play(&self, length: Duration) -> Result<Report> {
        self.register_bob()?;
        let mut bob = self.bob(1)?;
        let mut alice = self.alice(Some(length))?;
        alice.succeed(PATIENCE + length)?;
        bob.succeed(PATIENCE)?;
        self.report(&mut alice, &mut bob)
    }

    /// What a finished call was like.
    pub fn report(&self, alice: &mut Silbo, bob: &mut Silbo) -> Result<Report> {
        let calling = time_of(alice, "calling")?;
        let flowing = time_of(alice, "media_flowing")?;
        let ended =
            |who: &mut Silbo| who.seen_named("ended").pop().with_context(|| "no `ended` event".to_owned());
        let (alice_ended, bob_ended) = (ended(alice)?, ended(bob)?);
        let speech = speech::file()?;
        Ok(Report {
            setup_ms: flowing - calling,
            hang_up_ms: unix_ms(&bob_ended)? - unix_ms(&alice_ended)?,
            alice_path: Way::last_of(alice)?,
            bob_path: Way::last_of(bob)?,
            machine_stalled_ms: 0,
            alice_ended: text(&alice_ended, "reason"),
            bob_ended: text(&bob_ended, "reason"),
            alice_heard: quality::score(&speech, &self.recording("alice"))?,
            bob_heard: quality::score(&speech, &self.recording("bob"))?,
        })
    }

    /// What somebody's loudspeaker played.
    pub fn recording(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}-heard.wav"))
    }

    fn voice(&self, name: &str) -> Result<[String; 4]> {
        let heard = self.recording(name);
        let microphone = match &self.microphone {
            Some(microphone) => microphone.clone(),
            None => format!("file:{}", speech::file()?.display()),
        };
        Ok(["--mic".into(), microphone, "--speaker".into(), format!("file:{}", heard.display())])
    }
}

/// The global options of any node of a lab network. Routers outside of the lab are left alone.
fn network(place: &Place, doors: &[SocketAddr], profile: &Path) -> Vec<String> {
    let mut options = vec!["--lab".into(), "--no-mdns".into()];
    if !matches!(place, Place::Namespace(_)) {
        options.push("--no-portmap".into());
    }
    options.extend(["--profile".into(), profile.display().to_string()]);
    for address in doors {
        options.extend(["--bootstrap".into(), address.to_string()]);
    }
    options
}

/// One call, judged.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// From alice's `calling` to her first `media_flowing`.
    pub setup_ms: i64,
    /// From alice's `ended` to bob's; negative when bob was told first.
    pub hang_up_ms: i64,
    /// The last path alice's side reported.
    pub alice_path: Way,
    /// The last path bob's side reported.
    pub bob_path: Way,
    /// How long this machine stood still while the call was made, as far as it was watched (see [`fairly`]).
    pub machine_stalled_ms: u128,
    /// Why it ended, says alice.
    pub alice_ended: String,
    /// Why it ended, says bob.
    pub bob_ended: String,
    /// Bob's speech as alice heard it.
    pub alice_heard: Quality,
    /// Alice's speech as bob heard it.
    pub bob_heard: Quality,
}

impl Report {
    /// What is wrong with this call, in words; empty when nothing is.
    pub fn faults(&self, expected: Expected) -> Vec<String> {
        let mut faults = Vec::new();
        for (who, path) in [("alice", &self.alice_path), ("bob", &self.bob_path)] {
            if path.direct != (expected == Expected::Direct) {
                faults.push(format!("{who}'s path is {path}, expected {expected:?}"));
            }
        }
        faults.extend(self.bad_sound());
        faults
    }

    /// What was heard below the bar, in words.
    pub fn bad_sound(&self) -> Vec<String> {
        [("alice", &self.alice_heard), ("bob", &self.bob_heard)]
            .into_iter()
            .filter(|(_, heard)| heard.mean < quality::BAR)
            .map(|(who, heard)| format!("{who} heard PESQ-WB {:.2}, the bar is {}", heard.mean, quality::BAR))
            .collect()
    }
}

/// Makes a call, and makes it again when it sounded bad while this machine stood still: that was no fair hearing.
/// Everything but the sound is judged at the first attempt, and the last attempt stands whatever it was.
pub fn fairly(mut attempt: impl FnMut() -> Result<Report>) -> Result<Report> {
    for left in (0..ATTEMPTS).rev() {
        let watch = StallWatch::start()?;
        let mut report = attempt()?;
        let stalled = watch.stop();
        report.machine_stalled_ms = stalled.as_millis();
        if left == 0 || stalled < UNFAIR || report.bad_sound().is_empty() {
            return Ok(report);
        }
        let faults = report.bad_sound().join(", ");
        writeln!(
            std::io::stderr(),
            "this machine stood still for {stalled:?} during a call ({faults}): making it again"
        )?;
    }
    Err(anyhow!("no attempt was made"))
}

/// Attempts at a call on a machine that stalls.
const ATTEMPTS: u32 = 3;
/// Standing still for less is heard by nobody: the jitter buffer covers it.
const UNFAIR: Duration = Duration::from_millis(100);

/// The path a case must end on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Expected {
    /// From host to host.
    Direct,
    /// Through the supernode's relay.
    Relayed,
}

/// One side's view of the way its media takes.
#[derive(Debug, Clone, Serialize)]
pub struct Way {
    /// Our candidate's kind.
    pub local: String,
    /// Their candidate's kind.
    pub remote: String,
    /// Whether no relay is on the way.
    pub direct: bool,
    /// What carries our packets: to the relay, where one of ours is used.
    pub protocol: String,
    /// There and back, once measured.
    pub rtt_ms: Option<f64>,
}

impl Way {
    fn last_of(who: &mut Silbo) -> Result<Self> {
        Self::last_among(who.seen()).context("no `path` event that says whether it is direct")
    }

    /// The last one told of.
    pub fn last_among(events: &[Value]) -> Option<Self> {
        let path = events.iter().rev().find(|event| event["event"] == "path")?;
        let direct = path["direct"].as_bool()?;
        let [local, remote, protocol] = ["local", "remote", "protocol"].map(|field| text(path, field));
        Some(Self { local, remote, direct, protocol, rtt_ms: path["rtt_ms"].as_f64() })
    }
}

impl std::fmt::Display for Way {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = if self.direct { "direct" } else { "relayed" };
        write!(out, "{kind} ({} to {}, {})", self.local, self.remote, self.protocol)
    }
}

/// `t_ms` of the first event called `name` (for `media_flowing`: the first that tells of sound coming in).
fn time_of(who: &mut Silbo, name: &str) -> Result<i64> {
    let events = who.seen_named(name);
    let first = events.iter().find(|event| event["direction"] != "send");
    first.and_then(|event| event["t_ms"].as_i64()).with_context(|| format!("no `{name}` event with a time"))
}

/// The wall clock of an event.
pub fn unix_ms(event: &Value) -> Result<i64> {
    event["unix_ms"].as_i64().with_context(|| format!("no unix_ms in {event}"))
}

fn text(event: &Value, field: &str) -> String {
    event[field].as_str().unwrap_or("?").to_owned()
}

/// Insists that nothing is wrong.
pub fn flawless(report: &Report, expected: Expected) -> Result<()> {
    let faults = report.faults(expected);
    ensure!(faults.is_empty(), "{}\n{report:#?}", faults.join("\n"));
    Ok(())
}
