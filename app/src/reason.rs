//! Every way a call can end and every way a command can fail: one enum, each with a code for programs, a sentence
//! and a next step for people, and an exit status.

mod custody;
mod sound;
mod weight;

pub use custody::Custody;
pub use sound::Fault;
pub(crate) use sound::direction_of;
pub use weight::Weight;

use crate::call::{Reply, Waiting};
use crate::engine::view::Sentence;
use overlay::{InviteError, Username};
use std::fmt;

/// Why a call ended or a command failed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    // How calls end.
    /// Somebody hung up after they talked.
    HungUp,
    /// Hung up before it was answered.
    Cancelled,
    /// The callee said no, and perhaps something to it.
    Declined(Option<Reply>),
    /// The callee is in another call.
    Busy,
    /// It rang and nobody picked up.
    NotAnswered,
    /// The offer was delivered, but nothing came back.
    NoReaction,
    /// Nobody could take the offer: the other side is not online.
    NotOnline(Word),
    /// It rang here and the caller gave up, or nobody picked up.
    Missed,
    /// The caller dialled again; the newer call replaces this one.
    Replaced,
    /// No way was found between the two computers.
    NoPath,
    /// There was a way, and it broke.
    ConnectionLost,
    /// The other side could not go on.
    PeerFailed,
    /// The other side sent what this build does not understand.
    Incompatible,
    /// Who answered could not prove to be who was called.
    NotAuthentic,
    /// A microphone, loudspeaker or file cannot be used.
    Device {
        /// Why.
        why: String,
        /// What is the matter, as far as that decides what helps.
        fault: Fault,
    },
    /// A camera cannot be used.
    Camera {
        /// Why.
        why: String,
        /// What helps.
        remedy: Remedy,
    },
    /// The screen or a window cannot be shown, or no longer.
    Sharing {
        /// Why.
        why: String,
        /// What to show, or do, instead.
        instead: Instead,
    },

    // How commands fail.
    /// The command line makes no sense.
    Usage(String),
    /// What was typed cannot be a username.
    BadName(String),
    /// A text is no invite that can be used.
    BadInvite(InviteError),
    /// The command or option is in the contract, but not built yet.
    NotBuilt(String),
    /// Nobody claims this username.
    NoSuchName(String),
    /// No contact or request goes by this name.
    NoSuchContact(String),
    /// Several keys claim this username.
    NameAmbiguous {
        /// The username.
        name: String,
        /// The keys' fingerprints.
        fingerprints: Vec<String>,
    },
    /// The username now belongs to another key than the contact of that name.
    KeyChanged {
        /// The username.
        name: String,
        /// The fingerprint of the contact.
        pinned: String,
        /// The fingerprint found now.
        found: String,
    },
    /// The one to call or add is blocked here.
    Blocked(String),
    /// Somebody else holds this username.
    NameTaken(String),
    /// Somebody else has a name that looks like the one wanted.
    NameLooksTaken {
        /// The name wanted.
        name: String,
        /// Theirs.
        theirs: String,
    },
    /// Too few supernodes hold the username.
    NameNotHeld {
        /// How many do.
        held_by: usize,
        /// How many would have to.
        needed: usize,
    },
    /// The one to call or add is oneself.
    Yourself,
    /// No supernode can be reached.
    NoNetwork,
    /// `silbo doctor` found that nobody can call this computer; the sentence says how far it goes.
    CannotBeCalled(&'static str),
    /// A call is already going on.
    AlreadyInCall,
    /// This one called while a call was going on.
    CalledMeanwhile(String),
    /// There is no call to answer, decline, mute or hang up.
    NoCall,
    /// Nobody would see what a camera sees.
    NoCamera,
    /// A list is full; the number says how long it may be.
    Full(u32),
    /// A port is taken by another program.
    PortInUse(String),
    /// The system does not let this program listen on a port so low.
    PortForbidden(String),
    /// No interface of this computer has the address to listen on.
    NotOurAddress(String),
    /// Another instance owns the profile.
    ProfileLocked(String),
    /// The running Silbo is asked too much at once.
    TooManyAttached,
    /// The profile cannot be read or written.
    ProfileUnreadable {
        /// Where.
        path: String,
        /// What the system said.
        why: String,
    },
    /// There is no room on the disk.
    DiskFull,
    /// The profile was written by a later version.
    ProfileTooNew(String),
    /// The database was damaged and has been set aside.
    DatabaseDamaged {
        /// Where it is now.
        moved_to: String,
    },
    /// A key, a passphrase, a backup or recovery words do not serve.
    Custody(Custody),
    /// The window could not be opened.
    Window(String),
    /// Anything else.
    Internal(String),
}

/// What helps against a camera that gives no pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Remedy {
    /// There is none yet.
    Connect,
    /// Somebody else has it.
    CloseOther,
    /// The system keeps it from us.
    JoinGroup,
    /// It has failed.
    PlugIn,
    /// This one will not do.
    ChooseOther,
}

impl Remedy {
    const fn next_step(self) -> &'static str {
        match self {
            Self::Connect => "Connect one, or send a file of pictures with --camera file:PATH.y4m.",
            Self::CloseOther => {
                "Close the other program, or choose another camera with --camera device:PATH."
            }
            Self::JoinGroup => {
                "Ask for the group `video` (`sudo usermod -aG video $USER`), then log out and in again."
            }
            Self::PlugIn => "Plug it in again, then switch the camera on.",
            Self::ChooseOther => {
                "Choose another one with --camera device:PATH (`ls /dev/video*` lists them)."
            }
        }
    }
}

/// What helps against a screen or window that cannot be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Instead {
    /// The desktop is of another kind.
    OtherSession,
    /// Windows cannot be shown alone here.
    WholeScreen,
    /// The name does not say which.
    OtherName,
    /// It cannot be seen.
    BringUp,
    /// It is gone.
    OtherWindow,
    /// Nothing here can be shown.
    OtherComputer,
}

impl Instead {
    const fn next_step(self) -> &'static str {
        match self {
            Self::OtherSession => {
                "Log out and choose the session called Xorg or X11 when you log in again, or share from another computer."
            }
            Self::WholeScreen => "Share the whole screen.",
            Self::OtherName => "Give the title of one window that is open, or its number from `xwininfo`.",
            Self::BringUp => "Bring it up, then share it again.",
            Self::OtherWindow => "Share another window, or the whole screen.",
            Self::OtherComputer => "Share from another computer, or send a file with --camera file:PATH.y4m.",
        }
    }
}

/// Whether somebody who could not be reached will find word of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Word {
    /// When they are back.
    Left,
    /// They will not.
    Lost,
}

impl Waiting {
    /// What is waited for and what a person can do meanwhile.
    pub fn sentence(self) -> Sentence {
        let (message, next_step) = match self {
            Self::Reply => (
                "Nothing has come back from the other side yet.",
                "It goes on trying; they may have just gone offline, or not know you yet.",
            ),
            Self::Path => (
                "No way between the two computers is found yet.",
                "It goes on trying; a network that blocks UDP makes it slow.",
            ),
        };
        Sentence { message: message.into(), next_step: next_step.into() }
    }
}

/// Everything a program needs to know about one reason.
struct Entry {
    code: &'static str,
    exit: u8,
}

impl Reason {
    /// The stable word for programs, as in the events `ended` and `error`.
    pub fn code(&self) -> &'static str {
        self.entry().code
    }

    /// The exit status of a command that ends for this reason.
    pub fn exit_status(&self) -> u8 {
        self.entry().exit
    }

    /// What happened and what to do next, for a person.
    pub fn sentence(&self) -> Sentence {
        let (message, next_step) = self.texts();
        Sentence { message, next_step }
    }

    /// One example of every reason, for `silbo help events`.
    pub fn every() -> Vec<Self> {
        let text = || String::from("..");
        let custody = Custody::every().into_iter().map(Self::Custody);
        let others = vec![
            Self::HungUp,
            Self::Cancelled,
            Self::Declined(None),
            Self::Busy,
            Self::NotAnswered,
            Self::NoReaction,
            Self::NotOnline(Word::Lost),
            Self::Missed,
            Self::Replaced,
            Self::NoPath,
            Self::ConnectionLost,
            Self::PeerFailed,
            Self::Incompatible,
            Self::NotAuthentic,
            Self::Device { why: text(), fault: Fault::Other },
            Self::Camera { why: text(), remedy: Remedy::Connect },
            Self::Sharing { why: text(), instead: Instead::OtherWindow },
            Self::Usage(text()),
            Self::BadName(text()),
            Self::BadInvite(InviteError::Malformed),
            Self::NotBuilt(text()),
            Self::NoSuchName(text()),
            Self::NoSuchContact(text()),
            Self::NameAmbiguous { name: text(), fingerprints: vec![text()] },
            Self::KeyChanged { name: text(), pinned: text(), found: text() },
            Self::Blocked(text()),
            Self::NameTaken(text()),
            Self::NameLooksTaken { name: text(), theirs: text() },
            Self::NameNotHeld { held_by: 0, needed: 0 },
            Self::Yourself,
            Self::NoNetwork,
            Self::CannotBeCalled(".."),
            Self::AlreadyInCall,
            Self::CalledMeanwhile(text()),
            Self::NoCall,
            Self::NoCamera,
            Self::Full(0),
            Self::PortInUse(text()),
            Self::PortForbidden(text()),
            Self::NotOurAddress(text()),
            Self::ProfileLocked(text()),
            Self::TooManyAttached,
            Self::ProfileUnreadable { path: text(), why: text() },
            Self::DiskFull,
            Self::ProfileTooNew(text()),
            Self::DatabaseDamaged { moved_to: text() },
            Self::Window(text()),
            Self::Internal(text()),
        ];
        others.into_iter().chain(custody).collect()
    }

    fn entry(&self) -> Entry {
        let (code, exit) = match self {
            Self::HungUp => ("hung_up", 0),
            Self::Cancelled => ("cancelled", 0),
            Self::Declined(_) => ("declined", 4),
            Self::Busy => ("busy", 4),
            Self::NotAnswered => ("not_answered", 4),
            Self::NoReaction => ("no_reaction", 4),
            Self::NotOnline(_) => ("not_online", 4),
            Self::Missed => ("missed", 4),
            Self::Replaced => ("replaced", 4),
            Self::NoPath => ("no_path", 5),
            Self::ConnectionLost => ("connection_lost", 5),
            Self::PeerFailed => ("peer_failed", 1),
            Self::Incompatible => ("incompatible", 1),
            Self::NotAuthentic => ("not_authentic", 6),
            Self::Device { .. } => ("device", 1),
            Self::Camera { .. } => ("camera", 1),
            Self::Sharing { .. } => ("sharing", 1),
            Self::Usage(_) => ("usage", 2),
            Self::BadName(_) => ("bad_name", 2),
            Self::BadInvite(_) => ("bad_invite", 2),
            Self::NotBuilt(_) => ("not_built", 2),
            Self::NoSuchName(_) => ("no_such_name", 3),
            Self::NoSuchContact(_) => ("no_such_contact", 3),
            Self::NameAmbiguous { .. } => ("name_ambiguous", 6),
            Self::KeyChanged { .. } => ("key_changed", 6),
            Self::Blocked(_) => ("blocked", 6),
            Self::NameTaken(_) => ("name_taken", 6),
            Self::NameLooksTaken { .. } => ("name_looks_taken", 6),
            Self::NameNotHeld { .. } => ("name_not_held", 5),
            Self::Yourself => ("yourself", 2),
            Self::NoNetwork => ("no_network", 5),
            Self::CannotBeCalled(_) => ("cannot_be_called", 1),
            Self::AlreadyInCall => ("already_in_call", 4),
            Self::CalledMeanwhile(_) => ("called_meanwhile", 4),
            Self::NoCall => ("no_call", 1),
            Self::NoCamera => ("no_camera", 1),
            Self::Full(_) => ("full", 1),
            Self::PortInUse(_) => ("port_in_use", 1),
            Self::PortForbidden(_) => ("port_forbidden", 1),
            Self::NotOurAddress(_) => ("not_our_address", 2),
            Self::ProfileLocked(_) => ("profile_locked", 7),
            Self::TooManyAttached => ("too_many_attached", 1),
            Self::ProfileUnreadable { .. } => ("profile_unreadable", 7),
            Self::DiskFull => ("disk_full", 7),
            Self::ProfileTooNew(_) => ("profile_too_new", 7),
            Self::DatabaseDamaged { .. } => ("database_damaged", 7),
            Self::Custody(custody) => custody.entry(),
            Self::Window(_) => ("window", 1),
            Self::Internal(_) => ("internal", 1),
        };
        Entry { code, exit }
    }

    fn texts(&self) -> (String, String) {
        let (message, next_step): (String, &str) = match self {
            Self::HungUp => ("The call is over.".into(), "Call again whenever you like."),
            Self::Cancelled => {
                ("The call was ended before it was answered.".into(), "Call again whenever you like.")
            }
            Self::Declined(None) => ("The call was declined.".into(), "Try again later."),
            Self::Declined(Some(reply)) => (format!("The call was declined: “{reply}”"), "Try again later."),
            Self::Busy => ("They are in another call.".into(), "Try again in a few minutes."),
            Self::NotAnswered => ("It rang, but nobody answered.".into(), "Try again later."),
            Self::NoReaction => (
                "Nothing came back from the other side.".into(),
                "They may be offline, or you may not be among their contacts yet: ask them to add you, or try later.",
            ),
            Self::NotOnline(Word::Lost) => ("They are not online.".into(), "Try again when they are online."),
            Self::NotOnline(Word::Left) => (
                "They are not online.".into(),
                "They will see that you called when they are back; or try again later.",
            ),
            Self::Missed => ("Nobody answered here in time.".into(), "Call back from the history."),
            Self::Replaced => ("The caller dialled again.".into(), "Answer the newer call."),
            Self::NoPath => (
                "No way was found between the two computers.".into(),
                "Check that neither network blocks UDP, or try from another network.",
            ),
            Self::ConnectionLost => (
                "The connection was lost.".into(),
                "It may be their network or yours. Call again in a moment.",
            ),
            Self::PeerFailed => (
                "The other side could not go on with the call.".into(),
                "Ask them what their Silbo says, and try again.",
            ),
            Self::Incompatible => (
                "The other side speaks a version of Silbo that this one does not understand.".into(),
                "Update Silbo on both computers.",
            ),
            Self::NotAuthentic => (
                "Who answered could not prove to be the one you called.".into(),
                "Do not trust this connection; try again from another network.",
            ),
            Self::Device { why, fault } => fault.texts(why),
            Self::Camera { why, remedy } => {
                (format!("The camera cannot be used: {why}."), remedy.next_step())
            }
            Self::Sharing { why, instead } => (format!("Nothing is shared: {why}."), instead.next_step()),
            Self::Usage(why) => (why.clone(), "See `silbo --help`."),
            Self::BadName(name) => {
                let why = Username::parse(name).err().map(|why| why.to_string()).unwrap_or_default();
                (format!("\"{name}\" is not a username. {why}"), "Choose another name.")
            }
            Self::BadInvite(why) => invite_texts(*why),
            Self::NotBuilt(what) => {
                (format!("{what} is not built yet."), "Wait for a later version of Silbo.")
            }
            Self::NoSuchName(name) => (
                format!("Nobody has claimed the name \"{name}\"."),
                "Check the spelling, or ask for the exact username.",
            ),
            Self::NoSuchContact(name) => {
                (format!("\"{name}\" is not in the list."), "List the entries to see the exact names.")
            }
            Self::NameAmbiguous { name, fingerprints } => (
                format!("Several people claim \"{name}\": {}.", fingerprints.join(", ")),
                "Ask which fingerprint is theirs, and call or add the public key itself.",
            ),
            Self::KeyChanged { name, pinned, found } => (
                format!("\"{name}\" now belongs to another key ({found}) than your contact ({pinned})."),
                "Ask them over another channel; only if they changed it, remove the contact and add it again.",
            ),
            Self::Blocked(name) => {
                (format!("You have blocked {name}."), "Unblock them first if you want to talk again.")
            }
            Self::NameTaken(name) => {
                (format!("Somebody else holds the name \"{name}\"."), "Choose another name.")
            }
            Self::NameLooksTaken { name, theirs } => (
                format!("Somebody else holds the name \"{theirs}\", which looks like \"{name}\"."),
                "Choose another name.",
            ),
            Self::NameNotHeld { held_by, needed } => (
                format!("Only {held_by} supernodes hold the name; {needed} are needed."),
                "Try again in a minute.",
            ),
            Self::Yourself => ("That is you.".into(), "Call `echo` to hear yourself."),
            Self::NoNetwork => (
                "No supernode can be reached.".into(),
                "Check your network connection, or name a supernode with --bootstrap HOST:PORT.",
            ),
            Self::CannotBeCalled(why) => (
                format!("{why}."),
                "Follow the advice that `silbo doctor` gives in the lines marked with \"!\".",
            ),
            Self::AlreadyInCall => ("A call is already going on.".into(), "Hang up first."),
            Self::NoCamera => {
                ("Nobody is there to see you.".into(), "Call a person: Echo hears, but sees nothing.")
            }
            Self::CalledMeanwhile(name) => (format!("{name} called."), "You were in a call."),
            Self::NoCall => {
                ("There is no call this could apply to.".into(), "Wait for a call, or place one.")
            }
            Self::Full(most) => (
                format!("The list is full: it holds at most {most} entries."),
                "Remove entries you no longer need.",
            ),
            Self::PortInUse(address) => (
                format!("The port of {address} is taken by another program."),
                "Choose another port, or stop the program that uses it.",
            ),
            Self::PortForbidden(address) => (
                format!(
                    "The system does not let this program listen on {address}: ports below 1024 need a right."
                ),
                "Choose a port from 1024 on, or give it the right: `sudo setcap cap_net_bind_service=+ep` and the path of silbo.",
            ),
            Self::NotOurAddress(address) => (
                format!("No network interface of this computer has the address of {address}."),
                "Listen on 0.0.0.0 with the same port, and give the address others reach with --public IP.",
            ),
            Self::ProfileLocked(path) => (
                format!("The profile {path} is in use by another Silbo."),
                "Close the other one, or choose another profile with --profile.",
            ),
            Self::TooManyAttached => (
                "The Silbo that owns this profile is answering too many commands at once.".into(),
                "Try again in a moment.",
            ),
            Self::ProfileUnreadable { path, why } => (
                format!("The profile {path} cannot be used: {why}."),
                "Check that the folder exists, belongs to you and that the disk is not full.",
            ),
            Self::DiskFull => (
                "The disk is full, so that nothing new can be kept.".into(),
                "Make room on the disk, then do it once more.",
            ),
            Self::ProfileTooNew(path) => {
                (format!("The profile {path} was written by a later version of Silbo."), "Update Silbo.")
            }
            Self::DatabaseDamaged { moved_to } => (
                format!(
                    "The profile's database is damaged; it was set aside as {moved_to}, nothing was deleted."
                ),
                "Start again to go on with an empty database (your key is kept), or put a backup in its place.",
            ),
            Self::Custody(custody) => custody.texts(),
            Self::Window(why) => (
                format!("The window could not be opened: {why}."),
                "Start it within a desktop session, or use the commands of `silbo --help`.",
            ),
            Self::Internal(why) => {
                (format!("Something went wrong: {why}."), "Try again; if it happens again, please report it.")
            }
        };
        (message, next_step.into())
    }
}

/// What is wrong with an invite, and what helps.
fn invite_texts(why: InviteError) -> (String, &'static str) {
    let next_step = match why {
        InviteError::Scheme | InviteError::TooLong | InviteError::Malformed => {
            "Copy the link once more, all of it and nothing else."
        }
        InviteError::Version => "Update Silbo.",
        InviteError::Signature => "Ask for a new one, over another channel.",
        _ => "Ask for a new one.",
    };
    (why.to_string(), next_step)
}

/// What a layer below says, as a sentence.
pub(crate) fn capitalised(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (message, next_step) = self.texts();
        write!(out, "{message} {next_step}")
    }
}

impl std::error::Error for Reason {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_reason_has_a_code_and_a_sentence_of_its_own_and_a_next_step() {
        let (mut codes, mut messages) = (BTreeSet::new(), BTreeSet::new());
        for reason in Reason::every() {
            assert!(codes.insert(reason.code()), "{} twice", reason.code());
            let sentence = reason.sentence();
            assert!(!sentence.message.is_empty() && sentence.next_step.ends_with('.'), "{reason:?}");
            assert!(messages.insert(sentence.message), "{reason:?} says what another says");
            assert!(reason.exit_status() <= 7);
        }
    }
}
