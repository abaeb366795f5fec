//! Whole nodes in the hands of a fuzzer: one that serves, with links on which the input speaks, and one that asks and
//! is answered by the input. No step may panic, and what is kept stays within its bounds.

use std::{net::SocketAddr, time::Duration};

use relay::{
    Now,
    fuzz::{Script, origin},
};

use super::samples;
use crate::{
    config::{Limits, Network, NodeConfig, Role},
    identity::LinkSecret,
    node::{Effect, LinkId, Node, cached_supernodes},
    outcome::RelayWish,
    username::Username,
    wire::{self, Message, Request, Response},
};

/// What a step does.
const RAW: u8 = 0;
const REQUEST: u8 = 1;
const RESPONSE: u8 = 2;
const UP: u8 = 3;
const UP_SUPERNODE: u8 = 4;
const DOWN: u8 = 5;
const TIME: u8 = 6;
const COMMAND: u8 = 7;

/// Links of a story.
const LINKS: u8 = 8;

/// Small bounds, so that a short input reaches them.
fn limits() -> Limits {
    Limits {
        known_by_leaf: 8,
        known_by_supernode: 8,
        links: 12,
        claims: 4,
        claims_per_prefix: 4,
        introductions: 4,
        outstanding: 16,
        queries: 4,
        ..Limits::default()
    }
}

fn new(mut config: NodeConfig, cache: &[u8], now: Now) -> Node {
    config.limits = limits();
    Node::new(config, samples::person(50), LinkSecret::from_secret([50; 32]), cache, [50; 32], now)
}

fn supernode(cache: &[u8], now: Now) -> Node {
    new(NodeConfig::supernode(Network::Lab, ([10, 0, 50, 1], 7600).into()), cache, now)
}

pub(super) fn cache(input: &[u8]) {
    let now = origin();
    for mut node in [new(NodeConfig::leaf(Network::Lab), input, now), supernode(input, now)] {
        assert!(node.status().supernodes_known <= 8);
        settle(&mut node, now);
        let kept = node.cache();
        assert!(cached_supernodes(&kept).is_some(), "what is kept can be read");
    }
}

/// Does at once what a driver does in time.
fn settle(node: &mut Node, now: Now) -> Vec<(LinkId, SocketAddr)> {
    let mut opened = Vec::new();
    while let Some(effect) = node.poll_effect() {
        match effect {
            Effect::OpenLink { link, address, .. } => opened.push((link, address)),
            Effect::Persist { id, .. } => node.handle_persisted(now, id),
            _ => {}
        }
    }
    while node.poll_event().is_some() {}
    opened
}

pub(super) fn serving(input: &[u8]) {
    let mut now = origin();
    let mut node = supernode(&[], now);
    let mut script = Script::new(input);
    while let Some((what, chunk)) = script.step() {
        let which = what >> 4 & (LINKS - 1);
        let link = LinkId::Inbound(u64::from(which));
        let peer = samples::node(which);
        match what & 0x0f {
            RAW => node.handle_message(now, link, chunk),
            REQUEST => {
                if let Ok(body) = wire::from_bytes::<Request>(chunk) {
                    node.handle_message(now, link, &wire::to_bytes(&Message::Request { id: 7, body }));
                }
            }
            UP => {
                node.handle_link_up(now, link, samples::ends(peer.public_key(), samples::address(which)));
                node.handle_message(now, link, &wire::to_bytes(&samples::hello(Role::Leaf, None)));
            }
            UP_SUPERNODE => {
                let hello = samples::hello(Role::Supernode, Some(samples::supernode(which)));
                node.handle_link_up(now, link, samples::ends(peer.public_key(), samples::address(which)));
                node.handle_message(now, link, &wire::to_bytes(&hello));
            }
            DOWN => node.handle_link_down(now, link),
            TIME => {
                now = now.after(Duration::from_millis(100 * chunk.len() as u64));
                node.handle_timeout(now);
            }
            _ => continue,
        }
        settle(&mut node, now);
        while let Some(transmit) = node.poll_transmit() {
            assert!(transmit.bytes.len() <= wire::MAX_FRAME, "no frame of ours ends the link");
            assert!(wire::from_bytes::<Message>(&transmit.bytes).is_ok(), "others can read what we send");
        }
    }
}

pub(super) fn serving_seeds() -> Vec<Vec<u8>> {
    let on = |what: u8, which: u8, chunk: &[u8]| Script::write(what | which << 4, chunk);
    let leaf = on(UP, 0, &[]);
    let mut seeds: Vec<Vec<u8>> = samples::requests()
        .iter()
        .map(|request| [leaf.clone(), on(REQUEST, 0, &wire::to_bytes(request))].concat())
        .collect();
    let all = samples::requests();
    let every = all.iter().flat_map(|request| on(REQUEST, 0, &wire::to_bytes(request)));
    seeds.push(leaf.iter().copied().chain(every).collect());
    let gossip = samples::messages().into_iter().flat_map(|message| on(RAW, 1, &message));
    seeds.push(on(UP_SUPERNODE, 1, &[]).into_iter().chain(gossip).collect());
    seeds.push([leaf, on(UP_SUPERNODE, 2, &[]), on(TIME, 0, &[0; 300]), on(DOWN, 2, &[])].concat());
    seeds.push([on(UP, 3, &[]), on(RAW, 3, b"nonsense"), on(TIME, 0, &[0; 1_000])].concat());
    seeds
}

pub(super) fn asking(input: &[u8]) {
    let mut now = origin();
    let mut node = new(NodeConfig::leaf(Network::Lab), &[], now);
    node.add_seeds(now, (0..3).map(samples::address));
    node.set_presence_secret(now, Some(samples::SECRET));
    node.watch(now, [(samples::person(1).public_key(), samples::SECRET)]);
    let mut links: Vec<LinkId> = Vec::new();
    let mut asked: Vec<(LinkId, u32)> = Vec::new();
    let mut script = Script::new(input);
    // The homes are there from the beginning.
    greet(&mut node, now, &mut links);
    while let Some((what, chunk)) = script.step() {
        let which = usize::from(what >> 4);
        while let Some(transmit) = node.poll_transmit() {
            if let Ok(Message::Request { id, .. }) = wire::from_bytes(&transmit.bytes) {
                asked.push((transmit.link, id));
            }
        }
        match what & 0x0f {
            RAW => {
                if let Some(link) = links.get(which) {
                    node.handle_message(now, *link, chunk);
                }
            }
            RESPONSE => {
                let Ok(body) = wire::from_bytes::<Response>(chunk) else { continue };
                let Some(nth) = asked.len().checked_sub(1 + which) else { continue };
                let (link, id) = asked.remove(nth);
                node.handle_message(now, link, &wire::to_bytes(&Message::Response { id, body }));
            }
            DOWN => {
                if let Some(link) = links.get(which) {
                    node.handle_link_down(now, *link);
                }
            }
            TIME => {
                now = now.after(Duration::from_millis(100 * chunk.len() as u64));
                node.handle_timeout(now);
            }
            COMMAND => command(&mut node, now, what >> 4, chunk),
            _ => continue,
        }
        greet(&mut node, now, &mut links);
    }
    assert!(node.status().supernodes_known <= 8);
}

/// Whoever is dialled answers as the supernode that lives there.
fn greet(node: &mut Node, now: Now, links: &mut Vec<LinkId>) {
    for (link, address) in settle(node, now) {
        let which = (0..LINKS).find(|which| samples::address(*which) == address);
        let Some(which) = which else {
            node.handle_link_down(now, link);
            continue;
        };
        links.push(link);
        node.handle_link_up(now, link, samples::ends(samples::node(which).public_key(), address));
        let hello = samples::hello(Role::Supernode, Some(samples::supernode(which)));
        node.handle_message(now, link, &wire::to_bytes(&hello));
    }
}

fn command(node: &mut Node, now: Now, which: u8, chunk: &[u8]) {
    let name = std::str::from_utf8(chunk).ok().and_then(|text| Username::parse(text).ok());
    let person = samples::person(which).public_key();
    // What comes of it is reported as an event, which nobody reads here.
    let _ = match (which, name) {
        (0..4, Some(name)) => node.lookup(now, name),
        (4..8, Some(name)) => node.register(now, name),
        (8..12, _) => node.send(now, person, chunk.to_vec()),
        (12..14, _) => node.reachable(now, person),
        _ => node.relays(now, RelayWish::Any),
    };
}

pub(super) fn asking_seeds() -> Vec<Vec<u8>> {
    let on = |what: u8, which: u8, chunk: &[u8]| Script::write(what | which << 4, chunk);
    let answers = |command: Vec<u8>| {
        samples::responses()
            .iter()
            .map(|response| {
                let answer = on(RESPONSE, 0, &wire::to_bytes(response));
                let rest = on(RESPONSE, 0, &wire::to_bytes(response));
                [command.clone(), answer, rest, on(TIME, 0, &[0; 50])].concat()
            })
            .collect::<Vec<_>>()
    };
    let mut seeds = answers(on(COMMAND, 0, b"ada"));
    seeds.extend(answers(on(COMMAND, 4, b"ada")));
    seeds.extend(answers(on(COMMAND, 8, b"ring")));
    seeds.extend(answers(on(COMMAND, 15, &[])));
    seeds.push(samples::messages().into_iter().flat_map(|message| on(RAW, 0, &message)).collect());
    seeds
}
