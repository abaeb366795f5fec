//! Networks that are not there, or let little through, and helpers that go.

use crate::{
    harness::{Ended, Silbo, World},
    rights,
    told::{told, told_alike},
};
use app::{
    engine::{
        diagnosis::{Bearing, Fact, Finding, Verdict},
        view::{NetworkCheck, NetworkFound},
    },
    reason::Reason,
};
use std::{
    net::{SocketAddr, TcpListener, UdpSocket},
    process::Command,
};

const SILENT: [&str; 4] = ["--mic", "silence", "--speaker", "null"];

#[test]
fn without_a_network_commands_give_up_after_a_while_and_work_when_it_is_back() {
    let mut world = World::empty();
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let other = World::new();
    let lookup = world.silbo("a", &["lookup", "bob"]);
    let register = world.silbo("b", &["register", "bob"]);
    let call = world.silbo("c", &[&["call", "bob", "--bootstrap", &nobody], &SILENT[..]].concat());
    let mut of_the_real_one = Command::new(env!("CARGO_BIN_EXE_silbo"));
    of_the_real_one.args(["--no-mdns", "--no-mainline", "--json", "--bootstrap", other.bootstrap()]);
    of_the_real_one.args(["lookup", "bob", "--profile"]).arg(world.path("d"));
    let of_the_real_one = Silbo::spawn(&mut of_the_real_one);
    let doctor = world.silbo("e", &["doctor"]);
    for running in [lookup, register, call, of_the_real_one] {
        let ended = running.end().failed("no_network", 5);
        assert!(!ended.has("calling"), "no home link was ever up");
        told(
            ended.event("error"),
            &Reason::NoNetwork,
            [
                "No supernode can be reached.",
                "Check your network connection, or name a supernode with --bootstrap HOST:PORT.",
            ],
            [
                "No computer of the network can be reached.",
                "Check your network connection; Silbo keeps trying.",
            ],
        );
    }
    cannot_be_called(&doctor.end());
    world.start_supernode("supernode");
    world.run("b", &["register", "bob"]).with(0);
    assert!(world.run("a", &["lookup", "bob"]).with(0).has("lookup"));
    assert_eq!(world.run("e", &["doctor"]).with(0).event("doctor")["verdict"], "callable");
}

#[track_caller]
fn cannot_be_called(doctor: &Ended) {
    assert_eq!(
        (doctor.status, &doctor.event("doctor")["verdict"]),
        (1, &"unreachable".into()),
        "{doctor:#?}"
    );
    told(
        doctor.event("error"),
        &Reason::CannotBeCalled("Nobody can call you: no supernode can ring this computer"),
        [
            "Nobody can call you: no supernode can ring this computer.",
            "Follow the advice that `silbo doctor` gives in the lines marked with \"!\".",
        ],
        ["People cannot call you at the moment.", "Look under “Network” for what to change."],
    );
    advised(
        doctor,
        "homes",
        &Fact::NobodyKnown,
        [
            "No supernode was found.",
            "Name one with --bootstrap HOST:PORT; if you did, check its address and your network connection.",
        ],
    );
}

#[test]
fn where_udp_is_blocked_people_can_call_and_are_told_that_it_may_stutter() {
    let mut world = World::empty();
    world.start_supernode_with_tcp("supernode");
    let ended = world.run("a", &["doctor"]).with(0);
    let doctor = ended.event("doctor");
    assert_eq!((&doctor["callable"], &doctor["verdict"]), (&true.into(), &"over_tcp".into()));
    assert_eq!((&doctor["udp"], &doctor["homes"][0]["carrier"]), (&"blocked".into(), &"tcp".into()));
    advised(
        &ended,
        "udp",
        &Fact::CallsOverTcp,
        [
            "Your network blocks UDP: calls go through a relay over TCP, and the sound may stutter.",
            "For better sound let UDP out in the firewall, or use another network.",
        ],
    );
    let found = NetworkFound {
        verdict: Verdict::OverTcp,
        findings: vec![Finding { topic: "udp", bearing: Bearing::Note, fact: Fact::CallsOverTcp }],
        lines: String::new(),
    };
    let page = crate::window::network_page(NetworkCheck::Found(Box::new(found)));
    for said in [
        "People can call you, but the sound may stutter",
        "Your network holds calls back, so they go a slower way through a helper, and the sound may stutter.",
        "Use another network, or give the report to whoever looks after this one.",
    ] {
        assert!(page.iter().any(|label| label == said), "{said}: {page:?}");
    }
}

/// The doctor found this, and advises that.
#[track_caller]
fn advised(ended: &Ended, topic: &str, fact: &Fact, said: [&str; 2]) {
    let findings = ended.event("doctor")["findings"].as_array().unwrap();
    let found = findings.iter().find(|found| found["topic"] == topic).unwrap();
    assert_eq!([&found["message"], &found["advice"]], said);
    assert_eq!([fact.message().as_str(), fact.advice().unwrap()], said);
}

#[test]
fn a_port_in_use_is_named_and_another_one_serves() {
    let world = World::empty();
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for option in ["--listen", "--relay-listen"] {
        let other = if option == "--listen" { "--relay-listen" } else { "--listen" };
        in_use(&world, address, &[option, &address.to_string(), other, "127.0.0.1:0"]);
    }
    drop(taken);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    for option in ["--listen", "--tcp-listen"] {
        in_use(&world, address, &[option, &address.to_string()]);
    }
    drop(taken);
    let mut free =
        world.silbo("a", &["supernode", "--listen", "127.0.0.1:0", "--relay-listen", "127.0.0.1:0"]);
    free.expect("relay");
}

#[track_caller]
fn in_use(world: &World, address: SocketAddr, words: &[&str]) {
    let ended = world.run("a", &[&["supernode"], words].concat()).failed("port_in_use", 1);
    let message = format!("The port of {address} is taken by another program.");
    told(
        ended.event("error"),
        &Reason::PortInUse(address.to_string()),
        [&message, "Choose another port, or stop the program that uses it."],
        [&message, "Stop the program that uses it, then start Silbo again."],
    );
}

#[test]
fn a_port_that_needs_a_right_is_named_with_how_to_get_it() {
    let world = World::empty();
    let lowest = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    if lowest.trim().parse::<u16>().is_ok_and(|port| port <= 443) {
        return eprintln!("NOT RUN: this system lets everybody listen on port 443");
    }
    let words = ["supernode", "--listen", "127.0.0.1:443", "--relay-listen", "127.0.0.1:0"];
    let ended = Silbo::spawn(&mut rights::without("-net_bind_service", world.command("a", &words))).end();
    let message =
        "The system does not let this program listen on 127.0.0.1:443: ports below 1024 need a right.";
    told(
        ended.failed("port_forbidden", 1).event("error"),
        &Reason::PortForbidden("127.0.0.1:443".into()),
        [
            message,
            "Choose a port from 1024 on, or give it the right: `sudo setcap cap_net_bind_service=+ep` and the path of silbo.",
        ],
        [
            "The system does not let Silbo listen on 127.0.0.1:443: ports below 1024 need a right.",
            "Choose a port from 1024 on.",
        ],
    );
}

#[test]
fn an_address_of_another_computer_is_named_with_what_to_do() {
    let world = World::empty();
    let ended = world.run("a", &["supernode", "--listen", "192.0.2.1:7600"]).failed("not_our_address", 2);
    let message = "No network interface of this computer has the address of 192.0.2.1:7600.";
    told(
        ended.event("error"),
        &Reason::NotOurAddress("192.0.2.1:7600".into()),
        [
            message,
            "Listen on 0.0.0.0 with the same port, and give the address others reach with --public IP.",
        ],
        [message, "Choose an address that this computer has."],
    );
}

/// Ada and bob have names, and she is a contact of his.
fn two_people(world: &World) {
    for (profile, name) in [("a", "ada"), ("b", "bob")] {
        world.run(profile, &["register", name]).with(0);
    }
    world.run("b", &["contact", "add", "ada"]).with(0);
}

/// Ada's program, which calls bob's, and his, where it rings.
fn it_rings(world: &World, words: &[&str]) -> (Silbo, Silbo) {
    let mut bob = world.silbo("b", &[&["online", "--calls", "1"], &SILENT[..]].concat());
    bob.expect("online");
    let mut ada = world.silbo("a", &[&["call", &world.key("b")], words].concat());
    bob.expect("incoming");
    ada.expect("ringing");
    (ada, bob)
}

#[test]
fn a_helper_that_dies_while_it_rings_takes_nothing_away_from_the_call() {
    let mut world = World::new();
    two_people(&world);
    let (mut ada, mut bob) = it_rings(&world, &SILENT);
    world.kill_supernode();
    bob.tell(r#"{"do":"answer"}"#);
    ada.expect("media_flowing");
    bob.expect("media_flowing");
    ada.tell(r#"{"do":"hangup"}"#);
    assert!(!ada.end().with(0).has("error"), "there is nothing to be told");
    assert!(!bob.end().with(0).has("error"));
}

#[test]
fn a_direct_call_goes_on_when_the_helper_dies_and_the_hang_up_arrives() {
    let mut world = World::new();
    two_people(&world);
    let (mut ada, mut bob) = it_rings(&world, &["--mic", "tone:330", "--speaker", "null"]);
    bob.tell(r#"{"do":"answer"}"#);
    ada.expect("media_flowing");
    bob.expect("media_flowing");
    world.kill_supernode();
    ada.expect("stats");
    let before = ada.expect("stats")["packets_received"].as_u64().unwrap();
    let after = ada.expect("stats")["packets_received"].as_u64().unwrap();
    assert!(after > before, "sound goes on");
    ada.tell(r#"{"do":"hangup"}"#);
    assert_eq!(bob.expect("ended")["reason"], "hung_up", "the hang-up needs no supernode either");
    assert!(!ada.end().with(0).has("error"));
    assert!(!bob.end().with(0).has("error"));
}

#[test]
fn a_call_whose_only_relay_dies_is_a_lost_connection_and_with_another_helper_the_next_one_works() {
    let mut world = World::new();
    two_people(&world);
    let relayed = [&SILENT[..], &["--path", "relay"]].concat();
    let (mut ada, mut bob) = it_rings(&world, &relayed);
    bob.tell(r#"{"do":"answer"}"#);
    ada.expect("media_flowing");
    world.kill_supernode();
    let lost = ada.end().failed("connection_lost", 5);
    assert_eq!(lost.event("ended")["by"], "network", "nobody hung up");
    told_alike(
        lost.event("error"),
        &Reason::ConnectionLost,
        ["The connection was lost.", "It may be their network or yours. Call again in a moment."],
    );
    assert_eq!(bob.expect("ended")["reason"], "connection_lost", "both are told alike");
    drop(bob);
    world.start_supernode("other supernode");
    let (mut ada, mut bob) = it_rings(&world, &relayed);
    bob.tell(r#"{"do":"answer"}"#);
    ada.expect("media_flowing");
    ada.tell(r#"{"do":"hangup"}"#);
    ada.end().with(0);
    bob.end().with(0);
}
