//! A home without UDP, in network namespaces: everything of the overlay works over TCP, and calls carry voice.

use std::process::Command;

#[test]
fn behind_a_router_that_drops_udp_names_ringing_and_voice_go_over_tcp() {
    let output = Command::new(env!("CARGO_BIN_EXE_blocked")).arg("--untimed").output().unwrap();
    // 77: this system allows no namespaces; the NAT lab of `make test` says so aloud.
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 77)), "{said}");
}
