//! Whether our microphone is open in a call: as the person said, or for as long as they hold a key. The other end is told.
//!
//! ```text
//!   muted ◀──────── SetMuted ────────▶ open
//!     │ ▲                               ▲
//!     │ └── SetMuted(true); LENT over ─┐ └── SetMuted(false) ─┐
//!     └────── Begin ──────────────────▶ lent ─────────────────┘
//!                                        └── GoOn: lent for LENT from now
//! ```
//! A window that hangs with the key down, or is gone, leaves no microphone open.

use super::actor::Actor;
use super::command::Talk;
use super::event::EventBody;
use crate::call::CallId;
use crate::reason::Reason;
use media::session::Mute;
use std::time::{Duration, Instant};

/// So long a microphone stays open after somebody last said that they hold the key.
pub(crate) const LENT: Duration = Duration::from_secs(2);

impl Actor {
    pub(super) fn set_muted(&mut self, muted: bool) -> Result<(), Reason> {
        let running = self.session.as_mut().ok_or(Reason::NoCall)?;
        running.lent_until = None;
        running.session.set_muted(if muted { Mute::On } else { Mute::Off })?;
        if let Some(call) = &mut self.picture.view.call {
            call.muted = muted;
        }
        Ok(())
    }

    /// The call may just have ended: whoever holds a key is not told so once more.
    pub(super) fn talk(&mut self, talk: Talk) -> Result<(), Reason> {
        let until = self.now().instant + LENT;
        let muted = self.picture.view.call.as_ref().is_some_and(|call| call.muted);
        let lent = self.session.as_ref().map(|running| running.lent_until.is_some());
        match (talk, lent) {
            (Talk::Begin, Some(_)) if muted => self.set_muted(false)?,
            (Talk::GoOn, Some(true)) => {}
            (Talk::Begin | Talk::GoOn, _) => return Ok(()),
        }
        if let Some(running) = &mut self.session {
            running.lent_until = Some(until);
        }
        Ok(())
    }

    /// The other end says how its microphone is.
    pub(super) fn other_end_muted(&mut self, call: CallId, mute: Mute) {
        if let Some(shown) = &mut self.picture.view.call {
            shown.their_microphone = mute;
        }
        self.tell(Some(call), EventBody::TheirMicrophone(mute));
    }

    /// Closes a microphone that was open for somebody who is not heard from any more.
    pub(super) fn take_back_microphone(&mut self, now: Instant) {
        let lent = self.session.as_ref().and_then(|running| running.lent_until);
        if lent.is_some_and(|until| until <= now)
            && let Err(reason) = self.set_muted(true)
        {
            self.complain(None, reason);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::{
        EngineHandle,
        command::{Command, Talk},
        custody::tests::{alone, seen},
        start,
        view::{CallPhase, ContactId, View},
    };
    use crate::storage::{Profile, Storage};
    use tempfile::TempDir;

    fn is_muted(muted: bool) -> impl Fn(&View) -> bool {
        move |view| view.call.as_ref().is_some_and(|call| call.muted == muted)
    }

    /// An engine that talks to Echo, muted.
    async fn muted() -> (EngineHandle, TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let profile = Profile::take(folder.path()).unwrap();
        let (identity, _) = profile.identity([7; 32], None).unwrap();
        let storage = Storage::open(profile.folder(), relay::driver::now().unix).unwrap();
        let (mut engine, _events, _running) = start(alone(), profile, storage, identity).await.unwrap();
        say(&engine, Command::Call(ContactId::Echo)).await;
        let active = |view: &View| {
            view.call.as_ref().is_some_and(|call| matches!(call.phase, CallPhase::Active { .. }))
        };
        seen(&mut engine, active).await;
        say(&engine, Command::SetMuted(true)).await;
        seen(&mut engine, is_muted(true)).await;
        (engine, folder)
    }

    async fn say(engine: &EngineHandle, command: Command) {
        engine.commands.send(command).await.unwrap();
    }

    #[tokio::test]
    async fn whoever_holds_a_key_is_heard_until_they_let_go_or_fall_silent() {
        let (mut engine, _folder) = muted().await;
        say(&engine, Command::Talk(Talk::Begin)).await;
        seen(&mut engine, is_muted(false)).await;
        say(&engine, Command::SetMuted(true)).await;
        seen(&mut engine, is_muted(true)).await;
        say(&engine, Command::Talk(Talk::Begin)).await;
        seen(&mut engine, is_muted(false)).await;
        // Nobody lets go, and nobody goes on.
        seen(&mut engine, is_muted(true)).await;
    }

    #[tokio::test]
    async fn going_on_opens_nothing_that_was_muted_since() {
        let (mut engine, _folder) = muted().await;
        for command in [Command::Talk(Talk::Begin), Command::SetMuted(true), Command::Talk(Talk::GoOn)] {
            say(&engine, command).await;
        }
        // What is done next is seen after all of it.
        say(&engine, Command::SetAppearance(crate::engine::view::Appearance::Light)).await;
        let light = |view: &View| view.settings.appearance == crate::engine::view::Appearance::Light;
        let view = seen(&mut engine, light).await;
        assert!(is_muted(true)(&view));
    }

    #[tokio::test]
    async fn whoever_opens_the_microphone_for_good_keeps_it_open() {
        let (mut engine, _folder) = muted().await;
        say(&engine, Command::Talk(Talk::Begin)).await;
        seen(&mut engine, is_muted(false)).await;
        say(&engine, Command::SetMuted(false)).await;
        say(&engine, Command::Talk(Talk::Begin)).await;
        let taken_back =
            tokio::time::timeout(super::LENT + super::LENT / 2, seen(&mut engine, is_muted(true)));
        assert!(taken_back.await.is_err(), "it was lent no more");
    }
}
