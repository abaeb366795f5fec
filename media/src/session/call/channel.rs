//! The control channel.
//!
//! Between two Silbo ends a message is one tag byte and then the rest: 0 = bye, 1 = a message, 2 = how large pictures are
//! shown ([`Viewing`]), 3 = payload types that are taken beside those every end takes, a byte each. With a stock end the first
//! data channel carries bare messages, and closing the connection is the bye; what it shows and takes it does not say.

use std::time::Instant;

use bytes::BytesMut;
use rtc::peer_connection::event::RTCDataChannelEvent;

use super::{Call, CallEvent, PeerKind};
use crate::session::MAX_MESSAGE;
use crate::session::sdp::REPEAT;
use crate::video::viewing::Viewing;

/// Messages kept until the channel is open; the oldest is dropped when more come.
const MESSAGES_WAITING: usize = 32;

pub(super) const LABEL: &str = "silbo";
const TAG_BYE: u8 = 0;
const TAG_MESSAGE: u8 = 1;
const TAG_VIEWING: u8 = 2;
const TAG_TAKES: u8 = 3;

impl Call {
    /// Sends a message, or keeps it until the channel is open.
    pub(in crate::session) fn send_message(&mut self, now: Instant, message: Vec<u8>) {
        if self.channel_open {
            self.write_channel(now, TAG_MESSAGE, &message);
            self.drain(now);
        } else {
            if self.messages_waiting.len() == MESSAGES_WAITING {
                self.messages_waiting.pop_front();
            }
            self.messages_waiting.push_back(message);
        }
    }

    /// Tells how large the other end's pictures are shown; until the channel is open the newest is kept.
    pub(in crate::session) fn send_viewing(&mut self, now: Instant, viewing: Viewing) {
        if self.peer == PeerKind::Stock {
            return;
        }
        if self.channel_open {
            self.write_channel(now, TAG_VIEWING, &viewing.encode());
            self.drain(now);
        } else {
            self.viewing_waiting = Some(viewing);
        }
    }

    pub(super) fn say_good_bye(&mut self, now: Instant) {
        if self.channel_open && self.peer == PeerKind::Silbo {
            self.write_channel(now, TAG_BYE, &[]);
        }
    }

    pub(super) fn handle_channel(&mut self, now: Instant, event: &RTCDataChannelEvent) {
        match *event {
            RTCDataChannelEvent::OnOpen(id) if *self.channel.get_or_insert(id) == id => {
                self.channel_open = true;
                if self.peer == PeerKind::Silbo {
                    self.write_channel(now, TAG_TAKES, &[REPEAT]);
                }
                for message in std::mem::take(&mut self.messages_waiting) {
                    self.write_channel(now, TAG_MESSAGE, &message);
                }
                if let Some(viewing) = self.viewing_waiting.take() {
                    self.write_channel(now, TAG_VIEWING, &viewing.encode());
                }
            }
            // A stock end may close a channel of its own accord; ours has only this one.
            RTCDataChannelEvent::OnClose(id) if self.channel == Some(id) => {
                self.channel_open = false;
                if self.peer == PeerKind::Silbo {
                    self.events.push_back(CallEvent::PeerClosed);
                }
            }
            _ => {}
        }
    }

    pub(super) fn handle_message(&mut self, message: &[u8]) {
        match (self.peer, message.split_first()) {
            (_, _) if message.len() > MAX_MESSAGE + 1 => {
                tracing::debug!("an overlong message was dropped")
            }
            (PeerKind::Stock, _) => self.events.push_back(CallEvent::Message(message.to_vec())),
            (PeerKind::Silbo, Some((&TAG_BYE, []))) => self.events.push_back(CallEvent::PeerClosed),
            (PeerKind::Silbo, Some((&TAG_MESSAGE, text))) => {
                self.events.push_back(CallEvent::Message(text.to_vec()));
            }
            (PeerKind::Silbo, Some((&TAG_VIEWING, said))) => match Viewing::decode(said) {
                Some(viewing) => self.events.push_back(CallEvent::Viewing(viewing)),
                None => tracing::debug!("a size that makes no sense was dropped"),
            },
            (PeerKind::Silbo, Some((&TAG_TAKES, payload_types))) => {
                self.takes_repeats = payload_types.contains(&REPEAT);
            }
            (PeerKind::Silbo, _) => tracing::debug!("a control message of an unknown kind was dropped"),
        }
    }

    fn write_channel(&mut self, now: Instant, tag: u8, message: &[u8]) {
        let Some(mut channel) = self.channel.and_then(|id| self.connection.data_channel(id)) else { return };
        let sent = match self.peer {
            PeerKind::Silbo => channel.send(now, BytesMut::from(&[&[tag], message].concat()[..])),
            PeerKind::Stock => match std::str::from_utf8(message) {
                Ok(text) => channel.send_text(now, text),
                Err(_) => channel.send(now, BytesMut::from(message)),
            },
        };
        if let Err(error) = sent {
            tracing::warn!(%error, "the control channel refused a message");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::PathPolicy;
    use crate::session::call::voice::VoiceKind;
    use crate::session::fixture::origin;
    use crate::session::sdp::Role;

    fn call(peer: PeerKind) -> Call {
        Call::new(origin(), Role::Offer, peer, PathPolicy::Any, [1, 2, 3]).unwrap()
    }

    #[test]
    fn repeats_are_for_who_has_said_to_take_them() {
        let mut call = call(PeerKind::Silbo);
        assert!(!call.takes_repeats);
        for (said, takes) in [
            (&[TAG_TAKES, REPEAT][..], true),
            (&[TAG_TAKES], false),
            (&[TAG_TAKES, 0, 255, REPEAT, 7], true),
            (&[TAG_TAKES, 0, 255], false),
            (&[], false),
        ] {
            call.handle_message(said);
            assert_eq!(call.takes_repeats, takes, "{said:?}");
        }
    }

    #[test]
    fn a_stock_end_says_and_is_sent_nothing_of_the_kind() {
        let mut call = call(PeerKind::Stock);
        call.handle_message(&[TAG_TAKES, REPEAT]);
        assert!(!call.takes_repeats);
        assert_eq!(call.voice_kind(REPEAT), None);
        assert_eq!(self::call(PeerKind::Silbo).voice_kind(REPEAT), Some(VoiceKind::Repeat));
    }
}
