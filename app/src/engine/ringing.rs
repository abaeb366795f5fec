//! What is heard of a call before and after the voice: that it rings here or there, and that it is over.

use super::view::{CallPhase, CallView};
use media::device::AudioSink;
use media::tones::{Loudness, Tone, driver::Player};

/// The tone of this moment.
#[derive(Debug, Default)]
pub(super) struct Ringing {
    tone: Option<Tone>,
    /// Heard until it is dropped.
    player: Option<Player>,
    /// How it would ring, until it is over.
    trial: Option<Player>,
}

impl Ringing {
    /// Lets be heard what belongs to the call as it stands now, and nothing else.
    pub(super) fn follow(&mut self, call: Option<&CallView>, speaker: &AudioSink, loudness: Loudness) {
        let tone = call.and_then(|call| tone(&call.phase));
        if tone != self.tone {
            self.tone = tone;
            // The earlier one falls silent first.
            (self.player, self.trial) = (None, None);
            self.player = tone.and_then(|tone| match tone {
                Tone::Incoming => Player::start_at(tone, loudness, speaker),
                Tone::Trial | Tone::Ringing | Tone::Over => Player::start(tone, speaker),
            });
        }
    }

    /// Lets be heard how it would ring; in a call there is enough to be heard.
    pub(super) fn try_out(&mut self, call: Option<&CallView>, speaker: &AudioSink, loudness: Loudness) {
        self.trial = None;
        if call.is_none() {
            self.trial = Player::start_at(Tone::Trial, loudness, speaker);
        }
    }
}

fn tone(phase: &CallPhase) -> Option<Tone> {
    match phase {
        CallPhase::Incoming => Some(Tone::Incoming),
        CallPhase::Ringing => Some(Tone::Ringing),
        CallPhase::Ended { .. } => Some(Tone::Over),
        CallPhase::Calling | CallPhase::Connecting | CallPhase::Active { .. } => None,
    }
}
