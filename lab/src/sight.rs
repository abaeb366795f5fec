//! How soon two people see each other, and what seeing costs the processor.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde_json::json;

use crate::field::gauge::processor_time;
use crate::netns::Segment;
use crate::pair::{End, Pair, stats};
use crate::pictures::Films;
use crate::process::{Silbo, Turn};
use crate::script::{Cast, PATIENCE, Stage, unix_ms};

/// What a call with pictures both ways costs one end.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Effort {
    /// Of one core, in per cent.
    pub processor: f64,
    /// The height of what it sees.
    pub height: f64,
    /// Pictures it sees a second.
    pub frame_rate: f64,
}

/// How long the call finds out what the link carries, and how long is measured.
const SETTLES: Duration = Duration::from_secs(25);
const MEASURED: Duration = Duration::from_secs(20);

/// Two who talk film themselves for a while, over a link that carries it; of each end.
pub fn effort(segment: &Segment, films: &Films, folder: &Path) -> Result<[Effort; 2]> {
    std::fs::create_dir_all(folder)?;
    let camera = format!("file:{}", films.talking.display());
    let words = ["--mic", "silence", "--speaker", "null", "--camera", &camera];
    let end =
        |title, host| End { title, place: segment.host(host), words: &words, desktop: None, sound: None };
    let mut pair = Pair::call(&end("one", 1), &end("other", 2), folder)?;
    std::thread::sleep(SETTLES);
    let before = [counted(&mut pair.caller)?, counted(&mut pair.callee)?];
    std::thread::sleep(MEASURED);
    let after = [counted(&mut pair.caller)?, counted(&mut pair.callee)?];
    pair.hang_up()?;
    Ok([0, 1].map(|end| {
        let ((used_before, seen_before, _), (used, seen, height)) = (before[end], after[end]);
        Effort {
            processor: (used - used_before).as_secs_f64() / MEASURED.as_secs_f64() * 100.0,
            height,
            frame_rate: (seen - seen_before) / MEASURED.as_secs_f64(),
        }
    }))
}

/// Processor time, pictures seen and their height.
fn counted(end: &mut Silbo) -> Result<(Duration, f64, f64)> {
    let used = processor_time(end.id())?;
    let stats = stats(end)?;
    let number = |name: &str| stats[name].as_f64().with_context(|| format!("no {name} in {stats}"));
    Ok((used, number("video_frames")?, number("height")?))
}

/// Milliseconds from when bob picks up until he sees alice, and until she sees him; each link takes `link`.
pub fn first_pictures(
    link: &str,
    runs: usize,
    segment: &mut Segment,
    folder: &Path,
) -> Result<Vec<[f64; 2]>> {
    std::fs::create_dir_all(folder)?;
    for host in 1..=3 {
        segment.put_link(host, link, &folder.join(format!("journal-{host}")))?;
    }
    let (listen, relay_listen) = ((Segment::address(3), 4433).into(), (Segment::address(3), 3478).into());
    let cast = Cast {
        supernode: segment.host(3),
        listen,
        relay_listen,
        tcp_listen: None,
        caller: segment.host(1),
        callee: segment.host(2),
        turn: Turn::Usual,
    };
    let stage = Stage::open(cast, folder)?;
    stage.register_bob()?;
    let bob_key = stage.befriend()?;
    let media = ["--camera", "pattern", "--mic", "silence", "--speaker", "null"];
    let online = |name: &str, host| {
        let mut words = stage.person(name);
        let calls = runs.to_string();
        words.extend(["online", "--calls", &calls].into_iter().chain(media).map(str::to_owned));
        let mut silbo = Silbo::start(name, &segment.host(host), Turn::Usual, folder, &words)?;
        silbo.expect("online", PATIENCE)?;
        anyhow::Ok(silbo)
    };
    let (mut alice, mut bob) = (online("alice", 1)?, online("bob", 2)?);
    let mut times = Vec::new();
    for _ in 0..runs {
        alice.command(&json!({ "do": "call", "who": bob_key }))?;
        bob.expect("incoming", PATIENCE)?;
        std::thread::sleep(RINGS);
        let picked_up = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
        bob.command(&json!({ "do": "answer" }))?;
        let seen = [bob.expect("first_picture", PATIENCE)?, alice.expect("first_picture", PATIENCE)?];
        let mut time = [0.0; 2];
        for (time, seen) in time.iter_mut().zip(&seen) {
            *time = (unix_ms(seen)? - picked_up) as f64;
        }
        times.push(time);
        alice.command(&json!({ "do": "hangup" }))?;
        alice.expect("ended", PATIENCE)?;
        bob.expect("ended", PATIENCE)?;
    }
    alice.succeed(PATIENCE)?;
    bob.succeed(PATIENCE)?;
    Ok(times)
}

/// How long bob lets it ring.
const RINGS: Duration = Duration::from_secs(2);
