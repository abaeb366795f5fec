//! A cap of 1 Mbit/s under 5 Mbit/s of demand: three calls with picture, both ways, over the relay of a real supernode.

use super::supernode;
use crate::turn::{Party, relay_of};
use anyhow::Result;
use serde::Serialize;
use std::path::Path;
use std::time::{Duration, Instant};

/// The cap.
const KBPS: &str = "1000";
const CALLS: u8 = 3;

/// 20 ms of voice, and one of the packets of a picture.
const VOICE: [u8; 172] = [b'a'; 172];
const VIDEO: [u8; 1100] = [b'v'; 1100];
const VOICE_EVERY: Duration = Duration::from_millis(20);
const FRAME_EVERY: Duration = Duration::from_millis(100);
const FRAME: usize = 9;

/// IPv4, UDP and ChannelData headers: what leaves the relay for a client.
const OVERHEAD: usize = 32;

/// What was there before the cap held is not measured.
const WARM_UP: Duration = Duration::from_secs(2);
/// What is on its way at the end still counts as arrived.
const SETTLE: Duration = Duration::from_millis(500);
const NAP: Duration = Duration::from_millis(1);

/// What came through.
#[derive(Debug, Default, Serialize)]
pub struct Outcome {
    /// What was asked of the relay.
    pub demand_mbps: f64,
    /// What left it, headers included.
    pub relayed_mbps: f64,
    /// Voice packets sent, and those of them that never arrived.
    pub voice_sent: u64,
    /// See `voice_sent`.
    pub voice_lost: u64,
    /// Video packets sent, and those of them that arrived.
    pub video_sent: u64,
    /// See `video_sent`.
    pub video_arrived: u64,
}

/// One end of a call: when it says what next.
struct End {
    party: Party,
    voice_at: Instant,
    frame_at: Instant,
}

/// Measures for so long.
pub fn play(length: Duration, folder: &Path) -> Result<Outcome> {
    let (_supernode, relay) = supernode(folder, &["--max-kbps", KBPS])?;
    let (server, credentials) = relay_of(&relay)?;
    let mut ends = Vec::new();
    for call in 0..CALLS {
        ends.extend(Party::pair(server, &credentials, 2 * call + 1)?);
    }
    let began = Instant::now();
    let count = ends.len() as u32;
    let later = |every: Duration, n: u32| began + every * n / count;
    let mut ends: Vec<End> = ends
        .into_iter()
        .zip(0..)
        .map(|(party, n)| End { party, voice_at: later(VOICE_EVERY, n), frame_at: later(FRAME_EVERY, n) })
        .collect();
    let (from, to) = (began + WARM_UP, began + WARM_UP + length);
    let mut outcome = Outcome::default();
    let (mut offered, mut arrived, mut voice_arrived) = (0, 0, 0);
    loop {
        let now = Instant::now();
        if now >= to + SETTLE {
            break;
        }
        for end in &mut ends {
            while end.voice_at <= now && end.voice_at < to {
                end.party.say(&VOICE)?;
                outcome.voice_sent += 1;
                offered += usize::from(end.voice_at >= from) * (VOICE.len() + OVERHEAD);
                end.voice_at += VOICE_EVERY;
            }
            while end.frame_at <= now && end.frame_at < to {
                for _ in 0..FRAME {
                    end.party.say(&VIDEO)?;
                }
                outcome.video_sent += FRAME as u64;
                offered += usize::from(end.frame_at >= from) * FRAME * (VIDEO.len() + OVERHEAD);
                end.frame_at += FRAME_EVERY;
            }
            end.party.step(|payload| {
                match payload.first() {
                    Some(b'a') => voice_arrived += 1,
                    _ => outcome.video_arrived += 1,
                }
                if (from..to).contains(&now) {
                    arrived += payload.len() + OVERHEAD;
                }
            })?;
        }
        std::thread::sleep(NAP);
    }
    outcome.voice_lost = outcome.voice_sent - voice_arrived;
    let mbps = |bytes: usize| bytes as f64 * 8.0 / length.as_secs_f64() / 1e6;
    (outcome.demand_mbps, outcome.relayed_mbps) = (mbps(offered), mbps(arrived));
    Ok(outcome)
}
