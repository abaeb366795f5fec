//! The scenario on loopback, with real processes, the commands a person types and a judged recording.

use anyhow::{Result, ensure};
use lab::process::Turn;
use lab::script::{Cast, Expected, PATIENCE, Stage, fairly, flawless};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[test]
fn a_call_by_username_is_direct_sounds_good_and_ends_well_on_both_sides() -> Result<()> {
    let _alone = one_call_at_a_time();
    let report = fairly(|| {
        let mut stage = Stage::open(Cast::loopback(Turn::First)?, &lab::leavings("call")?)?;

        let report = stage.play(LENGTH)?;

        stage.supernode().interrupt()?;
        stage.supernode().succeed(PATIENCE)?;
        Ok(report)
    })?;
    flawless(&report, Expected::Direct)
}

#[test]
fn a_direct_call_goes_on_when_the_supernode_dies_in_the_middle_of_it() -> Result<()> {
    let _alone = one_call_at_a_time();
    let report = fairly(|| {
        let mut stage = Stage::open(Cast::loopback(Turn::First)?, &lab::leavings("supernode-dies")?)?;
        stage.register_bob()?;
        let mut bob = stage.bob(1)?;

        let mut alice = stage.alice(Some(LENGTH))?;
        alice.expect("media_flowing", PATIENCE)?;
        // Two seconds of call statistics: it is well under way.
        alice.expect("stats", PATIENCE)?;
        alice.expect("stats", PATIENCE)?;
        stage.supernode().kill()?;

        alice.succeed(PATIENCE + LENGTH)?;
        bob.succeed(PATIENCE)?;
        stage.report(&mut alice, &mut bob)
    })?;
    flawless(&report, Expected::Direct)
}

#[test]
fn an_interrupted_caller_hangs_up_and_both_sides_end_in_order() -> Result<()> {
    let _alone = one_call_at_a_time();
    let stage = Stage::open(Cast::loopback(Turn::First)?, &lab::leavings("interrupted")?)?;
    stage.register_bob()?;
    let mut bob = stage.bob(1)?;

    let mut alice = stage.alice(None)?;
    alice.expect("media_flowing", PATIENCE)?;
    alice.interrupt()?;

    alice.succeed(PATIENCE)?;
    bob.expect("ended", PATIENCE)?;
    bob.succeed(PATIENCE)
}

#[test]
fn calling_a_name_nobody_claims_says_so_with_status_3() -> Result<()> {
    let stage = Stage::open(Cast::loopback(Turn::First)?, &lab::leavings("nobody")?)?;

    let mut alice = stage.alice(None)?;

    let error = alice.expect("error", PATIENCE)?;
    ensure!(error["next_step"].as_str().is_some_and(|step| !step.is_empty()), "no next step in {error}");
    let status = alice.exit_status(PATIENCE)?;
    ensure!(status == 3, "exit status {status}, not 3");
    Ok(())
}

/// Two windows of five seconds are scored after the first second.
const LENGTH: Duration = Duration::from_secs(12);

/// Calls run in real time; side by side they would steal each other's processor and spoil the recordings.
fn one_call_at_a_time() -> MutexGuard<'static, ()> {
    static CALL: Mutex<()> = Mutex::new(());
    CALL.lock().unwrap_or_else(PoisonError::into_inner)
}
