//! The actor: one loop with numbered priorities; what each command does is in `commands`.

mod commands;

use super::{
    Config, NETWORK_PATIENCE,
    call_words::CallWords,
    calls::{MediaSession, SessionStart},
    command::Command,
    custody::{CustodyView, Kept},
    errand::{self, Task, Tasked},
    event::{Event, EventBody},
    helping::{Agreed, Helping, Volunteer},
    invites,
    lookout::{Lookout, Previewed},
    mappings::{For, Mappings},
    people::Purpose,
    picture::Picture,
    presence::Presence,
    record::CallRecord,
    relays::Relays,
    ringing::Ringing,
    scan::Scanned,
    settings::Before,
    view::{ClaimState, Helped, NetworkFound, NetworkState, Search, Settings},
};
use crate::{
    call::{CallId, Line},
    portmap::{Mapping, PortmapError, Transport},
    reason::{Reason, Word},
    roster,
    storage::{Contact, Lock, Profile, Setting, Storage, StorageError},
};
use media::{
    device::{DeviceError, DeviceInfo},
    session::Camera,
    video::{driver::ScreenError, window::OpenWindow},
};
use overlay::{
    Identity, Lookup, LookupError, PresenceSecret, PublicKey, RegisterError, Registration, RelayOffer,
    RelaysError, Role, SendError, Username,
    driver::{self, Event as OverlayEvent, RoleWish},
    outcome::Ring,
    volunteer::Conditions,
};
use relay::Now;
use std::{
    collections::{BTreeSet, VecDeque},
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{sleep_until, timeout},
};

/// Commands that may wait for the network; a further one fails at once.
const WAITING: usize = 16;
/// How long farewells (hang-up envelopes, closing sound files) may take when the engine stops.
const FAREWELL: Duration = Duration::from_secs(3);

/// The engine's one owner of everything.
pub(super) struct Actor {
    pub(super) config: Config,
    pub(super) own: PublicKey,
    pub(super) identity: Identity,
    pub(super) storage: Storage,
    pub(super) overlay: driver::Handle,
    overlay_events: mpsc::Receiver<OverlayEvent>,
    pub(super) line: Line,
    pub(super) session: Option<MediaSession>,
    pub(super) record: Option<CallRecord>,
    pub(super) relays: Relays,
    pub(super) mappings: Mappings,
    /// The call whose callee is being looked up.
    pub(super) dialling: Option<CallId>,
    pub(super) contacts: Vec<Contact>,
    pub(super) blocked: BTreeSet<PublicKey>,
    pub(super) picture: Picture,
    pub(super) presence: Presence,
    pub(super) ringing: Ringing,
    /// What a call had before another device was chosen in it.
    pub(super) before: Before,
    /// Whether we are seen from the beginning of the present call; if nobody said, as the program was started.
    pub(super) seen: Option<Camera>,
    /// The camera outside a call.
    pub(super) lookout: Lookout,
    pub(super) jobs: JoinSet<Done>,
    /// Jobs that are waited for when the engine stops.
    pub(super) farewells: JoinSet<Done>,
    events: mpsc::Sender<Event>,
    pub(super) online: bool,
    pub(super) renewed: bool,
    left: bool,
    pub(super) volunteer: Option<Volunteer>,
    quic: Option<SocketAddr>,
    waiting: VecDeque<Waiting>,
    /// Held until the end: other instances stay out.
    pub(super) profile: Profile,
}

/// A command that needs the network, and when it fails.
struct Waiting {
    command: Command,
    until: Instant,
}

/// What a job reports.
pub(super) enum Done {
    /// A name was claimed, or not.
    Registered(Username, Result<Registration, RegisterError>),
    /// A lookup is back.
    LookedUp { name: Username, purpose: Purpose, took: Duration, result: Result<Lookup, LookupError> },
    /// Relays were offered.
    Relays(Result<Vec<RelayOffer>, RelaysError>),
    /// The router has opened a port for what is there, or not.
    Mapped(For, SocketAddr, Result<Mapping, PortmapError>),
    /// A media session was started.
    Session(CallId, Result<SessionStart, media::session::SessionError>),
    /// An offer was delivered, or not.
    OfferSent(CallId, Result<(), Undelivered>),
    /// Word was left for somebody, or not.
    Left(Result<(), SendError>),
    /// A contact was told how to see us, or not.
    Told(PublicKey, PresenceSecret, Result<(), SendError>),
    /// The node was told who may see us, and whom to watch.
    PresenceGiven,
    /// Any other envelope was delivered, or not.
    Sent(Result<(), SendError>),
    /// Microphones and loudspeakers.
    Devices(Result<Vec<DeviceInfo>, DeviceError>),
    /// Whom this computer helps.
    HelpedCounted(Option<Helped>),
    /// The node was told of other supernodes.
    HintsGiven,
    /// How this computer stands.
    NetworkChecked(Option<Box<NetworkFound>>),
    /// The supernodes that are known.
    RingSeen(Option<Ring>),
    /// The words of a call were worked out.
    CallWords(CallId, Option<CallWords>),
    /// The key was written anew, or not.
    Sealed(Result<Lock, Reason>),
    /// Everything was written into a file, or not.
    Exported(PathBuf, Result<Kept, Reason>),
    /// A code was read, or not.
    Scanned(Scanned),
    /// Nobody looks through the camera any more to see themselves.
    Previewed(Previewed),
    /// Windows that could be shown.
    Windows(Result<Vec<OpenWindow>, ScreenError>),
    /// A session is closed, its files are whole.
    Closed,
    /// Nobody needs this node any more.
    Departed,
    /// The node knows what this computer is like.
    ConditionsGiven,
}

/// Why an offer was not delivered, and whether its callee will know of it.
pub(super) enum Undelivered {
    /// They will not.
    Lost(SendError),
    /// They will find word of it when they are back.
    WordLeft,
}

impl Actor {
    pub(super) async fn start(
        config: Config,
        profile: Profile,
        storage: Storage,
        identity: Identity,
        picture: Picture,
        events: mpsc::Sender<Event>,
    ) -> Result<Self, Reason> {
        let cache = storage.setting(Setting::OverlayCache)?.unwrap_or_default();
        let (volunteer, role) = match (&config.role, config.helping) {
            (RoleWish::Leaf, Helping::AsAgreed { relay_listen }) => {
                match Volunteer::begin(&storage, relay_listen)? {
                    Some((volunteer, wish)) => (Some(volunteer), RoleWish::Volunteer(wish)),
                    None => (None, RoleWish::Leaf),
                }
            }
            (role, _) => (None, role.clone()),
        };
        let node = driver::Config {
            network: config.network,
            listen: config.listen,
            storage: match role {
                RoleWish::Supernode(_) | RoleWish::Volunteer(_) => Some(profile.folder().join("supernode")),
                RoleWish::Leaf => None,
            },
            role,
            bootstrap: config.bootstrap.clone(),
            mdns: config.mdns,
            mainline: config.mainline.clone(),
            hints: [invites::hints(&storage, config.network)?, roster::hints(config.network)].concat(),
            cache,
        };
        let own = identity.public_key();
        let (overlay, overlay_events) = driver::start(node, identity.clone()).await?;
        let mut actor = Self {
            config,
            own,
            identity,
            storage,
            overlay,
            overlay_events,
            line: Line::new(),
            session: None,
            record: None,
            relays: Relays::default(),
            mappings: Mappings::default(),
            dialling: None,
            contacts: Vec::new(),
            blocked: BTreeSet::new(),
            picture,
            presence: Presence::default(),
            ringing: Ringing::default(),
            before: Before::default(),
            seen: None,
            lookout: Lookout::default(),
            jobs: JoinSet::new(),
            farewells: JoinSet::new(),
            events,
            online: false,
            renewed: false,
            left: false,
            volunteer,
            quic: None,
            waiting: VecDeque::new(),
            profile,
        };
        let settings = Settings::read(&actor.storage, &actor.config.voice)?;
        actor.config.voice.source = settings.microphone.clone();
        actor.config.voice.sink = settings.loudspeaker.clone();
        actor.picture.view.settings = settings;
        actor.show_helping(Agreed::read(&actor.storage)?);
        let lock = Lock::of(actor.profile.folder())?.unwrap_or(Lock::Open);
        actor.picture.view.custody = CustodyView::new(lock);
        let name = actor.storage.setting(Setting::Name)?.and_then(|name| String::from_utf8(name).ok());
        actor.line.set_own_name(name.as_deref().unwrap_or_default());
        if name.is_some() {
            actor.picture.view.own.claim = ClaimState::Claiming;
        }
        actor.picture.view.own.name = name;
        let forgotten = actor.storage.forget_who_is_here();
        actor.kept(forgotten);
        actor.read_lists();
        if let Some(reason) = &actor.config.greeting {
            actor.picture.notice(reason);
        }
        actor.picture.publish();
        Ok(actor)
    }

    /// Runs until told to quit.
    pub(super) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        mut errands: mpsc::Receiver<Tasked>,
    ) {
        loop {
            let wake_at = self.next_timeout();
            tokio::select! {
                biased;
                // Priority 1: what the person wants.
                command = commands.recv() => match command {
                    None | Some(Command::Quit) => break,
                    Some(command) => self.handle_command(command),
                },
                Some((task, reply)) = errands.recv() => {
                    let answer = self.handle_task(task);
                    // Whoever asked may have gone.
                    let _ = reply.send(answer);
                }
                // Priority 2: the network.
                Some(event) = self.overlay_events.recv() => self.handle_overlay(event),
                // Priority 3: the call's sound.
                event = MediaSession::next_event(&mut self.session) => self.handle_session(event),
                // Priority 4: what was begun.
                Some(done) = self.jobs.join_next() => self.handle_done(done),
                Some(done) = self.farewells.join_next() => self.handle_done(done),
                // Priority 5: time.
                () = sleep_until(wake_at.into()) => self.handle_timeout(),
            }
            self.do_what_the_line_says();
            let (call, loudness) = (self.picture.view.call.as_ref(), self.picture.view.settings.ringtone);
            self.ringing.follow(call, &self.config.voice.sink, loudness);
            self.show_who_waits();
            self.picture.publish();
            if self.left {
                break;
            }
        }
        self.stop().await;
    }

    /// Somebody else's errand: nothing of it is told to our own person but what it changed.
    fn handle_task(&mut self, task: Task) -> Result<Vec<EventBody>, Reason> {
        let now = self.now().unix;
        let answer = match task {
            Task::Kept(kept) => errand::of_the_profile(&kept, &mut self.storage, &self.identity, now),
            Task::Show(link) => self.show(link.as_deref()).map(|()| Vec::new()),
            Task::Pin(name, claims) => errand::pin(&name, &claims, &mut self.storage, self.own, now),
            Task::Watch(name, claims) => {
                self.watch_name(&name, &claims, Purpose::Search);
                Ok(Vec::new())
            }
            Task::Registered(name, result) => {
                let answer = errand::registered(&name, &result);
                if answer.is_ok() {
                    self.registered(&name, result);
                }
                answer
            }
        };
        self.read_lists();
        answer
    }

    /// Keeps a command until the network is there; says whether it did.
    pub(super) fn wait_for_network(&mut self, command: Command) -> Result<Wait, Reason> {
        if self.online {
            return Ok(Wait::NoNeed);
        }
        if self.waiting.len() == WAITING {
            return Err(Reason::NoNetwork);
        }
        self.waiting.push_back(Waiting { command, until: self.now().instant + NETWORK_PATIENCE });
        Ok(Wait::Later)
    }

    /// A command failed for good.
    pub(super) fn refuse(&mut self, call: Option<CallId>, reason: Reason) {
        self.picture.notice(&reason);
        self.tell(call, EventBody::Refused(reason));
    }

    /// Something in the background did not work.
    pub(super) fn complain(&mut self, call: Option<CallId>, reason: Reason) {
        self.picture.notice(&reason);
        self.tell(call, EventBody::Error(reason));
    }

    /// Reports to the command line.
    pub(super) fn tell(&self, call: Option<CallId>, body: EventBody) {
        let event = Event { at: self.now().unix, call, body };
        match self.events.try_send(event) {
            // A window listens to no events.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            Err(mpsc::error::TrySendError::Full(event)) => {
                tracing::warn!(event = event.body.name(), "event dropped: nobody reads them");
            }
        }
    }

    /// Reads contacts, the blocked, requests and history anew, for the person and for ourselves.
    pub(super) fn read_lists(&mut self) {
        match self.picture.read(&self.storage, self.now().unix) {
            Ok(contacts) => self.contacts = contacts,
            Err(error) => return self.complain(None, error.into()),
        }
        self.blocked = self.picture.view.blocked.iter().map(|row| row.key).collect();
        self.hang_up_on_blocked();
        self.let_in();
        self.follow_contacts();
    }

    /// Notes a failed change.
    pub(super) fn kept(&mut self, result: Result<(), StorageError>) {
        if let Err(error) = result {
            self.complain(None, error.into());
        }
    }

    pub(super) fn now(&self) -> Now {
        Now { unix: self.overlay.unix_now(), ..relay::driver::now() }
    }

    fn handle_overlay(&mut self, event: OverlayEvent) {
        match event {
            OverlayEvent::Online { homes, nat } => {
                self.online = true;
                self.picture.view.network = NetworkState::Online { homes };
                self.tell(None, EventBody::Online { homes, nat: nat.as_str() });
                self.renew_name();
                self.appear();
                for Waiting { command, .. } in std::mem::take(&mut self.waiting) {
                    self.handle_command(command);
                }
            }
            OverlayEvent::Offline { reason } => {
                self.online = false;
                self.picture.view.network = NetworkState::Offline(reason);
                self.tell(None, EventBody::Offline { why: reason.to_string() });
            }
            OverlayEvent::Role(role) => {
                let role = match role {
                    Role::Leaf => "leaf",
                    Role::Supernode => "supernode",
                };
                self.tell(None, EventBody::Role { role, quic: self.quic, key: self.own });
            }
            OverlayEvent::Relay { udp, tcp, tls, realm, lab_credential } => {
                self.map_service(udp, &[Transport::Udp]);
                self.tell(None, EventBody::Relay { udp, tcp, tls, realm, lab_credential });
            }
            OverlayEvent::Draining { allocations, within } => {
                self.tell(None, EventBody::Draining { allocations, within });
            }
            OverlayEvent::Address { ip, since } => self.note_address(ip, since),
            OverlayEvent::Envelope { from, sent, payload } => self.handle_envelope(from, sent, &payload),
            OverlayEvent::Letter { from, sent, payload } => self.handle_letter(from, sent, &payload),
            OverlayEvent::Presence { who, seen } => self.contact_seen(who, seen),
            OverlayEvent::Cache(cache) => {
                let kept = self.storage.set(Setting::OverlayCache, &cache);
                self.kept(kept);
            }
            OverlayEvent::NameHeld(registration) => {
                self.registered(&registration.name.clone(), Ok(registration));
            }
            OverlayEvent::NameContested { name, by } => {
                self.tell(None, EventBody::NameContested { name: name.to_string(), by });
            }
            OverlayEvent::NameLost { name, by } => self.registered(&name, Err(RegisterError::Taken { by })),
            OverlayEvent::Listening { quic, .. } => {
                self.quic = Some(quic);
                self.map_service(quic, &[Transport::Udp, Transport::Tcp]);
            }
            _ => {}
        }
    }

    fn handle_done(&mut self, done: Result<Done, tokio::task::JoinError>) {
        match done {
            Ok(Done::Registered(name, result)) => self.registered(&name, result),
            Ok(Done::LookedUp { name, purpose, took, result }) => {
                self.looked_up(&name, purpose, took, result);
            }
            Ok(Done::Relays(result)) => self.relays_offered(result),
            Ok(Done::Mapped(reason, inside, result)) => self.mapped(reason, inside, result),
            Ok(Done::Session(call, result)) => self.session_started(call, result),
            Ok(Done::OfferSent(call, Err(undelivered))) => {
                let reason = match undelivered {
                    Undelivered::Lost(error) => error.into(),
                    Undelivered::WordLeft => Reason::NotOnline(Word::Left),
                };
                self.line.handle_undelivered(self.now(), call, reason);
            }
            Ok(Done::Told(who, secret, result)) => self.told(who, secret, result),
            Ok(Done::PresenceGiven) => self.given(),
            Ok(Done::Devices(found)) => self.devices_listed(found),
            Ok(Done::HelpedCounted(helped)) => self.helped_counted(helped),
            Ok(Done::NetworkChecked(found)) => self.network_checked(found),
            Ok(Done::RingSeen(ring)) => self.ring_seen(ring),
            Ok(Done::CallWords(call, words)) => self.call_words_found(call, words),
            Ok(Done::Sealed(result)) => self.sealed(result),
            Ok(Done::Exported(file, result)) => self.exported(file, result),
            Ok(Done::Scanned(found)) => self.scanned(found),
            Ok(Done::Previewed(came)) => self.previewed(came),
            Ok(Done::Windows(found)) => self.windows_listed(found),
            Ok(Done::Sent(Err(error))) => tracing::debug!(%error, "an envelope was not delivered"),
            Ok(Done::Left(Err(error))) => tracing::debug!(%error, "no word of a call could be left"),
            Ok(Done::Departed) => self.left = true,
            Ok(
                Done::OfferSent(_, Ok(()))
                | Done::Sent(Ok(()))
                | Done::Left(Ok(()))
                | Done::HintsGiven
                | Done::Closed
                | Done::ConditionsGiven,
            ) => {}
            Err(error) => tracing::error!(%error, "a job of the engine stopped in an unplanned way"),
        }
    }

    fn handle_timeout(&mut self) {
        let now = self.now();
        self.line.handle_timeout(now);
        self.show_levels(now.instant);
        self.take_back_microphone(now.instant);
        self.look_after_helping();
        while self.waiting.front().is_some_and(|waiting| waiting.until <= now.instant) {
            let Some(Waiting { command, .. }) = self.waiting.pop_front() else { break };
            self.gave_up_waiting(&command);
            self.refuse(None, Reason::NoNetwork);
        }
    }

    /// A command waited for the network in vain: the window must not go on showing that it is under way.
    fn gave_up_waiting(&mut self, command: &Command) {
        match command {
            Command::ClaimName(_) => {
                self.picture.view.own.claim = ClaimState::Failed(Reason::NoNetwork);
            }
            Command::Search(name) => {
                self.picture.view.search = Search::Failed { name: name.clone(), why: Reason::NoNetwork };
            }
            _ => {}
        }
    }

    fn next_timeout(&self) -> Instant {
        let line = self.line.poll_timeout().map(|(at, _)| at);
        let waiting = self.waiting.front().map(|waiting| waiting.until);
        let idle = self.now().instant + Duration::from_secs(3600);
        let helping = self.volunteer.as_ref().map(Volunteer::look_at);
        let lent = self.session.as_ref().and_then(|running| running.lent_until);
        [line, waiting, self.next_levels(), helping, lent].into_iter().flatten().min().unwrap_or(idle)
    }

    pub(super) fn tell_conditions(&mut self, conditions: Conditions) {
        let overlay = self.overlay.clone();
        self.jobs.spawn(async move {
            overlay.set_conditions(conditions).await;
            Done::ConditionsGiven
        });
    }

    fn leave(&mut self, within: Duration) {
        // There may be no call.
        let _ = self.hang_up();
        let overlay = self.overlay.clone();
        self.jobs.spawn(async move {
            overlay.drain(within).await;
            Done::Departed
        });
    }

    /// Hangs up, lets farewells out, and leaves the network.
    async fn stop(mut self) {
        self.write_down_past();
        let _ = self.hang_up();
        self.do_what_the_line_says();
        self.unmap_everything();
        self.jobs.abort_all();
        let farewells = async { while self.farewells.join_next().await.is_some() {} };
        if timeout(FAREWELL, farewells).await.is_err() {
            tracing::warn!("stopped before every farewell was said");
        }
        if timeout(FAREWELL, self.overlay.shutdown()).await.is_err() {
            tracing::warn!("the node did not stop in time");
        }
    }
}

/// Whether a command has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// The network is there.
    NoNeed,
    /// It was kept for later.
    Later,
}

/// How long ago something began.
pub(super) fn since(start: Instant, now: Now) -> Duration {
    now.instant.saturating_duration_since(start)
}
