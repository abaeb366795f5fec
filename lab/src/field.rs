//! The overlay in the field: real `silbo` supernodes, and leaves, as processes that are watched, killed and started
//! again.
//!
//! ```text
//!   silbo supernode ×n ══ loopback, or a segment of namespaces ══ silbo online (what an idle leaf costs)
//!        ▲ kill -9, restart                                  ══ player ×n (look up and ring on command)
//! ```
//! [`idle`] asks what it costs to be there, [`crash`] what a supernode that is killed while it writes still knows, and
//! [`churn`] whether people find and ring each other while supernodes die and come back. Every process dies with the
//! thread that started it.

pub mod churn;
pub mod crash;
pub mod gauge;
pub mod idle;
pub mod lan;
pub mod player;

use crate::ports;
use crate::process::{Place, Silbo, Turn};
use anyhow::{Result, anyhow};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Patience for a process start or a round trip: it turns a hang into a failure and judges no speed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// One real supernode, running or killed.
#[derive(Debug)]
pub struct Hub {
    title: String,
    place: Place,
    /// Where it listens, every time it is started.
    pub listen: SocketAddr,
    /// Where its relay listens.
    pub relay: SocketAddr,
    arguments: Vec<String>,
    folder: PathBuf,
    process: Option<Silbo>,
}

impl Hub {
    /// Starts `count` supernodes that know each other, on this machine's loopback.
    pub fn on_loopback(count: usize, folder: &Path) -> Result<Vec<Self>> {
        let ports = ports::free(2 * count)?;
        let (links, relays) = ports.split_at(count);
        let spots = links.iter().zip(relays).map(|(link, relay)| (Place::Here, *link, *relay)).collect();
        Self::start_all(spots, folder)
    }

    /// Starts one supernode at each of these places, with its link and relay addresses.
    pub fn start_all(spots: Vec<(Place, SocketAddr, SocketAddr)>, folder: &Path) -> Result<Vec<Self>> {
        let all: Vec<String> = spots.iter().map(|(_, listen, _)| listen.to_string()).collect();
        let mut hubs = Vec::new();
        for (n, (place, listen, relay)) in spots.into_iter().enumerate() {
            let others: Vec<&str> = all.iter().map(String::as_str).filter(|other| *other != all[n]).collect();
            let title = format!("hub{n}");
            let mut arguments = vec!["--lab".into(), "--profile".into()];
            arguments.push(folder.join(&title).display().to_string());
            if matches!(place, Place::Here) {
                // Another network may be played beside this one: they would find each other and become one.
                arguments.push("--no-mdns".into());
            }
            if !others.is_empty() {
                arguments.extend(["--bootstrap".into(), others.join(",")]);
            }
            arguments.extend(["supernode".into(), "--listen".into(), listen.to_string()]);
            arguments.extend(["--relay-listen".into(), relay.to_string()]);
            let mut hub =
                Self { title, place, listen, relay, arguments, folder: folder.to_owned(), process: None };
            hub.start()?;
            hubs.push(hub);
        }
        Ok(hubs)
    }

    /// Starts it, for the first time or after [`Hub::kill`].
    pub fn start(&mut self) -> Result<()> {
        let mut process = Silbo::start(&self.title, &self.place, Turn::Usual, &self.folder, &self.arguments)?;
        process.expect("relay", PATIENCE)?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) -> Result<()> {
        self.process.take().ok_or_else(|| anyhow!("{} is not running", self.title))?.kill()
    }

    /// Its process id.
    pub fn id(&self) -> Result<u32> {
        self.process.as_ref().map(Silbo::id).ok_or_else(|| anyhow!("{} is not running", self.title))
    }
}
