//! Two bare endpoints talk to each other through nothing but their JSON lines, and the one without a camera sees the other;
//! what makes no sense is said and changes nothing.

use anyhow::{Context as _, Result, ensure};
use lab::pair::Pair;
use lab::process::{Place, Silbo, Turn, poll};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const PATIENCE: Duration = Duration::from_secs(30);

const BLOCK: u64 = media::frame::BLOCK as u64;
const BLOCK_US: u64 = media::frame::BLOCK_TIME.as_micros() as u64;

/// How much of a call is looked at.
const BLOCKS: usize = 100;

#[test]
fn two_peers_talk_and_tell_when_each_block_was_handed_over() -> Result<()> {
    let folder = lab::leavings("peers")?;
    let meta = folder.join("meta.json");
    let mut offer = peer("offer", &["--wait", "--mic", "tone:440", "--camera", "pattern"], &folder)?;
    let file = meta.to_string_lossy();
    let mut answer = peer("answer", &["--hold-mic", "--mic", "tone:600", "--meta", &file], &folder)?;

    for nonsense in [
        json!("hello"),
        json!({ "t": "dance" }),
        json!({ "t": "answer", "sdp": "v=0" }),
        json!({ "t": "offer", "sdp": "x" }),
        json!({ "t": "restart" }),
    ] {
        answer.command(&nonsense)?;
        let error = said(&mut answer, "error")?;
        // What is said of a line does not repeat it.
        let message = error["message"].as_str().context("no sentence")?;
        ensure!(!message.contains("v=0"), "{message}");
    }
    offer.command(&json!({ "t": "call" }))?;
    let mut pair = Pair { caller: offer, callee: answer };
    pair.connect()?;
    let Pair { caller: mut offer, callee: mut answer } = pair;
    // What makes no sense in the middle of a call ends nothing.
    answer.command(&json!({ "t": "offer", "sdp": "v=0" }))?;
    said(&mut answer, "error")?;
    let released = unix_us();
    answer.command(&json!({ "t": "start" }))?;
    poll("sound and pictures", PATIENCE, || {
        answer.command(&json!({ "t": "stats" }))?;
        let stats = said(&mut answer, "stats")?;
        let flows =
            ["audio_tx", "audio_rx", "video_frames"].iter().all(|way| stats[way].as_u64() > Some(150));
        Ok(flows.then_some(()))
    })?;
    answer.command(&json!({ "t": "bye" }))?;
    // Whom the other end leaves has nothing left to do.
    for peer in [&mut answer, &mut offer] {
        peer.succeed(PATIENCE)?;
    }

    let meta: Value = serde_json::from_str(&std::fs::read_to_string(&meta)?)?;
    let captured = blocks(&meta["cap"])?;
    let played = blocks(&meta["play"])?;
    ensure!(captured.len() > BLOCKS && played.len() > captured.len(), "{} {}", captured.len(), played.len());
    ensure!(captured[0] >= released, "the microphone began before it was told to");
    for times in [&captured, &played] {
        ensure!(times.is_sorted(), "blocks were handed over out of order");
        // Nobody hands over more than time has passed, but for one block that was there already.
        let lasted = times.last().context("none")? - times[0];
        ensure!((times.len() as u64 - 2) * BLOCK_US <= lasted, "{} blocks in {lasted} us", times.len());
    }
    Ok(())
}

fn peer(role: &str, words: &[&str], folder: &Path) -> Result<Silbo> {
    let words = [&["--lab", "peer", role, "--speaker", "null"], words].concat();
    let mut peer = Silbo::start(role, &Place::Here, Turn::Usual, folder, &words)?;
    said(&mut peer, "ready")?;
    Ok(peer)
}

fn said(peer: &mut Silbo, kind: &str) -> Result<Value> {
    peer.expect_where(kind, PATIENCE, |line| line["t"] == kind)
}

/// When blocks were handed over; each begins where the last one ended.
fn blocks(listed: &Value) -> Result<Vec<u64>> {
    let listed: Vec<[u64; 3]> = serde_json::from_value(listed.clone())?;
    let follow =
        listed.iter().zip(0..).all(|([first, samples, _], nth)| (*first, *samples) == (nth * BLOCK, BLOCK));
    ensure!(follow, "blocks are missing");
    Ok(listed.into_iter().map(|[.., at]| at).collect())
}

fn unix_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as u64
}
