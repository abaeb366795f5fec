//! The peers of one allocation: their channels, when these are due, and what waits for them.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{SendRefused, TurnClient};
use crate::wire::{ChannelData, ChannelNumber};

/// RFC 8656 §12 keeps a channel ten minutes and §9 its permission five: renewing after four keeps both.
const RENEW_AFTER: Duration = Duration::from_secs(240);
/// Peers of one allocation; more are refused to the caller.
const MAX_PEERS: usize = 64;

#[derive(Debug, Default)]
pub(super) struct Peers {
    peers: BTreeMap<SocketAddr, Peer>,
    channels: BTreeMap<ChannelNumber, SocketAddr>,
    /// Numbers given out; never reused, since RFC 8656 §12 wants five minutes before a number names another peer.
    given_out: u16,
}

#[derive(Debug)]
struct Peer {
    channel: ChannelNumber,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Asked for; payloads wait.
    Wanted(VecDeque<Vec<u8>>),
    /// Bound; `renew_at` is empty while a renewal is on its way.
    Bound { renew_at: Option<Instant> },
}

/// What a fresh answer to ChannelBind sets free.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) is_new: bool,
    pub(super) queued: VecDeque<Vec<u8>>,
}

impl Peers {
    /// Takes `peer` in; says whether it is new.
    pub(super) fn add(&mut self, peer: SocketAddr) -> Result<bool, SendRefused> {
        if self.peers.contains_key(&peer) {
            return Ok(false);
        }
        let number = ChannelNumber::FIRST.get() + self.given_out;
        let channel = ChannelNumber::new(number).filter(|channel| *channel <= ChannelNumber::LAST);
        let Some(channel) = channel.filter(|_| self.peers.len() < MAX_PEERS) else {
            return Err(SendRefused::TooManyPeers);
        };
        self.given_out += 1;
        self.channels.insert(channel, peer);
        self.peers.insert(peer, Peer { channel, state: State::Wanted(VecDeque::new()) });
        Ok(true)
    }

    pub(super) fn channel(&self, peer: SocketAddr) -> Option<ChannelNumber> {
        self.peers.get(&peer).map(|peer| peer.channel)
    }

    pub(super) fn by_channel(&self, channel: ChannelNumber) -> Option<SocketAddr> {
        self.channels.get(&channel).copied()
    }

    /// The datagram to send now; nothing when the payload has to wait.
    pub(super) fn send(&mut self, peer: SocketAddr, payload: &[u8]) -> Option<Vec<u8>> {
        let peer = self.peers.get_mut(&peer)?;
        let datagram = ChannelData { channel: peer.channel, payload }.encode()?;
        match &mut peer.state {
            State::Bound { .. } => Some(datagram),
            State::Wanted(queue) => {
                if queue.len() == TurnClient::QUEUE {
                    queue.pop_front();
                }
                queue.push_back(datagram);
                None
            }
        }
    }

    pub(super) fn bound(&mut self, now: Instant, peer: SocketAddr) -> Option<Bound> {
        let peer = self.peers.get_mut(&peer)?;
        let renewed = State::Bound { renew_at: Some(now + RENEW_AFTER) };
        Some(match std::mem::replace(&mut peer.state, renewed) {
            State::Wanted(queued) => Bound { is_new: true, queued },
            State::Bound { .. } => Bound { is_new: false, queued: VecDeque::new() },
        })
    }

    /// Peers whose channel was not asked for yet.
    pub(super) fn wanted(&self) -> Vec<SocketAddr> {
        let wanted = self.peers.iter().filter(|(_, peer)| matches!(peer.state, State::Wanted(_)));
        wanted.map(|(address, _)| *address).collect()
    }

    /// Peers whose channel is to be renewed now; each is named once.
    pub(super) fn due(&mut self, now: Instant) -> Vec<SocketAddr> {
        let mut due = Vec::new();
        for (address, peer) in &mut self.peers {
            if let State::Bound { renew_at } = &mut peer.state
                && renew_at.is_some_and(|at| at <= now)
            {
                *renew_at = None;
                due.push(*address);
            }
        }
        due
    }

    pub(super) fn next_renewal(&self) -> Option<Instant> {
        let renewals = self.peers.values().filter_map(|peer| match peer.state {
            State::Bound { renew_at } => renew_at,
            State::Wanted(_) => None,
        });
        renewals.min()
    }

    pub(super) fn remove(&mut self, peer: SocketAddr) {
        if let Some(gone) = self.peers.remove(&peer) {
            self.channels.remove(&gone.channel);
        }
    }

    pub(super) fn clear(&mut self) {
        self.peers.clear();
        self.channels.clear();
    }
}
