//! What the engine tells, as the window says it. The command line says the same in words of its own, which may name
//! options; the window never does.

use super::messages::{
    advice, autostart, bad_invite, call, custody, first_run, found, mute_key, offline, reason, standing,
    username, when,
};
use crate::call::Waiting;
use crate::desktop::{AutostartError, MUTE_KEYS, MuteKeyError};
use crate::engine::diagnosis::{ClockError, Fact, Ipv6};
use crate::engine::view::{NoInvite, Sentence};
use crate::engine::words::WordsError;
use crate::reason::{Custody, Fault, Instead, Reason, Remedy, Word};
use crate::storage::When;
use media::device::Direction;
use overlay::username::{USERNAME_MAX, USERNAME_MIN};
use overlay::volunteer::{Candidacy, Unfit};
use overlay::{InviteError, NatKind, OfflineReason, Role, Username, UsernameError};

/// Why a call ended, or something did not work.
pub(in crate::ui) fn reason(reason: &Reason) -> Sentence {
    match reason {
        Reason::HungUp => reason::hung_up(),
        Reason::Cancelled => reason::cancelled(),
        Reason::Declined(_) => reason::declined(),
        Reason::Busy => reason::busy(),
        Reason::NotAnswered => reason::not_answered(),
        Reason::NoReaction => reason::no_reaction(),
        Reason::NotOnline(Word::Lost) => reason::not_online(),
        Reason::NotOnline(Word::Left) => reason::not_online_told(),
        Reason::Missed => reason::missed(),
        Reason::Replaced => reason::replaced(),
        Reason::NoPath => reason::no_path(),
        Reason::ConnectionLost => reason::connection_lost(),
        Reason::PeerFailed => reason::peer_failed(),
        Reason::Incompatible => reason::incompatible(),
        Reason::NotAuthentic => reason::not_authentic(),
        Reason::Device { why, fault } => device(why, *fault),
        Reason::Camera { why, remedy } => camera(why, *remedy),
        Reason::Sharing { why, instead } => sharing(why, *instead),
        Reason::Usage(why) => reason::usage(why),
        Reason::BadName(name) => bad_name(name),
        Reason::BadInvite(why) => bad_invite(*why),
        Reason::NotBuilt(what) => reason::not_built(what),
        Reason::NoSuchName(name) => reason::no_such_name(name),
        Reason::NoSuchContact(name) => reason::no_such_contact(name),
        Reason::NameAmbiguous { name, fingerprints } => {
            reason::name_ambiguous(name, &fingerprints.join(", "))
        }
        Reason::KeyChanged { name, pinned, found } => reason::key_changed(name, pinned, found),
        Reason::Blocked(name) => reason::blocked(name),
        Reason::NameTaken(name) => reason::name_taken(name),
        Reason::NameLooksTaken { name, theirs } => reason::name_looks_taken(name, theirs),
        Reason::NameNotHeld { held_by, needed } => reason::name_not_held(*held_by, *needed),
        Reason::Yourself => reason::yourself(),
        Reason::NoNetwork => reason::no_network(),
        Reason::CannotBeCalled(_) => reason::cannot_be_called(),
        Reason::AlreadyInCall => reason::already_in_call(),
        Reason::CalledMeanwhile(name) => reason::called_meanwhile(name),
        Reason::NoCall => reason::no_call(),
        Reason::NoCamera => reason::no_camera(),
        Reason::Full(most) => reason::full(*most),
        Reason::PortInUse(address) => reason::port_in_use(address),
        Reason::PortForbidden(address) => reason::port_forbidden(address),
        Reason::NotOurAddress(address) => reason::not_our_address(address),
        Reason::ProfileLocked(path) => reason::profile_locked(path),
        Reason::TooManyAttached => reason::too_many_attached(),
        Reason::ProfileUnreadable { path, why } => reason::profile_unreadable(path, why),
        Reason::DiskFull => reason::disk_full(),
        Reason::ProfileTooNew(path) => reason::profile_too_new(path),
        Reason::DatabaseDamaged { moved_to } => reason::database_damaged(moved_to),
        Reason::Custody(custody) => self::custody(custody),
        Reason::Window(why) => reason::window(why),
        Reason::Internal(why) => reason::internal(why),
    }
}

/// Something that happened in a call: whose camera does not work is heard.
pub(in crate::ui) fn in_call(why: &Reason) -> Sentence {
    let told = reason(why);
    match why {
        Reason::Camera { .. } => {
            Sentence { next_step: format!("{} {}", call::unseen(), told.next_step), ..told }
        }
        _ => told,
    }
}

/// What is wrong with it, and what a name may be.
fn bad_name(name: &str) -> Sentence {
    let message = Username::parse(name).err().map_or_else(|| username::other().to_owned(), username);
    Sentence { message, next_step: first_run::rules().to_owned() }
}

fn custody(custody: &Custody) -> Sentence {
    match custody {
        Custody::Sealed(path) => custody::sealed(path),
        Custody::WrongPassphrase(path) => custody::wrong_passphrase(path),
        Custody::Passphrase(_) => custody::weak_passphrase(),
        Custody::NoPassphrase => custody::no_passphrase(),
        Custody::PassphraseFile { path, why } => custody::passphrase_file(path, why),
        Custody::Unreadable { path, why } => custody::unreadable(path, why),
        Custody::NoProfile(path) => custody::no_profile(path),
        Custody::NotEmpty(path) => custody::not_empty(path),
        Custody::File { path, why } => custody::file(path, why),
        Custody::FileExists(path) => custody::file_exists(path),
        Custody::Words(why) => words(why),
    }
}

/// Why it cannot be said whether Silbo starts at login.
pub(in crate::ui) fn autostart(error: &AutostartError) -> Sentence {
    match error {
        AutostartError::Unreadable { path, why } => autostart::unreadable(path, why),
        AutostartError::Unwritable { path, why } => autostart::unwritable(path, why),
        AutostartError::Unnameable { path } => autostart::unnameable(path),
    }
}

/// Why no key mutes from other windows.
pub(in crate::ui) fn mute_key(error: &MuteKeyError) -> Sentence {
    match error {
        MuteKeyError::Taken => mute_key::taken(MUTE_KEYS),
        MuteKeyError::NoKey => mute_key::no_key(MUTE_KEYS),
        MuteKeyError::Server { why } => mute_key::server(MUTE_KEYS, why),
    }
}

/// Why recovery words do not serve.
pub(in crate::ui) fn words(why: &WordsError) -> Sentence {
    match why {
        WordsError::Number(count) => custody::words_number(*count),
        WordsError::Unknown(places) => {
            let places: Vec<String> = places.iter().map(ToString::to_string).collect();
            custody::words_unknown(&places.join(", "))
        }
        WordsError::Checksum => custody::words_checksum(),
        WordsError::Another => custody::words_another(),
    }
}

fn device(why: &str, fault: Fault) -> Sentence {
    match fault {
        Fault::Missing(Direction::Capture) => reason::microphone_missing(),
        Fault::Missing(Direction::Playback) => reason::loudspeaker_missing(),
        Fault::Absent(Direction::Capture) => reason::microphone_absent(),
        Fault::Absent(Direction::Playback) => reason::loudspeaker_absent(),
        Fault::Dead(Direction::Capture) => reason::microphone_dead(),
        Fault::Dead(Direction::Playback) => reason::loudspeaker_dead(),
        Fault::Gone(Direction::Capture) => reason::microphone_gone(),
        Fault::Gone(Direction::Playback) => reason::loudspeaker_gone(),
        Fault::Busy(Direction::Capture) => reason::microphone_busy(),
        Fault::Busy(Direction::Playback) => reason::loudspeaker_busy(),
        Fault::Denied(Direction::Capture) => reason::microphone_denied(),
        Fault::Denied(Direction::Playback) => reason::loudspeaker_denied(),
        Fault::KeptOut => reason::sound_kept_out(why),
        Fault::Refused(Direction::Capture) => reason::microphone_refused(),
        Fault::Refused(Direction::Playback) => reason::loudspeaker_refused(),
        Fault::Other => reason::device(why),
    }
}

fn camera(why: &str, remedy: Remedy) -> Sentence {
    match remedy {
        Remedy::Connect => reason::camera_missing(),
        Remedy::CloseOther => reason::camera_busy(),
        Remedy::JoinGroup => reason::camera_denied(),
        Remedy::PlugIn => reason::camera_silent(),
        Remedy::ChooseOther => reason::camera_unusable(why),
    }
}

fn sharing(why: &str, instead: Instead) -> Sentence {
    match instead {
        Instead::OtherSession => reason::sharing_session(),
        Instead::WholeScreen => reason::sharing_whole(),
        Instead::OtherName => reason::sharing_which(why),
        Instead::BringUp => reason::sharing_hidden(),
        Instead::OtherWindow => reason::sharing_closed(),
        Instead::OtherComputer => reason::sharing_unusable(why),
    }
}

/// The engine did not take a command.
pub(in crate::ui) fn engine_busy() -> Sentence {
    reason::engine_busy()
}

/// What a call waits for.
pub(in crate::ui) fn waiting(waiting: Waiting) -> Sentence {
    match waiting {
        Waiting::Reply => super::messages::waiting::reply(),
        Waiting::Path => super::messages::waiting::path(),
    }
}

/// Why nobody can be reached.
pub(in crate::ui) fn offline(why: OfflineReason) -> Sentence {
    match why {
        OfflineReason::NobodyKnown => offline::nobody_known(),
        OfflineReason::NobodyAnswers => offline::nobody_answers(),
        OfflineReason::Incompatible => offline::incompatible(),
        OfflineReason::Full => offline::full(),
        _ => reason::no_network(),
    }
}

/// Why an invite does not serve.
pub(in crate::ui) fn no_invite(why: &NoInvite) -> Sentence {
    match why {
        NoInvite::Refused(why) => reason(why),
        NoInvite::Unreadable(why) => bad_invite(*why),
    }
}

fn bad_invite(why: InviteError) -> Sentence {
    match why {
        InviteError::Scheme => bad_invite::scheme(),
        InviteError::TooLong => bad_invite::too_long(),
        InviteError::Malformed => bad_invite::malformed(),
        InviteError::Version => bad_invite::version(),
        InviteError::Network => bad_invite::network(),
        InviteError::Address => bad_invite::address(),
        InviteError::Signature => bad_invite::signature(),
        _ => bad_invite::other(),
    }
}

/// How far this computer is on its way to help.
pub(in crate::ui) fn standing(candidacy: Candidacy) -> Sentence {
    match candidacy {
        Candidacy::None => standing::none(),
        Candidacy::Proving => standing::proving(),
        Candidacy::StandBy => standing::stand_by(),
        Candidacy::Serving => standing::serving(),
        Candidacy::Draining => standing::draining(),
        Candidacy::CoolingDown => standing::cooling_down(),
        Candidacy::Unfit(Unfit::OnBattery) => standing::on_battery(),
        Candidacy::Unfit(Unfit::Metered) => standing::metered(),
        Candidacy::Unfit(Unfit::Hours) => standing::hours(),
        Candidacy::Unfit(Unfit::NoAddress) => standing::no_address(),
        Candidacy::Unfit(Unfit::Uptime) => standing::uptime(),
        Candidacy::Unfit(Unfit::AddressAge) => standing::address_age(),
        Candidacy::Unfit(Unfit::Upload) => standing::upload(),
        Candidacy::Unfit(Unfit::Unreachable) => standing::unreachable(),
    }
}

/// What was found out about the network; nothing to do where all is well, or nothing helps.
pub(in crate::ui) fn fact(fact: &Fact) -> Sentence {
    let plain = |message: &str| alone(message.to_owned());
    match fact {
        Fact::IsSupernode => plain(found::is_supernode()),
        Fact::RungThrough(homes) => alone(found::rung_through(homes.len())),
        Fact::NotTakenIn => advice::not_taken_in(),
        Fact::NobodyKnown => offline::nobody_known(),
        Fact::NobodyAnswers => advice::nobody_answers(),
        Fact::SeenAt(seen) => {
            let seen: Vec<String> = seen.iter().map(ToString::to_string).collect();
            alone(found::seen_at(&seen.join(", ")))
        }
        Fact::Nat(NatKind::Open) => plain(found::nat_open()),
        Fact::Nat(NatKind::EndpointIndependent) => plain(found::nat_independent()),
        Fact::Nat(NatKind::AddressDependent) => advice::nat_dependent(),
        Fact::Nat(NatKind::Unknown) => plain(found::nat_unknown()),
        Fact::UdpWorks => plain(found::udp_works()),
        Fact::UdpUnknown => plain(found::udp_unknown()),
        Fact::CallsOverTcp => advice::calls_over_tcp(),
        Fact::NoWayForSound => advice::no_way_for_sound(),
        Fact::Ipv6(Ipv6::Works) => plain(found::ipv_six_works()),
        Fact::Ipv6(Ipv6::Unproven) => plain(found::ipv_six_unproven()),
        Fact::Ipv6(Ipv6::None) => advice::ipv_six_none(),
        Fact::PortOpen => plain(found::port_open()),
        Fact::PortFiltered(Role::Supernode) => advice::port_of_supernode(),
        Fact::PortFiltered(Role::Leaf) => advice::port_filtered(),
        Fact::PortUntested => plain(found::port_untested()),
        Fact::Serves => plain(found::serves()),
        Fact::OffersNothing => advice::offers_nothing(),
        Fact::Helping(candidacy) => standing(*candidacy),
        Fact::ClockUnknown => plain(found::clock_unknown()),
        Fact::ClockRight => plain(found::clock_right()),
        Fact::ClockCorrected(ClockError::Behind(seconds)) => advice::clock_behind(*seconds),
        Fact::ClockCorrected(ClockError::Ahead(seconds)) => advice::clock_ahead(*seconds),
        Fact::ClockFarOff(ClockError::Behind(_) | ClockError::Ahead(_)) => advice::clock_far_off(),
    }
}

/// What happened, where there is nothing to do about it.
fn alone(message: String) -> Sentence {
    Sentence { message, next_step: String::new() }
}

/// What is wrong with a name.
pub(in crate::ui) fn username(why: UsernameError) -> String {
    match why {
        UsernameError::TooShort => username::too_short(USERNAME_MIN),
        UsernameError::TooLong => username::too_long(USERNAME_MAX),
        UsernameError::Character(character) if character.is_whitespace() => username::space().to_owned(),
        UsernameError::Character(character) => username::character(&character.to_string()),
        UsernameError::Start => username::start().to_owned(),
        UsernameError::End => username::end().to_owned(),
        UsernameError::DoubleSeparator => username::double_separator().to_owned(),
        _ => username::other().to_owned(),
    }
}

/// A point in time.
pub(in crate::ui) fn when(when: &When) -> String {
    match when {
        When::Today { time } => when::today(time),
        When::Yesterday { time } => when::yesterday(time),
        When::On { date, time } => when::on(date, time),
    }
}
