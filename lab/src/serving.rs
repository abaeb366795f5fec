//! A volunteer's supernode as its owner sees it, with real processes: it keeps the cap it was given ([`caps`]), goes
//! without cutting calls ([`drain`]), and becomes one by itself where strangers reach it, and only there ([`elected`]).

pub mod caps;
pub mod drain;
pub mod elected;

use crate::process::{Place, Silbo, Turn};
use anyhow::Result;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Patience for a process start or a round trip: it turns a hang into a failure and judges no speed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A supernode on this machine's loopback, on ports that are free, and its `relay` event.
pub fn supernode(folder: &Path, options: &[&str]) -> Result<(Silbo, Value)> {
    let profile = folder.join("supernode").display().to_string();
    let start = ["--lab", "--no-mdns", "--profile", &profile, "supernode"];
    let ports = ["--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0"];
    let words: Vec<&str> = start.iter().chain(&ports).chain(options).copied().collect();
    let mut supernode = Silbo::start("supernode", &Place::Here, Turn::Usual, folder, &words)?;
    let relay = supernode.expect("relay", PATIENCE)?;
    Ok((supernode, relay))
}
