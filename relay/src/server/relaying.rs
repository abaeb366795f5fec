//! Payloads between clients and peers (RFC 8656 §11, §12.5 to §12.7).

use std::net::SocketAddr;

use super::{AllocationId, Server, Transmit, UNDERSTOOD, Via};
use crate::Now;
use crate::wire::{AttributeType, ChannelData, Class, Fingerprint, Message, MessageBuilder, Method};

impl Server {
    /// RFC 8656 §12.6: ChannelData from a client.
    pub(super) fn channel_data(&mut self, now: Now, from: SocketAddr, received: ChannelData<'_>) {
        let bound = self.allocation_of(now, from).and_then(|id| {
            let peer = self.allocations.get(&id)?.peer_of(now.instant, received.channel)?;
            Some((id, peer))
        });
        match bound {
            Some((id, peer)) => self.relay_to_peer(now, id, peer, received.payload),
            None => self.stats.refused += 1,
        }
    }

    /// RFC 8656 §11.2: a Send indication from a client.
    pub(super) fn send_indication(&mut self, now: Now, from: SocketAddr, message: &Message<'_>) {
        let peer = message.xor_address(AttributeType::XOR_PEER_ADDRESS);
        let payload = message.attribute(AttributeType::DATA);
        // An indication gets no error: with DONT-FRAGMENT or anything else unknown it is dropped (RFC 8489 §6.3.2).
        let (Ok(Some(peer)), Some(payload), true) =
            (peer, payload, message.not_understood(&UNDERSTOOD).is_empty())
        else {
            self.stats.malformed += 1;
            return;
        };
        match self.allocation_of(now, from) {
            Some(id) => self.relay_to_peer(now, id, peer, payload.value),
            None => self.stats.refused += 1,
        }
    }

    /// RFC 8656 §11.3, §12.7: to the client as ChannelData when a channel leads to the peer, else as a Data indication;
    /// silently dropped without a permission.
    pub(super) fn deliver_to_client(&mut self, now: Now, id: AllocationId, from: SocketAddr, payload: &[u8]) {
        let Some(allocation) = self.allocations.get(&id) else { return };
        if now.instant >= allocation.expires || !allocation.permits(now.instant, from.ip()) {
            self.stats.refused += 1;
            return;
        }
        let client = allocation.client;
        let channel = allocation.channel_to(now.instant, from);
        let datagram = match channel {
            Some(channel) => ChannelData { channel, payload }.encode(),
            None => {
                let transaction = self.random_transaction();
                let indication = MessageBuilder::new(Class::Indication, Method::Data, transaction)
                    .xor_address(AttributeType::XOR_PEER_ADDRESS, from)
                    .attribute(AttributeType::DATA, payload);
                Some(indication.finish(Fingerprint::Without))
            }
        };
        if let Some(datagram) = datagram {
            self.stats.packets_to_clients += 1;
            self.stats.bytes += payload.len() as u64;
            self.reply(client, datagram);
        }
    }

    fn relay_to_peer(&mut self, now: Now, id: AllocationId, peer: SocketAddr, payload: &[u8]) {
        let Some(allocation) = self.allocations.get(&id) else { return };
        let relayed = allocation.relayed();
        let (Some(relayed), true, true) =
            (relayed, allocation.permits(now.instant, peer.ip()), self.may_send_to(peer))
        else {
            self.stats.refused += 1;
            return;
        };
        self.stats.packets_to_peers += 1;
        self.stats.bytes += payload.len() as u64;
        match self.by_relayed.get(&peer) {
            Some(other) => {
                self.stats.packets_in_memory += 1;
                self.deliver_to_client(now, *other, relayed, payload);
            }
            None => {
                self.transmit(Transmit { via: Via::Relayed(id), to: peer, payload: payload.to_vec() });
            }
        }
    }
}
