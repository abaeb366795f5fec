//! Calls between homes of many kinds, in network namespaces: each a program of the lab, at its shortest. They mostly wait,
//! so they are one binary, and run beside each other.

use anyhow::{Context, Result, ensure};
use std::process::Command;

#[test]
fn behind_a_router_that_drops_udp_names_ringing_and_voice_go_over_tcp() -> Result<()> {
    play(env!("CARGO_BIN_EXE_blocked"), &["--untimed"])
}

#[test]
fn a_call_between_a_port_restricted_and_a_symmetric_home_becomes_direct() -> Result<()> {
    play(env!("CARGO_BIN_EXE_guess"), &["--quick"])
}

#[test]
fn a_call_goes_on_when_its_relay_stops_and_when_one_relay_after_the_other_is_killed() -> Result<()> {
    play(env!("CARGO_BIN_EXE_outlive"), &["--quick"])
}

#[test]
fn whoever_cannot_be_reached_or_cannot_reach_anybody_is_told_so() -> Result<()> {
    play(env!("CARGO_BIN_EXE_dead_ends"), &[])
}

#[test]
fn nothing_that_comes_to_a_stranger_holds_an_address_of_whom_they_call() -> Result<()> {
    play(env!("CARGO_BIN_EXE_stranger"), &[])
}

#[test]
fn calls_by_a_hairpin_over_ipv6_and_between_the_families_go_the_way_they_can() -> Result<()> {
    play(env!("CARGO_BIN_EXE_shapes"), &["--quick"])
}

/// Runs a program of the lab, which judges by itself.
fn play(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program).args(arguments).output().context(program.to_owned())?;
    // 77: this system allows no namespaces; the NAT lab of `make test` says so aloud.
    ensure!(matches!(output.status.code(), Some(0 | 77)), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
