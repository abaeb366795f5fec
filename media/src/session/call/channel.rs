//! The control channel.
//!
//! Between two Silbo ends it carries [`Control`] messages. With a stock end the first data channel carries bare messages, and
//! closing the connection is the bye; what it shows and takes, and whether it is muted, it does not say.

use std::time::Instant;

use bytes::BytesMut;
use rtc::peer_connection::event::RTCDataChannelEvent;

use super::{Call, CallEvent, PeerKind};
use crate::session::MAX_MESSAGE;
use crate::session::control::Control;
use crate::session::sdp::REPEAT;
use crate::video::viewing::Viewing;
use crate::voice::Mute;

/// Messages kept until the channel is open; the oldest is dropped when more come.
const MESSAGES_WAITING: usize = 32;

pub(super) const LABEL: &str = "silbo";

/// What the other end knows of our microphone: it takes it to be heard until it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Microphone {
    is: Mute,
    told: Mute,
}

impl Call {
    /// Sends a message, or keeps it until the channel is open.
    pub(in crate::session) fn send_message(&mut self, now: Instant, message: Vec<u8>) {
        if self.channel_open {
            self.write_channel(now, Control::Message(&message));
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
            self.write_channel(now, Control::Viewing(viewing));
            self.drain(now);
        } else {
            self.viewing_waiting = Some(viewing);
        }
    }

    /// Tells whether our microphone is muted, if that is news, or will once the channel is open.
    pub(in crate::session) fn send_mute(&mut self, now: Instant, mute: Mute) {
        self.microphone.is = mute;
        self.tell_mute(now);
        self.drain(now);
    }

    fn tell_mute(&mut self, now: Instant) {
        let Microphone { is, told } = self.microphone;
        if self.channel_open && self.peer == PeerKind::Silbo && is != told {
            self.microphone.told = is;
            self.write_channel(now, Control::Microphone(is));
        }
    }

    /// Tells that our pictures up to this timestamp are over, or will once the channel is open: the newest is kept.
    pub(super) fn send_pictures_end(&mut self, now: Instant, last: u32) {
        if self.channel_open {
            self.write_channel(now, Control::PicturesEnd(last));
        } else {
            self.end_waiting = Some(last);
        }
    }

    pub(super) fn say_good_bye(&mut self, now: Instant) {
        if self.channel_open && self.peer == PeerKind::Silbo {
            self.write_channel(now, Control::Bye);
        }
    }

    pub(super) fn handle_channel(&mut self, now: Instant, event: &RTCDataChannelEvent) {
        match *event {
            RTCDataChannelEvent::OnOpen(id) if *self.channel.get_or_insert(id) == id => {
                self.channel_open = true;
                if self.peer == PeerKind::Silbo {
                    self.write_channel(now, Control::Takes(&[REPEAT]));
                }
                for message in std::mem::take(&mut self.messages_waiting) {
                    self.write_channel(now, Control::Message(&message));
                }
                if let Some(viewing) = self.viewing_waiting.take() {
                    self.write_channel(now, Control::Viewing(viewing));
                }
                if let Some(last) = self.end_waiting.take() {
                    self.write_channel(now, Control::PicturesEnd(last));
                }
                self.tell_mute(now);
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
        if self.peer == PeerKind::Stock {
            if message.len() <= MAX_MESSAGE {
                self.events.push_back(CallEvent::Message(message.to_vec()));
            }
            return;
        }
        match Control::decode(message) {
            Ok(Control::Bye) => self.events.push_back(CallEvent::PeerClosed),
            Ok(Control::Message(message)) => self.events.push_back(CallEvent::Message(message.to_vec())),
            Ok(Control::Viewing(viewing)) => self.events.push_back(CallEvent::Viewing(viewing)),
            Ok(Control::Takes(payload_types)) => self.takes_repeats = payload_types.contains(&REPEAT),
            Ok(Control::Microphone(mute)) => self.events.push_back(CallEvent::Mute(mute)),
            Ok(Control::PicturesEnd(last)) => self.events.push_back(CallEvent::PicturesEnd(last)),
            Err(error) => tracing::debug!(%error, "a control message was dropped"),
        }
    }

    fn write_channel(&mut self, now: Instant, said: Control<'_>) {
        let Some(mut channel) = self.channel.and_then(|id| self.connection.data_channel(id)) else { return };
        let sent = match (self.peer, said) {
            (PeerKind::Silbo, said) => channel.send(now, BytesMut::from(&said.encode()[..])),
            (PeerKind::Stock, Control::Message(message)) => match std::str::from_utf8(message) {
                Ok(text) => channel.send_text(now, text),
                Err(_) => channel.send(now, BytesMut::from(message)),
            },
            (PeerKind::Stock, _) => return,
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
            (&[3, REPEAT][..], true),
            (&[3], false),
            (&[3, 0, 255, REPEAT, 7], true),
            (&[3, 0, 255], false),
            (&[], false),
        ] {
            call.handle_message(said);
            assert_eq!(call.takes_repeats, takes, "{said:?}");
        }
    }

    #[test]
    fn a_microphone_is_told_of_when_it_is_news_and_in_place_of_all_that_nobody_was_told() {
        let mut call = call(PeerKind::Silbo);
        for mute in [Mute::On, Mute::Off, Mute::On] {
            call.send_mute(origin(), mute);
        }
        assert_eq!(call.microphone, Microphone { is: Mute::On, told: Mute::Off }, "nobody listens yet");
        call.channel_open = true;
        call.tell_mute(origin());
        assert_eq!(call.microphone, Microphone { is: Mute::On, told: Mute::On });
    }

    #[test]
    fn a_stock_end_says_and_is_sent_nothing_of_the_kind() {
        let mut call = call(PeerKind::Stock);
        call.handle_message(&[3, REPEAT]);
        assert!(!call.takes_repeats);
        call.channel_open = true;
        call.send_mute(origin(), Mute::On);
        assert_eq!(call.microphone.told, Mute::Off);
        assert_eq!(call.voice_kind(REPEAT), None);
        assert_eq!(self::call(PeerKind::Silbo).voice_kind(REPEAT), Some(VoiceKind::Repeat));
    }
}
