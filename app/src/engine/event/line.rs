//! Events as a person reads them: one line each.

use super::{Event, EventBody, Person, Relation};
use crate::engine::view::Sentence;
use crate::storage::Verified;
use media::session::{MediaDirection, Mute, Reception};
use overlay::identity::safety::SafetyNumber;
use relay::UnixTime;
use std::time::Duration;

impl Event {
    /// One line for a person; nothing for what a person need not see.
    pub fn to_line(&self) -> Option<String> {
        Some(match &self.body {
            EventBody::Calling { who } => format!("Calling {who} ..."),
            EventBody::Online { homes, .. } => {
                format!("Online ({homes} home supernode{}).", if *homes == 1 { "" } else { "s" })
            }
            EventBody::Offline { why } => format!("Offline: {why}."),
            EventBody::Role { role: "leaf", .. } => return None,
            EventBody::Role { role, quic, .. } => match quic {
                Some(quic) => format!("Running as {role}, listening on {quic}."),
                None => format!("Running as {role}."),
            },
            EventBody::Relay { udp, tls: Some(streams), .. } => {
                format!("Relaying on {udp} (UDP) and {streams} (TCP and TLS).")
            }
            EventBody::Relay { udp, .. } => format!("Relaying on {udp}."),
            EventBody::Helping { message, advice: None, .. } => (*message).to_owned(),
            EventBody::Helping { message, advice: Some(advice), .. } => format!("{message} {advice}"),
            EventBody::Draining { allocations: 0, .. } => "Leaving the network.".into(),
            EventBody::Draining { allocations, within } => format!(
                "Leaving once the calls relayed here are over ({allocations} ends), at the latest in {}. Stop it again to end them now.",
                in_minutes(*within)
            ),
            EventBody::Registered { name, held_by, of, .. } => {
                format!("The name {name} is yours (held by {held_by} of {of} supernodes).")
            }
            EventBody::Doctor(diagnosis) => diagnosis.to_lines(),
            EventBody::Lookup { name, claims, lookalikes, .. } => {
                lookup_lines(name, claims, lookalikes, self.at)
            }
            EventBody::NameContested { name, by } => format!(
                "Somebody else ({}) is shown to have the name {name} or one that looks like it. Your contacts keep you.",
                by.fingerprint()
            ),
            EventBody::Invite { link, .. } => link.clone(),
            EventBody::Contact { state, person } => person_line("contact", state, person),
            EventBody::Listed { person, relation, here, verified, .. } => {
                let here = if *here { "  online" } else { "" };
                let verified = if verified.is_yes() { "  verified" } else { "" };
                let blocked = match relation {
                    Relation::Contact => "",
                    Relation::BlockedContact => "  blocked",
                    Relation::BlockedStranger => "  blocked, not a contact",
                };
                format!("{}{here}{verified}{blocked}", person_line("contact", "listed", person))
            }
            EventBody::Safety { person, number, verified } => safety_lines(&person.name, number, *verified),
            EventBody::Presence { person, here: true, .. } => format!("{} is online.", person.shown),
            EventBody::Presence { person, here: false, .. } => format!("{} has left.", person.shown),
            EventBody::Request { state, person } => person_line("request", state, person),
            EventBody::History { name, outcome, when, lasted, reply, .. } => {
                let lasted = lasted.map(|lasted| format!(", {}", in_minutes(lasted))).unwrap_or_default();
                let reply = reply.as_ref().map(|reply| format!(": “{reply}”")).unwrap_or_default();
                format!("{when}  {name}  {outcome}{lasted}{reply}")
            }
            EventBody::Incoming { from, stranger } => {
                let stranger = if *stranger { " (not a contact)" } else { "" };
                format!("{} calls{stranger}.", from.shown)
            }
            EventBody::Ringing => "It rings ...".into(),
            EventBody::Answered => "Answered.".into(),
            EventBody::Waiting(waiting) => {
                let Sentence { message, next_step } = waiting.sentence();
                format!("{message} {next_step}")
            }
            EventBody::Path(path) if path.direct => "Connected directly.".into(),
            EventBody::Path(_) => "Connected through a relay.".into(),
            EventBody::MediaFlowing { direction: MediaDirection::Both, .. } => {
                "Sound flows both ways.".into()
            }
            EventBody::MediaFlowing { .. } | EventBody::Stats(_) => return None,
            EventBody::FirstPicture => "The picture is here.".into(),
            EventBody::PicturesEnded => "They show no picture any more.".into(),
            EventBody::TheirMicrophone(Mute::On) => "They are muted.".into(),
            EventBody::TheirMicrophone(Mute::Off) => "They are muted no longer.".into(),
            EventBody::Reception(Reception::Silence) => {
                "Nothing comes from them. Silbo looks for another way.".into()
            }
            EventBody::Reception(Reception::Fine) => "They are heard again.".into(),
            EventBody::CallWords(words) => {
                format!("Read these aloud; if theirs are the same, nobody is between you: {words}")
            }
            EventBody::DeviceLost(why) => why.to_string(),
            EventBody::DeviceRestored(direction) => format!("The {direction} works again."),
            EventBody::Missed { from } => format!("Missed a call from {}.", from.shown),
            EventBody::Ended { ended, .. } => {
                let talked =
                    ended.talked.map(|talked| format!(" ({})", in_minutes(talked))).unwrap_or_default();
                format!("{}{talked}", ended.reason.sentence().message)
            }
            EventBody::Custody(custody) => custody.to_line(),
            // Printed on standard error by the command line.
            EventBody::Error(_) | EventBody::Refused(_) => return None,
        })
    }
}

/// A duration as a person says it: "1:05".
pub fn in_minutes(duration: Duration) -> String {
    let seconds = duration.as_secs();
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

fn lookup_lines(
    name: &str,
    claims: &[overlay::FoundClaim],
    lookalikes: &[overlay::FoundClaim],
    now: UnixTime,
) -> String {
    let several = claims.len() + lookalikes.len() > 1;
    let line = |claim: &overlay::FoundClaim| {
        let age =
            now.saturating_duration_since(claim.since.unwrap_or(claim.claimed_at)).as_secs() / (24 * 3600);
        let why = if several { format!(". {}", claim.why) } else { String::new() };
        format!(
            "{}  {}  {}  held by {} supernodes, {age} days old{why}",
            claim.name,
            claim.key.fingerprint(),
            claim.key,
            claim.holders
        )
    };
    let mut lines: Vec<String> = claims.iter().map(line).collect();
    if claims.is_empty() {
        lines.push(format!("Nobody claims {name}."));
    }
    if !lookalikes.is_empty() {
        lines.push(format!("Not {name}, though it looks like it:"));
        lines.extend(lookalikes.iter().map(line));
    }
    lines.join("\n")
}

/// The number in three lines, and what it is for.
fn safety_lines(name: &str, number: &SafetyNumber, verified: Verified) -> String {
    let lines: Vec<String> = number.groups().chunks(4).map(|groups| groups.join(" ")).collect();
    let next = match verified {
        Verified::Yes => format!("{name} is verified: you have compared this number."),
        Verified::No => format!(
            "Compare it with the one {name} sees. If they are the same: silbo contact verify {name} --matches"
        ),
    };
    format!("{}\n{next}", lines.join("\n"))
}

fn person_line(kind: &str, state: &str, person: &Person) -> String {
    let name = if person.name.is_empty() { "(no name)" } else { &person.name };
    let what = if state == "listed" { String::new() } else { format!("{kind} {state}: ") };
    format!("{what}{name}  {}  {}", person.key.fingerprint(), person.key)
}
