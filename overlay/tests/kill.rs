//! A supernode is killed (SIGKILL) in the middle of writing, again and again: every claim it acknowledged is there
//! afterwards. The child is this very program, started for its one ignored test.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot set itself up fails there")]

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use overlay::{
    Identity, Network, Username,
    driver::{self, Config, Handle, Mdns, RoleWish, Serving},
};
use tokio::task::JoinSet;

/// Where the child keeps its claims, and which round it is.
const FOLDER: &str = "SILBO_KILL_FOLDER";
const ROUND: &str = "SILBO_KILL_ROUND";

/// Deaths.
const ROUNDS: usize = 12;

/// Claims under way at a time: some are always on their way to the disk.
const AT_ONCE: usize = 16;

async fn supernode(folder: &Path) -> Handle {
    let loopback = "127.0.0.1:0".parse().unwrap();
    let role =
        RoleWish::Supernode(Serving { relay_listen: Some(loopback), max_leaves: 10, ..Serving::default() });
    let config = Config {
        listen: Some(loopback),
        role,
        mdns: Mdns::Off,
        storage: Some(folder.to_owned()),
        ..Config::leaf(Network::Lab)
    };
    let (node, mut events) = driver::start(config, Identity::from_secret([1; 32])).await.unwrap();
    tokio::spawn(async move { while events.recv().await.is_some() {} });
    node
}

fn name(round: usize, number: usize) -> Username {
    Username::parse(&format!("r{round}-n{number}")).unwrap()
}

/// Says on standard output, line by line, which names are held; until it is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "runs as the child of the test below"]
async fn child_that_writes_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER).map(PathBuf::from) else { return };
    let round: usize = std::env::var(ROUND).unwrap().parse().unwrap();
    let node = supernode(&folder).await;
    let mut claims = JoinSet::new();
    for number in 0.. {
        let (node, name) = (node.clone(), name(round, number));
        claims.spawn(async move { (node.register(name.clone()).await, name) });
        if claims.len() < AT_ONCE {
            continue;
        }
        let (held, name) = claims.join_next().await.unwrap().unwrap();
        if held.is_ok_and(|held| held.held_by > 0) {
            // Not through the test's captured output; in one write, as death may come between two.
            std::io::stderr().write_all(format!("held {name}\n").as_bytes()).unwrap();
        }
    }
}

fn start(folder: &Path, round: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "child_that_writes_until_it_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .env(ROUND, round.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn nothing_that_was_acknowledged_is_lost_when_a_supernode_is_killed() {
    let folder = std::env::temp_dir().join(format!("silbo-kill-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut acknowledged: BTreeSet<Username> = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut child = start(&folder, round);
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut heard = 0;
        let mut line = String::new();
        // Another number each round, so that death comes at another moment of writing.
        while said.read_line(&mut line).unwrap() > 0 {
            if let Some(name) = acknowledged_by(&line) {
                acknowledged.insert(name);
                heard += 1;
            }
            line.clear();
            if heard == 5 + round * 7 {
                // What is said while we kill it counts too.
                child.kill().unwrap();
            }
        }
        assert!(heard >= 5 + round * 7, "the child ended by itself in round {round}");
        child.wait().unwrap();
    }
    let lost = lost(&folder, &acknowledged);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        lost.is_empty(),
        "{} of {} acknowledged claims are lost: {lost:?}",
        lost.len(),
        acknowledged.len()
    );
    assert!(acknowledged.len() >= ROUNDS * 5);
}

/// The name a line of the child acknowledges. A line without an end was cut off by death: half a name is none.
fn acknowledged_by(line: &str) -> Option<Username> {
    let name = line.strip_prefix("held ")?.strip_suffix('\n')?;
    Some(Username::parse(name).unwrap())
}

#[test]
fn a_line_cut_off_by_death_acknowledges_nothing() {
    assert_eq!(acknowledged_by("held r3-n12\n"), Some(name(3, 12)));
    for cut in ["held r3-n12", "held r3-n", "held ", "he", ""] {
        assert_eq!(acknowledged_by(cut), None, "{cut:?}");
    }
}

/// The acknowledged names a supernode started anew does not hold.
#[tokio::main(flavor = "current_thread")]
async fn lost(folder: &Path, acknowledged: &BTreeSet<Username>) -> Vec<Username> {
    let node = supernode(folder).await;
    let mut lost = Vec::new();
    for name in acknowledged {
        let found = node.lookup(name.clone()).await.unwrap();
        if found.claims.is_empty() {
            lost.push(name.clone());
        }
    }
    node.shutdown().await;
    lost
}
