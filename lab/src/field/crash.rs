//! A supernode is killed while people claim names: whatever it acknowledged it still knows when it is back.

use super::{Hub, PATIENCE};
use anyhow::{Context as _, Result};
use overlay::driver::{self, Config, Handle, Mdns};
use overlay::{Identity, Lookup, Network, PublicKey, Username};
use serde::Serialize;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Claimants that put claims at the same time, each one after the other.
const CLAIMANTS: u8 = 8;
/// Most names looked up in the end, some of every moment: a quick machine has thousands acknowledged, and a link may ask only so
/// much a second.
const MOST_ASKED: usize = 300;

/// What came of it.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Times it was killed.
    pub kills: usize,
    /// Claims it acknowledged.
    pub acknowledged: usize,
    /// Of those, the ones looked up when it was back.
    pub asked: usize,
    /// Of these, the ones it did not know.
    pub lost: Vec<String>,
}

impl Outcome {
    /// Whether it kept its word.
    pub fn passed(&self) -> bool {
        self.asked > 0 && self.lost.is_empty()
    }
}

/// Kills a supernode on loopback `kills` times, each time after it was written to for `busy`.
pub fn play(kills: usize, busy: Duration, folder: &Path) -> Result<Outcome> {
    let mut hubs = Hub::on_loopback(1, folder)?;
    let hub = hubs.first_mut().context("no supernode")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    for round in 0..kills {
        let listen = hub.listen;
        let written = Arc::clone(&acknowledged);
        let claimants: Vec<_> = (0..CLAIMANTS)
            .map(|n| runtime.spawn(claim_for_ever(listen, round, n, Arc::clone(&written))))
            .collect();
        std::thread::sleep(busy);
        hub.kill()?;
        // They stop before it is back: nobody tells it again what it forgot.
        claimants.iter().for_each(|claimant| claimant.abort());
        for claimant in claimants {
            let _ = runtime.block_on(claimant);
        }
        hub.start()?;
    }
    let acknowledged = std::mem::take(&mut *acknowledged.lock().unwrap_or_else(PoisonError::into_inner));
    let step = acknowledged.len().div_ceil(MOST_ASKED).max(1);
    let asked: Vec<_> = acknowledged.iter().rev().step_by(step).collect();
    let lost = runtime.block_on(missing(hub.listen, &asked))?;
    Ok(Outcome { kills, acknowledged: acknowledged.len(), asked: asked.len(), lost })
}

type Acknowledged = Arc<Mutex<Vec<(Username, PublicKey)>>>;

async fn claim_for_ever(hub: SocketAddr, round: usize, n: u8, acknowledged: Acknowledged) -> Result<()> {
    let identity = Identity::from_secret([n + 1; 32]);
    let key = identity.public_key();
    let node = leaf(hub, identity).await?;
    for count in 0.. {
        let name = Username::parse(&format!("kept-{round}-{n}-{count}"))?;
        if node.register(name.clone()).await.is_ok_and(|registration| registration.held_by > 0) {
            acknowledged.lock().unwrap_or_else(PoisonError::into_inner).push((name, key));
        }
    }
    Ok(())
}

async fn missing(hub: SocketAddr, asked: &[&(Username, PublicKey)]) -> Result<Vec<String>> {
    let node = leaf(hub, Identity::from_secret([99; 32])).await?;
    let mut lost = Vec::new();
    for (name, key) in asked {
        let found = timeout(PATIENCE, answer(&node, name)).await.context("the supernode does not answer")?;
        if !found.claims.iter().any(|claim| claim.key == *key) {
            lost.push(name.to_string());
        }
    }
    node.shutdown().await;
    Ok(lost)
}

/// One link may ask only so much a second: whoever is sent away asks again.
async fn answer(node: &Handle, name: &Username) -> Lookup {
    loop {
        match node.lookup(name.clone()).await {
            Ok(found) if found.answered > 0 => return found,
            _ => sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn leaf(hub: SocketAddr, identity: Identity) -> Result<Handle> {
    let config = Config { bootstrap: vec![hub.to_string()], mdns: Mdns::Off, ..Config::leaf(Network::Lab) };
    let (node, _) = driver::start(config, identity).await?;
    Ok(node)
}
