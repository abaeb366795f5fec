//! The cloneable hand with which an application moves its node.

use std::time::Duration;

use relay::UnixTime;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    claim::{Inheritance, RecoveryHash},
    error::{LookupError, RegisterError, RelaysError, SendError},
    hint::Hint,
    identity::{Identity, LinkKey, PublicKey},
    outcome::{Lookup, Registration, RelayOffer, RelayWish, Report, Ring, Status},
    record::PresenceSecret,
    username::Username,
    volunteer::Conditions,
};

/// Talks to a running node. Cheap to clone; the node runs until [`Handle::shutdown`] or until every handle is gone.
#[derive(Debug, Clone)]
pub struct Handle {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) status: watch::Receiver<Status>,
}

/// What a handle asks of the node's task. The channel holds [`COMMAND_QUEUE`]; when full, callers wait.
#[derive(Debug)]
pub(super) enum Command {
    Register(Username, oneshot::Sender<Result<Registration, RegisterError>>),
    Inherit(Box<Inheritance>, oneshot::Sender<Result<Registration, RegisterError>>),
    Recover(Username, PublicKey, Identity, oneshot::Sender<Result<Registration, RegisterError>>),
    Rotate(Identity, oneshot::Sender<Vec<Inheritance>>),
    SetRecovery(Option<RecoveryHash>),
    Lookup(Username, oneshot::Sender<Result<Lookup, LookupError>>),
    Send(PublicKey, Vec<u8>, oneshot::Sender<Result<(), SendError>>),
    Leave(PublicKey, Vec<u8>, oneshot::Sender<Result<(), SendError>>),
    Reachable(PublicKey, oneshot::Sender<Result<bool, LookupError>>),
    Relays(RelayWish, oneshot::Sender<Result<Vec<RelayOffer>, RelaysError>>),
    Report(oneshot::Sender<Report>),
    Ring(oneshot::Sender<Ring>),
    SetPresenceSecret(Option<PresenceSecret>),
    Watch(Vec<(PublicKey, PresenceSecret)>),
    Look(PublicKey),
    Relayed { node: LinkKey, time: Duration, bytes: u64 },
    Hints(Vec<Hint>),
    SetConditions(Conditions),
    Drain(Duration, oneshot::Sender<()>),
    Shutdown(oneshot::Sender<()>),
}

/// Commands waiting for the node's task.
pub(super) const COMMAND_QUEUE: usize = 64;

impl Handle {
    /// Claims a username for our identity and keeps the claim alive while this node runs. Registering a name that
    /// is ours already renews it. When the proof of work takes longer than a moment, the answer says *provisional* and
    /// [`Event::NameHeld`](super::Event::NameHeld) or [`Event::NameLost`](super::Event::NameLost) follows. Dropping the future does not stop the registration.
    pub async fn register(&self, name: Username) -> Result<Registration, RegisterError> {
        self.ask(|reply| Command::Register(name, reply)).await.unwrap_or(Err(RegisterError::Closed))
    }

    /// From now on our claims name this recovery key; to name another one is to object to what the one before has done.
    pub async fn set_recovery(&self, recovery: Option<RecoveryHash>) {
        // A closed channel means that there is nothing left to sign.
        let _ = self.commands.send(Command::SetRecovery(recovery)).await;
    }

    /// Passes our proven names on to another key, whose node is to [`Handle::inherit`] them. None when it was shut down.
    pub async fn rotate(&self, to: Identity) -> Vec<Inheritance> {
        self.ask(|reply| Command::Rotate(to, reply)).await.unwrap_or_default()
    }

    /// Claims a name that was passed on to our identity, as [`Handle::register`] does.
    pub async fn inherit(&self, inheritance: Inheritance) -> Result<Registration, RegisterError> {
        let inherit = |reply| Command::Inherit(Box::new(inheritance), reply);
        self.ask(inherit).await.unwrap_or(Err(RegisterError::Closed))
    }

    /// Claims a name of a key that is lost by the recovery key it named. It is pending for two weeks, in which the old
    /// key may object.
    pub async fn recover(
        &self,
        name: Username,
        from: PublicKey,
        recovery: Identity,
    ) -> Result<Registration, RegisterError> {
        let recover = |reply| Command::Recover(name, from, recovery, reply);
        self.ask(recover).await.unwrap_or(Err(RegisterError::Closed))
    }

    /// Asks the directory who has a username. Dropping the future abandons the answer.
    pub async fn lookup(&self, name: Username) -> Result<Lookup, LookupError> {
        self.ask(|reply| Command::Lookup(name, reply)).await.unwrap_or(Err(LookupError::Closed))
    }

    /// Hands one sealed envelope of at most [`MAX_PAYLOAD`](crate::envelope::MAX_PAYLOAD) bytes to the other side's
    /// introducers; done when one of them took it. Dropping the future does not take it back.
    pub async fn send(&self, to: PublicKey, payload: Vec<u8>) -> Result<(), SendError> {
        self.ask(|reply| Command::Send(to, payload, reply)).await.unwrap_or(Err(SendError::Closed))
    }

    /// Leaves word for somebody who cannot be reached now; they find it when they are back, within a week. Done when one
    /// supernode keeps it. It reaches them as [`Event::Letter`](super::Event::Letter).
    pub async fn leave(&self, to: PublicKey, payload: Vec<u8>) -> Result<(), SendError> {
        self.ask(|reply| Command::Leave(to, payload, reply)).await.unwrap_or(Err(SendError::Closed))
    }

    /// Fetches the introduction record of somebody, so that the next [`Handle::send`] is quick. Whether there is one.
    pub async fn reachable(&self, to: PublicKey) -> Result<bool, LookupError> {
        self.ask(|reply| Command::Reachable(to, reply)).await.unwrap_or(Err(LookupError::Closed))
    }

    /// Asks up to three supernodes, homes first, for short-lived relay credentials.
    pub async fn relays(&self, wish: RelayWish) -> Result<Vec<RelayOffer>, RelaysError> {
        self.ask(|reply| Command::Relays(wish, reply)).await.unwrap_or(Err(RelaysError::Closed))
    }

    /// A call that went through a supernode's relay is over: how long it was, and how many bytes were sent and received
    /// through that relay by our own count. The supernode is given a receipt for so much and not for more.
    pub async fn relayed(&self, node: LinkKey, time: Duration, bytes: u64) {
        // A node that was shut down vouches for nobody.
        let _ = self.commands.send(Command::Relayed { node, time, bytes }).await;
    }

    /// The secret under which contacts find us; none: nobody does. Make a new one when a contact is removed or blocked,
    /// and hand it to the others.
    pub async fn set_presence_secret(&self, secret: Option<PresenceSecret>) {
        // A node that has ended tells nobody anything.
        let _ = self.commands.send(Command::SetPresenceSecret(secret)).await;
    }

    /// The contacts to watch and their presence secrets, all of them each time; what they say arrives as
    /// [`Event::Presence`](super::Event::Presence), at once and then every half hour.
    pub async fn watch(&self, contacts: Vec<(PublicKey, PresenceSecret)>) {
        let _ = self.commands.send(Command::Watch(contacts)).await;
    }

    /// Looks for a watched contact now: it is on the screen, or to be called.
    pub async fn look(&self, who: PublicKey) {
        let _ = self.commands.send(Command::Look(who)).await;
    }

    /// Supernodes that somebody told us of, to be tried at once; what an invite carries.
    pub async fn add_hints(&self, hints: Vec<Hint>) {
        // A node that was shut down needs none.
        let _ = self.commands.send(Command::Hints(hints)).await;
    }

    /// What the system or the owner says of this computer now; a volunteer is judged by it at once.
    pub async fn set_conditions(&self, conditions: Conditions) {
        // A node that has ended helps nobody.
        let _ = self.commands.send(Command::SetConditions(conditions)).await;
    }

    /// How the node is, as of its last step.
    pub fn status(&self) -> Status {
        *self.status.borrow()
    }

    /// Everything the node can say about itself; nothing when it was shut down.
    pub async fn report(&self) -> Option<Report> {
        self.ask(Command::Report).await
    }

    /// The supernodes the node knows, and how it stands with them; nothing when it was shut down.
    pub async fn ring(&self) -> Option<Ring> {
        self.ask(Command::Ring).await
    }

    /// Goes as a supernode should: takes no more leaves and relays for nobody new, tells the leaves it has, hands its
    /// claims on, and ends as [`Handle::shutdown`] does once nobody is relayed any more, at the latest after `within`.
    /// A leaf ends at once. [`Handle::shutdown`] meanwhile ends it at once, too.
    pub async fn drain(&self, within: Duration) {
        // A closed channel means that it is gone already.
        let _ = self.ask(|reply| Command::Drain(within, reply)).await;
    }

    /// Withdraws our introduction record, says goodbye to every link and ends the node. Returns when that is done.
    pub async fn shutdown(&self) {
        // A closed channel means that it is done already.
        let _ = self.ask(Command::Shutdown).await;
    }

    /// The wall clock, set right by what supernodes say when this machine's is wrong.
    pub fn unix_now(&self) -> UnixTime {
        self.status().clock.added_to(relay::driver::now().unix)
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.ok()?;
        answer.await.ok()
    }
}
