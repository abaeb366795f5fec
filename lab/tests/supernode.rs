//! A real supernode and the TURN clients of others: coturn's over UDP, TCP and TLS, and a call that goes on while the
//! supernode is told to end.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot set itself up fails there")]

use lab::process::Place;
use lab::serving::{self, drain};
use lab::turn::relay_of;
use serde_json::Value;
use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

/// Messages of each of coturn's two clients.
const MESSAGES: &str = "20";

#[test]
fn the_clients_of_coturn_relay_through_a_supernode_over_udp_tcp_and_tls() {
    let folder = lab::leavings("supernode-coturn").unwrap();
    let tcp = lab::ports::free(1).unwrap()[0].to_string();
    let (_supernode, relay) = serving::supernode(&folder, &["--tcp-listen", &tcp]).unwrap();
    assert_eq!((&relay["tcp"], &relay["tls"]), (&Value::from(tcp.clone()), &Value::from(tcp)));
    for (words, port) in [
        (&["-c"][..], "udp"),
        (&["-c", "-s"], "udp"),
        (&["-c", "-y"], "udp"),
        (&["-c", "-t"], "tcp"),
        (&["-c", "-t", "-s"], "tcp"),
        (&["-c", "-t", "-y"], "tcp"),
        (&["-c", "-t", "-S"], "tls"),
        (&["-c", "-t", "-S", "-y"], "tls"),
    ] {
        let server: SocketAddr = relay[port].as_str().unwrap().parse().unwrap();
        let output = uclient(words, server, &relay);
        assert!(output.contains("tot_send_msgs=40, tot_recv_msgs=40"), "{words:?} at {port}\n{output}");
    }
}

#[test]
fn a_supernode_that_is_told_to_end_carries_the_calls_there_are_and_nobody_new() {
    let folder = lab::leavings("supernode-drain").unwrap();
    let went = drain::play(Duration::from_secs(4), drain::Then::Wait, &folder).unwrap();
    assert_eq!(went.arrived, went.sent, "{went:?}");
    assert_eq!(went.status, 0, "{went:?}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = lab::leavings("supernode-insist").unwrap();
    // An hour would be noticed.
    let went = drain::play(Duration::from_secs(3600), drain::Then::Insist, &folder).unwrap();
    assert_eq!(went.status, 0, "{went:?}");
}

/// Runs coturn's load tool, towards itself or an echo of ours; its report.
fn uclient(words: &[&str], server: SocketAddr, relay: &Value) -> String {
    let (_, credentials) = relay_of(relay).unwrap();
    let echo = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (port, peer) = (server.port().to_string(), echo.local_addr().unwrap().port().to_string());
    let mut command = Place::Here.command("turnutils_uclient");
    command.args(["-p", &port, "-u", &credentials.username, "-w", &credentials.password]);
    command.args(["-n", MESSAGES, "-m", "2", "-e", "127.0.0.1", "-r", &peer]).args(words).arg("127.0.0.1");
    let stop = echo.try_clone().unwrap();
    stop.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let echoing = thread::Builder::new().name("echo".to_owned()).spawn(move || {
        let mut buffer = [0; 2048];
        while is_done.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            if let Ok((length, from)) = echo.recv_from(&mut buffer) {
                let _ = echo.send_to(&buffer[..length], from);
            }
        }
    });
    let output = command.output().expect("turnutils_uclient (Debian package coturn: run `make setup-test`)");
    drop(done);
    echoing.unwrap().join().unwrap();
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
