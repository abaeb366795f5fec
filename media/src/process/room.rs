//! The processor: everything that a call does to the sound of its microphone.

use crate::frame::{BLOCK, Block};
use crate::process::Processor;
use crate::process::echo::spectrum::{BINS, Spectrum, Transform};
use crate::process::echo::{Canceller, Left};
use crate::process::emphasis::{Deemphasis, Emphasis};
use crate::process::gain::Gain;
use crate::process::noise::Floor;
use crate::process::playback::Playback;
use crate::process::suppress::Suppressor;

/// What becomes of the loudspeaker's sound in the microphone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Echo {
    /// It is taken out: for loudspeakers.
    Cancelled,
    /// There is none to take out, only noise and loudness are cared for: for headphones.
    None,
}

/// Takes echo and noise out of what the microphone hears and makes speech equally loud; adds 10 ms.
pub struct Room {
    echo: Echo,
    playback: Playback,
    played: Block,
    far: Emphasis,
    near: Emphasis,
    heard: Block,
    heard_before: Block,
    transform: Transform,
    canceller: Canceller,
    left: Left,
    floor: Floor,
    suppressor: Suppressor,
    deemphasis: Deemphasis,
    gain: Gain,
}

impl Room {
    /// A processor that has heard nothing yet.
    pub fn new(echo: Echo) -> Self {
        Self {
            echo,
            playback: Playback::new(),
            played: [0.0; BLOCK],
            far: Emphasis::new(),
            near: Emphasis::new(),
            heard: [0.0; BLOCK],
            heard_before: [0.0; BLOCK],
            transform: Transform::new(),
            canceller: Canceller::new(),
            left: Left { error: Spectrum::ZERO, residual: [0.0; BINS] },
            floor: Floor::new(),
            suppressor: Suppressor::new(),
            deemphasis: Deemphasis::new(),
            gain: Gain::new(),
        }
    }
}

impl Processor for Room {
    fn render(&mut self, played: &Block) {
        if self.echo == Echo::Cancelled {
            self.playback.push(played);
        }
    }

    fn capture(&mut self, heard: &mut Block) {
        self.heard_before = self.heard;
        self.near.hear(heard, &mut self.heard);
        match self.echo {
            Echo::Cancelled => self.cancel(),
            Echo::None => {
                let error = &mut self.left.error;
                self.transform.analyse_windowed(&self.heard_before, &self.heard, error);
            }
        }
        self.floor.hear(&self.left.error);
        let presence = self.suppressor.suppress(&mut self.left, self.floor.power());
        self.suppressor.speak(&mut self.transform, &self.left.error, heard);
        self.deemphasis.speak(heard);
        self.gain.adjust(heard, presence);
    }
}

impl Room {
    fn cancel(&mut self) {
        let surplus = self.playback.surplus();
        for _ in 0..surplus {
            self.playback.pop(&mut self.played);
            self.far.hear_in_place(&mut self.played);
            self.canceller.skip(&mut self.transform, &self.played);
        }
        self.playback.pop(&mut self.played);
        self.far.hear_in_place(&mut self.played);
        let heard = [&self.heard_before, &self.heard];
        self.canceller.cancel(&mut self.transform, &self.played, heard, self.floor.power(), &mut self.left);
    }
}
