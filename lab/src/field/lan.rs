//! A newcomer that was told nothing finds the supernode on its own network.

use super::PATIENCE;
use crate::process::{Place, Silbo, Turn};
use anyhow::Result;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a leaf in `place` takes to be online with multicast DNS alone: it has no bootstrap, no cache and no invite.
pub fn join(place: &Place, folder: &Path) -> Result<Duration> {
    let profile = folder.join("newcomer").display().to_string();
    let began = Instant::now();
    let arguments = ["--lab", "--profile", &profile, "online"];
    let mut newcomer = Silbo::start("newcomer", place, Turn::Usual, folder, &arguments)?;
    newcomer.expect("online", PATIENCE)?;
    Ok(began.elapsed())
}
