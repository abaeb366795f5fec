//! The BitTorrent Mainline DHT (BEP 5) as the meeting place of last resort: millions of nodes that know nothing of us
//! keep, under one well-known info-hash for each network, who has announced itself.
//!
//! ```text
//!   supernode, unless others tried to reach it and could not:
//!                         every 15 min   announce_peer(SHA-1("silbo supernodes 1 " ‖ network), port of its links)
//!   whoever found nobody: after PATIENCE get_peers(..) ─▶ addresses, tried like any other; again after longer pauses
//! ```
//! Anybody may announce anything there: addresses are only tried, so many at a time, and proven by the link. A DHT node
//! lives as long as one such question: a Silbo that idles says nothing to anybody's DHT.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use futures_lite::StreamExt as _;
use mainline::{Dht, Id, async_dht::AsyncDht};
use sha1::{Digest as _, Sha1};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep_until, timeout},
};

use crate::{
    config::{Network, Role},
    outcome::Status,
    routing::is_public,
    volunteer::Filtering,
};

/// Whether and where to use the Mainline DHT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mainline {
    /// Not at all.
    Off,
    /// The one all of BitTorrent uses.
    Public,
    /// A network of its own, entered at these addresses (`ip:port`): for tests.
    Private(Vec<String>),
}

/// How long to look elsewhere before asking the public DHT.
const PATIENCE: Duration = Duration::from_secs(5);

/// First and longest pause between two questions of who still found nobody.
const FIRST_PAUSE: Duration = Duration::from_secs(30);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);

/// DHT nodes forget an announced peer after half an hour.
const ANNOUNCE_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// An announcement that failed is tried again so much later.
const ANNOUNCE_RETRY: Duration = Duration::from_secs(60);

/// How long entering the DHT, a question or an announcement may take.
const DHT_TIMEOUT: Duration = Duration::from_secs(20);

/// Addresses taken from one question; those beyond it are not looked at.
const MAX_ADDRESSES: usize = 32;

/// One node's use of the DHT.
#[derive(Debug)]
pub(super) struct Rendezvous {
    network: Network,
    entry: Mainline,
    /// The address announcements shall come from.
    bind: Option<Ipv4Addr>,
}

impl Rendezvous {
    /// Links come to `bound`. Nothing when switched off.
    pub(super) fn new(network: Network, entry: Mainline, bound: IpAddr) -> Option<Self> {
        let bind = match bound {
            IpAddr::V4(ip) if !ip.is_unspecified() => Some(ip),
            IpAddr::V4(_) | IpAddr::V6(_) => None,
        };
        (entry != Mainline::Off).then_some(Self { network, entry, bind })
    }

    /// Announces and asks until nobody wants to know any more.
    pub(super) async fn run(self, mut status: watch::Receiver<Status>, found: mpsc::Sender<Vec<SocketAddr>>) {
        let patience = if self.entry == Mainline::Public { PATIENCE } else { Duration::ZERO };
        let mut lonely = is_lonely(&status.borrow_and_update());
        let mut port = announced(&status.borrow());
        let (mut ask_at, mut pause) = (now() + patience, FIRST_PAUSE);
        let mut announce_at = now();
        loop {
            tokio::select! {
                () = sleep_until(announce_at), if port.is_some() => {
                    let done = timeout(DHT_TIMEOUT, self.announce(port)).await.unwrap_or(Announced::No);
                    announce_at = now() + if done == Announced::Yes { ANNOUNCE_INTERVAL } else { ANNOUNCE_RETRY };
                }
                () = sleep_until(ask_at), if lonely => {
                    // What was found until then was handed over already.
                    let _ = timeout(DHT_TIMEOUT, self.ask(&found)).await;
                    ask_at = now() + pause;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                changed = status.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let status = *status.borrow_and_update();
                    let was = std::mem::replace(&mut lonely, is_lonely(&status));
                    if lonely && !was {
                        (ask_at, pause) = (now() + patience, FIRST_PAUSE);
                    }
                    let before = std::mem::replace(&mut port, announced(&status));
                    if port != before {
                        announce_at = now();
                    }
                }
                () = found.closed() => return,
            }
        }
    }

    async fn announce(&self, port: Option<u16>) -> Announced {
        let Some(dht) = self.enter().await else { return Announced::No };
        match dht.announce_peer(info_hash(self.network), port).await {
            Ok(_) => Announced::Yes,
            Err(error) => {
                tracing::debug!(%error, "not announced in the Mainline DHT");
                Announced::No
            }
        }
    }

    async fn ask(&self, found: &mpsc::Sender<Vec<SocketAddr>>) {
        let Some(dht) = self.enter().await else { return };
        let mut seen = BTreeSet::new();
        let mut answers = dht.get_peers(info_hash(self.network));
        while seen.len() < MAX_ADDRESSES
            && let Some(answer) = answers.next().await
        {
            let addresses =
                answer.into_iter().map(SocketAddr::V4).filter(|address| self.is_possible(*address));
            let fresh: Vec<SocketAddr> =
                addresses.filter(|address| seen.len() < MAX_ADDRESSES && seen.insert(*address)).collect();
            if !fresh.is_empty() && found.send(fresh).await.is_err() {
                return;
            }
        }
        tracing::debug!(found = seen.len(), "asked the Mainline DHT for supernodes");
    }

    fn is_possible(&self, address: SocketAddr) -> bool {
        address.port() != 0 && (self.network == Network::Lab || is_public(address.ip()))
    }

    /// A node of the DHT, for one question.
    async fn enter(&self) -> Option<AsyncDht> {
        let mut builder = Dht::builder();
        if let Mainline::Private(entry) = &self.entry {
            builder.bootstrap(entry);
        }
        if let Some(ip) = self.bind {
            builder.bind_address(ip);
        }
        // It resolves names and waits for its thread.
        let dht = tokio::task::spawn_blocking(move || builder.build()).await.ok()?;
        match dht {
            Ok(dht) => {
                let dht = dht.as_async();
                dht.bootstrapped().await.then_some(dht)
            }
            Err(error) => {
                tracing::debug!(%error, "the Mainline DHT cannot be used");
                None
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Announced {
    Yes,
    No,
}

/// Whether it found nobody else.
fn is_lonely(status: &Status) -> bool {
    match status.role {
        Role::Leaf => status.homes == 0,
        Role::Supernode => status.supernodes_known == 0,
    }
}

/// The port a supernode announces: none while it is known that others do not reach it.
fn announced(status: &Status) -> Option<u16> {
    status.serves_at.filter(|_| status.filtering != Filtering::Filtered).map(|address| address.port())
}

/// Where supernodes of a network meet.
pub(super) fn info_hash(network: Network) -> Id {
    let hash: [u8; 20] = Sha1::digest(format!("silbo supernodes 1 {}", network.as_str())).into();
    Id::from(hash)
}

fn now() -> Instant {
    Instant::from_std(relay::driver::now().instant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_meet_in_different_places() {
        assert_eq!(info_hash(Network::Main).to_string(), "eedbe1d3def5fe906441b706eb1bfdc75f7a41b5");
        assert_ne!(info_hash(Network::Main), info_hash(Network::Lab));
    }
}
