//! The overlay with real supernodes, short: the whole of it is `make bench-overlay`.

use anyhow::{Result, ensure};
use lab::field::{Hub, churn, crash};
use lab::process::Place;
use std::path::Path;
use std::time::Duration;

#[test]
fn what_a_supernode_acknowledged_it_still_knows_after_being_killed_while_it_writes() -> Result<()> {
    let outcome = crash::play(2, Duration::from_secs(2), &lab::leavings("crash")?)?;
    ensure!(outcome.passed(), "{outcome:?}");
    Ok(())
}

#[test]
fn people_find_and_ring_each_other_while_supernodes_die_and_come_back() -> Result<()> {
    let folder = lab::leavings("churn")?;
    let mut hubs = Hub::on_loopback(5, &folder)?;
    let program = Path::new(env!("CARGO_BIN_EXE_overlay"));
    let people = [const { Place::Here }; 6];
    let outcome = churn::play(&mut hubs, &people, program, Duration::from_secs(30), &folder)?;
    ensure!(outcome.passed(), "{outcome:#?}");
    Ok(())
}
