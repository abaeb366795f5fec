//! What it costs to be there: an idle leaf with contacts, and a supernode with leaves that say nothing.

use super::gauge::{Traffic, processor_time, resident_mb};
use super::{Hub, PATIENCE};
use crate::process::{Place, Silbo, Turn, run};
use anyhow::{Context as _, Result, anyhow};
use overlay::driver::{self, Config, Event, Handle, Mdns};
use overlay::{Identity, Network};
use serde::Serialize;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// Contacts of the leaf.
const CONTACTS: u8 = 50;

/// What an idle leaf costs.
#[derive(Debug, Clone, Serialize)]
pub struct Leaf {
    /// UDP and IP bytes a minute, both ways.
    pub bytes_per_minute: f64,
    /// Packets a minute, both ways.
    pub packets_per_minute: f64,
    /// Memory.
    pub resident_mb: f64,
    /// Percent of one core.
    pub processor_percent: f64,
    /// All bytes from its start until it was idle.
    pub joining_bytes: u64,
}

/// Lets `silbo online` with a name and contacts idle at `place` for `length`, once it has settled.
pub fn leaf(place: &Place, hubs: &[Hub], settle: Duration, length: Duration, folder: &Path) -> Result<Leaf> {
    let profile = folder.join("leaf").display().to_string();
    let bootstrap: Vec<String> = hubs.iter().map(|hub| hub.listen.to_string()).collect();
    let silbo = |words: &[&str]| {
        let mut command = place.command(crate::silbo()?);
        command.args(["--lab", "--profile", &profile]).args(words);
        run(&mut command)
    };
    for n in 1..=CONTACTS {
        silbo(&["contact", "add", &Identity::from_secret([n; 32]).public_key().to_string()])?;
    }
    silbo(&["--bootstrap", &bootstrap.join(","), "register", "idler"])?;
    let before = Traffic::of(place)?;
    let arguments =
        ["--lab", "--profile", &profile, "--bootstrap", &bootstrap.join(","), "online"].map(str::to_owned);
    let mut leaf = Silbo::start("leaf", place, Turn::Usual, folder, &arguments)?;
    leaf.expect("online", PATIENCE)?;
    std::thread::sleep(settle);
    let (traffic, cpu, began) = (Traffic::of(place)?, processor_time(leaf.id())?, Instant::now());
    std::thread::sleep(length);
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    let (bytes, packets) = Traffic::of(place)?.since(traffic);
    let busy = processor_time(leaf.id())?.saturating_sub(cpu);
    Ok(Leaf {
        bytes_per_minute: bytes as f64 / minutes,
        packets_per_minute: packets as f64 / minutes,
        resident_mb: resident_mb(leaf.id())?,
        processor_percent: busy.as_secs_f64() / began.elapsed().as_secs_f64() * 100.0,
        joining_bytes: traffic.since(before).0,
    })
}

/// What a supernode with silent leaves costs, and each of them when it came.
#[derive(Debug, Clone, Serialize)]
pub struct Supernode {
    /// Leaves.
    pub leaves: usize,
    /// Memory.
    pub resident_mb: f64,
    /// Percent of one core.
    pub processor_percent: f64,
    /// Processor time of the supernode for one leaf that comes: handshake, mailbox, introduction record; the median of
    /// groups.
    pub coming_ms: f64,
}

/// Leaves that come one right after the other and are measured together.
const GROUP: usize = 20;

/// Puts `leaves` on one supernode on loopback and lets them idle for `length`.
pub fn supernode(leaves: usize, settle: Duration, length: Duration, folder: &Path) -> Result<Supernode> {
    let hubs = Hub::on_loopback(1, folder)?;
    let hub = hubs.first().context("no supernode")?;
    let process = hub.id()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    runtime.block_on(async {
        let mut homed: Vec<(Handle, mpsc::Receiver<Event>)> = Vec::new();
        let mut costs = Vec::new();
        while homed.len() < leaves {
            let before = processor_time(process)?;
            let group = GROUP.min(leaves - homed.len());
            for _ in 0..group {
                homed.push(come(hub.listen).await?);
            }
            let cost = processor_time(process)?.saturating_sub(before);
            costs.push(cost.as_secs_f64() * 1000.0 / group as f64);
        }
        sleep(settle).await;
        let (cpu, began) = (processor_time(process)?, Instant::now());
        sleep(length).await;
        let busy = processor_time(process)?.saturating_sub(cpu);
        costs.sort_by(f64::total_cmp);
        let there = homed.iter().filter(|(leaf, _)| leaf.status().homes > 0).count();
        Ok(Supernode {
            leaves: there,
            resident_mb: resident_mb(process)?,
            processor_percent: busy.as_secs_f64() / began.elapsed().as_secs_f64() * 100.0,
            coming_ms: costs[costs.len() / 2],
        })
    })
}

async fn come(hub: SocketAddr) -> Result<(Handle, mpsc::Receiver<Event>)> {
    let config = Config { bootstrap: vec![hub.to_string()], mdns: Mdns::Off, ..Config::leaf(Network::Lab) };
    let (node, mut events) = driver::start(config, Identity::from_secret(rand::random())).await?;
    let online = async {
        while let Some(event) = events.recv().await {
            if matches!(event, Event::Online { .. }) {
                return Ok(());
            }
        }
        Err(anyhow!("the node ended"))
    };
    timeout(PATIENCE, online).await??;
    Ok((node, events))
}
