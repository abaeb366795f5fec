//! What a person can ask of the engine, from the window, the command line or standard input alike.

use super::{
    helping::Agreed,
    view::{Appearance, ContactId, Language, MuteAnywhere, Notifications, OnClose},
    words::TypedWords,
};
use crate::call::Reply;
use crate::storage::{KeyChange, Nickname, Overwrite, Passphrase, Verified};
use media::{
    device::{AudioSink, AudioSource},
    mix::Volume,
    session::Camera,
    tones::Loudness,
    video::{viewing::Viewing, window::WindowName},
};
use overlay::{PublicKey, Username};
use relay::UnixTime;
use std::{fmt, path::PathBuf, time::Duration};

/// Whom to call or add, as a person names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// The built-in echo.
    Echo,
    /// Whoever holds this username.
    Name(Username),
    /// Whoever holds this key.
    Key(PublicKey),
}

/// What is shown of our screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sharing {
    /// All of it.
    Screen,
    /// A window of another program.
    Window(WindowName),
    /// Nothing.
    Off,
}

/// Somebody who is muted holds a key to be heard. Whoever does not say so again in time, be it that their window hangs,
/// is muted again; whoever lets go says [`Command::SetMuted`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Talk {
    /// The key went down.
    Begin,
    /// It is still down. Nothing where nobody began, or was muted otherwise since.
    GoOn,
}

/// One wish of the person at the window or the command line.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Choose the own username (first run, or a new try after "taken").
    ClaimName(String),
    /// Look a username up; the answer appears in the view's search field.
    Search(String),
    /// Forget the last search.
    ClearSearch,
    /// Add the key found under a name to the contacts and pin it.
    AddContact {
        /// The name it was found under.
        name: String,
        /// The key to pin.
        key: PublicKey,
    },
    /// Remove a contact.
    RemoveContact(ContactId),
    /// Never hear from somebody again, whether a contact or a stranger.
    Block(PublicKey),
    /// Hear from them again.
    Unblock(PublicKey),
    /// Note whether a contact's key was compared with its owner.
    SetVerified(PublicKey, Verified),
    /// Call a contact so on this computer, or by their username again.
    SetNickname(PublicKey, Option<Nickname>),
    /// Trust the key of a contact whose name has another one now.
    KeepKey(PublicKey),
    /// Pin a contact to the key that has its name now.
    TrustKey(KeyChange),
    /// Call a contact.
    Call(ContactId),
    /// Call a contact, and be seen from the beginning.
    CallWithVideo(PublicKey),
    /// Look somebody up, add them to the contacts and call them.
    Dial(Who),
    /// Look somebody up and add them to the contacts.
    Add(Who),
    /// Answer the call that rings here, seen or not as the program was started.
    Answer,
    /// Answer it, and be seen from the beginning, or not.
    AnswerWith(Camera),
    /// Decline the call that rings here.
    Decline,
    /// Decline it and say this to whoever calls; only contacts are told it.
    DeclineWith(Reply),
    /// End the call, in whatever phase it is.
    HangUp,
    /// Mute or open the microphone.
    SetMuted(bool),
    /// Open a muted microphone for as long as somebody holds a key.
    Talk(Talk),
    /// Hear somebody so loud, in the call that is on and in later ones.
    SetVolume(ContactId, Volume),
    /// Send our pictures, or not.
    SetCamera(Camera),
    /// Show our screen or a window in place of our camera, or no longer.
    Share(Sharing),
    /// Look which windows could be shown; they appear in the view of the call.
    ListWindows,
    /// Work out the words that both ends of the call read aloud; they appear in the view of the call.
    ShowCallWords,
    /// The other end's pictures are shown so large: it need not send larger ones.
    SetViewing(Viewing),
    /// Speak into this one from now on.
    SetMicrophone(AudioSource),
    /// Hear from this one from now on.
    SetLoudspeaker(AudioSink),
    /// Let it ring so loud here.
    SetRingtone(Loudness),
    /// Let be heard how it would ring.
    TryRingtone,
    /// Look which microphones and loudspeakers there are; they appear in the view's settings.
    ListDevices,
    /// Help others so far, and no further.
    AgreeToHelp(Agreed),
    /// Count whom this computer helps; the figures appear in the view.
    CountHelped,
    /// Make the link that a friend needs; it appears in the view.
    MakeInvite,
    /// Show whom this link invites to, and ask before anybody is added.
    OfferInvite(String),
    /// Add whoever this link invites to.
    AddInvite(String),
    /// Read an invite off a code that is held before the camera; the view says how it goes.
    ScanCamera,
    /// Read it off a picture.
    ScanPicture(PathBuf),
    /// Close the camera, and forget what came of it.
    StopScanning,
    /// Open the camera to see what others would see; it appears in the view.
    PreviewCamera,
    /// Close it again.
    StopPreview,
    /// Find out whether people can call.
    CheckNetwork,
    /// Look which supernodes this computer knows, and how it stands with them; they appear in the view.
    LookAtRing,
    /// Show the window dark or light.
    SetAppearance(Appearance),
    /// Let the window speak this language.
    SetLanguage(Language),
    /// Let the desktop say who calls while nobody looks at the window, or not.
    SetNotifications(Notifications),
    /// Let closing the window do this.
    SetOnClose(OnClose),
    /// Let a key mute from any window during a call, or not.
    SetMuteKey(MuteAnywhere),
    /// This machine's addresses have changed: let a call look at once.
    NetworkChanged,
    /// Make a stranger who called a contact.
    AcceptRequest(PublicKey),
    /// Forget a stranger who called.
    DeclineRequest(PublicKey),
    /// Forget a past call; nobody else is told.
    ForgetCall {
        /// With whom it was.
        with: ContactId,
        /// When it began.
        began: UnixTime,
    },
    /// Forget all past calls.
    ForgetCalls,
    /// Show the recovery words; they appear in the view.
    ShowWords,
    /// Take them, and whether typed ones are right, off the screen.
    HideWords,
    /// Say in the view whether these are our recovery words.
    CheckWords(TypedWords),
    /// Seal the key with another passphrase, or leave it open without one; the view says how it goes.
    Seal {
        /// What it is sealed with now, if it is.
        present: Option<Passphrase>,
        /// What shall seal it, if anything.
        wanted: Option<Passphrase>,
    },
    /// Find a name for the next backup, in a folder where people look for one; it appears in the view.
    NameBackup,
    /// Write everything into one file, sealed with a passphrase; the view says how it goes.
    Export {
        /// Where.
        file: PathBuf,
        /// What seals it.
        passphrase: Passphrase,
        /// What becomes of a file that is there.
        overwrite: Overwrite,
    },
    /// Take a notice off the screen.
    DismissNotice(u64),
    /// The missed calls were looked at.
    SeeMissed,
    /// Take the ended call off the screen.
    DismissCall,
    /// Hang up, take on nothing new for others, and stop once nobody is relayed here any more, at the latest after so long.
    Leave(Duration),
    /// Hang up, leave the network and stop.
    Quit,
}

impl fmt::Display for Who {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Echo => out.write_str("echo"),
            Self::Name(name) => name.fmt(out),
            Self::Key(key) => key.fmt(out),
        }
    }
}
