//! NAT behaviour discovery (RFC 5780) by two supernodes for each other: one address each, so neither needs two.
//!
//! ```text
//!   client ── Binding, CHANGE-REQUEST(IP and port) ──► this one
//!      ▲                                                  │ sealed indication: client, transaction id, time
//!      └────────── Binding success, RESPONSE-ORIGIN ── partner
//! ```
//!
//! A client learns what it has to know to be called: whether its mapping is the same towards both (it asks both, the
//! other one is in OTHER-ADDRESS), and whether its NAT lets in who was not written to. Told apart are endpoint-independent
//! and other behaviour; the two kinds of "other" are not. OTHER-ADDRESS is only in replies that are no longer than their
//! requests, and a reply from the partner goes to the address the request came from: nobody else is written to.

use std::net::SocketAddr;
use std::time::Duration;

use super::client::Client;
use super::{Server, Via};
use crate::wire::{
    AttributeType, Class, ErrorCode, Fingerprint, Integrity, Message, MessageBuilder, Method, TransactionId,
};
use crate::{Now, UnixTime};

/// The method of the indication between partners; no RFC gives this number a meaning.
const ANSWER_FOR_ME: Method = Method::Other(0x0FE);
/// Change IP and change port in CHANGE-REQUEST (RFC 5780 §7.2).
const CHANGE_BOTH: u8 = 0x06;
/// An indication older or younger than this is a replay or comes from a wrong clock.
const FRESH: Duration = Duration::from_secs(10);

impl Server {
    /// What is added to a Binding reply when the request has paid for it.
    pub(super) fn with_other_address(&self, reply: MessageBuilder, length: usize) -> MessageBuilder {
        let Some(partner) = &self.config.partner else { return reply };
        let longer = reply.clone().plain_address(AttributeType::OTHER_ADDRESS, partner.address);
        if longer.clone().finish(Fingerprint::With).len() <= length { longer } else { reply }
    }

    /// RFC 5780 §6.1: asks the partner to answer. Changing only one of address and port is not offered: 420.
    pub(super) fn change_request(
        &mut self,
        now: Now,
        from: Client,
        message: &Message<'_>,
        length: usize,
    ) -> Result<(), ErrorCode> {
        let value = message.attribute(AttributeType::CHANGE_REQUEST).map(|attribute| attribute.value);
        let (Some(partner), Some([0, 0, 0, CHANGE_BOTH]), None) =
            (self.config.partner.clone(), value, from.stream)
        else {
            return Err(ErrorCode::UNKNOWN_ATTRIBUTE);
        };
        let wish = self.random_transaction();
        let mut data = message.transaction().0.to_vec();
        data.extend_from_slice(&now.unix.as_millis().to_be_bytes());
        let indication = MessageBuilder::new(Class::Indication, ANSWER_FOR_ME, wish)
            .xor_address(AttributeType::XOR_PEER_ADDRESS, from.address)
            .attribute(AttributeType::DATA, &data)
            .seal(&partner.key, Fingerprint::Without);
        // The gate counts the reply that the partner will send.
        let prefix = self.prefix(from.address);
        if self.gate.admits(now.instant, prefix, length, length) {
            self.reply(Client::udp(partner.address), indication);
        } else {
            self.stats.rate_limited += 1;
        }
        Ok(())
    }

    /// The partner's side. Whether the message was one of these at all.
    pub(super) fn answer_for_partner(&mut self, now: Now, from: SocketAddr, message: &Message<'_>) -> bool {
        let Some(partner) = &self.config.partner else { return false };
        let is_theirs = message.method() == ANSWER_FOR_ME
            && from == partner.address
            && message.integrity(&partner.key) == Integrity::Valid;
        let client = message.xor_address(AttributeType::XOR_PEER_ADDRESS);
        let data = message.attribute(AttributeType::DATA).map(|attribute| attribute.value);
        let (true, Ok(Some(client)), Some(data)) = (is_theirs, client, data) else { return false };
        let (Some(transaction), Some(sent)) = (data.first_chunk::<12>(), data.last_chunk::<8>()) else {
            return false;
        };
        let sent = UnixTime::from_millis(u64::from_be_bytes(*sent));
        let age = now.unix.saturating_duration_since(sent).max(sent.saturating_duration_since(now.unix));
        if data.len() != 20 || age > FRESH {
            return false;
        }
        let origin = SocketAddr::new(self.relay_ip, self.listening.port());
        let reply = MessageBuilder::new(Class::Success, Method::Binding, TransactionId(*transaction))
            .xor_address(AttributeType::XOR_MAPPED_ADDRESS, client)
            .plain_address(AttributeType::RESPONSE_ORIGIN, origin)
            .finish(Fingerprint::Without);
        self.transmit(super::Transmit { via: Via::Listener, to: client, payload: reply });
        self.stats.bindings += 1;
        true
    }
}
