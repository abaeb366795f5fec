//! What the engine reports to programs: the JSON lines of the command line, and the same as plain sentences.
//!
//! Every line is `{"t_ms", "unix_ms", "event", "call"?, ...}`; [`DESCRIPTIONS`] lists all of them.

use super::{call_words::CallWords, diagnosis::Diagnosis};
use crate::{
    call::{CallId, Ended, Receipt, Reply, Side, Waiting},
    reason::Reason,
    storage::Verified,
};
use media::device::Direction;
use media::session::{CallStats, MediaDirection, Mute, PathProtocol, PathReport, Reception};
use overlay::{PublicKey, identity::safety::SafetyNumber};
use relay::{Credentials, UnixTime};
use serde_json::{Map, Value, json};
use std::{net::SocketAddr, time::Duration};

mod custody;
mod line;

pub use custody::CustodyEvent;
pub use line::in_minutes;

/// Every event with its fields, for `silbo help events`.
pub const DESCRIPTIONS: &[(&str, &str)] = &[
    ("calling", "who: the command is accepted and a home link is up; set-up times count from here"),
    ("online", "home_supernodes, nat: linked to the network"),
    ("offline", "why: no supernode answers; it is tried again for ever"),
    ("role", "role, quic, key: what this node does for others and where it listens"),
    ("relay", "udp, tcp, tls, realm, lab_credential: the relay beside this supernode"),
    (
        "draining",
        "allocations, within_ms: asked to end, this supernode waits for those whom its relay serves",
    ),
    ("registered", "name, state, held_by, of: the username is claimed"),
    ("lookup", "name, claims, lookalikes (if any), ms: what the directory knows of a username"),
    (
        "doctor",
        "callable, verdict (callable, over_tcp, no_sound, unreachable), homes, nat, udp, ipv6, port, helping, \
         helping_reason, clock_behind_ms, supernodes_known, findings: can people call?",
    ),
    ("name_contested", "name, key, fingerprint: somebody else is shown to have your username or one like it"),
    ("invite", "link, supernodes: what a friend needs to find you, and how many supernodes it names"),
    (
        "contact",
        "state (added, known, removed, blocked, unblocked or listed), key, fingerprint, name; listed: here, last_seen_ms, \
         verified, blocked, stranger (blocked, and no contact): one contact",
    ),
    (
        "safety",
        "key, fingerprint, name, number (sixty digits in groups of five), verified: what two people compare",
    ),
    ("presence", "key, fingerprint, name, here, last_seen_ms: a contact came online, or left"),
    ("request", "state (new, accepted, declined or listed), key, fingerprint, name: a call from a stranger"),
    ("history", "with, name, outcome, began_ms, duration_ms, receipt, reply: one past call"),
    ("incoming", "from, key, name, stranger: somebody calls"),
    ("ringing", "it rings there"),
    ("answered", "the call was picked up"),
    (
        "waiting",
        "for (reply or path), message, next_step: nothing has happened for a while; it goes on trying",
    ),
    ("path", "local, remote, protocol, direct, relay, rtt_ms: how the sound travels; again at every change"),
    ("media_flowing", "direction, mic_t0_ms, speaker_t0_ms: sound flows"),
    (
        "stats",
        "rtt_ms, loss, jitter_ms, playout_delay_ms, mouth_to_ear_ms, concealed_ratio, mos, audio_kbps, video_kbps, fps, \
         width, height, freezes, frozen_ms, pictures_sent, pictures_shown: each second",
    ),
    ("first_picture", "the first picture of the other end is shown, since the beginning or since they ended"),
    ("pictures_ended", "the other end shows no camera and no screen any more; the last picture is gone"),
    ("their_microphone", "muted: the other end muted its microphone, or opened it"),
    (
        "reception",
        "silent: nothing comes from the other end and another way is sought, or something does again",
    ),
    ("call_words", "four words that are the same at both ends when nobody is between them, in `words`"),
    ("device_lost", "code, message, next_step: a device or file does not work; the call goes on without it"),
    ("device_restored", "device (microphone or loudspeaker): it works again, or another one in its place"),
    ("missed", "from, key: a call that could not ring"),
    (
        "ended",
        "reason, by, duration_ms, reply (what the other end said in declining, or null), receipt (path, seconds, mos, \
         worst_mos, mouth_to_ear_ms, made_up_ms, loss, pictures: \
         height, fps, frozen_ms; null where nothing was measured): the call is over",
    ),
    ("exported", "file, key, fingerprint, name, contacts, calls: everything is in one sealed file"),
    ("imported", "key, fingerprint, name, contacts, calls, sealed: the profile is the one that was exported"),
    ("words", "words: the 24 recovery words of this profile, in their order"),
    ("words_right", "the words that were typed are those of this profile"),
    ("lock", "sealed: whether each start needs the passphrase"),
    ("error", "code, message, next_step: something did not work"),
];

/// One thing that happened.
#[derive(Debug, Clone)]
pub struct Event {
    /// When.
    pub at: UnixTime,
    /// To which call, if to one.
    pub call: Option<CallId>,
    /// What.
    pub body: EventBody,
}

/// Somebody, as an event names them.
#[derive(Debug, Clone)]
pub struct Person {
    /// The name shown: the contact's, or the key.
    pub shown: String,
    /// Their key.
    pub key: PublicKey,
    /// The name they go by or say they have; empty if none.
    pub name: String,
}

/// What somebody of the list is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// A contact.
    Contact,
    /// A contact who is blocked.
    BlockedContact,
    /// Somebody who is blocked, and no contact.
    BlockedStranger,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum EventBody {
    /// A call was asked for and the network is there.
    Calling {
        /// As it was written.
        who: String,
    },
    /// Linked to the network.
    Online {
        /// Number of home supernodes.
        homes: usize,
        /// The NAT verdict.
        nat: &'static str,
    },
    /// No supernode answers.
    Offline {
        /// Why.
        why: String,
    },
    /// What this node does for others.
    Role {
        /// The role.
        role: &'static str,
        /// Where QUIC listens.
        quic: Option<SocketAddr>,
        /// The identity.
        key: PublicKey,
    },
    /// The relay beside this supernode serves.
    Relay {
        /// Where over UDP.
        udp: SocketAddr,
        /// Where over TCP.
        tcp: Option<SocketAddr>,
        /// Where over TLS.
        tls: Option<SocketAddr>,
        /// Its realm.
        realm: String,
        /// One long-lived credential, in the lab network only.
        lab_credential: Option<Credentials>,
    },
    /// How far this computer is on its way to help others.
    Helping {
        /// In one word.
        state: &'static str,
        /// What it lacks, in one word.
        reason: Option<&'static str>,
        /// In a sentence.
        message: &'static str,
        /// What to change.
        advice: Option<&'static str>,
    },
    /// It was asked to end, and waits for those whom its relay serves.
    Draining {
        /// How many.
        allocations: u64,
        /// How long at most.
        within: Duration,
    },
    /// The username is claimed.
    Registered {
        /// Which.
        name: String,
        /// How firmly.
        state: overlay::NameState,
        /// Supernodes that hold the claim.
        held_by: usize,
        /// Supernodes asked.
        of: usize,
    },
    /// What the directory knows of a name.
    Lookup {
        /// Which.
        name: String,
        /// All claims, best first.
        claims: Vec<overlay::FoundClaim>,
        /// Claims to other names that look like it.
        lookalikes: Vec<overlay::FoundClaim>,
        /// How long it took.
        took: Duration,
    },
    /// Whether people can call.
    Doctor(Box<Diagnosis>),
    /// Somebody else has a claim to our name, or to one that looks like it.
    NameContested {
        /// Ours.
        name: String,
        /// Whose the other claim is.
        by: PublicKey,
    },
    /// A link that invites others.
    Invite {
        /// The link.
        link: String,
        /// Supernodes it names.
        supernodes: usize,
    },
    /// One contact.
    Contact {
        /// `added`, `known`, `removed`, `blocked` or `unblocked`.
        state: &'static str,
        /// Who.
        person: Person,
    },
    /// One contact of the list, or a stranger who is blocked.
    Listed {
        /// Who.
        person: Person,
        /// What they are to us.
        relation: Relation,
        /// Whether they are online, as far as we know.
        here: bool,
        /// When they last said so.
        last_seen: Option<UnixTime>,
        /// Whether keys were compared.
        verified: Verified,
    },
    /// What two people compare to be sure of each other's keys.
    Safety {
        /// Who.
        person: Person,
        /// The same at both ends.
        number: SafetyNumber,
        /// Whether it was compared.
        verified: Verified,
    },
    /// A contact came online, or left.
    Presence {
        /// Who.
        person: Person,
        /// Whether they are there.
        here: bool,
        /// When they last said so.
        last_seen: Option<UnixTime>,
    },
    /// One call from a stranger.
    Request {
        /// `new`, `accepted`, `declined` or `listed`.
        state: &'static str,
        /// Who.
        person: Person,
    },
    /// One past call.
    History {
        /// The other side's key, or `echo`.
        with: String,
        /// Their name then.
        name: String,
        /// What came of it.
        outcome: &'static str,
        /// When it began.
        began: UnixTime,
        /// When it began, in words.
        when: String,
        /// How long sound flowed.
        lasted: Option<Duration>,
        /// What it was like.
        receipt: Option<Receipt>,
        /// What the other side said, which declined it.
        reply: Option<Reply>,
    },
    /// Somebody calls.
    Incoming {
        /// Who.
        from: Person,
        /// Whether they are no contact.
        stranger: bool,
    },
    /// It rings there.
    Ringing,
    /// Picked up.
    Answered,
    /// The call makes no progress; it goes on trying.
    Waiting(Waiting),
    /// How the sound travels.
    Path(PathReport),
    /// Sound flows.
    MediaFlowing {
        /// Which way.
        direction: MediaDirection,
        /// First sample of the microphone file sent.
        mic_t0: Option<UnixTime>,
        /// First sample of the loudspeaker file.
        speaker_t0: Option<UnixTime>,
    },
    /// The first picture of the other end is shown, since the beginning or since its pictures ended.
    FirstPicture,
    /// The other end shows nothing any more.
    PicturesEnded,
    /// Whether the other end is muted.
    TheirMicrophone(Mute),
    /// Whether anything comes from the other end.
    Reception(Reception),
    /// What both ends of the call read aloud.
    CallWords(CallWords),
    /// How the call is.
    Stats(CallStats),
    /// A device does not work, or no longer.
    DeviceLost(Reason),
    /// It works again, or another one in its place does.
    DeviceRestored(Direction),
    /// A call that could not ring.
    Missed {
        /// Whose.
        from: Person,
    },
    /// The call is over.
    Ended {
        /// How.
        ended: Ended,
        /// What it was like.
        receipt: Option<Receipt>,
    },
    /// Something about the key of this profile.
    Custody(CustodyEvent),
    /// Something did not work; what was begun goes on or ends by itself.
    Error(Reason),
    /// A command failed for good; nothing else follows from it. Programs see an `error`.
    Refused(Reason),
}

impl Event {
    /// The JSON object of the contract; `since_start` is how long the program runs.
    pub fn to_json(&self, since_start: Duration) -> Value {
        let mut object = Map::new();
        object.insert("t_ms".into(), millis(since_start));
        object.insert("unix_ms".into(), json!(self.at.as_millis()));
        object.insert("event".into(), json!(self.body.name()));
        if let Some(call) = self.call {
            object.insert("call".into(), json!(call.to_string()));
        }
        if let Value::Object(fields) = self.body.fields() {
            object.extend(fields);
        }
        Value::Object(object)
    }
}

impl EventBody {
    /// The event's name in the contract.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Calling { .. } => "calling",
            Self::Online { .. } => "online",
            Self::Offline { .. } => "offline",
            Self::Role { .. } => "role",
            Self::Relay { .. } => "relay",
            Self::Helping { .. } => "helping",
            Self::Draining { .. } => "draining",
            Self::Registered { .. } => "registered",
            Self::Lookup { .. } => "lookup",
            Self::Doctor(_) => "doctor",
            Self::NameContested { .. } => "name_contested",
            Self::Invite { .. } => "invite",
            Self::Contact { .. } | Self::Listed { .. } => "contact",
            Self::Safety { .. } => "safety",
            Self::Presence { .. } => "presence",
            Self::Request { .. } => "request",
            Self::History { .. } => "history",
            Self::Incoming { .. } => "incoming",
            Self::Ringing => "ringing",
            Self::Answered => "answered",
            Self::Waiting(_) => "waiting",
            Self::Path(_) => "path",
            Self::MediaFlowing { .. } => "media_flowing",
            Self::FirstPicture => "first_picture",
            Self::PicturesEnded => "pictures_ended",
            Self::TheirMicrophone(_) => "their_microphone",
            Self::Reception(_) => "reception",
            Self::CallWords(_) => "call_words",
            Self::Stats(_) => "stats",
            Self::DeviceLost(_) => "device_lost",
            Self::DeviceRestored(_) => "device_restored",
            Self::Missed { .. } => "missed",
            Self::Ended { .. } => "ended",
            Self::Custody(custody) => custody.name(),
            Self::Error(_) | Self::Refused(_) => "error",
        }
    }

    fn fields(&self) -> Value {
        match self {
            Self::Calling { who } => json!({ "who": who }),
            Self::Online { homes, nat } => json!({ "home_supernodes": homes, "nat": nat }),
            Self::Offline { why } => json!({ "why": why }),
            Self::Role { role, quic, key } => {
                json!({ "role": role, "quic": quic.map(|quic| quic.to_string()), "key": key.to_string() })
            }
            Self::Helping { state, reason, message, advice } => {
                json!({ "state": state, "reason": reason, "message": message, "advice": advice })
            }
            Self::Draining { allocations, within } => {
                json!({ "allocations": allocations, "within_ms": millis(*within) })
            }
            Self::Relay { udp, tcp, tls, realm, lab_credential } => json!({
                "udp": udp.to_string(), "tcp": tcp.map(|tcp| tcp.to_string()),
                "tls": tls.map(|tls| tls.to_string()), "realm": realm,
                "lab_credential": lab_credential.as_ref().map(|credential| json!({
                    "username": credential.username, "password": credential.password,
                })),
            }),
            Self::Registered { name, state, held_by, of } => {
                json!({ "name": name, "state": state.as_str(), "held_by": held_by, "of": of })
            }
            Self::Lookup { name, claims, lookalikes, took } => {
                let mut fields = json!({
                    "name": name, "ms": millis(*took),
                    "claims": claims.iter().map(found_claim).collect::<Vec<_>>(),
                });
                if !lookalikes.is_empty() {
                    fields["lookalikes"] = lookalikes
                        .iter()
                        .map(|claim| {
                            let mut fields = found_claim(claim);
                            fields["name"] = json!(claim.name.as_str());
                            fields
                        })
                        .collect();
                }
                fields
            }
            Self::NameContested { name, by } => {
                json!({ "name": name, "key": by.to_string(), "fingerprint": by.fingerprint() })
            }
            Self::Doctor(diagnosis) => diagnosis.fields(),
            Self::Invite { link, supernodes } => json!({ "link": link, "supernodes": supernodes }),
            Self::Listed { person, relation, here, last_seen, verified } => json!({
                "state": "listed", "key": person.key.to_string(), "fingerprint": person.key.fingerprint(),
                "name": person.name, "here": here, "last_seen_ms": last_seen.map(UnixTime::as_millis),
                "verified": verified.is_yes(), "blocked": *relation != Relation::Contact,
                "stranger": *relation == Relation::BlockedStranger,
            }),
            Self::Safety { person, number, verified } => json!({
                "key": person.key.to_string(), "fingerprint": person.key.fingerprint(), "name": person.name,
                "number": number.to_string(), "verified": verified.is_yes(),
            }),
            Self::Presence { person, here, last_seen } => json!({
                "key": person.key.to_string(), "fingerprint": person.key.fingerprint(), "name": person.name,
                "here": here, "last_seen_ms": last_seen.map(UnixTime::as_millis),
            }),
            Self::Contact { state, person } | Self::Request { state, person } => json!({
                "state": state, "key": person.key.to_string(),
                "fingerprint": person.key.fingerprint(), "name": person.name,
            }),
            Self::History { with, name, outcome, began, lasted, receipt, reply, .. } => json!({
                "with": with, "name": name, "outcome": outcome,
                "began_ms": began.as_millis(), "duration_ms": lasted.map(millis), "receipt": receipt,
                "reply": reply.as_ref().map(Reply::as_str),
            }),
            Self::Incoming { from, stranger } => json!({
                "from": from.shown, "key": from.key.to_string(), "name": from.name, "stranger": stranger,
            }),
            Self::Missed { from } => json!({ "from": from.shown, "key": from.key.to_string() }),
            Self::Ringing | Self::Answered => json!({}),
            Self::Waiting(waiting) => {
                let sentence = waiting.sentence();
                let waits_for = match waiting {
                    Waiting::Reply => "reply",
                    Waiting::Path => "path",
                };
                json!({ "for": waits_for, "message": sentence.message, "next_step": sentence.next_step })
            }
            Self::Path(path) => json!({
                "local": path.local.as_str(), "remote": path.remote.as_str(),
                "protocol": protocol(path.protocol), "direct": path.direct,
                "relay": path.relay.map(|relay| relay.to_string()), "rtt_ms": path.rtt.map(fine_millis),
            }),
            Self::MediaFlowing { direction, mic_t0, speaker_t0 } => json!({
                "direction": match direction {
                    MediaDirection::Send => "send",
                    MediaDirection::Receive => "recv",
                    MediaDirection::Both => "both",
                },
                "mic_t0_ms": mic_t0.map(UnixTime::as_millis), "speaker_t0_ms": speaker_t0.map(UnixTime::as_millis),
            }),
            Self::Stats(stats) => json!({
                "rtt_ms": stats.rtt.map(fine_millis), "loss": rounded(stats.loss, 4),
                "jitter_ms": fine_millis(stats.jitter), "playout_delay_ms": fine_millis(stats.playout_delay),
                "mouth_to_ear_ms": fine_millis(stats.mouth_to_ear),
                "concealed_ratio": rounded(stats.concealed_ratio, 4), "mos": rounded(stats.mos, 2),
                "audio_kbps": rounded(stats.audio_kbps, 1),
                "video_kbps": stats.pictures.map(|pictures| rounded(pictures.kbps, 1)),
                "fps": stats.pictures.map(|pictures| rounded(pictures.frame_rate, 1)),
                "width": stats.pictures.map(|pictures| pictures.width),
                "height": stats.pictures.map(|pictures| pictures.height),
                "freezes": stats.pictures.map(|pictures| pictures.freezes),
                "frozen_ms": stats.pictures.map(|pictures| millis(pictures.frozen)),
                "pictures_sent": stats.pictures_sent, "pictures_shown": stats.pictures_shown,
                "packets_sent": stats.packets_sent, "packets_received": stats.packets_received,
            }),
            Self::FirstPicture | Self::PicturesEnded => json!({}),
            Self::TheirMicrophone(mute) => json!({ "muted": *mute == Mute::On }),
            Self::Reception(reception) => json!({ "silent": *reception == Reception::Silence }),
            Self::CallWords(words) => json!({ "words": words.words() }),
            Self::Ended { ended, receipt } => json!({
                "reason": ended.reason.code(), "by": by(ended.by),
                "duration_ms": millis(ended.talked.unwrap_or_default()), "receipt": receipt,
                "reply": ended.reason.reply().map(Reply::as_str),
            }),
            Self::Custody(custody) => custody.fields(),
            Self::DeviceRestored(direction) => json!({ "device": direction.to_string() }),
            Self::DeviceLost(reason) | Self::Error(reason) | Self::Refused(reason) => {
                let sentence = reason.sentence();
                json!({ "code": reason.code(), "message": sentence.message, "next_step": sentence.next_step })
            }
        }
    }
}

fn by(side: Side) -> &'static str {
    match side {
        Side::Local => "local",
        Side::Remote => "remote",
        Side::Network => "network",
    }
}

fn protocol(protocol: PathProtocol) -> &'static str {
    match protocol {
        PathProtocol::Udp => "udp",
        PathProtocol::Tcp => "tcp",
        PathProtocol::Tls => "tls",
        _ => "other",
    }
}

fn found_claim(claim: &overlay::FoundClaim) -> Value {
    json!({
        "key": claim.key.to_string(), "fingerprint": claim.key.fingerprint(),
        "holders": claim.holders, "claimed_at_ms": claim.claimed_at.as_millis(),
        "established": claim.standing == overlay::Standing::Established,
    })
}

fn millis(duration: Duration) -> Value {
    json!(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

fn fine_millis(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 100_000.0).round() / 100.0
}

/// A measured number without digits that mean nothing; what is no number is zero.
fn rounded(value: f32, digits: i32) -> f64 {
    let scale = 10f64.powi(digits);
    let value = (f64::from(value) * scale).round() / scale;
    if value.is_finite() { value } else { 0.0 }
}
