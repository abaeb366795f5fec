//! Forgetting past calls, because the person wants it. What the other end remembers is theirs.

use super::{actor::Actor, view::ContactId};
use crate::reason::Reason;
use relay::UnixTime;

impl Actor {
    /// One that is gone already, by another press or because the oldest gave way, is no mistake.
    pub(super) fn forget_call(&mut self, with: ContactId, began: UnixTime) -> Result<(), Reason> {
        let now = self.now().unix;
        self.storage.forget_call(with, began, now)?;
        self.read_lists();
        Ok(())
    }

    pub(super) fn forget_calls(&mut self) -> Result<(), Reason> {
        let now = self.now().unix;
        self.storage.forget_calls(now)?;
        self.read_lists();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::{
            command::Command,
            custody::tests::{alone, seen},
            start,
            view::HistoryOutcome,
        },
        storage::{Nickname, PastCall, Profile, Storage},
    };
    use overlay::PublicKey;

    const ADA: PublicKey = PublicKey::from_bytes([1; 32]);

    #[tokio::test]
    async fn forgotten_calls_stay_away_and_a_nickname_stays_after_a_restart() {
        let folder = tempfile::TempDir::new().unwrap();
        let now = relay::driver::now().unix;
        let open = || {
            let profile = Profile::take(folder.path()).unwrap();
            let (identity, _) = profile.identity([7; 32], None).unwrap();
            let storage = Storage::open(profile.folder(), now).unwrap();
            (profile, storage, identity)
        };
        let (profile, mut storage, identity) = open();
        storage.add_contact(ADA, "ada", now).unwrap();
        for (with, name) in [(ContactId::Person(ADA), "ada"), (ContactId::Echo, "Echo")] {
            let (name, outcome) = (name.to_owned(), HistoryOutcome::Placed);
            let call = PastCall::unmeasured(with, name, outcome, now);
            storage.add_call(&call).unwrap();
        }
        let (mut engine, _events, running) = start(alone(), profile, storage, identity).await.unwrap();
        let commands = engine.commands.clone();
        seen(&mut engine, |view| view.history.len() == 2).await;
        let forget = Command::ForgetCall { with: ContactId::Echo, began: now };
        commands.send(forget.clone()).await.unwrap();
        let view = seen(&mut engine, |view| view.history.len() == 1).await;
        assert_eq!(view.history[0].with, ContactId::Person(ADA));
        // Pressed twice.
        commands.send(forget).await.unwrap();
        commands.send(Command::SetNickname(ADA, Nickname::parse("Mum").ok())).await.unwrap();
        let view = seen(&mut engine, |view| view.history.iter().any(|row| row.name == "Mum")).await;
        assert_eq!(view.notices, []);
        commands.send(Command::ForgetCalls).await.unwrap();
        seen(&mut engine, |view| view.history.is_empty()).await;
        commands.send(Command::Quit).await.unwrap();
        running.finished().await;

        let (profile, storage, identity) = open();
        let (mut engine, _events, running) = start(alone(), profile, storage, identity).await.unwrap();
        let view = seen(&mut engine, |view| view.contacts.len() == 2).await;
        assert_eq!((view.contacts[1].shown(), view.history.len()), ("Mum", 0));
        engine.commands.send(Command::Quit).await.unwrap();
        running.finished().await;
    }
}
