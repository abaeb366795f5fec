//! Calls that cannot be, and what a stranger hears, in network namespaces.

use std::process::{Command, Output};

/// 77: this system allows no namespaces; the NAT lab of `make test` says so aloud.
fn holds(output: &Output) -> bool {
    matches!(output.status.code(), Some(0 | 77))
}

#[test]
fn whoever_cannot_be_reached_or_cannot_reach_anybody_is_told_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_dead_ends")).output().unwrap();
    assert!(holds(&output), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn nothing_that_comes_to_a_stranger_holds_an_address_of_whom_they_call() {
    let output = Command::new(env!("CARGO_BIN_EXE_stranger")).output().unwrap();
    assert!(holds(&output), "{}", String::from_utf8_lossy(&output.stderr));
}
