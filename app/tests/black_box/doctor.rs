//! "Can people call me?", and the figures of a supernode.

use crate::harness::{Ended, World};
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
};

fn finding<'a>(ended: &'a Ended, topic: &str) -> &'a serde_json::Value {
    let findings = ended.event("doctor")["findings"].as_array().unwrap();
    findings.iter().find(|found| found["topic"] == topic).unwrap()
}

#[test]
fn a_home_with_a_supernode_can_be_called_and_the_doctor_says_how() {
    let world = World::new();
    let ended = world.run("a", &["doctor"]).with(0);
    let doctor = ended.event("doctor");
    assert_eq!((&doctor["callable"], &doctor["verdict"]), (&true.into(), &"callable".into()));
    assert_eq!(doctor["homes"][0]["carrier"], "quic");
    assert_eq!(doctor["homes"][0]["address"], world.bootstrap());
    assert_eq!((&doctor["udp"], &doctor["port"]), (&"works".into(), &"not_tested".into()));
    assert!(doctor["clock_behind_ms"].is_i64());
    assert_eq!(finding(&ended, "homes")["bearing"], "good");
}

#[test]
fn where_only_tcp_answers_the_doctor_says_that_calls_go_over_it() {
    let mut world = World::empty();
    world.start_supernode_with_tcp("supernode");
    let ended = world.run("a", &["doctor"]).with(0);
    assert_eq!(ended.event("doctor")["verdict"], "over_tcp");
    assert_eq!(ended.event("doctor")["homes"][0]["carrier"], "tcp");
    assert_eq!(finding(&ended, "udp")["bearing"], "note");
}

#[test]
fn a_running_silbo_diagnoses_itself() {
    let world = World::new();
    let mut online = world.silbo("a", &["online"]);
    online.expect("online");
    let ended = world.run("a", &["doctor"]).with(0);
    assert_eq!(ended.event("doctor")["callable"], true);
    online.terminate();
    online.end().with(0);
}

#[test]
fn a_supernode_serves_its_figures_on_loopback() {
    let world = World::empty();
    // Free now; taken again at once.
    let metrics = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut hub = world.silbo(
        "hub",
        &[
            "supernode",
            "--listen",
            "127.0.0.1:0",
            "--relay-listen",
            "127.0.0.1:0",
            "--metrics",
            &metrics.to_string(),
        ],
    );
    let quic = hub.expect("role")["quic"].as_str().unwrap().to_owned();
    hub.expect("relay");
    let figure = |name: &str| {
        let mut stream = TcpStream::connect(metrics).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut got = String::new();
        stream.read_to_string(&mut got).unwrap();
        let line =
            got.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("{got}"));
        line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
    };
    assert_eq!((figure("silbo_leaves"), figure("silbo_claims")), (0, 0));

    let mut leaf = world.silbo("a", &["online", "--bootstrap", &quic]);
    leaf.expect("online");
    world.run("b", &["register", "bob", "--bootstrap", &quic]).with(0);
    assert_eq!((figure("silbo_leaves"), figure("silbo_claims")), (1, 1));
    assert!(figure("silbo_links_opened_total") >= 2 && figure("silbo_messages_total") > 0);

    hub.terminate();
    hub.end().with(0);
}
