//! Calls that cannot be, and what a stranger hears, in network namespaces.

use std::process::Command;

/// 77: this system allows no namespaces; the NAT lab of `make test` says so aloud.
fn holds(program: &str) {
    let output = Command::new(program).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 77)), "{said}");
}

#[test]
fn whoever_cannot_be_reached_or_cannot_reach_anybody_is_told_so() {
    holds(env!("CARGO_BIN_EXE_dead_ends"));
}

#[test]
fn nothing_that_comes_to_a_stranger_holds_an_address_of_whom_they_call() {
    holds(env!("CARGO_BIN_EXE_stranger"));
}
