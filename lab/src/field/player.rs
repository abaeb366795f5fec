//! A leaf that does what it is told: one process, one node of the overlay, commands and events as JSON lines.
//!
//! ```text
//!   {"do":"register","name":"ada"}          -> {"event":"registered","ok":true}
//!   {"do":"lookup","name":"ada","n":1}      -> {"event":"lookup","n":1,"ok":true,"keys":["…"],"ms":12}
//!   {"do":"ring","key":"…","n":2}           -> at the other player: {"event":"rung","n":2,"ms":15}
//! ```

use anyhow::{Context as _, Result, bail};
use overlay::driver::{self, Config, Event, Handle, Mdns};
use overlay::{Identity, Network, Username};
use serde_json::{Value, json};
use std::io::Write as _;
use std::time::{Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncBufReadExt as _, BufReader};

/// The argument with which the bench runs as a player.
pub const WORD: &str = "player";

/// Plays until standard input ends; `bootstrap` as in [`Config::bootstrap`].
pub fn play(bootstrap: Vec<String>) -> Result<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(act(bootstrap))
}

async fn act(bootstrap: Vec<String>) -> Result<()> {
    let identity = Identity::from_secret(rand::random());
    tell(&json!({ "event": "key", "key": identity.public_key().to_string() }))?;
    let config = Config { bootstrap, mdns: Mdns::Off, ..Config::leaf(Network::Lab) };
    let (node, mut events) = driver::start(config, identity).await?;
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Some(Event::Online { homes, .. }) => tell(&json!({ "event": "online", "homes": homes }))?,
                Some(Event::Offline { .. }) => tell(&json!({ "event": "offline" }))?,
                Some(Event::Envelope { payload, .. }) => rung(&payload)?,
                Some(_) => {}
                None => bail!("the node ended"),
            },
            line = lines.next_line() => match line? {
                Some(line) => {
                    let command: Value = serde_json::from_str(&line)?;
                    tokio::spawn(obey(node.clone(), command));
                }
                None => return Ok(()),
            },
        }
    }
}

async fn obey(node: Handle, command: Value) {
    if let Err(error) = try_to_obey(node, &command).await {
        let _ = tell(&json!({ "event": "failed", "n": command["n"], "why": error.to_string() }));
    }
}

async fn try_to_obey(node: Handle, command: &Value) -> Result<()> {
    let name = || Username::parse(command["name"].as_str().unwrap_or_default());
    let began = Instant::now();
    match command["do"].as_str() {
        Some("register") => {
            let ok = node.register(name()?).await.is_ok();
            tell(&json!({ "event": "registered", "ok": ok }))
        }
        Some("lookup") => {
            let found = node.lookup(name()?).await?;
            let keys: Vec<String> = found.claims.iter().map(|claim| claim.key.to_string()).collect();
            let ms = began.elapsed().as_millis() as u64;
            tell(&json!({ "event": "lookup", "n": command["n"], "keys": keys, "ms": ms }))
        }
        Some("ring") => {
            let to = command["key"].as_str().unwrap_or_default().parse()?;
            let n = command["n"].as_u64().context("no n")?;
            let payload = [n.to_be_bytes(), unix_ms().to_be_bytes()].concat();
            node.send(to, payload).await?;
            tell(&json!({ "event": "sent", "n": n, "ms": began.elapsed().as_millis() as u64 }))
        }
        _ => bail!("no such command"),
    }
}

fn rung(payload: &[u8]) -> Result<()> {
    let (n, began) = payload.split_at_checked(8).context("a short ring")?;
    let (n, began) = (u64::from_be_bytes(n.try_into()?), u64::from_be_bytes(began.try_into()?));
    tell(&json!({ "event": "rung", "n": n, "ms": unix_ms().saturating_sub(began) }))
}

fn unix_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn tell(event: &Value) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{event}")?;
    Ok(out.flush()?)
}
