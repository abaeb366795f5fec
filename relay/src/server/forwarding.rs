//! Payloads between clients and peers (RFC 8656 §11, §12.5 to §12.7): one decision, taken without changing or copying
//! anything, so that many threads can take it at once. The fast path carries it out in place; [`Server::handle_client`]
//! carries it out with a copy.

use std::hash::BuildHasher as _;
use std::net::SocketAddr;
use std::ops::Range;
use std::time::Instant;

use super::allocation::{Allocation, Permitted};
use super::client::Client;
use super::party::Moment;
use super::shaping::Purse;
use super::{AllocationId, PeerProof, Server, Stats, Transmit, UNDERSTOOD, Via};
use crate::wire::{self, AttributeType, ChannelData, ChannelNumber, Class, DataHeader, Method};

/// Where a payload goes next. Ranges are those of the datagram the question was about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Onward {
    /// Nowhere; it was counted.
    Dropped,
    /// This is for [`Server::handle_client`] or [`Server::handle_peer`]: it may change something.
    Control,
    /// To a peer, from the relayed port of an allocation.
    ToPeer(AllocationId, SocketAddr, Range<usize>),
    /// To a client, behind a header.
    ToClient(Client, DataHeader, Range<usize>),
}

/// The beginning of a look-up: of a client's hash, for instance a batch of them, before any is followed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lead(pub(super) u64);

impl Server {
    /// Begins to look up a client.
    pub fn lead(&self, client: Client) -> Lead {
        Lead(self.hash.hash_one(client))
    }

    /// Brings what the leads lead to into the processor's cache, all of it at once: decisions taken one after the other
    /// would wait for memory one after the other. Gives the slots of the allocations, which may be other clients'.
    pub fn follow(&self, leads: &[Lead]) -> impl Iterator<Item = usize> {
        leads.iter().filter_map(|Lead(hash)| {
            let slot = self.by_client.find(*hash, |_| true)?;
            std::hint::black_box(self.allocations.at(slot)?.1.touch());
            Some(slot as usize)
        })
    }

    /// Decides about a datagram from a client.
    pub fn forward_from_client(
        &self,
        now: Instant,
        from: Client,
        datagram: &[u8],
        tally: &mut Stats,
    ) -> Onward {
        self.forward_by_lead(now, (self.lead(from), from), datagram, tally)
    }

    /// The same when the look-up has begun already.
    pub fn forward_by_lead(
        &self,
        now: Instant,
        (lead, from): (Lead, Client),
        datagram: &[u8],
        tally: &mut Stats,
    ) -> Onward {
        if ChannelData::matches(datagram) {
            let Ok(received) = ChannelData::parse(datagram) else {
                tally.malformed += 1;
                return Onward::Dropped;
            };
            let bound = self.allocation_by(now, lead, from).and_then(|(id, allocation)| {
                Some(((id, allocation), allocation.peer_of(now, received.channel)?))
            });
            let Some((found, to)) = bound else {
                tally.refused += 1;
                return Onward::Dropped;
            };
            let start = ChannelData::HEADER_LEN;
            let payload = start..start + received.payload.len();
            return self.forward_to_peer(now, found, to, datagram, payload, tally);
        }
        let is_send = wire::Message::is(datagram, Class::Indication, Method::Send);
        if is_send { self.forward_send(now, (lead, from), datagram, tally) } else { Onward::Control }
    }

    /// Decides about a datagram that reached the relayed port of an allocation: RFC 8656 §11.3, §12.7: to the client as
    /// ChannelData when a channel leads to the peer, else as a Data indication; silently dropped without a permission.
    pub fn forward_from_peer(
        &self,
        now: Instant,
        id: AllocationId,
        from: SocketAddr,
        payload: &[u8],
        tally: &mut Stats,
    ) -> Onward {
        let Some(allocation) = self.allocations.get(id) else { return Onward::Dropped };
        let (channel, permitted) = allocation.way_from(now, from);
        // What may not be sent to is not heard either. That includes our own address: mates meet in memory.
        if now >= allocation.expires || permitted == Permitted::No || !self.may_send_to(from) {
            tally.refused += 1;
            return Onward::Dropped;
        }
        if self.config.proof == PeerProof::Required
            && !allocation.parties.hears(self.moment(now), from, payload)
        {
            // As on the way out: a flood of anything else never waits for the lock.
            if wire::is_stun(payload) {
                return Onward::Control;
            }
            tally.unproven += 1;
            return Onward::Dropped;
        }
        self.deliver(now, (allocation, &allocation.purse), (from, channel), 0..payload.len(), tally)
    }

    /// RFC 8656 §11.2: a Send indication from a client.
    fn forward_send(
        &self,
        now: Instant,
        (lead, from): (Lead, Client),
        datagram: &[u8],
        tally: &mut Stats,
    ) -> Onward {
        // An indication gets no error: with DONT-FRAGMENT or anything else unknown it is dropped (RFC 8489 §6.3.2).
        let parsed = wire::parse(datagram).ok().and_then(|message| {
            let peer = message.xor_address(AttributeType::XOR_PEER_ADDRESS).ok()??;
            let data = message.attribute(AttributeType::DATA)?;
            let payload = data.offset..data.offset + data.value.len();
            message.not_understood(&UNDERSTOOD).is_empty().then_some((peer, payload))
        });
        let Some((peer, payload)) = parsed else {
            tally.malformed += 1;
            return Onward::Dropped;
        };
        match self.allocation_by(now, lead, from) {
            Some((id, allocation)) => {
                let to = (peer, allocation.permits(now, peer.ip()));
                self.forward_to_peer(now, (id, allocation), to, datagram, payload, tally)
            }
            None => {
                tally.refused += 1;
                Onward::Dropped
            }
        }
    }

    fn forward_to_peer(
        &self,
        now: Instant,
        (id, allocation): (AllocationId, &Allocation),
        (peer, permitted): (SocketAddr, Permitted),
        datagram: &[u8],
        payload: Range<usize>,
        tally: &mut Stats,
    ) -> Onward {
        let mate = self.allocation_at(peer);
        let may_send = permitted == Permitted::Yes && (mate.is_some() || self.may_send_to(peer));
        let (Some(relayed), true) = (allocation.relayed_to(peer), may_send) else {
            tally.refused += 1;
            return Onward::Dropped;
        };
        let Some(mate) = mate else {
            let needs_proof = self.config.proof == PeerProof::Required;
            if needs_proof && !allocation.parties.is_proven(self.moment(now), peer) {
                let payload = &datagram[payload];
                // Dropped here when it is no check, so that a flood of it never waits for the lock.
                if wire::is_stun(payload) {
                    return Onward::Control;
                }
                tally.unproven += 1;
                return Onward::Dropped;
            }
            if !self.shaper.admits(now, &allocation.purse, payload.len()) {
                tally.over_cap += 1;
                return Onward::Dropped;
            }
            allocation.meter.to_peer(payload.len());
            tally.packets_to_peers += 1;
            tally.bytes += payload.len() as u64;
            return Onward::ToPeer(id, peer, payload);
        };
        let (channel, permitted) = mate.way_from(now, relayed);
        if now >= mate.expires || permitted == Permitted::No {
            tally.refused += 1;
            return Onward::Dropped;
        }
        let length = payload.len();
        // Who sends pays: nobody can use up what belongs to another.
        let onward = self.deliver(now, (mate, &allocation.purse), (relayed, channel), payload, tally);
        if onward != Onward::Dropped {
            allocation.meter.to_peer(length);
            tally.packets_to_peers += 1;
            tally.packets_in_memory += 1;
            tally.bytes += length as u64;
        }
        onward
    }

    /// The last step to a client, whose permission is checked.
    fn deliver(
        &self,
        now: Instant,
        (allocation, purse): (&Allocation, &Purse),
        (from, channel): (SocketAddr, Option<ChannelNumber>),
        payload: Range<usize>,
        tally: &mut Stats,
    ) -> Onward {
        if !self.shaper.admits(now, purse, payload.len()) {
            tally.over_cap += 1;
            return Onward::Dropped;
        }
        allocation.meter.to_client(payload.len());
        tally.packets_to_clients += 1;
        tally.bytes += payload.len() as u64;
        let header = channel.map_or(DataHeader::Indication(from), DataHeader::Channel);
        Onward::ToClient(allocation.client, header, payload)
    }

    /// Carries out what the fast path left: a check to a peer that is not proven.
    pub(super) fn send_check(&mut self, now: Instant, from: Client, datagram: &[u8]) {
        let found = if ChannelData::matches(datagram) {
            ChannelData::parse(datagram).ok().and_then(|received| {
                let (id, allocation) = self.allocation_of(now, from)?;
                let (peer, _) = allocation.peer_of(now, received.channel)?;
                Some((id, peer, received.payload))
            })
        } else {
            wire::parse(datagram).ok().and_then(|message| {
                let peer = message.xor_address(AttributeType::XOR_PEER_ADDRESS).ok()??;
                let data = message.attribute(AttributeType::DATA)?;
                Some((self.allocation_of(now, from)?.0, peer, data.value))
            })
        };
        let Some((id, peer, payload)) = found else { return };
        let (at, most) = (self.moment(now), self.config.limits.permissions);
        let Some(allocation) = self.allocations.get_mut(id) else { return };
        if !allocation.parties.sends(at, peer, payload, most) {
            self.stats.unproven += 1;
            return;
        }
        if !self.shaper.admits(now, &allocation.purse, payload.len()) {
            self.stats.over_cap += 1;
            return;
        }
        allocation.meter.to_peer(payload.len());
        self.stats.packets_to_peers += 1;
        self.stats.bytes += payload.len() as u64;
        self.transmit(Transmit { via: Via::Relayed(id), to: peer, payload: payload.to_vec() });
    }

    /// The same for what came from a peer that is not proven.
    pub(super) fn receive_check(&mut self, now: Instant, id: AllocationId, from: SocketAddr, payload: &[u8]) {
        let (at, most) = (self.moment(now), self.config.limits.permissions);
        let Some(allocation) = self.allocations.get_mut(id) else { return };
        if !allocation.parties.receives(at, from, payload, most) {
            self.stats.unproven += 1;
            return;
        }
        let mut tally = Stats::default();
        if let Some(allocation) = self.allocations.get(id) {
            let (channel, _) = allocation.way_from(now, from);
            let whose = (allocation, &allocation.purse);
            let onward = self.deliver(now, whose, (from, channel), 0..payload.len(), &mut tally);
            self.carry_out(onward, payload);
        }
        self.stats.add(&tally);
    }

    /// Carries out a decision with a copy.
    pub(super) fn carry_out(&mut self, onward: Onward, datagram: &[u8]) {
        match onward {
            Onward::Dropped | Onward::Control => {}
            Onward::ToPeer(id, to, payload) => {
                let payload = datagram[payload].to_vec();
                self.transmit(Transmit { via: Via::Relayed(id), to, payload });
            }
            Onward::ToClient(client, header, payload) => {
                let transaction = self.random_transaction();
                let head = DataHeader::MAX_LEN;
                let length = payload.len();
                let mut buffer = vec![0; head + length + DataHeader::MAX_PADDING];
                buffer[head..head + length].copy_from_slice(&datagram[payload]);
                if let Some(whole) = header.wrap(&mut buffer, head..head + length, transaction) {
                    self.reply(client, buffer[whole].to_vec());
                }
            }
        }
    }

    pub(super) const fn moment(&self, now: Instant) -> Moment {
        Moment { now, epoch: self.epoch }
    }
}
