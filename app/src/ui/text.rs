//! Every sentence the window says, in one table: sentence case, plain words, what happened and what to do next.
//!
//! Labels double as the names screen readers and tests know the controls by, so each is unique on its screen.

use crate::engine::command::Sharing;
use crate::engine::view::{CallPhase, CallView, HistoryOutcome, PathView, Quality};
use media::session::Camera;
use std::time::Duration;

/// The name of the application.
pub(super) const APP: &str = "Silbo";

/// Most characters a text field takes; what is typed beyond is dropped. A username has at most 32.
pub(super) const LONGEST_INPUT: usize = 64;

/// The same for the field that searches, which takes invites too.
pub(super) const LONGEST_SEARCH: usize = 4096;

/// First run.
pub(super) mod first_run {
    pub(in crate::ui) const TITLE: &str = "Choose your name";
    pub(in crate::ui) const INTRO: &str =
        "Friends find you under this name. No e-mail address, no phone number, no account.";
    pub(in crate::ui) const FIELD: &str = "Your name";
    pub(in crate::ui) const HINT: &str = "for example ana.perez";
    pub(in crate::ui) const RULES: &str = "3 to 32 letters, digits, dots, hyphens or underscores.";
    pub(in crate::ui) const VALID: &str = "This is a good name.";
    pub(in crate::ui) const CLAIM: &str = "Claim this name";
    pub(in crate::ui) const LATER: &str = "Later";
    pub(in crate::ui) const CONTINUE: &str = "Continue to contacts";
    pub(in crate::ui) const TAKEN: &str = "Somebody else already has this name. Try another one.";
    pub(in crate::ui) const CLAIMING_TITLE: &str = "Claiming your name";

    pub(in crate::ui) fn claiming(name: &str) -> String {
        format!("Asking the network for “{name}”. This takes a few seconds.")
    }
    pub(in crate::ui) fn held_title(name: &str) -> String {
        format!("You are {name}")
    }
    pub(in crate::ui) fn held(held_by: usize, of: usize) -> String {
        match of {
            1 => "One computer of the network keeps your name.".to_owned(),
            _ => format!("{held_by} of {of} computers of the network keep your name."),
        }
    }
}

/// Side panel.
pub(super) mod side {
    pub(in crate::ui) const NO_NAME: &str = "No name yet";
    pub(in crate::ui) const CHOOSE_NAME: &str = "Choose a name";
    pub(in crate::ui) const FIELD: &str = "Find or add a person";
    pub(in crate::ui) const CLEAR: &str = "Clear search";
    pub(in crate::ui) const INVITE: &str = "Invite a friend";
    pub(in crate::ui) const CONTACTS: &str = "Contacts";
    pub(in crate::ui) const REQUESTS: &str = "Requests";
    pub(in crate::ui) const RECENT: &str = "Recent calls";
    pub(in crate::ui) const RECENT_WORD: &str = "Recent";
    pub(in crate::ui) const NETWORK: &str = "Can people call me?";
    pub(in crate::ui) const NETWORK_WORD: &str = "Network";
    pub(in crate::ui) const HELP: &str = "Help others";
    pub(in crate::ui) const HELP_WORD: &str = "Help";
    pub(in crate::ui) const SETTINGS: &str = "Settings";
    pub(in crate::ui) const REQUEST_LINE: &str = "Wants to call you";
    pub(in crate::ui) const ECHO_LINE: &str = "Hear yourself";
    pub(in crate::ui) const NO_CALL_YET: &str = "No call yet";
    pub(in crate::ui) const EMPTY: &str =
        "Nobody here yet. Type a friend's name above and press Enter to find them.";
    pub(in crate::ui) const JOINING: &str = "Joining";
    pub(in crate::ui) const JOINING_TIP: &str = "Looking for the network. This takes a few seconds.";
    pub(in crate::ui) const ONLINE: &str = "Reachable";
    pub(in crate::ui) const OFFLINE: &str = "Offline";
    pub(in crate::ui) const KEY_TIP: &str =
        "The fingerprint of your key. Friends can compare it to be sure that it is you.";

    /// The accessible name of somebody whose key was compared.
    pub(in crate::ui) fn verified(name: &str) -> String {
        format!("{name}, verified")
    }
    pub(in crate::ui) fn online_tip(homes: usize) -> String {
        match homes {
            1 => "People can call you. One helper passes their calls to you.".to_owned(),
            _ => format!("People can call you. {homes} helpers pass their calls to you."),
        }
    }
    pub(in crate::ui) const HERE: &str = "Online now";
    pub(in crate::ui) fn last_seen(when: &str) -> String {
        format!("Last seen {when}")
    }
    pub(in crate::ui) fn look_up(name: &str) -> String {
        format!("Look up “{name}”")
    }
    pub(in crate::ui) fn request(name: &str) -> String {
        format!("Request from {name}")
    }
}

/// Page of a contact.
pub(super) mod contact {
    pub(in crate::ui) const ECHO_TEXT: &str = "Echo plays your voice back two seconds later, on this computer only. Use it to try out your microphone.";
    pub(in crate::ui) const FINGERPRINT: &str = "Fingerprint";
    pub(in crate::ui) const PINNED: &str =
        "This contact is pinned to this key. Nobody else can take its place, whatever name they use.";
    pub(in crate::ui) const REMOVE: &str = "Remove contact";
    pub(in crate::ui) const KEEP: &str = "Keep";
    pub(in crate::ui) const GONE: &str = "This contact was removed. Choose another one on the left.";

    pub(in crate::ui) fn call(name: &str) -> String {
        format!("Call {name}")
    }
    pub(in crate::ui) const SAFETY: &str = "Safety number";
    pub(in crate::ui) const VERIFIED: &str = "Verified";
    pub(in crate::ui) const SAME: &str = "They are the same";
    pub(in crate::ui) const COMPARE_AGAIN: &str = "Compare again";

    pub(in crate::ui) fn compare(name: &str) -> String {
        format!(
            "{name} sees the same number on the page about you, if nobody stands in between. Compare it when you meet, \
             or read it aloud in a call where you know the voice."
        )
    }
    pub(in crate::ui) fn verified(name: &str) -> String {
        format!("You have compared this number with {name}.")
    }
    pub(in crate::ui) fn last_call(when: &str) -> String {
        format!("Last call: {when}")
    }
    pub(in crate::ui) fn remove_question(name: &str) -> String {
        format!("Remove {name} from your contacts? You can add them again by name.")
    }
    pub(in crate::ui) fn remove_yes(name: &str) -> String {
        format!("Remove {name}")
    }
}

/// Search and add.
pub(super) mod add {
    pub(in crate::ui) const SEARCHING: &str = "Asking several computers of the network who has this name.";
    pub(in crate::ui) const ADD: &str = "Add and pin";
    pub(in crate::ui) const OPEN: &str = "Open contact";
    pub(in crate::ui) const ALREADY: &str = "Already one of your contacts.";
    pub(in crate::ui) const ONE: &str =
        "Compare the fingerprint with your friend if you want to be sure. Adding pins this key.";
    pub(in crate::ui) const NONE_NEXT: &str =
        "Check the spelling, or ask your friend whether they were online yet.";
    pub(in crate::ui) const OFFERED: &str = "You opened a link that adds them to your contacts. The name is what the link says; only the \
         fingerprint is certain.";
    pub(in crate::ui) const ADD_OFFERED: &str = "Add to contacts";
    pub(in crate::ui) const NOT_NOW: &str = "Not now";
    pub(in crate::ui) const NO_INVITE: &str = "This invite does not serve";
    pub(in crate::ui) const TRY_AGAIN: &str = "Search again";

    pub(in crate::ui) fn offered_title(name: &str) -> String {
        format!("{name} invites you")
    }
    pub(in crate::ui) fn searching_title(name: &str) -> String {
        format!("Looking for {name}")
    }
    pub(in crate::ui) fn one_title(name: &str) -> String {
        format!("{name} was found")
    }
    pub(in crate::ui) fn several_title(count: usize, name: &str) -> String {
        format!("{count} people claim {name}")
    }
    pub(in crate::ui) fn several_text(name: &str) -> String {
        format!(
            "Only one of them is the {name} you know. Compare fingerprints with your friend before you add anybody."
        )
    }
    pub(in crate::ui) fn none_title(name: &str) -> String {
        format!("Nobody is called {name}")
    }
    pub(in crate::ui) fn failed_title(name: &str) -> String {
        format!("The search for {name} did not work")
    }
    pub(in crate::ui) fn holders(count: usize) -> String {
        match count {
            1 => "Confirmed by 1 computer".to_owned(),
            _ => format!("Confirmed by {count} computers"),
        }
    }
    /// The accessible names of the buttons when several people claim the name.
    pub(in crate::ui) fn add_one_of(fingerprint: &str) -> String {
        format!("{ADD} {fingerprint}")
    }
    pub(in crate::ui) fn open_one_of(fingerprint: &str) -> String {
        format!("{OPEN} {fingerprint}")
    }
}

/// Requests of strangers.
pub(super) mod request {
    pub(in crate::ui) const ACCEPT: &str = "Add to contacts";
    pub(in crate::ui) const DECLINE: &str = "Decline request";
    pub(in crate::ui) const TEXT: &str = "They are not one of your contacts, so it did not ring. The name is what they say; only the fingerprint is \
         certain. Add them to let them call you.";
    pub(in crate::ui) const GONE: &str = "This request is settled.";

    pub(in crate::ui) fn title(name: &str) -> String {
        format!("{name} tried to call you")
    }
}

/// Calls.
pub(super) mod call {
    use super::{CallPhase, PathView, Quality};

    pub(in crate::ui) const ANSWER: &str = "Accept";
    pub(in crate::ui) const DECLINE: &str = "Decline";
    pub(in crate::ui) const MUTE: &str = "Mute";
    pub(in crate::ui) const UNMUTE: &str = "Unmute";
    pub(in crate::ui) const CAMERA_ON: &str = "Camera on";
    pub(in crate::ui) const CAMERA_OFF: &str = "Camera off";
    pub(in crate::ui) const SHARE: &str = "Share";
    pub(in crate::ui) const STOP_SHARING: &str = "Stop sharing";
    pub(in crate::ui) const FULL_SCREEN: &str = "Full screen";
    pub(in crate::ui) const EXIT_FULL_SCREEN: &str = "Exit full screen";
    pub(in crate::ui) const SMALL_WINDOW: &str = "Small window";
    pub(in crate::ui) const CLOSE_SMALL_WINDOW: &str = "Close small window";
    pub(in crate::ui) const BACK_TO_WINDOW: &str = "Back to window";
    pub(in crate::ui) const HANG_UP: &str = "Hang up";
    pub(in crate::ui) const DEVICES: &str = "Sound devices";
    pub(in crate::ui) const CANCEL: &str = "Cancel call";
    pub(in crate::ui) const AGAIN: &str = "Call again";
    pub(in crate::ui) const CLOSE: &str = "Close";
    pub(in crate::ui) const MUTED: &str = "You are muted. Nobody hears you.";
    pub(in crate::ui) const MIC: &str = "Your microphone";
    pub(in crate::ui) const ECHO_HINT: &str = "Say something: you hear it again two seconds later.";
    pub(in crate::ui) const KEYS_NOTE: &str = "Only the two of you can hear this call.";

    pub(in crate::ui) const OWN_CAMERA: &str = "Your camera";
    pub(in crate::ui) const OWN_SCREEN: &str = "Your screen";
    pub(in crate::ui) const OWN_WINDOW: &str = "Your window";

    /// What the picture of the other end is.
    pub(in crate::ui) fn picture_of(name: &str) -> String {
        format!("Picture of {name}")
    }

    pub(in crate::ui) fn phase(phase: &CallPhase) -> &'static str {
        match phase {
            CallPhase::Calling => "Calling…",
            CallPhase::Ringing => "Ringing…",
            CallPhase::Incoming => "is calling you",
            CallPhase::Connecting => "Connecting the sound…",
            CallPhase::Active { .. } => "In a call",
            CallPhase::Ended { .. } => "Call ended",
        }
    }
    pub(in crate::ui) fn phase_detail(phase: &CallPhase) -> &'static str {
        match phase {
            CallPhase::Calling => "Looking for them on the network.",
            CallPhase::Ringing => "Their computer rings. Waiting for an answer.",
            CallPhase::Connecting => "Finding the best way between the two computers.",
            CallPhase::Incoming | CallPhase::Active { .. } | CallPhase::Ended { .. } => "",
        }
    }
    pub(in crate::ui) fn path(path: &PathView) -> &'static str {
        match path {
            PathView::Local => "Local",
            PathView::Direct => "Direct",
            PathView::Relayed => "Relayed",
        }
    }
    pub(in crate::ui) fn path_tip(path: &PathView) -> &'static str {
        match path {
            PathView::Local => "The sound stays within this computer.",
            PathView::Direct => "The sound goes straight to the other computer.",
            PathView::Relayed => "The sound goes through a helper, who cannot hear it.",
        }
    }
    pub(in crate::ui) fn quality(bars: u8) -> &'static str {
        match bars {
            0 | 1 => "Bad",
            2 => "Fair",
            3 => "Good",
            _ => "Excellent",
        }
    }
    pub(in crate::ui) fn quality_label(bars: u8) -> String {
        format!("Sound quality: {}", quality(bars).to_lowercase())
    }
    pub(in crate::ui) fn quality_tip(quality: &Quality) -> String {
        let lost = format!("{:.1} % of the sound was lost on the way.", quality.loss.clamp(0.0, 1.0) * 100.0);
        match quality.rtt {
            Some(rtt) => format!("There and back takes {} ms. {lost}", rtt.as_millis()),
            None => lost,
        }
    }
}

/// What to share.
pub(super) mod sharing {
    pub(in crate::ui) const TITLE: &str = "What do you want to show?";
    pub(in crate::ui) const SCREEN: &str = "The whole screen";
    pub(in crate::ui) const WINDOWS: &str = "Or a window, and nothing else:";
    pub(in crate::ui) const LOOKING: &str = "Looking for open windows…";
    pub(in crate::ui) const NO_WINDOWS: &str = "There is no window to show alone.";
    pub(in crate::ui) const CANCEL: &str = "Share nothing";

    /// A window among others; `nth` counts those of the same title from 1.
    pub(in crate::ui) fn window(title: &str, nth: usize) -> String {
        if nth == 1 { title.to_owned() } else { format!("{title} ({nth})") }
    }
}

/// What a friend needs to find us.
pub(super) mod invite {
    pub(in crate::ui) const TITLE: &str = "Invite a friend";
    pub(in crate::ui) const INTRO: &str = "Send this link to a friend, or let them scan it. It holds your key, and where your network is: whoever \
         pastes it into “Find or add a person” has you as a contact.";
    pub(in crate::ui) const MAKING: &str = "Making the link…";
    pub(in crate::ui) const COPY: &str = "Copy link";
    pub(in crate::ui) const QR: &str = "Your invite as a QR code";
    pub(in crate::ui) const TOO_LONG: &str = "The link is too long for a QR code.";
    pub(in crate::ui) const RENEW: &str = "Make it anew";
    pub(in crate::ui) const NO_NAME: &str =
        "You have no name yet: your friend sees your fingerprint instead.";

    pub(in crate::ui) fn supernodes(count: usize) -> String {
        match count {
            0 => "It names no computer of the network yet. Wait until you are reachable, and make it anew."
                .to_owned(),
            1 => "It names 1 computer of the network.".to_owned(),
            _ => format!("It names {count} computers of the network."),
        }
    }
}

/// Whether people can call.
pub(super) mod network {
    pub(in crate::ui) const LOOKING: &str = "Trying it out";
    pub(in crate::ui) const LOOKING_TEXT: &str =
        "Asking other computers how they see this one. This takes a few seconds.";
    pub(in crate::ui) const CALLABLE: &str = "People can call you";
    pub(in crate::ui) const NO_SOUND: &str = "It rings here, but no sound would get through";
    pub(in crate::ui) const UNREACHABLE: &str = "Nobody can call you at the moment";
    pub(in crate::ui) const AGAIN: &str = "Look again";
    pub(in crate::ui) const COPY: &str = "Copy report";
}

/// What this computer does for others.
pub(super) mod help {
    use crate::engine::view::Helped;

    pub(in crate::ui) const TITLE: &str = "Help others";
    pub(in crate::ui) const INTRO: &str = "Silbo has no servers. Computers that strangers can reach, and whose owners agree, let others find and \
         hear each other. Yours does so only where you say yes, and rests on battery.";
    pub(in crate::ui) const MAY: &str = "This computer may";
    pub(in crate::ui) const DIRECTORY: &str = "Keep names";
    pub(in crate::ui) const DIRECTORY_TEXT: &str = "Who has which username. A few megabytes.";
    pub(in crate::ui) const INTRODUCER: &str = "Ring people";
    pub(in crate::ui) const INTRODUCER_TEXT: &str =
        "Those whose routers let no stranger in. Hardly any traffic.";
    pub(in crate::ui) const RELAY: &str = "Pass calls on";
    pub(in crate::ui) const RELAY_TEXT: &str =
        "Where there is no direct way. Sealed: nobody here can listen.";
    pub(in crate::ui) const NEXT_START: &str = "This counts when Silbo is started the next time.";
    pub(in crate::ui) const CAP: &str = "Calls passed on, at most";
    pub(in crate::ui) const NO_CAP: &str = "No limit";
    pub(in crate::ui) const UPLOAD: &str = "What your line can send";
    pub(in crate::ui) const UNKNOWN: &str = "I do not know";
    pub(in crate::ui) const METERED: &str = "My traffic costs money: do not help with it";

    pub(in crate::ui) fn helped(helped: &Helped) -> String {
        let people = match helped.leaves {
            1 => "1 person is".to_owned(),
            leaves => format!("{leaves} people are"),
        };
        format!(
            "{people} found through this computer now. {:.1} MB of calls were passed on since it was started.",
            helped.relayed as f64 / 1e6
        )
    }
    pub(in crate::ui) fn mbits(kbps: u32) -> String {
        match kbps % 1000 {
            0 => format!("{} Mbit/s", kbps / 1000),
            _ => format!("{:.1} Mbit/s", f64::from(kbps) / 1000.0),
        }
    }
}

/// Settings, and the cards over a call that are like them.
pub(super) mod settings {
    pub(in crate::ui) const TITLE: &str = "Settings";
    pub(in crate::ui) const SOUND: &str = "Sound";
    pub(in crate::ui) const MICROPHONE: &str = "Microphone";
    pub(in crate::ui) const LOUDSPEAKER: &str = "Loudspeaker";
    pub(in crate::ui) const LOOKING: &str = "Looking for microphones and loudspeakers…";
    pub(in crate::ui) const SYSTEM: &str = "As the system has it";
    pub(in crate::ui) const NONE: &str =
        "There is none. Plug one in, or switch on the sound system; it appears here by itself.";
    pub(in crate::ui) const TEST: &str = "Call Echo to hear yourself";
    pub(in crate::ui) const APPEARANCE: &str = "Appearance";
    pub(in crate::ui) const DARK: &str = "Dark";
    pub(in crate::ui) const LIGHT: &str = "Light";
    pub(in crate::ui) const DONE: &str = "Done";

    /// The system's choice, which is this one now.
    pub(in crate::ui) fn system(now: &str) -> String {
        format!("{SYSTEM} ({now})")
    }
    /// A device that was chosen once.
    pub(in crate::ui) fn unplugged(name: &str) -> String {
        format!("{name} (not plugged in)")
    }
    /// A device among others; `nth` counts those of the same name from 1.
    pub(in crate::ui) fn device(name: &str, nth: usize) -> String {
        if nth == 1 { name.to_owned() } else { format!("{name} ({nth})") }
    }
    /// The accessible name of a choice, since several lists may hold the same.
    pub(in crate::ui) fn choice(of: &str, title: &str) -> String {
        format!("{of}: {title}")
    }
}

/// Closing the window in a call.
pub(super) mod quit {
    pub(in crate::ui) const NEXT: &str = "Closing the window ends the call for both of you.";
    pub(in crate::ui) const YES: &str = "Hang up and close";
    pub(in crate::ui) const NO: &str = "Stay in the call";

    pub(in crate::ui) fn question(name: &str) -> String {
        format!("You are in a call with {name}")
    }
}

/// Recent calls.
pub(super) mod history {
    use super::HistoryOutcome;

    pub(in crate::ui) const TITLE: &str = "Recent calls";
    pub(in crate::ui) const EMPTY: &str =
        "No calls yet. Your first one can be with Echo, who is always at home.";

    pub(in crate::ui) fn outcome(outcome: HistoryOutcome) -> &'static str {
        match outcome {
            HistoryOutcome::Received => "Incoming call",
            HistoryOutcome::Missed => "Missed call",
            HistoryOutcome::Placed => "Outgoing call",
            HistoryOutcome::Unanswered => "Not answered",
        }
    }
}

/// Notices and everything else.
pub(super) mod notice {
    pub(in crate::ui) const BUSY: &str = "Silbo is busy and did not take that.";
    pub(in crate::ui) const BUSY_NEXT: &str = "Please press again.";

    pub(in crate::ui) fn dismiss(message: &str) -> String {
        format!("Dismiss: {message}")
    }
}

/// The title of the window, different for each profile; in a call it tells what others hear and see of us.
pub(super) fn window_title(name: Option<&str>, profile: Option<&str>, call: Option<&CallView>) -> String {
    let title = match (name, profile) {
        (Some(name), _) => format!("{APP} — {name}"),
        (None, Some(profile)) => format!("{APP} — profile {profile}"),
        (None, None) => APP.to_owned(),
    };
    match call.filter(|call| matches!(call.phase, CallPhase::Active { .. })) {
        Some(call) => format!("{title} — {}", live(call)),
        None => title,
    }
}

/// What the other side hears and sees of us.
fn live(call: &CallView) -> String {
    let heard = if call.muted { "muted" } else { "microphone on" };
    let seen = match (&call.sharing, call.camera) {
        (Sharing::Screen, _) => ", screen shown",
        (Sharing::Window(_), _) => ", a window shown",
        (Sharing::Off, Some(Camera::On)) => ", camera on",
        (Sharing::Off, Some(Camera::Off) | None) => "",
    };
    format!("{}: {heard}{seen}", call.name)
}

/// `4:07`, or `1:02:45` from an hour on: a running call.
pub(super) fn timer(lasted: Duration) -> String {
    let seconds = lasted.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

/// `4 min 7 s`: a past call.
pub(super) fn lasted(lasted: Duration) -> String {
    let seconds = lasted.as_secs();
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} min {s} s"),
        (h, m, _) => format!("{h} h {m} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::view::ContactId;

    #[test]
    fn times_read_like_a_clock_while_running_and_like_words_afterwards() {
        assert_eq!(timer(Duration::from_secs(7)), "0:07");
        assert_eq!(timer(Duration::from_secs(3765)), "1:02:45");
        assert_eq!(lasted(Duration::from_secs(7)), "7 s");
        assert_eq!(lasted(Duration::from_secs(247)), "4 min 7 s");
        assert_eq!(lasted(Duration::from_secs(3765)), "1 h 2 min");
    }

    #[test]
    fn windows_of_two_profiles_have_different_titles() {
        assert_eq!(window_title(Some("alice"), Some("A"), None), "Silbo — alice");
        assert_eq!(window_title(None, Some("B"), None), "Silbo — profile B");
        assert_eq!(window_title(None, None, None), "Silbo");
    }

    #[test]
    fn the_title_tells_what_is_heard_and_seen_of_us() {
        let mut call = CallView::new(ContactId::Echo, "bob".to_owned(), CallPhase::Ringing);
        let title = |call: &CallView| window_title(Some("alice"), None, Some(call));
        assert_eq!(title(&call), "Silbo — alice");
        call.phase = CallPhase::Active { since: std::time::Instant::now() };
        assert_eq!(title(&call), "Silbo — alice — bob: microphone on");
        (call.muted, call.camera) = (true, Some(Camera::On));
        assert_eq!(title(&call), "Silbo — alice — bob: muted, camera on");
        call.sharing = Sharing::Screen;
        assert_eq!(title(&call), "Silbo — alice — bob: muted, screen shown");
    }
}
